"""Tiles of all values of a nest, from a box of its iteration domain.

From the last op backwards: the box of an op gives the footprints of its operands; the footprint of
a value that another op of the nest computes gives the box of that op.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.ir import SSAValue
from xdsl.ir.affine import AffineMap

from deeploy.dialects.graph import GraphOp
from deeploy.dialects.tiled import NestOp
from deeploy.interfaces.index import Index, IndexBuilder
from deeploy.interfaces.tiling import Iterator, LinearForm, Range, linear_forms, shape_of


@dataclass(frozen=True)
class Span:
    """A range of one iterator or dimension."""

    start: Index
    size: Index


ORIGIN = Index.of(0)
"""The position of what has no run-time extents: it does not matter."""


@dataclass(frozen=True)
class OpTile:
    """The tiles of one op: operands, results, and the overhang (low, high) of each operand dim."""

    operands: tuple[tuple[Span, ...], ...]
    overhangs: tuple[tuple[tuple[Index, Index], ...], ...]
    results: tuple[tuple[Span, ...], ...]


def whole(shape: Sequence[int]) -> tuple[Span, ...]:
    """The tile that is the whole tensor."""
    return tuple(Span(Index.of(0), Index.of(extent)) for extent in shape)


def nest_tiles(
    nest: NestOp, box: Sequence[Span], b: IndexBuilder, position: Index = ORIGIN
) -> dict[GraphOp, OpTile]:
    """The tiles of each op of a nest for a box of its iterators, at a position."""
    tiles: dict[GraphOp, OpTile] = {}
    root, partial, parts = nest.root(), nest.partial(), nest.parts()
    boxes: dict[GraphOp, Sequence[Span]] = {root: box[: len(root.iterators())]}
    for op in reversed(nest.body_ops()):
        tile = tiles[op] = op_tile(op, boxes[op], b, position)
        for operand, spans in zip(op.operands, tile.operands, strict=True):
            if isinstance(operand.owner, GraphOp):
                made = producing_box(operand.owner, spans, b, position)
                if partial is not None and operand.owner is partial[0] and parts is not None:
                    made = (*made[: partial[1]], box[parts], *made[partial[1] + 1 :])
                boxes[operand.owner] = made
    return tiles


def op_tile(op: GraphOp, box: Sequence[Span], b: IndexBuilder, position: Index = ORIGIN) -> OpTile:
    """The tiles of one op for a box of its iterators, at a position."""

    def cut(map: AffineMap, value: SSAValue) -> list[tuple[Span, tuple[Index, Index]]]:
        return [
            _cut(op, form, _footprint(form, box, b, position), extent, b)
            for form, extent in zip(linear_forms(map), shape_of(value), strict=True)
        ]

    operands = [cut(*pair) for pair in zip(op.operand_maps(), op.operands, strict=True)]
    results = [cut(*pair) for pair in zip(op.result_maps(), op.results, strict=True)]
    return OpTile(
        tuple(tuple(span for span, _ in dims) for dims in operands),
        tuple(tuple(overhang for _, overhang in dims) for dims in operands),
        tuple(tuple(span for span, _ in dims) for dims in results),
    )


def whole_range(iterator: Iterator, b: IndexBuilder, position: Index) -> Span:
    """All values of an iterator, at a position."""
    if iterator.plus is None:
        return Span(Index.of(0), Index.of(iterator.extent))
    size = b.name(b.add(position, Index.of(iterator.plus)), "rows")
    return Span(Index.of(0), size)


def producing_box(
    op: GraphOp, spans: Sequence[Span], b: IndexBuilder, position: Index = ORIGIN
) -> tuple[Span, ...]:
    """The box of an op that computes a given tile of its result, at a position."""
    box = [whole_range(it, b, position) for it in op.domain()]
    for form, span in zip(linear_forms(op.result_maps()[0]), spans, strict=True):
        moving = [i for i in form.used() if op.iterators()[i].extent > 1]
        if len(moving) == 1:
            assert form.coefficients[moving[0]] == 1 and form.offset == 0
            box[moving[0]] = span
    return tuple(box)


def _footprint(form: LinearForm, box: Sequence[Span], b: IndexBuilder, position: Index) -> Span:
    start, size = b.add(b.mul(position, form.moving), Index.of(form.offset)), Index.of(1)
    for coefficient, span in zip(form.coefficients, box, strict=True):
        if coefficient == 0:
            continue
        start = b.add(b.mul(span.start, coefficient), start)
        if coefficient == 1 and size.constant == 1:
            size = span.size
            continue
        size = b.add(b.mul(b.sub(span.size, Index.of(1)), coefficient), size)
    return Span(start, size)


def _cut(
    op: GraphOp, form: LinearForm, span: Span, extent: int, b: IndexBuilder
) -> tuple[Span, tuple[Index, Index]]:
    """A footprint cut to the tensor, and its overhang; nothing to do if none ever reaches over."""
    whole = form.footprint([Range(0, it.extent) for it in op.iterators()])
    if whole.start >= 0 and whole.start + whole.size <= extent:
        return span, (Index.of(0), Index.of(0))
    return _clamp(span, extent, b, _name(op, form))


def _name(op: GraphOp, form: LinearForm) -> str:
    """What to call the footprint along one dimension: after its outermost iterator."""
    return next((op.iterators()[i].name for i in form.used()), "at")


def _clamp(span: Span, extent: int, b: IndexBuilder, name: str) -> tuple[Span, tuple[Index, Index]]:
    zero = Index.of(0)
    start = b.name(span.start, f"{name}_first")
    # the minima only matter to windows that lie wholly outside, and fold for all others
    low = b.name(b.min(b.max(b.sub(zero, start), zero), span.size), f"{name}_low")
    inside = b.sub(span.size, low)
    beyond = b.max(b.sub(b.add(start, span.size), Index.of(extent)), zero)
    high = b.name(b.min(beyond, inside), f"{name}_high")
    begin = b.name(b.min(b.max(start, zero), Index.of(extent)), f"{name}_begin")
    size = b.name(b.sub(inside, high), f"{name}_count")
    bounded = Index(size.value, max(0, size.low), min(extent, size.high))
    return Span(begin, bounded), (low, high)
