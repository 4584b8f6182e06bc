"""Convolutions of the accelerator."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from deeploy.dialects.graph import tuple_of
from deeploy.dialects.npu import DEPTHWISE, ConvOp
from deeploy.engines.neureka.packing import unpack
from deeploy.interpreters.graph.arithmetic import exact_product, pad
from deeploy.interpreters.graph.registry import Overhangs, numpy_meaning
from deeploy.resources import Array


@numpy_meaning(ConvOp)
def npu_conv(op: ConvOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    image, packed = inputs[:2]
    mode, side = op.geometry(), op.geometry().window
    channels = image.shape[3]
    shape = (channels, side, side, 1)
    if mode is not DEPTHWISE:
        shape = (packed.shape[0], side, side, channels)
    unsigned = unpack(packed, mode, op.bits(), shape)
    weights = unsigned.astype(np.int64) + op.weight_offset.value.data
    windows = sliding_window_view(pad(image, overhangs[0]), (side, side), axis=(1, 2))
    row_stride, column_stride = tuple_of(op.strides)
    windows = windows[:, ::row_stride, ::column_stride]
    if mode is DEPTHWISE:
        return np.einsum("nhwcij,cij->nhwc", windows.astype(np.int64), weights[..., 0])
    columns = windows.reshape(*windows.shape[:3], -1)
    return exact_product(columns, weights.transpose(3, 1, 2, 0).reshape(-1, weights.shape[0]))
