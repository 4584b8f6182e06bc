"""Addresses for blocks with lifetimes, first fit in several orders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from deeploy.planner.problem import align_up


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


def pack(blocks: Sequence[Block], align: int) -> tuple[list[int], int]:
    """Offsets without overlap of simultaneously used blocks, and the bytes that they need.

    The best of several first-fit orders; not always the optimum.
    """
    best: tuple[list[int], int] | None = None
    for key in ORDERS:
        offsets = _first_fit(
            blocks, sorted(range(len(blocks)), key=lambda i: key(blocks[i])), align
        )
        peak = max((o + b.size for o, b in zip(offsets, blocks, strict=True)), default=0)
        if best is None or peak < best[1]:
            best = offsets, peak
    assert best is not None
    return best


def _first_fit(blocks: Sequence[Block], order: Sequence[int], align: int) -> list[int]:
    offsets = [0] * len(blocks)
    placed: list[int] = []
    for i in order:
        busy = sorted(
            (offsets[j], offsets[j] + blocks[j].size)
            for j in placed
            if blocks[j].overlaps(blocks[i])
        )
        offset = 0
        for start, end in busy:
            if offset + blocks[i].size <= start:
                break
            offset = max(offset, align_up(end, align))
        offsets[i] = offset
        placed.append(i)
    return offsets


def peak_demand(blocks: Sequence[Block]) -> int:
    """The most bytes in use at any step: no packing needs less."""
    steps = {b.first for b in blocks}
    return max((sum(b.size for b in blocks if b.first <= s <= b.last) for s in steps), default=0)
