"""`reduce-factors`: requantisations with the smallest numbers that do the same.

What is left to do can then be seen from the numbers: `mul = 1, add = 0, shift = 0` scales nothing,
bounds of 32 bits clamp nothing, and kernels leave out what is not needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern

from deeploy.diagnostics import replace_op
from deeploy.dialects.graph import (
    AddOp,
    BinaryOp,
    MulOp,
    RequantAttr,
    RequantOp,
    SubOp,
    integer_range,
    si32,
)
from deeploy.passes.graph.rewriting import range_of, rewrite_functions

LOWEST, HIGHEST = integer_range(si32)

NOTHING = RequantAttr.of(min=LOWEST, max=HIGHEST)
"""What changes no value."""

Bounds: TypeAlias = tuple[int, int]
"""The smallest and the largest value of something."""


def reduced(requant: RequantAttr, bounds: Bounds) -> RequantAttr:
    """What does the same to values within `bounds`, without the powers of two that `mul` and the
    shift share. Unchanged where a product or sum may wrap around."""
    if scaled(requant, bounds) is None:
        return requant
    mul, add, shift, low, high = requant.values()
    while shift > 0 and mul % 2 == 0:
        # the product is even, so the lowest bit of `add` carries nothing and is shifted out
        mul, add, shift = mul // 2, add >> 1, shift - 1
    return RequantAttr.of(mul, add, shift, min=low, max=high)


def _fits(values: Sequence[int]) -> bool:
    return min(values) >= LOWEST and max(values) <= HIGHEST


def scaled(requant: RequantAttr, bounds: Bounds) -> Bounds | None:
    """Between what values within `bounds` lie before they are clamped; None if they may wrap."""
    mul, add, shift, _, _ = requant.values()
    if not _fits([x * mul for x in bounds]) or not _fits([x * mul + add for x in bounds]):
        return None
    ends = [(x * mul + add) >> shift for x in bounds]
    return min(ends), max(ends)


def unclamped(requant: RequantAttr, bounds: Bounds) -> RequantAttr:
    """The same without the clamp, if values within `bounds` do not reach it."""
    mul, add, shift, low, high = requant.values()
    reached = scaled(requant, bounds)
    if reached is None or reached[0] < low or reached[1] > high:
        return requant
    return RequantAttr.of(mul, add, shift, min=LOWEST, max=HIGHEST)


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


class ReduceResult(RewritePattern):
    """What is done to the result of elementwise arithmetic."""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if not isinstance(op, BinaryOp | RequantOp) or op.requant is None:
            return
        bounds = before_requantisation(op)
        if op.mul is not None or op.add is not None or bounds is None:
            return
        _set(op, rewriter, {"requant": reduced(op.requant, bounds)})


class ReduceOperands(RewritePattern):
    """What is done to operands as they are read."""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if not isinstance(op, BinaryOp):
            return
        operands = {"lhs_requant": op.lhs, "rhs_requant": op.rhs}
        changed: dict[str, RequantAttr | None] = {}
        for name, operand in operands.items():
            requant, bounds = op.properties.get(name), range_of(operand)
            if isinstance(requant, RequantAttr) and bounds is not None:
                smallest = unclamped(reduced(requant, bounds), bounds)
                changed[name] = None if smallest == NOTHING else smallest
        _set(op, rewriter, changed)


def _set(op: Operation, rewriter: PatternRewriter, changed: dict[str, RequantAttr | None]) -> None:
    """Replace `op` by one with changed properties, if any differs; None removes one."""
    properties = {k: v for k, v in {**op.properties, **changed}.items() if v is not None}
    if properties == op.properties:
        return
    new_op = type(op).create(
        operands=op.operands,
        properties=properties,
        attributes=op.attributes,
        result_types=op.result_types,
    )
    new_op.location = op.location
    replace_op(rewriter, op, new_op)


@dataclass(frozen=True)
class ReduceFactorsPass(ModulePass):
    """Write requantisations of elementwise arithmetic with the smallest numbers that do the same
    to all values that can occur: no powers of two that multiplier and shift share, and no clamp of
    an operand that it does not reach."""

    name: ClassVar[str] = "reduce-factors"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite_functions(op, [ReduceResult(), ReduceOperands()])
