"""Writes a plan into the IR."""

from __future__ import annotations

from xdsl.dialects import func
from xdsl.dialects.builtin import (
    ArrayAttr,
    DictionaryAttr,
    Float64Type,
    FloatAttr,
    IntegerAttr,
    StringAttr,
    i64,
)
from xdsl.ir import Attribute, BlockArgument, SSAValue
from xdsl.rewriter import Rewriter

from deeploy.dialects.graph import ConstantOp, ints
from deeploy.dialects.mem import HOME, OFFSET
from deeploy.dialects.tiled import AlternativesOp
from deeploy.functions import owner_of
from deeploy.planner.extract import Extracted, root_of, ways_of
from deeploy.planner.homes import padded_bytes
from deeploy.planner.problem import Plan
from deeploy.targets import Target

SUMMARY = "tiled.plan"
"""Attribute of the function with solver status, gap and estimated cycles."""


def apply_plan(function: func.FuncOp, extracted: Extracted, plan: Plan, target: Target) -> None:
    """Annotate nests, arguments and constants, and leave one nest of each step."""
    annotate(function, extracted, plan, target)
    take_ways(extracted, plan)


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
            take_way(step, choice.way)
    for values, home in zip(extracted.values, plan.homes, strict=True):
        if not home:
            for value in values:
                Rewriter.erase_op(owner_of(value))


def take_way(step: AlternativesOp, way: int) -> None:
    """Replace alternatives by one of their nests."""
    nest = step.nests()[way]
    nest.detach()
    for old, new in zip(step.results, nest.results, strict=True):
        new.name_hint = old.name_hint
    Rewriter.replace_op(step, nest)


def set_argument_attributes(function: func.FuncOp, added: list[dict[str, Attribute]]) -> None:
    """Add attributes to the arguments of a function."""
    known = function.arg_attrs.data if function.arg_attrs else [DictionaryAttr({})] * len(added)
    function.arg_attrs = ArrayAttr(
        [DictionaryAttr({**old.data, **new}) for old, new in zip(known, added, strict=True)]
    )
