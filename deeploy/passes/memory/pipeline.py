"""pipeline: load the next tile and store the last one while a tile is computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects import arith, memref, scf
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter
from xdsl.transforms.common_subexpression_elimination import cse

from deeploy.diagnostics import fail
from deeploy.dialects.computation import ComputeOp
from deeploy.dialects.dma import StartOp, WaitOp
from deeploy.dialects.graph import GraphOp
from deeploy.dialects.tiled import NestOp
from deeploy.functions import functions_of
from deeploy.passes.levels import check_lowered
from deeploy.passes.memory.tile import PIPELINE


@dataclass(frozen=True)
class PipelinePass(ModulePass):
    """Overlap transfers with kernels in loops whose moving tiles have two buffers.

    The loop `load, wait, compute, store, wait` becomes: load the first tile; then for each tile
    wait for its load, load the next one, compute, wait for the last store, store.
    """

    name: ClassVar[str] = "pipeline"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions_of(op):
            check_lowered(function, GraphOp, NestOp)
        for loop in list(op.walk()):
            if isinstance(loop, scf.ForOp) and PIPELINE in loop.attributes:
                pipeline(loop)
                del loop.attributes[PIPELINE]
        cse(op)


def pipeline(loop: scf.ForOp) -> None:
    """Pipeline one loop in place."""
    body = loop.body.block
    if any(isinstance(op, memref.CopyOp) for op in body.walk()):
        fail(loop, "the loop has copies that are not transfers", "run 'insert-dma' first")
    loads, stores = phases(loop)
    if loads:
        load_ahead(loop, loads)
    if stores:
        store_behind(loop, stores)


def phases(loop: scf.ForOp) -> tuple[list[Operation], list[Operation]]:
    """The ops that start loads (before the first kernel) and stores (after the last one)."""
    loads: list[Operation] = []
    stores: list[Operation] = []
    computed = False
    for op in loop.body.block.ops:
        if isinstance(op, ComputeOp):
            if stores:
                fail(op, "the loop computes after it stores and cannot be pipelined")
            computed = True
        elif any(isinstance(inner, StartOp) for inner in op.walk()):
            (stores if computed else loads).append(op)
    return loads, stores


def load_ahead(loop: scf.ForOp, loads: list[Operation]) -> None:
    """Start the loads of the first tile before the loop, and of the next one in each tile."""
    body = loop.body.block
    first: dict[SSAValue, SSAValue] = {body.args[0]: loop.lb}
    for op in sliced(loads, body):
        Rewriter.insert_op(copy_of(op, first), InsertPoint.before(loop))
    wait = next(op for op in body.ops if isinstance(op, WaitOp))
    point = InsertPoint.after(wait)
    following = arith.AddiOp(body.args[0], loop.step)
    following.result.name_hint = "next"
    exists = arith.CmpiOp(following.result, loop.ub, "slt")
    then = Block()
    renamed: dict[SSAValue, SSAValue] = {body.args[0]: following.result}
    for op in sliced(loads, body):
        then.add_op(copy_of(op, renamed))
    then.add_op(scf.YieldOp())
    guard = scf.IfOp(exists.result, [], Region(then))
    for op in (following, exists, guard):
        op.location = wait.location
        Rewriter.insert_op(op, point)
    for op in reversed(loads):
        Rewriter.erase_op(op)


def sliced(loads: list[Operation], body: Block) -> list[Operation]:
    """The loads and all ops of the body that they need, in order."""
    needed: set[Operation] = set()
    work = list(loads)
    while work:
        op = work.pop()
        if op in needed or op.parent is not body:
            continue
        needed.add(op)
        for inner in op.walk():
            work += [v.owner for v in inner.operands if isinstance(v.owner, Operation)]
    return [op for op in body.ops if op in needed]


def copy_of(op: Operation, renamed: dict[SSAValue, SSAValue]) -> Operation:
    """A copy that uses renamed values; its results are renamed for what follows."""
    copy = op.clone(renamed)
    for old, new in zip(op.walk(), copy.walk(), strict=True):
        new.location = old.location
        for a, b in zip(old.results, new.results, strict=True):
            b.name_hint = a.name_hint
    return copy


def store_behind(loop: scf.ForOp, stores: list[Operation]) -> None:
    """Wait for the stores of a tile only before those of the next one, and after the loop."""
    waits = [op for op in loop.body.block.ops if isinstance(op, WaitOp)]
    wait = waits[-1]
    wait.detach()
    Rewriter.insert_op(wait, InsertPoint.before(stores[0]))
    last = WaitOp(wait.channel)
    last.location = wait.location
    Rewriter.insert_op(last, InsertPoint.after(loop))
