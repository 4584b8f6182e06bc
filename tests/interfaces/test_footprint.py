"""Tiles of nests: the symbolic ones, those on plain integers, and the buffers made for them."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lowering_helpers import HOST, KINDS, Writer, draw_network, draw_tiles, nests_in, nests_on
from xdsl.builder import Builder
from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import IndexType, ModuleOp
from xdsl.ir import Block, Region
from xdsl.rewriter import InsertPoint

from deeploy.dialects.graph import ints
from deeploy.dialects.tiled import NestOp
from deeploy.interfaces.footprint import Span, nest_tiles, op_tile, whole
from deeploy.interfaces.index import Index, IndexBuilder
from deeploy.interfaces.tiling import Range, operand_tiles, result_tiles, shape_of
from deeploy.interpreters import make_interpreter
from deeploy.interpreters.tiled import boxes, known
from deeploy.planner.layout import NestLayout

COMMON = settings(deadline=None, suppress_health_check=list(HealthCheck))
NESTS = [kind for kind in KINDS if kind is not Writer.reshape]


def draw_nest(data: st.DataObject, kind) -> NestOp:
    _, module = nests_on(draw_network(data.draw, ops=1, first=kind), HOST)
    (nest,) = nests_in(module)
    # the module owns the nest, and has to live as long
    nest.module = module  # pyright: ignore
    draw_tiles(data.draw, nest, most=60)
    return nest


def draw_box(data: st.DataObject, nest: NestOp) -> list[Range]:
    box = []
    for it in nest.iterators():
        start, size = 0, it.extent
        if it.parallel and it.tileable:
            start = data.draw(st.integers(0, it.extent - 1))
            size = data.draw(st.integers(1, it.extent - start))
        box.append(Range(start, size))
    return box


@pytest.mark.parametrize("kind", NESTS, ids=lambda k: k.__name__)
@settings(COMMON, max_examples=12)
@given(data=st.data())
def test_both_ways_to_cut_agree(kind, data: st.DataObject) -> None:
    """`op_tile` with symbolic starts, and `operand_tiles` on integers."""
    nest = draw_nest(data, kind)
    op, box = nest.root(), draw_box(data, nest)
    block = Block(arg_types=[IndexType()] * len(box))
    b = IndexBuilder(Builder(InsertPoint.at_end(block)))
    # the start may be anything that keeps the box inside the domain
    spans = [
        Span(Index(arg, 0, it.extent - r.size), Index.of(r.size))
        for arg, it, r in zip(block.args, op.iterators(), box, strict=True)
    ]
    tile = op_tile(op, spans, b)
    wanted: list[Index] = []
    for operand, overhangs in zip(tile.operands, tile.overhangs, strict=True):
        for span, sides in zip(operand, overhangs, strict=True):
            wanted += [span.start, span.size, *sides]
    for result in tile.results:
        for span in result:
            wanted += [span.start, span.size]
    numbers = evaluate(block, b, wanted, [r.start for r in box])
    expected: list[int] = []
    for ranges, overhangs in operand_tiles(op, box):
        for r, overhang in zip(ranges, overhangs, strict=True):
            expected += [*r, *overhang]
    for ranges in result_tiles(op, box):
        for r in ranges:
            expected += [*r]
    assert numbers == expected
    for index, number in zip(wanted, numbers, strict=True):
        assert index.low <= number <= index.high


def evaluate(block: Block, b: IndexBuilder, wanted: list[Index], arguments: list[int]) -> list[int]:
    """Run a block of index arithmetic."""
    block.add_op(func.ReturnOp(*[b.value(index) for index in wanted]))
    types = ([IndexType()] * len(arguments), [IndexType()] * len(wanted))
    function = func.FuncOp("f", types, Region(block))
    module = ModuleOp([function])
    return list(make_interpreter(Context(), module).call_op(function, tuple(arguments)))


@pytest.mark.parametrize("kind", NESTS, ids=lambda k: k.__name__)
@settings(COMMON, max_examples=12)
@given(data=st.data())
def test_buffers_are_as_large_as_the_largest_tile(kind, data: st.DataObject) -> None:
    nest = draw_nest(data, kind)
    root = nest.root()
    bound = NestLayout(nest, HOST).extents
    largest: dict = {}
    for [box] in boxes(nest):
        tile = nest_tiles(nest, box, IndexBuilder())[root]
        values = [*root.operands, *root.results]
        for value, spans in zip(values, (*tile.operands, *tile.results), strict=True):
            sizes = [known(span.size) for span in spans]
            before = largest.setdefault(value, sizes)
            largest[value] = [max(a, b) for a, b in zip(before, sizes, strict=True)]
    for value, sizes in largest.items():
        assert all(a <= b for a, b in zip(sizes, bound[value], strict=True))
        assert all(b <= e for b, e in zip(bound[value], shape_of(value), strict=True))
        if value not in root.operands[:1] or kind not in PADDED:
            assert tuple(sizes) == bound[value]


PADDED = (Writer.conv, Writer.depthwise, Writer.pool, Writer.pad)
"""Kinds of which every tile may lie at a border, so that none is as large as the bound."""

INSIDE = """func.func @network(%x: tensor<1x20x20x8xsi8>) -> tensor<1x20x20x8xsi8> {
  %w = graph.constant dense<1> : tensor<3x3x8xsi8>
  %0 = graph.depthwise_conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>,
    dilations = array<i64: 1, 1>, channels_last,
    requant = #graph.requant<mul = 1, add = 0, shift = 0, min = -128, max = 127>}
    : tensor<1x20x20x8xsi8>, tensor<3x3x8xsi8> -> tensor<1x20x20x8xsi8>
  func.return %0 : tensor<1x20x20x8xsi8>
}"""


@pytest.mark.parametrize("size", [1, 2, 3, 6, 7])
def test_the_bound_is_attained_inside_an_image(size: int) -> None:
    _, module = nests_on(INSIDE, HOST)
    (nest,) = nests_in(module)
    nest.tile, nest.order = ints((1, size, size, 8, 3, 3)), ints((1, 2))
    layout = NestLayout(nest, HOST)
    bound = layout.extents[nest.root().operands[0]]
    assert bound == (1, size + 2, size + 2, 8)
    starts = range(0, 20 - size + 1, size)
    sizes = set()
    for row, column in product(starts, starts):
        box = [
            Span(Index.of(start), Index.of(extent))
            for start, extent in ((0, 1), (row, size), (column, size), (0, 8), (0, 3), (0, 3))
        ]
        tile = nest_tiles(nest, box, IndexBuilder())[nest.root()]
        sizes.add(tuple(known(span.size) for span in tile.operands[0]))
    assert bound in sizes
    assert all(a <= b for found in sizes for a, b in zip(found, bound, strict=True))


def test_the_whole_tensor_needs_no_cutting() -> None:
    _, module = nests_on(INSIDE, HOST)
    (nest,) = nests_in(module)
    tile = nest_tiles(nest, whole([it.extent for it in nest.iterators()]), IndexBuilder())
    (found,) = tile.values()
    assert [known(s.size) for s in found.operands[0]] == [1, 20, 20, 8]
    assert [(known(a), known(b)) for a, b in found.overhangs[0]] == [(0, 0), (1, 1), (1, 1), (0, 0)]
