"""Plans side by side: each is lowered and simulated, and the fastest is taken.

The program decides with an estimate. What a job hides, where a wait ends up and how many barriers
the addresses ask for is only known behind all passes, so a plan that is estimated to be a little
slower can be faster.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue
from xdsl.rewriter import Rewriter

from deeploy.dialects.graph import ConstantOp
from deeploy.dialects.tiled import AlternativesOp
from deeploy.instrumentation.pipeline import parse_passes
from deeploy.passes import get_all_passes
from deeploy.pipelines import MEMORY
from deeploy.planner.apply import apply_plan, take_way
from deeploy.planner.extract import Extracted, extract, steps_of
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
"""Restrictions, each a policy and a number of buffers, under which other plans are sought.
One more goes without what engines offered."""

CLOSE = 1.1
"""How much slower a plan may be estimated to be, to be simulated: estimates of whole networks are
within 10 % of the simulation (docs/simulator.md)."""

MOST_STEPS = 256
"""Of longer networks the plan is not tried: solving and lowering again takes as long as before."""


@dataclass(frozen=True)
class Trial:
    """A plan, and the function for which it was made."""

    function: func.FuncOp
    extracted: Extracted
    plan: Plan


def fastest(
    ctx: Context,
    module: ModuleOp,
    function: func.FuncOp,
    extracted: Extracted,
    plan: Plan,
    options: Options,
) -> tuple[Extracted, Plan]:
    """Of a plan and those of simpler policies the one that takes fewest simulated cycles.

    If that is one without what engines offered, the function loses it.
    """
    if len(extracted.steps) > MOST_STEPS:
        return extracted, plan
    target = target_of(module)
    rivals = [Trial(function, extracted, p) for p in find_rivals(extracted.problem, plan, options)]
    if any(isinstance(step, AlternativesOp) for step in extracted.steps):
        # constants of offers compete for homes, so this is a problem of its own
        plain = function.clone()
        drop_offers(plain)
        alone = extract(plain, target)
        rivals += [Trial(plain, alone, p) for p in close_plans(alone.problem, plan, options)]
    if not rivals:
        return extracted, plan
    trials = [Trial(function, extracted, plan), *rivals]
    best = min(trials, key=lambda t: simulated_cycles(ctx, module, t))
    if best.function is function:
        return extracted, best.plan
    drop_offers(function)
    return extract(function, target), best.plan


def drop_offers(function: func.FuncOp) -> None:
    """Leave the nests as they were before engines offered others."""
    for step in steps_of(function):
        if isinstance(step, AlternativesOp):
            take_way(step, 0)
    for op in list(function.body.block.ops):
        if isinstance(op, ConstantOp) and op.result.first_use is None:
            Rewriter.erase_op(op)


def find_rivals(problem: Problem, plan: Plan, options: Options) -> Iterator[Plan]:
    """Plans under restrictions that a plan does not keep, where their estimate comes close."""
    for policy, buffers in SIMPLER:
        restricted = restrict(problem, policy, buffers)
        if not keeps(plan, restricted):
            yield from close_plans(restricted, plan, options)


def close_plans(problem: Problem, plan: Plan, options: Options) -> Iterator[Plan]:
    """The best plan of a problem, if there is one and its estimate comes close to that of `plan`;
    with the gap that is known of the latter."""
    with suppress(NoPlan):
        rival = solve(problem, options)
        if rival.cycles <= CLOSE * plan.cycles:
            yield replace(rival, gap=plan.gap, status=plan.status)


def keeps(plan: Plan, restricted: Problem) -> bool:
    """Whether a plan makes choices that a restricted problem has."""
    pairs = zip(plan.choices, restricted.steps, strict=True)
    return all(choice in step.candidates for choice, step in pairs)


def simulated_cycles(ctx: Context, module: ModuleOp, trial: Trial) -> int:
    """The cycles of a function once it is planned and lowered by the standard passes."""
    copied: dict[SSAValue, SSAValue] = {}
    copy = trial.function.clone(copied)
    program = ModuleOp([copy], dict(module.attributes))
    counterpart = Extracted(
        trial.extracted.problem,
        tuple(tuple(copied[v] for v in values) for values in trial.extracted.values),
        tuple(steps_of(copy)),
    )
    apply_plan(copy, counterpart, trial.plan, target_of(module))
    for lowering in parse_passes(get_all_passes(), ",".join(MEMORY)):
        lowering.apply(ctx, program)
    return simulate(program).cycles
