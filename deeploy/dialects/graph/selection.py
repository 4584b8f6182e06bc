"""Comparisons, and choices between two tensors. A condition is a byte: 0, or 1 where it holds."""

from __future__ import annotations

from xdsl.dialects.builtin import StringAttr, TensorType
from xdsl.irdl import (
    irdl_op_definition,
    operand_def,
    prop_def,
)
from xdsl.utils.exceptions import VerifyException

from deeploy.dialects.graph.attributes import si8, ui8
from deeploy.dialects.graph.base import (
    element_type,
    is_float,
)
from deeploy.dialects.graph.elementwise import BroadcastOp

__all__ = ["COMPARISONS", "CompareOp", "SelectOp"]

COMPARISONS = ("equal", "greater", "greater_equal", "less", "less_equal", "not_equal")
"""What `graph.compare` asks. Nothing is equal to, less or greater than NaN."""


@irdl_op_definition
class CompareOp(BroadcastOp):
    """1 where a comparison of `COMPARISONS` holds, else 0; of integers of any types, or floats."""

    name = "graph.compare"
    kind = prop_def(StringAttr)
    lhs = operand_def(TensorType)
    rhs = operand_def(TensorType)
    assembly_format = (
        "$kind $lhs `,` $rhs attr-dict `:` type($lhs) `,` type($rhs) `->` type($result)"
    )

    def verify_(self) -> None:
        super().verify_()
        if self.kind.data not in COMPARISONS:
            raise VerifyException(f"'graph.compare' knows no kind '{self.kind.data}'")
        if is_float(self.lhs) != is_float(self.rhs):
            raise VerifyException("'graph.compare' mixes floats and integers")
        if element_type(self.result) != ui8:
            raise VerifyException("'graph.compare' gives ui8")


@irdl_op_definition
class SelectOp(BroadcastOp):
    """`lhs` where the condition is not 0, else `rhs`; both have the type of the result."""

    name = "graph.select"
    condition = operand_def(TensorType)
    lhs = operand_def(TensorType)
    rhs = operand_def(TensorType)
    assembly_format = (
        "$condition `,` $lhs `,` $rhs attr-dict "
        "`:` type($condition) `,` type($lhs) `,` type($rhs) `->` type($result)"
    )

    def verify_(self) -> None:
        super().verify_()
        if element_type(self.condition) not in (si8, ui8):
            raise VerifyException("'graph.select' needs a condition of bytes")
        if len({element_type(v) for v in (self.lhs, self.rhs, self.result)}) != 1:
            raise VerifyException("'graph.select' needs values of the type of its result")
