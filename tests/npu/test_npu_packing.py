"""The layout of weights, bit by bit."""

from __future__ import annotations

import numpy as np
import pytest

from deeploy.dialects.npu import DENSE, DEPTHWISE, MODES, POINTWISE, Mode
from deeploy.engines.neureka.packing import pack, unpack
from deeploy.resources import Array

SHAPES = {
    POINTWISE: [(1, 1, 1, 1), (5, 1, 1, 32), (3, 1, 1, 33), (40, 1, 1, 70)],
    DENSE: [(1, 3, 3, 1), (4, 3, 3, 28), (33, 3, 3, 29), (2, 3, 3, 60)],
    DEPTHWISE: [(1, 3, 3, 1), (28, 3, 3, 1), (29, 3, 3, 1), (70, 3, 3, 1)],
}


def bit(packed: Array, number: int) -> int:
    return int(packed.ravel()[number // 8] >> (number % 8)) & 1


def position(mode: Mode, shape: tuple[int, ...], bits: int, index: tuple[int, ...], b: int) -> int:
    """The number of the bit that holds bit b of a weight."""
    o, row, column, i = index
    tap = row * 3 + column
    if mode is POINTWISE:
        groups = -(-shape[3] // 32)
        return ((o * groups + i // 32) * 8 + i % 32 // 4) * 32 + b * 4 + i % 4
    if mode is DEPTHWISE:
        return (o // 28 * bits + b) * 256 + tap * 28 + o % 28
    groups = -(-shape[3] // 28)
    return ((o * groups + i // 28) * bits + b) * 256 + tap * 28 + i % 28


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
@pytest.mark.parametrize("bits", range(2, 9))
def test_bits_are_where_the_accelerator_reads_them(mode: Mode, bits: int) -> None:
    rng = np.random.default_rng(bits)
    for shape in SHAPES[mode]:
        weights = rng.integers(0, 1 << bits, shape)
        packed = pack(weights, mode, bits)
        inputs = shape[0] if mode is DEPTHWISE else shape[3]
        assert packed.shape == mode.packed_shape(shape[0], inputs, bits)
        assert packed.dtype == np.uint8
        for index in np.ndindex(*shape):
            for b in range(bits):
                where = position(mode, shape, bits, index, b)
                assert bit(packed, where) == weights[index] >> b & 1
        # what is not a weight is zero
        assert np.unpackbits(packed).sum() == sum(int(w).bit_count() for w in weights.ravel())
        np.testing.assert_array_equal(unpack(packed, mode, bits, shape), weights)


def test_bytes_of_layers() -> None:
    assert POINTWISE.packed_shape(64, 64, 4) == (64, 64)
    assert DENSE.packed_shape(16, 30, 4) == (16, 256)
    assert DEPTHWISE.packed_shape(64, 64, 8) == (3, 256)
