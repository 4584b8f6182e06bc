"""Packing: blocks in use at the same time never overlap."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from planning_helpers import assert_apart, smallest_height

from deeploy.planner.packing import Block, pack, peak_demand


@st.composite
def blocks(draw: st.DrawFn, most: int) -> list[Block]:
    found: list[Block] = []
    for _ in range(draw(st.integers(0, most))):
        first = draw(st.integers(0, 6))
        found.append(Block(draw(st.integers(0, 40)), first, draw(st.integers(first, 7))))
    return found


@settings(max_examples=200, deadline=None)
@given(blocks(12), st.sampled_from([1, 4, 16]))
def test_blocks_are_apart_aligned_and_below_the_peak(found: list[Block], align: int) -> None:
    offsets, peak = pack(found, align)
    placed = list(zip(found, offsets, strict=True))
    assert_apart(placed, align)
    assert peak == max((o + b.size for b, o in placed), default=0)
    assert peak >= peak_demand(found)


@settings(max_examples=60, deadline=None)
@given(blocks(5), st.sampled_from([1, 4]))
def test_no_packing_beats_the_best_one(found: list[Block], align: int) -> None:
    best = smallest_height(found, align)
    assert peak_demand(found) <= best <= pack(found, align)[1]


def test_lifetimes_that_touch_overlap() -> None:
    assert Block(1, 0, 3).overlaps(Block(1, 3, 5))
    assert not Block(1, 0, 3).overlaps(Block(1, 4, 5))


def test_blocks_share_memory_over_time() -> None:
    offsets, peak = pack([Block(100, 0, 1), Block(60, 2, 3), Block(40, 2, 2)], 4)
    assert peak == 100
    assert offsets[0] == 0 and sorted(offsets[1:]) == [0, 60]
