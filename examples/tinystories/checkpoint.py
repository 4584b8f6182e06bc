"""Checkpoints in the format of llama2.c: seven integers, then the tensors as 32-bit floats."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deeploy.diagnostics import DeeployError

HEADER = struct.Struct("<7i")

Array = np.ndarray
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Config:
    """Sizes of a network: the seven integers at the start of a checkpoint.

    Attributes:
        dim: width of the residual stream.
        hidden_dim: width of the feed-forward layers.
        n_kv_heads: heads of keys and values; each serves `n_heads / n_kv_heads` query heads.
        shared_classifier: the classifier has the weights of the embedding. A negative vocabulary
            size in the file says that it has its own.
    """

    dim: int
    hidden_dim: int
    n_layers: int
    n_heads: int
    n_kv_heads: int
    vocab_size: int
    seq_len: int
    shared_classifier: bool = True

    @property
    def head_dim(self) -> int:
        """Width of a head."""
        return self.dim // self.n_heads

    @property
    def kv_dim(self) -> int:
        """Width of the keys, and of the values, of one position."""
        return self.n_kv_heads * self.head_dim

    @property
    def group(self) -> int:
        """Query heads for each head of keys and values."""
        return self.n_heads // self.n_kv_heads

    def header(self) -> bytes:
        """The seven integers."""
        vocab_size = self.vocab_size if self.shared_classifier else -self.vocab_size
        sizes = (self.dim, self.hidden_dim, self.n_layers, self.n_heads, self.n_kv_heads)
        return HEADER.pack(*sizes, vocab_size, self.seq_len)

    def shapes(self) -> dict[str, Shape]:
        """Shapes of all tensors in the order of the file; weights are [layer, output, input]."""
        layers, dim, hidden, kv_dim = self.n_layers, self.dim, self.hidden_dim, self.kv_dim
        shapes: dict[str, Shape] = {
            "embedding": (self.vocab_size, dim),
            "attention_norm": (layers, dim),
            "wq": (layers, dim, dim),
            "wk": (layers, kv_dim, dim),
            "wv": (layers, kv_dim, dim),
            "wo": (layers, dim, dim),
            "ffn_norm": (layers, dim),
            "w1": (layers, hidden, dim),
            "w2": (layers, dim, hidden),
            "w3": (layers, hidden, dim),
            "final_norm": (dim,),
            # tables of the rotary embedding, which readers compute themselves today
            "cos": (self.seq_len, self.head_dim // 2),
            "sin": (self.seq_len, self.head_dim // 2),
        }
        if not self.shared_classifier:
            shapes["classifier"] = (self.vocab_size, dim)
        return shapes


@dataclass(frozen=True)
class Checkpoint:
    """A network's sizes and weights, named as in `Config.shapes`."""

    config: Config
    tensors: Mapping[str, Array]

    @property
    def classifier(self) -> Array:
        """Weights of the last layer: [vocab_size, dim]."""
        name = "embedding" if self.config.shared_classifier else "classifier"
        return self.tensors[name]


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises:
        DeeployError: the file is not one.
        OSError: the file cannot be read.
    """
    data = path.read_bytes()
    if len(data) < HEADER.size:
        raise DeeployError(f"{path}: not a llama2.c checkpoint", "it has no header")
    *sizes, vocab_size, seq_len = HEADER.unpack_from(data)
    config = Config(*sizes, abs(vocab_size), seq_len, vocab_size > 0)
    _check(config, path)
    shapes = config.shapes()
    expected = HEADER.size + 4 * sum(int(np.prod(shape)) for shape in shapes.values())
    if len(data) != expected:
        raise DeeployError(
            f"{path}: not a llama2.c checkpoint",
            f"it has {len(data)} bytes; with the sizes in its header they would be {expected}",
        )
    return Checkpoint(config, _split(np.frombuffer(data, "<f4", offset=HEADER.size), shapes))


def write_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """Write a checkpoint."""
    tensors = [checkpoint.tensors[name] for name in checkpoint.config.shapes()]
    weights = b"".join(tensor.astype("<f4").tobytes() for tensor in tensors)
    path.write_bytes(checkpoint.config.header() + weights)


def random_checkpoint(config: Config, seed: int) -> Checkpoint:
    """Weights that keep the size of activations, so that the logits differ."""
    rng = np.random.default_rng(seed)
    tensors = {
        name: np.ones(shape, np.float32)
        if "norm" in name
        else (rng.standard_normal(shape) / np.sqrt(shape[-1])).astype(np.float32)
        for name, shape in config.shapes().items()
    }
    tensors["embedding"] *= np.sqrt(np.float32(config.dim))
    return Checkpoint(config, tensors)


def _check(config: Config, path: Path) -> None:
    sizes = (config.dim, config.hidden_dim, config.n_layers, config.n_heads, config.n_kv_heads)
    whole = min(*sizes, config.vocab_size, config.seq_len) > 0
    divisible = (
        whole and config.dim % (2 * config.n_heads) == 0 and config.n_heads % config.n_kv_heads == 0
    )
    if not divisible:
        raise DeeployError(
            f"{path}: not a llama2.c checkpoint", "the sizes in its header do not fit together"
        )


def _split(values: Array, shapes: Mapping[str, Shape]) -> dict[str, Array]:
    tensors: dict[str, Array] = {}
    begin = 0
    for name, shape in shapes.items():
        end = begin + int(np.prod(shape))
        tensors[name] = values[begin:end].reshape(shape)
        begin = end
    return tensors
