"""Makes a problem smaller before it is solved, without losing the fastest plan.

Both reductions look at what could lie in a memory at most. Where that leaves room, tiles need not
be small, and tensors may go where they are wanted. They keep an optimum in terms of bytes in use;
whether blocks find addresses is not looked at, and bytes at the peak may grow.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence, Set
from dataclasses import replace
from itertools import accumulate
from typing import TypeAlias

from deeploy.planner.problem import Candidate, Problem, Space, Step, Tensor

Agreement: TypeAlias = tuple[int, frozenset[int], frozenset[int]]
"""A way, the tensors in the compute memory, and those that engines read from their own."""


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
    compute = problem.compute.name
    tensors = {i: problem.tensors[i] for i in step.tensors}
    leaving = {i: t.size for i, t in tensors.items() if compute in t.homes and len(t.homes) > 1}
    best: dict[Agreement, Candidate] = {}
    rooms: dict[Agreement, int] = {}
    for candidate in step.candidates:
        key = agreement(candidate)
        if key not in rooms:
            absent = step.uses(candidate) - candidate.resident
            rooms[key] = room + sum(leaving.get(i, 0) for i in absent)
        fits = candidate.scratch <= rooms[key]
        if fits and (key not in best or _rank(candidate) < _rank(best[key])):
            best[key] = candidate
    return tuple(
        c
        for c in step.candidates
        if (other := best.get(agreement(c))) is None or c is other or c.cycles < other.cycles
    )


def agreement(candidate: Candidate) -> Agreement:
    """What a candidate wants of the homes."""
    return candidate.way, candidate.resident, candidate.direct


def _rank(candidate: Candidate) -> tuple[int, int]:
    return candidate.cycles, candidate.scratch


def settle_homes(problem: Problem) -> Problem:
    """The problem with tensors where they are used, if all that may be there finds room.

    That is so where each candidate that wants such a tensor elsewhere has one beside it that is
    no worse. What then is not used where it lies is dropped.
    """
    compute = problem.compute.name
    crowded = {space.name: _crowded(problem, space) for space in problem.spaces}
    lasting = [t for t in problem.tensors if problem.is_permanent(t) and compute in t.homes]
    may_last = sum(t.size for t in lasting) <= problem.most_lasting()
    users: dict[int, list[Step]] = defaultdict(list)
    for step in problem.steps:
        for i in step.tensors:
            users[i].append(step)
    settled: dict[int, str] = {}
    for i, tensor in enumerate(problem.tensors):
        home = tensor.near or compute
        if len(tensor.homes) == 1 or home not in tensor.homes or not users[i]:
            continue
        if home == compute and problem.is_permanent(tensor) and not may_last:
            continue
        before = crowded[home]
        has_room = before[tensor.last + 1] == before[tensor.first]
        if has_room and all(_is_better_there(s, i, bool(tensor.near)) for s in users[i]):
            settled[i] = home
    tensors = [
        replace(t, homes=(settled[i],)) if i in settled else t
        for i, t in enumerate(problem.tensors)
    ]
    steps = [_without(step, problem, settled.keys() & step.tensors) for step in problem.steps]
    return replace(problem, tensors=tuple(tensors), steps=tuple(steps))


def _crowded(problem: Problem, space: Space) -> list[int]:
    """For each step how many steps before it might not find room in a memory."""
    most = most_in_use(problem, space)
    if space == problem.compute:
        scratch = [max(c.scratch for c in step.candidates) for step in problem.steps]
        most = [used + tiles for used, tiles in zip(most, scratch, strict=True)]
    return [0, *accumulate(int(used > space.size) for used in most)]


def _is_better_there(step: Step, i: int, direct: bool) -> bool:
    """Whether each candidate that wants a tensor elsewhere has one beside it that is no worse."""
    there: dict[Agreement, list[Candidate]] = defaultdict(list)
    for c in step.candidates:
        if i in (c.direct if direct else c.resident):
            there[agreement(c)].append(c)
    own = frozenset([i])
    for c in step.candidates:
        if i not in step.uses(c) or i in (c.direct if direct else c.resident):
            continue
        key = (
            (c.way, c.resident - own, c.direct | own)
            if direct
            else (c.way, c.resident | own, c.direct)
        )
        if not any(o.cycles <= c.cycles and o.scratch <= c.scratch for o in there[key]):
            return False
    return True


def _without(step: Step, problem: Problem, settled: Set[int]) -> Step:
    """A step without candidates that want settled tensors elsewhere."""
    if not settled:
        return step
    direct = {i for i in settled if problem.tensors[i].near}
    resident = settled - direct
    kept = [
        c
        for c in step.candidates
        if step.uses(c) & direct <= c.direct and step.uses(c) & resident <= c.resident
    ]
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
