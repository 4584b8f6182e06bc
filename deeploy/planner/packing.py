"""Addresses for blocks with lifetimes, first fit in several orders."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np


@dataclass(frozen=True)
class Block:
    """`size` bytes that are in use from step `first` to step `last`, both included."""

    size: int
    first: int
    last: int

    def overlaps(self, other: Block) -> bool:
        """Whether both are ever in use at the same time."""
        return self.first <= other.last and other.first <= self.last


ORDERS: tuple[Callable[[Block], tuple[int, ...]], ...] = (
    lambda b: (-b.size, b.first),
    lambda b: (-(b.last - b.first), -b.size),
    lambda b: (b.first, -b.size),
    lambda b: (-b.size * (b.last - b.first + 1), b.first),
    lambda b: (b.last, -b.size),
)


class Occupancy:
    """Blocks at addresses in one memory; grows block by block.

    Lifetimes and addresses are kept in arrays, since large networks have thousands of blocks.
    """

    def __init__(self, capacity: int) -> None:
        self._count = 0
        # first and last step, address, end
        self._rows = np.zeros((4, capacity), dtype=np.int64)

    def add(self, block: Block, offset: int) -> None:
        """Put a block at an address."""
        self._rows[:, self._count] = (block.first, block.last, offset, offset + block.size)
        self._count += 1

    def clash(self, block: Block, offset: int) -> int | None:
        """Which block, counted from 0 as added, overlaps one at an address while both are used."""
        first, last, start, end = self._rows[:, : self._count]
        together = (first <= block.last) & (block.first <= last)
        clashes = np.flatnonzero(together & (start < offset + block.size) & (offset < end))
        return int(clashes[0]) if clashes.size else None

    def first_fit(self, block: Block, align: int) -> int:
        """The lowest address that is free for as long as a block is used."""
        first, last, start, end = self._rows[:, : self._count]
        together = (first <= block.last) & (block.first <= last)
        start, end = start[together], end[together]
        order = np.lexsort((end, start))
        free = np.zeros(len(order) + 1, dtype=np.int64)
        np.maximum.accumulate(-(-end[order] // align) * align, out=free[1:])
        gaps = np.flatnonzero(free[:-1] + block.size <= start[order])
        return int(free[gaps[0]] if gaps.size else free[-1])


def pack(blocks: Sequence[Block], align: int) -> tuple[list[int], int]:
    """Offsets without overlap of simultaneously used blocks, and the bytes that they need.

    What is in use all the time lies at the beginning, so that it does not divide the rest, for
    which the best of several first-fit orders is taken; not always the optimum.
    """
    needed = peak_demand(blocks)
    permanent = _permanent(blocks)
    others = [i for i in range(len(blocks)) if i not in permanent]
    best: tuple[list[int], int] | None = None
    for key in ORDERS:
        order = sorted(others, key=lambda i: key(blocks[i]))
        offsets = _first_fit(blocks, permanent, order, align)
        peak = max((o + b.size for o, b in zip(offsets, blocks, strict=True)), default=0)
        if best is None or peak < best[1]:
            best = offsets, peak
        if peak == needed:
            break
    assert best is not None
    return best


def _permanent(blocks: Sequence[Block]) -> dict[int, None]:
    """The blocks that are in use whenever any is, in order."""
    first = min((b.first for b in blocks), default=0)
    last = max((b.last for b in blocks), default=0)
    return {i: None for i, b in enumerate(blocks) if (b.first, b.last) == (first, last)}


def _first_fit(
    blocks: Sequence[Block], permanent: Iterable[int], order: Sequence[int], align: int
) -> list[int]:
    offsets = [0] * len(blocks)
    floor = 0
    for i in permanent:
        offsets[i] = -(-floor // align) * align
        floor = offsets[i] + blocks[i].size
    layout = Occupancy(len(order) + 1)
    layout.add(Block(floor, 0, max((b.last for b in blocks), default=0)), 0)
    for i in order:
        offsets[i] = layout.first_fit(blocks[i], align)
        layout.add(blocks[i], offsets[i])
    return offsets


def peak_demand(blocks: Sequence[Block]) -> int:
    """The most bytes in use at any step: no packing needs less."""
    change: dict[int, int] = defaultdict(int)
    for block in blocks:
        change[block.first] += block.size
        change[block.last + 1] -= block.size
    return max(accumulate(change[step] for step in sorted(change)), default=0)
