"""Policies leave the candidates that they promise."""

from __future__ import annotations

from deeploy.planner.model import Options, solve
from deeploy.planner.policy import restrict
from deeploy.planner.problem import Candidate, Problem, Space, Step, Tensor

CORES = Candidate(10, 16, frozenset(), (1,), (), 1, way=0)
CORES_IN_PLACE = Candidate(5, 8, frozenset({0}), (1,), (), 1, way=0)
ACCELERATOR = Candidate(20, 16, frozenset(), (1,), (), 1, way=1)
LARGE = Candidate(1, 4096, frozenset(), (1,), (), 1, way=1)


def problem(*candidates: Candidate) -> Problem:
    """One step that uses one tensor, which may lie in the compute memory."""
    tensor = Tensor("t", 16, 0, 0, ("L1", "L2"))
    used = frozenset({0})
    step = Step("s", used, candidates, (0,), (used, used))
    return Problem((tensor,), (step,), (Space("L1", 64, 4), Space("L2", 64, 4, 8.0)))


def chosen(limited: Problem) -> Candidate:
    return solve(limited, Options()).choices[0]


def test_best_is_unrestricted() -> None:
    everything = problem(CORES, CORES_IN_PLACE, ACCELERATOR)
    assert restrict(everything, "best") == everything
    assert chosen(everything) == CORES_IN_PLACE


def test_accelerated_takes_the_slower_alternative() -> None:
    limited = restrict(problem(CORES, CORES_IN_PLACE, ACCELERATOR), "accelerated")
    assert chosen(limited) == ACCELERATOR


def test_accelerated_leaves_what_fits_nowhere_else() -> None:
    limited = restrict(problem(CORES, CORES_IN_PLACE, LARGE), "accelerated")
    assert chosen(limited) == CORES_IN_PLACE


def test_accelerated_counts_what_engines_read_from_memories_of_their_own() -> None:
    """Only the first one's weights have room there, and no alternative fits without."""
    weights = [Tensor(name, 16, 0, 1, ("L2", "W"), near="W") for name in ("a", "b")]
    spaces = (Space("L1", 64, 4), Space("L2", 64, 4, 8.0), Space("W", 24, 8))
    steps: list[Step] = []
    for i in range(2):
        used = frozenset({i})
        direct = Candidate(20, 16, frozenset(), (1,), (), 1, way=1, direct=used)
        large = Candidate(30, 4096, frozenset(), (1,), (), 1, way=1)
        steps.append(Step("s", used, (CORES, large, direct), (i,), (frozenset(), used)))
    limited = restrict(Problem(tuple(weights), tuple(steps), spaces), "accelerated")
    assert [c.way for c in solve(limited, Options()).choices] == [1, 0]


def test_policies_look_at_what_the_number_of_buffers_leaves() -> None:
    one, two = (
        Candidate(20, size, frozenset(), (1,), (0,), buffers, way=1)
        for size, buffers in ((16, 1), (4096, 2))
    )
    assert chosen(restrict(problem(CORES, one, two), "accelerated", 2)) == CORES


def test_layerwise_keeps_nothing() -> None:
    limited = restrict(problem(CORES, CORES_IN_PLACE, ACCELERATOR), "layerwise")
    assert chosen(limited) == CORES
