"""Convolutions of the accelerator."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from deeploy.dialects.graph import tuple_of
from deeploy.dialects.npu import DEPTHWISE, ConvOp
from deeploy.engines.neureka.packing import unpack
from deeploy.interfaces.tiling import Overhang
from deeploy.interpreters.graph.arithmetic import exact_product, pad
from deeploy.interpreters.graph.registry import Overhangs, numpy_meaning
from deeploy.resources import Array


@numpy_meaning(ConvOp)
def npu_conv(op: ConvOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    image, packed = inputs[:2]
    missing = 4 - image.ndim
    # the last group of channels may be smaller than the others
    sides = [*[Overhang(0, 0)] * missing, *overhangs[0][:-1], Overhang(0, 0)]
    sums = convolve(op, pad(image.reshape((1,) * missing + image.shape), sides), packed)
    sums = sums.reshape(sums.shape[missing:])
    return sums if op.sums is None else sums + inputs[2]


def convolve(op: ConvOp, padded: Array, packed: Array) -> Array:
    """Sums of products over windows of an image of rank 4."""
    mode, side, channels = op.geometry(), op.geometry().window, padded.shape[3]
    shape = (channels, side, side, 1)
    if mode is not DEPTHWISE:
        shape = (packed.shape[0], side, side, channels)
    weights = unpack(packed, mode, op.bits(), shape).astype(np.int64)
    weights += op.weight_offset.value.data
    row_stride, column_stride = tuple_of(op.strides)
    windows = sliding_window_view(padded, (side, side), axis=(1, 2))
    windows = windows[:, ::row_stride, ::column_stride]
    if mode is DEPTHWISE:
        return np.einsum("nhwcij,cij->nhwc", windows.astype(np.int64), weights[..., 0])
    columns = windows.reshape(*windows.shape[:3], -1)
    return exact_product(columns, weights.transpose(3, 1, 2, 0).reshape(-1, weights.shape[0]))
