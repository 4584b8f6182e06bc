"""`convert-to-channels-last`: images as kernels want them, with transposes around each op."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, UnitAttr
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from deeploy.diagnostics import replace_op
from deeploy.dialects.graph import (
    AveragePoolOp,
    ConvOp,
    DepthwiseConvOp,
    MaxPoolOp,
    WindowOp,
    element_type,
)
from deeploy.interfaces.tiling import shape_of
from deeploy.passes.graph.rewriting import (
    changed_constant,
    constant_of,
    make_reshape,
    make_transpose,
    rewrite_functions,
    tensor,
)

TO_CHANNELS_LAST = (0, 2, 3, 1)
TO_CHANNELS_FIRST = (0, 3, 1, 2)


def _permute(ctx: Context, value: SSAValue, permutation: tuple[int, ...]) -> Operation:
    """A transpose of `value`, done at compile time if it is constant."""
    array = constant_of(ctx, value)
    if array is None:
        return make_transpose(value, permutation)
    return changed_constant(ctx, value, np.transpose(array, permutation))


def _rebuild(op: WindowOp, image: SSAValue, *rest: SSAValue) -> WindowOp:
    """`op` on a channels-last image."""
    shape = shape_of(op.results[0])
    return type(op).create(
        operands=[image, *rest],
        properties={**op.properties, "channels_last": UnitAttr()},
        result_types=[tensor([shape[p] for p in TO_CHANNELS_LAST], element_type(op.results[0]))],
    )


def _between_transposes(
    rewriter: PatternRewriter, op: WindowOp, image: Operation, *middle: Operation
) -> None:
    """Replace `op` by the last op of `middle`, which works on the transposed `image`."""
    back = make_transpose(middle[-1].results[0], TO_CHANNELS_FIRST)
    replace_op(rewriter, op, [image, *middle, back])


@dataclass
class ConvertPool(RewritePattern):
    """A pool on channels-first images."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: MaxPoolOp | AveragePoolOp, rewriter: PatternRewriter) -> None:
        if op.channels_last is not None:
            return
        image = make_transpose(op.input, TO_CHANNELS_LAST)
        _between_transposes(rewriter, op, image, _rebuild(op, image.result))


@dataclass
class ConvertConv(RewritePattern):
    """A convolution on channels-first images; weights `[out, in, h, w]` → `[out, h, w, in]`."""

    ctx: Context

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ConvOp, rewriter: PatternRewriter) -> None:
        if op.channels_last is not None:
            return
        image = make_transpose(op.input, TO_CHANNELS_LAST)
        weight = _permute(self.ctx, op.weight, TO_CHANNELS_LAST)
        conv = _rebuild(op, image.result, weight.results[0], *op.operands[2:])
        _between_transposes(rewriter, op, image, weight, conv)


@dataclass
class ConvToDepthwise(RewritePattern):
    """A convolution of each channel by itself: weights `[c, h, w, 1]` → `[h, w, c]`."""

    ctx: Context

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ConvOp, rewriter: PatternRewriter) -> None:
        groups, out_channels, in_channels = op.group_shape()
        if op.channels_last is None or groups == 1 or (out_channels, in_channels) != (1, 1):
            return
        weight = self._weight(op)
        conv = DepthwiseConvOp.create(
            operands=[op.input, weight[-1].results[0], *op.operands[2:]],
            properties={k: v for k, v in op.properties.items() if k != "groups"},
            result_types=[op.result.type],
        )
        replace_op(rewriter, op, [*weight, conv])

    def _weight(self, op: ConvOp) -> list[Operation]:
        channels, rows, columns, _ = shape_of(op.weight)
        array = constant_of(self.ctx, op.weight)
        if array is None:
            flat = make_reshape(op.weight, (channels, rows, columns))
            return [flat, make_transpose(flat.result, (1, 2, 0))]
        permuted = array.reshape(channels, rows, columns).transpose(1, 2, 0)
        return [changed_constant(self.ctx, op.weight, permuted)]


@dataclass(frozen=True)
class ConvertToChannelsLastPass(ModulePass):
    """Make convolutions and pools work on channels-last images, between transposes.

    Weights are permuted at compile time. A convolution with as many groups as channels becomes
    `graph.depthwise_conv`. `cancel-transposes` then removes the transposes between neighbours.
    """

    name = "convert-to-channels-last"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite_functions(op, [ConvertPool(), ConvertConv(ctx), ConvToDepthwise(ctx)])
