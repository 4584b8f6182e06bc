"""Restrictions of a plan, to compare it with what simpler compilers do."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, TypeAlias

from deeploy.planner.problem import Candidate, Problem, Step

Policy: TypeAlias = Literal["best", "accelerated", "layerwise"]
"""`best` leaves everything to the program; `accelerated` takes an alternative nest wherever there
is one that fits; `layerwise` keeps nothing in the compute memory from one nest to the next, and
neither constants nor states from one inference to the next."""


def restrict(problem: Problem, policy: Policy) -> Problem:
    """The problem with the candidates that a policy allows."""
    if policy == "best":
        return problem
    steps = tuple(
        replace(s, candidates=layerwise(s) if policy == "layerwise" else accelerated(problem, s))
        for s in problem.steps
    )
    return replace(problem, steps=steps)


def accelerated(problem: Problem, step: Step) -> tuple[Candidate, ...]:
    """Candidates of alternatives, where one of them fits."""
    others = [c for c in step.candidates if c.way]
    fits = any(c.scratch <= problem.compute.size and not c.resident for c in others)
    return tuple(others) if fits else step.candidates


def layerwise(step: Step) -> tuple[Candidate, ...]:
    """Candidates that use nothing in the compute memory."""
    return tuple(c for c in step.candidates if not c.resident)
