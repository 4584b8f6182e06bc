"""Plans side by side: each is lowered and simulated, and the fastest is taken.

The program decides with an estimate. What a job hides, where a wait ends up and how many barriers
the addresses ask for is only known behind all passes, so a plan that is estimated to be a little
slower can be faster.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue

from deeploy.instrumentation.pipeline import parse_passes
from deeploy.passes import get_all_passes
from deeploy.pipelines import MEMORY
from deeploy.planner.apply import apply_plan
from deeploy.planner.extract import Extracted, steps_of
from deeploy.planner.model import NoPlan, Options, solve
from deeploy.planner.policy import Policy, restrict
from deeploy.planner.problem import Plan, Problem
from deeploy.simulate import simulate
from deeploy.targets import target_of

SIMPLER: tuple[tuple[Policy, int | None], ...] = (
    ("best", 1),
    ("best", 2),
    ("accelerated", None),
    ("layerwise", None),
)
"""Restrictions, each a policy and a number of buffers, under which other plans are sought."""

CLOSE = 1.1
"""How much slower a plan may be estimated to be, to be simulated: estimates of whole networks are
within 10 % of the simulation (docs/simulator.md)."""

MOST_STEPS = 256
"""Of longer networks the plan is not tried: solving and lowering again takes as long as before."""


def fastest(
    ctx: Context,
    module: ModuleOp,
    function: func.FuncOp,
    extracted: Extracted,
    plan: Plan,
    options: Options,
) -> Plan:
    """Of a plan and those of simpler policies the one that takes fewest simulated cycles."""
    if len(extracted.steps) > MOST_STEPS:
        return plan
    rivals = list(find_rivals(extracted.problem, plan, options))
    if not rivals:
        return plan
    return min([plan, *rivals], key=lambda p: simulated_cycles(ctx, module, function, extracted, p))


def find_rivals(problem: Problem, plan: Plan, options: Options) -> Iterator[Plan]:
    """Plans under restrictions that a plan does not keep, where their estimate comes close."""
    for policy, buffers in SIMPLER:
        restricted = restrict(problem, policy, buffers)
        if keeps(plan, restricted):
            continue
        try:
            rival = solve(restricted, options)
        except NoPlan:
            continue
        if rival.cycles <= CLOSE * plan.cycles:
            yield replace(rival, gap=plan.gap, status=plan.status)


def keeps(plan: Plan, restricted: Problem) -> bool:
    """Whether a plan makes choices that a restricted problem has."""
    pairs = zip(plan.choices, restricted.steps, strict=True)
    return all(choice in step.candidates for choice, step in pairs)


def simulated_cycles(
    ctx: Context, module: ModuleOp, function: func.FuncOp, extracted: Extracted, plan: Plan
) -> int:
    """The cycles of a function once it is planned and lowered by the standard passes."""
    copied: dict[SSAValue, SSAValue] = {}
    copy = function.clone(copied)
    trial = ModuleOp([copy], dict(module.attributes))
    counterpart = Extracted(
        extracted.problem,
        tuple(tuple(copied[v] for v in values) for values in extracted.values),
        tuple(steps_of(copy)),
    )
    apply_plan(copy, counterpart, plan, target_of(module))
    for lowering in parse_passes(get_all_passes(), ",".join(MEMORY)):
        lowering.apply(ctx, trial)
    return simulate(trial).cycles
