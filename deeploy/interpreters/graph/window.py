"""Convolutions and pools."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from deeploy.dialects.graph import (
    AveragePoolOp,
    ConvOp,
    DepthwiseConvOp,
    Im2colOp,
    MaxPoolOp,
    WindowOp,
    tuple_of,
)
from deeploy.interfaces.tiling import Overhang
from deeploy.interpreters.graph.arithmetic import exact_product, pad, wide
from deeploy.interpreters.graph.registry import Overhangs, numpy_meaning
from deeploy.resources import Array


def _windows(
    op: WindowOp, kernel: Sequence[int], image: Array, overhang: Sequence[Overhang], value: Any = 0
) -> Array:
    """All windows of an image: `[batch, rows, columns, channels, window rows, window columns]`."""
    padded = pad(image, overhang, value)
    if not op.channels_last:
        padded = padded.transpose(0, 2, 3, 1)
    row_stride, column_stride = tuple_of(op.strides)
    row_dilation, column_dilation = tuple_of(op.dilations)
    span = (row_dilation * (kernel[0] - 1) + 1, column_dilation * (kernel[1] - 1) + 1)
    windows = sliding_window_view(padded, span, axis=(1, 2))
    return windows[:, ::row_stride, ::column_stride, :, ::row_dilation, ::column_dilation]


def _in_layout(op: WindowOp, image: Array) -> Array:
    """A channels-last image in the layout of `op`."""
    return image if op.channels_last else image.transpose(0, 3, 1, 2)


@numpy_meaning(ConvOp)
def conv(op: ConvOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    image, weight = inputs[:2]
    if op.channels_last:
        weight = weight.transpose(0, 3, 1, 2)
    out_channels, in_channels, *kernel = weight.shape
    windows = _windows(op, kernel, image, overhangs[0])
    n, h, w, channels = windows.shape[:4]
    groups = channels // in_channels
    columns = windows.reshape(n * h * w, groups, -1).transpose(1, 0, 2)
    rows = weight.reshape(groups, out_channels // groups, -1).transpose(0, 2, 1)
    product = exact_product(columns, rows).transpose(1, 0, 2)
    return _in_layout(op, product.reshape(n, h, w, out_channels))


@numpy_meaning(Im2colOp)
def im2col(op: Im2colOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    windows = _windows(op, op.window(), inputs[0], overhangs[0]).transpose(0, 1, 2, 4, 5, 3)
    return windows.reshape(*windows.shape[:3], -1)


@numpy_meaning(DepthwiseConvOp)
def depthwise_conv(op: DepthwiseConvOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    image, weight = inputs[:2]
    windows = _windows(op, weight.shape[:2], wide(image), overhangs[0])
    weight = wide(weight)
    result = np.zeros(windows.shape[:4], windows.dtype)
    # tap by tap: contiguous channels are faster than a sum over two strided dimensions
    for row, column in np.ndindex(*weight.shape[:2]):
        result += windows[..., row, column] * weight[row, column]
    return result


@numpy_meaning(MaxPoolOp)
def max_pool(op: MaxPoolOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    (image,) = inputs
    lowest = -np.inf if image.dtype.kind == "f" else np.iinfo(image.dtype).min
    windows = _windows(op, tuple_of(op.kernel), image, overhangs[0], lowest)
    return _in_layout(op, windows.max(axis=(4, 5)))


@numpy_meaning(AveragePoolOp)
def average_pool(op: AveragePoolOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    (image,) = inputs
    kernel = tuple_of(op.kernel)
    total = _windows(op, kernel, wide(image), overhangs[0]).sum(axis=(4, 5))
    count: Array | int = kernel[0] * kernel[1]
    if op.count_include_pad is None:
        inside = np.ones(image.shape, np.int64)
        count = _windows(op, kernel, inside, overhangs[0]).sum(axis=(4, 5))
    if total.dtype.kind == "f":
        return _in_layout(op, total / count)
    return _in_layout(op, (2 * total + count) // (2 * count))
