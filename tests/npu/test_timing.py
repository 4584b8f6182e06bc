"""Cycles: against the published numbers, and against a walk through the states of the model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deeploy.dialects.npu import DENSE, DEPTHWISE, MODES, POINTWISE
from deeploy.engines.neureka.grids import pixel_grids
from deeploy.engines.neureka.timing import DISPATCH_CYCLES, Format, job_cycles, tile_cycles

LINEAR = Format(POINTWISE, inputs=64, bits=8, scale_bits=8)


def test_tokens_as_pixels() -> None:
    """The public simulator's cycles of 64 tokens, 64 inputs and 256 outputs."""
    assert job_cycles(LINEAR, 6, 11, 256) == 3049
    assert job_cycles(LINEAR, 4, 16, 256) == 4113


def test_one_token_of_a_language_model() -> None:
    """The published bound of 41.8 k cycles for 524,288 weights in 1x1 jobs: eight layers with four
    products of 64 x 64, two of 64 x 256 and one of 256 x 64."""
    wide = replace(LINEAR, inputs=256)
    square, up, down = (
        job_cycles(LINEAR, 1, 1, 64),
        job_cycles(LINEAR, 1, 1, 256),
        job_cycles(wide, 1, 1, 64),
    )
    assert 8 * (4 * square + 2 * up + down) == 41768


def test_by_hand() -> None:
    # load 6 + 42, start 3, 32 rows and 10, normalise 8 + 21, store 36 + 3, end 1
    assert job_cycles(replace(LINEAR, inputs=32), 6, 6, 32) == 48 + 3 + 42 + 29 + 39 + 1
    # two steps load 6 + 64 and start 6; the first one's 6 + 32 * 2 + 8 rows hide behind 3 + 64
    dense = Format(DENSE, inputs=56, bits=2, scale_bits=32)
    assert job_cycles(dense, 6, 6, 32) == 2 * 76 + (78 - 67) + 72 + (32 + 21) + 36 + 1
    # 28 channels of 8 bits, one pixel: load 6 + 9, start 34
    depthwise = Format(DEPTHWISE, inputs=28, bits=8, scale_bits=None, output_bits=32)
    assert job_cycles(depthwise, 1, 1, 28) == 15 + 34 + 28 * 8 + 4 + 1


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
@settings(max_examples=100, deadline=None, derandomize=True)
@given(data=st.data())
def test_walk(mode, data: st.DataObject) -> None:
    """The closed form is the sum over all subtiles and steps, one after the other."""
    format = Format(
        mode,
        data.draw(st.integers(1, 80)),
        data.draw(st.integers(2, 8)),
        data.draw(st.sampled_from([8, 32, None])),
        data.draw(st.sampled_from([8, 32])),
        data.draw(st.booleans()),
    )
    rows, columns, outputs = (data.draw(st.integers(1, n)) for n in (20, 20, 90))
    size = 28 if mode is DEPTHWISE else 32
    cycles = 0
    for k in range(0, outputs, size):
        channels = min(size, outputs - k)
        multiply = channels if mode is POINTWISE else channels * format.bits
        start = {"pointwise": 3, "dense": 6, "depthwise": 34}[mode.name]
        tail = 8 if mode is DENSE else 0
        running = 0
        for i in range(0, rows, 6):
            for j in range(0, columns, 6):
                height, width = min(6, rows - i), min(6, columns - j)
                last = i + 6 >= rows and j + 6 >= columns
                steps = 1 if mode is DEPTHWISE else -(-format.inputs // mode.channels)
                for step in range(steps):
                    pixels = 42 if mode is POINTWISE else (height + 2) * (width + 2)
                    cycles += 6 + pixels + max(0, running - (3 + pixels)) + start
                    if last and step == steps - 1:
                        cycles += multiply + (10 if mode is POINTWISE else tail)
                    elif format.weights_in_l1:
                        cycles += multiply + tail
                    else:
                        running = start + multiply + tail
                if format.scale_bits:
                    cycles += (channels if format.scale_bits == 32 else -(-channels // 4)) + 21
                stored = (height - 1) * 6 + width
                cycles += stored * (1 if format.output_bits == 8 else -(-channels // 8))
                cycles += 3 if mode is POINTWISE else 0
    assert job_cycles(format, rows, columns, outputs) == cycles + 1


def test_arrays_at_once() -> None:
    sizes = np.arange(1, 15)
    rows, columns, outputs = sizes[:, None, None], sizes[:, None], np.array([3, 32, 70])
    many = tile_cycles(LINEAR, rows, columns, outputs, flat=True)
    assert isinstance(many, np.ndarray)
    for r, c, k in ((1, 1, 3), (7, 9, 32), (14, 13, 70)):
        one = tile_cycles(LINEAR, r, c, k, flat=True)
        assert many[r - 1, c - 1, [3, 32, 70].index(k)] == one


def test_grids_cover_all_pixels() -> None:
    for rows, columns in [(1, m) for m in range(1, 200)] + [(7, 7), (25, 5), (48, 48), (9, 3)]:
        covered = set()
        for grid in pixel_grids(rows, columns):
            for row in range(grid.rows):
                first = grid.first + row * grid.pitch
                covered |= set(range(first, first + grid.columns))
        assert covered == set(range(rows * columns))


def test_grids_save_subtiles() -> None:
    counts = {
        m: sum(grid.subtiles for grid in pixel_grids(*m))
        for m in [(1, 1), (1, 36), (1, 64), (1, 128), (7, 7), (25, 5), (12, 12)]
    }
    assert list(counts.values()) == [1, 1, 2, 4, 2, 4, 4]
    # two jobs of 36 tokens, of which eight are computed twice, instead of three subtiles in one
    format = LINEAR
    assert tile_cycles(format, 1, 64, 256, flat=True) == DISPATCH_CYCLES + 2 * job_cycles(
        format, 6, 6, 256
    )
