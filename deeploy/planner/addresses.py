"""Addresses for what the program decided: the blocks in each memory, placed by first fit."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, field, replace

from deeploy.planner.packing import Block, pack
from deeploy.planner.problem import LOOKAHEAD, Candidate, Problem, Space

WIDER = 4 * LOOKAHEAD, 2 * LOOKAHEAD
"""Steps over which the pass `schedule` may find work that need not wait."""
AHEAD = (
    *((steps, steps) for steps in (*WIDER, LOOKAHEAD)),
    *((2, LOOKAHEAD), (2, 2), (1, 2), (1, 1), (0, 2), (0, 1), (0, 0)),
)
"""Steps by which memory is reserved ahead: any, and that of tiles with loads that the plan counts
on being early. The first of them with which everything fits."""


@dataclass(frozen=True)
class Selection:
    """What the program decided, without addresses unless it was asked for them."""

    choices: tuple[Candidate, ...]
    homes: tuple[str, ...]
    gap: float
    status: str
    addresses: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    """Byte offset of a block in a memory, by the names of both."""


def assign(
    problem: Problem, selection: Selection
) -> tuple[tuple[int, ...], tuple[int, ...], list[Space]]:
    """Addresses of tensors and of each step's scratch, and memories in which they do not fit."""
    offsets, scratch = [0] * len(problem.tensors), [0] * len(problem.steps)
    overfull: list[Space] = []
    for space in problem.spaces:
        names, blocks, early = blocks_of(problem, selection, space)
        keys = [(name, space.name) for name in names]
        if keys and all(key in selection.addresses for key in keys):
            found = [selection.addresses[key] for key in keys]
        else:
            ahead = AHEAD if space == problem.compute else AHEAD[-1:]
            found, fits = place(blocks, early, space, ahead)
            if not fits:
                overfull.append(space)
        for name, offset in zip(names, found, strict=True):
            kind, index = name.split("_")
            (offsets if kind == "t" else scratch)[int(index)] = offset
    return tuple(offsets), tuple(scratch), overfull


def place(
    blocks: list[Block], early: Set[int], space: Space, ahead: Sequence[tuple[int, int]]
) -> tuple[list[int], bool]:
    """Addresses, and whether they fit; of some numbers of steps by which blocks are there before
    they must be, any of them and those that are `early`, the first with which they do."""
    found: list[int] = []
    for others, steps in ahead:
        reserved = [
            replace(b, first=max(b.first - (steps if i in early else others), 0))
            for i, b in enumerate(blocks)
        ]
        found, peak = pack(reserved, space.align)
        if peak <= space.size:
            return found, True
    return found, False


def blocks_of(
    problem: Problem, selection: Selection, space: Space
) -> tuple[list[str], list[Block], set[int]]:
    """The blocks in one memory: tensors `t_i` at home there, scratch `s_n` if kernels run there;
    and which of them have loads that the plan counts on being early."""
    names: list[str] = []
    blocks: list[Block] = []
    early: set[int] = set()
    for i, (tensor, home) in enumerate(zip(problem.tensors, selection.homes, strict=True)):
        if home == space.name and tensor.size:
            names.append(f"t_{i}")
            blocks.append(Block(tensor.size, tensor.first, tensor.last))
    if space == problem.compute:
        for n, choice in enumerate(selection.choices):
            if choice.scratch:
                if choice.early:
                    early.add(len(blocks))
                names.append(f"s_{n}")
                blocks.append(Block(choice.scratch, n, n))
    return names, blocks, early
