"""schedule: kernels that can run now go before those that would wait for the accelerator."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

from xdsl.context import Context
from xdsl.dialects import memref
from xdsl.dialects.builtin import DYNAMIC_INDEX, ModuleOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass

from deeploy.costs import start_cycles
from deeploy.diagnostics import fail
from deeploy.dialects import dma, npu
from deeploy.dialects.cluster import CallOp
from deeploy.dialects.graph import GraphOp
from deeploy.dialects.tiled import NestOp
from deeploy.durations import (
    call_cycles,
    dispatch_cycles,
    iterator_sizes,
    job_cycles,
    transfer_cost,
)
from deeploy.functions import functions_of
from deeploy.interfaces.effects import effects_of, touches_memory
from deeploy.interfaces.tiling import shape_of
from deeploy.passes.levels import check_lowered
from deeploy.passes.memory.overlap import (
    Line,
    Start,
    forget_waits,
    insert_waits,
    line_of,
    move_before,
)
from deeploy.targets import Target, target_of

Timed: TypeAlias = CallOp | dma.StartOp | npu.StartOp
"""An op that is moved, or past which others are: how long it takes is known."""
WINDOW = 32
"""Ops among which one is looked for that can run instead of a wait, so that time grows linearly."""
UNKNOWN = 1 << 30
"""A bound of extents of which none is known."""


@dataclass(frozen=True)
class SchedulePass(ModulePass):
    """Where a kernel would wait for a job, let kernels behind it go first that need not, with the
    transfers that they need.

    What depends on each other follows from addresses. Cycles are estimated, transfers and jobs
    start when they can, as `overlap` has it later; ops are moved where the ones around them are
    done earlier. Loops stay where they are, and nothing is moved past them.
    """

    name: ClassVar[str] = "schedule"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        target = target_of(op)
        for function in functions_of(op):
            check_lowered(function, GraphOp, NestOp, memref.CopyOp)
            for inner in function.walk():
                if isinstance(inner, npu.AcquireOp):
                    fail(inner, "the job is a driver's work already", "run 'schedule' before")
            schedule(function.body.block, target)


def schedule(block: Block, target: Target) -> None:
    """Reorder the kernels of a block that starts jobs, and derive its waits anew."""
    if not any(isinstance(op, npu.StartOp) for op in block.ops):
        return
    forget_waits(block)
    for ops in stretches(block):
        arrange(Scheduling(ops, target).order(), ops)
    insert_waits(block)


def stretches(block: Block) -> Iterator[list[Timed]]:
    """The ops of a block that lie between loops."""
    ops: list[Timed] = []
    for op in list(block.ops):
        if isinstance(op, Timed):
            ops.append(op)
        elif touches_memory(op):
            yield ops
            ops = []
    yield ops


def cycles_of(op: Timed, target: Target) -> int:
    """Cycles of an op; where extents are known at run time only, of the largest ones."""
    if isinstance(op, dma.StartOp):
        ends = zip(largest(op.source), largest(op.destination), strict=True)
        return transfer_cost(op, [min(pair) for pair in ends], target)[2]
    whole = shape_of(op.op.results[0])
    tile = [min(pair) for pair in zip(largest(op.output), whole, strict=True)]
    sizes = iterator_sizes(op.op, tile, None)
    if isinstance(op, CallOp):
        return call_cycles(op, sizes, target)
    return job_cycles(op, sizes, target)


def largest(value: SSAValue) -> list[int]:
    """The most that the extents of a buffer can be."""
    part = value.owner
    within = largest(part.source) if isinstance(part, memref.SubviewOp) else []
    bounds = within if len(within) == len(shape_of(value)) else [UNKNOWN] * len(shape_of(value))
    return [
        bound if extent == DYNAMIC_INDEX else extent
        for extent, bound in zip(shape_of(value), bounds, strict=True)
    ]


@dataclass
class Clock:
    """What the core that drives everything has come to.

    Attributes:
        now: its cycle.
        free: when DMA channels and accelerator are done with what they were given.
        ends: when each op is complete.
    """

    now: int = 0
    free: MutableMapping[Line, int] = field(default_factory=dict[Line, int])
    ends: MutableMapping[Operation, int] = field(default_factory=dict[Operation, int])

    def copy(self) -> Clock:
        """A clock that may go on without changing this one."""
        return Clock(self.now, ChainMap({}, self.free), ChainMap({}, self.ends))


class Scheduling:
    """Finds an order of ops without loops between them.

    It is theirs, but for two cases: of the jobs that could be next, the one goes first with the
    longest path of ops that need it behind it, and where a kernel would wait, the one of the others
    that has. Both only if what is near is done earlier then.
    """

    def __init__(self, ops: Sequence[Timed], target: Target) -> None:
        self.ops = ops
        self.target = target
        self.cycles = {op: cycles_of(op, target) for op in ops}
        self.positions = {op: i for i, op in enumerate(ops)}
        self.needs = dependences(ops)
        self.paths = self.longest_paths()

    def longest_paths(self) -> dict[Timed, int]:
        """Cycles from the start of each op to the end of all that need it."""
        behind = dict.fromkeys(self.ops, 0)
        for op in reversed(self.ops):
            behind[op] += self.cycles[op]
            for other in self.needs[op]:
                behind[other] = max(behind[other], behind[op])
        return behind

    def order(self) -> list[Timed]:
        """All ops in a new order."""
        clock, found, taken = Clock(), list[Timed](), 0
        near: list[Timed] = []
        while near or taken < len(self.ops):
            # what is further away may need an op in ways that `dependences` has not looked at
            first = self.positions[near[0]] if near else taken
            near += self.ops[taken : first + WINDOW]
            taken = max(taken, min(first + WINDOW, len(self.ops)))
            group = self.choice(near, clock)
            for op in group:
                self.play(op, clock)
            found += group
            near = without(near, group)
        return found

    def choice(self, ops: Sequence[Timed], clock: Clock) -> list[Timed]:
        """What of some ops is best run next."""
        first, *others = self.choices(ops, clock)
        margin = 2 * self.target.barrier_cycles
        if others and self.end(others[0], ops, clock) + margin < self.end(first, ops, clock):
            return others[0]
        return first

    def choices(self, ops: Sequence[Timed], clock: Clock) -> list[list[Timed]]:
        """What may be run next: the first op, and perhaps another one with its transfers."""
        first = ops[0]
        match first:
            case npu.StartOp():
                least = self.paths[first]
                kind, latest = npu.StartOp, None
            case CallOp() if self.ready(first, clock) > clock.now:
                least, kind, latest = 0, CallOp, self.ready(first, clock)
            case _:
                return [[first]]
        found: list[list[Timed]] = []
        for i, op in enumerate(ops[1:], 1):
            if not isinstance(op, kind) or self.paths[op] <= least:
                continue
            group = self.with_transfers(op, ops[:i])
            if group and (latest is None or self.begin(group, clock) < latest):
                least, found = self.paths[op], [group]
        return [[first], *found]

    def with_transfers(self, op: Timed, before: Sequence[Timed]) -> list[Timed]:
        """An op behind the transfers that it needs; nothing if it needs others of the ops."""
        group = [op]
        for other in reversed(before):
            if any(other in self.needs[behind] for behind in group):
                if not isinstance(other, dma.StartOp):
                    return []
                group.insert(0, other)
        return group

    def begin(self, group: Sequence[Timed], clock: Clock) -> int:
        """When the last op of a group could begin."""
        clock = clock.copy()
        return [self.play(op, clock) for op in group][-1] - self.cycles[group[-1]]

    def end(self, group: Sequence[Timed], ops: Sequence[Timed], clock: Clock) -> int:
        """When all ops are complete, if a group of them runs first, and then what has the longest
        path behind it."""
        clock, end = clock.copy(), 0
        while group:
            end = max(end, *(self.play(op, clock) for op in group))
            ops = without(ops, group)
            group = self.choices(ops, clock)[-1] if ops else []
        return end

    def ready(self, op: Timed, clock: Clock) -> int:
        """When all is complete that an op needs."""
        return max((clock.ends[other] for other in self.needs[op]), default=0)

    def play(self, op: Timed, clock: Clock) -> int:
        """Run an op; when it is complete."""
        ready = self.ready(op, clock)
        if isinstance(op, CallOp):
            clock.now = end = max(clock.now, ready) + self.cycles[op]
        else:
            # `overlap` moves it to where it is ready
            driven = self.drive(op)
            clock.now = max(clock.now, ready) if isinstance(op, npu.StartOp) else clock.now
            clock.now += driven
            line = line_of(op)
            end = max(clock.free.get(line, 0), ready + driven) + self.cycles[op]
            clock.free[line] = end
        clock.ends[op] = end
        return end

    def drive(self, start: Start) -> int:
        """Cycles of a core that starts a transfer or a job."""
        if isinstance(start, npu.StartOp):
            return dispatch_cycles(start, self.target)
        return start_cycles(self.target)


def without(ops: Sequence[Timed], group: Sequence[Timed]) -> list[Timed]:
    """Some ops but a group of them."""
    return [op for op in ops if op not in group]


def arrange(order: Sequence[Timed], ops: Sequence[Timed]) -> None:
    """Move ops into an order."""
    rest = list(ops)
    for op in order:
        if op is not rest[0]:
            move_before(op, rest[0])
        rest.remove(op)


def dependences(ops: Sequence[Timed]) -> dict[Timed, list[Timed]]:
    """For each op those of the ones shortly before it that must run before it."""
    effects = {op: effects_of(op) for op in ops}
    return {
        op: [
            other for other in ops[max(i - WINDOW, 0) : i] if effects[other].conflicts(effects[op])
        ]
        for i, op in enumerate(ops)
    }
