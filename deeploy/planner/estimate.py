"""Cycles of a nest, for all tile sizes at once: kernels, barriers, transfers, and what hides what.

The simulator plays the lowered program with the same costs; here averages are added up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import groupby
from typing import Any, TypeAlias

import numpy as np
from xdsl.ir import Operation, SSAValue

from deeploy.dialects.graph import GraphOp
from deeploy.dialects.tiled import NestOp
from deeploy.engines import engine_of, kernel_of, occupies_cores
from deeploy.interfaces.nest_space import NestSpace
from deeploy.planner.traffic import Array, Operand, Traffic, tile_extent
from deeploy.targets import Target

Mask: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]

CORES = "cores"
"""What all kernels of engines that run on the cores share."""


@dataclass(frozen=True)
class Surroundings:
    """Cycles of other steps beside which the DMA can work for one: `before[d]` those of the d steps
    before it, `behind[d]` those of the d steps behind it."""

    before: tuple[int, ...] = (0,)
    behind: tuple[int, ...] = (0,)


NOTHING_AROUND = Surroundings()


class Way(Enum):
    """Where kernels find what has no tiles: in the compute memory, in one that is their engine's
    own, or in one that is far."""

    NEAR = 0
    DIRECT = 1
    FAR = 2


def way_of(operands: Sequence[Operand], resident: frozenset[int], direct: frozenset[int]) -> Way:
    """How a nest reads its operands, when some lie in the compute memory or in its engine's."""
    if any(o.in_place and o.index not in resident for o in operands):
        return Way.FAR
    return Way.DIRECT if direct else Way.NEAR


def compute_cycles(
    nest: NestOp, space: NestSpace, sizes: Sequence[Array], target: Target, way: Way, single: Mask
) -> Array:
    """Cycles of all kernels for one tile. Where it is the only one, engines work side by side: the
    pass `overlap` starts each as soon as what it reads is there. A core dispatches their jobs."""
    total = np.zeros_like(sizes[0])
    axis, partial = nest.parts(), nest.partial()
    parts = 1 if axis is None else -(-space.iterators[axis].extent // sizes[axis])
    free: dict[str, Array] = {}
    done: dict[SSAValue, Array] = {}
    for op in in_order_of_need(nest.computing_ops()):
        extents = [tile_extent(form, sizes) for form in space.ops[op]]
        cycles = kernel_cycles(op, extents, target.cores, way)
        # what follows sums runs once for all of their parts
        of_part = partial is None or op is partial[0]
        total = total + (cycles if of_part else -(-cycles // parts))
        ready = [done[v] for v in op.operands if v in done]
        start = np.maximum.reduce([free.get(CORES, total * 0), *ready])
        if occupies_cores(op):
            line, end = CORES, start + cycles
        else:
            line, dispatch = engine_of(op).name, dispatch_cycles(op, target)
            free[CORES] = start + dispatch
            end = np.maximum(free.get(line, total * 0), free[CORES]) + cycles - dispatch
        free[line] = end
        done |= {result: end for result in op.results}
    return np.where(single, np.maximum.reduce([*free.values()]), total)


def dispatch_cycles(op: GraphOp, target: Target) -> int:
    """Cycles in which a core gives an accelerator the job of an op."""
    driver = engine_of(op).driver
    return 0 if driver is None else driver.accesses * target.register_cycles


def in_order_of_need(ops: Sequence[GraphOp]) -> list[GraphOp]:
    """The ops of a nest, of jobs in a row those first that others wait for first."""
    position: dict[Operation, int] = {op: i for i, op in enumerate(ops)}

    def needed(op: GraphOp) -> int:
        users = (position.get(use.operation) for result in op.results for use in result.uses)
        return min((i for i in users if i is not None), default=len(ops))

    ordered: list[GraphOp] = []
    for _, group in groupby(ops, occupies_cores):
        ordered += sorted(group, key=lambda op: 0 if occupies_cores(op) else needed(op))
    return ordered


def barriers_of_tile(nest: NestOp) -> int:
    """Barriers of a tile: before each kernel on the cores, and before jobs that come first or read
    what a kernel computed. Jobs alone need none of their own."""
    lines = [on_cores for on_cores, _ in groupby(nest.computing_ops(), occupies_cores)]
    kernels = sum(map(occupies_cores, nest.computing_ops()))
    return kernels + lines.count(False) if kernels else 0


def kernel_cycles(op: GraphOp, sizes: Sequence[Array], cores: int, way: Way) -> Array:
    """Cycles of one kernel."""
    kernel = kernel_of(op)
    match way:
        case Way.NEAR:
            cycles = kernel.cycles(op, sizes, cores)
        case Way.DIRECT:
            cycles = kernel.direct_cycles(op, sizes, cores)
        case Way.FAR:
            cycles = kernel.far_cycles(op, sizes, cores)
    return np.asarray(cycles).astype(np.int64)


def whole_cycles(op: GraphOp, cores: int) -> int:
    """Cycles of the kernel of an op that is not cut."""
    sizes = [np.array(iterator.extent) for iterator in op.domain()]
    return int(kernel_cycles(op, sizes, cores, Way.NEAR))


def shortest_cycles(nest: NestOp, cores: int) -> int:
    """Cycles in which something of a nest computes, whatever is chosen: those of the engine that
    has most to do."""
    busy = Counter[str]()
    for op in nest.computing_ops():
        busy[CORES if occupies_cores(op) else engine_of(op).name] += whole_cycles(op, cores)
    return max(busy.values(), default=0)


def barrier_count(
    nest: NestOp, loads: Sequence[Traffic], stores: Sequence[Traffic], tiles: Array, slots: int
) -> Array:
    """Barriers of all tiles. One more is behind the last kernel where its result is stored, or
    where the next tile is loaded over what it reads."""
    each = barriers_of_tile(nest)
    if not each:
        return tiles * 0
    return tiles * (each + (bool(stores) | (tiles > 1) & (slots == 1) & bool(loads)))


def start_count(
    loads: Sequence[Traffic], stores: Sequence[Traffic], slots: int, none: Array
) -> Array:
    """How many starts of transfers take time that nothing hides.

    With two buffers all of them delay the kernel. With one, only the first of several before a wait
    does: the others are started while it moves. So it is with what may be loaded early.
    """
    if slots == 2:
        return sum((c.transfers for c in (*loads, *stores)), none)
    early = [c for c in loads if c.apart]
    late = [c.transfers for c in loads if not c.apart]
    first = np.max(late, axis=0) if late else none
    return sum((c.transfers for c in (*stores, *early)), first)


def hidden_cycles(moving: Sequence[Traffic], windows: Sequence[int], tiles: Array) -> Array:
    """How much of what a single tile moves other steps hide.

    Windows are nested: what may be moved beside one step fits into those of more steps as well.
    """
    hidden = tiles * 0
    for cost in sorted(moving, key=lambda c: c.apart):
        window = windows[min(cost.apart, len(windows) - 1)]
        hidden = np.minimum(hidden + cost.cycles, window)
    return np.where(tiles == 1, hidden, 0)


def overlapped(
    compute: Array, loads: Sequence[Traffic], stores: Sequence[Traffic], tiles: Array, slots: int
) -> Array:
    """Cycles with transfers beside computation (two buffers) or one after the other."""
    moving = [*loads, *stores]
    if slots == 1 or not moving:
        return sum((c.cycles for c in moving), compute)
    first = sum((c.cycles // c.moves for c in loads), tiles * 0)
    stored = sum((c.cycles // c.moves for c in stores), tiles * 0)
    # a tile computes, and the one before it is stored, while the next one is loaded
    turn = np.maximum(compute // tiles, stored)
    total = first + stored + (tiles - 1) * turn + compute // tiles
    # an operand that stays over more tiles is loaded beside fewer of them: those that load it load
    # everything that changes more often as well
    arriving, waited = tiles * 0, turn
    ranked = sorted_by_moves(loads)
    for moves, cycles in ranked:
        arriving = arriving + cycles
        longer = np.maximum(turn, arriving)
        total = total + (moves - 1) * (longer - waited)
        waited = longer
    return total


def added_up(
    compute: Array,
    loads: Sequence[Traffic],
    stores: Sequence[Traffic],
    tiles: Array,
    parts: Array,
    slots: int,
) -> Array:
    """Cycles where sums are cut, into `parts` of all `tiles`.

    Only what moves for each part may move beside computation, within the loop over the parts of a
    tile but the first.
    """
    total = sum((c.cycles for c in (*loads, *stores)), compute)
    if slots == 1:
        return total
    each = sum((np.where(c.moves == tiles, c.cycles, 0) for c in loads), tiles * 0) // tiles
    hidden = tiles // parts * np.maximum(parts - 2, 0) * np.minimum(each, compute // tiles)
    return total - hidden


def sorted_by_moves(loads: Sequence[Traffic]) -> list[tuple[Array, Array]]:
    """How often and for how long a tile is moved, for each combination the most frequent first."""
    if not loads:
        return []
    moves = np.stack([c.moves for c in loads])
    cycles = np.stack([c.cycles // c.moves for c in loads])
    order = np.argsort(-moves, axis=0, kind="stable")
    pairs = (np.take_along_axis(moves, order, 0), np.take_along_axis(cycles, order, 0))
    return list(zip(*pairs, strict=True))
