"""Which bytes of which memories an op of a lowered program reads and writes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from xdsl.dialects import arith, memref, scf
from xdsl.dialects.builtin import DYNAMIC_INDEX, IntegerAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Block, BlockArgument, Operation, SSAValue
from xdsl.traits import is_side_effect_free

from deeploy.dialects import dma, npu
from deeploy.dialects.cluster import CallOp
from deeploy.dialects.computation import ComputeOp
from deeploy.dialects.mem import (
    OFFSET,
    BufferOp,
    ConstantOp,
    ReshapeOp,
    ViewOp,
    allocated_bytes,
    element_bytes,
    level_of,
    memref_of,
    spanned_bytes,
    strides_of,
)
from deeploy.functions import argument_attributes


@dataclass(frozen=True)
class Bytes:
    """Bytes from `begin` to before `end` of a memory; to its end where `end` is None, and of all
    memories where `level` is None."""

    level: str | None = None
    begin: int = 0
    end: int | None = None

    def overlaps(self, other: Bytes) -> bool:
        """Whether both may have a byte in common."""
        if None not in (self.level, other.level) and self.level != other.level:
            return False
        return (other.end is None or self.begin < other.end) and (
            self.end is None or other.begin < self.end
        )


@dataclass(frozen=True)
class Effects:
    """What an op reads and writes."""

    reads: tuple[Bytes, ...] = ()
    writes: tuple[Bytes, ...] = ()

    def conflicts(self, other: Effects) -> bool:
        """Whether one writes what the other reads or writes, so that their order matters."""
        return (
            any_overlap(self.writes, other.writes)
            or any_overlap(self.writes, other.reads)
            or any_overlap(self.reads, other.writes)
        )

    def __or__(self, other: Effects) -> Effects:
        return Effects(self.reads + other.reads, self.writes + other.writes)


NOTHING = Effects()
ANYTHING = Effects(writes=(Bytes(),))
"""Of an op of which nothing is known."""
WITHOUT_BYTES = (
    *(memref.AllocOp, BufferOp, ConstantOp),
    *(dma.ChannelOp, dma.MarkOp, npu.QueueOp, npu.MarkOp),
    arith.RemUIOp,
)
"""Ops that touch no bytes, although they have effects, or do not say that they have none."""


def any_overlap(some: Iterable[Bytes], others: tuple[Bytes, ...]) -> bool:
    """Whether any of some bytes are among others."""
    return any(a.overlaps(b) for a in some for b in others)


def bytes_of(value: SSAValue) -> Bytes:
    """The bytes of a buffer or of a part of one.

    Without an address a buffer may be anywhere in its memory. A part whose place is known at run
    time only may be anywhere in its buffer.
    """
    match value.owner:
        case memref.SubviewOp() as view:
            return bytes_of_part(view)
        case ReshapeOp(input=source) | ViewOp(input=source):
            return bytes_of(source)  # a view does not leave what it is seen in
        case _:
            return bytes_of_buffer(value)


def bytes_of_buffer(value: SSAValue) -> Bytes:
    """The bytes of a whole buffer."""
    level, offset = level_of(value), offset_of(value)
    if level is None or not isinstance(offset, IntegerAttr):
        return Bytes(level)
    begin = offset.value.data
    return Bytes(level, begin, begin + allocated_bytes(memref_of(value)))


def offset_of(value: SSAValue) -> Attribute | None:
    """The byte offset that a buffer has been given, if any."""
    if not isinstance(value, BlockArgument):
        owner = value.owner
        assert isinstance(owner, Operation)
        return owner.offset if isinstance(owner, BufferOp | ConstantOp) else None
    function = value.owner.parent_op()
    if not isinstance(function, FuncOp):
        return None
    return argument_attributes(function, value.index).get(OFFSET)


def bytes_of_part(view: memref.SubviewOp) -> Bytes:
    """The bytes of a part of a buffer."""
    whole = bytes_of(view.source)
    starts, sizes = view.static_offsets.get_values(), view.static_sizes.get_values()
    type = memref_of(view.source)
    if whole.end is None or not is_fixed(view.result) or 0 in sizes:
        return whole
    strides = strides_of(type)
    first = sum(a * s for a, s in zip(starts, strides, strict=True))
    begin = whole.begin + first * element_bytes(type.element_type)
    return Bytes(whole.level, begin, begin + spanned_bytes(sizes, strides, type.element_type))


def is_fixed(value: SSAValue) -> bool:
    """Whether it is known before run time which part of its buffer a value is."""
    match value.owner:
        case memref.SubviewOp() as part:
            known = (*part.static_offsets.get_values(), *part.static_sizes.get_values())
            return DYNAMIC_INDEX not in known and is_fixed(part.source)
        case ReshapeOp(input=source) | ViewOp(input=source):
            return is_fixed(source)
        case _:
            return True


def effects_of(op: Operation) -> Effects:
    """What an op reads and writes, with all that it starts and all ops in it."""
    match op:
        case ComputeOp():
            reads = tuple(bytes_of(v) for v in op.inputs)
            scratch = op.scratch if isinstance(op, CallOp) else None
            writes = (op.output,) if scratch is None else (op.output, scratch)
            return Effects(reads, tuple(bytes_of(v) for v in writes))
        case dma.StartOp():
            return Effects((bytes_of(op.source),), (bytes_of(op.destination),))
        case dma.WaitOp() | npu.WaitOp():
            return NOTHING
        case scf.ForOp() | scf.IfOp():
            return together(inner for region in op.regions for inner in inner_ops(region.blocks))
        case _:
            return ANYTHING if touches_memory(op) else NOTHING


def touches_memory(op: Operation) -> bool:
    """Whether an op may read or write bytes, start something that does, or wait for it."""
    return not isinstance(op, WITHOUT_BYTES) and not is_side_effect_free(op)


def inner_ops(blocks: Iterable[Block]) -> Iterator[Operation]:
    """The ops of some blocks, without those inside them."""
    return (op for block in blocks for op in block.ops)


def together(ops: Iterable[Operation]) -> Effects:
    """What some ops read and write."""
    effects = NOTHING
    for op in ops:
        effects |= effects_of(op)
    return effects
