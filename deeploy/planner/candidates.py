"""Candidates of a nest: tile sizes, loop orders, buffers and residency, with bytes and cycles.

All tile sizes are evaluated at once with numpy; what another candidate beats in both bytes and
cycles is dropped.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import combinations
from typing import Any, TypeAlias

import numpy as np
from xdsl.ir import BlockArgument, SSAValue

from deeploy.costs import start_cycles, transfer_cycles
from deeploy.dialects.graph import GraphOp, element_type
from deeploy.dialects.mem import element_bytes
from deeploy.dialects.tiled import NestOp
from deeploy.engines import engine_of, kernel_of, occupies_cores
from deeploy.interfaces.nest_space import NestSpace
from deeploy.interfaces.tiling import Iterator, LinearForm, shape_of
from deeploy.planner.layout import private_values
from deeploy.planner.problem import Candidate, align_up
from deeploy.targets import Link, Target

Array: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]
Mask: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]

CORES = "cores"
"""What all kernels of engines that run on the cores share."""

CUTS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128, 192, 256)
"""Into how many tiles an iterator may be cut; and always into tiles of one."""
MOST_GRID = 6000
"""The most combinations of tile sizes for one nest."""
MOST_PER_RESIDENCY = 12
"""The most candidates kept for each choice of resident tensors."""


@dataclass(frozen=True)
class Operand:
    """A tensor of a nest: the value inside the body, and the tensor's index in the problem.

    `index` is None for what must stay in the far memory. `link` is the one over which its tiles
    move, None where there is no far memory. The tensor may lie in the compute memory
    if it `stays` there, and in a memory of its engine if it is read from there (`is_direct`).
    It is `in_place` if kernels read it wherever it lies, so that no tiles of it are moved.
    `rank` numbers those that stay for good, constants and states, the small ones first. What
    `is_constant` can be loaded before the nest's turn.
    """

    value: SSAValue
    forms: tuple[LinearForm, ...]
    index: int | None
    link: Link | None
    stays: bool = False
    is_direct: bool = False
    in_place: bool = False
    rank: int | None = None
    is_constant: bool = False


def tile_choices(iterator: Iterator, limit: int) -> list[int]:
    """Tile sizes worth trying for one iterator."""
    if iterator.extent == 1 or not (iterator.parallel and iterator.tileable):
        return [iterator.extent]
    sizes = {-(-iterator.extent // cut) for cut in CUTS if cut <= iterator.extent} | {1}
    # kernels work on blocks of four or eight channels
    sizes |= {align_up(s, 4) for s in sizes if s >= 4} | {align_up(s, 8) for s in sizes if s >= 8}
    return sorted((s for s in sizes if s <= min(iterator.extent, limit)), reverse=True)


def tile_limits(space: NestSpace) -> dict[int, int]:
    """The largest tile of each iterator that all kernels of a nest can take."""
    limits: dict[int, int] = {}
    for op, forms in space.ops.items():
        own = kernel_of(op).tile_limits(op)
        for iterator, form in zip(op.iterators(), forms, strict=True):
            for i in form.used():
                limit = own.get(iterator.name, iterator.extent)
                limits[i] = min(limit, limits.get(i, limit))
    return limits


def grid(space: NestSpace) -> list[Array]:
    """All combinations of tile sizes: for each iterator an array of equal length."""
    limits = tile_limits(space)
    choices = [tile_choices(it, limits.get(i, it.extent)) for i, it in enumerate(space.iterators)]
    while math.prod(map(len, choices)) > MOST_GRID:
        longest = max(range(len(choices)), key=lambda i: len(choices[i]))
        kept = choices[longest]
        choices[longest] = kept[::2] + ([kept[-1]] if len(kept) % 2 == 0 else [])
    # the digits of all numbers, with a base for each iterator: arrays of numpy have 32 dimensions
    number = np.arange(math.prod(map(len, choices)))
    columns: list[Array] = []
    for sizes in reversed(choices):
        number, digit = np.divmod(number, len(sizes))
        columns.append(np.array(sizes, dtype=np.int64)[digit])
    return columns[::-1]


def loop_orders(
    iterators: Sequence[Iterator], operands: Sequence[Operand]
) -> list[tuple[int, ...]]:
    """Orders worth trying: as written, and for each operand one in which it stays longest."""
    free = [i for i, it in enumerate(iterators) if it.parallel and it.extent > 1]
    orders = [tuple(free)]
    for operand in operands:
        used = {i for form in operand.forms for i in form.used()}
        orders.append((*[i for i in free if i in used], *[i for i in free if i not in used]))
    return list(dict.fromkeys(orders))


@dataclass(frozen=True)
class Traffic:
    """What one operand costs for each combination of tile sizes, under one loop order.

    `moves` is how often a tile is moved, `transfers` how many two-dimensional transfers that takes
    in all, `cycles` how long they occupy the link.
    """

    tile_bytes: Array
    moves: Array
    transfers: Array
    cycles: Array


def traffic(
    operand: Operand, sizes: Sequence[Array], counts: Sequence[Array], order: Sequence[int]
) -> Traffic:
    """Bytes of a tile, times that it is moved, and cycles of all its transfers."""
    assert operand.link is not None, "it moves"
    shape = shape_of(operand.value)
    element = element_bytes(element_type(operand.value))
    extents = [
        np.minimum(tile_extent(form, sizes), extent)
        for form, extent in zip(operand.forms, shape, strict=True)
    ]
    tile_bytes = np.full_like(sizes[0], element)
    for extent in extents:
        tile_bytes = tile_bytes * extent
    moves = _moves(operand, counts, order)
    distinct = np.ones_like(sizes[0])
    total = np.full(sizes[0].shape, float(element))
    for form, extent in zip(operand.forms, shape, strict=True):
        total = total * _covered(form, extent, sizes, counts)
    for i in {i for form in operand.forms for i in form.used()}:
        distinct = distinct * counts[i]
    moved = total * (moves / distinct)
    rows, transfers = _transfers(extents, shape)
    row_bytes = np.maximum(tile_bytes // rows, 1)
    transfers = moves * transfers
    # borders are cut, so a transfer has fewer rows on average than that of a whole tile
    average_rows = moved / row_bytes / transfers
    cycles = transfers * transfer_cycles(operand.link, average_rows, row_bytes)
    return Traffic(tile_bytes, moves, transfers, np.rint(cycles).astype(np.int64))


def tile_extent(form: LinearForm, sizes: Sequence[Array]) -> Array:
    """How far a linear form reaches over tiles of some sizes."""
    total = np.ones_like(sizes[0])
    for coefficient, size in zip(form.coefficients, sizes, strict=True):
        total = total + coefficient * (size - 1)
    return total


def _covered(
    form: LinearForm, extent: int, sizes: Sequence[Array], counts: Sequence[Array]
) -> Array:
    """The sum of the extents of all tiles along one dimension, borders cut."""
    cut = [i for i in form.used() if counts[i].max() > 1]
    whole = np.minimum(tile_extent(form, sizes), extent)
    if not cut:
        return whole
    # the overlap of neighbours is what a tile has beyond its step
    count = np.ones_like(sizes[0])
    for i in cut:
        count = count * counts[i]
    step = form.coefficients[cut[0]] * sizes[cut[0]]
    halo = np.maximum(tile_extent(form, sizes) - step, 0)
    return np.where(count > 1, np.minimum(extent + (count - 1) * halo, count * whole), whole)


def _moves(operand: Operand, counts: Sequence[Array], order: Sequence[int]) -> Array:
    """How many tiles of an operand are moved: it stays over the loops inside its innermost one."""
    used = {i for form in operand.forms for i in form.used()}
    moves = np.ones_like(counts[0])
    varies = np.zeros(counts[0].shape, dtype=bool)
    for i in reversed(order):
        varies = varies | ((counts[i] > 1) & (i in used))
        moves = moves * np.where(varies, counts[i], 1)
    return moves


def _transfers(extents: Sequence[Array], shape: Sequence[int]) -> tuple[Array, Array]:
    """Contiguous rows of one tile, and the two-dimensional transfers that they take."""
    groups = np.ones_like(extents[0]) if extents else np.ones(1, dtype=np.int64)
    rows, transfers = np.ones_like(groups), np.ones_like(groups)
    for d in reversed(range(len(extents) - 1)):
        # a dimension adds a group unless all dimensions inside it are whole
        broken = (extents[d + 1] != shape[d + 1]) & (extents[d] > 1)
        groups = groups + broken
        rows = rows * np.where(groups > 1, extents[d], 1)
        transfers = transfers * np.where(groups > 2, extents[d], 1)
    return rows, transfers


def enumerate_candidates(
    nest: NestOp,
    space: NestSpace,
    operands: Sequence[Operand],
    target: Target,
    ahead: int = 0,
) -> tuple[Candidate, ...]:
    """All candidates of a nest that no other one beats. Their scratch may exceed the memory.

    Constants of what is not cut are loaded in up to `ahead` cycles before the nest's turn.
    """
    memory = target.memory(target.compute)
    sizes = grid(space)
    extents = [it.extent for it in space.iterators]
    counts = [-(-extent // size) for extent, size in zip(extents, sizes, strict=True)]
    tiles = np.ones_like(sizes[0])
    for count in counts:
        tiles = tiles * count
    ways = {way_of(operands, *places) for places in residencies(operands)}
    kernels = {
        way: compute_cycles(nest, space, sizes, target.cores, way, tiles == 1) * tiles
        for way in ways
    }
    # one barrier before the kernels of a tile and one behind them, if cores run any; a single tile
    # needs no loop
    on_cores = any(map(occupies_cores, nest.computing_ops()))
    barriers = 2 * target.barrier_cycles * on_cores
    overhead = tiles * (barriers + (tiles > 1) * target.tile_cycles)
    fixed = private_bytes(nest, space, sizes, target)
    movable = [o for o in operands if o.link is not None and not o.in_place]
    found: list[Candidate] = []
    own = len(nest.iterators())
    for order in loop_orders(nest.iterators(), movable):
        costs = [traffic(operand, sizes, counts, order) for operand in movable]
        for resident, direct in residencies(operands):
            loads, stores = _directions(movable, costs, resident | direct)
            moving = [*loads, *stores]
            constants = _constant_cycles(movable, costs, resident | direct)
            computing = kernels[way_of(operands, resident, direct)] + overhead
            for slots in (1, 2):
                starts = _starts(loads, stores, slots, tiles * 0)
                compute = computing + starts * start_cycles(target)
                scratch = sum((_slots(c, slots, memory.align) for c in moving), fixed)
                early = np.where(tiles == 1, np.minimum(constants, ahead), 0)
                cycles = _overlap(compute, loads, stores, tiles, slots) - early
                # one tile needs no second buffer
                allowed = (tiles > 1) | (slots == 1)
                front = pareto(scratch, cycles, allowed)
                found += [
                    Candidate(
                        int(cycles[i]),
                        int(scratch[i]),
                        resident,
                        tuple(int(s[i]) for s in sizes[:own]),
                        tuple(j for j in order if counts[j][i] > 1),
                        slots,
                        direct=direct,
                        early=int(early[i]),
                        busy=int(computing[i]),
                    )
                    for i in front
                ]
    return prune(found)


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
    nest: NestOp, space: NestSpace, sizes: Sequence[Array], cores: int, way: Way, single: Mask
) -> Array:
    """Cycles of all kernels for one tile. Where it is the only one, engines work side by side: the
    pass `overlap` starts each as soon as what it reads is there."""
    total = np.zeros_like(sizes[0])
    free: dict[str, Array] = {}
    done: dict[SSAValue, Array] = {}
    for op in nest.computing_ops():
        cycles = kernel_cycles(op, [tile_extent(form, sizes) for form in space.ops[op]], cores, way)
        total = total + cycles
        line = CORES if occupies_cores(op) else engine_of(op).name
        ready = [done[v] for v in op.operands if v in done]
        start = np.maximum.reduce([free.get(line, total * 0), *ready])
        free[line] = start + cycles
        done |= {result: free[line] for result in op.results}
    return np.where(single, np.maximum.reduce([*free.values()]), total)


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


def private_bytes(nest: NestOp, space: NestSpace, sizes: Sequence[Array], target: Target) -> Array:
    """Bytes of kernel scratch and of the values between the ops of a nest."""
    memory = target.memory(target.compute)
    total = np.zeros_like(sizes[0])
    for op in nest.body_ops():
        scratch = kernel_of(op).scratch_bytes(op, target.cores, memory.size)
        total = total + align_up(scratch, memory.align)
    for value in private_values(nest):
        size = np.full_like(sizes[0], element_bytes(element_type(value)))
        for form, extent in zip(space.values[value], shape_of(value), strict=True):
            size = size * np.minimum(tile_extent(form, sizes), extent)
        total = total + -(-size // memory.align) * memory.align
    return total


def _slots(cost: Traffic, slots: int, align: int) -> Array:
    one = -(-cost.tile_bytes // align) * align
    # what is moved once needs no second buffer
    return np.where(cost.moves > 1, slots * one, one)


def _directions(
    operands: Sequence[Operand], costs: Sequence[Traffic], in_place: frozenset[int]
) -> tuple[list[Traffic], list[Traffic]]:
    """What is loaded and what is stored, when some tensors are used where they lie."""
    moving = [(o, c) for o, c in zip(operands, costs, strict=True) if o.index not in in_place]
    loads = [c for o, c in moving if isinstance(o.value, BlockArgument)]
    stores = [c for o, c in moving if not isinstance(o.value, BlockArgument)]
    return loads, stores


def _constant_cycles(
    operands: Sequence[Operand], costs: Sequence[Traffic], in_place: frozenset[int]
) -> Array | int:
    """How long constants are loaded."""
    pairs = zip(operands, costs, strict=True)
    return sum(c.cycles for o, c in pairs if o.is_constant and o.index not in in_place)


def _starts(loads: Sequence[Traffic], stores: Sequence[Traffic], slots: int, none: Array) -> Array:
    """How many starts of transfers take time that nothing hides.

    With two buffers all of them delay the kernel. With one, only the first of several before a wait
    does: the others are started while it moves.
    """
    if slots == 2:
        return sum((c.transfers for c in (*loads, *stores)), none)
    first = np.max([c.moves for c in loads], axis=0) if loads else none
    return sum((c.moves for c in stores), first)


def _overlap(
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


def sorted_by_moves(loads: Sequence[Traffic]) -> list[tuple[Array, Array]]:
    """How often and for how long a tile is moved, for each combination the most frequent first."""
    if not loads:
        return []
    moves = np.stack([c.moves for c in loads])
    cycles = np.stack([c.cycles // c.moves for c in loads])
    order = np.argsort(-moves, axis=0, kind="stable")
    pairs = (np.take_along_axis(moves, order, 0), np.take_along_axis(cycles, order, 0))
    return list(zip(*pairs, strict=True))


def residencies(operands: Sequence[Operand]) -> list[tuple[frozenset[int], frozenset[int]]]:
    """All choices of the tensors that stay in the compute memory, and of those that engines read
    from memories of their own.

    What stays for good takes its bytes all the time, and a small tensor saves more cycles for each
    of them than a large one: so no such tensor stays where a smaller one of the nest does not.
    """
    staying = {o.index: o.rank for o in operands if o.stays and o.index is not None}
    passing = subsets(i for i, rank in staying.items() if rank is None)
    ranked = sorted((rank, i) for i, rank in staying.items() if rank is not None)
    fixed = {o.index for o in operands if o.link is None}
    found: list[tuple[frozenset[int], frozenset[int]]] = []
    for direct in subsets(o.index for o in operands if o.is_direct and o.index is not None):
        lasting = [i for _, i in ranked if i not in direct]
        for count in range(len(lasting) + 1):
            found += [(some.union(lasting[:count]), direct) for some in passing]
    return [(resident, direct) for resident, direct in found if fixed <= resident | direct]


def subsets(indices: Iterable[int]) -> list[frozenset[int]]:
    """All subsets, small ones first."""
    items = sorted(set(indices))
    return [frozenset(c) for n in range(len(items) + 1) for c in combinations(items, n)]


def pareto(scratch: Array, cycles: Array, allowed: np.ndarray[Any, Any]) -> list[int]:
    """Indices of what is not beaten in both, by growing scratch."""
    order = np.lexsort((cycles, scratch))
    order = order[allowed[order]]
    ordered = cycles[order]
    fewest = np.minimum.accumulate(ordered)
    is_better = np.ones(len(order), dtype=bool)
    is_better[1:] = ordered[1:] < fewest[:-1]
    found: list[int] = order[is_better].tolist()
    return found


def prune(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """The best candidates for each choice of resident tensors and buffers, thinned out evenly."""
    groups: dict[Hashable, list[Candidate]] = {}
    for candidate in candidates:
        key = candidate.resident, candidate.direct, candidate.buffers
        groups.setdefault(key, []).append(candidate)
    kept: list[Candidate] = []
    for group in groups.values():
        front = pareto(
            np.array([c.scratch for c in group]),
            np.array([c.cycles for c in group]),
            np.ones(len(group), dtype=bool),
        )
        step = max(1.0, (len(front) - 1) / (MOST_PER_RESIDENCY - 1))
        chosen = {
            front[round(i * step)]
            for i in range(MOST_PER_RESIDENCY)
            if round(i * step) < len(front)
        }
        kept += [group[i] for i in front if i in chosen]
    return tuple(kept)
