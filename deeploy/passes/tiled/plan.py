"""plan: tile sizes, buffers, homes and addresses, by one mixed-integer program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import (
    ArrayAttr,
    DictionaryAttr,
    Float64Type,
    FloatAttr,
    IntegerAttr,
    ModuleOp,
    StringAttr,
    i64,
)
from xdsl.ir import Attribute, BlockArgument, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter
from xdsl.utils.exceptions import PassFailedException

from deeploy.dialects.graph import ConstantOp, ints
from deeploy.dialects.mem import HOME, OFFSET
from deeploy.dialects.tiled import AlternativesOp
from deeploy.functions import functions_of, owner_of
from deeploy.planner.extract import Extracted, extract, root_of, ways_of
from deeploy.planner.homes import padded_bytes
from deeploy.planner.model import NoPlan, Options, solve
from deeploy.planner.policy import Policy, restrict
from deeploy.planner.presolve import in_use
from deeploy.planner.problem import Plan, Problem, Step
from deeploy.targets import Target, target_of

SUMMARY = "tiled.plan"
"""Attribute of the function with solver status, gap, seconds and estimated cycles."""


@dataclass(frozen=True)
class PlanPass(ModulePass):
    """Choose tiles, buffers, homes and addresses of all nests together.

    `buffers`: 1 or 2 for every nest instead of the better one; `objective`: latency (cycles) or
    memory (bytes at the peak); `policy`: restrict it as simpler compilers do.
    """

    name: ClassVar[str] = "plan"

    objective: Literal["latency", "memory"] = "latency"
    solver: Literal["highs", "cbc"] = "highs"
    buffers: int | None = None
    policy: Policy = "best"
    max_seconds: float = 60.0

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.buffers not in (None, 1, 2):
            raise PassFailedException(f"buffers must be 1 or 2, not {self.buffers}")
        target = target_of(op)
        for function in functions_of(op):
            extracted = extract(function, target, self.buffers)
            check_fits(function, target, extracted.problem, self.buffers)
            plan = self.solve(restrict(extracted.problem, self.policy))
            annotate(function, extracted, plan, target)
            take_ways(extracted, plan)

    def solve(self, problem: Problem) -> Plan:
        """Solve, or say what does not fit."""
        try:
            return solve(problem, Options(self.objective, self.solver, self.max_seconds))
        except NoPlan as error:
            raise PassFailedException(f"{error}; {describe_demand(problem)}") from None


def check_fits(
    function: func.FuncOp, target: Target, problem: Problem, buffers: int | None
) -> None:
    """Check that each nest alone fits into the compute memory.

    Raises:
        PassFailedException: naming the nest that needs most.
    """
    step = largest(problem)
    if step is None or step.smallest() <= problem.compute.size:
        return
    name, size = problem.compute.name, problem.compute.size
    raise PassFailedException(
        f"nest '{step.name}' does not fit: it needs at least {step.smallest()} bytes of {name}, "
        f"and {size} are given; the smallest budget for the whole network is "
        f"{smallest_budget(function, target, buffers)} bytes; give more {name}, fewer cores (less "
        "kernel scratch), or let 'buffers' be chosen"
    )


def largest(problem: Problem) -> Step | None:
    """The step that needs most of the compute memory."""
    return max(problem.steps, key=lambda s: s.smallest(), default=None)


def smallest_budget(function: func.FuncOp, target: Target, buffers: int | None) -> int:
    """The bytes of compute memory with which each nest fits; kernels use more where there is more.

    Raises:
        PassFailedException: if a nest cannot be planned.
    """
    problem = extract(function, target, buffers).problem
    step = largest(problem)
    if step is None or step.smallest() <= problem.compute.size:
        return problem.compute.size
    return smallest_budget(
        function, target.with_sizes(**{target.compute: step.smallest()}), buffers
    )


def describe_demand(problem: Problem) -> str:
    """Which memory is too small, in numbers."""
    parts: list[str] = []
    for space in problem.spaces:
        only = [t for t in problem.tensors if t.homes == (space.name,) and not t.optional]
        if not only:
            continue
        used = in_use(only, len(problem.steps))
        if space == problem.compute:
            used = [n + step.smallest() for n, step in zip(used, problem.steps, strict=True)]
        peak = max(used, default=0)
        parts.append(f"{space.name} must hold at least {peak} bytes and has {space.size}")
    return ", ".join(parts)


def find_places(
    extracted: Extracted, plan: Plan, target: Target
) -> dict[SSAValue, tuple[str, int]]:
    """Home and address of each value."""
    found: dict[SSAValue, tuple[str, int]] = {}
    tensors = zip(extracted.problem.tensors, extracted.values, strict=True)
    for (tensor, values), home, offset in zip(tensors, plan.homes, plan.offsets, strict=True):
        for value in values:
            found[value] = home, offset
            offset += padded_bytes(value, tensor.homes, target)
    return found


def annotate(function: func.FuncOp, extracted: Extracted, plan: Plan, target: Target) -> None:
    """Write a plan into the IR."""
    placed = find_places(extracted, plan, target)
    for step, choice, scratch in zip(extracted.steps, plan.choices, plan.scratch, strict=True):
        nest = ways_of(step)[choice.way]
        nest.tile = ints(choice.tile)
        nest.order = ints(choice.order)
        nest.buffers = IntegerAttr(choice.buffers, i64)
        nest.scratch = IntegerAttr(scratch, i64)
        nest.cycles = IntegerAttr(choice.cycles, i64)
        places = [placed[root_of(result)] for result in step.results]
        nest.homes = ArrayAttr([StringAttr(home) for home, _ in places])
        nest.offsets = ints([offset for _, offset in places])
    arguments: list[dict[str, Attribute]] = [{} for _ in function.body.block.args]
    for value, (home, offset) in placed.items():
        if not home:
            continue
        attributes: dict[str, Attribute] = {
            HOME: StringAttr(home),
            OFFSET: IntegerAttr(offset, i64),
        }
        if isinstance(value, BlockArgument):
            arguments[value.index] = attributes
        elif isinstance(value.owner, ConstantOp):
            value.owner.attributes.update(attributes)
    set_argument_attributes(function, arguments)
    function.attributes[SUMMARY] = DictionaryAttr(
        {
            "status": StringAttr(plan.status),
            "gap": FloatAttr(plan.gap, Float64Type()),
            "cycles": IntegerAttr(plan.cycles, i64),
        }
    )


def take_ways(extracted: Extracted, plan: Plan) -> None:
    """Replace alternatives by the nests taken, and drop constants that only others use."""
    for step, choice in zip(extracted.steps, plan.choices, strict=True):
        if isinstance(step, AlternativesOp):
            nest = step.nests()[choice.way]
            nest.detach()
            for old, new in zip(step.results, nest.results, strict=True):
                new.name_hint = old.name_hint
            Rewriter.replace_op(step, nest)
    for values, home in zip(extracted.values, plan.homes, strict=True):
        if not home:
            for value in values:
                Rewriter.erase_op(owner_of(value))


def set_argument_attributes(function: func.FuncOp, added: list[dict[str, Attribute]]) -> None:
    """Add attributes to the arguments of a function."""
    known = function.arg_attrs.data if function.arg_attrs else [DictionaryAttr({})] * len(added)
    function.arg_attrs = ArrayAttr(
        [DictionaryAttr({**old.data, **new}) for old, new in zip(known, added, strict=True)]
    )
