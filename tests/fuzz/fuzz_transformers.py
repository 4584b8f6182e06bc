"""Random transformers: encoders, and decoders with caches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from fuzz_choices import chosen, picked
from fuzz_writer import FloatWriter, Shape, Value, Writer


@dataclass(frozen=True)
class Model:
    """Extents of a transformer.

    Attributes:
        cached: rows of the caches that go in, or None without caches.
        masked: whether a mask is added to the scores.
    """

    batch: int
    rows: int
    heads: int
    head: int
    cached: int | None
    rotary: bool
    masked: bool

    @property
    def width(self) -> int:
        """Columns between layers."""
        return self.heads * self.head


def transformer(w: Writer) -> None:
    """One or two layers between an embedding and a head."""
    rotary = w.maybe()
    head = w.number(1, 4) * 2 if rotary else w.number(1, 9)
    cached = w.pick(None, None, w.number(1, 9))
    rows = w.number(1, 9) if cached is None else w.pick(1, 1, 2)
    m = Model(w.pick(1, 1, 2), rows, w.number(1, 4), head, cached, rotary, w.maybe())
    x = embedding(w, m) if w.pick(False, False, True) else w.input((m.batch, m.rows, m.width))
    if w.maybe():
        x = w.add(x, w.dense(x, m.width, activate=False))
    for _ in range(w.pick(1, 1, 1, 2)):
        x = layer(w, m, x)
    match w.pick("", "norm", "one row", "mean"):
        case "norm":
            w.dense(w.norm(x), w.number(1, 10), activate=False)
        case "one row":
            w.dense(one_row(w, m, x), w.number(1, 10), activate=False)
        case "mean":
            w.dense(w.mean_over(x, (1,)), w.number(1, 10), activate=False)


def embedding(w: Writer, m: Model) -> Value:
    """Rows of a table, by tokens that are an input."""
    table = w.weight((w.number(1, 20), m.width), 1)
    return picked(w, table, 0, (m.batch, m.rows))


def one_row(w: Writer, m: Model, x: Value) -> Value:
    """The last row, or one that an input names."""
    if w.maybe():
        return picked(w, x, 1, ())
    operands = [x, w.indices(m.rows - 1)]
    return w.node("Gather", operands, (m.batch, m.width), x.bound, x.negative, axis=1)


def layer(w: Writer, m: Model, x: Value) -> Value:
    """Attention and a network for each row, each beside a path around it; norms before or after."""
    before = w.maybe()
    x = w.add(x, attention(w, m, w.norm(x) if before else x))
    x = x if before else w.norm(x)
    x = w.add(x, rowwise(w, w.norm(x) if before else x))
    return x if before else w.norm(x)


def rowwise(w: Writer, x: Value) -> Value:
    """Two dense layers, perhaps with a gate."""
    hidden = w.number(1, 24)
    y = w.dense(x, hidden)
    if w.maybe():
        y = w.mul(y, w.dense(x, hidden, activate=False))
    return w.dense(y, x.shape[-1], activate=False)


def attention(w: Writer, m: Model, x: Value) -> Value:
    """With several heads; keys and values may be shared by all of them."""
    shared = w.pick(False, False, True)
    kv_heads = 1 if shared else m.heads
    q = turned(w, m, heads(w, m, x, m.heads))
    k = cached(w, m, turned(w, m, heads(w, m, x, kv_heads)))
    v = cached(w, m, heads(w, m, x, kv_heads))
    scores = w.matmul(q, w.transpose(k, 0, 1, 3, 2), activate=False)
    if isinstance(w, FloatWriter):
        scale = w.constant(np.array(m.head**-0.5))
        scores = w.node("Mul", [scores, scale], scores.shape)
    if m.masked:
        shape: Shape = (scores.shape[-2], scores.shape[-1])
        mask = w.input((1, 1, *shape) if w.maybe() else shape)
        scores = w.add(scores, mask)
    if w.pick(False, False, True):
        scores = chosen(w, scores, -128)
    y = w.matmul(w.softmax(scores), v, activate=False)
    y = w.reshape(w.transpose(y, 0, 2, 1, 3), m.batch, m.rows, m.width)
    return w.dense(y, m.width, activate=False)


def heads(w: Writer, m: Model, x: Value, count: int) -> Value:
    """A projection, one matrix for each head."""
    y = w.dense(x, count * m.head, activate=False)
    return w.transpose(w.reshape(y, m.batch, m.rows, count, m.head), 0, 2, 1, 3)


def turned(w: Writer, m: Model, x: Value) -> Value:
    """With positions as rotations of pairs of columns."""
    if not m.rotary:
        return x
    if not isinstance(w, FloatWriter) or w.maybe():
        # as a product with one matrix, for all rows
        return w.matmul(x, w.weight((1, 1, m.head, m.head), m.head), activate=False)
    angles = w.rng.uniform(0, 6, (m.rows, m.head))
    cos, sin = w.constant(np.cos(angles)), w.constant(np.sin(angles))
    half = m.head // 2
    left, right = w.cut(x, 3, half, half)
    swapped = w.concat([w.node("Neg", [right], right.shape), left], 3)
    parts = [w.node("Mul", [a, b], x.shape) for a, b in ((x, cos), (swapped, sin))]
    return w.node("Add", parts, x.shape)


def cached(w: Writer, m: Model, x: Value) -> Value:
    """Behind the rows of a cache, which is returned."""
    if m.cached is None:
        return x
    cache = w.input((*x.shape[:2], m.cached, m.head))
    y = w.concat([cache, x], 2)
    w.outputs.append(y)
    return y
