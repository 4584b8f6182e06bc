"""overlap: transfers and jobs start early and are awaited late, so that kernels run beside them."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from xdsl.context import Context
from xdsl.dialects import memref, scf
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from deeploy.diagnostics import fail, node_name
from deeploy.dialects import dma, npu
from deeploy.dialects.graph import GraphOp
from deeploy.dialects.tiled import NestOp
from deeploy.functions import functions_of
from deeploy.interfaces.effects import Effects, any_overlap, effects_of, touches_memory
from deeploy.passes.levels import check_lowered

Start: TypeAlias = dma.StartOp | npu.StartOp
Wait: TypeAlias = dma.WaitOp | npu.WaitOp
Line: TypeAlias = "SSAValue | type[npu.QueueType]"
"""What completes in order: a channel of the DMA, or the accelerator, of which there is one."""

MOST = {dma.StartOp: 8, npu.StartOp: 2}
"""A start moves up only to where fewer than so many before it are under way: mchan v7 knows 16
transfers, of which those of more than two dimensions take several; N-EUREKA has two contexts, and
a core that wants a third one waits."""
LIMIT = 16
"""Transfers or jobs under way on a line before a wait for the first is inserted."""
WINDOW = 64
"""Ops up to which a start is moved or its use is looked for, so that time grows linearly."""


@dataclass(frozen=True)
class OverlapPass(ModulePass):
    """Start transfers and jobs as soon as what they read is there and what they write is free, and
    wait for them when something else needs that memory.

    What is there and what is free follows from addresses: buffers without one may be anywhere.
    Loops stay as they are, and are passed as a whole.
    """

    name: ClassVar[str] = "overlap"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions_of(op):
            check_lowered(function, GraphOp, NestOp, memref.CopyOp)
            for inner in function.walk():
                if isinstance(inner, npu.AcquireOp):
                    fail(inner, "the job is a driver's work already", "run 'overlap' before")
            overlap(function.body.block)


def overlap(block: Block) -> None:
    """Move the starts of a block up and its waits down."""
    forget_waits(block)
    Hoisting(block).run()
    insert_waits(block)


def forget_waits(block: Block) -> None:
    """Erase the waits of a block, not of its loops, and the marks for them."""
    waits = [op for op in block.ops if isinstance(op, Wait)]
    marks = [wait.mark.owner for wait in waits if wait.mark is not None]
    for op in (*waits, *dict.fromkeys(marks)):
        assert isinstance(op, Operation)
        Rewriter.erase_op(op)


def line_of(op: Start | Wait) -> Line:
    """What a start is put on, or a wait looks at."""
    return op.channel if isinstance(op, dma.StartOp | dma.WaitOp) else npu.QueueType


class Hoisting:
    """Moves starts up past what does not need the same memory."""

    def __init__(self, block: Block) -> None:
        self.ops = [op for op in block.ops if touches_memory(op)]
        self.effects = {op: effects_of(op) for op in self.ops}
        self.position = {op: i for i, op in enumerate(self.ops)}
        self.first_use = {op: self.find_use(op) for op in self.ops if isinstance(op, Start)}

    def find_use(self, start: Start) -> int:
        """The position of the first op behind a start that must come after its completion."""
        first = self.position[start] + 1
        near = self.ops[first : first + WINDOW]
        found = (i for i, op in enumerate(near, first) if self.conflict(op, start))
        return next(found, first + WINDOW)

    def conflict(self, op: Operation, start: Start) -> bool:
        """Whether the order of an op and of all that a start does matters."""
        return self.effects[op].conflicts(self.effects[start])

    def reuses(self, start: Start, before: Start) -> bool:
        """Whether a start needs memory that another one, before it, reads or writes, and not what
        that one brings."""
        later, earlier = self.effects[start], self.effects[before]
        return later.conflicts(earlier) and not any_overlap(later.reads, earlier.writes)

    def run(self) -> None:
        """Move each start up as far as possible."""
        done: list[Operation] = []
        for op in self.ops:
            at = len(done)
            if isinstance(op, Start):
                lowest = max(at - WINDOW, 0)
                while at > lowest and self.may_pass(op, done[at - 1], done[lowest:at]):
                    at -= 1
                if at < len(done):
                    move_before(op, done[at])
            done.insert(at, op)

    def may_pass(self, start: Start, op: Operation, before: Sequence[Operation]) -> bool:
        """Whether a start may move up past an op; `before` are that op and those before it."""
        if self.conflict(op, start):
            return False
        if isinstance(op, Start):
            # the order on a line changes only where the later start is needed first
            different = line_of(op) != line_of(start)
            return different or self.first_use[start] < self.first_use[op]
        here = self.position[op]
        running = [s for s in before if isinstance(s, Start) and self.first_use[s] >= here]
        if any(self.reuses(start, s) for s in running):
            return False  # the op would come after a wait that it does not need
        # the op waits for jobs that it needs in any case
        others = [s for s in running if isinstance(s, dma.StartOp) or self.first_use[s] > here]
        return sum(line_of(s) == line_of(start) for s in others) < MOST[type(start)]


def move_before(moved: Operation, point: Operation) -> None:
    """Move an op before another one, with all that computes its operands."""
    block = point.parent
    assert block is not None
    behind: set[Operation] = set()
    op: Operation | None = point
    while op is not None and op is not moved:
        behind.add(op)
        op = op.next_op
    for needed in [*reversed(slice_of(moved, behind)), moved]:
        needed.detach()
        block.insert_op_before(needed, point)


def slice_of(op: Operation, among: Set[Operation]) -> list[Operation]:
    """Of some ops, those that compute the operands of an op, users first."""
    found: dict[Operation, None] = {}
    work = [op]
    while work:
        for operand in work.pop().operands:
            owner = operand.owner
            if isinstance(owner, Operation) and owner in among:
                found.pop(owner, None)
                found[owner] = None
                work.append(owner)
    return list(found)


@dataclass(frozen=True)
class Flight:
    """Something that was started by an op, or in a loop, and not awaited: on a channel or queue."""

    op: Operation
    owner: SSAValue
    effects: Effects


def insert_waits(block: Block) -> None:
    """Wait for each start where its memory is needed, in a block without waits."""
    flights: dict[Line, list[Flight]] = {}
    for op in list(block.ops):
        if not touches_memory(op):
            continue
        effects = effects_of(op)
        for line, running in flights.items():
            needed = [i for i, flight in enumerate(running) if flight.effects.conflicts(effects)]
            if needed and awaits(op, line, running[needed[-1]]):
                running.clear()
            elif needed:
                wait_for(running, needed[-1], op)
        for line, start in under_way(op).items():
            owner = start.channel if isinstance(start, dma.StartOp) else start.queue
            running = flights.setdefault(line, [])
            if len(running) == LIMIT:
                wait_for(running, 0, op)
            running.append(Flight(op, owner, effects))


def awaits(op: Operation, line: Line, flight: Flight) -> bool:
    """Whether an op is a loop that waits for all that was started on a line before it needs it."""
    if not isinstance(op, scf.ForOp):
        return False
    for inner in op.body.block.ops:
        if isinstance(inner, Wait) and line_of(inner) == line:
            return inner.mark is None
        if effects_of(inner).conflicts(flight.effects):
            return False
    return False


def under_way(op: Operation) -> dict[Line, Start]:
    """A start on each line on which something may be under way behind an op: started by it or in
    it, without a wait behind that."""
    found: dict[Line, Start] = {}
    for inner in op.walk():
        if isinstance(inner, Start):
            found[line_of(inner)] = inner
        elif isinstance(inner, Wait) and inner.mark is None:
            found.pop(line_of(inner), None)
    return found


def wait_for(running: list[Flight], last: int, op: Operation) -> None:
    """Wait before an op for the flights up to one, and forget them."""
    flight, mark = running[last], None
    of = dma if isinstance(flight.owner.type, dma.ChannelType) else npu
    if last < len(running) - 1:
        mark = of.MarkOp(flight.owner)
        mark.location = flight.op.location
        mark.mark.name_hint = "loaded" if of is dma else "done"
        Rewriter.insert_op(mark, InsertPoint.after(flight.op))
    wait = of.WaitOp(flight.owner, mark.mark if mark is not None else None)
    wait.location = flight.op.location if node_name(op) is None else op.location
    Rewriter.insert_op(wait, InsertPoint.before(op))
    del running[: last + 1]
