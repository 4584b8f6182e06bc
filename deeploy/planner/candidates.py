"""Candidates of a nest: tile sizes, loop orders, buffers and residency, with bytes and cycles.

All tile sizes are evaluated at once with numpy; what another candidate beats in both bytes and
cycles is dropped.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from xdsl.ir import BlockArgument

from deeploy.costs import start_cycles
from deeploy.dialects.graph import element_type
from deeploy.dialects.mem import element_bytes
from deeploy.dialects.tiled import NestOp
from deeploy.engines import kernel_of
from deeploy.interfaces.nest_space import NestSpace
from deeploy.interfaces.tiling import Iterator, shape_of
from deeploy.planner.estimate import (
    NOTHING_AROUND,
    Surroundings,
    added_up,
    barrier_count,
    compute_cycles,
    hidden_cycles,
    overlapped,
    start_count,
    way_of,
)
from deeploy.planner.layout import private_values
from deeploy.planner.problem import Candidate, align_up
from deeploy.planner.traffic import Array, Operand, Traffic, tile_extent, traffic
from deeploy.targets import Target

CUTS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128, 192, 256)
"""Into how many tiles an iterator may be cut; and always into tiles of one."""
LEAST_PART = 16
"""The shortest part of a sum: its first and last value are in memory, where others are in
registers."""
MOST_GRID = 6000
"""The most combinations of tile sizes for one nest."""
MOST_PER_RESIDENCY = 16
"""The most candidates kept for each choice of resident tensors and buffers."""


def tile_choices(iterator: Iterator, limit: int) -> list[int]:
    """Tile sizes worth trying for one iterator."""
    if iterator.partial:
        parts = [iterator.extent // cut for cut in CUTS if iterator.extent % cut == 0]
        return [size for size in parts if size >= min(LEAST_PART, iterator.extent)]
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
    """Orders worth trying: as written, and for each operand one in which it stays longest. Parts of
    sums come last."""
    free = [i for i, it in enumerate(iterators) if it.parallel and it.extent > 1]
    orders = [tuple(free)]
    for operand in operands:
        used = {i for form in operand.forms for i in form.used()}
        orders.append((*[i for i in free if i in used], *[i for i in free if i not in used]))
    parts = tuple(i for i, it in enumerate(iterators) if it.partial)
    return [(*order, *parts) for order in dict.fromkeys(orders)]


def enumerate_candidates(
    nest: NestOp,
    space: NestSpace,
    operands: Sequence[Operand],
    target: Target,
    around: Surroundings = NOTHING_AROUND,
) -> tuple[Candidate, ...]:
    """All candidates of a nest that no other one beats, and that fit into the compute memory; the
    smallest ones where none does.

    What a single tile moves is hidden by the steps around, as far as it may be.
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
        way: compute_cycles(nest, space, sizes, target, way, tiles == 1) * tiles for way in ways
    }
    # a single tile needs no loop
    loop = tiles * (tiles > 1) * target.tile_cycles
    fixed = private_bytes(nest, space, sizes, target)
    movable = [o for o in operands if o.link is not None and not o.in_place]
    found: list[Candidate] = []
    own, axis = len(nest.iterators()), nest.parts()
    parts = np.ones_like(tiles) if axis is None else counts[axis]
    for order in loop_orders(nest.iterators(), movable):
        costs = [traffic(operand, sizes, counts, order) for operand in movable]
        for resident, direct in residencies(operands):
            loads, stores = _directions(movable, costs, resident | direct)
            kernel = kernels[way_of(operands, resident, direct)] + loop
            for slots in (1, 2):
                barriers = barrier_count(nest, loads, stores, tiles // parts, slots)
                computing = kernel + barriers * target.barrier_cycles
                starts = start_count(loads, stores, slots, tiles * 0)
                compute = computing + starts * start_cycles(target)
                moving = (*loads, *stores)
                scratch = sum((_slots(c, slots, memory.align, tiles, parts) for c in moving), fixed)
                early = hidden_cycles(loads, around.before, tiles)
                late = hidden_cycles(stores, around.behind, tiles)
                cycles = overlapped(compute, loads, stores, tiles, slots) - early - late
                if parts.max() > 1:
                    nested = added_up(compute, loads, stores, tiles, parts, slots)
                    cycles = np.where(parts > 1, nested, cycles)
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
    return prune(found, memory.size)


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


def _slots(cost: Traffic, slots: int, align: int, tiles: Array, parts: Array) -> Array:
    one = -(-cost.tile_bytes // align) * align
    # what is moved once needs no second buffer; where sums are cut, only what moves for each part
    moves = np.where(parts > 1, cost.moves == tiles, cost.moves > 1)
    return np.where(moves, slots * one, one)


def _directions(
    operands: Sequence[Operand], costs: Sequence[Traffic], in_place: frozenset[int]
) -> tuple[list[Traffic], list[Traffic]]:
    """What is loaded and what is stored, when some tensors are used where they lie."""
    moving = [(o, c) for o, c in zip(operands, costs, strict=True) if o.index not in in_place]
    loads = [c for o, c in moving if isinstance(o.value, BlockArgument)]
    stores = [c for o, c in moving if not isinstance(o.value, BlockArgument)]
    return loads, stores


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


def prune(candidates: Sequence[Candidate], room: int) -> tuple[Candidate, ...]:
    """The best candidates for each choice of resident tensors and buffers that fit into `room`
    bytes, thinned out evenly; the smallest one where none fits."""
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
        fitting = [i for i in front if group[i].scratch <= room] or front[:1]
        step = max(1.0, (len(fitting) - 1) / (MOST_PER_RESIDENCY - 1))
        chosen = dict.fromkeys(round(i * step) for i in range(MOST_PER_RESIDENCY))
        kept += [group[fitting[i]] for i in chosen if i < len(fitting)]
    return tuple(kept)
