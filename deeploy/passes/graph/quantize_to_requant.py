"""`quantize-to-requant`: quantisation of dequantised integers in fixed-point arithmetic.

`quantize(dequantize(x))` is `clamp(round(m * x + t))` with real numbers m and t, which may differ
between channels. Here `m` becomes `mul / 2^shift` and `t` becomes `add / 2^shift`, with the largest
shift for which no `x * mul + add` leaves 32 bits: the bounds of x follow from the weights that
computed it. Halves are rounded up.

The fixed-point value is off by at most `ERROR`, so a result differs by at most one unit, and only
where the exact value is that near to a half. That is a bound for the largest values; small ones are
off by less, as most of the error is that of `mul`, half a step. Where 32 bits are too few, which
takes accumulators beyond 2^23, the op stays in floats.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import AnyFloat, FloatAttr, ModuleOp, f64
from xdsl.ir import Attribute
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from deeploy.diagnostics import node_name, replace_op
from deeploy.dialects.graph import (
    AddOp,
    DequantizeOp,
    MulOp,
    QuantizeOp,
    RequantAttr,
    SubOp,
    element_type,
)
from deeploy.passes.approximation import ApproximatePass
from deeploy.passes.graph.epilogue import Epilogue, make_requant
from deeploy.passes.graph.quantised import (
    HIGHEST,
    LOWEST,
    Affine,
    Bounds,
    affine_of,
    bounds_of,
)
from deeploy.passes.graph.rewriting import rewrite_functions
from deeploy.resources import Array

ERROR = 1 / 2
"""The largest error of a fixed-point value before it is rounded, in units of the result."""
LARGEST_SHIFT = 30


@dataclass(frozen=True)
class FixedPoint:
    """`(x₀ * muls[0] + x₁ * muls[1] + … + add) >> shift`, rounding included."""

    muls: list[Array]
    add: Array
    shift: int


def fixed_point(
    factors: list[Array], offset: Array, bounds: list[Bounds], limits: tuple[int, int]
) -> FixedPoint | None:
    """`round(x₀ * factors[0] + x₁ * factors[1] + … + offset)` in 32 bits.

    Args:
        factors: real numbers, one for each operand; arrays that broadcast to it.
        offset: likewise.
        bounds: of the operands.
        limits: to which the result is clamped; what is clamped may be wrong by more.

    Returns:
        None if there is none that is off by at most `ERROR`.
    """
    for shift in range(LARGEST_SHIFT, 0, -1):
        muls = [np.rint(np.ldexp(f, shift)).astype(np.int64) for f in factors]
        add = np.rint(np.ldexp(offset, shift)).astype(np.int64) + (1 << shift >> 1)
        total = Bounds(add, add)
        for mul, bound in zip(muls, bounds, strict=True):
            total = total.plus(bound.times(Bounds(mul, mul)))
        if not total.fit():
            continue
        largest = _largest(factors, offset, bounds, limits)
        error = 2.0 ** -(shift + 1) + sum(
            np.abs(np.ldexp(mul.astype(np.float64), -shift) - f) * x
            for mul, f, x in zip(muls, factors, largest, strict=True)
        )
        return FixedPoint(muls, add, shift) if np.all(error <= ERROR) else None
    return None


def _largest(
    factors: list[Array], offset: Array, bounds: list[Bounds], limits: tuple[int, int]
) -> list[Array]:
    """How large the magnitudes of operands get where the result is not clamped."""
    largest = [np.maximum(np.abs(b.low), np.abs(b.high)).astype(np.float64) for b in bounds]
    if len(factors) > 1:
        return largest
    reach = np.maximum(np.abs(limits[0] - 1 - offset), np.abs(limits[1] + 1 - offset))
    return [np.minimum(largest[0], reach / np.abs(factors[0]))]


@dataclass
class RequantizeValue(RewritePattern):
    """`quantize(dequantize(x))` → `requant(x)`; arithmetic with constants in between is part of
    the factors."""

    ctx: Context

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: QuantizeOp, rewriter: PatternRewriter) -> None:
        x = affine_of(self.ctx, op.input)
        bounds = None if x is None else bounds_of(self.ctx, x.value)
        if x is None or bounds is None:
            return
        low, high = _limits(op)
        factor, offset = _in_units(op, x)
        numbers = fixed_point([factor], offset, [bounds], (low, high))
        if numbers is None:
            return
        epilogue = Epilogue(numbers.muls[0], numbers.add, numbers.shift, low, high)
        key, elements = node_name(op) or "requant", element_type(op.result)
        replace_op(rewriter, op, make_requant(self.ctx, x.value, epilogue, elements, key))


@dataclass
class RequantizeSum(RewritePattern):
    """`quantize(add(dequantize(x), dequantize(y)))` → `add(x, y)`, where both operands are
    multiplied as they are read, and shifted as their sum is written; likewise a difference."""

    ctx: Context

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: QuantizeOp, rewriter: PatternRewriter) -> None:
        total = op.input.owner
        if not isinstance(total, AddOp | SubOp) or len(total.operands) != 2:
            return
        operands = [affine_of(self.ctx, v) for v in (total.lhs, total.rhs)]
        known = [x for x in operands if x is not None]
        bounds = [b for x in known if (b := bounds_of(self.ctx, x.value)) is not None]
        units = [_in_units(op, x, with_zero=i == 0) for i, x in enumerate(known)]
        if len(bounds) < 2 or any(array.size != 1 for pair in units for array in pair):
            return
        sign = -1 if isinstance(total, SubOp) else 1
        offset = units[0][1] + sign * units[1][1]
        limits = _limits(op)
        factors = [units[0][0], sign * units[1][0]]
        numbers = fixed_point(factors, offset, [b.hull() for b in bounds], limits)
        if numbers is None:
            return
        muls = (int(numbers.muls[0].item()), sign * int(numbers.muls[1].item()))
        properties: dict[str, Attribute] = {
            "lhs_requant": RequantAttr.of(muls[0], min=LOWEST, max=HIGHEST),
            "rhs_requant": RequantAttr.of(muls[1], min=LOWEST, max=HIGHEST),
            "requant": RequantAttr.of(
                1, int(numbers.add.item()), numbers.shift, min=limits[0], max=limits[1]
            ),
        }
        new_op = type(total).build(
            operands=[*(x.value for x in known), [], []],
            properties=properties,
            result_types=[op.result.type],
        )
        replace_op(rewriter, op, new_op, absorbed=[total])


def _limits(op: QuantizeOp) -> tuple[int, int]:
    return op.min.value.data, op.max.value.data


def _in_units(op: QuantizeOp, x: Affine, *, with_zero: bool = True) -> tuple[Array, Array]:
    """Factor and offset of `x` in units of the result of `op`."""
    scale = float(np.float32(op.scale.value.data))
    zero = op.zero_point.value.data if with_zero else 0.0
    factor = x.scale * scale
    # a scale times its inverse in float32 is one
    factor = np.where(np.abs(factor - 1) < 2.0**-22, 1.0, factor)
    return factor, x.offset * scale + zero


@dataclass
class ExpandScales(RewritePattern):
    """`graph.dequantize` with a scale for each channel → the same with the scale 1, and a product
    with the scales."""

    ctx: Context

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: DequantizeOp, rewriter: PatternRewriter) -> None:
        if op.scales is None:
            return
        properties = {**op.properties, "scale": FloatAttr(1.0, f64)}
        plain = DequantizeOp.create(
            operands=[op.input], properties=properties, result_types=[op.result.type]
        )
        scaled = MulOp.build(
            operands=[plain.result, op.scales, [], []], result_types=[op.result.type]
        )
        assert isinstance(element_type(op.result), AnyFloat)
        replace_op(rewriter, op, [plain, scaled])


@dataclass(frozen=True)
class QuantizeToRequantPass(ApproximatePass):
    """Requantise integers in fixed-point arithmetic instead of dequantising and quantising them.

    Results differ by at most one unit. Scales for each channel that are left in floats become
    products.
    """

    name = "quantize-to-requant"
    tolerance = 0.05

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite_functions(op, [RequantizeValue(ctx), RequantizeSum(ctx)])
        rewrite_functions(op, [ExpandScales(ctx)])
