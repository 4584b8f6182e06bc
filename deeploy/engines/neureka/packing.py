"""The layout of weights in the memories of N-EUREKA: bit by bit, in rows of 256 bits.

Source: the memory layout of the public HAL (pulp-platform/pulp-nnx, neureka). Bits and bytes are
little-endian. With `o` output channels, groups `i` of 28 (1x1: 32) input channels, bits `b` and
lanes `l` inside a group:

- 3x3: `[o, i, b, tap 0..8, l]`, the 252 bits of the last two padded to 256;
- 3x3 depthwise: the same with one `o`, and groups of channels as `i`;
- 1x1: `[o, i, l / 4, b, l % 4]`, always padded to 8 bits.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deeploy.dialects.npu import DEPTHWISE, POINTWISE, ROW_BYTES, Mode
from deeploy.resources import Array

ROW_BITS = 8 * ROW_BYTES
LANES = 4
"""Channels that lie next to each other in 1x1 weights."""


def pack(weights: Array, mode: Mode, bits: int) -> Array:
    """Pack weights as the accelerator reads them.

    Args:
        weights: `[co, kh, kw, ci]` with values from 0 to `2**bits - 1`; depthwise has `ci` = 1.
        mode: how the accelerator computes with them.
        bits: 2 to 8.

    Returns:
        uint8 of the shape `mode.packed_shape(co, ci, bits)`: a row for each output channel, or
        for each 28 channels of a depthwise convolution.
    """
    assert weights.min() >= 0 and weights.max() < 1 << bits
    outputs, side, _, inputs = weights.shape
    assert side == mode.window
    if mode is DEPTHWISE:
        weights, inputs = weights.transpose(3, 1, 2, 0), outputs
    groups = mode.steps(inputs)
    room = groups * mode.channels - inputs
    padded = np.pad(weights.astype(np.uint8), ((0, 0), (0, 0), (0, 0), (0, room)))
    taps = padded.reshape(-1, side * side, groups, mode.channels)
    # [o, tap, i, l, b]
    planes = np.unpackbits(taps[..., None], axis=-1, bitorder="little")
    if mode is POINTWISE:
        lanes = planes.reshape(outputs, groups, mode.channels // LANES, LANES, 8)
        rows = lanes.transpose(0, 1, 2, 4, 3)
    else:
        rows = planes[..., :bits].transpose(0, 2, 4, 1, 3).reshape(-1, side * side * mode.channels)
        rows = np.pad(rows, ((0, 0), (0, ROW_BITS - rows.shape[-1])))
    packed = np.packbits(rows.reshape(-1, 8), axis=-1, bitorder="little")
    shape = mode.packed_shape(outputs, outputs if mode is DEPTHWISE else inputs, bits)
    return packed.reshape(shape)


def unpack(packed: Array, mode: Mode, bits: int, shape: Sequence[int]) -> Array:
    """The opposite of `pack`: unsigned weights as uint8 of shape `[co, kh, kw, ci]`."""
    outputs, side, _, inputs = shape
    across = outputs if mode is DEPTHWISE else inputs
    groups = mode.steps(across)
    rows = np.unpackbits(packed.reshape(-1, ROW_BYTES), axis=-1, bitorder="little")
    if mode is POINTWISE:
        lanes = rows.reshape(outputs, 1, groups, mode.channels // LANES, 8, LANES)
        planes = lanes.transpose(0, 1, 2, 3, 5, 4)[..., :bits]
    else:
        bits_used = side * side * mode.channels
        planes = rows[:, :bits_used].reshape(-1, groups, bits, side * side, mode.channels)
        planes = planes.transpose(0, 3, 1, 4, 2)
    weights = np.packbits(planes, axis=-1, bitorder="little")
    weights = weights.reshape(-1, side, side, groups * mode.channels)[..., :across]
    return weights.transpose(3, 1, 2, 0) if mode is DEPTHWISE else weights
