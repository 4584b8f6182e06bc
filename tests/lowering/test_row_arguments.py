"""Dimensions in front of rows are merged where that leads through the same elements."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from deeploy.engines.cluster.common import merged


def offsets(extents: list[int], strides: list[int]) -> list[int]:
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
    found, found_strides = merged(extents, *operands)
    numbers = [extent for extent in found if isinstance(extent, int)]
    assert len(numbers) == len(found)
    for before, after in zip(operands, found_strides, strict=True):
        assert offsets(numbers, after) == offsets(extents, before)
    if not any(gap for _, *gaps in dims for gap in gaps):
        assert len(found) <= 1


def test_extents_that_differ_at_the_border() -> None:
    assert merged(["n", 3], [27, 9], [27, 9]) == (["(n) * 3"], [[9], [9]])
    assert merged([2, "n"], [27, 9], [27, 9]) == ([2, "n"], [[27, 9], [27, 9]])
