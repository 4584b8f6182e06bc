"""The mem dialect: memory levels, constants in memory, and buffers at addresses.

The level of a buffer is the memory space of its memref, `memref<…, #mem.level<"L1">>`. Names of
levels are those of the target; the dialect knows none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    I64,
    DenseIntOrFPElementsAttr,
    DenseResourceAttr,
    FixedBitwidthType,
    IndexType,
    IntegerAttr,
    MemRefType,
    StringAttr,
    TensorType,
    i64,
)
from xdsl.ir import Attribute, Dialect, ParametrizedAttribute, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_attr_definition,
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import MemoryAllocEffect, NoMemoryEffect, Pure
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.hints import isa

AnyMemRef: TypeAlias = MemRefType[Attribute]

HOME = "mem.home"
"""Attribute that names the memory of a tensor which the plan has placed."""
OFFSET = "mem.offset"
"""Attribute with the byte offset of a placed tensor or buffer in its memory."""
TARGET = "mem.target"
"""Attribute of the module that describes the target."""


@irdl_attr_definition
class LevelAttr(ParametrizedAttribute):
    """A memory of the target, as the memory space of a memref."""

    name = "mem.level"
    level: StringAttr


def memref_of(value: SSAValue) -> AnyMemRef:
    """The type of a value that is a buffer."""
    assert isa(value.type, MemRefType)
    return value.type


def level_of(value: SSAValue) -> str | None:
    """The memory level of a memref value, or None where it has none."""
    if isa(value.type, MemRefType) and isinstance(value.type.memory_space, LevelAttr):
        return value.type.memory_space.level.data
    return None


def element_bytes(type: Attribute) -> int:
    """Bytes of one element."""
    assert isinstance(type, FixedBitwidthType)
    return type.size


def byte_size(type: AnyMemRef) -> int:
    """Bytes of a memref of static shape whose elements are contiguous."""
    return math.prod(type.get_shape()) * element_bytes(type.element_type)


def strides_of(type: AnyMemRef) -> list[int]:
    """The strides of a buffer in elements, which are always known."""
    strides = type.get_strides()
    assert strides is not None and None not in strides
    return [s for s in strides if s is not None]


def spanned_bytes(shape: Sequence[int], strides: Sequence[int], element: Attribute) -> int:
    """Bytes from the first to the last element of a box, gaps included."""
    if 0 in shape:
        return 0
    last = sum((e - 1) * s for e, s in zip(shape, strides, strict=True))
    return (last + 1) * element_bytes(element)


def allocated_bytes(type: AnyMemRef) -> int:
    """Bytes from the first to the last element of a buffer, gaps between slots included."""
    return spanned_bytes(type.get_shape(), strides_of(type), type.element_type)


class _PlacedOp(IRDLOperation):
    """What gives a buffer: checks that it has a level."""

    def verify_(self) -> None:
        if level_of(self.results[0]) is None:
            raise VerifyException(f"'{self.name}' needs a memref with a #mem.level")


@irdl_op_definition
class ConstantOp(_PlacedOp):
    """A constant that lies in memory when the program starts."""

    name = "mem.constant"
    value = prop_def(DenseIntOrFPElementsAttr | DenseResourceAttr)
    offset = opt_prop_def(IntegerAttr[I64])
    result = result_def(MemRefType)
    traits = traits_def(Pure())

    @classmethod
    def parse(cls, parser: Parser) -> ConstantOp:
        properties: dict[str, Attribute] = {}
        if parser.parse_optional_keyword("at"):
            properties["offset"] = IntegerAttr(parser.parse_integer(), i64)
        attributes = parser.parse_optional_attr_dict()
        value = properties["value"] = parser.parse_attribute()
        if not isinstance(value, DenseIntOrFPElementsAttr | DenseResourceAttr):
            parser.raise_error("expected dense<…> or dense_resource<…>")
        parser.parse_characters("->")
        return cls.create(
            properties=properties, attributes=attributes, result_types=[parser.parse_type()]
        )

    def print(self, printer: Printer) -> None:
        if self.offset is not None:
            printer.print_string(f" at {self.offset.value.data}")
        printer.print_op_attributes(self.attributes)
        printer.print_string(" ")
        printer.print_attribute(self.value)
        printer.print_string(" -> ")
        printer.print_attribute(self.result.type)

    def verify_(self) -> None:
        super().verify_()
        type, buffer = self.value.get_type(), self.result.type
        if not isa(type, TensorType | MemRefType) or (
            (type.get_shape(), type.element_type) != (buffer.get_shape(), buffer.element_type)
        ):
            raise VerifyException("'mem.constant' has a value of another type than its result")


@irdl_op_definition
class BufferOp(_PlacedOp):
    """A buffer at a fixed byte offset of its memory."""

    name = "mem.buffer"
    offset = prop_def(IntegerAttr[I64])
    result = result_def(MemRefType)
    traits = traits_def(MemoryAllocEffect())

    @classmethod
    def parse(cls, parser: Parser) -> BufferOp:
        parser.parse_keyword("at")
        offset = IntegerAttr(parser.parse_integer(), i64)
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        return cls.create(
            properties={"offset": offset},
            attributes=attributes,
            result_types=[parser.parse_type()],
        )

    def print(self, printer: Printer) -> None:
        printer.print_string(f" at {self.offset.value.data}")
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.result.type)

    def verify_(self) -> None:
        super().verify_()
        if self.offset.value.data < 0:
            raise VerifyException("'mem.buffer' needs an offset ≥ 0")


@irdl_op_definition
class ReshapeOp(IRDLOperation):
    """The same contiguous bytes under another shape."""

    name = "mem.reshape"
    input = operand_def(MemRefType)
    result = result_def(MemRefType)
    traits = traits_def(NoMemoryEffect())
    assembly_format = "$input attr-dict `:` type($input) `->` type($result)"

    def verify_(self) -> None:
        source, result = memref_of(self.input), self.result.type
        if math.prod(source.get_shape()) != math.prod(result.get_shape()):
            raise VerifyException("'mem.reshape' must keep the number of elements")
        if source.memory_space != result.memory_space:
            raise VerifyException("'mem.reshape' cannot move data to another memory")


@irdl_op_definition
class ViewOp(IRDLOperation):
    """The elements of a buffer, from its first one on, under other extents and strides.

    The strides are those of the result's type; extents that are not known there are operands.
    """

    name = "mem.view"
    input = operand_def(MemRefType)
    sizes = var_operand_def(IndexType)
    result = result_def(MemRefType)
    traits = traits_def(NoMemoryEffect())
    assembly_format = "$input `[` $sizes `]` attr-dict `:` type($input) `->` type($result)"

    def verify_(self) -> None:
        source, result = memref_of(self.input), memref_of(self.result)
        if (source.memory_space, source.element_type) != (result.memory_space, result.element_type):
            raise VerifyException("'mem.view' cannot change the memory or the element type")
        if len(self.sizes) != sum(extent == DYNAMIC_INDEX for extent in result.get_shape()):
            raise VerifyException("'mem.view' needs a size for each extent that is not known")


Mem = Dialect("mem", [ConstantOp, BufferOp, ReshapeOp, ViewOp], [LevelAttr])
