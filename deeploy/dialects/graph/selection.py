"""Comparisons, and choices between two tensors. A condition is a byte: 0, or 1 where it holds."""

from __future__ import annotations

from xdsl.dialects.builtin import StringAttr, TensorType
from xdsl.ir.affine import AffineMap
from xdsl.irdl import (
    ParsePropInAttrDict,
    irdl_op_definition,
    operand_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from deeploy.dialects.graph.attributes import si8, ui8
from deeploy.dialects.graph.base import (
    GraphOp,
    broadcast_map,
    broadcast_shape,
    element_type,
    is_float,
)
from deeploy.dialects.graph.elementwise import elementwise_iterators
from deeploy.interfaces.tiling import Iterator, shape_of

__all__ = ["COMPARISONS", "CompareOp", "SelectOp"]

COMPARISONS = ("equal", "greater", "greater_equal", "less", "less_equal", "not_equal")
"""What `graph.compare` asks. Nothing is equal to, less or greater than NaN."""


class BroadcastOp(GraphOp):
    """Element by element, on operands that broadcast as in ONNX."""

    def infer_shape(self) -> tuple[int, ...]:
        return broadcast_shape(self, *map(shape_of, self.operands))

    def iterators(self) -> tuple[Iterator, ...]:
        return elementwise_iterators(self)

    def operand_maps(self) -> tuple[AffineMap, ...]:
        shape = self.infer_shape()
        return tuple(broadcast_map(shape_of(v), shape) for v in self.operands)

    def result_maps(self) -> tuple[AffineMap, ...]:
        return (AffineMap.identity(len(self.infer_shape())),)


@irdl_op_definition
class CompareOp(BroadcastOp):
    """1 where a comparison of `COMPARISONS` holds, else 0; of integers of any types, or floats."""

    name = "graph.compare"
    kind = prop_def(StringAttr)
    lhs = operand_def(TensorType)
    rhs = operand_def(TensorType)
    result = result_def(TensorType)
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(Pure())
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
    result = result_def(TensorType)
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(Pure())
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
