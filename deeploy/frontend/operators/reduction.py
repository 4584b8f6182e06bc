"""Reductions over dimensions."""

from __future__ import annotations

import math

from xdsl.dialects.builtin import StringAttr

from deeploy.dialects.graph import ArgReduceOp, ReduceOp, ints, si32
from deeploy.frontend.builder import Builder, flag, number
from deeploy.frontend.nodes import Node, normalised_axes, normalised_axis
from deeploy.frontend.ranges import Interval, check_accumulator
from deeploy.frontend.registry import CUSTOM, NUMBERS, converter
from deeploy.frontend.values import Tensor, Value

SUMMARY = "any axes, as attribute or constant input; keepdims"


def reduce(b: Builder, x: Tensor, kind: str, axes: tuple[int, ...]) -> Tensor:
    """`graph.reduce`: the axes stay, with extent 1. No axes reduce nothing."""
    if not axes:
        return x
    properties = {"kind": StringAttr(kind), "axes": ints(axes)}
    type, bounds = x.element_type, x.bounds
    if kind == "sum" and bounds is not None:
        count = math.prod(x.shape[axis] for axis in axes)
        type, bounds = None, check_accumulator(bounds * Interval(count, count))
    return b.emit(ReduceOp, {"input": x.ssa}, bounds, properties, element_type=type)


def axes_of(node: Node, rank: int) -> tuple[int, ...]:
    """The axes of a node; all of them if none are given."""
    axes = node.integers_from("axes", 1)
    if axes:
        return tuple(sorted(normalised_axes(axes, rank)))
    return () if node.integer("noop_with_empty_axes", 0) else tuple(range(rank))


def reduced(node: Node, b: Builder, kind: str) -> Value:
    """A reduction, whose axes vanish unless `keepdims` is set."""
    x = b.tensor(node.value(0))
    axes = axes_of(node, len(x.shape))
    y = reduce(b, x, kind, axes)
    if node.integer("keepdims", 1):
        return y
    return b.reshape(y, [e for i, e in enumerate(y.shape) if i not in axes])


@converter("ReduceMean", f"{SUMMARY}; half rounds up on integers", types=NUMBERS, schema=False)
def convert_reduce_mean(node: Node, b: Builder) -> Value:
    """`graph.reduce`."""
    return reduced(node, b, "mean")


@converter("IntegerMean", f"{SUMMARY}; half rounds up", domains=CUSTOM)
def convert_integer_mean(node: Node, b: Builder) -> Value:
    """`graph.reduce`."""
    b.integers(node.value(0))
    return reduced(node, b, "mean")


@converter("ReduceSum", SUMMARY, types=NUMBERS, schema=False)
def convert_reduce_sum(node: Node, b: Builder) -> Value:
    """`graph.reduce`."""
    return reduced(node, b, "sum")


@converter("ReduceMax", SUMMARY, types=NUMBERS, schema=False)
def convert_reduce_max(node: Node, b: Builder) -> Value:
    """`graph.reduce`."""
    return reduced(node, b, "max")


@converter("ReduceMin", SUMMARY, types=NUMBERS, schema=False)
def convert_reduce_min(node: Node, b: Builder) -> Value:
    """`graph.reduce`."""
    return reduced(node, b, "min")


def arg_reduced(node: Node, b: Builder, kind: str) -> Value:
    """`graph.arg_reduce`, whose axis vanishes unless `keepdims` is set."""
    x = b.tensor(node.value(0))
    axis = normalised_axis(node.integer("axis", 0), len(x.shape))
    properties = {
        "kind": StringAttr(kind),
        "axis": number(axis),
        "last": flag(bool(node.integer("select_last_index", 0))),
    }
    places = Interval(0, x.shape[axis] - 1)
    y = b.emit(ArgReduceOp, {"input": x.ssa}, places, properties, element_type=si32)
    kept = (1,) if node.integer("keepdims", 1) else ()
    return b.reshape(y, (*x.shape[:axis], *kept, *x.shape[axis + 1 :]))


@converter("ArgMax", "any axis; keepdims, select_last_index; never chooses NaN", types=NUMBERS)
def convert_arg_max(node: Node, b: Builder) -> Value:
    """`graph.arg_reduce`."""
    return arg_reduced(node, b, "max")


@converter("ArgMin", "any axis; keepdims, select_last_index; never chooses NaN", types=NUMBERS)
def convert_arg_min(node: Node, b: Builder) -> Value:
    """`graph.arg_reduce`."""
    return arg_reduced(node, b, "min")
