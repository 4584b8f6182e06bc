"""Element-wise arithmetic, requantisation and clipping."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import I64, IntegerAttr, TensorType
from xdsl.ir import SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineMap
from xdsl.irdl import (
    AttrSizedOperandSegments,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    opt_prop_def,
    prop_def,
)
from xdsl.utils.exceptions import VerifyException

from deeploy.dialects.graph.attributes import RequantAttr
from deeploy.dialects.graph.base import (
    BINARY_FORMAT,
    REQUANTISED_FORMAT,
    UNARY_FORMAT,
    GraphOp,
    Requantised,
    broadcast_map,
    broadcast_shape,
    element_type,
    parallel_iterators,
    verify_bounds,
    verify_floats,
    verify_integers,
)
from deeploy.interfaces.tiling import Iterator, shape_of

__all__ = [
    "AddOp",
    "BinaryOp",
    "BroadcastOp",
    "ClipOp",
    "DivOp",
    "ElementwiseOp",
    "IntDivOp",
    "MaxOp",
    "MinOp",
    "MulOp",
    "PowOp",
    "RequantOp",
    "SubOp",
]


class BroadcastOp(GraphOp):
    """Element by element, on operands that broadcast as in ONNX."""

    def elements(self) -> Sequence[SSAValue]:
        """The operands that broadcast."""
        return self.operands

    def infer_shape(self) -> tuple[int, ...]:
        return broadcast_shape(self, *map(shape_of, self.elements()))

    def iterators(self) -> tuple[Iterator, ...]:
        return parallel_iterators(self.infer_shape())

    def operand_maps(self) -> tuple[AffineMap, ...]:
        shape = self.infer_shape()
        return tuple(broadcast_map(shape_of(v), shape) for v in self.elements())

    def result_maps(self) -> tuple[AffineMap, ...]:
        return (AffineMap.identity(len(self.infer_shape())),)


class ElementwiseOp(GraphOp):
    """One operand, one parallel iterator for each of its dimensions."""

    input = operand_def(TensorType)
    assembly_format = UNARY_FORMAT

    def infer_shape(self) -> tuple[int, ...]:
        return shape_of(self.input)

    def iterators(self) -> tuple[Iterator, ...]:
        return parallel_iterators(self.infer_shape())

    def operand_maps(self) -> tuple[AffineMap, ...]:
        return self.result_maps()

    def result_maps(self) -> tuple[AffineMap, ...]:
        return (AffineMap.identity(len(self.infer_shape())),)


class BinaryOp(BroadcastOp, Requantised):
    """Arithmetic on two operands; each may be requantised as it is read. The channels of the
    epilogue are the last dimension."""

    lhs = operand_def(TensorType)
    rhs = operand_def(TensorType)
    lhs_requant = opt_prop_def(RequantAttr)
    rhs_requant = opt_prop_def(RequantAttr)
    assembly_format = BINARY_FORMAT

    def elements(self) -> Sequence[SSAValue]:
        return self.lhs, self.rhs

    def channel_map(self) -> AffineMap:
        rank = len(self.infer_shape())
        return AffineMap(rank, 0, (AffineDimExpr(rank - 1),))

    def operand_maps(self) -> tuple[AffineMap, ...]:
        return (*super().operand_maps(), *self.epilogue_maps())


@irdl_op_definition
class AddOp(BinaryOp):
    """Sum."""

    name = "graph.add"


@irdl_op_definition
class SubOp(BinaryOp):
    """Difference."""

    name = "graph.sub"


@irdl_op_definition
class MulOp(BinaryOp):
    """Product."""

    name = "graph.mul"


@irdl_op_definition
class MaxOp(BinaryOp):
    """The larger of both."""

    name = "graph.max"


@irdl_op_definition
class MinOp(BinaryOp):
    """The smaller of both."""

    name = "graph.min"


@irdl_op_definition
class DivOp(BinaryOp):
    """Quotient of floats."""

    name = "graph.div"

    def verify_(self) -> None:
        super().verify_()
        verify_floats(self)


@irdl_op_definition
class PowOp(BinaryOp):
    """`lhs` to the power of `rhs`, on floats."""

    name = "graph.pow"

    def verify_(self) -> None:
        super().verify_()
        verify_floats(self)


@irdl_op_definition
class IntDivOp(BinaryOp):
    """Quotient of integers with `delta` steps to the unit, rounded to the nearest, in 64 bits: with
    `d = eta * rhs + eps` and `n = delta * eta * lhs`, `(n + sign(n) * (d >> 1)) / d`, which
    truncates. `d` must be positive."""

    name = "graph.int_div"
    delta = prop_def(IntegerAttr[I64])
    eta = prop_def(IntegerAttr[I64])
    eps = prop_def(IntegerAttr[I64])

    def verify_(self) -> None:
        super().verify_()
        verify_integers(self)


@irdl_op_definition
class RequantOp(BroadcastOp):
    """Requantisation by itself; `mul` and `add`, where given, broadcast to the input."""

    name = "graph.requant"
    input = operand_def(TensorType)
    mul = opt_operand_def(TensorType)
    add = opt_operand_def(TensorType)
    requant = prop_def(RequantAttr)
    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    assembly_format = REQUANTISED_FORMAT

    def infer_shape(self) -> tuple[int, ...]:
        vectors = [shape_of(v) for v in (self.mul, self.add) if v is not None]
        shape = shape_of(self.input)
        if broadcast_shape(self, shape, *vectors) != shape:
            raise VerifyException("'graph.requant' has factors larger than its input")
        return shape

    def verify_(self) -> None:
        super().verify_()
        verify_bounds(self, self.requant, element_type(self.result))


@irdl_op_definition
class ClipOp(ElementwiseOp):
    """`clamp(x, min, max)`; also what Relu and conversions between integer types become."""

    name = "graph.clip"
    min = prop_def(IntegerAttr[I64])
    max = prop_def(IntegerAttr[I64])

    def verify_(self) -> None:
        super().verify_()
        bounds = RequantAttr.of(min=self.min.value.data, max=self.max.value.data)
        verify_bounds(self, bounds, element_type(self.result))
