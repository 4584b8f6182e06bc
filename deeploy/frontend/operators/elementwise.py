"""Arithmetic on elements: sums, differences, products, and limits."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import reduce

import numpy as np
from xdsl.dialects.builtin import StringAttr
from xdsl.ir import Attribute

from deeploy.diagnostics import DeeployError
from deeploy.dialects.graph import (
    AddOp,
    BinaryOp,
    DivOp,
    MaxOp,
    MinOp,
    MulOp,
    PowOp,
    SubOp,
    UnaryOp,
)
from deeploy.frontend.builder import Builder, real_number
from deeploy.frontend.nodes import Node
from deeploy.frontend.ranges import INT32, Interval
from deeploy.frontend.registry import NUMBERS, converter
from deeploy.frontend.values import Constant, Tensor, Value, any_real

BROADCAST = "two operands that broadcast; one may be constant"


def binary(
    node: Node,
    b: Builder,
    op_class: type[BinaryOp],
    combine: Callable[[Interval, Interval], Interval],
) -> Tensor:
    """An op on two operands, in the smallest type that holds its results.

    An operand of which nothing is known but that it has 32 bits makes the op wrap around, as
    integers do in ONNX; everywhere else a result beyond 32 bits is an error.
    """
    lhs, rhs = alike(b, node.value(0), node.value(1))
    return combined(b, lhs, rhs, op_class, combine)


def alike(b: Builder, *values: Value) -> list[Tensor]:
    """`values` as tensors: all of floats if one of them is."""
    return [b.real(v) for v in values] if any_real(*values) else [b.tensor(v) for v in values]


def real_binary(b: Builder, op_class: type[BinaryOp], lhs: Value, rhs: Value) -> Tensor:
    """An op on two operands, as floats."""
    return b.emit(op_class, {"lhs": b.real(lhs).ssa, "rhs": b.real(rhs).ssa}, None)


def combined(
    b: Builder,
    lhs: Tensor,
    rhs: Tensor,
    op_class: type[BinaryOp],
    combine: Callable[[Interval, Interval], Interval],
) -> Tensor:
    """The same on tensors."""
    if lhs.is_real:
        return real_binary(b, op_class, lhs, rhs)
    interval = combine(lhs.interval, rhs.interval)
    if interval not in INT32:
        if INT32 not in (lhs.interval, rhs.interval):
            raise DeeployError(f"the result can reach {interval}, which exceeds 32 bits")
        interval = INT32
    return b.emit(op_class, {"lhs": lhs.ssa, "rhs": rhs.ssa}, interval)


@converter("Add", BROADCAST, types=NUMBERS)
def convert_add(node: Node, b: Builder) -> Value:
    """`graph.add`."""
    return binary(node, b, AddOp, Interval.__add__)


@converter("Sub", BROADCAST, types=NUMBERS)
def convert_sub(node: Node, b: Builder) -> Value:
    """`graph.sub`."""
    return binary(node, b, SubOp, Interval.__sub__)


@converter("Mul", BROADCAST, types=NUMBERS)
def convert_mul(node: Node, b: Builder) -> Value:
    """`graph.mul`."""
    return binary(node, b, MulOp, Interval.__mul__)


def extremum(
    node: Node,
    b: Builder,
    op_class: type[BinaryOp],
    choose: Callable[[int, int], int],
) -> Tensor:
    """The largest or smallest of any number of operands, two at a time."""

    def combine(x: Interval, y: Interval) -> Interval:
        return Interval(choose(x.low, y.low), choose(x.high, y.high))

    first, *rest = alike(b, *node.values())
    return reduce(lambda x, y: combined(b, x, y, op_class, combine), rest, first)


@converter("Max", "any number of operands that broadcast; some may be constant", types=NUMBERS)
def convert_max(node: Node, b: Builder) -> Value:
    """`graph.max`."""
    return extremum(node, b, MaxOp, max)


@converter("Min", "any number of operands that broadcast; some may be constant", types=NUMBERS)
def convert_min(node: Node, b: Builder) -> Value:
    """`graph.min`."""
    return extremum(node, b, MinOp, min)


@converter(
    "Div",
    "of floats; two operands that broadcast, one may be constant",
    types=NUMBERS,
    schema=False,  # QuantLib leaves attributes of its own
)
def convert_div(node: Node, b: Builder) -> Value:
    """`graph.div`. Integers of float32 are divided as floats, others truncate in ONNX."""
    lhs, rhs = node.value(0), node.value(1)
    if any(isinstance(v, Constant) and v.array.dtype.kind in "iu" for v in (lhs, rhs)):
        raise DeeployError("division of integers is not supported", "use IntegerDiv")
    return real_binary(b, DivOp, lhs, rhs)


@converter("Pow", "of floats; integers to the power of two", types=NUMBERS)
def convert_pow(node: Node, b: Builder) -> Value:
    """`graph.pow`, or a product or square root for the exponents 2 and 1/2."""
    lhs, rhs = node.value(0), node.value(1)
    exponent = rhs.array.ravel() if isinstance(rhs, Constant) else np.zeros(0)
    known = float(exponent[0]) if exponent.size == 1 and len(rhs.shape) <= len(lhs.shape) else None
    x = b.tensor(lhs)
    if known == 1:
        return x
    if known == 2:
        return combined(b, x, x, MulOp, lambda v, _: square(v))
    if known == 0.5:
        return real_unary(b, x, "sqrt")
    return real_binary(b, PowOp, x, rhs)


def square(x: Interval) -> Interval:
    """The squares of integers."""
    ends = sorted((x.low * x.low, x.high * x.high))
    return Interval(0 if Interval(0, 0) in x else ends[0], ends[1])


def real_unary(b: Builder, value: Value, function: str, *parameters: float) -> Tensor:
    """`graph.unary` on `value` as floats; parameters are alpha and beta."""
    names = ("alpha", "beta")
    properties: dict[str, Attribute] = {"function": StringAttr(function)}
    for name, parameter in zip(names, parameters, strict=False):
        if math.isfinite(parameter):
            properties[name] = real_number(parameter)
    return b.emit(UnaryOp, {"input": b.real(value).ssa}, None, properties)


@converter("Relu", "max(x, 0)", types=NUMBERS)
def convert_relu(node: Node, b: Builder) -> Value:
    """`graph.clip`, on floats `graph.unary`."""
    if node.value(0).is_real:
        return real_unary(b, node.value(0), "relu")
    return b.clip(b.tensor(node.value(0)), Interval(0, INT32.high))


@converter("Clip", "constant limits, as attributes or inputs", types=NUMBERS, schema=False)
def convert_clip(node: Node, b: Builder) -> Value:
    """`graph.clip`, where limits are rounded inwards; on floats `graph.unary`."""
    low, high = node.scalar_from("min", 1), node.scalar_from("max", 2)
    x = b.tensor(node.value(0))
    if x.is_real:
        upper = math.inf if high is None else high
        # as in ONNX, where the lower limit is the larger one the upper one wins
        lower = min(-math.inf if low is None else low, upper)
        return real_unary(b, x, "clip", lower, upper)
    limit = INT32.high if high is None else math.floor(_in_range(high))
    start = INT32.low if low is None else math.ceil(_in_range(low))
    return b.clip(x, Interval(min(start, limit), limit))


def _in_range(limit: float) -> float:
    return min(max(limit, INT32.low), INT32.high)
