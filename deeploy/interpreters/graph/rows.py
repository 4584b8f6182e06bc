"""Softmax and normalisation along the last dimension, of which tiles have all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from xdsl.dialects.builtin import I64, IntegerAttr

from deeploy.diagnostics import fail
from deeploy.dialects.graph import (
    GraphOp,
    IntLayerNormOp,
    IntRMSNormOp,
    IntSoftmaxOp,
    ItaMaxOp,
    ItaPartialMaxOp,
    LayerNormOp,
    RMSNormOp,
    SoftmaxOp,
    element_type,
    integer_range,
)
from deeploy.interpreters.graph.arithmetic import quotient, square_root, wide
from deeploy.interpreters.graph.registry import Overhangs, numpy_meaning
from deeploy.resources import Array


@numpy_meaning(IntSoftmaxOp)
def int_softmax(op: IntSoftmaxOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    x = wide(inputs[0])
    distance = x.max(axis=-1, keepdims=True) - x
    if op.table is None:
        a, b, c, log2 = (v.value.data for v in (op.a, op.b, op.c, op.log2))
        z = np.clip(distance // log2, 0, 31)
        e = (a * (z * log2 - distance + b) ** 2 + c) >> z
    else:
        e = wide(inputs[1])[distance]
    y = quotient(e * 255, e.sum(axis=-1, keepdims=True))
    return y if op.mapping is None else inputs[len(op.tables())][y]


@numpy_meaning(ItaMaxOp)
def ita_max(op: ItaMaxOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    x = wide(inputs[0])
    shift = _halvings(x.max(axis=-1, keepdims=True) - x)
    total = (256 >> shift).sum(axis=-1, keepdims=True)
    return ((op.levels.value.data - 1) * 256 // total) >> shift


@numpy_meaning(ItaPartialMaxOp)
def ita_partial_max(op: ItaPartialMaxOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    x, group = wide(inputs[0]), op.group.value.data
    largest = x[..., :group].max(axis=-1, keepdims=True)
    total = np.zeros_like(largest)
    for start in range(0, x.shape[-1], group):
        part = x[..., start : start + group]
        grown = np.maximum(largest, part.max(axis=-1, keepdims=True))
        shift = _halvings(grown - part)
        total = (total >> _halvings(grown - largest)) + (256 >> shift).sum(axis=-1, keepdims=True)
        largest = grown
    return ((op.levels.value.data - 1) * 256 // total) >> _halvings(largest - x)


def _halvings(distance: Array) -> Array:
    """How often a term at a distance from the maximum is halved."""
    return (distance + 16) >> 5


@numpy_meaning(IntRMSNormOp)
def int_rms_norm(op: IntRMSNormOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    x, weight = (wide(v) for v in inputs)
    _check_limit(op, weight, op.weight_limit)
    std = _deviation(x)
    low, high = integer_range(element_type(op.result))
    return np.clip(quotient(x * weight, std) >> op.shift.value.data, low, high)


@numpy_meaning(IntLayerNormOp)
def int_layer_norm(op: IntLayerNormOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    x, weight, bias = (wide(v) for v in inputs)
    _check_limit(op, weight, op.weight_limit)
    _check_limit(op, bias, op.bias_limit)
    x = x - quotient(x.sum(axis=-1, keepdims=True), np.asarray(x.shape[-1]))
    return (quotient(x * weight, _deviation(x)) + bias) >> op.shift.value.data


def _check_limit(op: GraphOp, values: Array, limit: IntegerAttr[I64] | None) -> None:
    """Check a bound of what is in an operand.

    Raises:
        PassFailedException: values exceed it.
    """
    if limit is not None and np.abs(values).max() > limit.value.data:
        fail(op, f"an operand exceeds its limit of {limit.value.data}", "correct the limit")


def _deviation(x: Array) -> Array:
    """`isqrt(sum(x²) / n + 1)` of each row."""
    return square_root((x * x).sum(axis=-1, keepdims=True) // x.shape[-1] + 1)


@numpy_meaning(SoftmaxOp)
def softmax(op: SoftmaxOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    x = wide(inputs[0])
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


@numpy_meaning(RMSNormOp)
def rms_norm(op: RMSNormOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    x, weight = (wide(v) for v in inputs)
    square = (x * x).mean(axis=-1, keepdims=True)
    return x / np.sqrt(square + op.epsilon.value.data) * weight


@numpy_meaning(LayerNormOp)
def layer_norm(op: LayerNormOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    x, weight, *bias = (wide(v) for v in inputs)
    x = x - x.mean(axis=-1, keepdims=True)
    variance = (x * x).mean(axis=-1, keepdims=True)
    y = x / np.sqrt(variance + op.epsilon.value.data) * weight
    return y + bias[0] if bias else y
