"""The dma dialect: asynchronous copies between memories.

A channel is a token that is used again and again: transfers are started on it and complete in that
order. A wait returns when all of them are complete, or those before a mark. Until then the
destination holds nothing useful, and the source must not change.
"""

from __future__ import annotations

from xdsl.dialects.builtin import MemRefType
from xdsl.ir import Dialect, ParametrizedAttribute, SSAValue, TypeAttribute
from xdsl.irdl import (
    IRDLOperation,
    irdl_attr_definition,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    result_def,
    traits_def,
)
from xdsl.traits import MemoryReadEffect, MemoryWriteEffect
from xdsl.utils.exceptions import VerifyException

from deeploy.dialects.mem import level_of, memref_of


@irdl_attr_definition
class ChannelType(ParametrizedAttribute, TypeAttribute):
    """A channel on which transfers are started and awaited."""

    name = "dma.channel"


@irdl_attr_definition
class MarkType(ParametrizedAttribute, TypeAttribute):
    """How far a channel had got with its transfers."""

    name = "dma.mark"


@irdl_op_definition
class ChannelOp(IRDLOperation):
    """A channel for the rest of the function."""

    name = "dma.channel"
    channel = result_def(ChannelType)
    assembly_format = "attr-dict"


@irdl_op_definition
class StartOp(IRDLOperation):
    """Begin to copy `source` to `destination`, which lies in another memory."""

    name = "dma.start"
    source = operand_def(MemRefType)
    destination = operand_def(MemRefType)
    channel = operand_def(ChannelType)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())
    assembly_format = (
        "$source `to` $destination `on` $channel attr-dict "
        "`:` type($source) `to` type($destination)"
    )

    def verify_(self) -> None:
        source, destination = memref_of(self.source), memref_of(self.destination)
        if source.get_shape() != destination.get_shape():
            raise VerifyException("'dma.start' needs source and destination of one shape")
        if source.element_type != destination.element_type:
            raise VerifyException("'dma.start' needs source and destination of one element type")
        if None in (level_of(self.source), level_of(self.destination)):
            raise VerifyException("'dma.start' needs memrefs with a #mem.level")


@irdl_op_definition
class MarkOp(IRDLOperation):
    """What has been started on the channel so far, for a wait that leaves later transfers alone."""

    name = "dma.mark"
    channel = operand_def(ChannelType)
    mark = result_def(MarkType)
    traits = traits_def(MemoryReadEffect())
    assembly_format = "$channel attr-dict"

    def __init__(self, channel: SSAValue) -> None:
        super().__init__(operands=[channel], result_types=[MarkType()])


@irdl_op_definition
class WaitOp(IRDLOperation):
    """Return when all transfers started on the channel are complete, or all before the mark."""

    name = "dma.wait"
    channel = operand_def(ChannelType)
    mark = opt_operand_def(MarkType)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())
    assembly_format = "$channel (`until` $mark^)? attr-dict"

    def __init__(self, channel: SSAValue, mark: SSAValue | None = None) -> None:
        super().__init__(operands=[channel, mark])


Dma = Dialect("dma", [ChannelOp, StartOp, MarkOp, WaitOp], [ChannelType, MarkType])
