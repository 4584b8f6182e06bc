"""Ops that move values without changing them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from xdsl.dialects.builtin import (
    I64,
    AnyFloat,
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    DenseResourceAttr,
    Float64Type,
    FloatAttr,
    IntegerAttr,
    TensorType,
    i64,
)
from xdsl.ir.affine import AffineDimExpr, AffineMap
from xdsl.irdl import (
    IRDLOperation,
    ParsePropInAttrDict,
    irdl_op_definition,
    operand_def,
    prop_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import ConstantLike, Pure
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.hints import isa

from deeploy.dialects.graph.base import (
    UNARY_FORMAT,
    GraphOp,
    element_type,
    parallel_iterators,
    tuple_of,
    verify_extent,
)
from deeploy.dialects.graph.extent import Extent, extent_of
from deeploy.interfaces.tiling import Iterator, shape_of

__all__ = ["ConcatOp", "ConstantOp", "CopyOp", "PadOp", "ReshapeOp", "SliceOp", "TransposeOp"]


@irdl_op_definition
class ConstantOp(IRDLOperation):
    """A constant tensor, as a resource or (small ones) in the text."""

    name = "graph.constant"
    value = prop_def(DenseIntOrFPElementsAttr | DenseResourceAttr)
    result = result_def(TensorType)
    traits = traits_def(Pure(), ConstantLike())

    @classmethod
    def parse(cls, parser: Parser) -> ConstantOp:
        attributes = parser.parse_optional_attr_dict()
        value = parser.parse_attribute()
        if not isa(value, DenseIntOrFPElementsAttr | DenseResourceAttr):
            parser.raise_error("expected dense<…> or dense_resource<…>")
        return cls.create(
            properties={"value": value}, attributes=attributes, result_types=[value.get_type()]
        )

    def print(self, printer: Printer) -> None:
        printer.print_op_attributes(self.attributes)
        printer.print_string(" ")
        printer.print_attribute(self.value)

    def verify_(self) -> None:
        if self.value.get_type() != self.result.type:
            raise VerifyException("'graph.constant' has a value of another type than its result")


@irdl_op_definition
class ReshapeOp(IRDLOperation):
    """The same values in the same order under another shape: no data moves."""

    name = "graph.reshape"
    input = operand_def(TensorType)
    result = result_def(TensorType)
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(Pure())
    assembly_format = UNARY_FORMAT

    def verify_(self) -> None:
        if math.prod(shape_of(self.input)) != math.prod(shape_of(self.result)):
            raise VerifyException("'graph.reshape' must keep the number of elements")
        verify_extent(self, self.infer_extent())

    def infer_extent(self) -> Extent | None:
        """The run-time extent of the result: a dimension that has it must stay one.

        Raises:
            VerifyException: it is merged with others, or split.
        """
        extent = extent_of(self.input)
        if extent is None:
            return None
        place = _place(shape_of(self.input), extent.dim)
        shape = shape_of(self.result)
        same = [d for d in range(len(shape)) if _place(shape, d) == place]
        if place[1] == 1 or not same:
            raise VerifyException(
                f"'graph.reshape' cannot change dimension {extent.dim} of its operand, which is as "
                "long as the position says"
            )
        return Extent(same[0], extent.plus)


def _place(shape: Sequence[int], dim: int) -> tuple[int, int]:
    """The elements in front of a dimension and its extent: which one it is in the same memory."""
    return math.prod(shape[:dim]), shape[dim]


class UnaryMovementOp(GraphOp):
    """Movement of one operand; iterators are the dimensions of the result."""

    input = operand_def(TensorType)
    assembly_format = UNARY_FORMAT

    def iterators(self) -> tuple[Iterator, ...]:
        return parallel_iterators(self.infer_shape())

    def result_maps(self) -> tuple[AffineMap, ...]:
        return (AffineMap.identity(len(self.infer_shape())),)


@irdl_op_definition
class TransposeOp(UnaryMovementOp):
    """Result dimension i is input dimension `permutation[i]`."""

    name = "graph.transpose"
    permutation = prop_def(DenseArrayBase.constr(i64))

    def infer_shape(self) -> tuple[int, ...]:
        shape, permutation = shape_of(self.input), tuple_of(self.permutation)
        if sorted(permutation) != list(range(len(shape))):
            raise VerifyException(
                f"'graph.transpose' needs a permutation of {len(shape)} dimensions"
            )
        return tuple(shape[p] for p in permutation)

    def operand_maps(self) -> tuple[AffineMap, ...]:
        permutation = tuple_of(self.permutation)
        exprs = tuple(AffineDimExpr(permutation.index(i)) for i in range(len(permutation)))
        return (AffineMap(len(exprs), 0, exprs),)


@irdl_op_definition
class SliceOp(UnaryMovementOp):
    """`input[starts : starts + steps * shape : steps]` in each dimension; steps are positive."""

    name = "graph.slice"
    starts = prop_def(DenseArrayBase.constr(i64))
    steps = prop_def(DenseArrayBase.constr(i64))

    def infer_shape(self) -> tuple[int, ...]:
        shape, rank = shape_of(self.result), len(shape_of(self.input))
        starts, steps = tuple_of(self.starts), tuple_of(self.steps)
        if not len(shape) == len(starts) == len(steps) == rank:
            raise VerifyException(f"'graph.slice' needs {rank} starts, steps and extents")
        bounds = zip(shape_of(self.input), starts, steps, shape, strict=True)
        if any(a < 0 or s < 1 or a + s * (e - 1) >= extent for extent, a, s, e in bounds):
            raise VerifyException("'graph.slice' reaches over its input")
        return shape

    def operand_maps(self) -> tuple[AffineMap, ...]:
        starts, steps = tuple_of(self.starts), tuple_of(self.steps)
        exprs = tuple(
            AffineDimExpr(i) * step + start
            for i, (start, step) in enumerate(zip(starts, steps, strict=True))
        )
        return (AffineMap(len(exprs), 0, exprs),)


@irdl_op_definition
class PadOp(UnaryMovementOp):
    """`low` and `high` elements of `value` beside the input in each dimension."""

    name = "graph.pad"
    low = prop_def(DenseArrayBase.constr(i64))
    high = prop_def(DenseArrayBase.constr(i64))
    value = prop_def(IntegerAttr[I64] | FloatAttr[Float64Type])

    def verify_(self) -> None:
        super().verify_()
        if isinstance(self.value, FloatAttr) != isinstance(element_type(self.result), AnyFloat):
            raise VerifyException("'graph.pad' needs a value of its element type")

    def infer_shape(self) -> tuple[int, ...]:
        shape, low, high = shape_of(self.input), tuple_of(self.low), tuple_of(self.high)
        if not len(shape) == len(low) == len(high) or min((*low, *high), default=0) < 0:
            raise VerifyException(f"'graph.pad' needs {len(shape)} pads ≥ 0 on each side")
        return tuple(a + e + b for a, e, b in zip(low, shape, high, strict=True))

    def operand_maps(self) -> tuple[AffineMap, ...]:
        exprs = tuple(AffineDimExpr(i) + (-low) for i, low in enumerate(tuple_of(self.low)))
        return (AffineMap(len(exprs), 0, exprs),)


@irdl_op_definition
class CopyOp(UnaryMovementOp):
    """The same tensor in a place of its own."""

    name = "graph.copy"

    def infer_shape(self) -> tuple[int, ...]:
        return shape_of(self.input)

    def operand_maps(self) -> tuple[AffineMap, ...]:
        return self.result_maps()


@irdl_op_definition
class ConcatOp(GraphOp):
    """Operands one after the other along `axis`, which is not tiled."""

    name = "graph.concat"
    inputs = var_operand_def(TensorType)
    axis = prop_def(IntegerAttr[I64])
    assembly_format = "$inputs attr-dict `:` type($inputs) `->` type($result)"

    def infer_shape(self) -> tuple[int, ...]:
        axis, shapes = self.axis.value.data, [shape_of(v) for v in self.inputs]
        if not shapes or not 0 <= axis < len(shapes[0]):
            raise VerifyException("'graph.concat' needs operands and an axis of theirs")
        if len({(*s[:axis], *s[axis + 1 :]) for s in shapes}) != 1:
            raise VerifyException("'graph.concat' has operands that differ beside its axis")
        return (*shapes[0][:axis], sum(s[axis] for s in shapes), *shapes[0][axis + 1 :])

    def iterators(self) -> tuple[Iterator, ...]:
        axis = self.axis.value.data
        return tuple(
            Iterator(f"d{i}", e, tileable=i != axis) for i, e in enumerate(self.infer_shape())
        )

    def operand_maps(self) -> tuple[AffineMap, ...]:
        return self.result_maps() * len(self.inputs)

    def result_maps(self) -> tuple[AffineMap, ...]:
        return (AffineMap.identity(len(self.infer_shape())),)
