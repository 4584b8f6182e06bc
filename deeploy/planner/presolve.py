"""Makes a problem smaller before it is solved, without losing the fastest plan.

Both reductions look at what could lie in a memory at most. Where that leaves room, tiles need not
be small, and tensors may go where they are wanted. They keep an optimum in terms of bytes in use;
whether blocks find addresses is not looked at, and bytes at the peak may grow.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

from deeploy.planner.problem import Candidate, Problem, Space, Step, Tensor


def presolve(problem: Problem) -> Problem:
    """The problem without candidates and homes that a fastest plan can do without."""
    return settle_homes(drop_slower(problem))


def drop_slower(problem: Problem) -> Problem:
    """The problem without candidates for which there is a faster one in any case.

    The tiles of a step have the room that is left when all tensors that may be in the compute
    memory are there, but for those of its own that a candidate wants elsewhere. Of the candidates
    that agree about its tensors, and fit into this room, the fastest is enough.
    """
    most = most_in_use(problem, problem.compute)
    steps = [
        replace(step, candidates=_fastest(problem, step, problem.compute.size - used))
        for step, used in zip(problem.steps, most, strict=True)
    ]
    return replace(problem, steps=tuple(steps))


def _fastest(problem: Problem, step: Step, room: int) -> tuple[Candidate, ...]:
    """Candidates without those that are not the fastest that fit in any case."""
    leaving = {i: problem.tensors[i].size for i in step.tensors if may_leave(problem, i)}
    known: dict[tuple[int, frozenset[int]], Candidate] = {}
    rooms: dict[tuple[int, frozenset[int]], int] = {}
    for candidate in step.candidates:
        key = candidate.way, candidate.resident
        if key not in rooms:
            absent = step.uses(candidate) - candidate.resident
            rooms[key] = room + sum(leaving.get(i, 0) for i in absent)
        best = known.get(key)
        if candidate.scratch <= rooms[key] and (best is None or _rank(candidate) < _rank(best)):
            known[key] = candidate
    return tuple(
        c
        for c in step.candidates
        if (best := known.get((c.way, c.resident))) is None or c is best or c.cycles < best.cycles
    )


def _rank(candidate: Candidate) -> tuple[int, int]:
    return candidate.cycles, candidate.scratch


def may_leave(problem: Problem, i: int) -> bool:
    """Whether a tensor may lie in the compute memory or elsewhere."""
    tensor, compute = problem.tensors[i], problem.compute.name
    return len(tensor.homes) > 1 and problem.near(tensor) == compute and compute in tensor.homes


def settle_homes(problem: Problem) -> Problem:
    """The problem with tensors where they are used, if all that may be there finds room.

    That is so where each candidate that wants such a tensor elsewhere has one beside it that is
    no worse. What then is not used where it lies is dropped.
    """
    spaces = {space.name: space for space in problem.spaces}
    crowded = {name: _crowded(problem, space) for name, space in spaces.items()}
    users: dict[int, list[Step]] = defaultdict(list)
    for step in problem.steps:
        for i in step.tensors:
            users[i].append(step)
    settled: set[int] = set()
    for i, tensor in enumerate(problem.tensors):
        near = problem.near(tensor)
        if len(tensor.homes) == 1 or near not in tensor.homes or not users[i]:
            continue
        before = crowded[near]
        has_room = before[tensor.last + 1] == before[tensor.first]
        if has_room and all(_is_better_near(step, i) for step in users[i]):
            settled.add(i)
    tensors = [
        replace(t, homes=(problem.near(t),)) if i in settled else t
        for i, t in enumerate(problem.tensors)
    ]
    steps = [_without(step, settled & step.tensors) for step in problem.steps]
    return replace(problem, tensors=tuple(tensors), steps=tuple(steps))


def _crowded(problem: Problem, space: Space) -> list[int]:
    """For each step how many steps before it might not find room in a memory."""
    most = most_in_use(problem, space)
    if space == problem.compute:
        scratch = [max(c.scratch for c in step.candidates) for step in problem.steps]
        most = [used + tiles for used, tiles in zip(most, scratch, strict=True)]
    return [0, *accumulate(int(used > space.size) for used in most)]


def _is_better_near(step: Step, i: int) -> bool:
    """Whether each candidate that wants a tensor elsewhere has one beside it that is no worse."""
    near: dict[tuple[int, frozenset[int]], list[Candidate]] = defaultdict(list)
    for c in step.candidates:
        if i in c.resident:
            near[c.way, c.resident].append(c)
    return all(
        any(b.cycles <= c.cycles and b.scratch <= c.scratch for b in near[c.way, c.resident | {i}])
        for c in step.candidates
        if i in step.uses(c) and i not in c.resident
    )


def _without(step: Step, settled: frozenset[int]) -> Step:
    """A step without candidates that want some tensors elsewhere."""
    if not settled:
        return step
    kept = [c for c in step.candidates if step.uses(c) & settled <= c.resident]
    return replace(step, candidates=tuple(kept))


def most_in_use(problem: Problem, space: Space) -> list[int]:
    """The bytes of all tensors that may lie in a memory, at each step."""
    return in_use([t for t in problem.tensors if space.name in t.homes], len(problem.steps))


def in_use(tensors: Sequence[Tensor], steps: int) -> list[int]:
    """The bytes of tensors at each step."""
    changes = [0] * (steps + 2)
    for tensor in tensors:
        changes[tensor.first] += tensor.size
        changes[tensor.last + 1] -= tensor.size
    return list(accumulate(changes))[:steps]
