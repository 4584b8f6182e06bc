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

from deeploy.dialects.graph import GraphOp, element_type
from deeploy.dialects.tiled import AlternativesOp, NestOp, YieldOp
from deeploy.interfaces.footprint import OpTile, Span, nest_tiles
from deeploy.interfaces.index import Index, IndexBuilder
from deeploy.interfaces.tiling import Overhang, shape_of
from deeploy.interpreters.graph import evaluate
from deeploy.resources import Array, numpy_dtype


def boxes(nest: NestOp) -> Iterator[list[Span]]:
    """The boxes of all tiles."""
    iterators = nest.iterators()
    ranges = [
        [Span(Index.of(s), Index.of(min(size, it.extent - s))) for s in range(0, it.extent, size)]
        for it, size in zip(iterators, nest.tile_sizes(), strict=True)
    ]
    for box in product(*ranges):
        yield list(box)


def slices(spans: Sequence[Span]) -> tuple[slice, ...]:
    """The part of an array that a tile is."""
    return tuple(slice(known(s.start), known(s.start) + known(s.size)) for s in spans)


def known(index: Index) -> int:
    """The value of an index, which is known when a program runs."""
    assert index.constant is not None
    return index.constant


def run_tile(
    nest: NestOp,
    tiles: dict[GraphOp, OpTile],
    inputs: dict[SSAValue, Array],
    output: Array,
) -> None:
    """Compute one tile into its place in the output."""
    values: dict[SSAValue, Array] = {}
    for op in nest.body_ops():
        tile = tiles[op]
        operands = [
            inputs[operand][slices(spans)] if operand in inputs else values[operand]
            for operand, spans in zip(op.operands, tile.operands, strict=True)
        ]
        overhangs = [
            [Overhang(known(low), known(high)) for low, high in sides] for sides in tile.overhangs
        ]
        values[op.results[0]] = evaluate(op, operands, overhangs)
    root = nest.root()
    output[slices(tiles[root].results[0])] = values[root.results[0]]


@register_impls
class TiledFunctions(InterpreterFunctions):
    """Runs nests on arrays: on tensors, and on buffers into which they write."""

    @impl(NestOp)
    def run_nest(self, interpreter: Interpreter, op: NestOp, args: PythonValues) -> PythonValues:
        inputs: dict[SSAValue, Array] = dict(zip(op.body.block.args, args, strict=False))
        if op.outputs:
            output: Array = args[-1]
        else:
            result, tied = op.results[0], op.tied_input()
            if tied is None:
                output = np.empty(shape_of(result), numpy_dtype(element_type(result)))
            else:
                output = args[tied].copy()
        for box in boxes(op):
            run_tile(op, nest_tiles(op, box, IndexBuilder()), inputs, output)
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
