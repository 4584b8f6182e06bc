"""form-nests: wrap every placed graph op into a nest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.ir import Block, Region, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter

from deeploy.diagnostics import fail
from deeploy.dialects.graph import GraphOp, extent_of
from deeploy.dialects.tiled import NestOp, YieldOp
from deeploy.engines import ENGINE
from deeploy.functions import position_of


@dataclass(frozen=True)
class FormNestsPass(ModulePass):
    """Wrap each placed graph op into a `tiled.nest` of its own."""

    name: ClassVar[str] = "form-nests"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for graph_op in list(op.walk()):
            if isinstance(graph_op, GraphOp) and not isinstance(graph_op.parent_op(), NestOp):
                wrap(graph_op)


def position_for(op: GraphOp) -> list[SSAValue]:
    """The position, where a value of an op has a run-time extent."""
    if not any(map(extent_of, (*op.operands, *op.results))):
        return []
    function = op.parent_op()
    assert isinstance(function, func.FuncOp)
    position = position_of(function)
    if position is None:
        fail(op, "the function has no argument for the position", "see 'share-caches'")
    return [position]


def wrap(op: GraphOp) -> None:
    """Replace a graph op by a nest around it."""
    Rewriter.replace_op(op, nest_around(op))


def nest_around(op: GraphOp) -> NestOp:
    """A nest that computes what an op does."""
    engine = op.attributes.get(ENGINE)
    if not isinstance(engine, StringAttr):
        fail(op, "the op has no engine", "run 'place' first")
    block = Block(arg_types=[v.type for v in op.operands])
    for arg, operand in zip(block.args, op.operands, strict=True):
        arg.name_hint = operand.name_hint
    inner = op.clone()
    for i, arg in enumerate(block.args):
        inner.operands[i] = arg
    inner.location = op.location
    del inner.attributes[ENGINE]
    block.add_ops([inner, YieldOp(operands=[inner.results])])
    nest = NestOp(
        operands=[op.operands, [], position_for(op)],
        result_types=[[r.type for r in op.results]],
        properties={"engine": engine},
        regions=[Region(block)],
    )
    nest.location = op.location
    return nest
