"""A quick plan: the warm start of the solver, and what is left when it finds nothing in time."""

from __future__ import annotations

from collections.abc import Sequence

from deeploy.planner.problem import Candidate, Problem


def greedy_choices(problem: Problem) -> tuple[Candidate, ...] | None:
    """Candidates that fit step by step, with tensors kept in the compute memory one by one.

    None if some step does not fit even when nothing stays. Addresses are not looked at.
    """
    resident = _readable_in_place(problem)
    choices = _choose(problem, resident)
    if choices is None:
        return None
    compute = problem.compute.name
    by_lifetime = sorted(
        (
            i
            for i, t in enumerate(problem.tensors)
            if compute in t.homes and len(t.homes) > 1 and problem.near(t) == compute
        ),
        key=lambda i: (problem.tensors[i].last - problem.tensors[i].first, i),
    )
    for i in by_lifetime:
        attempt = _choose(problem, resident | {i})
        if attempt is not None and _cycles(attempt) < _cycles(choices):
            resident, choices = resident | {i}, attempt
    return choices


def _readable_in_place(problem: Problem) -> frozenset[int]:
    """Tensors that engines read from memories of their own, as far as these have room."""
    room = {space.name: space.size for space in problem.spaces[1:]}
    chosen: set[int] = set()
    for i, tensor in enumerate(problem.tensors):
        near = problem.near(tensor)
        if near in tensor.homes and tensor.size <= room.get(near, 0):
            room[near] -= tensor.size
            chosen.add(i)
    return frozenset(chosen)


def _cycles(choices: Sequence[Candidate]) -> int:
    return sum(c.cycles for c in choices)


def _choose(problem: Problem, resident: frozenset[int]) -> tuple[Candidate, ...] | None:
    choices: list[Candidate] = []
    for n, step in enumerate(problem.steps):
        live = sum(
            problem.tensors[i].size
            for i in resident
            if problem.tensors[i].first <= n <= problem.tensors[i].last
            and problem.near(problem.tensors[i]) == problem.compute.name
        )
        fitting = [
            c
            for c in step.candidates
            if c.resident == resident & step.uses(c) and c.scratch + live <= problem.compute.size
        ]
        if not fitting:
            return None
        choices.append(min(fitting, key=lambda c: (c.cycles, c.scratch)))
    return tuple(choices)
