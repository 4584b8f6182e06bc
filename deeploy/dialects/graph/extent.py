"""Extents that are known at run time: so many rows of a cache are in use at a position."""

from __future__ import annotations

from typing import NamedTuple

from xdsl.dialects.builtin import IntAttr, NoneAttr, TensorType
from xdsl.ir import Attribute, ParametrizedAttribute, SSAValue
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.hints import isa

__all__ = ["Extent", "ExtentAttr", "extent_of", "with_extent"]


class Extent(NamedTuple):
    """Of dimension `dim` the first `position + plus` elements are used.

    The position is an argument of the function: how many rows the caches hold when it is called.
    """

    dim: int
    plus: int

    def __str__(self) -> str:
        return f"{self.dim}, position" + (f" + {self.plus}" if self.plus else "")


@irdl_attr_definition
class ExtentAttr(ParametrizedAttribute):
    """The encoding of a tensor with such an extent; its shape has the bound.

    `tensor<4x128x16xf32, #graph.extent<1, position + 1>>` has `position + 1` of 128 rows.
    """

    name = "graph.extent"
    dim: IntAttr
    plus: IntAttr

    def verify(self) -> None:
        if self.dim.data < 0 or self.plus.data < 0:
            raise VerifyException("#graph.extent needs a dimension ≥ 0 and position + a number ≥ 0")

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> list[Attribute]:
        with parser.in_angle_brackets():
            dim = parser.parse_integer()
            parser.parse_characters(",")
            parser.parse_keyword("position")
            plus = parser.parse_integer() if parser.parse_optional_punctuation("+") else 0
        return [IntAttr(dim), IntAttr(plus)]

    def print_parameters(self, printer: Printer) -> None:
        printer.print_string(f"<{Extent(self.dim.data, self.plus.data)}>")


def extent_of(value: SSAValue) -> Extent | None:
    """The run-time extent of a tensor value, if it has one."""
    if isa(value.type, TensorType) and isinstance(encoding := value.type.encoding, ExtentAttr):
        return Extent(encoding.dim.data, encoding.plus.data)
    return None


def with_extent(type: TensorType[Attribute], extent: Extent | None) -> TensorType[Attribute]:
    """The tensor type with another run-time extent, or none."""
    encoding = NoneAttr() if extent is None else ExtentAttr(*(IntAttr(n) for n in extent))
    return TensorType(type.element_type, type.shape, encoding)
