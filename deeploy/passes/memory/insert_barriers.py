"""insert-barriers: order what different cores do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects import memref, scf
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from deeploy.dialects import dma, npu
from deeploy.dialects.cluster import BarrierOp, CallOp
from deeploy.dialects.graph import GraphOp
from deeploy.dialects.tiled import NestOp
from deeploy.functions import functions_of
from deeploy.interfaces.effects import NOTHING, Effects, effects_of, together
from deeploy.passes.levels import check_lowered


@dataclass(frozen=True)
class InsertBarriersPass(ModulePass):
    """Put a barrier between kernels, and between kernels and what one core drives, where one may
    need it.

    One core starts and awaits transfers and jobs of the accelerator. Another core may read what
    they wrote only behind a barrier after the wait. What kernels read or wrote may be used by other
    kernels, transfers and jobs only behind a barrier after them, as far as one of both writes it:
    where buffers have addresses, those are compared.
    """

    name: ClassVar[str] = "insert-barriers"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions_of(op):
            check_lowered(function, GraphOp, NestOp, memref.CopyOp)
            Walker().block(function.body.block)


@dataclass
class Walker:
    """Goes through a program in order: what did kernels do, and were there waits, since the last
    barrier?"""

    computed: Effects = NOTHING
    loaded: bool = False

    def block(self, block: Block) -> None:
        """Insert barriers into a block."""
        for op in list(block.ops):
            self.op(op)

    def op(self, op: Operation) -> None:
        """Insert a barrier before an op that needs one."""
        match op:
            case scf.ForOp():
                self.loop(op)
            case CallOp():
                effects = effects_of(op)
                if self.loaded or effects.conflicts(self.computed):
                    self.barrier(op)
                self.computed |= effects
            case dma.WaitOp() | npu.WaitOp():
                self.loaded = True
            case BarrierOp():
                self.computed, self.loaded = NOTHING, False
            case dma.StartOp() | npu.StartOp() | scf.IfOp():
                if effects_of(op).conflicts(self.computed):
                    self.barrier(op)
            case _:
                pass

    def loop(self, loop: scf.ForOp) -> None:
        """At the start of the body, what precedes is the code before the loop or its own end."""
        inside = list(loop.body.block.walk())
        self.computed |= together(op for op in inside if isinstance(op, CallOp))
        self.loaded |= any(isinstance(op, dma.WaitOp | npu.WaitOp) for op in inside)
        self.block(loop.body.block)

    def barrier(self, op: Operation) -> None:
        """Insert a barrier before an op."""
        new = BarrierOp()
        new.location = op.location
        Rewriter.insert_op(new, InsertPoint.before(op))
        self.computed, self.loaded = NOTHING, False
