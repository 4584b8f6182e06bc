"""Restrictions of a plan, to compare it with what simpler compilers do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Literal, TypeAlias

from deeploy.planner.problem import Candidate, Problem, Step, align_up

Policy: TypeAlias = Literal["best", "accelerated", "layerwise"]
"""`best` leaves everything to the program; `accelerated` takes an alternative nest wherever there
is one that fits; `layerwise` keeps nothing in the compute memory from one nest to the next, and
neither constants nor states from one inference to the next."""


def restrict(problem: Problem, policy: Policy, buffers: int | None = None) -> Problem:
    """The problem with the candidates that a policy allows, and with so many `buffers` for each
    tile that moves."""
    steps = tuple(replace(s, candidates=buffered(s.candidates, buffers)) for s in problem.steps)
    return allowed(replace(problem, steps=steps), policy)


def allowed(problem: Problem, policy: Policy) -> Problem:
    """The problem with the candidates that a policy allows."""
    match policy:
        case "best":
            return problem
        case "accelerated":
            steps = accelerated(problem)
        case "layerwise":
            steps = [replace(s, candidates=layerwise(s)) for s in problem.steps]
    return replace(problem, steps=tuple(steps))


def buffered(candidates: tuple[Candidate, ...], buffers: int | None) -> tuple[Candidate, ...]:
    """Candidates with so many buffers; what is not cut has a single one in any case."""
    return tuple(c for c in candidates if buffers in (None, c.buffers) or not c.order)


def accelerated(problem: Problem) -> Iterator[Step]:
    """Steps with candidates of alternatives only, where one of them fits beside those of the steps
    before it."""
    room = {space.name: space.size for space in problem.spaces}
    for step in problem.steps:
        others = tuple(c for c in step.candidates if c.way)
        ways = {c.direct for c in others if c.scratch <= problem.compute.size and not c.resident}
        for direct in sorted(ways, key=lambda d: (len(d), sorted(d))):
            taken = bytes_direct(problem, direct)
            if all(room[name] >= size for name, size in taken.items()):
                for name, size in taken.items():
                    room[name] -= size
                yield replace(step, candidates=others)
                break
        else:
            yield step


def bytes_direct(problem: Problem, tensors: Iterable[int]) -> Counter[str]:
    """What tensors take of the memories from which an engine reads them."""
    aligns = {space.name: space.align for space in problem.spaces}
    taken: Counter[str] = Counter()
    for tensor in (problem.tensors[t] for t in tensors):
        taken[tensor.near] += align_up(tensor.size, aligns[tensor.near])
    return taken


def layerwise(step: Step) -> tuple[Candidate, ...]:
    """Candidates that use nothing in the compute memory."""
    return tuple(c for c in step.candidates if not c.resident)
