"""Rows found by their numbers, and the numbers of the largest values."""

from __future__ import annotations

from xdsl.dialects.builtin import I64, IntegerAttr, StringAttr, TensorType, UnitAttr
from xdsl.ir.affine import AffineDimExpr, AffineExpr, AffineMap
from xdsl.irdl import (
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
)
from xdsl.utils.exceptions import VerifyException

from deeploy.dialects.graph.attributes import si32
from deeploy.dialects.graph.base import GraphOp, element_type, is_float
from deeploy.interfaces.tiling import Iterator, shape_of

__all__ = ["ArgReduceOp", "GatherOp"]


@irdl_op_definition
class GatherOp(GraphOp):
    """`table[:, indices, :]`: rows of a table, found by numbers that are known at run time.

    Tables are `[outer, rows, columns]`, indices a vector, the result `[outer, indices, columns]`.
    An index counts modulo the number of rows: -1 is the last row, and none leaves the table.
    """

    name = "graph.gather"
    table = operand_def(TensorType)
    indices = operand_def(TensorType)
    assembly_format = (
        "$table `at` $indices attr-dict `:` type($table) `at` type($indices) `->` type($result)"
    )

    def infer_shape(self) -> tuple[int, ...]:
        table, indices = shape_of(self.table), shape_of(self.indices)
        if len(table) != 3 or len(indices) != 1:
            raise VerifyException("'graph.gather' needs a table of three dimensions and a vector")
        return (table[0], indices[0], table[2])

    def iterators(self) -> tuple[Iterator, ...]:
        # any row may be asked for: the rows are not cut
        outer, count, columns = self.infer_shape()
        rows = Iterator("row", shape_of(self.table)[1], parallel=False)
        return Iterator("outer", outer), Iterator("index", count), Iterator("column", columns), rows

    def looked_up(self) -> tuple[int, ...]:
        return (3,)

    def operand_maps(self) -> tuple[AffineMap, ...]:
        outer, index, column, row = (AffineDimExpr(i) for i in range(4))
        return AffineMap(4, 0, (outer, row, column)), AffineMap(4, 0, (index,))

    def result_maps(self) -> tuple[AffineMap, ...]:
        return (AffineMap(4, 0, tuple(AffineDimExpr(i) for i in range(3))),)

    def verify_(self) -> None:
        super().verify_()
        if is_float(self.indices):
            raise VerifyException("'graph.gather' needs indices that are integers")
        if element_type(self.table) != element_type(self.result):
            raise VerifyException("'graph.gather' gives elements of its table's type")


@irdl_op_definition
class ArgReduceOp(GraphOp):
    """The position along `axis` of the largest (`max`) or smallest (`min`) value: of equal ones
    the first, or with `last` the last. The axis stays, with extent 1. NaN is never chosen."""

    name = "graph.arg_reduce"
    kind = prop_def(StringAttr)
    input = operand_def(TensorType)
    axis = prop_def(IntegerAttr[I64])
    last = opt_prop_def(UnitAttr)
    assembly_format = "$kind $input attr-dict `:` type($input) `->` type($result)"

    def infer_shape(self) -> tuple[int, ...]:
        shape, axis = shape_of(self.input), self.axis.value.data
        if not 0 <= axis < len(shape):
            raise VerifyException("'graph.arg_reduce' needs an axis of its operand")
        return (*shape[:axis], 1, *shape[axis + 1 :])

    def iterators(self) -> tuple[Iterator, ...]:
        axis = self.axis.value.data
        return tuple(
            Iterator(f"d{i}", e, parallel=i != axis) for i, e in enumerate(shape_of(self.input))
        )

    def operand_maps(self) -> tuple[AffineMap, ...]:
        return (AffineMap.identity(len(shape_of(self.input))),)

    def result_maps(self) -> tuple[AffineMap, ...]:
        rank, axis = len(shape_of(self.input)), self.axis.value.data
        exprs: list[AffineExpr] = [AffineDimExpr(i) for i in range(rank)]
        exprs[axis] = AffineExpr.constant(0)
        return (AffineMap(rank, 0, tuple(exprs)),)

    def verify_(self) -> None:
        super().verify_()
        if self.kind.data not in ("max", "min"):
            raise VerifyException(f"'graph.arg_reduce' knows no kind '{self.kind.data}'")
        if element_type(self.result) != si32:
            raise VerifyException("'graph.arg_reduce' gives si32")
