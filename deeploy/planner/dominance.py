"""Candidates that another one of their step beats, whatever the rest of the plan is.

That is more than each nest can say of its own: alternatives of a step compete, and a constant that
only they read costs nothing in a memory that has room for everything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

import numpy as np

from deeploy.planner.problem import Candidate, Problem, Space, Step


def without_beaten(problem: Problem) -> Problem:
    """The problem without candidates that are no faster, no smaller and keep no less.

    Only where all other memories have room for everything that may lie there, so that nothing is
    gained by keeping a tensor out of them.
    """
    far = [space for space in problem.spaces[1:] if space.bytes_per_cycle]
    if len(far) > 1 or not all(has_room(problem, space) for space in problem.spaces[1:]):
        return problem
    readers = Counter(i for step in problem.steps for i in step.tensors)
    private = {i for i, t in enumerate(problem.tensors) if t.lasting and readers[i] == 1}
    steps = tuple(replace(s, candidates=unbeaten(s, private)) for s in problem.steps)
    return replace(problem, steps=steps)


def has_room(problem: Problem, space: Space) -> bool:
    """Whether all tensors that may lie in a memory fit into it together, with gaps between those
    that come and go, and but for constants of alternatives that are not taken."""
    changes = [0] * (len(problem.steps) + 2)
    for tensor in problem.tensors:
        if space.name in tensor.homes:
            size = tensor.size if problem.is_permanent(tensor) else 2 * tensor.size
            changes[tensor.first] += size
            changes[tensor.last + 1] -= size
    return max(accumulate(changes)) - unneeded(problem, space) <= space.size


def unneeded(problem: Problem, space: Space) -> int:
    """The bytes in a memory of constants that only alternatives read that are not taken."""
    readers = Counter(i for step in problem.steps for i in step.tensors)
    sizes = {
        i: t.size
        for i, t in enumerate(problem.tensors)
        if t.optional and problem.is_permanent(t) and readers[i] == 1 and space.name in t.homes
    }
    total = 0
    for step in problem.steps:
        ways = [sum(sizes.get(i, 0) for i in way) for way in step.ways]
        total += sum(sizes.get(i, 0) for i in step.tensors) - max(ways, default=0)
    return total


def unbeaten(step: Step, private: set[int]) -> tuple[Candidate, ...]:
    """The candidates of a step that no other one beats; `private` tensors are of this step only."""
    found = step.candidates
    kinds: dict[tuple[frozenset[int], ...], int] = {}
    bits = {i: 1 << k for k, i in enumerate(sorted(step.tensors & private))}
    rows: list[tuple[int, int, int, int]] = []
    for c in found:
        sets = (c.resident, c.direct, step.uses(c))
        kind = kinds.setdefault(tuple(s - private for s in sets), len(kinds))
        kept = sum(bits[i] for i in c.resident & private)
        rows.append((kind, kept, c.cycles, c.scratch))
    front = smallest_of_each(rows)
    kind, kept, cycles, scratch = np.array([rows[i] for i in front], dtype=np.int64).T[:, :, None]
    beats = (kind == kind.T) & (kept & ~kept.T == 0) & (cycles <= cycles.T) & (scratch <= scratch.T)
    # of equal ones the first stays
    equal = beats & beats.T
    beats &= ~equal | (np.arange(len(front))[:, None] < np.arange(len(front)))
    return tuple(found[i] for i, beaten in zip(front, beats.any(axis=0), strict=True) if not beaten)


def smallest_of_each(rows: Sequence[tuple[int, int, int, int]]) -> list[int]:
    """The rows `(kind, kept, cycles, scratch)` that none of the same kind beats that keeps the
    same: few of many, of which then all pairs are looked at."""
    least: dict[tuple[int, int], int] = {}
    front: list[int] = []
    for i in sorted(range(len(rows)), key=lambda i: (*rows[i][2:], i)):
        kind, kept, _, scratch = rows[i]
        if (kind, kept) not in least or scratch < least[kind, kept]:
            least[kind, kept] = scratch
            front.append(i)
    return sorted(front)
