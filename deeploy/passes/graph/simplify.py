"""`simplify`: ops that do nothing vanish, and what is left is written in its simplest form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, i64
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.traits import IsTerminator

from deeploy.diagnostics import node_name, replace_op
from deeploy.dialects.graph import (
    AddOp,
    BinaryOp,
    ClipOp,
    ConcatOp,
    ConstantOp,
    CopyOp,
    DivOp,
    MulOp,
    PadOp,
    Requantised,
    RequantOp,
    ReshapeOp,
    SliceOp,
    SubOp,
    TransposeOp,
    element_type,
    tuple_of,
)
from deeploy.interfaces.bounds import range_of
from deeploy.interfaces.tiling import shape_of
from deeploy.passes.graph.epilogue import (
    as_epilogue,
    epilogue_of,
    make_requant,
    with_epilogue,
)
from deeploy.passes.graph.rewriting import (
    changed_constant,
    constant_of,
    make_reshape,
    make_transpose,
    rewrite_functions,
    squeeze_leading,
)
from deeploy.resources import Array

# --- Values pass through --------------------------------------------------------------------------


class RemoveIdentity(RewritePattern):
    """A clip, copy, reshape, transpose, slice, pad or concatenation that changes nothing.

    If a function would then return its argument or a constant, a copy takes the op's place.
    """

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if len(op.operands) != 1 or len(op.results) != 1:
            return
        if op.operands[0].type != op.results[0].type or not _is_identity(op):
            return
        if not _separates_output(op):
            replace_op(rewriter, op, [], [op.operands[0]])
        elif not isinstance(op, CopyOp):
            copy = CopyOp.create(operands=op.operands, result_types=[op.results[0].type])
            replace_op(rewriter, op, copy)


def _is_identity(op: Operation) -> bool:
    """Whether `op`, with a result of the type of its only operand, returns this operand."""
    match op:
        case CopyOp() | ReshapeOp() | SliceOp() | PadOp() | ConcatOp():
            return True
        case TransposeOp():
            return _moves_nothing(tuple_of(op.permutation), shape_of(op.input))
        case ClipOp():
            return _covers(op.min.value.data, op.max.value.data, op.input)
        case _:
            return False


def _separates_output(op: Operation) -> bool:
    """Whether a function would return its own argument or a constant without `op`."""
    if not isinstance(op.operands[0].owner, Block | ConstantOp):
        return False
    return any(use.operation.has_trait(IsTerminator) for use in op.results[0].uses)


def _moves_nothing(permutation: Sequence[int], shape: Sequence[int]) -> bool:
    """Whether the dimensions with more than one element stay in order."""
    return all(a < b for a, b in pairwise(p for p in permutation if shape[p] != 1))


def _covers(low: int, high: int, value: SSAValue) -> bool:
    """Whether every element of `value` lies in [low, high]."""
    bounds = range_of(value)
    return bounds is not None and low <= bounds[0] and bounds[1] <= high


class RequantToClip(RewritePattern):
    """A requantisation that multiplies by one: `mul = 1 << shift`, with or without rounding, and
    no value wraps around. What is left of it is the clip (which may then vanish too)."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: RequantOp, rewriter: PatternRewriter) -> None:
        mul, add, shift, low, high = op.requant.values()
        bounds = range_of(op.input)
        if len(op.operands) != 1 or bounds is None:
            return
        if mul != 1 << shift or not 0 <= add < 1 << shift:
            return
        lowest, highest = bounds
        if lowest * mul + add < -(1 << 31) or highest * mul + add >= 1 << 31:
            return
        replace_op(rewriter, op, make_clip(op.input, low, high, op))


def make_clip(value: SSAValue, low: int, high: int, like: Operation) -> ClipOp:
    """A clip of `value`, with the result type of `like`."""
    return ClipOp.create(
        operands=[value],
        properties={"min": IntegerAttr(low, i64), "max": IntegerAttr(high, i64)},
        result_types=[like.results[0].type],
    )


NEUTRAL: dict[type[BinaryOp], int] = {AddOp: 0, SubOp: 0, MulOp: 1, DivOp: 1}


@dataclass
class RemoveNeutral(RewritePattern):
    """Arithmetic of floats with a constant that changes nothing: `x + 0`, `x - 0`, `x * 1`,
    `x / 1`. A copy takes its place."""

    ctx: Context

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if not isinstance(op, BinaryOp) or type(op) not in NEUTRAL or len(op.operands) != 2:
            return
        sides = [(op.lhs, op.rhs)]
        if isinstance(op, AddOp | MulOp):
            sides.append((op.rhs, op.lhs))
        for value, other in sides:
            constant = constant_of(self.ctx, other)
            if constant is None or constant.dtype.kind != "f" or value.type != op.results[0].type:
                continue
            if np.all(constant == NEUTRAL[type(op)]):
                copy = CopyOp.create(operands=[value], result_types=[value.type])
                replace_op(rewriter, op, copy)
                return


@dataclass
class DivToMul(RewritePattern):
    """`x / c` → `x * (1 / c)` where that is exact: c is a power of two."""

    ctx: Context

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: DivOp, rewriter: PatternRewriter) -> None:
        divisor = constant_of(self.ctx, op.rhs)
        if divisor is None or len(op.operands) != 2:
            return
        mantissas, exponents = np.frexp(divisor)
        # not where the inverse would leave the normal numbers
        if not np.all((np.abs(mantissas) == 0.5) & (np.abs(exponents) < 120)):
            return
        constant = changed_constant(self.ctx, op.rhs, 1 / divisor)
        product = MulOp.build(
            operands=[op.lhs, constant.result, [], []], result_types=[op.result.type]
        )
        replace_op(rewriter, op, [constant, product])


# --- Pairs ----------------------------------------------------------------------------------------


class MergeReshapes(RewritePattern):
    """`reshape(reshape(x))` → `reshape(x)`"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ReshapeOp, rewriter: PatternRewriter) -> None:
        first = op.input.owner
        if isinstance(first, ReshapeOp):
            replace_op(rewriter, op, make_reshape(first.input, shape_of(op.result)))


class MergeTransposes(RewritePattern):
    """`transpose(transpose(x))` → `transpose(x)`"""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: TransposeOp, rewriter: PatternRewriter) -> None:
        first = op.input.owner
        if not isinstance(first, TransposeOp):
            return
        before = tuple_of(first.permutation)
        permutation = [before[p] for p in tuple_of(op.permutation)]
        replace_op(rewriter, op, make_transpose(first.input, permutation))


class TransposeToReshape(RewritePattern):
    """A transpose that only moves dimensions of extent 1 leaves the data where they are."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: TransposeOp, rewriter: PatternRewriter) -> None:
        if _moves_nothing(tuple_of(op.permutation), shape_of(op.input)):
            replace_op(rewriter, op, make_reshape(op.input, shape_of(op.result)))


@dataclass
class MergeClips(RewritePattern):
    """`clip(clip(x))` → `clip(x)` and `clip(requant(x))` → `requant(x)`, with the tighter bounds.
    A requantisation must have no other use, or it would be done twice."""

    ctx: Context

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ClipOp, rewriter: PatternRewriter) -> None:
        first = op.input.owner
        if not isinstance(first, RequantOp | ClipOp):
            return
        if isinstance(first, RequantOp) and not op.input.has_one_use():
            return
        inner, outer = as_epilogue(self.ctx, first), as_epilogue(self.ctx, op)
        merged = inner[1].then(outer[1]) if inner and outer else None
        if inner is None or merged is None:
            return
        if isinstance(first, ClipOp):
            replace_op(rewriter, op, make_clip(first.input, merged.low, merged.high, op))
            return
        key = node_name(first) or "requant"
        new_ops = make_requant(self.ctx, inner[0], merged, element_type(op.result), key)
        new_ops[-1].location = first.location
        replace_op(rewriter, op, new_ops)


# --- Factors --------------------------------------------------------------------------------------


def _is_uniform(array: Array) -> bool:
    return array.size > 0 and bool(np.all(array == array.flat[0]))


def shrink(array: Array) -> Array:
    """`array` with extent 1 where it does not vary, and without leading dimensions of 1."""
    for axis in range(array.ndim):
        first = array.take([0], axis) if array.shape[axis] else array
        if array.shape[axis] > 1 and np.array_equal(np.broadcast_to(first, array.shape), array):
            array = first
    return array.reshape(squeeze_leading(array.shape))


@dataclass
class UniformFactors(RewritePattern):
    """Constant `mul` or `add` operands with one distinct value become numbers."""

    ctx: Context

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if not isinstance(op, Requantised | RequantOp) or op.requant is None:
            return
        arrays = [constant_of(self.ctx, v) for v in (op.mul, op.add) if v is not None]
        if not any(a is not None and _is_uniform(a) for a in arrays):
            return
        # a factor that is no constant keeps both as they are; no frontend makes such a mixture
        epilogue = epilogue_of(self.ctx, op)
        if epilogue is None:
            return
        elements, key = element_type(op.results[0]), node_name(op) or "requant"
        if isinstance(op, RequantOp):
            new_ops = make_requant(self.ctx, op.input, epilogue, elements, key)
        else:
            new_ops = with_epilogue(self.ctx, op, epilogue, elements, key)
        if new_ops is not None:
            replace_op(rewriter, op, new_ops)


@dataclass
class ShrinkConstants(RewritePattern):
    """Constant operands of elementwise ops lose the dimensions in which they do not vary:
    `[1, C, 1, 1]` → `[C, 1, 1]`, and `[C, H, W]` filled per channel → `[C, 1, 1]`."""

    ctx: Context

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if not isinstance(op, BinaryOp | RequantOp):
            return
        shape = shape_of(op.results[0])
        candidates = op.operands[:2] if isinstance(op, BinaryOp) else op.operands[1:]
        for value in candidates:
            # the shape of the result must come from another operand
            if not any(shape_of(v) == shape for v in op.operands if v is not value):
                continue
            array = constant_of(self.ctx, value)
            if array is None or (small := shrink(array)).shape == array.shape:
                continue
            constant = changed_constant(self.ctx, value, small)
            operands = [constant.result if v is value else v for v in op.operands]
            new_op = type(op).create(
                operands=operands,
                properties=op.properties,
                result_types=[op.results[0].type],
            )
            replace_op(rewriter, op, [constant, new_op])
            return


@dataclass(frozen=True)
class SimplifyPass(ModulePass):
    """Remove ops that do nothing and write the others in their simplest form.

    Identity requantisations, clips, copies, movements and arithmetic vanish; pairs of reshapes,
    transposes and clips become one; constant factors lose the dimensions in which they do not vary.
    """

    name = "simplify"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        patterns: list[RewritePattern] = [
            RemoveIdentity(),
            RequantToClip(),
            RemoveNeutral(ctx),
            DivToMul(ctx),
            MergeReshapes(),
            MergeTransposes(),
            TransposeToReshape(),
            MergeClips(ctx),
            UniformFactors(ctx),
            ShrinkConstants(ctx),
        ]
        rewrite_functions(op, patterns)
