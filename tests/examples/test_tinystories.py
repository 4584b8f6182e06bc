"""The decode network of a checkpoint, and what surrounds it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from checkpoint import (
    Checkpoint,
    Config,
    random_checkpoint,
    read_checkpoint,
    write_checkpoint,
)
from deeploy.diagnostics import DeeployError
from llama import Llama, rotation
from network import decode_network
from session import OnnxLlama
from tokenizer import BEGIN, Tokenizer, read_tokenizer


def test_checkpoint_on_disk(tmp_path: Path) -> None:
    config = Config(8, 12, 2, 4, 2, 7, 5, shared_classifier=False)
    written = random_checkpoint(config, seed=3)
    write_checkpoint(written, tmp_path / "model.bin")
    read = read_checkpoint(tmp_path / "model.bin")
    assert read.config == config
    assert set(read.tensors) == set(config.shapes())
    for name, tensor in read.tensors.items():
        np.testing.assert_array_equal(tensor, written.tensors[name])
    assert read.classifier is read.tensors["classifier"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data[:20], "has no header"),
        (lambda data: data[:-4], "it has .* bytes; with the sizes in its header"),
        (lambda data: data[:12] + b"\3" + data[13:], "do not fit together"),
    ],
)
def test_no_checkpoint(tmp_path: Path, small: Checkpoint, change, message: str) -> None:
    path = tmp_path / "model.bin"
    write_checkpoint(small, path)
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(DeeployError, match=message):
        read_checkpoint(path)


def test_rotation_is_one() -> None:
    """Positions add up, and the product of two turned vectors knows their distance only."""
    np.testing.assert_allclose(rotation(3, 8) @ rotation(4, 8), rotation(7, 8), atol=1e-6)
    q, k = np.random.default_rng(0).standard_normal((2, 8))
    near = (q @ rotation(5, 8)) @ (k @ rotation(3, 8))
    far = (q @ rotation(105, 8)) @ (k @ rotation(103, 8))
    assert near == pytest.approx(far, rel=1e-4)


def test_network_computes_what_numpy_does(small: Checkpoint) -> None:
    reference, network = Llama(small), OnnxLlama(small, decode_network(small))
    token = BEGIN
    for _ in range(small.config.seq_len):
        expected = reference.step(token)
        np.testing.assert_allclose(network.step(token), expected, atol=1e-4)
        token = int(expected.argmax())


def test_fixed_past(small: Checkpoint) -> None:
    """The caches have the given number of positions."""
    graph = decode_network(small, past=3).graph
    shapes = {
        value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in [*graph.input, *graph.output]
    }
    assert shapes["past_k_1"] == [1, 2, 3, 4]
    assert shapes["present_v_0"] == [1, 2, 4, 4]


def test_tokenizer_on_disk(tmp_path: Path, small_tokenizer: Tokenizer) -> None:
    path = tmp_path / "tokenizer.bin"
    path.write_bytes(small_tokenizer.to_bytes())
    count = len(small_tokenizer.tokens)
    assert read_tokenizer(path, count) == small_tokenizer
    with pytest.raises(DeeployError, match=f"not a tokenizer with {count + 1} tokens"):
        read_tokenizer(path, count + 1)


@pytest.mark.parametrize("text", ["", "a", "abcab", "bb aab é é", "zebra\n€ ab"])
def test_text_survives_encoding(small_tokenizer: Tokenizer, text: str) -> None:
    tokens = small_tokenizer.encode(text)
    assert tokens[0] == BEGIN
    assert small_tokenizer.decode(tokens) == text.encode()


@pytest.mark.parametrize(("text", "pieces"), [("abc", ["a", "bc"]), ("aaa", ["aa", "a"])])
def test_best_merge_comes_first(text: str, pieces: list[str]) -> None:
    """The highest score wins over what stands before it; of equal ones the first is merged."""
    words = {"a": 0.0, "b": 0.0, "c": 0.0, " ": 0.0, "ab": -2.0, "bc": -1.0, "aa": -3.0}
    special = (b"<unk>", b"<s>", b"</s>", *(b"" for _ in range(256)))
    tokenizer = Tokenizer(
        (*special, *(word.encode() for word in words)), (*(0.0 for _ in special), *words.values())
    )
    found = [tokenizer.tokens[token] for token in tokenizer.encode(text)]
    assert found == [b"<s>", b" ", *(piece.encode() for piece in pieces)]


def test_story_of_numpy_and_onnx(tinystories: Path) -> None:
    """Greedy decoding of 200 steps, as recorded."""
    checkpoint = read_checkpoint(tinystories / "stories260K.bin")
    tokenizer = read_tokenizer(tinystories / "tok512.bin", checkpoint.config.vocab_size)
    expected = (tinystories / "reference_greedy_200.txt").read_bytes()
    for llama in (Llama(checkpoint), OnnxLlama(checkpoint, decode_network(checkpoint))):
        tokens = [BEGIN]
        for _ in range(200):
            tokens.append(int(llama.step(tokens[-1]).argmax()))
        assert tokenizer.decode(tokens) + b"\n" == expected
