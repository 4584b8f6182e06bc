"""Operators that only quantised networks have: rows, activations and divisions of integers."""

from __future__ import annotations

import numpy as np
from xdsl.ir import Attribute

from deeploy.diagnostics import DeeployError
from deeploy.dialects.graph import (
    IntDivOp,
    IntGeluOp,
    IntHardswishOp,
    IntLayerNormOp,
    IntRMSNormOp,
    IntSoftmaxOp,
    ItaMaxOp,
    ItaPartialMaxOp,
    RequantOp,
    si8,
    si32,
    ui8,
)
from deeploy.frontend.builder import Builder, number
from deeploy.frontend.epilogue import Factor, factor, requant
from deeploy.frontend.nodes import Node
from deeploy.frontend.operators.quantisation import clamp_of, exponent
from deeploy.frontend.ranges import (
    INT32,
    IntArray,
    Interval,
    bounds,
    check_accumulator,
    pointwise,
    smallest_type,
    type_interval,
)
from deeploy.frontend.registry import CUSTOM, converter
from deeploy.frontend.values import Constant, Tensor, Value, interval_of

# --- Rows -----------------------------------------------------------------------------------------


def eight_bits(b: Builder, value: Value) -> Tensor:
    """`value` in 8 bits.

    Raises:
        DeeployError: it may not fit.
    """
    x = b.integers(value)
    for type in (si8, ui8):
        if x.interval in type_interval(type):
            return b.tensor(x, type)
    raise DeeployError(
        f"the input takes values in {x.interval}, which exceeds 8 bits", "requantise it before"
    )


@converter("iSoftmax", "along the last axis; 8 bits, unsigned result", domains=CUSTOM)
def convert_int_softmax(node: Node, b: Builder) -> Value:
    """`graph.int_softmax`."""
    x = eight_bits(b, node.value(0))
    names = {"a": "coeffA", "b": "coeffB", "c": "coeffC", "log2": "log2"}
    properties = {name: number(node.integer(onnx)) for name, onnx in names.items()}
    return b.emit(IntSoftmaxOp, {"input": x.ssa}, Interval(0, 255), properties, element_type=ui8)


@converter("ITAMax", "along the last axis; 8 bits, unsigned result", domains=CUSTOM)
def convert_ita_max(node: Node, b: Builder) -> Value:
    """`graph.ita_max`."""
    x, levels = eight_bits(b, node.value(0)), _levels(node)
    properties = {"levels": number(levels)}
    interval = Interval(0, levels - 1)
    return b.emit(ItaMaxOp, {"input": x.ssa}, interval, properties, element_type=ui8)


@converter("ITAPartialMax", "along the last axis; 8 bits, unsigned result", domains=CUSTOM)
def convert_ita_partial_max(node: Node, b: Builder) -> Value:
    """`graph.ita_partial_max`."""
    x, levels = eight_bits(b, node.value(0)), _levels(node)
    group = node.integer("group_width")
    properties = {"levels": number(levels), "group": number(group)}
    interval = Interval(0, levels - 1)
    return b.emit(ItaPartialMaxOp, {"input": x.ssa}, interval, properties, element_type=ui8)


def _levels(node: Node) -> int:
    levels = node.integer("n_levels")
    if not 2 <= levels <= 256:
        raise DeeployError(f"'n_levels' must be 2 to 256, not {levels}")
    return levels


@converter("iRMSNorm", "along the last axis; constant weight", domains=CUSTOM)
def convert_int_rms_norm(node: Node, b: Builder) -> Value:
    """`graph.int_rms_norm`; fewer than 256 levels take a `graph.clip`."""
    x = b.integers(node.value(0))
    weight = _columns(node, b, 1, "weight", x)
    properties = {"shift": number(exponent(node, "D")), "weight_limit": _limit(weight)}
    y = b.emit(IntRMSNormOp, {"input": x.ssa, "weight": weight.ssa}, type_interval(si8), properties)
    limits = clamp_of(node) if "n_levels" in node.attributes else y.interval
    return y if y.interval in limits else b.clip(y, limits)


@converter("iLayerNorm", "along the last axis; constant weight and bias", domains=CUSTOM)
def convert_int_layer_norm(node: Node, b: Builder) -> Value:
    """`graph.int_layer_norm`."""
    x = b.integers(node.value(0))
    weight = _columns(node, b, 1, "weight", x)
    bias = _columns(node, b, 2, "bias", x)
    operands = {"input": x.ssa, "weight": weight.ssa, "bias": bias.ssa}
    properties = {
        "shift": number(exponent(node, "D")),
        "weight_limit": _limit(weight),
        "bias_limit": _limit(bias),
    }
    return b.emit(IntLayerNormOp, operands, type_interval(si8), properties)


def _limit(constant: Tensor) -> Attribute:
    """How far the elements of a constant are from 0 at most."""
    return number(max(-constant.interval.low, constant.interval.high))


def _columns(node: Node, b: Builder, index: int, what: str, x: Tensor) -> Tensor:
    """A constant with one value for each column of x."""
    constant, columns = _required(node, index, what), x.shape[-1:]
    values = constant.integers()
    if values.size != 1 and values.shape != (*(1,) * (values.ndim - 1), *columns):
        raise DeeployError(f"'{what}' has shape {constant.shape}, not {columns}")
    return b.constant(constant.name, np.array(np.broadcast_to(values.ravel(), columns)), si32)


def _required(node: Node, index: int, what: str) -> Constant:
    constant = node.constant(index, what)
    if constant is None:
        raise DeeployError(f"'{what}' is missing")
    return constant


@converter("iNoNorm", "constant weight and bias that broadcast", domains=CUSTOM)
def convert_int_no_norm(node: Node, b: Builder) -> Value:
    """`graph.requant`: `((x * w + b) * mul) >> shift` is `(x * (w * mul) + b * mul) >> shift`."""
    x, scale, shift = b.integers(node.value(0)), node.integer("mul", 1), exponent(node, "D")
    weight, bias = _required(node, 1, "weight"), _required(node, 2, "bias")
    mul, add = weight.integers() * scale, bias.integers() * scale
    interval = _linear_bounds(x.interval, mul, add)
    wraps = interval not in INT32
    interval = INT32 if wraps else interval
    interval = Interval(interval.low >> shift, interval.high >> shift)
    factors = (
        factor(b, weight.name, mul, neutral=1),
        factor(b, bias.name, add, neutral=0),
    )
    return _requantised(b, x, *factors, shift, interval)


def _linear_bounds(x: Interval, mul: IntArray, add: IntArray) -> Interval:
    """The interval of `x * mul + add`."""
    ends = (mul * x.low + add, mul * x.high + add)
    return bounds(ends[0]) | bounds(ends[1])


def _requantised(
    b: Builder, x: Tensor, mul: Factor, add: Factor, shift: int, interval: Interval
) -> Tensor:
    """`graph.requant` whose clamp has no effect."""
    type = smallest_type(interval)
    return b.emit(
        RequantOp,
        {"input": x.ssa, "mul": mul.tensor, "add": add.tensor},
        interval,
        {"requant": requant(mul, add, shift, type_interval(type))},
        element_type=type,
    )


# --- Activations ----------------------------------------------------------------------------------


@converter("iHardswish", "x * (clamp(x + three, 0, six) * one_over_six)", domains=CUSTOM)
def convert_int_hardswish(node: Node, b: Builder) -> Value:
    """`graph.int_hardswish`."""
    x = b.integers(node.value(0))
    names = ("one_over_six", "three", "six")
    values = {name: node.integer(name) for name in names}

    def hardswish(v: IntArray) -> IntArray:
        inner = np.clip(v + values["three"], 0, values["six"])
        return v * (inner * values["one_over_six"])

    interval = check_accumulator(pointwise(hardswish, x.interval))
    properties = {name: number(value) for name, value in values.items()}
    return b.emit(IntHardswishOp, {"input": x.ssa}, interval, properties, element_type=si32)


@converter("iGELU", "polynomial of second order", domains=CUSTOM)
def convert_int_gelu(node: Node, b: Builder) -> Value:
    """`graph.int_gelu`."""
    x, shift, one = b.integers(node.value(0)), node.integer("b"), node.integer("one")

    def gelu(v: IntArray) -> IntArray:
        d = np.minimum(np.abs(v), -shift) + shift
        return v * ((one + np.sign(v) * (one - d * d)) >> 1)

    interval = check_accumulator(pointwise(gelu, x.interval))
    properties = {"b": number(shift), "one": number(one)}
    return b.emit(IntGeluOp, {"input": x.ssa}, interval, properties, element_type=si32)


# --- Divisions ------------------------------------------------------------------------------------


@converter("TrueIntegerDiv", "by the constant 'y'", domains=CUSTOM)
def convert_true_integer_div(node: Node, b: Builder) -> Value:
    """`graph.requant` with the factor `floor(Delta * eta / (y * eta + eps))`."""
    if len(node.inputs) != 1:
        raise DeeployError("a divisor that the network computes is not supported")
    eta = node.integer("eta")
    divisor = node.integer("y") * eta + node.integer("eps")
    if divisor < 1:
        raise DeeployError(f"y * eta + eps must be positive, not {divisor}")
    mul = node.integer("Delta") * eta // divisor
    x = b.integers(node.value(0))
    product = check_accumulator(x.interval * Interval(mul, mul))
    return _requantised(b, x, Factor(mul), Factor(0), 0, product)


@converter("IntegerDiv", "two operands that broadcast, in 64 bits", domains=CUSTOM)
def convert_integer_div(node: Node, b: Builder) -> Value:
    """`graph.int_div`."""
    lhs, rhs = node.value(0), node.value(1)
    names = ("Delta", "eta", "eps")
    delta, eta, eps = (node.integer(name) for name in names)
    divisor = interval_of(rhs) * Interval(eta, eta) + Interval(eps, eps)
    if divisor.low < 1:
        raise DeeployError(
            f"the divisor takes values in {divisor}", "it must be positive: increase 'eps'"
        )
    dividend = interval_of(lhs) * Interval(delta * eta, delta * eta)
    if max(-dividend.low, dividend.high) + divisor.high >= 1 << 63:
        raise DeeployError(f"the dividend takes values in {dividend}, which exceeds 64 bits")
    interval = check_accumulator(
        Interval(-_quotient(-dividend.low, divisor), _quotient(dividend.high, divisor))
    )
    properties = {"delta": number(delta), "eta": number(eta), "eps": number(eps)}
    operands = {"lhs": b.integers(lhs).ssa, "rhs": b.integers(rhs).ssa}
    return b.emit(IntDivOp, operands, interval, properties, element_type=si32)


def _quotient(dividend: int, divisor: Interval) -> int:
    """The largest rounded quotient; 0 for a dividend that is never positive."""
    if dividend <= 0:
        return 0
    # (n + d / 2) / d falls with d
    return (dividend + (divisor.low >> 1)) // divisor.low
