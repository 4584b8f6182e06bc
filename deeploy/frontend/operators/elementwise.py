"""Arithmetic on elements: sums, differences, products, and limits."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import reduce

import numpy as np
import onnx

from deeploy.diagnostics import DeeployError
from deeploy.dialects.graph import AddOp, BinaryOp, MaxOp, MinOp, MulOp, SubOp
from deeploy.frontend.builder import Builder
from deeploy.frontend.nodes import Node
from deeploy.frontend.ranges import INT32, Interval
from deeploy.frontend.registry import converter
from deeploy.frontend.values import Tensor, Value

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
    return combined(b, b.tensor(node.value(0)), b.tensor(node.value(1)), op_class, combine)


def combined(
    b: Builder,
    lhs: Tensor,
    rhs: Tensor,
    op_class: type[BinaryOp],
    combine: Callable[[Interval, Interval], Interval],
) -> Tensor:
    """The same on tensors."""
    interval = combine(lhs.interval, rhs.interval)
    if interval not in INT32:
        if INT32 not in (lhs.interval, rhs.interval):
            raise DeeployError(f"the result can reach {interval}, which exceeds 32 bits")
        interval = INT32
    return b.emit(op_class, {"lhs": lhs.ssa, "rhs": rhs.ssa}, interval)


@converter("Add", BROADCAST)
def convert_add(node: Node, b: Builder) -> Value:
    """`graph.add`."""
    return binary(node, b, AddOp, Interval.__add__)


@converter("Sub", BROADCAST)
def convert_sub(node: Node, b: Builder) -> Value:
    """`graph.sub`."""
    return binary(node, b, SubOp, Interval.__sub__)


@converter("Mul", BROADCAST)
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

    first, *rest = (b.tensor(value) for value in node.values())
    return reduce(lambda x, y: combined(b, x, y, op_class, combine), rest, first)


@converter("Max", "any number of operands that broadcast; some may be constant")
def convert_max(node: Node, b: Builder) -> Value:
    """`graph.max`."""
    return extremum(node, b, MaxOp, max)


@converter("Min", "any number of operands that broadcast; some may be constant")
def convert_min(node: Node, b: Builder) -> Value:
    """`graph.min`."""
    return extremum(node, b, MinOp, min)


@converter("Relu", "max(x, 0)")
def convert_relu(node: Node, b: Builder) -> Value:
    """`graph.clip`."""
    return b.clip(b.tensor(node.value(0)), Interval(0, INT32.high))


@converter("Clip", "constant limits, as attributes or inputs", schema=False)
def convert_clip(node: Node, b: Builder) -> Value:
    """`graph.clip`; limits that are no integers are rounded inwards."""
    low, high = node.scalar_from("min", 1), node.scalar_from("max", 2)
    # as in ONNX, where the lower limit is the larger one the upper one wins
    upper = INT32.high if high is None else math.floor(_in_range(high))
    lower = INT32.low if low is None else math.ceil(_in_range(low))
    return b.clip(b.tensor(node.value(0)), Interval(min(lower, upper), upper))


def _in_range(limit: float) -> float:
    return min(max(limit, INT32.low), INT32.high)


@converter("Cast", "between integer types: clamps where the new type is too small")
def convert_cast(node: Node, b: Builder) -> Value:
    """`graph.clip`, or nothing where the new type holds all values.

    Integers may be carried in any float type of ONNX, so a cast to one changes nothing.
    """
    x, target = b.tensor(node.value(0)), node.integer("to")
    limits = _cast_limits(target)
    return x if x.interval in limits else b.clip(x, limits)


def _cast_limits(target: int) -> Interval:
    dtype = onnx.helper.tensor_dtype_to_np_dtype(target)
    if dtype.kind == "f" and dtype.itemsize >= 4:
        return INT32
    if dtype.kind not in "iu":
        raise DeeployError(f"a cast to {dtype} is not supported", "integers and float32 are")
    limits = np.iinfo(dtype)
    return Interval(max(int(limits.min), INT32.low), min(int(limits.max), INT32.high))
