"""assign-addresses: every buffer gets a place in its memory."""

from __future__ import annotations

import sys
from bisect import bisect_right
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects import func, memref
from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, IntegerAttr, ModuleOp, i64
from xdsl.ir import Attribute, BlockArgument, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter

from deeploy.diagnostics import fail
from deeploy.dialects import dma, npu
from deeploy.dialects.mem import (
    OFFSET,
    BufferOp,
    ConstantOp,
    ReshapeOp,
    ViewOp,
    allocated_bytes,
    level_of,
    memref_of,
)
from deeploy.functions import argument_attributes, functions_of, owner_of, tensor_arguments
from deeploy.planner.packing import Block as Span
from deeploy.planner.packing import Occupancy
from deeploy.targets import Target, target_of


@dataclass(frozen=True)
class AssignAddressesPass(ModulePass):
    """Turn allocations into buffers at addresses: the plan's, or first fit where there is none."""

    name: ClassVar[str] = "assign-addresses"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        target = target_of(op)
        for function in functions_of(op):
            Assignment(function, target).run()


@dataclass(frozen=True)
class Placed:
    """A buffer: its value, memory, bytes and lifetime in top-level ops of the function."""

    value: SSAValue
    level: str
    span: Span
    offset: int | None


class Assignment:
    """Assigns the addresses of one function."""

    def __init__(self, function: func.FuncOp, target: Target) -> None:
        self.function = function
        self.target = target
        self.order = {op: i for i, op in enumerate(function.body.block.ops)}
        self.waits: dict[SSAValue, list[tuple[int, int]]] = {}
        """Where the waits on a token are, ascending; found when they are first asked for."""

    def run(self) -> None:
        """Place everything, then write the addresses into the IR."""
        buffers = self.buffers()
        for memory in self.target.memories:
            here = [b for b in buffers if b.level == memory.name]
            offsets = self.place(here, memory.align)
            for buffer, offset in zip(here, offsets, strict=True):
                if offset + buffer.span.size > memory.size:
                    fail(
                        owner_of(buffer.value),
                        f"a buffer at {offset} ends beyond the {memory.size} bytes of "
                        f"{memory.name}",
                        "run 'plan' for tiles that fit, or give more memory",
                    )
                self.write(buffer.value, offset)

    def buffers(self) -> list[Placed]:
        """Everything that needs a place, in order of definition."""
        end = len(self.order)
        found: list[Placed] = []
        for arg in tensor_arguments(self.function):
            offset = argument_attributes(self.function, arg.index).get(OFFSET)
            found.append(self.placed(arg, Span(0, 0, self.last_use(arg)), offset))
        for op in self.function.body.block.ops:
            if isinstance(op, ConstantOp):
                found.append(self.placed(op.result, Span(0, 0, end), op.offset))
            elif isinstance(op, memref.AllocOp | BufferOp):
                value = op.results[0]
                uses = self.uses(value)
                first = min((self.top_level(u) for u in uses), default=self.order[op])
                last = max((self.end(u) for u in uses), default=first)
                if any(isinstance(u, func.ReturnOp) for u in uses):
                    last = end
                offset = op.offset if isinstance(op, BufferOp) else op.attributes.get(OFFSET)
                found.append(self.placed(value, Span(0, first, last), offset))
        return found

    def placed(self, value: SSAValue, life: Span, offset: Attribute | None) -> Placed:
        """A buffer with its size."""
        level = level_of(value)
        if level is None:
            fail(owner_of(value), "the value is not a buffer", "run 'bufferize' first")
        fixed = offset.value.data if isinstance(offset, IntegerAttr) else None
        span = Span(allocated_bytes(memref_of(value)), life.first, life.last)
        return Placed(value, level, span, fixed)

    def uses(self, value: SSAValue) -> list[Operation]:
        """All ops that use a buffer or a view of it."""
        found: list[Operation] = []
        for use in value.uses:
            found.append(use.operation)
            if isinstance(use.operation, memref.SubviewOp | ReshapeOp | ViewOp):
                found += self.uses(use.operation.results[0])
        return found

    def last_use(self, value: SSAValue) -> int:
        """The top-level position of the last use."""
        return max((self.end(u) for u in self.uses(value)), default=0)

    def end(self, use: Operation) -> int:
        """The top-level position at which a use ends: what is started there ends with a wait."""
        here = self.top_level(use)
        if use not in self.order or not isinstance(use, dma.StartOp | npu.StartOp):
            return here
        waits = self.waits_on(use.channel if isinstance(use, dma.StartOp) else use.queue)
        following = waits[bisect_right(waits, (here, sys.maxsize)) :]
        return next((at for at, mark in following if mark > here), here)

    def waits_on(self, token: SSAValue) -> list[tuple[int, int]]:
        """The top-level positions of the waits on a token, ascending, and those of their marks."""
        if token not in self.waits:
            users = (use.operation for use in token.uses)
            self.waits[token] = sorted(
                (at, at if op.mark is None else self.top_level(owner_of(op.mark)))
                for op in users
                if isinstance(op, dma.WaitOp | npu.WaitOp)
                for at in [self.top_level(op)]
            )
        return self.waits[token]

    def top_level(self, op: Operation) -> int:
        """The position, in the function, of the op around an op."""
        while op not in self.order:
            parent = op.parent_op()
            assert parent is not None
            op = parent
        return self.order[op]

    def place(self, buffers: list[Placed], align: int) -> list[int]:
        """Offsets: those given, and first fit for the rest.

        Raises:
            PassFailedException: if two given ones overlap.
        """
        layout = Occupancy(len(buffers))
        fixed = [(b, b.offset) for b in buffers if b.offset is not None]
        offsets = {b.value: offset for b, offset in fixed}
        for buffer, offset in fixed:
            if (clash := layout.clash(buffer.span, offset)) is not None:
                fail(
                    owner_of(buffer.value),
                    f"its buffer at {offset} of {buffer.level} overlaps another one at "
                    f"{fixed[clash][1]} that is in use at the same time",
                )
            layout.add(buffer.span, offset)
        for buffer in buffers:
            if buffer.offset is None:
                offset = offsets[buffer.value] = layout.first_fit(buffer.span, align)
                layout.add(buffer.span, offset)
        return [offsets[b.value] for b in buffers]

    def write(self, value: SSAValue, offset: int) -> None:
        """Write an address into the IR."""
        attr = IntegerAttr(offset, i64)
        if isinstance(value, BlockArgument):
            self.write_argument(value, attr)
        elif isinstance(value.owner, ConstantOp):
            value.owner.offset = attr
        elif not isinstance(value.owner, BufferOp):
            alloc = value.owner
            assert isinstance(alloc, memref.AllocOp)
            new = BufferOp.create(properties={"offset": attr}, result_types=[value.type])
            new.location = alloc.location
            self.order[new] = self.order[alloc]
            Rewriter.replace_op(alloc, new)

    def write_argument(self, arg: BlockArgument, attr: IntegerAttr) -> None:
        """Note the address of an argument."""
        function = self.function
        count = len(function.body.block.args)
        known = function.arg_attrs.data if function.arg_attrs else (DictionaryAttr({}),) * count
        function.arg_attrs = ArrayAttr(
            [
                DictionaryAttr({**d.data, OFFSET: attr}) if i == arg.index else d
                for i, d in enumerate(known)
            ]
        )
