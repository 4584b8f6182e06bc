"""plan: tile sizes, buffers, homes and addresses, by one mixed-integer program."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.utils.exceptions import PassFailedException

from deeploy.functions import functions_of
from deeploy.planner.apply import apply_plan
from deeploy.planner.extract import extract
from deeploy.planner.model import NoPlan, Options, solve
from deeploy.planner.policy import Policy, restrict
from deeploy.planner.presolve import in_use
from deeploy.planner.problem import Plan, Problem, Space, Step
from deeploy.planner.trial import fastest, keeps
from deeploy.targets import Target, target_of


@dataclass(frozen=True)
class PlanPass(ModulePass):
    """Choose tiles, buffers, homes and addresses of all nests together.

    `buffers`: 1 or 2 for every nest instead of the better one; `objective`: latency (cycles) or
    memory (bytes at the peak); `policy`: restrict it as simpler compilers do; `trials`: simulate
    the plans of simpler policies as well, where their estimates come close, and take the fastest.
    """

    name: ClassVar[str] = "plan"

    objective: Literal["latency", "memory"] = "latency"
    solver: Literal["highs", "cbc"] = "highs"
    buffers: int | None = None
    policy: Policy = "best"
    trials: bool = False
    max_seconds: float = 60.0

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.buffers not in (None, 1, 2):
            raise PassFailedException(f"buffers must be 1 or 2, not {self.buffers}")
        if self.trials and (self.is_restricted() or self.objective != "latency"):
            raise PassFailedException("trials are for the fastest plan, without restrictions")
        target = target_of(op)
        for function in functions_of(op):
            extracted = extract(function, target)
            check_fits(function, target, extracted.problem, self.buffers)
            plan = self.plan(extracted.problem)
            if self.trials:
                extracted, plan = fastest(ctx, op, function, extracted, plan, self.options())
            apply_plan(function, extracted, plan, target)

    def options(self) -> Options:
        """What the solver is told."""
        return Options(self.objective, self.solver, self.max_seconds)

    def is_restricted(self) -> bool:
        """Whether some candidates are ruled out."""
        return self.buffers is not None or self.policy != "best"

    def plan(self, problem: Problem) -> Plan:
        """The best plan; under restrictions the best of all, if that keeps them.

        Raises:
            PassFailedException: saying what does not fit.
        """
        restricted = restrict(problem, self.policy, self.buffers)
        if self.is_restricted():
            free = self.solve(problem)
            if keeps(free, restricted):
                return free
        return self.solve(restricted)

    def solve(self, problem: Problem) -> Plan:
        """Solve, or say what does not fit."""
        try:
            return solve(problem, self.options())
        except NoPlan as error:
            raise PassFailedException(f"{error}; {describe_demand(problem)}") from None


def check_fits(
    function: func.FuncOp, target: Target, problem: Problem, buffers: int | None
) -> None:
    """Check that each nest alone fits into the compute memory, with so many `buffers`.

    Raises:
        PassFailedException: naming the nest that needs most.
    """
    step = largest(problem, buffers)
    if step is None or step.smallest() <= problem.compute.size:
        return
    name, size = problem.compute.name, problem.compute.size
    raise PassFailedException(
        f"nest '{step.name}' does not fit: it needs at least {step.smallest()} bytes of {name}, "
        f"and {size} are given; the smallest budget for the whole network is "
        f"{smallest_budget(function, target, buffers)} bytes; give more {name}, fewer cores (less "
        "kernel scratch), or let 'buffers' be chosen"
    )


def largest(problem: Problem, buffers: int | None) -> Step | None:
    """The step that needs most of the compute memory."""
    steps = restrict(problem, "best", buffers).steps
    return max(steps, key=lambda s: s.smallest(), default=None)


def smallest_budget(function: func.FuncOp, target: Target, buffers: int | None) -> int:
    """The bytes of compute memory with which each nest fits; kernels use more where there is more.

    Raises:
        PassFailedException: if a nest cannot be planned.
    """
    problem = extract(function, target).problem
    step = largest(problem, buffers)
    if step is None or step.smallest() <= problem.compute.size:
        return problem.compute.size
    return smallest_budget(
        function, target.with_sizes(**{target.compute: step.smallest()}), buffers
    )


def describe_demand(problem: Problem) -> str:
    """Which memories are too small, in numbers: each by itself, or else all together."""
    homes = {name for t in problem.tensors for name in t.homes}
    together = [s for s in problem.spaces if s.name in homes or s == problem.compute]
    alone = [[space] for space in problem.spaces]
    short = [group for group in alone if least_in_use(problem, group) > group[0].size]
    return ", ".join(describe_group(problem, group) for group in short or [together])


def least_in_use(problem: Problem, group: Sequence[Space]) -> int:
    """The bytes that memories must hold together at the step that needs most of them."""
    names = {space.name for space in group}
    only = [t for t in problem.tensors if names.issuperset(t.homes) and not t.optional]
    used = in_use(only, len(problem.steps))
    if problem.compute in group:
        used = [n + step.smallest() for n, step in zip(used, problem.steps, strict=True)]
    return max(used, default=0) + least_of_alternatives(problem, names)


def least_of_alternatives(problem: Problem, names: set[str]) -> int:
    """The bytes of constants that alternatives read, in each step of the one with the fewest."""
    readers = Counter(t for step in problem.steps for t in step.tensors)
    sizes = [
        t.size if t.optional and readers[i] == 1 and names.issuperset(t.homes) else 0
        for i, t in enumerate(problem.tensors)
    ]
    return sum(
        min((sum(sizes[t] for t in way) for way in step.ways), default=0) for step in problem.steps
    )


def describe_group(problem: Problem, group: Sequence[Space]) -> str:
    """What memories must hold, and what they do."""
    names, size = " and ".join(space.name for space in group), sum(space.size for space in group)
    has = "has" if len(group) == 1 else "have together"
    return f"{names} must hold at least {least_in_use(problem, group)} bytes and {has} {size}"
