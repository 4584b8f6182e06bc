"""Builds a Llama of 8-bit integers as an ONNX file, with made-up weights.

    python examples/llama/integer_llama.py OUT --layers 4 --width 256 --heads 8 --cached 128

OUT gets `network.onnx`, `inputs.npz` and `outputs.npz`. The network goes on from caches of
`--cached` positions with `--tokens` new ones: one of them is a step of decoding, many without
caches are a prefill. Networks of the same seed have the same weights and factors if they end at the
same position.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx

from integer_graph import Factor, IntegerGraph
from integer_ops import Integers

WEIGHT_SPREAD = 36
"""Standard deviation of weights and embeddings: their largest are near the end of 8 bits."""
NORM_LEVEL = 36 << 16
"""What normalised values are multiplied by, give or take an eighth."""
ROPE_BASE = 10_000.0
SCORE_UNIT = 8
"""Scores are multiples of 1/8, and those that are masked weigh nothing at all."""
SCORE_LIMIT = 64
GATE_UNIT = 42
"""128 / 42 is 3, where the hard swish becomes the identity."""
RESIDUAL_LIMIT = 64
MASKED = -128


@dataclass(frozen=True)
class Shape:
    """Sizes of a decoder.

    Attributes:
        ffn: width between the products of the feed-forward network.
        cached: positions in the caches that go in.
        tokens: positions that are new.

    Raises:
        ValueError: they do not go together.
    """

    layers: int = 4
    width: int = 256
    heads: int = 8
    ffn: int = 1024
    cached: int = 128
    tokens: int = 1

    def __post_init__(self) -> None:
        if min(self.layers, self.width, self.heads, self.ffn, self.tokens) < 1 or self.cached < 0:
            raise ValueError("sizes must be positive")
        if self.width % (2 * self.heads):
            raise ValueError("the width must be a multiple of twice the heads")

    @property
    def head_width(self) -> int:
        """Of queries, keys and values."""
        return self.width // self.heads

    @property
    def positions(self) -> int:
        """Old and new."""
        return self.cached + self.tokens

    @property
    def linear_weights(self) -> int:
        """Of all matrices, in bytes."""
        return self.layers * (4 * self.width + 3 * self.ffn) * self.width


@dataclass(frozen=True)
class Layer:
    """Weights: matrices are `[inputs, outputs]`."""

    attention_norm: Integers
    query: Integers
    key: Integers
    value: Integers
    output: Integers
    ffn_norm: Integers
    gate: Integers
    up: Integers
    down: Integers


def random_layer(rng: np.random.Generator, shape: Shape) -> Layer:
    """Weights of 8 bits, and factors of normalisations."""
    width, ffn = shape.width, shape.ffn

    def matrix(inputs: int, outputs: int) -> Integers:
        return random_bytes(rng, (inputs, outputs))

    def norm() -> Integers:
        return rng.integers(NORM_LEVEL * 7 // 8, NORM_LEVEL * 9 // 8, width)

    return Layer(
        attention_norm=norm(),
        query=matrix(width, width),
        key=matrix(width, width),
        value=matrix(width, width),
        output=matrix(width, width),
        ffn_norm=norm(),
        gate=matrix(width, ffn),
        up=matrix(width, ffn),
        down=matrix(ffn, width),
    )


def random_bytes(rng: np.random.Generator, shape: tuple[int, ...]) -> Integers:
    """Normally distributed, cut to [-127, 127]."""
    return np.clip(np.rint(rng.normal(0, WEIGHT_SPREAD, shape)), -127, 127).astype(np.int64)


@dataclass(frozen=True)
class Weights:
    """All that a seed decides.

    Attributes:
        embeddings: `[positions, width]`, of the text that the network reads.
    """

    layers: tuple[Layer, ...]
    norm: Integers
    embeddings: Integers


def random_weights(shape: Shape, seed: int) -> Weights:
    """The same for all networks that end at the same position."""
    rng = np.random.default_rng(seed)
    layers = tuple(random_layer(rng, shape) for _ in range(shape.layers))
    norm = rng.integers(NORM_LEVEL * 7 // 8, NORM_LEVEL * 9 // 8, shape.width)
    return Weights(layers, norm, random_bytes(rng, (shape.positions, shape.width)))


def rotations(shape: Shape) -> Integers:
    """Matrices `[1, tokens, head_width, head_width]` that turn pairs of neighbours, times 127."""
    pairs = np.arange(0, shape.head_width, 2)
    positions = np.arange(shape.cached, shape.positions)
    angles = positions[:, None] * ROPE_BASE ** (-pairs / shape.head_width)
    cos, sin = np.rint(127 * np.cos(angles)), np.rint(127 * np.sin(angles))
    turn = np.zeros((1, shape.tokens, shape.head_width, shape.head_width), np.int64)
    turn[0, :, pairs, pairs] = turn[0, :, pairs + 1, pairs + 1] = cos.T
    turn[0, :, pairs, pairs + 1], turn[0, :, pairs + 1, pairs] = sin.T, -sin.T
    return turn


def causal_mask(shape: Shape) -> Integers:
    """`[1, tokens, positions]`: what is added to scores of positions that come later."""
    new = np.arange(shape.cached, shape.positions)[:, None]
    return np.where(np.arange(shape.positions) > new, MASKED, 0)[None]


class Decoder(IntegerGraph):
    """The nodes of a decoder, in the order in which it computes.

    Args:
        shape: its sizes.
        weights: those of `random_weights`.
        caches: keys and values of each layer, `[1, heads, cached, head_width]`.
        factors: of requantisations; measured on the embeddings where empty.
    """

    def __init__(
        self,
        shape: Shape,
        weights: Weights,
        caches: list[tuple[Integers, Integers]],
        factors: dict[str, Factor],
    ) -> None:
        super().__init__(factors)
        self.shape = shape
        x = self.input("embedding", weights.embeddings[None, shape.cached :])
        self.rotation = self.input("rotation", rotations(shape))
        # a single new token may look at everything
        self.mask = self.input("mask", causal_mask(shape)) if shape.tokens > 1 else None
        for i, (layer, (keys, values)) in enumerate(zip(weights.layers, caches, strict=True)):
            names = self.input(f"past.{i}.key", keys), self.input(f"past.{i}.value", values)
            x = self.attention(f"layers.{i}.attention", x, layer, names)
            x = self.feed_forward(f"layers.{i}.ffn", x, layer)
        y = self.rms_norm("hidden", x, weights.norm)
        self.outputs.insert(0, y)

    def attention(self, name: str, x: str, layer: Layer, past: tuple[str, str]) -> str:
        """`x` and what its positions read of those before them; extends the caches."""
        y = self.rms_norm(f"{name}.norm", x, layer.attention_norm)
        query = self.turn(f"{name}.query", self.linear(f"{name}.query", y, layer.query))
        key = self.turn(f"{name}.key", self.linear(f"{name}.key", y, layer.key))
        value = self.split(f"{name}.value", self.linear(f"{name}.value", y, layer.value))
        value = self.transpose(f"{name}.value.heads", value, (0, 2, 1, 3))
        keys = self.concat(f"{name}.keys", past[0], key, axis=2)
        values = self.concat(f"{name}.values", past[1], value, axis=2)
        self.output(keys)
        self.output(values)
        scores = self.scores(f"{name}.scores", query, keys)
        weights = self.softmax(f"{name}.softmax", scores, SCORE_UNIT)
        mixed = self.matmul(f"{name}.mixed.product", weights, values)
        # a row of probabilities sums up to 255 at most
        mixed = self.requant(f"{name}.mixed", mixed, bound=255 * 128)
        rows = self.transpose(f"{name}.mixed.rows", mixed, (0, 2, 1, 3))
        joined = self.reshape(f"{name}.joined", rows, (1, self.shape.tokens, self.shape.width))
        y = self.linear(f"{name}.output", joined, layer.output, RESIDUAL_LIMIT)
        return self.residual(f"{name}.residual", x, y)

    def split(self, name: str, x: str) -> str:
        """A part for each head."""
        heads = (1, self.shape.tokens, self.shape.heads, self.shape.head_width)
        return self.reshape(f"{name}.split", x, heads)

    def turn(self, name: str, x: str) -> str:
        """The rotary embedding, heads first."""
        turned = self.matmul(f"{name}.turned.product", self.split(name, x), self.rotation)
        # a column of a rotation has two elements
        turned = self.requant(f"{name}.turned", turned, bound=2 * 128 * 127)
        return self.transpose(f"{name}.heads", turned, (0, 2, 1, 3))

    def scores(self, name: str, query: str, keys: str) -> str:
        """Products of queries with keys, without those that are later."""
        columns = self.transpose(f"{name}.keys", keys, (0, 1, 3, 2))
        scores = self.matmul(f"{name}.product", query, columns)
        bound = self.shape.head_width * 128 * 128
        scores = self.requant(name, scores, SCORE_LIMIT, bound=bound)
        if self.mask is None:
            return scores
        masked = self.elementwise("Add", f"{name}.sum", scores, self.mask, np.add)
        return self.clip(f"{name}.masked", masked)

    def feed_forward(self, name: str, x: str, layer: Layer) -> str:
        """`x` and what the gated network makes of it."""
        y = self.rms_norm(f"{name}.norm", x, layer.ffn_norm)
        gate = self.hardswish(f"{name}.act", self.linear(f"{name}.gate", y, layer.gate), GATE_UNIT)
        up = self.linear(f"{name}.up", y, layer.up)
        gated = self.elementwise("Mul", f"{name}.gated.product", gate, up, np.multiply)
        gated = self.requant(f"{name}.gated", gated, bound=128 * 128)
        y = self.linear(f"{name}.down", gated, layer.down, RESIDUAL_LIMIT)
        return self.residual(f"{name}.residual", x, y)

    def residual(self, name: str, x: str, y: str) -> str:
        """The sum in 8 bits."""
        total = self.elementwise("Add", f"{name}.sum", x, y, np.add)
        return self.requant(name, total, bound=256)


def build_llama(shape: Shape, seed: int = 0) -> Decoder:
    """A decoder with its inputs and what it makes of them.

    All positions go through it at once first, which gives the factors, and the caches.
    """
    weights = random_weights(shape, seed)
    whole = Shape(shape.layers, shape.width, shape.heads, shape.ffn, 0, shape.positions)
    empty = np.zeros((1, shape.heads, 0, shape.head_width), np.int64)
    text = Decoder(whole, weights, [(empty, empty)] * shape.layers, {})
    caches = [cache(text, i, shape.cached) for i in range(shape.layers)]
    return Decoder(shape, weights, caches, text.factors)


def cache(decoder: Decoder, layer: int, length: int) -> tuple[Integers, Integers]:
    """The first keys and values that a layer left."""
    names = (f"layers.{layer}.attention.{kind}" for kind in ("keys", "values"))
    keys, values = (decoder.values[name][:, :, :length] for name in names)
    return keys, values


def write_llama(decoder: Decoder, folder: Path) -> Path:
    """Write network, inputs and outputs; returns the file of the network."""
    folder.mkdir(parents=True, exist_ok=True)
    model = folder / "network.onnx"
    onnx.save(decoder.model("llama"), model)
    decoder.save(folder / "inputs.npz", decoder.inputs)
    decoder.save(folder / "outputs.npz", decoder.outputs)
    return model


def main() -> None:
    """Write the network that the command line describes."""
    default = Shape()
    parser = argparse.ArgumentParser(description="Build a Llama of 8-bit integers.")
    parser.add_argument("out", type=Path, metavar="OUT", help="folder for the files")
    for name, meaning in (
        ("layers", "pairs of attention and feed-forward network"),
        ("width", "of the residual stream"),
        ("heads", "of the attention"),
        ("ffn", "width inside the feed-forward network"),
        ("cached", "positions in the caches that go in"),
        ("tokens", "new positions"),
    ):
        value = getattr(default, name)
        parser.add_argument(f"--{name}", type=int, default=value, help=f"{meaning} ({value})")
    parser.add_argument("--seed", type=int, default=0, help="of weights and embeddings (0)")
    args = vars(parser.parse_args())
    out, seed = args.pop("out"), args.pop("seed")
    try:
        shape = Shape(**args)
    except ValueError as error:
        parser.error(str(error))
    model = write_llama(build_llama(shape, seed), out)
    print(f"{model}: {shape.linear_weights:,} weights, {shape.positions} positions")


if __name__ == "__main__":
    main()
