"""Reductions over some dimensions."""

from __future__ import annotations

from xdsl.dialects.builtin import DenseArrayBase, StringAttr, TensorType, i64
from xdsl.ir.affine import AffineDimExpr, AffineExpr, AffineMap
from xdsl.irdl import (
    irdl_op_definition,
    operand_def,
    prop_def,
)
from xdsl.utils.exceptions import VerifyException

from deeploy.dialects.graph.base import GraphOp, tuple_of, verify_unmixed
from deeploy.interfaces.tiling import Iterator, shape_of

__all__ = ["KINDS", "ReduceOp"]

KINDS = ("max", "mean", "min", "sum")
"""What `graph.reduce` computes; on integers the mean is `floor(sum / n + 1/2)`."""


@irdl_op_definition
class ReduceOp(GraphOp):
    """Sum, mean, largest or smallest value over `axes`, which stay as dimensions of extent 1."""

    name = "graph.reduce"
    input = operand_def(TensorType)
    kind = prop_def(StringAttr)
    axes = prop_def(DenseArrayBase.constr(i64))
    assembly_format = "$kind $input attr-dict `:` type($input) `->` type($result)"

    def infer_shape(self) -> tuple[int, ...]:
        shape, axes = shape_of(self.input), tuple_of(self.axes)
        if len(set(axes)) != len(axes) or any(not 0 <= a < len(shape) for a in axes):
            raise VerifyException(f"'graph.reduce' needs axes of 0 to {len(shape) - 1}, each once")
        return tuple(1 if i in axes else e for i, e in enumerate(shape))

    def iterators(self) -> tuple[Iterator, ...]:
        axes = tuple_of(self.axes)
        return tuple(
            Iterator(f"d{i}", e, parallel=i not in axes) for i, e in enumerate(shape_of(self.input))
        )

    def operand_maps(self) -> tuple[AffineMap, ...]:
        return (AffineMap.identity(len(shape_of(self.input))),)

    def result_maps(self) -> tuple[AffineMap, ...]:
        rank, axes = len(shape_of(self.input)), tuple_of(self.axes)
        exprs = (AffineExpr.constant(0) if i in axes else AffineDimExpr(i) for i in range(rank))
        return (AffineMap(rank, 0, tuple(exprs)),)

    def verify_(self) -> None:
        super().verify_()
        if self.kind.data not in KINDS:
            raise VerifyException(f"'graph.reduce' knows no kind '{self.kind.data}'")
        verify_unmixed(self)
