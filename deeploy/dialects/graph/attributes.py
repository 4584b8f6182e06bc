"""Attributes of the graph dialect."""

from __future__ import annotations

from typing import ClassVar

from xdsl.dialects.builtin import IntAttr, IntegerType, Signedness
from xdsl.ir import Attribute, ParametrizedAttribute
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.hints import isa

__all__ = ["RequantAttr", "integer_range", "si8", "si32", "ui8"]

si8 = IntegerType(8, Signedness.SIGNED)
ui8 = IntegerType(8, Signedness.UNSIGNED)
si32 = IntegerType(32, Signedness.SIGNED)


def integer_range(type: Attribute) -> tuple[int, int]:
    """The smallest and the largest value of a signed or unsigned integer type."""
    assert isa(type, IntegerType)
    low, high = type.value_range()
    if type.signedness.data is Signedness.SIGNLESS:
        return low, (1 << (type.width.data - 1)) - 1
    return low, high - 1


@irdl_attr_definition
class RequantAttr(ParametrizedAttribute):
    """`y = clamp((x * mul + add) >> shift, min, max)` in 32-bit wrap-around arithmetic.

    The shift is arithmetic; rounding (`1 << (shift - 1)`) and bias are part of `add`. Where an op
    also has operands `mul` or `add` (one value per channel), they stand for the numbers here.
    """

    name = "graph.requant"
    mul: IntAttr
    add: IntAttr
    shift: IntAttr
    min: IntAttr
    max: IntAttr

    KEYS: ClassVar = ("mul", "add", "shift", "min", "max")

    @staticmethod
    def of(mul: int = 1, add: int = 0, shift: int = 0, *, min: int, max: int) -> RequantAttr:
        """Build the attribute from Python integers."""
        return RequantAttr(*(IntAttr(v) for v in (mul, add, shift, min, max)))

    def values(self) -> tuple[int, int, int, int, int]:
        """`(mul, add, shift, min, max)`."""
        return (self.mul.data, self.add.data, self.shift.data, self.min.data, self.max.data)

    def kind(self) -> tuple[bool, int, int]:
        """Whether it scales at all, and its bounds; the other numbers change no shape."""
        *factors, low, high = self.values()
        return factors != [1, 0, 0], low, high

    def verify(self) -> None:
        if not 0 <= self.shift.data <= 31:
            raise VerifyException(f"requant shift must be 0 to 31, not {self.shift.data}")
        if self.min.data > self.max.data:
            raise VerifyException(f"requant min {self.min.data} exceeds max {self.max.data}")

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> list[Attribute]:
        values: list[Attribute] = []
        with parser.in_angle_brackets():
            for i, key in enumerate(cls.KEYS):
                if i:
                    parser.parse_characters(",")
                parser.parse_keyword(key)
                parser.parse_characters("=")
                values.append(IntAttr(parser.parse_integer()))
        return values

    def print_parameters(self, printer: Printer) -> None:
        pairs = zip(self.KEYS, self.values(), strict=True)
        printer.print_string("<" + ", ".join(f"{k} = {v}" for k, v in pairs) + ">")
