"""Between what values the elements of integer tensors lie, before and after requantisation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from xdsl.dialects.builtin import IntegerType
from xdsl.ir import SSAValue

from deeploy.dialects.graph import (
    AddOp,
    BinaryOp,
    MulOp,
    RequantAttr,
    RequantOp,
    SubOp,
    element_type,
    integer_range,
    si32,
)

LOWEST, HIGHEST = integer_range(si32)

Bounds: TypeAlias = tuple[int, int]
"""The smallest and the largest value of something."""


def range_of(value: SSAValue) -> Bounds | None:
    """The smallest and the largest number that an element of `value` can be, if it is integral."""
    if not isinstance(element_type(value), IntegerType):
        return None
    return integer_range(element_type(value))


def fits(values: Sequence[int]) -> bool:
    """Whether 32 bits hold some values."""
    return min(values) >= LOWEST and max(values) <= HIGHEST


def scaled(requant: RequantAttr, bounds: Bounds) -> Bounds | None:
    """Between what values within `bounds` lie before they are clamped; None if they may wrap."""
    mul, add, shift, _, _ = requant.values()
    if not fits([x * mul for x in bounds]) or not fits([x * mul + add for x in bounds]):
        return None
    ends = [(x * mul + add) >> shift for x in bounds]
    return min(ends), max(ends)


def as_read(requant: RequantAttr | None, operand: SSAValue) -> Bounds | None:
    """Between what values an operand lies once it is requantised."""
    bounds = range_of(operand)
    if requant is None or bounds is None:
        return bounds
    low, high = requant.min.data, requant.max.data
    ends = scaled(requant, bounds) or (low, high)
    return max(low, min(ends[0], high)), min(high, max(ends[1], low))


def before_requantisation(op: BinaryOp | RequantOp) -> Bounds | None:
    """Between what values the result of `op` lies before it is requantised."""
    if isinstance(op, RequantOp):
        return range_of(op.input)
    lhs, rhs = as_read(op.lhs_requant, op.lhs), as_read(op.rhs_requant, op.rhs)
    if lhs is None or rhs is None:
        return None
    match op:
        case AddOp():
            return lhs[0] + rhs[0], lhs[1] + rhs[1]
        case SubOp():
            return lhs[0] - rhs[1], lhs[1] - rhs[0]
        case MulOp():
            products = [x * y for x in lhs for y in rhs]
            return min(products), max(products)
        case _:
            return None
