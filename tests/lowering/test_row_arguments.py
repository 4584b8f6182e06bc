"""Dimensions in front of rows are merged where that leads through the same elements."""

from collections.abc import Sequence
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from deeploy.engines.cluster.walk import Walk


def offsets(extents: Sequence[int], strides: Sequence[int]) -> list[int]:
    """Where the elements of an operand lie, in order."""
    indices = product(*map(range, extents))
    return [sum(i * s for i, s in zip(index, strides, strict=True)) for index in indices]


@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(0, 1), st.integers(0, 1)), max_size=5),
)
def test_merged_dimensions_lead_through_the_same_elements(dims: list[tuple[int, int, int]]) -> None:
    extents = [extent for extent, *_ in dims]
    operands: list[list[int]] = []
    for gaps in ([gap for _, gap, _ in dims], [gap for *_, gap in dims]):
        strides, step = [0] * len(dims), 7
        for d in reversed(range(len(dims))):
            strides[d] = step + gaps[d]
            step = strides[d] * extents[d]
        operands.append(strides)
    walk = Walk.over(extents, operands)
    numbers = [extent for extent in walk.extents if isinstance(extent, int)]
    assert len(numbers) == len(walk.extents)
    for before, after in zip(operands, walk.strides, strict=True):
        assert offsets(numbers, after) == offsets(extents, before)
    if not any(gap for _, *gaps in dims for gap in gaps):
        assert len(numbers) <= 1
