"""Presolving: a smaller problem with the same best plan."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from planning_helpers import problems

from deeploy.planner.model import NoPlan, Options, Program
from deeploy.planner.presolve import presolve
from deeploy.planner.problem import Problem


def best_cycles(problem: Problem) -> int | None:
    """Cycles of the best plan in terms of bytes in use; None if there is none."""
    try:
        return sum(c.cycles for c in Program(problem, Options()).solve().choices)
    except NoPlan:
        return None


@settings(max_examples=60, deadline=None)
@given(problems(steps=5, tensors=6))
def test_the_best_plan_stays(problem: Problem) -> None:
    assert best_cycles(presolve(problem)) == best_cycles(problem)


@settings(max_examples=20, deadline=None)
@given(problems(steps=5, tensors=6))
def test_where_there_is_room_nothing_is_left_to_choose_for_tiles(problem: Problem) -> None:
    spaces = tuple(replace(space, size=1 << 30) for space in problem.spaces)
    smaller = presolve(replace(problem, spaces=spaces))
    for step in smaller.steps:
        agreements = [(c.way, c.resident, c.direct) for c in step.candidates]
        assert len(agreements) == len(set(agreements))
