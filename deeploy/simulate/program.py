"""Runs a lowered function on a machine: loops and index arithmetic as they are, no data.

Each op becomes a step once, so that the turns of a loop only cost what they do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import TypeAlias

from xdsl.dialects import scf
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation, SSAValue

from deeploy.diagnostics import fail
from deeploy.dialects import npu
from deeploy.dialects.cluster import BarrierOp, CallOp
from deeploy.dialects.dma import MarkOp, StartOp, WaitOp
from deeploy.dialects.graph import ConvOp, DepthwiseConvOp, ProductOp
from deeploy.dialects.mem import level_of
from deeploy.durations import call_cycles, iterator_sizes, transfer_cost
from deeploy.engines import driver_of, find_engine
from deeploy.functions import position_of
from deeploy.interpreters.indices import Extent, closure, function_of, known_extents
from deeploy.simulate.machine import Machine, Track

Step: TypeAlias = Callable[[], None]
ACTS = (CallOp, StartOp, WaitOp, BarrierOp, npu.AcquireOp, npu.WriteOp, npu.TriggerOp, npu.WaitOp)
"""What takes time. Loops and conditions without any of these are skipped."""
CONTRACTIONS = (ConvOp, DepthwiseConvOp, ProductOp)
"""Ops that do two operations, a multiplication and an addition, for each point they visit."""


def run(function: FuncOp, machine: Machine, nests: Mapping[Operation, int], position: int) -> None:
    """Play a function.

    Args:
        function: lowered, with its transfers and barriers.
        machine: gets what happens.
        nests: the nest, by index, of each op that takes time and of each loop.
        position: how many rows the caches hold, if they grow.

    Raises:
        PassFailedException: a size or a condition is no index arithmetic.
    """
    for step in Program(function, machine, nests, position).block(function.body.block):
        step()


class Program:
    """Turns the ops of a function into steps on a machine."""

    def __init__(
        self, function: FuncOp, machine: Machine, nests: Mapping[Operation, int], position: int
    ) -> None:
        self.machine = machine
        self.nests = nests
        self.position = position
        self.registers: dict[str, int] = {}
        argument = position_of(function)
        self.values: dict[SSAValue, int] = {} if argument is None else {argument: position}
        self.acting = {op for op in function.walk() if any(map(acts, op.walk()))}
        calls = (op for op in function.walk() if isinstance(op, CallOp))
        self.last_calls = set({nests[op]: op for op in calls}.values())
        self.needed = closure(v for op in function.walk() for v in self.roots(op))

    def roots(self, op: Operation) -> Iterator[SSAValue]:
        """The values that decide what an op does and how long it takes."""
        match op:
            case CallOp():
                yield from dynamic(known_extents(op, (op.output,)))
            case StartOp():
                yield from dynamic(known_extents(op, (op.destination, op.source)))
            case npu.WriteOp() if op.register.data in driver_of(op).registers:
                yield op.value
            case scf.ForOp() if op in self.acting:
                yield from (op.lb, op.ub, op.step)
            case scf.IfOp() if op in self.acting:
                yield op.cond
            case _:
                pass

    def block(self, block: Block) -> list[Step]:
        """The steps of a block."""
        steps = (self.step(op) for op in block.ops)
        return [step for step in steps if step is not None]

    def step(self, op: Operation) -> Step | None:
        """What an op does, if it does anything."""
        match op:
            case CallOp():
                return self.call(op)
            case StartOp():
                return self.start(op)
            case MarkOp():
                channel, mark = op.channel, op.mark
                return lambda: self.machine.mark(channel, mark)
            case WaitOp():
                nest, channel, mark = self.nests[op], op.channel, op.mark
                return lambda: self.machine.wait(nest, channel, mark)
            case BarrierOp():
                nest = self.nests[op]
                return lambda: self.machine.barrier(nest)
            case npu.AcquireOp() | npu.WriteOp() | npu.TriggerOp() | npu.WaitOp():
                return self.npu(op)
            case npu.MarkOp():
                mark = op.mark
                return lambda: self.machine.mark_jobs(mark)
            case npu.StartOp():
                fail(op, "the job is not a driver's work yet", "run 'lower-npu' first")
            case scf.ForOp():
                return self.loop(op) if op in self.acting else None
            case scf.IfOp():
                return self.condition(op) if op in self.acting else None
            case _:
                return self.arithmetic(op) if op.results and op.results[0] in self.needed else None

    def npu(self, op: npu.AcquireOp | npu.WriteOp | npu.TriggerOp | npu.WaitOp) -> Step:
        """What a driver does with the accelerator; writing is paid for at the trigger."""
        nest, machine = self.nests[op], self.machine
        match op:
            case npu.AcquireOp():
                return lambda: machine.acquire(nest)
            case npu.WaitOp():
                mark = op.mark
                return lambda: machine.wait_for_jobs(nest, mark)
            case npu.WriteOp():
                return self.write(op)
            case npu.TriggerOp():
                driver = driver_of(op)
                return lambda: machine.job(nest, driver.accesses, *driver.job_cost(self.registers))

    def write(self, op: npu.WriteOp) -> Step:
        """A register that matters keeps its value."""
        name, value, values = op.register.data, op.value, self.values
        if name not in driver_of(op).registers:
            return lambda: None

        def write() -> None:
            self.registers[name] = values[value]

        return write

    def arithmetic(self, op: Operation) -> Step:
        """Index arithmetic; its time is part of that of a loop's turn."""
        values, result, operands, compute = self.values, op.results[0], op.operands, function_of(op)
        if len(operands) == 2:
            a, b = operands

            def binary() -> None:
                values[result] = compute(values[a], values[b])

            return binary

        def other() -> None:
            values[result] = compute(*(values[operand] for operand in operands))

        return other

    def loop(self, op: scf.ForOp) -> Step:
        """A loop: its turns one after the other."""
        body, values, nest = op.body.block, self.values, self.nests[op]
        if len(body.args) > 1:
            fail(op, "a loop that carries values cannot be simulated")
        counter: SSAValue = next(iter(body.args))
        steps = self.block(body)

        def turns() -> None:
            for turn in range(values[op.lb], values[op.ub], values[op.step]):
                values[counter] = turn
                self.machine.turn(nest)
                for step in steps:
                    step()

        return turns

    def condition(self, op: scf.IfOp) -> Step:
        """The branch that the condition selects."""
        branches = [
            self.block(r.block) if r.blocks else [] for r in (op.false_region, op.true_region)
        ]

        def branch() -> None:
            for step in branches[bool(self.values[op.cond])]:
                step()

        return branch

    def extents(self, extents: Sequence[Extent]) -> Callable[[], tuple[int, ...]]:
        """Reads the extents of a buffer."""
        values = self.values
        if not any(dynamic(extents)):
            fixed = tuple(e for e in extents if isinstance(e, int))
            return lambda: fixed
        return lambda: tuple(e if isinstance(e, int) else values[e] for e in extents)

    def call(self, op: CallOp) -> Step:
        """A kernel call."""
        nest, cost = self.nests[op], self.kernel_cost(op)
        read = self.extents(known_extents(op, (op.output,)))
        is_last = op in self.last_calls
        on_cores = find_engine(op.engine.data).on_cores

        def call() -> None:
            cycles, operations, sizes = cost(read())
            sizes = sizes if is_last else ()
            self.machine.call(nest, cycles, operations, sizes, on_cores=on_cores)

        return call

    def kernel_cost(
        self, op: CallOp
    ) -> Callable[[tuple[int, ...]], tuple[int, int, tuple[int, ...]]]:
        """Cycles, operations and the extent of each iterator, from the extents of a tile."""
        target = self.machine.target
        each = 2 if isinstance(op.op, CONTRACTIONS) else 1
        skipped = op.op.looked_up()

        @cache
        def cost(extents: tuple[int, ...]) -> tuple[int, int, tuple[int, ...]]:
            if 0 in extents:
                return 0, 0, ()
            sizes = iterator_sizes(op.op, extents, self.position)
            points = math.prod(s for i, s in enumerate(sizes) if i not in skipped)
            return call_cycles(op, sizes, target), each * points, sizes

        return cost

    def start(self, op: StartOp) -> Step:
        """The start of a transfer."""
        target = self.machine.target
        track = Track.LOAD if level_of(op.destination) == target.compute else Track.STORE
        nest, channel = self.nests[op], op.channel
        read = self.extents(known_extents(op, (op.destination, op.source)))

        @cache
        def cost(extents: tuple[int, ...]) -> tuple[int, int, int]:
            return transfer_cost(op, extents, target)

        def transfer() -> None:
            size, pieces, cycles = cost(read())
            if size:
                self.machine.transfer(nest, track, channel, size, pieces, cycles)

        return transfer


def acts(op: Operation) -> bool:
    """Whether an op itself takes time."""
    return isinstance(op, ACTS)


def dynamic(extents: Sequence[Extent]) -> Iterator[SSAValue]:
    """The extents that are values."""
    return (e for e in extents if not isinstance(e, int))
