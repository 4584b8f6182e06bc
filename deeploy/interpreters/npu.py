"""The meaning of the accelerator's queue, on buffers and on registers.

A job on buffers (`npu.start`) is computed at the wait from what its operands hold then; what has
changed since the start reads as poison. Registers go to a model of the device.
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.interpreter import Interpreter, InterpreterFunctions, PythonValues, impl, register_impls

from deeploy.dialects import npu
from deeploy.dialects.mem import level_of
from deeploy.interfaces.tiling import Overhang
from deeploy.interpreters.graph import evaluate
from deeploy.interpreters.memory import Memories, as_it_was, poison, tile_arguments
from deeploy.interpreters.npu_device import AddressSpace, Device
from deeploy.resources import Array


@dataclass(frozen=True)
class Started:
    """A job on buffers that has not been waited for."""

    op: npu.StartOp
    sources: list[Array]
    before: list[Array]
    output: Array
    overhangs: list[list[Overhang]]

    def finish(self) -> None:
        """Compute the result."""
        pairs = zip(self.sources, self.before, strict=True)
        inputs = [as_it_was(source, before) for source, before in pairs]
        self.output[...] = evaluate(self.op.op, inputs, self.overhangs)


@register_impls
class NpuFunctions(InterpreterFunctions):
    """Runs npu ops on memrefs; there is one accelerator, so queues hold nothing."""

    def __init__(self, memories: Memories) -> None:
        self.space = AddressSpace(memories)
        self.device = Device(self.space)
        self.running: list[Started] = []
        self.started = 0

    @impl(npu.QueueOp)
    def run_queue(
        self, interpreter: Interpreter, op: npu.QueueOp, args: PythonValues
    ) -> PythonValues:
        return (None,)

    @impl(npu.StartOp)
    def run_start(
        self, interpreter: Interpreter, op: npu.StartOp, args: PythonValues
    ) -> PythonValues:
        inputs, output, overhangs = tile_arguments(op, args)
        before = [array.copy() for array in inputs]
        # sums lie where the result goes
        sources = [
            b if operand is op.output else array
            for operand, array, b in zip(op.inputs, inputs, before, strict=True)
        ]
        output[...] = poison(output)
        self.running.append(Started(op, sources, before, output, overhangs))
        self.started += 1
        return ()

    @impl(npu.MarkOp)
    def run_mark(
        self, interpreter: Interpreter, op: npu.MarkOp, args: PythonValues
    ) -> PythonValues:
        return ((self.started, self.device.jobs),)

    @impl(npu.WaitOp)
    def run_wait(
        self, interpreter: Interpreter, op: npu.WaitOp, args: PythonValues
    ) -> PythonValues:
        started, jobs = args[0] if op.mark is not None else (self.started, self.device.jobs)
        while len(self.running) > self.started - started:
            self.running.pop(0).finish()
        self.device.wait(jobs)
        return ()

    @impl(npu.AddressOp)
    def run_address(
        self, interpreter: Interpreter, op: npu.AddressOp, args: PythonValues
    ) -> PythonValues:
        return (self.space.address(args[0], level_of(op.buffer)),)

    @impl(npu.AcquireOp)
    def run_acquire(
        self, interpreter: Interpreter, op: npu.AcquireOp, args: PythonValues
    ) -> PythonValues:
        return (self.device.acquire(),)

    @impl(npu.WriteOp)
    def run_write(
        self, interpreter: Interpreter, op: npu.WriteOp, args: PythonValues
    ) -> PythonValues:
        self.device.write(op.register.data, args[0])
        return ()

    @impl(npu.TriggerOp)
    def run_trigger(
        self, interpreter: Interpreter, op: npu.TriggerOp, args: PythonValues
    ) -> PythonValues:
        self.device.trigger()
        return ()
