"""`cancel-transposes`: move transposes towards the outputs until they meet their inverse.

There is one direction only, so the rewriting ends: each pattern takes transposes in front of an
op and puts one behind it. Reshapes in between come along if they only add or remove dimensions of
extent 1, or flatten an image for a linear layer, whose weights are then permuted instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, UnitAttr, i64
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.utils.hints import isa

from deeploy.diagnostics import replace_op
from deeploy.dialects.graph import (
    BinaryOp,
    CastOp,
    ClipOp,
    ConcatOp,
    CopyOp,
    DequantizeOp,
    IntGeluOp,
    IntHardswishOp,
    Ints,
    MatmulOp,
    PadOp,
    QuantizeOp,
    ReduceOp,
    RequantOp,
    ReshapeOp,
    SliceOp,
    TransposeOp,
    UnaryOp,
    ints,
    tuple_of,
)
from deeploy.interfaces.tiling import shape_of
from deeploy.passes.graph.fold_constants import FoldConstantOperands
from deeploy.passes.graph.rewriting import (
    changed_constant,
    constant_of,
    inverse,
    make_reshape,
    make_transpose,
    rewrite_functions,
    squeeze_leading,
    with_shape,
)
from deeploy.passes.graph.simplify import (
    MergeReshapes,
    MergeTransposes,
    RemoveIdentity,
    TransposeToReshape,
)

Permutation: TypeAlias = tuple[int, ...]


def _permuted(values: Sequence[int], permutation: Sequence[int]) -> list[int]:
    return [values[p] for p in permutation]


def _sink(
    rewriter: PatternRewriter,
    op: Operation,
    transposes: Sequence[TransposeOp],
    before: Sequence[Operation],
    new_op: Operation,
) -> None:
    """Replace `op` by `new_op`, made of transposed things, and a transpose behind it."""
    permutation = tuple_of(transposes[0].permutation)
    back = make_transpose(new_op.results[0], permutation)
    back.location = transposes[0].location
    replace_op(rewriter, op, [*before, new_op, back])


class MergeEqualTransposes(RewritePattern):
    """Two equal transposes of one value → the first one."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: TransposeOp, rewriter: PatternRewriter) -> None:
        first = _transpose_before(op.input, tuple_of(op.permutation), op)
        if first is not None:
            replace_op(rewriter, op, [], [first.result])


def _transpose_before(
    value: SSAValue, permutation: Permutation, op: Operation
) -> TransposeOp | None:
    """A transpose of `value` by `permutation` that stands before `op`."""
    for use in value.uses:
        other = use.operation
        if not isinstance(other, TransposeOp) or other is op or other.parent is not op.parent:
            continue
        if tuple_of(other.permutation) == permutation and other.is_before_in_block(op):
            return other
    return None


# --- Elementwise ops ------------------------------------------------------------------------------


UNARY = (
    CastOp,
    ClipOp,
    CopyOp,
    DequantizeOp,
    IntGeluOp,
    IntHardswishOp,
    PadOp,
    QuantizeOp,
    SliceOp,
    UnaryOp,
)
"""Ops on one operand that may move in front of a transpose."""


class SinkThroughUnary(RewritePattern):
    """`clip(transpose(x))` → `transpose(clip(x))`, likewise all of `UNARY`."""

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        # with a vector along the last dimension, it must stay where it is
        if not isinstance(op, UNARY) or len(op.operands) != 1:
            return
        transpose = op.input.owner
        if not isinstance(transpose, TransposeOp):
            return
        back = inverse(tuple_of(transpose.permutation))
        properties = dict(op.properties)
        for key in ("low", "high", "starts", "steps"):
            values = properties.get(key)
            if isa(values, Ints):
                properties[key] = ints(_permuted(tuple_of(values), back))
        shape = _permuted(shape_of(op.result), back)
        new_op = type(op).create(
            operands=[transpose.input],
            properties=properties,
            result_types=[with_shape(op.result, shape)],
        )
        _sink(rewriter, op, [transpose], [], new_op)


class SinkThroughReduce(RewritePattern):
    """`reduce(transpose(x))` → `transpose(reduce(x))`, over the same dimensions of x."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ReduceOp, rewriter: PatternRewriter) -> None:
        transpose = op.input.owner
        if not isinstance(transpose, TransposeOp):
            return
        permutation = tuple_of(transpose.permutation)
        axes = sorted(permutation[axis] for axis in tuple_of(op.axes))
        shape = _permuted(shape_of(op.result), inverse(permutation))
        new_op = ReduceOp.create(
            operands=[transpose.input],
            properties={**op.properties, "axes": ints(axes)},
            result_types=[with_shape(op.result, shape)],
        )
        _sink(rewriter, op, [transpose], [], new_op)


@dataclass
class _Operand:
    """An operand as it is needed in front of a transpose, and the ops to get it there."""

    value: SSAValue
    ops: list[Operation]


def _complete(operands: Sequence[_Operand | None]) -> list[_Operand] | None:
    """The operands if none is missing; else ops that were made for the others are erased."""
    present = [operand for operand in operands if operand is not None]
    if len(present) == len(operands):
        return present
    for operand in present:
        for op in operand.ops:
            op.erase()
    return None


def _in_front(
    ctx: Context, value: SSAValue, transposes: Sequence[TransposeOp], op: Operation
) -> _Operand | None:
    """What `value`, an operand that broadcasts, is in front of the equal `transposes` that are
    about to move behind `op`.

    None if that would take a new transpose at run time.
    """
    permutation = tuple_of(transposes[0].permutation)
    owner = value.owner
    if isinstance(owner, TransposeOp) and tuple_of(owner.permutation) == permutation:
        return _Operand(owner.input, [])
    rank, back = len(permutation), inverse(permutation)
    shape = (1,) * (rank - len(shape_of(value))) + shape_of(value)
    array = constant_of(ctx, value)
    if array is not None:
        moved = array.reshape(shape).transpose(back)
        moved = moved.reshape(squeeze_leading(moved.shape))
        constant = changed_constant(ctx, value, moved)
        return _Operand(constant.result, [constant])
    if sum(extent != 1 for extent in shape) <= 1:
        reshape = make_reshape(value, squeeze_leading(_permuted(shape, back)))
        return _Operand(reshape.result, [reshape])
    known = _transpose_before(value, back, op) if len(shape_of(value)) == rank else None
    # `transposes` must go away, or this rewriting could be undone by the same pattern
    going = known not in transposes and all(t.result.has_one_use() for t in transposes)
    return _Operand(known.result, []) if known is not None and going else None


@dataclass
class SinkThroughRequant(RewritePattern):
    """`requant(transpose(x))` → `transpose(requant(x))`, with the factors transposed back."""

    ctx: Context

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: RequantOp, rewriter: PatternRewriter) -> None:
        transpose = op.input.owner
        if not isinstance(transpose, TransposeOp):
            return
        factors = _complete([_in_front(self.ctx, v, [transpose], op) for v in op.operands[1:]])
        if factors is None:
            return
        new_op = RequantOp.create(
            operands=[transpose.input, *(f.value for f in factors)],
            properties=op.properties,
            result_types=[with_shape(op.result, shape_of(transpose.input))],
        )
        _sink(rewriter, op, [transpose], [o for f in factors for o in f.ops], new_op)


@dataclass
class SinkThroughBinary(RewritePattern):
    """`add(transpose(x), transpose(y))` → `transpose(add(x, y))`, also where one operand is
    constant, broadcasts along all dimensions but one, or is known transposed already."""

    ctx: Context

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if not isinstance(op, BinaryOp):
            return
        shape = shape_of(op.results[0])
        transposes = [
            v.owner
            for v in (op.lhs, op.rhs)
            if isinstance(v.owner, TransposeOp) and len(shape_of(v)) == len(shape)
        ]
        if not transposes:
            return
        permutation = tuple_of(transposes[0].permutation)
        # the epilogue's channels are the last dimension, which must then stay the last one
        if len(op.operands) > 2 and permutation[-1] != len(shape) - 1:
            return
        operands = _complete([_in_front(self.ctx, v, transposes, op) for v in (op.lhs, op.rhs)])
        if operands is None:
            return
        lhs, rhs = operands
        new_op = type(op).create(
            operands=[lhs.value, rhs.value, *op.operands[2:]],
            properties=op.properties,
            result_types=[with_shape(op.results[0], _permuted(shape, inverse(permutation)))],
        )
        _sink(rewriter, op, transposes, [*lhs.ops, *rhs.ops], new_op)


@dataclass
class SinkThroughConcat(RewritePattern):
    """`concat(transpose(x), transpose(y))` → `transpose(concat(x, y))`; constants are permuted."""

    ctx: Context

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ConcatOp, rewriter: PatternRewriter) -> None:
        transposes = [v.owner for v in op.inputs if isinstance(v.owner, TransposeOp)]
        if not transposes:
            return
        permutation = tuple_of(transposes[0].permutation)
        inputs = _complete([self._input(v, transposes, op) for v in op.inputs])
        if inputs is None:
            return
        shape = _permuted(shape_of(op.result), inverse(permutation))
        new_op = ConcatOp.create(
            operands=[i.value for i in inputs],
            properties={"axis": IntegerAttr(permutation[op.axis.value.data], i64)},
            result_types=[with_shape(op.result, shape)],
        )
        _sink(rewriter, op, transposes, [o for i in inputs for o in i.ops], new_op)

    def _input(
        self, value: SSAValue, transposes: Sequence[TransposeOp], op: ConcatOp
    ) -> _Operand | None:
        permutation = tuple_of(transposes[0].permutation)
        array = constant_of(self.ctx, value)
        if array is None:
            operand = _in_front(self.ctx, value, transposes, op)
            # nothing broadcasts here, so the rank must be kept
            if operand is None or len(shape_of(operand.value)) == len(permutation):
                return operand
            _complete([operand, None])
            return None
        moved = array.transpose(inverse(permutation))
        constant = changed_constant(self.ctx, value, moved)
        return _Operand(constant.result, [constant])


# --- Reshapes and matrix products -----------------------------------------------------------------


class SinkThroughReshape(RewritePattern):
    """A reshape that only adds or removes dimensions of extent 1, behind a transpose."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ReshapeOp, rewriter: PatternRewriter) -> None:
        transpose = op.input.owner
        if not isinstance(transpose, TransposeOp):
            return
        before, after = shape_of(op.input), shape_of(op.result)
        if [e for e in before if e != 1] != [e for e in after if e != 1]:
            return
        permutation = tuple_of(transpose.permutation)
        extents = shape_of(transpose.input)
        # the dimensions that matter, in the order after and before the transpose
        moved = [p for p in permutation if extents[p] != 1]
        ordered = sorted(moved)
        places = [i for i, e in enumerate(after) if e != 1]
        shape, new_permutation = list(after), list(range(len(after)))
        for place, dim, source in zip(places, ordered, moved, strict=True):
            shape[place] = extents[dim]
            new_permutation[place] = places[ordered.index(source)]
        reshape = make_reshape(transpose.input, shape)
        reshape.location = op.location
        back = make_transpose(reshape.result, new_permutation)
        back.location = transpose.location
        replace_op(rewriter, op, [reshape, back])


class SinkReshapeBehindTranspose(RewritePattern):
    """`clip(reshape(transpose(x)))` → `reshape(clip(transpose(x)))`, likewise a requantisation by
    numbers, so that the flattening reaches the linear layer behind it."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ClipOp | RequantOp, rewriter: PatternRewriter) -> None:
        reshape = op.input.owner
        if not isinstance(reshape, ReshapeOp) or len(op.operands) != 1:
            return
        if not isinstance(reshape.input.owner, TransposeOp):
            return
        new_op = type(op).create(
            operands=[reshape.input],
            properties=op.properties,
            result_types=[with_shape(op.result, shape_of(reshape.input))],
        )
        back = make_reshape(new_op.results[0], shape_of(op.result))
        back.location = reshape.location
        replace_op(rewriter, op, [new_op, back])


@dataclass
class PermuteLinearWeights(RewritePattern):
    """`matmul(reshape(transpose(x)), constant)` → `matmul(reshape(x), constant)`, with the rows of
    the weights permuted, where the transpose permutes the columns of each row alike."""

    ctx: Context

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: MatmulOp, rewriter: PatternRewriter) -> None:
        reshape = op.lhs.owner
        if not isinstance(reshape, ReshapeOp):
            return
        transpose = reshape.input.owner
        weight = constant_of(self.ctx, op.rhs)
        if not isinstance(transpose, TransposeOp) or weight is None:
            return
        order = _column_order(transpose, shape_of(op.lhs))
        if order is None:
            return
        axis = weight.ndim - (1 if op.transpose_rhs else 2)
        permuted = weight.take(np.argsort(order), axis)
        flat = make_reshape(transpose.input, shape_of(op.lhs))
        flat.location = reshape.location
        constant = changed_constant(self.ctx, op.rhs, permuted)
        new_op = MatmulOp.create(
            operands=[flat.result, constant.result, *op.operands[2:]],
            properties=op.properties,
            result_types=[op.result.type],
        )
        replace_op(rewriter, op, [flat, constant, new_op])


def _column_order(transpose: TransposeOp, shape: Sequence[int]) -> np.ndarray | None:
    """For each column of `reshape(transpose(x))` the column of `reshape(x)` that it is.

    None if the transpose does more than permute the columns of each row alike.
    """
    extents, columns = shape_of(transpose.input), shape[-1]
    if 0 in extents:
        return None
    source = np.arange(np.prod(extents, dtype=np.int64)).reshape(extents)
    source = source.transpose(tuple_of(transpose.permutation)).reshape(-1, columns)
    order = source[0]
    rows = np.arange(len(source))[:, np.newaxis] * columns
    if order.max() >= columns or not np.array_equal(source, rows + order):
        return None
    return order


class TransposeIntoMatmul(RewritePattern):
    """`matmul(x, transpose(y))` → `matmul(x, y) {transpose_rhs}`, and the other way round.

    What else the transpose permutes stays a transpose, which keeps rows contiguous.
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: MatmulOp, rewriter: PatternRewriter) -> None:
        transpose = op.rhs.owner
        if not isinstance(transpose, TransposeOp):
            return
        *batch, rows, columns = tuple_of(transpose.permutation)
        others = [*batch, columns, rows]
        is_all = others == list(range(len(others)))
        if rows != len(batch) + 1 or not (is_all or transpose.result.has_one_use()):
            return
        rest = make_transpose(transpose.input, others)
        rest.location = transpose.location
        properties = dict(op.properties)
        if properties.pop("transpose_rhs", None) is None:
            properties["transpose_rhs"] = UnitAttr()
        new_op = MatmulOp.create(
            operands=[op.lhs, rest.result, *op.operands[2:]],
            properties=properties,
            result_types=[op.result.type],
        )
        replace_op(rewriter, op, [rest, new_op])


@dataclass(frozen=True)
class CancelTransposesPass(ModulePass):
    """Push transposes towards the outputs and cancel them with their inverses.

    Transposes move through elementwise ops, pads, slices, concatenations and reshapes, and into
    constants and matrix products. Those that move only dimensions of extent 1 become reshapes.
    """

    name = "cancel-transposes"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        patterns: list[RewritePattern] = [
            FoldConstantOperands(ctx),
            RemoveIdentity(),
            MergeTransposes(),
            MergeReshapes(),
            TransposeToReshape(),
            MergeEqualTransposes(),
            SinkThroughUnary(),
            SinkThroughReduce(),
            SinkThroughRequant(ctx),
            SinkThroughBinary(ctx),
            SinkThroughConcat(ctx),
            SinkThroughReshape(),
            SinkReshapeBehindTranspose(),
            PermuteLinearWeights(ctx),
            TransposeIntoMatmul(),
        ]
        rewrite_functions(op, patterns)
