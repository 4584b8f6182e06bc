"""Ops on rows: softmax and normalisation along the last dimension, which is never cut.

The integer ops follow the arithmetic of QuantLib, division by division, so that every engine gives
the same bits.
"""

from __future__ import annotations

from typing import ClassVar

from xdsl.dialects.builtin import (
    I64,
    Float64Type,
    FloatAttr,
    IntegerAttr,
    IntegerType,
    TensorType,
)
from xdsl.ir import SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineMap
from xdsl.irdl import (
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    opt_prop_def,
    prop_def,
)
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.hints import isa

from deeploy.dialects.graph.attributes import si8
from deeploy.dialects.graph.base import (
    REQUANTISED_FORMAT,
    UNARY_FORMAT,
    GraphOp,
    Requantised,
    element_type,
    verify_floats,
    verify_integers,
)
from deeploy.interfaces.tiling import Iterator, shape_of

__all__ = [
    "DISTANCES",
    "IntLayerNormOp",
    "IntRMSNormOp",
    "IntSoftmaxOp",
    "ItaMaxOp",
    "ItaPartialMaxOp",
    "LayerNormOp",
    "RMSNormOp",
    "RowOp",
    "SoftmaxOp",
]

DISTANCES = 256
"""How far two elements of eight bits can be apart, and one."""


class RowOp(GraphOp):
    """One operand; each row of the result needs the whole row of it."""

    input = operand_def(TensorType)

    def infer_shape(self) -> tuple[int, ...]:
        shape = shape_of(self.input)
        if not shape:
            raise VerifyException(f"'{self.name}' needs rows, not a scalar")
        return shape

    def iterators(self) -> tuple[Iterator, ...]:
        shape = self.infer_shape()
        last = len(shape) - 1
        return tuple(Iterator(f"d{i}", e, tileable=i != last) for i, e in enumerate(shape))

    def row_map(self) -> AffineMap:
        """The map of a vector with one value for each column."""
        rank = len(self.infer_shape())
        return AffineMap(rank, 0, (AffineDimExpr(rank - 1),))

    def operand_maps(self) -> tuple[AffineMap, ...]:
        return self.result_maps()

    def result_maps(self) -> tuple[AffineMap, ...]:
        return (AffineMap.identity(len(self.infer_shape())),)


class NormOp(RowOp):
    """A normalisation with one weight, and perhaps one bias, for each column."""

    input = operand_def(TensorType)
    weight = operand_def(TensorType)
    assembly_format = (
        "$input `,` $weight attr-dict `:` type($input) `,` type($weight) `->` type($result)"
    )

    def operand_maps(self) -> tuple[AffineMap, ...]:
        return (*self.result_maps(), *(self.row_map() for _ in self.operands[1:]))

    def verify_(self) -> None:
        super().verify_()
        columns = self.infer_shape()[-1:]
        for vector in self.operands[1:]:
            if shape_of(vector) != columns:
                raise VerifyException(f"'{self.name}' needs vectors of shape {columns}")


def verify_shift(op: RowOp, shift: IntegerAttr[IntegerType]) -> None:
    """Check that a shift to the right can be done in 32 bits."""
    if not 0 <= shift.value.data <= 31:
        raise VerifyException(f"'{op.name}' needs a shift of 0 to 31")


class RequantisedRowOp(RowOp, Requantised):
    """A softmax on 8 bits, which may be requantised per column."""

    assembly_format = REQUANTISED_FORMAT

    def channel_map(self) -> AffineMap:
        return self.row_map()

    def operand_maps(self) -> tuple[AffineMap, ...]:
        return (*self.result_maps(), *self.epilogue_maps())

    def verify_(self) -> None:
        super().verify_()
        type = element_type(self.input)
        if not isa(type, IntegerType) or type.width.data > 8:
            raise VerifyException(f"'{self.name}' needs an input of 8 bits, not {type}")
        verify_integers(self)

    def verify_positive(self, **values: IntegerAttr[IntegerType]) -> None:
        """Check that numbers by which the op divides are positive."""
        for name, value in values.items():
            if value.value.data < 1:
                raise VerifyException(f"'{self.name}' needs a positive '{name}'")


@irdl_op_definition
class IntSoftmaxOp(RequantisedRowOp):
    """Softmax with a second-order polynomial, unsigned: with `x' = x - max`,
    `z = clamp(-(x' / log2), 0, 31)`, `p = x' + z * log2` and `e = (a * (p + b)² + c) >> z`, the
    result is `e * 255 / sum(e)`; divisions truncate. `255 * e` and the sums have 31 bits.

    Where `table` is given, its element number `max - x` is `e` times `255 * scale()`, which changes
    no quotient. Where `mapping` is given, its elements replace the 256 results."""

    name = "graph.int_softmax"
    NUMBERS: ClassVar = frozenset({"a", "b", "c", "log2"})
    input = operand_def(TensorType)
    table = opt_operand_def(TensorType)
    mapping = opt_operand_def(TensorType)
    a = prop_def(IntegerAttr[I64])
    b = prop_def(IntegerAttr[I64])
    c = prop_def(IntegerAttr[I64])
    log2 = prop_def(IntegerAttr[I64])
    assembly_format = (
        "$input (`table` $table^ `:` type($table))? (`mapping` $mapping^ `:` type($mapping))? "
        "(`mul` $mul^ `:` type($mul))? (`add` $add^ `:` type($add))? "
        "attr-dict `:` type($input) `->` type($result)"
    )

    def tables(self) -> tuple[SSAValue, ...]:
        """The operands with an entry for each distance or result."""
        return tuple(v for v in (self.table, self.mapping) if v is not None)

    def iterators(self) -> tuple[Iterator, ...]:
        entries = Iterator("entry", DISTANCES, parallel=False)
        return super().iterators() + ((entries,) if self.tables() else ())

    def looked_up(self) -> tuple[int, ...]:
        return (len(self.infer_shape()),) if self.tables() else ()

    def row_map(self) -> AffineMap:
        rank = len(self.infer_shape())
        return AffineMap(len(self.iterators()), 0, (AffineDimExpr(rank - 1),))

    def operand_maps(self) -> tuple[AffineMap, ...]:
        rank = len(self.infer_shape())
        entries = AffineMap(rank + 1, 0, (AffineDimExpr(rank),))
        tables = (entries,) * len(self.tables())
        return (*self.result_maps(), *tables, *self.epilogue_maps())

    def result_maps(self) -> tuple[AffineMap, ...]:
        rank = len(self.infer_shape())
        dims = tuple(AffineDimExpr(i) for i in range(rank))
        return (AffineMap(len(self.iterators()), 0, dims),)

    def term(self, distance: int) -> int:
        """`e` at a distance from the maximum."""
        log2 = self.log2.value.data
        z = min(distance // log2, 31)
        p = z * log2 - distance + self.b.value.data
        return (self.a.value.data * p * p + self.c.value.data) >> z

    def terms(self) -> list[int]:
        """`e` at all distances from the maximum."""
        return [self.term(distance) for distance in range(DISTANCES)]

    def reach(self) -> int:
        """The distance from which on all quotients are 0: the term of the maximum is part of each
        sum."""
        terms = self.terms()
        return 1 + max(d for d, term in enumerate(terms) if 255 * term >= terms[0])

    def scale(self) -> int:
        """The largest number `s` with which `s * 255 * e` and `s * sum(e)` have 31 bits."""
        return ((1 << 31) - 1) // (max(self.terms()) * max(shape_of(self.input)[-1], 255))

    def verify_(self) -> None:
        super().verify_()
        self.verify_positive(log2=self.log2)
        if any(shape_of(table) != (DISTANCES,) for table in self.tables()):
            raise VerifyException(f"'{self.name}' needs tables of {DISTANCES} elements")
        self.verify_mapping()
        terms = self.terms()
        if min(terms) < 0 or terms[0] < 1:
            raise VerifyException(f"'{self.name}' has terms below zero, or none at the maximum")
        columns = shape_of(self.input)[-1]
        if max(terms) * max(columns, 255) >= 1 << 31:
            raise VerifyException(f"'{self.name}' exceeds 31 bits on rows of {columns} columns")

    def verify_mapping(self) -> None:
        """Check that `mapping` has what the result takes, and that nothing changes that again."""
        if self.mapping is None:
            return
        if self.requant is not None:
            raise VerifyException(f"'{self.name}' has both 'mapping' and 'requant'")
        if element_type(self.mapping) != element_type(self.result):
            raise VerifyException(f"'{self.name}' needs a mapping to elements of the result's type")


@irdl_op_definition
class ItaMaxOp(RequantisedRowOp):
    """Softmax to the base two, unsigned: with `k = (max - x + 16) >> 5` and `s = sum(256 >> k)`,
    the result is `(((levels - 1) * 256) / s) >> k`."""

    name = "graph.ita_max"
    levels = prop_def(IntegerAttr[I64])

    def verify_(self) -> None:
        super().verify_()
        self.verify_positive(levels=self.levels)


@irdl_op_definition
class ItaPartialMaxOp(RequantisedRowOp):
    """`graph.ita_max` in its streaming form: groups of `group` columns (the last may be smaller)
    come one after the other. A group whose maximum `m'` exceeds the maximum `m` so far shifts the
    sum first: `s = (s >> ((m' - m + 16) >> 5)) + sum(256 >> ((m' - x + 16) >> 5))`."""

    name = "graph.ita_partial_max"
    group = prop_def(IntegerAttr[I64])
    levels = prop_def(IntegerAttr[I64])

    def verify_(self) -> None:
        super().verify_()
        self.verify_positive(group=self.group, levels=self.levels)


@irdl_op_definition
class IntRMSNormOp(NormOp):
    """`clamp(((x * weight) / std) >> shift)` to the result's type, where
    `std = isqrt(sum(x²) / n + 1)`; the product has 64 bits, the square root rounds down, the
    division truncates. `weight_limit` is a bound of `|weight|`, where one is known."""

    name = "graph.int_rms_norm"
    NUMBERS: ClassVar = frozenset({"weight_limit"})
    shift = prop_def(IntegerAttr[I64])
    weight_limit = opt_prop_def(IntegerAttr[I64])

    def verify_(self) -> None:
        super().verify_()
        verify_integers(self)
        verify_shift(self, self.shift)


@irdl_op_definition
class IntLayerNormOp(NormOp):
    """`int8((((x - m) * weight) / std + bias) >> shift)` with `m = sum(x) / n`, truncating, and
    `std = isqrt(sum((x - m)²) / n + 1)`; the product has 64 bits, the result wraps to 8 bits.
    `weight_limit` and `bias_limit` are bounds of `|weight|` and `|bias|`, where they are known."""

    name = "graph.int_layer_norm"
    NUMBERS: ClassVar = frozenset({"weight_limit", "bias_limit"})
    input = operand_def(TensorType)
    weight = operand_def(TensorType)
    bias = operand_def(TensorType)
    shift = prop_def(IntegerAttr[I64])
    weight_limit = opt_prop_def(IntegerAttr[I64])
    bias_limit = opt_prop_def(IntegerAttr[I64])
    assembly_format = (
        "$input `,` $weight `,` $bias attr-dict "
        "`:` type($input) `,` type($weight) `,` type($bias) `->` type($result)"
    )

    def verify_(self) -> None:
        super().verify_()
        verify_integers(self)
        verify_shift(self, self.shift)
        if element_type(self.result) != si8:
            raise VerifyException(f"'{self.name}' has a result of type si8")


@irdl_op_definition
class SoftmaxOp(RowOp):
    """`exp(x - max) / sum(exp(x - max))` on floats."""

    name = "graph.softmax"
    assembly_format = UNARY_FORMAT

    def verify_(self) -> None:
        super().verify_()
        verify_floats(self)


@irdl_op_definition
class RMSNormOp(NormOp):
    """`x / sqrt(mean(x²) + epsilon) * weight` on floats."""

    name = "graph.rms_norm"
    epsilon = prop_def(FloatAttr[Float64Type])

    def verify_(self) -> None:
        super().verify_()
        verify_floats(self)


@irdl_op_definition
class LayerNormOp(NormOp):
    """`(x - mean) / sqrt(variance + epsilon) * weight + bias` on floats."""

    name = "graph.layer_norm"
    input = operand_def(TensorType)
    weight = operand_def(TensorType)
    bias = opt_operand_def(TensorType)
    epsilon = prop_def(FloatAttr[Float64Type])
    assembly_format = (
        "$input `,` $weight (`,` $bias^ `:` type($bias))? attr-dict "
        "`:` type($input) `,` type($weight) `->` type($result)"
    )

    def verify_(self) -> None:
        super().verify_()
        verify_floats(self)
