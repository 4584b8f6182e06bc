"""Operands of a nest, and what it costs to move their tiles, for all tile sizes at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from xdsl.ir import SSAValue

from deeploy.costs import transfer_cycles
from deeploy.dialects.graph import element_type
from deeploy.dialects.mem import element_bytes
from deeploy.interfaces.tiling import LinearForm, shape_of
from deeploy.targets import Link

Array: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Operand:
    """A tensor of a nest: the value inside the body, and the tensor's index in the problem.

    `index` is None for what must stay in the far memory. `link` is the one over which its tiles
    move, None where there is no far memory. The tensor may lie in the compute memory
    if it `stays` there, and in a memory of its engine if it is read from there (`is_direct`).
    It is `in_place` if kernels read it wherever it lies, so that no tiles of it are moved.
    `rank` numbers those that stay for good, constants and states, the small ones first. In each of
    `apart` steps before the nest's turn an input could be loaded already; in each of so many
    behind it nobody needs what is stored.
    """

    value: SSAValue
    forms: tuple[LinearForm, ...]
    index: int | None
    link: Link | None
    stays: bool = False
    is_direct: bool = False
    in_place: bool = False
    rank: int | None = None
    apart: int = 0


@dataclass(frozen=True)
class Traffic:
    """What one operand costs for each combination of tile sizes, under one loop order.

    `moves` is how often a tile is moved, `transfers` how many two-dimensional transfers that takes
    in all, `cycles` how long they occupy the link. `apart` is that of the operand.
    """

    tile_bytes: Array
    moves: Array
    transfers: Array
    cycles: Array
    apart: int = 0


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
    return Traffic(tile_bytes, moves, transfers, np.rint(cycles).astype(np.int64), operand.apart)


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
