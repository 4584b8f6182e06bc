"""Element-wise functions of one operand, and conversions between element types."""

from __future__ import annotations

from xdsl.dialects.builtin import (
    I64,
    AnyFloat,
    Float64Type,
    FloatAttr,
    IntegerAttr,
    IntegerType,
    StringAttr,
    TensorType,
    UnitAttr,
)
from xdsl.ir.affine import AffineDimExpr, AffineMap
from xdsl.irdl import (
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    opt_prop_def,
    prop_def,
)
from xdsl.utils.exceptions import VerifyException

from deeploy.dialects.graph.attributes import RequantAttr, si8, ui8
from deeploy.dialects.graph.base import (
    REQUANTISED_FORMAT,
    Requantised,
    broadcast_map,
    broadcast_shape,
    element_type,
    verify_bounds,
    verify_floats,
    verify_integers,
)
from deeploy.dialects.graph.elementwise import ElementwiseOp
from deeploy.interfaces.tiling import Iterator, shape_of

__all__ = [
    "BYTE_VALUES",
    "FUNCTIONS",
    "CastOp",
    "DequantizeOp",
    "IntGeluOp",
    "IntHardswishOp",
    "LookupOp",
    "QuantizeOp",
    "UnaryOp",
]

BYTE_VALUES = 256
"""How many there are: the entries of a table of `graph.lookup`."""

FUNCTIONS = (
    "abs",
    "ceil",
    "clip",
    "erf",
    "exp",
    "floor",
    "gelu",
    "gelu_tanh",
    "hard_sigmoid",
    "hard_swish",
    "log",
    "neg",
    "reciprocal",
    "relu",
    "round",
    "sigmoid",
    "sqrt",
    "swish",
    "tanh",
)
"""What `graph.unary` computes. `alpha` and `beta` are the bounds of `clip`, and slope and offset of
`hard_sigmoid`; `swish` is `x * sigmoid(alpha * x)`; `round` rounds halves to even."""

PARAMETERS = {"clip": (0, 2), "hard_sigmoid": (2, 2), "swish": (1, 1)}
"""How many of `alpha` and `beta` a function needs at least and at most; others have none."""


class RequantisedElementwiseOp(ElementwiseOp, Requantised):
    """An integer function whose result may be requantised along the last dimension."""

    assembly_format = REQUANTISED_FORMAT

    def channel_map(self) -> AffineMap:
        rank = len(self.infer_shape())
        return AffineMap(rank, 0, (AffineDimExpr(rank - 1),))

    def operand_maps(self) -> tuple[AffineMap, ...]:
        return (*self.result_maps(), *self.epilogue_maps())

    def verify_(self) -> None:
        super().verify_()
        verify_integers(self)


@irdl_op_definition
class IntHardswishOp(RequantisedElementwiseOp):
    """`x * (clamp(x + three, 0, six) * one_over_six)`."""

    name = "graph.int_hardswish"
    one_over_six = prop_def(IntegerAttr[I64])
    three = prop_def(IntegerAttr[I64])
    six = prop_def(IntegerAttr[I64])


@irdl_op_definition
class IntGeluOp(RequantisedElementwiseOp):
    """With `d = min(abs(x), -b) + b` and `l = sign(x) * (one - d²)`: `x * ((one + l) >> 1)`."""

    name = "graph.int_gelu"
    b = prop_def(IntegerAttr[I64])
    one = prop_def(IntegerAttr[I64])


@irdl_op_definition
class LookupOp(ElementwiseOp):
    """The entry of a table for each byte; negative ones count from its end, as in Python."""

    name = "graph.lookup"
    input = operand_def(TensorType)
    table = operand_def(TensorType)
    assembly_format = (
        "$input `in` $table attr-dict `:` type($input) `in` type($table) `->` type($result)"
    )

    def iterators(self) -> tuple[Iterator, ...]:
        # any entry may be asked for: the table is not cut
        return (*super().iterators(), Iterator("entry", BYTE_VALUES, parallel=False))

    def looked_up(self) -> tuple[int, ...]:
        return (len(self.infer_shape()),)

    def operand_maps(self) -> tuple[AffineMap, ...]:
        rank = len(self.infer_shape())
        return (*self.result_maps(), AffineMap(rank + 1, 0, (AffineDimExpr(rank),)))

    def result_maps(self) -> tuple[AffineMap, ...]:
        rank = len(self.infer_shape())
        return (AffineMap(rank + 1, 0, tuple(AffineDimExpr(i) for i in range(rank))),)

    def verify_(self) -> None:
        super().verify_()
        if element_type(self.input) not in (si8, ui8):
            raise VerifyException("'graph.lookup' needs bytes")
        if shape_of(self.table) != (BYTE_VALUES,):
            raise VerifyException(f"'graph.lookup' needs a table of {BYTE_VALUES} elements")
        if element_type(self.table) != element_type(self.result):
            raise VerifyException("'graph.lookup' gives elements of its table's type")


@irdl_op_definition
class UnaryOp(ElementwiseOp):
    """A function of `FUNCTIONS` on floats."""

    name = "graph.unary"
    function = prop_def(StringAttr)
    alpha = opt_prop_def(FloatAttr[Float64Type])
    beta = opt_prop_def(FloatAttr[Float64Type])
    assembly_format = "$function $input attr-dict `:` type($input) `->` type($result)"

    def verify_(self) -> None:
        super().verify_()
        if self.function.data not in FUNCTIONS:
            raise VerifyException(f"'graph.unary' knows no function '{self.function.data}'")
        verify_floats(self)
        needed, allowed = PARAMETERS.get(self.function.data, (0, 0))
        given = [self.alpha is not None, self.beta is not None]
        if not all(given[:needed]) or any(given[allowed:]):
            raise VerifyException(
                f"'graph.unary' needs {needed} to {allowed} parameters for '{self.function.data}'"
            )


@irdl_op_definition
class CastOp(ElementwiseOp):
    """The same numbers in another element type. Floats are cut towards zero, and saturate."""

    name = "graph.cast"


@irdl_op_definition
class QuantizeOp(ElementwiseOp):
    """`clamp(round(x * scale + zero_point), min, max)` from floats; halves go away from zero.

    With `half_even` `clamp(round(x * scale) + zero_point, min, max)`, and halves go to even.
    """

    name = "graph.quantize"
    scale = prop_def(FloatAttr[Float64Type])
    zero_point = prop_def(FloatAttr[Float64Type])
    min = prop_def(IntegerAttr[I64])
    max = prop_def(IntegerAttr[I64])
    half_even = opt_prop_def(UnitAttr)

    def verify_(self) -> None:
        super().verify_()
        if not isinstance(element_type(self.input), AnyFloat):
            raise VerifyException("'graph.quantize' needs floats")
        bounds = RequantAttr.of(min=self.min.value.data, max=self.max.value.data)
        verify_bounds(self, bounds, element_type(self.result))
        if self.half_even is not None and not self.zero_point.value.data.is_integer():
            raise VerifyException("'graph.quantize' with 'half_even' needs an integer zero point")


@irdl_op_definition
class DequantizeOp(ElementwiseOp):
    """`(q - zero_point) * scale`, as floats. The operand `scales`, which broadcasts to the input,
    takes the place of the number: one scale for each channel."""

    name = "graph.dequantize"
    input = operand_def(TensorType)
    scales = opt_operand_def(TensorType)
    scale = prop_def(FloatAttr[Float64Type])
    zero_point = prop_def(FloatAttr[Float64Type])
    assembly_format = (
        "$input (`scales` $scales^ `:` type($scales))? attr-dict `:` type($input) `->` "
        "type($result)"
    )

    def infer_shape(self) -> tuple[int, ...]:
        shape = shape_of(self.input)
        if self.scales is not None and broadcast_shape(self, shape, shape_of(self.scales)) != shape:
            raise VerifyException("'graph.dequantize' has scales larger than its input")
        return shape

    def operand_maps(self) -> tuple[AffineMap, ...]:
        shape = shape_of(self.input)
        return tuple(broadcast_map(shape_of(v), shape) for v in self.operands)

    def verify_(self) -> None:
        super().verify_()
        if not isinstance(element_type(self.input), IntegerType):
            raise VerifyException("'graph.dequantize' needs integers")
        if not isinstance(element_type(self.result), AnyFloat):
            raise VerifyException("'graph.dequantize' gives floats")
        if self.scales is not None and not isinstance(element_type(self.scales), AnyFloat):
            raise VerifyException("'graph.dequantize' needs scales that are floats")
