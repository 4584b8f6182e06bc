"""A tile of the result, computed from the tiles of the operands, is a part of the whole result.

This checks iterators, maps, footprints and overhangs of every op as much as its meaning.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from graph_helpers import parse_op, random_arrays
from graph_ops import FUNCTIONS_OF_ELEMENTS, OPS, ROWS
from hypothesis import given, settings
from hypothesis import strategies as st

from deeploy.dialects.graph import GraphOp
from deeploy.interfaces.tiling import (
    Iterator,
    Range,
    operand_tiles,
    result_tiles,
)
from deeploy.interpreters.graph import evaluate, evaluate_whole
from deeploy.resources import Array


def cut(array: Array, ranges: Sequence[Range]) -> Array:
    return array[tuple(slice(r.start, r.start + r.size) for r in ranges)]


def box_range(data: st.DataObject, iterator: Iterator) -> Range:
    if not iterator.parallel or not iterator.tileable:
        return Range(0, iterator.extent)
    start = data.draw(st.integers(0, iterator.extent - 1), iterator.name)
    return Range(start, data.draw(st.integers(1, iterator.extent - start), iterator.name))


ALL = OPS | ROWS | FUNCTIONS_OF_ELEMENTS


@pytest.mark.parametrize("name", ALL)
def test_tiles(name: str) -> None:
    op = parse_op(ALL[name])
    assert isinstance(op, GraphOp)
    inputs = random_arrays(np.random.default_rng(0), op.operands)
    whole = evaluate_whole(op, inputs)

    @settings(max_examples=40, deadline=None, derandomize=True)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        box = [box_range(data, iterator) for iterator in op.iterators()]
        tiles = operand_tiles(op, box)
        parts = [cut(x, ranges) for x, (ranges, _) in zip(inputs, tiles, strict=True)]
        actual = evaluate(op, parts, [overhangs for _, overhangs in tiles])
        (expected,) = (cut(whole, ranges) for ranges in result_tiles(op, box))
        np.testing.assert_allclose(actual, expected, rtol=1e-6 if "float" in name else 0)

    check()
