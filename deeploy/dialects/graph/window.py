"""Ops that slide a window over an image: convolutions and pools.

Images have four dimensions: batch, channels, rows, columns as in ONNX, or with `channels_last`
batch, rows, columns, channels, which is what kernels compute on. One-dimensional layers have one
row.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TypeVar

from xdsl.dialects.builtin import I64, DenseArrayBase, IntegerAttr, TensorType, UnitAttr, i64
from xdsl.ir.affine import AffineExpr, AffineMap
from xdsl.irdl import (
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
)
from xdsl.utils.exceptions import VerifyException

from deeploy.dialects.graph.base import UNARY_FORMAT, GraphOp, Requantised, dimensions, tuple_of
from deeploy.interfaces.tiling import Iterator, shape_of

__all__ = [
    "AveragePoolOp",
    "ConvOp",
    "DepthwiseConvOp",
    "Im2colOp",
    "MaxPoolOp",
    "PoolOp",
    "WindowOp",
]

T = TypeVar("T")


class WindowOp(GraphOp):
    """Geometry of a window: strides, pads (top, left, bottom, right) and dilations."""

    input = operand_def(TensorType)
    strides = prop_def(DenseArrayBase.constr(i64))
    pads = prop_def(DenseArrayBase.constr(i64))
    dilations = prop_def(DenseArrayBase.constr(i64))
    channels_last = opt_prop_def(UnitAttr)

    @abstractmethod
    def window(self) -> tuple[int, int]:
        """Rows and columns of the window."""

    def image(self) -> tuple[int, int, int, int]:
        """The input as (batch, rows, columns, channels), whatever its layout."""
        shape = shape_of(self.input)
        if len(shape) != 4:
            raise VerifyException(f"'{self.name}' needs images of rank 4, not {len(shape)}")
        n, *rest = shape
        h, w, c = rest if self.channels_last else (*rest[1:], rest[0])
        return n, h, w, c

    def arrange(self, n: T, h: T, w: T, c: T) -> tuple[T, T, T, T]:
        """Put the dimensions of an image in the order of the layout."""
        return (n, h, w, c) if self.channels_last else (n, c, h, w)

    def output_rows_columns(self) -> tuple[int, int]:
        """Rows and columns of the output."""
        _, rows, columns, _ = self.image()
        top, left, bottom, right = tuple_of(self.pads)
        padded, window = (rows + top + bottom, columns + left + right), self.window()
        geometry = zip(
            padded, window, tuple_of(self.strides), tuple_of(self.dilations), strict=True
        )
        sizes = [(p - d * (k - 1) - 1) // s + 1 for p, k, s, d in geometry]
        if min(sizes) < 1:
            raise VerifyException(f"'{self.name}' has a window {window} larger than its input")
        return sizes[0], sizes[1]

    def output_channels(self) -> int:
        """The number of output channels."""
        return self.image()[3]

    def infer_shape(self) -> tuple[int, ...]:
        if (len(self.strides), len(self.pads), len(self.dilations)) != (2, 4, 2):
            raise VerifyException(f"'{self.name}' needs 2 strides, 4 pads and 2 dilations")
        if min(*tuple_of(self.strides), *tuple_of(self.dilations)) < 1:
            raise VerifyException(f"'{self.name}' needs strides and dilations of 1 or more")
        batch = self.image()[0]
        return self.arrange(batch, *self.output_rows_columns(), self.output_channels())

    def input_position(
        self, row: AffineExpr, column: AffineExpr, tap_row: AffineExpr, tap_column: AffineExpr
    ) -> tuple[AffineExpr, AffineExpr]:
        """Row and column of the input that a tap of the window reads for an output pixel."""
        (row_stride, column_stride) = tuple_of(self.strides)
        (row_dilation, column_dilation) = tuple_of(self.dilations)
        top, left, _, _ = tuple_of(self.pads)
        return (
            row * row_stride + tap_row * row_dilation + (-top),
            column * column_stride + tap_column * column_dilation + (-left),
        )


@irdl_op_definition
class ConvOp(WindowOp, Requantised):
    """Convolution with groups: weights `[out, in/groups, rows, columns]`, or with `channels_last`
    `[out, rows, columns, in/groups]`."""

    name = "graph.conv"
    input = operand_def(TensorType)
    weight = operand_def(TensorType)
    groups = prop_def(IntegerAttr[I64])
    assembly_format = (
        "$input `,` $weight (`mul` $mul^ `:` type($mul))? (`add` $add^ `:` type($add))? "
        "attr-dict `:` type($input) `,` type($weight) `->` type($result)"
    )

    def window(self) -> tuple[int, int]:
        shape = shape_of(self.weight)
        return (shape[1], shape[2]) if self.channels_last else (shape[2], shape[3])

    def output_channels(self) -> int:
        return shape_of(self.weight)[0]

    def group_shape(self) -> tuple[int, int, int]:
        """Groups, and output and input channels of one group."""
        groups = self.groups.value.data
        return groups, self.output_channels() // groups, self.image()[3] // groups

    def channels(self) -> int:
        return self.output_channels()

    def infer_shape(self) -> tuple[int, ...]:
        if len(shape_of(self.weight)) != 4:
            raise VerifyException("'graph.conv' needs weights of rank 4")
        if self.groups.value.data < 1:
            raise VerifyException("'graph.conv' needs 1 group or more")
        groups, out_channels, in_channels = self.group_shape()
        actual = shape_of(self.weight)[3 if self.channels_last else 1]
        if (
            out_channels * groups != self.output_channels()
            or in_channels * groups != (self.image()[3])
        ):
            raise VerifyException(f"'graph.conv' cannot divide its channels into {groups} groups")
        if actual != in_channels:
            raise VerifyException(
                f"'graph.conv' has weights for {actual} input channels per group, "
                f"but its input has {in_channels}"
            )
        return super().infer_shape()

    def iterators(self) -> tuple[Iterator, ...]:
        rows, columns = self.output_rows_columns()
        groups, out_channels, in_channels = self.group_shape()
        window_rows, window_columns = self.window()
        return (
            Iterator("n", self.image()[0]),
            Iterator("oh", rows),
            Iterator("ow", columns),
            Iterator("g", groups),
            # cutting inside several groups at once would leave holes in the channels
            Iterator("co", out_channels, tileable=groups == 1),
            Iterator("kh", window_rows, parallel=False),
            Iterator("kw", window_columns, parallel=False),
            Iterator("ci", in_channels, parallel=False),
        )

    def channel_map(self) -> AffineMap:
        _, out_channels, _ = self.group_shape()
        _, _, _, g, co, _, _, _ = dimensions(8)
        return AffineMap(8, 0, (g * out_channels + co,))

    def operand_maps(self) -> tuple[AffineMap, ...]:
        _, out_channels, in_channels = self.group_shape()
        n, h, w, g, co, kh, kw, ci = dimensions(8)
        image = self.arrange(n, *self.input_position(h, w, kh, kw), g * in_channels + ci)
        # weights are laid out as images are
        weight = self.arrange(g * out_channels + co, kh, kw, ci)
        return (AffineMap(8, 0, image), AffineMap(8, 0, weight), *self.epilogue_maps())

    def result_maps(self) -> tuple[AffineMap, ...]:
        _, out_channels, _ = self.group_shape()
        n, h, w, g, co, _, _, _ = dimensions(8)
        return (AffineMap(8, 0, self.arrange(n, h, w, g * out_channels + co)),)


@irdl_op_definition
class DepthwiseConvOp(WindowOp, Requantised):
    """Convolution of each channel by itself; images channels last, weights `[rows, columns,
    channels]`."""

    name = "graph.depthwise_conv"
    input = operand_def(TensorType)
    weight = operand_def(TensorType)
    assembly_format = ConvOp.assembly_format

    def window(self) -> tuple[int, int]:
        rows, columns, _ = shape_of(self.weight)
        return rows, columns

    def infer_shape(self) -> tuple[int, ...]:
        if not self.channels_last:
            raise VerifyException("'graph.depthwise_conv' needs 'channels_last'")
        if len(shape_of(self.weight)) != 3 or shape_of(self.weight)[2] != self.image()[3]:
            raise VerifyException("'graph.depthwise_conv' needs weights [rows, columns, channels]")
        return super().infer_shape()

    def iterators(self) -> tuple[Iterator, ...]:
        return pool_iterators(self)

    def channel_map(self) -> AffineMap:
        _, _, _, c, _, _ = dimensions(6)
        return AffineMap(6, 0, (c,))

    def operand_maps(self) -> tuple[AffineMap, ...]:
        _, _, _, c, kh, kw = dimensions(6)
        return (pool_input_map(self), AffineMap(6, 0, (kh, kw, c)), *self.epilogue_maps())

    def result_maps(self) -> tuple[AffineMap, ...]:
        return (pool_result_map(self),)


class KernelOp(WindowOp):
    """The window's size is an attribute."""

    kernel = prop_def(DenseArrayBase.constr(i64))
    assembly_format = UNARY_FORMAT

    def window(self) -> tuple[int, int]:
        rows, columns = tuple_of(self.kernel)
        return rows, columns


class PoolOp(KernelOp):
    """One value of each window of each channel."""

    def iterators(self) -> tuple[Iterator, ...]:
        return pool_iterators(self)

    def operand_maps(self) -> tuple[AffineMap, ...]:
        return (pool_input_map(self),)

    def result_maps(self) -> tuple[AffineMap, ...]:
        return (pool_result_map(self),)


@irdl_op_definition
class MaxPoolOp(PoolOp):
    """The largest value in each window; pads never win."""

    name = "graph.max_pool"


@irdl_op_definition
class AveragePoolOp(PoolOp):
    """The mean of each window; on integers half rounds up. Pads count only with
    `count_include_pad`."""

    name = "graph.average_pool"
    count_include_pad = opt_prop_def(UnitAttr)


@irdl_op_definition
class Im2colOp(KernelOp):
    """The windows of a channels-last image as vectors `[rows, columns, channels]`, so that a 1x1
    convolution of them is one of the window."""

    name = "graph.im2col"

    def output_channels(self) -> int:
        rows, columns = self.window()
        return rows * columns * self.image()[3]

    def infer_shape(self) -> tuple[int, ...]:
        if not self.channels_last:
            raise VerifyException("'graph.im2col' needs 'channels_last'")
        return super().infer_shape()

    def iterators(self) -> tuple[Iterator, ...]:
        batch, _, _, channels = self.image()
        rows, columns = self.output_rows_columns()
        window_rows, window_columns = self.window()
        return (
            Iterator("n", batch),
            Iterator("oh", rows),
            Iterator("ow", columns),
            # vectors are computed whole
            Iterator("kh", window_rows, tileable=False),
            Iterator("kw", window_columns, tileable=False),
            Iterator("c", channels, tileable=False),
        )

    def operand_maps(self) -> tuple[AffineMap, ...]:
        n, h, w, kh, kw, c = dimensions(6)
        return (AffineMap(6, 0, (n, *self.input_position(h, w, kh, kw), c)),)

    def result_maps(self) -> tuple[AffineMap, ...]:
        n, h, w, kh, kw, c = dimensions(6)
        _, window_columns = self.window()
        channels = self.image()[3]
        vector = kh * (window_columns * channels) + kw * channels + c
        return (AffineMap(6, 0, (n, h, w, vector)),)


def pool_iterators(op: WindowOp) -> tuple[Iterator, ...]:
    """Iterators of an op that keeps channels apart: n, oh, ow, c, kh, kw."""
    batch, _, _, channels = op.image()
    rows, columns = op.output_rows_columns()
    window_rows, window_columns = op.window()
    return (
        Iterator("n", batch),
        Iterator("oh", rows),
        Iterator("ow", columns),
        Iterator("c", channels),
        Iterator("kh", window_rows, parallel=False),
        Iterator("kw", window_columns, parallel=False),
    )


def pool_input_map(op: WindowOp) -> AffineMap:
    """The map of the input under `pool_iterators`."""
    n, h, w, c, kh, kw = dimensions(6)
    return AffineMap(6, 0, op.arrange(n, *op.input_position(h, w, kh, kw), c))


def pool_result_map(op: WindowOp) -> AffineMap:
    """The map of the result under `pool_iterators`."""
    n, h, w, c, _, _ = dimensions(6)
    return AffineMap(6, 0, op.arrange(n, h, w, c))
