"""Restrictions of a plan, to compare it with what simpler compilers do."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, TypeAlias

from deeploy.planner.problem import Candidate, Problem, Step

Policy: TypeAlias = Literal["best", "accelerated", "layerwise"]
"""`best` leaves everything to the program; `accelerated` takes an alternative nest wherever there
is one that fits; `layerwise` keeps nothing in the compute memory from one nest to the next, and
neither constants nor states from one inference to the next."""


def restrict(problem: Problem, policy: Policy, buffers: int | None = None) -> Problem:
    """The problem with the candidates that a policy allows, and with so many `buffers` for each
    tile that moves."""
    steps = tuple(
        replace(s, candidates=buffered(allowed(problem, s, policy), buffers)) for s in problem.steps
    )
    return replace(problem, steps=steps)


def allowed(problem: Problem, step: Step, policy: Policy) -> tuple[Candidate, ...]:
    """Candidates that a policy allows."""
    match policy:
        case "best":
            return step.candidates
        case "accelerated":
            return accelerated(problem, step)
        case "layerwise":
            return layerwise(step)


def buffered(candidates: tuple[Candidate, ...], buffers: int | None) -> tuple[Candidate, ...]:
    """Candidates with so many buffers; what is not cut has a single one in any case."""
    return tuple(c for c in candidates if buffers in (None, c.buffers) or not c.order)


def accelerated(problem: Problem, step: Step) -> tuple[Candidate, ...]:
    """Candidates of alternatives, where one of them fits."""
    others = [c for c in step.candidates if c.way]
    fits = any(c.scratch <= problem.compute.size and not c.resident for c in others)
    return tuple(others) if fits else step.candidates


def layerwise(step: Step) -> tuple[Candidate, ...]:
    """Candidates that use nothing in the compute memory."""
    return tuple(c for c in step.candidates if not c.resident)
