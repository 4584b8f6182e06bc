"""The network in numpy, one token at a time: what the compiled one is compared with."""

from __future__ import annotations

import numpy as np

from checkpoint import Array, Checkpoint

EPSILON = 1e-5
THETA = 10000.0
"""Base of the wavelengths of the rotary embedding (arXiv 2104.09864)."""


def rotation(position: int, head_dim: int) -> Array:
    """The rotary embedding of a position as a matrix R: a head `x` becomes `x @ R`.

    Dimensions 2i and 2i + 1 turn by the angle `position / THETA ** (2i / head_dim)`.
    """
    pairs = np.arange(0, head_dim, 2)
    angles = position * THETA ** (-pairs / head_dim)
    cos, sin = np.cos(angles), np.sin(angles)
    matrix = np.zeros((head_dim, head_dim), np.float32)
    matrix[pairs, pairs] = matrix[pairs + 1, pairs + 1] = cos
    matrix[pairs, pairs + 1] = sin
    matrix[pairs + 1, pairs] = -sin
    return matrix


class Llama:
    """A decoder with a cache of keys and values.

    Attributes:
        position: tokens so far.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        config = checkpoint.config
        self.config = config
        self.checkpoint = checkpoint
        self.position = 0
        # [k or v, layer, kv_head, position, head_dim]
        shape = (2, config.n_layers, config.n_kv_heads, config.seq_len, config.head_dim)
        self.cache = np.zeros(shape, np.float32)

    def step(self, token: int) -> Array:
        """Logits [vocab_size] of what follows `token`."""
        assert self.position < self.config.seq_len
        tensors = self.checkpoint.tensors
        turn = rotation(self.position, self.config.head_dim)
        x = tensors["embedding"][token]
        for layer in range(self.config.n_layers):
            weights = {
                name: tensor[layer]
                for name, tensor in tensors.items()
                if name not in ("embedding", "final_norm", "cos", "sin", "classifier")
            }
            x = x + self._attention(rms_norm(x, weights["attention_norm"]), weights, turn, layer)
            x = x + _feed_forward(rms_norm(x, weights["ffn_norm"]), weights)
        self.position += 1
        return self.checkpoint.classifier @ rms_norm(x, tensors["final_norm"])

    def _attention(self, x: Array, weights: dict[str, Array], turn: Array, layer: int) -> Array:
        config = self.config
        q = (weights["wq"] @ x).reshape(config.n_kv_heads, config.group, config.head_dim) @ turn
        k = (weights["wk"] @ x).reshape(config.n_kv_heads, config.head_dim) @ turn
        self.cache[0, layer, :, self.position] = k
        self.cache[1, layer, :, self.position] = (weights["wv"] @ x).reshape(k.shape)
        keys, values = self.cache[:, layer, :, : self.position + 1]
        scores = q @ keys.transpose(0, 2, 1) / np.sqrt(np.float32(config.head_dim))
        return weights["wo"] @ (softmax(scores) @ values).reshape(-1)


def _feed_forward(x: Array, weights: dict[str, Array]) -> Array:
    gate = weights["w1"] @ x
    return weights["w2"] @ (gate / (1 + np.exp(-gate)) * (weights["w3"] @ x))


def rms_norm(x: Array, weight: Array) -> Array:
    """`x / sqrt(mean(x²) + EPSILON) * weight`."""
    return x / np.sqrt(np.mean(x * x) + np.float32(EPSILON)) * weight


def softmax(x: Array) -> Array:
    """Along the last dimension."""
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)
