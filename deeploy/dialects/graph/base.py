"""What the ops of the graph dialect share: shapes, layouts and the requantising epilogue."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import ClassVar, TypeAlias

from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    I64,
    AnyFloat,
    ContainerType,
    DenseArrayBase,
    IntegerType,
    TensorType,
    i64,
)
from xdsl.ir import Attribute, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineExpr, AffineMap
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    ParsePropInAttrDict,
    opt_operand_def,
    opt_prop_def,
    result_def,
    traits_def,
)
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.hints import isa

from deeploy.dialects.graph.attributes import RequantAttr, integer_range
from deeploy.dialects.graph.extent import Extent, extent_of
from deeploy.interfaces.tiling import Iterator, LinearForm, TilingInterface, linear_forms, shape_of

__all__ = ["GraphOp", "Ints", "Requantised", "element_type", "ints", "tuple_of"]

Ints: TypeAlias = DenseArrayBase[I64]


def ints(values: Sequence[int]) -> Ints:
    """An `array<i64: …>` attribute."""
    return DenseArrayBase.from_list(i64, values)


def tuple_of(attr: DenseArrayBase[IntegerType]) -> tuple[int, ...]:
    """The values of an integer array attribute."""
    return attr.get_values()


def element_type(value: SSAValue) -> Attribute:
    """The element type of a tensor or memref value."""
    assert isa(value.type, ContainerType)
    return value.type.get_element_type()


def is_float(value: SSAValue) -> bool:
    """Whether the elements of a tensor or memref value are floats."""
    return isinstance(element_type(value), AnyFloat)


def dimensions(rank: int) -> tuple[AffineExpr, ...]:
    """The iterators of an affine map, to build its results from."""
    return tuple(AffineDimExpr(i) for i in range(rank))


UNARY_FORMAT = "$input attr-dict `:` type($input) `->` type($result)"
"""The syntax of an op with one operand."""


class GraphOp(IRDLOperation, TilingInterface):
    """An op on tensors with one result, whose shape follows from operands and attributes.

    The operands that a class declares come before those of its bases: a class whose own ones belong
    behind them declares theirs again.
    """

    result = result_def(TensorType)
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(Pure())

    NUMBERS: ClassVar[frozenset[str]] = frozenset()
    """Attributes that a kernel only computes with: no shape depends on them."""

    @abstractmethod
    def infer_shape(self) -> tuple[int, ...]:
        """The shape of the result.

        Raises:
            VerifyException: if the operands do not fit together.
        """

    def tied(self) -> int | None:
        """The operand whose memory the result is, for ops that work in place."""
        return None

    def continued(self, sums: SSAValue) -> GraphOp:
        """The same op, which adds to sums: for those with an iterator that is `partial`."""
        raise NotImplementedError

    def looked_up(self) -> tuple[int, ...]:
        """The iterators over entries of tables, of which the op visits one each time, not all."""
        return ()

    def growing(self) -> dict[int, int]:
        """The iterators whose extent is `position + plus`, and this number.

        Raises:
            VerifyException: an operand has such an extent where the op cannot follow.
        """
        found: dict[int, int] = {}
        if not any(extent_of(operand) for operand in self.operands):
            return found  # as nearly always: then nobody needs the maps
        for map, operand in zip(self.operand_maps(), self.operands, strict=True):
            if (extent := extent_of(operand)) is None:
                continue
            form = linear_forms(map)[extent.dim]
            used, bound = form.used(), shape_of(operand)[extent.dim]
            plain = len(used) == 1 and form.coefficients[used[0]] == 1 and form.offset == 0
            if not plain or self.iterators()[used[0]].extent != bound:
                raise VerifyException(
                    f"'{self.name}' cannot work along dimension {extent.dim} of its operand, "
                    "which is as long as the position says"
                )
            if found.setdefault(used[0], extent.plus) != extent.plus:
                raise VerifyException(f"'{self.name}' has operands of different run-time extents")
        return found

    def domain(self) -> tuple[Iterator, ...]:
        growing = self.growing()
        return tuple(
            replace(it, tileable=False, plus=growing[i]) if i in growing else it
            for i, it in enumerate(self.iterators())
        )

    def infer_extent(self) -> Extent | None:
        """The run-time extent of the result, from those of the operands.

        Raises:
            VerifyException: the op does not work on what its operands are at run time.
        """
        growing = self.growing()
        if not growing:
            return None
        for map, operand in zip(self.operand_maps(), self.operands, strict=True):
            follows = any(_uses(form, growing) for form in linear_forms(map))
            if follows and extent_of(operand) is None:
                raise VerifyException(
                    f"'{self.name}' has an operand of fixed extent beside one that is as long as "
                    "the position says"
                )
        forms = enumerate(linear_forms(self.result_maps()[0]))
        found = [Extent(d, growing[form.used()[0]]) for d, form in forms if _uses(form, growing)]
        if len(found) > 1:
            raise VerifyException(f"'{self.name}' has two run-time extents")
        return found[0] if found else None

    def verify_(self) -> None:
        for value in (*self.operands, *self.results):
            if isinstance(value.type, TensorType) and DYNAMIC_INDEX in shape_of(value):
                raise VerifyException(f"'{self.name}' needs static shapes")
        expected, actual = self.infer_shape(), shape_of(self.results[0])
        if expected != actual:
            raise VerifyException(f"'{self.name}' gives shape {expected}, not {actual}")
        verify_extent(self, self.infer_extent())


def _uses(form: LinearForm, iterators: Collection[int]) -> bool:
    return any(i in iterators for i in form.used())


def verify_extent(op: IRDLOperation, expected: Extent | None) -> None:
    """Check the run-time extent of an op's result."""
    actual = extent_of(op.results[0])
    if expected != actual:
        raise VerifyException(
            f"'{op.name}' gives a tensor {_described(expected)}, not {_described(actual)}"
        )


def _described(extent: Extent | None) -> str:
    return "of fixed extents" if extent is None else f"with #graph.extent<{extent}>"


REQUANTISED_FORMAT = (
    "$input (`mul` $mul^ `:` type($mul))? (`add` $add^ `:` type($add))? "
    "attr-dict `:` type($input) `->` type($result)"
)
"""The syntax of an op with one operand that may be requantised."""
BINARY_FORMAT = (
    "$lhs `,` $rhs (`mul` $mul^ `:` type($mul))? (`add` $add^ `:` type($add))? "
    "attr-dict `:` type($lhs) `,` type($rhs) `->` type($result)"
)
"""That of an op with two."""


class Requantised(GraphOp):
    """An op whose 32-bit result may be requantised before it is stored.

    `requant` holds the numbers; the optional operands `mul` and `add` hold one value per channel
    and take the place of the attribute's. On floats, `add` alone is a bias.
    """

    mul = opt_operand_def(TensorType)
    add = opt_operand_def(TensorType)
    requant = opt_prop_def(RequantAttr)
    irdl_options = (AttrSizedOperandSegments(as_property=True),)

    @abstractmethod
    def channel_map(self) -> AffineMap:
        """Map from the iterators to the channel of `mul` and `add`."""

    def channels(self) -> int:
        """The number of channels of the result: the extent of `mul` and `add`."""
        return shape_of(self.results[0])[-1]

    def epilogue_maps(self) -> tuple[AffineMap, ...]:
        """The maps of the operands `mul` and `add` that are present."""
        return (self.channel_map(),) * ((self.mul is not None) + (self.add is not None))

    def verify_(self) -> None:
        super().verify_()
        verify_unmixed(self)
        is_float = isinstance(element_type(self.results[0]), AnyFloat)
        if is_float and (self.requant is not None or self.mul is not None):
            raise VerifyException(f"'{self.name}' cannot requantise to floats")
        has_vectors = self.mul is not None or self.add is not None
        if not is_float and self.requant is None and has_vectors:
            raise VerifyException(f"'{self.name}' has 'mul' or 'add' but no 'requant'")
        for vector in (self.mul, self.add):
            if vector is not None and shape_of(vector) != (self.channels(),):
                raise VerifyException(
                    f"'{self.name}' needs 'mul' and 'add' of shape ({self.channels()},), "
                    f"not {shape_of(vector)}"
                )
        if self.requant is not None:
            verify_bounds(self, self.requant, element_type(self.results[0]))


def verify_bounds(op: IRDLOperation, requant: RequantAttr, type: Attribute) -> None:
    """Check that a requantisation stays inside an element type."""
    if not isa(type, IntegerType):
        raise VerifyException(f"'{op.name}' can only requantise to an integer type, not {type}")
    low, high = integer_range(type)
    if requant.min.data < low or requant.max.data > high:
        raise VerifyException(
            f"'{op.name}' requantises to [{requant.min.data}, {requant.max.data}], "
            f"which {type} cannot hold"
        )


def verify_floats(op: IRDLOperation) -> None:
    """Check that an op has floats only."""
    if not all(isinstance(element_type(v), AnyFloat) for v in (*op.operands, *op.results)):
        raise VerifyException(f"'{op.name}' needs floats")


def verify_integers(op: IRDLOperation) -> None:
    """Check that an op has integers only."""
    if not all(isinstance(element_type(v), IntegerType) for v in (*op.operands, *op.results)):
        raise VerifyException(f"'{op.name}' needs integers")


def verify_unmixed(op: IRDLOperation) -> None:
    """Check that an op has floats only, or none."""
    floats = {isinstance(element_type(v), AnyFloat) for v in (*op.operands, *op.results)}
    if len(floats) > 1:
        raise VerifyException(f"'{op.name}' mixes floats and integers")


def parallel_iterators(shape: Sequence[int]) -> tuple[Iterator, ...]:
    """One parallel iterator for each dimension."""
    return tuple(Iterator(f"d{i}", extent) for i, extent in enumerate(shape))


def broadcast_shape(op: IRDLOperation, *shapes: Sequence[int]) -> tuple[int, ...]:
    """The common shape of operands that broadcast as in ONNX and numpy."""
    rank = max(len(s) for s in shapes)
    padded = [(1,) * (rank - len(s)) + tuple(s) for s in shapes]
    result = tuple(max(extents) for extents in zip(*padded, strict=True))
    for shape in padded:
        if any(a not in (1, b) for a, b in zip(shape, result, strict=True)):
            raise VerifyException(f"'{op.name}' cannot broadcast shapes {list(map(tuple, shapes))}")
    return result


def broadcast_map(shape: Sequence[int], result: Sequence[int]) -> AffineMap:
    """The map of an operand that broadcasts to `result` under one iterator per result dim."""
    offset = len(result) - len(shape)
    return AffineMap(
        len(result),
        0,
        tuple(
            AffineExpr.constant(0) if extent == 1 else AffineDimExpr(i + offset)
            for i, extent in enumerate(shape)
        ),
    )
