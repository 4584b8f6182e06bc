"""insert-dma: copies between memories become transfers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects import func, memref, scf
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from deeploy.diagnostics import fail
from deeploy.dialects.computation import ComputeOp
from deeploy.dialects.dma import ChannelOp, ChannelType, StartOp, WaitOp
from deeploy.dialects.graph import GraphOp
from deeploy.dialects.mem import level_of
from deeploy.dialects.tiled import NestOp
from deeploy.functions import functions_of
from deeploy.passes.levels import check_lowered
from deeploy.targets import Target, target_of


@dataclass(frozen=True)
class InsertDmaPass(ModulePass):
    """Start a transfer for each copy between memories, and wait before its data is used."""

    name: ClassVar[str] = "insert-dma"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        target = target_of(op)
        for function in functions_of(op):
            insert_dma(function, target)


def insert_dma(function: func.FuncOp, target: Target) -> None:
    """Use two channels: one towards the compute memory, one away from it."""
    check_lowered(function, GraphOp, NestOp)
    copies = [op for op in function.walk() if isinstance(op, memref.CopyOp)]
    if not copies:
        return
    channels = {name: ChannelOp(result_types=[ChannelType()]) for name in ("load", "store")}
    start = InsertPoint.at_start(function.body.block)
    for name, channel in channels.items():
        Rewriter.insert_op(channel, start)
        channel.channel.name_hint = name
    for copy in copies:
        towards = level_of(copy.destination) == target.compute
        start_transfer(copy, channels["load" if towards else "store"].channel, target)
    wait_before_use(function.body.block, channels["load"].channel, channels["store"].channel)


def start_transfer(copy: memref.CopyOp, channel: SSAValue, target: Target) -> None:
    """Replace a copy by the start of a transfer."""
    source, destination = level_of(copy.source), level_of(copy.destination)
    if source is None or destination is None:
        fail(copy, "a copy needs memrefs with a #mem.level", "run 'bufferize' first")
    if source == destination:
        fail(copy, f"a copy inside {source} is not a transfer", "use a graph.copy nest")
    target.link(source, destination)
    new = StartOp(operands=[copy.source, copy.destination, channel])
    new.location = copy.location
    Rewriter.replace_op(copy, new)


def wait_before_use(block: Block, load: SSAValue, store: SSAValue) -> None:
    """Wait for loads before the next computation, and for stores at once."""
    pending: dict[SSAValue, Operation] = {}
    for op in list(block.ops):
        if isinstance(op, scf.ForOp):
            wait_before_use(op.body.block, load, store)
        for started in starts_in(op):
            pending[started.channel] = op
        if isinstance(op, ComputeOp | scf.ForOp) and load in pending:
            # a loop that waits for loads of its own waits for these too
            if isinstance(op, ComputeOp) or not waits_for(load, op.body.block):
                insert_wait(load, InsertPoint.before(op), op)
            del pending[load]
        following = op.next_op
        if store in pending and not (following is not None and starts_in(following)):
            insert_wait(store, InsertPoint.after(op), op)
            del pending[store]


def waits_for(channel: SSAValue, block: Block) -> bool:
    """Whether a block waits for a channel."""
    return any(isinstance(op, WaitOp) and op.channel is channel for op in block.ops)


def starts_in(op: Operation) -> list[StartOp]:
    """Transfers that an op starts: itself, or in the branches of a condition."""
    if isinstance(op, StartOp):
        return [op]
    if isinstance(op, scf.IfOp):
        return [inner for inner in op.walk() if isinstance(inner, StartOp)]
    return []


def insert_wait(channel: SSAValue, point: InsertPoint, origin: Operation) -> None:
    """Insert a wait with the location of the op that needs it."""
    wait = WaitOp(channel)
    wait.location = origin.location
    Rewriter.insert_op(wait, point)
