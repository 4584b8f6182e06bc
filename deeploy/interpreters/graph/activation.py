"""Element-wise functions of one operand, and conversions between element types."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from deeploy.dialects.graph import (
    CastOp,
    DequantizeOp,
    IntGeluOp,
    IntHardswishOp,
    LookupOp,
    QuantizeOp,
    UnaryOp,
    element_type,
    integer_range,
)
from deeploy.interpreters.graph.arithmetic import wide
from deeploy.interpreters.graph.registry import Overhangs, numpy_meaning
from deeploy.resources import Array, numpy_dtype


@numpy_meaning(IntHardswishOp)
def int_hardswish(op: IntHardswishOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    x = wide(inputs[0])
    one_over_six, three, six = (v.value.data for v in (op.one_over_six, op.three, op.six))
    return x * (np.clip(x + three, 0, six) * one_over_six)


@numpy_meaning(IntGeluOp)
def int_gelu(op: IntGeluOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    x, b, one = wide(inputs[0]), op.b.value.data, op.one.value.data
    d = np.minimum(np.abs(x), -b) + b
    return x * ((one + np.sign(x) * (one - d * d)) >> 1)


@numpy_meaning(LookupOp)
def lookup(op: LookupOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    x, table = inputs
    return table[x]


# --- Floats ---------------------------------------------------------------------------------------

Function = Callable[[Array, float, float], Any]


def _erf(x: Array) -> Array:
    """numpy has no error function; this one is exact, and slow."""
    return np.array([math.erf(v) for v in x.ravel().tolist()], np.float64).reshape(x.shape)


def _gelu(x: Array) -> Array:
    return x * 0.5 * (1 + _erf(x / math.sqrt(2)))


def _gelu_tanh(x: Array) -> Array:
    return x * 0.5 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def _sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def _hard_sigmoid(x: Array, alpha: float, beta: float) -> Array:
    return np.clip(alpha * x + beta, 0, 1)


_FUNCTIONS: dict[str, Function] = {
    "abs": lambda x, _, __: np.abs(x),
    "ceil": lambda x, _, __: np.ceil(x),
    "clip": lambda x, low, high: np.clip(x, low, high),
    "erf": lambda x, _, __: _erf(x),
    "exp": lambda x, _, __: np.exp(x),
    "floor": lambda x, _, __: np.floor(x),
    "gelu": lambda x, _, __: _gelu(x),
    "gelu_tanh": lambda x, _, __: _gelu_tanh(x),
    "hard_sigmoid": _hard_sigmoid,
    "hard_swish": lambda x, _, __: x * _hard_sigmoid(x, 1 / 6, 0.5),
    "log": lambda x, _, __: np.log(x),
    "neg": lambda x, _, __: -x,
    "reciprocal": lambda x, _, __: 1 / x,
    "relu": lambda x, _, __: np.maximum(x, 0),
    "round": lambda x, _, __: np.rint(x),
    "sigmoid": lambda x, _, __: _sigmoid(x),
    "sqrt": lambda x, _, __: np.sqrt(x),
    "swish": lambda x, alpha, _: x * _sigmoid(alpha * x),
    "tanh": lambda x, _, __: np.tanh(x),
}
# where an attribute is absent, a bound that nothing reaches
_DEFAULTS = (-math.inf, math.inf)


@numpy_meaning(UnaryOp)
def unary(op: UnaryOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    given = zip((op.alpha, op.beta), _DEFAULTS, strict=True)
    alpha, beta = (default if v is None else v.value.data for v, default in given)
    return _FUNCTIONS[op.function.data](wide(inputs[0]), alpha, beta)


# --- Conversions ----------------------------------------------------------------------------------


@numpy_meaning(CastOp)
def cast(op: CastOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    (x,) = inputs
    type = element_type(op.result)
    if x.dtype.kind != "f" or numpy_dtype(type).kind == "f":
        return x
    return np.trunc(np.clip(np.nan_to_num(wide(x)), *integer_range(type))).astype(np.int64)


@numpy_meaning(QuantizeOp)
def quantize(op: QuantizeOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    # in float32 like the generated code, so that a sum near a half goes the same way
    scale, zero_point = np.float32(op.scale.value.data), np.float32(op.zero_point.value.data)
    x = np.nan_to_num(inputs[0] * scale)
    if op.half_even is not None:
        rounded = wide(np.rint(x) + zero_point)
    else:
        x = wide(x + zero_point)
        rounded = np.trunc(x + np.copysign(0.5, x))
    return np.clip(rounded, op.min.value.data, op.max.value.data).astype(np.int64)


@numpy_meaning(DequantizeOp)
def dequantize(op: DequantizeOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    # in float32 like the generated code
    scale = np.float32(op.scale.value.data) if op.scales is None else inputs[1]
    return (inputs[0].astype(np.float32) - np.float32(op.zero_point.value.data)) * scale
