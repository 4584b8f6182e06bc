"""Comparisons, logic on what they give, and choices between two values.

A condition is a byte, 0 or 1, as ONNX keeps it.
"""

from __future__ import annotations

import numpy as np
from xdsl.dialects.builtin import StringAttr

from deeploy.diagnostics import DeeployError
from deeploy.dialects.graph import AddOp, BinaryOp, CompareOp, MaxOp, MinOp, MulOp, SelectOp, ui8
from deeploy.frontend.builder import Builder
from deeploy.frontend.nodes import Node
from deeploy.frontend.operators.elementwise import BROADCAST, alike, combined
from deeploy.frontend.operators.movement import of_one_type
from deeploy.frontend.ranges import Interval
from deeploy.frontend.registry import NUMBERS, converter
from deeploy.frontend.values import Constant, Tensor, Value

BIT = Interval(0, 1)
"""What a condition can be."""

COMPARISONS = {
    "Equal": "equal",
    "Greater": "greater",
    "GreaterOrEqual": "greater_equal",
    "Less": "less",
    "LessOrEqual": "less_equal",
}
"""Operators and their `graph.compare`."""

LOGIC: dict[str, type[BinaryOp]] = {"And": MinOp, "Or": MaxOp}
"""Operators on conditions that are arithmetic on 0 and 1."""


def compare(b: Builder, kind: str, lhs: Value, rhs: Value) -> Tensor:
    """`graph.compare`: of floats if one of both is."""
    x, y = alike(b, lhs, rhs)
    operands = {"lhs": x.ssa, "rhs": y.ssa}
    return b.emit(CompareOp, operands, BIT, {"kind": StringAttr(kind)}, element_type=ui8)


def condition(b: Builder, value: Value) -> Tensor:
    """`value` as bytes 0 and 1: where it is not 0."""
    if isinstance(value, Constant):
        return b.constant(value.name, value.array.astype(np.bool_).astype(np.int64), ui8)
    if not value.is_real and value.interval in BIT:
        return b.tensor(value, ui8)
    return compare(b, "not_equal", value, Constant("zero", np.zeros((), np.int64)))


def _register_comparison(name: str, kind: str) -> None:
    @converter(name, f"{BROADCAST}; a byte, 0 or 1", types=NUMBERS)
    def convert(node: Node, b: Builder) -> Value:
        return compare(b, kind, node.value(0), node.value(1))

    convert.__doc__ = f"`graph.compare` {kind}."


def _register_logic(name: str, op_class: type[BinaryOp]) -> None:
    @converter(name, f"of conditions; {BROADCAST}")
    def convert(node: Node, b: Builder) -> Value:
        operands = {"lhs": condition(b, node.value(0)).ssa, "rhs": condition(b, node.value(1)).ssa}
        return b.emit(op_class, operands, BIT, element_type=ui8)

    convert.__doc__ = f"`{op_class.name}` of 0 and 1."


for _name, _kind in COMPARISONS.items():
    _register_comparison(_name, _kind)
for _name, _op_class in LOGIC.items():
    _register_logic(_name, _op_class)


@converter("Xor", f"of conditions; {BROADCAST}")
def convert_xor(node: Node, b: Builder) -> Value:
    """`graph.compare`: whether both differ."""
    return compare(b, "not_equal", condition(b, node.value(0)), condition(b, node.value(1)))


@converter("Not", "of a condition")
def convert_not(node: Node, b: Builder) -> Value:
    """`graph.compare` with 0."""
    return compare(b, "equal", node.value(0), Constant("zero", np.zeros((), np.int64)))


@converter("Where", "three operands that broadcast; some may be constant", types=NUMBERS)
def convert_where(node: Node, b: Builder) -> Value:
    """`graph.select`; with a constant condition arithmetic, which fuses with what is around."""
    mask = node.value(0)
    if isinstance(mask, Constant):
        return _known_choice(node, b, mask.array.astype(np.bool_))
    (lhs, rhs), interval, type = of_one_type(b, [node.value(1), node.value(2)])
    operands = {"condition": condition(b, mask).ssa, "lhs": lhs.ssa, "rhs": rhs.ssa}
    return b.emit(SelectOp, operands, interval, element_type=type)


def _known_choice(node: Node, b: Builder, mask: np.ndarray) -> Value:
    """One of both values, or their sum, each multiplied by 0 or 1."""
    chosen = node.value(1 if mask.all() else 2)
    shape = np.broadcast_shapes(mask.shape, *(node.value(i).shape for i in (1, 2)))
    if mask.all() or not mask.any():
        if chosen.shape != shape:
            raise DeeployError(f"a value of shape {chosen.shape} would broadcast to {shape}")
        return chosen
    parts = [_masked(b, node.value(1), mask), _masked(b, node.value(2), ~mask)]
    x, y = alike(b, *parts)
    return combined(b, x, y, AddOp, Interval.__or__)


def _masked(b: Builder, value: Value, mask: np.ndarray) -> Value:
    """`value` where `mask` is set, else zero."""
    if isinstance(value, Constant):
        return Constant(value.name, np.where(mask, value.array, 0).astype(value.array.dtype))
    factor = Constant("mask", mask.astype(np.int8))
    x, y = alike(b, value, factor) if value.is_real else (value, b.tensor(factor))
    return combined(b, x, y, MulOp, lambda v, _: v | Interval(0, 0))
