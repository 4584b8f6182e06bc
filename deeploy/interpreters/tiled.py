"""The meaning of nests: tile by tile, as the plan says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
from xdsl.interpreter import (
    Interpreter,
    InterpreterFunctions,
    PythonValues,
    ReturnedValues,
    TerminatorValue,
    impl,
    impl_terminator,
    register_impls,
)
from xdsl.ir import SSAValue
from xdsl.utils.exceptions import InterpretationError

from deeploy.dialects.graph import GraphOp, element_type, extent_of
from deeploy.dialects.tiled import AlternativesOp, NestOp, YieldOp
from deeploy.interfaces.footprint import OpTile, Span, nest_tiles
from deeploy.interfaces.index import Index, IndexBuilder
from deeploy.interfaces.tiling import Overhang, shape_of
from deeploy.interpreters.graph import evaluate
from deeploy.resources import Array, numpy_dtype


def boxes(nest: NestOp, position: int = 0) -> Iterator[list[list[Span]]]:
    """The boxes of all tiles, at a position: one for each part of sums, if those are cut."""
    ranges: list[list[Span]] = []
    for it, size in zip(nest.iterators(), nest.tile_sizes(), strict=True):
        extent = it.extent if it.plus is None else position + it.plus
        starts = range(0, extent, size)
        ranges.append([Span(Index.of(s), Index.of(min(size, extent - s))) for s in starts])
    parts = nest.parts()
    if parts is None:
        yield from ([list(box)] for box in product(*ranges))
        return
    spans, ranges[parts] = ranges[parts], ranges[parts][:1]
    for box in product(*ranges):
        yield [[*box[:parts], span, *box[parts + 1 :]] for span in spans]


def shape_at(value: SSAValue, position: int) -> tuple[int, ...]:
    """The shape of what is used of a tensor, at a position."""
    extent, shape = extent_of(value), list(shape_of(value))
    if extent is not None:
        shape[extent.dim] = position + extent.plus
    return tuple(shape)


def place_for(nest: NestOp, inputs: Sequence[Array], position: int) -> Array:
    """An array for the result of a nest on tensors; with its operand, where it works in place."""
    result, tied = nest.results[0], nest.tied_input()
    place = np.empty(shape_at(result, position), numpy_dtype(element_type(result)))
    if tied is not None:
        place[tuple(slice(0, extent) for extent in inputs[tied].shape)] = inputs[tied]
    return place


def slices(spans: Sequence[Span]) -> tuple[slice, ...]:
    """The part of an array that a tile is."""
    return tuple(slice(known(s.start), known(s.start) + known(s.size)) for s in spans)


def known(index: Index) -> int:
    """The value of an index, which is known when a program runs."""
    assert index.constant is not None
    return index.constant


def run_tile(
    nest: NestOp,
    parts: Sequence[dict[GraphOp, OpTile]],
    inputs: dict[SSAValue, Array],
    output: Array,
) -> None:
    """Compute one tile into its place in the output, given the tiles of ops for each part of sums:
    what reads them reads the last ones."""
    values: dict[SSAValue, Array] = {}
    partial, sums = nest.partial(), None
    for tiles in parts:
        for op in nest.body_ops():
            value = evaluate(op, *tile_operands(op, tiles[op], inputs, values))
            if partial is not None and op is partial[0]:
                sums = value = value if sums is None else sums + value
            values[op.results[0]] = value
    root = nest.root()
    output[slices(parts[0][root].results[0])] = values[root.results[0]]


def tile_operands(
    op: GraphOp, tile: OpTile, inputs: dict[SSAValue, Array], values: dict[SSAValue, Array]
) -> tuple[list[Array], list[list[Overhang]]]:
    """The tiles of an op's operands, and their overhangs."""
    operands = [
        inputs[operand][slices(spans)] if operand in inputs else values[operand]
        for operand, spans in zip(op.operands, tile.operands, strict=True)
    ]
    overhangs = [
        [Overhang(known(low), known(high)) for low, high in sides] for sides in tile.overhangs
    ]
    return operands, overhangs


@register_impls
class TiledFunctions(InterpreterFunctions):
    """Runs nests on arrays: on tensors, and on buffers into which they write."""

    @impl(NestOp)
    def run_nest(self, interpreter: Interpreter, op: NestOp, args: PythonValues) -> PythonValues:
        position: int = args[-1] if op.position is not None else 0
        arrays: Sequence[Array] = args[: len(op.inputs)]
        inputs: dict[SSAValue, Array] = dict(zip(op.body.block.args, arrays, strict=True))
        output: Array = args[len(op.inputs)] if op.outputs else place_for(op, arrays, position)
        for box in boxes(op, position):
            tiles = [nest_tiles(op, b, IndexBuilder(), Index.of(position)) for b in box]
            run_tile(op, tiles, inputs, output)
        return () if op.outputs else (output,)

    @impl_terminator(YieldOp)
    def run_yield(
        self, interpreter: Interpreter, op: YieldOp, args: PythonValues
    ) -> tuple[TerminatorValue, PythonValues]:
        return ReturnedValues(args), ()

    @impl(AlternativesOp)
    def run_alternatives(
        self, interpreter: Interpreter, op: AlternativesOp, args: PythonValues
    ) -> PythonValues:
        """All ways must agree; the first one's values are taken."""
        results = [interpreter.run_ssacfg_region(way, ()) for way in op.ways]
        for other in results[1:]:
            if not all(np.array_equal(a, b) for a, b in zip(results[0], other, strict=True)):
                raise InterpretationError("the regions of 'tiled.alternatives' disagree")
        return results[0]
