"""The mixed-integer program against trying everything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from unittest import mock

import mip
import pytest
from hypothesis import given, settings
from planning_helpers import (
    assert_apart,
    assert_valid,
    blocks_in,
    fewest_cycles,
    problems,
    smallest_height,
)

from deeploy.planner.greedy import greedy_choices
from deeploy.planner.model import NoPlan, Options, solve
from deeploy.planner.packing import Block, pack, peak_demand
from deeploy.planner.problem import Candidate, Plan, Problem, Space, Step, Tensor, align_up

# blocks for which first fit needs 48 bytes in every order that is tried, and 44 are enough
FRAGMENTED = (
    Block(4, 3, 3),
    Block(20, 0, 2),
    Block(12, 3, 3),
    Block(16, 2, 4),
    Block(12, 3, 5),
)


def plan_of(problem: Problem, **options: object) -> Plan | None:
    try:
        return solve(problem, Options(**options))  # pyright: ignore
    except NoPlan:
        return None


def peak_bytes(problem: Problem, plan: Plan) -> int:
    """The most bytes in use in each memory, added up: what `objective=memory` minimises."""
    return sum(peak_demand([b for b, _ in blocks_in(plan, problem, s)]) for s in problem.spaces)


@settings(max_examples=200, deadline=None)
@given(problems())
def test_plans_are_the_best_ones(problem: Problem) -> None:
    best = fewest_cycles(problem)
    plan = plan_of(problem)
    assert (plan is None) == (best is None)
    if plan is not None:
        assert_valid(plan, problem)
        assert (plan.cycles, plan.status) == (best, "optimal")
        assert plan.gap <= 1e-4


@settings(max_examples=60, deadline=None)
@given(problems(steps=5, tensors=6))
def test_solvers_agree_and_repeat(problem: Problem) -> None:
    plans = [plan_of(problem, solver=solver) for solver in ("highs", "highs", "cbc")]
    if plans[0] is None:
        assert plans == [None] * 3
        return
    first, second, other = (replace(p, seconds=0.0) for p in plans if p is not None)
    assert first == second
    assert_valid(other, problem)
    assert first.cycles == other.cycles


@settings(max_examples=60, deadline=None)
@given(problems(steps=4, tensors=5))
def test_memory_objective_needs_no_more_bytes(problem: Problem) -> None:
    fast, small = plan_of(problem), plan_of(problem, objective="memory")
    assert (fast is None) == (small is None)
    if fast is not None and small is not None:
        assert_valid(small, problem)
        assert peak_bytes(problem, small) <= peak_bytes(problem, fast)
        assert fast.cycles <= small.cycles


@settings(max_examples=200, deadline=None)
@given(problems(steps=5, tensors=6))
def test_greedy_plans_fit_step_by_step(problem: Problem) -> None:
    choices = greedy_choices(problem)
    if choices is None:
        smallest = [min(c.scratch for c in s.candidates if not c.resident) for s in problem.steps]
        assert max(smallest) > problem.compute.size
        return
    resident = frozenset[int]().union(*(c.resident for c in choices))
    for n, (step, choice) in enumerate(zip(problem.steps, choices, strict=True)):
        assert choice in step.candidates
        assert choice.resident == resident & step.tensors
        live = [problem.tensors[i] for i in resident]
        used = sum(t.size for t in live if t.first <= n <= t.last)
        assert used + choice.scratch <= problem.compute.size


@settings(max_examples=60, deadline=None)
@given(problems(steps=5, tensors=6))
def test_greedy_plan_where_the_solver_finds_nothing_in_time(problem: Problem) -> None:
    """The plan keeps all promises but that of being the best; without one there is no plan."""
    nothing = mip.OptimizationStatus.NO_SOLUTION_FOUND
    with (
        mock.patch.object(mip.Model, "optimize", lambda self, max_seconds: nothing),
        mock.patch.object(mip.Model, "num_solutions", 0),
    ):
        plan = plan_of(problem)
    if plan is None:
        return
    assert_valid(plan, problem)
    assert plan.status == "greedy"
    assert plan.gap > 0.0


# --- Addresses ------------------------------------------------------------------------------------


def fragmented(size: int, blocks: tuple[Block, ...] = FRAGMENTED) -> Problem:
    """Tensors that have to be in L1, and steps that only pass time."""
    tensors = tuple(Tensor(f"t{i}", b.size, b.first, b.last, ("L1",)) for i, b in enumerate(blocks))
    idle = Candidate(1, 0, frozenset(), (), (), 1)
    steps = tuple(Step(f"s{n}", frozenset(), (idle,)) for n in range(6))
    return Problem(tensors, steps, (Space("L1", size, 4), Space("L2", 1000, 4, 8.0)))


def test_example_is_fragmented() -> None:
    assert pack(FRAGMENTED, 4)[1] == 48
    assert smallest_height(FRAGMENTED, 4) == peak_demand(FRAGMENTED) == 44


@pytest.mark.parametrize("solver", ["highs", "cbc"])
def test_addresses_are_solved_for_where_first_fit_fails(solver: str) -> None:
    problem = fragmented(44)
    plan = plan_of(problem, solver=solver)
    assert plan is not None
    assert_valid(plan, problem)


def test_too_small_by_one_unit() -> None:
    assert plan_of(fragmented(40)) is None


def test_fragmentation_in_both_memories() -> None:
    near, far = fragmented(44).tensors, fragmented(44).tensors
    tensors = (*near, *(replace(t, homes=("L2",)) for t in far))
    problem = replace(
        fragmented(44), tensors=tensors, spaces=(Space("L1", 44, 4), Space("L2", 44, 4, 8.0))
    )
    plan = plan_of(problem)
    assert plan is not None
    assert_valid(plan, problem)


def stacked(blocks: Sequence[Block], align: int) -> tuple[list[int], int]:
    """The worst packing: nothing shares memory over time."""
    offsets, end = [], 0
    for block in blocks:
        offsets.append(end)
        end += align_up(block.size, align)
    return offsets, end


@settings(max_examples=200, deadline=None)
@given(problems())
def test_program_finds_all_addresses_by_itself(problem: Problem) -> None:
    """Where first fit is bad in every memory, also in one that only fills up on the way."""
    best = fewest_cycles(problem)
    with mock.patch("deeploy.planner.addresses.pack", stacked):
        plan = plan_of(problem)
    assert (plan is None) == (best is None)
    if plan is not None:
        assert_valid(plan, problem)
        assert plan.cycles == best


# --- Memories of different speed ------------------------------------------------------------------


def two_speeds(fast: int) -> Problem:
    """Constants of which the second is read twice; L2 is faster than L3, and may be too small."""
    tensors = tuple(Tensor(f"w{i}", 64, 0, 2, ("L2", "L3")) for i in range(3))
    idle = Candidate(10, 4, frozenset(), (1,), (), 1)
    reads = ((0,), (1, 2), (1,))
    steps = tuple(Step(f"s{n}", frozenset(), (idle,), operands) for n, operands in enumerate(reads))
    return Problem(
        tensors, steps, (Space("L1", 64, 4), Space("L2", fast, 4, 8.0), Space("L3", 999, 4, 0.5))
    )


@pytest.mark.parametrize(("fast", "in_fast"), [(192, 3), (128, 2), (64, 1), (0, 0)])
def test_what_is_read_most_lies_in_the_fast_memory(fast: int, in_fast: int) -> None:
    plan = plan_of(two_speeds(fast))
    assert plan is not None
    assert_valid(plan, two_speeds(fast))
    assert plan.homes.count("L2") == in_fast
    assert plan.homes[1] == ("L2" if in_fast else "L3")


# --- What does not fit ----------------------------------------------------------------------------


def test_capacity() -> None:
    def problem(near: int, far: int) -> Problem:
        tensors = (Tensor("a", 16, 0, 0, ("L2",)), Tensor("b", 8, 0, 0, ("L1", "L2")))
        choices = (
            Candidate(9, 8, frozenset(), (1,), (), 1),
            Candidate(1, 8, frozenset({1}), (1,), (), 1),
        )
        spaces = (Space("L1", near, 4), Space("L2", far, 4, 8.0))
        return Problem(tensors, (Step("s", frozenset({1}), choices),), spaces)

    plans = [plan_of(problem(near, 100)) for near in (4, 8, 12, 16)]
    assert [plan and plan.cycles for plan in plans] == [None, 9, 9, 1]
    assert plan_of(problem(16, 16)) is not None
    assert plan_of(problem(12, 16)) is None
    assert plan_of(problem(16, 12)) is None


def test_alignment_is_kept_by_the_addresses_of_the_program() -> None:
    problem = fragmented(44)
    scaled = tuple(replace(t, size=t.size * 4) for t in problem.tensors)
    problem = replace(
        problem, tensors=scaled, spaces=(Space("L1", 176, 16), Space("L2", 1600, 16, 8.0))
    )
    plan = plan_of(problem)
    assert plan is not None
    assert_apart(blocks_in(plan, problem, problem.compute), 16)


def test_a_network_without_steps() -> None:
    plan = plan_of(Problem((), (), (Space("L1", 16, 4), Space("L2", 16, 4, 8.0))))
    assert plan is not None
    assert (plan.cycles, plan.choices) == (0, ())


def with_loads_ahead(early: int) -> Problem:
    """Two steps with 40 bytes of tiles in a memory of 128, and a constant of 64 bytes that saves
    the second one a cycle where it lies in this memory; both load `early` cycles ahead."""
    near, far = Space("L1", 128, 4), Space("L2", 1024, 4, 8.0)
    constant = Tensor("w", 64, 0, 1, ("L1", "L2"), lasting=True)
    first = Candidate(10, 40, frozenset(), (1,), (), 1, early=early)
    moved = Candidate(10, 40, frozenset(), (1,), (), 1, early=early)
    stays = Candidate(9, 40, frozenset([0]), (1,), (), 1, early=early)
    steps = (
        Step("a", frozenset(), (first,)),
        Step("b", frozenset([0]), (moved, stays), (0,), (frozenset([0]),)),
    )
    return Problem((constant,), steps, (near, far))


@pytest.mark.parametrize(("early", "home"), [(0, "L1"), (5, "L2")])
def test_what_stays_leaves_room_for_loads_ahead(early: int, home: str) -> None:
    problem = with_loads_ahead(early)
    assert problem.most_lasting() == (128 - 80 * 5 // 4 if early else 128)
    plan = plan_of(problem)
    assert plan is not None
    assert plan.homes == (home,)


def test_what_must_stay_takes_the_room_for_loads_ahead() -> None:
    problem = with_loads_ahead(5)
    near, far = problem.spaces
    plan = plan_of(replace(problem, spaces=(near, replace(far, size=32))))
    assert plan is not None
    assert plan.homes == ("L1",)
