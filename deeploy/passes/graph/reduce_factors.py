"""`reduce-factors`: requantisations with the smallest numbers that do the same.

What is left to do can then be seen from the numbers: `mul = 1, add = 0, shift = 0` scales nothing,
bounds of 32 bits clamp nothing, and kernels leave out what is not needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern

from deeploy.diagnostics import replace_op
from deeploy.dialects.graph import BinaryOp, RequantAttr, RequantOp
from deeploy.interfaces.bounds import (
    HIGHEST,
    LOWEST,
    Bounds,
    before_requantisation,
    range_of,
    scaled,
)
from deeploy.interpreters.graph import requantise
from deeploy.passes.graph.rewriting import rewrite_functions

NOTHING = RequantAttr.of(min=LOWEST, max=HIGHEST)
"""What changes no value."""

SHORT = 15
"""Bits of a factor beside its sign that products of 16 bits take."""
MOST_VALUES = 1 << 16
"""Which are tried."""


def reduced(requant: RequantAttr, bounds: Bounds) -> RequantAttr:
    """What does the same to values within `bounds`: without the powers of two that `mul` and the
    shift share, and with a factor of 16 bits if there is one. Unchanged where a product or sum may
    wrap around."""
    mul, add, shift, low, high = requant.values()
    if scaled(requant, bounds) is None:
        return requant
    while shift > 0 and mul % 2 == 0:
        # the product is even, so the lowest bit of `add` carries nothing and is shifted out
        mul, add, shift = mul // 2, add >> 1, shift - 1
    return shortened(RequantAttr.of(mul, add, shift, min=low, max=high), bounds)


def shortened(requant: RequantAttr, bounds: Bounds) -> RequantAttr:
    """What does the same to values within `bounds`, with a factor of 16 bits and rounding halves
    up, if one of the two nearest factors does; found by trying all values."""
    mul, _, shift, low, high = requant.values()
    surplus = abs(mul).bit_length() - SHORT
    if surplus <= 0 or surplus > shift or bounds[1] - bounds[0] > MOST_VALUES:
        return requant
    values = np.arange(bounds[0], bounds[1] + 1)
    expected, left = requantise(values, requant), shift - surplus
    for factor in (mul >> surplus, (mul >> surplus) + 1):
        short = RequantAttr.of(factor, 1 << left >> 1, left, min=low, max=high)
        same = np.array_equal(requantise(values, short), expected)
        if abs(factor).bit_length() <= SHORT and same:
            return reduced(short, bounds)
    return requant


def unclamped(requant: RequantAttr, bounds: Bounds) -> RequantAttr:
    """The same without the clamp, if values within `bounds` do not reach it."""
    mul, add, shift, low, high = requant.values()
    reached = scaled(requant, bounds)
    if reached is None or reached[0] < low or reached[1] > high:
        return requant
    return RequantAttr.of(mul, add, shift, min=LOWEST, max=HIGHEST)


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
    to all values that can occur: no powers of two that multiplier and shift share, factors of 16
    bits, and no clamp of an operand that it does not reach."""

    name: ClassVar[str] = "reduce-factors"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite_functions(op, [ReduceResult(), ReduceOperands()])
