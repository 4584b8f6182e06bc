"""The compiled programs: the story that they tell and the probabilities that they compute."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import onnx
import pytest

import perplexity
from checkpoint import Checkpoint, random_checkpoint, read_checkpoint, write_checkpoint
from deeploy.diagnostics import run_main
from llama import Llama
from network import decode_network
from perplexity import draw_texts, score, score_program
from program import build_programs
from sampler import Sampler
from tokenizer import BEGIN, Tokenizer, read_tokenizer

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")


@pytest.fixture(autouse=True)
def quick_builds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most of the time of these tests is the C compiler's."""
    monkeypatch.setenv("CFLAGS", "-O1 -std=c99 -Wall -Wextra -Wpedantic -Werror")


def run(program: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the program `story`."""
    command = [str(program), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def story(
    checkpoint: Checkpoint, tokenizer: Tokenizer, sampler: Sampler, prompt: str, steps: int
) -> bytes:
    """What `story` should print."""
    llama, tokens = Llama(checkpoint), tokenizer.encode(prompt)
    for i in range(steps):
        logits = llama.step(tokens[i])
        if i + 1 == len(tokens):
            tokens.append(sampler.next(logits))
        if tokens[i + 1] == BEGIN:
            return tokenizer.decode(tokens[: i + 1]) + b"\n"
    return tokenizer.decode(tokens[: steps + 1]) + b"\n"


def test_small_programs(tmp_path: Path, small: Checkpoint, small_tokenizer: Tokenizer) -> None:
    """Every position of a network with random weights."""
    network = decode_network(small)
    folder = build_programs(small, small_tokenizer.to_bytes(), network, tmp_path)
    check_stories(folder / "story", small, small_tokenizer)
    check_usage(folder / "story")
    check_scores(folder / "score", small)


def check_stories(program: Path, checkpoint: Checkpoint, tokenizer: Tokenizer) -> None:
    steps = checkpoint.config.seq_len
    for prompt, temperature, seed in (("", 0, 1), ("abc é", 0, 1), ("", 1, 7), ("cab", 0.7, 9)):
        arguments = ["-t", temperature, "-p", 0.8, "-s", seed, "-n", steps, prompt]
        done = subprocess.run([program, *map(str, arguments)], capture_output=True, check=True)
        sampler = Sampler(temperature, 0.8, seed)
        assert done.stdout == story(checkpoint, tokenizer, sampler, prompt, steps)
        assert b"tokens/s" in done.stderr


def check_scores(program: Path, checkpoint: Checkpoint) -> None:
    length = checkpoint.config.seq_len
    texts = [*draw_texts(lambda: Llama(checkpoint), 3, length, seed=5), [BEGIN, 5]]
    expected, ours = score(lambda: Llama(checkpoint), texts), score_program(program, texts)
    np.testing.assert_allclose(ours.log_probabilities, expected.log_probabilities, atol=1e-4)
    np.testing.assert_array_equal(ours.best, expected.best)
    for wrong in ("1 300\n", "1 -1\n", " ".join(["1"] * (length + 2))):
        done = subprocess.run([program], input=wrong, text=True, stdout=subprocess.PIPE)
        assert done.returncode == 2


def check_usage(program: Path) -> None:
    for wrong in (["-n", 0], ["-n", 13], ["-s", 0], ["-t", "warm"], ["-x"], ["a", "b"]):
        done = run(program, *wrong)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.splitlines()[-5].startswith("usage: story")
    done = run(program, "z" * 12)
    assert (done.returncode, done.stderr) == (1, "error: the prompt is too long\n")


def test_story(tmp_path: Path, tinystories: Path) -> None:
    """Greedy decoding of 200 steps, as recorded."""
    checkpoint = read_checkpoint(tinystories / "stories260K.bin")
    path = tinystories / "tok512.bin"
    assert len(read_tokenizer(path, 512).tokens) == 512
    folder = build_programs(checkpoint, path.read_bytes(), decode_network(checkpoint), tmp_path)
    done = run(folder / "story", "-n", 200)
    assert done.stdout == (tinystories / "reference_greedy_200.txt").read_text()


def test_perplexity(
    tmp_path: Path,
    small: Checkpoint,
    small_tokenizer: Tokenizer,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """As a command: all ways to run a network agree, and another network is not as good."""
    write_checkpoint(small, tmp_path / "model.bin")
    (tmp_path / "tokenizer.bin").write_bytes(small_tokenizer.to_bytes())
    other = random_checkpoint(small.config, seed=2)
    onnx.save(decode_network(other), tmp_path / "other.onnx")
    files = [str(tmp_path / name) for name in ("model.bin", "tokenizer.bin", "other.onnx")]
    assert run_main(perplexity.main, [*files, "--texts", "8", "--length", "12"]) == 0
    first, *lines = capfd.readouterr().out.splitlines()
    assert first.endswith("tokens of 8 stories")
    found = [re.fullmatch(r"(.*\S) +perplexity ([\d.]+)  agreement ([\d.]+)%", x) for x in lines]
    names, perplexities, agreements = zip(
        *(match.groups() for match in found if match), strict=True
    )
    assert names == ("float model, numpy", "other.onnx, onnxruntime", "other.onnx, compiled")
    model, session, compiled = map(float, perplexities)
    assert session == pytest.approx(compiled, rel=1e-3)
    assert model < 0.5 * session
    assert [float(value) > 50 for value in agreements] == [True, False, False]
