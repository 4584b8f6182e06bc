"""Perplexity of decode networks on stories that the float model tells.

    python examples/tinystories/perplexity.py stories260K.bin tok512.bin [NETWORK.onnx ...]

The stories are drawn from the checkpoint's own distribution, so no network has a lower perplexity
in the long run. Each network, without a NETWORK that of the checkpoint, is run by onnxruntime and
compiled; `agreement` is how often its most probable token is that of the float model.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import numpy as np
import onnx

from checkpoint import Array, Checkpoint, read_checkpoint
from deeploy.diagnostics import run_main
from llama import Llama
from network import decode_network
from program import build_programs
from sampler import Sampler
from session import OnnxLlama
from tokenizer import BEGIN, read_tokenizer

Text = list[int]


class Model(Protocol):
    """A decoder that has seen the tokens of the steps so far."""

    def step(self, token: int) -> Array:
        """Logits of what follows `token`."""
        ...


@dataclass(frozen=True)
class Score:
    """What a model says of all tokens of all texts but the first of each.

    Attributes:
        log_probabilities: natural logarithms.
        best: the most probable tokens.
    """

    log_probabilities: Array
    best: Array

    @property
    def perplexity(self) -> float:
        """The geometric mean of one over the probability."""
        return float(np.exp(-self.log_probabilities.mean()))

    def agreement(self, other: Score) -> float:
        """The share of tokens at which the most probable one is the same."""
        return float((self.best == other.best).mean())


def draw_texts(start: Callable[[], Model], count: int, length: int, seed: int) -> list[Text]:
    """Texts of at most `length` tokens after BEGIN, each drawn token by token."""
    sampler = Sampler(temperature=1.0, top_p=1.0, state=seed)
    return [_draw(start(), sampler, length) for _ in range(count)]


def _draw(model: Model, sampler: Sampler, length: int) -> Text:
    text = [BEGIN]
    while len(text) <= length:
        text.append(sampler.next(model.step(text[-1])))
        if text[-1] == BEGIN:
            break
    return text


def score(start: Callable[[], Model], texts: Sequence[Text]) -> Score:
    """The score of a model that `start` begins anew."""
    results: list[tuple[float, int]] = []
    for text in texts:
        model = start()
        for token, following in pairwise(text):
            logits = model.step(token).astype(np.float64)
            shifted = logits - logits.max()
            result = shifted[following] - np.log(np.exp(shifted).sum())
            results.append((float(result), int(logits.argmax())))
    return Score(*(np.array(column) for column in zip(*results, strict=True)))


def score_program(program: Path, texts: Sequence[Text]) -> Score:
    """The score of the C program `score`."""
    lines = "".join(" ".join(map(str, text)) + "\n" for text in texts)
    done = subprocess.run([program], input=lines, stdout=subprocess.PIPE, text=True, check=True)
    results = np.loadtxt(done.stdout.splitlines(), ndmin=2)
    return Score(results[:, 0], results[:, 1].astype(np.int64))


def compare(
    checkpoint: Checkpoint,
    tokenizer: bytes,
    networks: dict[str, onnx.ModelProto],
    texts: list[Text],
) -> dict[str, Score]:
    """The scores of the float model and of all networks, by name."""
    scores = {"float model, numpy": score(lambda: Llama(checkpoint), texts)}
    for name, network in networks.items():
        session = OnnxLlama(checkpoint, network)
        scores[f"{name}, onnxruntime"] = score(session.restarted, texts)
        with tempfile.TemporaryDirectory(prefix="deeploy-") as folder:
            programs = build_programs(checkpoint, tokenizer, network, Path(folder))
            scores[f"{name}, compiled"] = score_program(programs / "score", texts)
    return scores


def main(argv: Sequence[str]) -> None:
    """Print a line for each model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("tokenizer", type=Path)
    parser.add_argument("networks", type=Path, nargs="*", metavar="NETWORK")
    parser.add_argument("--texts", type=int, default=20, help="how many stories (default 20)")
    parser.add_argument("--length", type=int, default=200, help="tokens of each (default 200)")
    parser.add_argument("--seed", type=int, default=1, help="of the stories (default 1)")
    args = parser.parse_args(argv)
    checkpoint = read_checkpoint(args.checkpoint)
    read_tokenizer(args.tokenizer, checkpoint.config.vocab_size)
    networks = {path.name: onnx.load(path) for path in args.networks}
    texts = draw_texts(lambda: Llama(checkpoint), args.texts, args.length, args.seed)
    scores = compare(
        checkpoint,
        args.tokenizer.read_bytes(),
        networks or {"float network": decode_network(checkpoint)},
        texts,
    )
    reference = next(iter(scores.values()))
    print(f"{sum(len(text) - 1 for text in texts)} tokens of {len(texts)} stories")
    for name, result in scores.items():
        agreement = f"{result.agreement(reference):.1%}"
        print(f"{name:40} perplexity {result.perplexity:.4f}  agreement {agreement}")


if __name__ == "__main__":
    raise SystemExit(run_main(main))
