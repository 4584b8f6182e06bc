"""The meaning of buffers, transfers and kernel calls.

Memories are arrays of bytes, so that buffers at overlapping addresses do overlap. Fresh memory and
destinations of running transfers hold poison: what is used too early gives a wrong result. So does
a source that changes while it is transferred.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.lib.stride_tricks import as_strided
from xdsl.context import Context
from xdsl.dialects import arith, memref
from xdsl.dialects.builtin import DYNAMIC_INDEX, MemRefType, ModuleOp
from xdsl.interpreter import Interpreter, InterpreterFunctions, PythonValues, impl, register_impls
from xdsl.utils.exceptions import InterpretationError

from deeploy.dialects import cluster, dma, mem
from deeploy.dialects.computation import ComputeOp
from deeploy.dialects.mem import TARGET, element_bytes, memref_of, strides_of
from deeploy.interfaces.tiling import Overhang
from deeploy.interpreters.graph import evaluate
from deeploy.resources import Array, array_of, numpy_dtype
from deeploy.targets import target_of

POISON = 0xA5


@dataclass
class Memories:
    """The memories of the target, made when they are first used; the network's constants are in
    them from then on."""

    ctx: Context
    module: ModuleOp
    bytes: dict[str, Array] = field(default_factory=dict[str, Array])

    def view(self, type: MemRefType, offset: int) -> Array:
        """The elements of a buffer at a byte offset of its memory."""
        assert isinstance(type.memory_space, mem.LevelAttr)
        level = type.memory_space.level.data
        if level not in self.bytes:
            if TARGET not in self.module.attributes:
                raise InterpretationError("buffers at addresses need a target")
            size = target_of(self.module).memory(level).size
            self.bytes[level] = np.full(size, POISON, np.uint8)
            self.load(level)
        dtype = numpy_dtype(type.element_type)
        count = elements_spanned(type)
        end = offset + count * dtype.itemsize
        if end > self.bytes[level].size:
            raise InterpretationError(f"a buffer at {offset} ends beyond the end of {level}")
        return strided(self.bytes[level][offset:end].view(dtype), type)

    def load(self, level: str) -> None:
        """Put the constants of a memory where they lie."""
        for op in self.module.walk():
            if isinstance(op, mem.ConstantOp) and op.offset is not None:
                assert isinstance(op.result.type, MemRefType)
                if mem.level_of(op.result) == level:
                    view = self.view(op.result.type, op.offset.value.data)
                    view[...] = array_of(self.ctx, op.value)


def elements_spanned(type: MemRefType) -> int:
    """Elements from the first to the last of a buffer, gaps included."""
    strides = type.get_strides()
    assert strides is not None
    steps = zip(type.get_shape(), strides, strict=True)
    return sum((extent - 1) * (stride or 0) for extent, stride in steps) + 1


def strided(flat: Array, type: MemRefType) -> Array:
    """A flat array under the shape and strides of a memref."""
    strides = type.get_strides()
    assert strides is not None
    return as_strided(flat, type.get_shape(), [(s or 0) * flat.itemsize for s in strides])


def fresh(type: MemRefType) -> Array:
    """A new buffer full of poison."""
    size = elements_spanned(type) * element_bytes(type.element_type)
    flat = np.full(size, POISON, np.uint8).view(numpy_dtype(type.element_type))
    return strided(flat, type)


def poison(array: Array) -> Array:
    """One element of poison, of the type of an array."""
    return np.frombuffer(bytes([POISON] * array.itemsize), array.dtype)


def mixed(static: Sequence[int], dynamic: Sequence[int]) -> list[int]:
    """A list of numbers, some of which are values."""
    values = iter(dynamic)
    return [next(values) if s == DYNAMIC_INDEX else s for s in static]


def tile_arguments(
    op: ComputeOp, args: PythonValues
) -> tuple[list[Array], Array, list[list[Overhang]]]:
    """The inputs and the output of an op that computes a tile, and the overhangs of its inputs."""
    values = dict(zip(op.operands, args, strict=True))
    inputs: list[Array] = [values[v] for v in op.inputs]
    sides = mixed(op.static_overhang.get_values(), [values[v] for v in op.overhang])
    overhangs = [[Overhang(0, 0)] * array.ndim for array in inputs]
    if sides:
        pairs = zip(sides[::2], sides[1::2], strict=True)
        overhangs[0] = [Overhang(low, high) for low, high in pairs]
    return inputs, values[op.output], overhangs


def as_it_was(source: Array, before: Array) -> Array:
    """What arrives of a source that may change while it is read: poison where it has changed."""
    same = (source == before) | (source != source)
    return np.where(same, source, poison(source))


@dataclass
class Channel:
    """Transfers on a channel: source, what it held at the start, and destination of each that runs;
    and how many were started."""

    running: list[tuple[Array, Array, Array]] = field(
        default_factory=list[tuple[Array, Array, Array]]
    )
    started: int = 0


@register_impls
class MemoryFunctions(InterpreterFunctions):
    """Runs memref, mem, dma and cluster ops: buffers are numpy views."""

    def __init__(self, ctx: Context, module: ModuleOp) -> None:
        self.ctx = ctx
        self.memories = Memories(ctx, module)
        self.channels: list[Channel] = []

    @impl(memref.AllocOp)
    def run_alloc(
        self, interpreter: Interpreter, op: memref.AllocOp, args: PythonValues
    ) -> PythonValues:
        assert isinstance(op.memref.type, MemRefType)
        return (fresh(op.memref.type),)

    @impl(mem.BufferOp)
    def run_buffer(
        self, interpreter: Interpreter, op: mem.BufferOp, args: PythonValues
    ) -> PythonValues:
        assert isinstance(op.result.type, MemRefType)
        return (self.memories.view(op.result.type, op.offset.value.data),)

    @impl(mem.ConstantOp)
    def run_constant(
        self, interpreter: Interpreter, op: mem.ConstantOp, args: PythonValues
    ) -> PythonValues:
        if op.offset is None or TARGET not in self.memories.module.attributes:
            return (array_of(self.ctx, op.value).copy(),)
        assert isinstance(op.result.type, MemRefType)
        return (self.memories.view(op.result.type, op.offset.value.data),)

    @impl(mem.ReshapeOp)
    def run_reshape(
        self, interpreter: Interpreter, op: mem.ReshapeOp, args: PythonValues
    ) -> PythonValues:
        assert isinstance(op.result.type, MemRefType)
        view = args[0].view()
        view.shape = op.result.type.get_shape()  # fails rather than copies
        return (view,)

    @impl(mem.ViewOp)
    def run_view(
        self, interpreter: Interpreter, op: mem.ViewOp, args: PythonValues
    ) -> PythonValues:
        source, *sizes = args
        type = memref_of(op.result)
        shape = mixed(type.get_shape(), sizes)
        strides = [s * source.itemsize for s in strides_of(type)]
        last = sum((e - 1) * s for e, s in zip(shape, strides, strict=True))
        reach = sum((e - 1) * s for e, s in zip(source.shape, source.strides, strict=True))
        if 0 not in shape and last > reach:
            raise InterpretationError(f"view {shape} leaves {source.shape}")
        return (as_strided(source, shape, strides),)

    @impl(memref.SubviewOp)
    def run_subview(
        self, interpreter: Interpreter, op: memref.SubviewOp, args: PythonValues
    ) -> PythonValues:
        source, *rest = args
        offsets, sizes = rest[: len(op.offsets)], rest[len(op.offsets) :]
        starts = mixed(op.static_offsets.get_values(), offsets)
        extents = mixed(op.static_sizes.get_values(), sizes)
        steps = op.static_strides.get_values()
        for start, extent, step, whole in zip(starts, extents, steps, source.shape, strict=True):
            if start < 0 or extent < 0 or (extent and start + (extent - 1) * step >= whole):
                raise InterpretationError(f"subview {starts} {extents} leaves {source.shape}")
        ranges = zip(starts, extents, steps, strict=True)
        view = source[tuple(slice(a, a + n * step, step) for a, n, step in ranges)]
        assert isinstance(op.result.type, MemRefType)
        dropped = view.ndim - op.result.type.get_num_dims()
        return (view[(0,) * dropped],)

    @impl(memref.CopyOp)
    def run_copy(
        self, interpreter: Interpreter, op: memref.CopyOp, args: PythonValues
    ) -> PythonValues:
        args[1][...] = args[0]
        return ()

    @impl(dma.ChannelOp)
    def run_channel(
        self, interpreter: Interpreter, op: dma.ChannelOp, args: PythonValues
    ) -> PythonValues:
        self.channels.append(Channel())
        return (self.channels[-1],)

    @impl(dma.StartOp)
    def run_start(
        self, interpreter: Interpreter, op: dma.StartOp, args: PythonValues
    ) -> PythonValues:
        source, destination, channel = args
        destination[...] = poison(destination)
        channel.running.append((source, source.copy(), destination))
        channel.started += 1
        return ()

    @impl(dma.MarkOp)
    def run_mark(
        self, interpreter: Interpreter, op: dma.MarkOp, args: PythonValues
    ) -> PythonValues:
        return (args[0].started,)

    @impl(dma.WaitOp)
    def run_wait(
        self, interpreter: Interpreter, op: dma.WaitOp, args: PythonValues
    ) -> PythonValues:
        channel, *mark = args
        later = channel.started - mark[0] if mark else 0
        while len(channel.running) > later:
            source, before, destination = channel.running.pop(0)
            destination[...] = as_it_was(source, before)
        return ()

    @impl(cluster.BarrierOp)
    def run_barrier(
        self, interpreter: Interpreter, op: cluster.BarrierOp, args: PythonValues
    ) -> PythonValues:
        return ()

    @impl(cluster.CallOp)
    def run_call(
        self, interpreter: Interpreter, op: cluster.CallOp, args: PythonValues
    ) -> PythonValues:
        inputs, output, overhangs = tile_arguments(op, args)
        output[...] = evaluate(op.op, inputs, overhangs)
        return ()


@register_impls
class IndexFunctions(InterpreterFunctions):
    """The index arithmetic that xDSL does not run."""

    @impl(arith.MinSIOp)
    def run_min(
        self, interpreter: Interpreter, op: arith.MinSIOp, args: PythonValues
    ) -> PythonValues:
        return (min(args),)

    @impl(arith.MaxSIOp)
    def run_max(
        self, interpreter: Interpreter, op: arith.MaxSIOp, args: PythonValues
    ) -> PythonValues:
        return (max(args),)

    @impl(arith.DivUIOp)
    def run_div(
        self, interpreter: Interpreter, op: arith.DivUIOp, args: PythonValues
    ) -> PythonValues:
        return (args[0] // args[1],)

    @impl(arith.RemUIOp)
    def run_rem(
        self, interpreter: Interpreter, op: arith.RemUIOp, args: PythonValues
    ) -> PythonValues:
        return (args[0] % args[1],)
