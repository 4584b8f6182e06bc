"""Tensors that live across inferences and are updated in place: caches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from xdsl.dialects.builtin import (
    I64,
    DictionaryAttr,
    IntegerAttr,
    StringAttr,
    TensorType,
    UnitAttr,
    i64,
)
from xdsl.ir import Attribute
from xdsl.ir.affine import AffineDimExpr, AffineExpr, AffineMap, AffineSymExpr
from xdsl.irdl import (
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
)
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.hints import isa

from deeploy.dialects.graph.base import GraphOp, parallel_iterators
from deeploy.dialects.graph.extent import Extent, extent_of
from deeploy.interfaces.tiling import Iterator, shape_of

__all__ = ["STATE", "SYMBOL", "InsertOp", "State", "Symbol", "state_of", "symbol_of"]

STATE = "graph.state"
"""Attribute of an argument or result that is a cache, or of run-time extent, see `State`."""


SYMBOL = "graph.symbol"
"""Attribute of an argument one of whose extents has a name in the model, see `Symbol`."""


class Symbol(NamedTuple):
    """The extent along `axis` is `length + plus` in the model; that of the type is its bound."""

    axis: int
    length: str
    plus: int = 0

    def attribute(self) -> DictionaryAttr:
        """The symbol as an attribute of the argument."""
        axis, plus = (IntegerAttr(number, i64) for number in (self.axis, self.plus))
        return DictionaryAttr({"axis": axis, "length": StringAttr(self.length), "plus": plus})


def symbol_of(attributes: Mapping[str, Attribute]) -> Symbol | None:
    """The symbol among the attributes of an argument."""
    symbol = attributes.get(SYMBOL)
    if not isinstance(symbol, DictionaryAttr):
        return None
    axis, length, plus = (symbol.data.get(key) for key in Symbol._fields)
    if not isa(axis, IntegerAttr) or not isinstance(length, StringAttr):
        return None
    return Symbol(axis.value.data, length.data, plus.value.data if isa(plus, IntegerAttr) else 0)


class State(NamedTuple):
    """A cache: of its extent along `axis`, the first `rows` are given when the function is called,
    or `position + rows` if it grows; the function returns it with more of them."""

    axis: int
    rows: int
    grows: bool = False

    def attribute(self) -> DictionaryAttr:
        """The state as an attribute of the argument, or of the result."""
        numbers = {"axis": self.axis, "rows": self.rows}
        flag = {"grows": UnitAttr()} if self.grows else {}
        return DictionaryAttr({**{k: IntegerAttr(v, i64) for k, v in numbers.items()}, **flag})

    def shape(self, whole: Sequence[int], position: int) -> tuple[int, ...]:
        """The shape of what is in the cache, given that of its memory."""
        rows = self.rows + (position if self.grows else 0)
        return (*whole[: self.axis], rows, *whole[self.axis + 1 :])


def state_of(attributes: Mapping[str, Attribute]) -> State | None:
    """The state among the attributes of an argument, if it is a cache."""
    state = attributes.get(STATE)
    if not isinstance(state, DictionaryAttr):
        return None
    axis, rows = (state.data.get(name) for name in ("axis", "rows"))
    if not isa(axis, IntegerAttr) or not isa(rows, IntegerAttr):
        return None
    return State(axis.value.data, rows.value.data, "grows" in state.data)


@irdl_op_definition
class InsertOp(GraphOp):
    """`destination` with `rows` in place of its own from `offset` on along `axis`.

    Without an offset the destination has a run-time extent along the axis, and the rows are written
    behind what it has. The result is the memory of the destination: nothing but the rows is
    written.
    """

    name = "graph.insert"
    rows = operand_def(TensorType)
    destination = operand_def(TensorType)
    axis = prop_def(IntegerAttr[I64])
    offset = opt_prop_def(IntegerAttr[I64])
    assembly_format = (
        "$rows `into` $destination attr-dict "
        "`:` type($rows) `into` type($destination) `->` type($result)"
    )

    def tied(self) -> int | None:
        return 1

    def infer_shape(self) -> tuple[int, ...]:
        rows, whole = shape_of(self.rows), shape_of(self.destination)
        axis = self.axis.value.data
        offset = 0 if self.offset is None else self.offset.value.data
        if len(rows) != len(whole) or not 0 <= axis < len(whole):
            raise VerifyException("'graph.insert' needs rows of its destination's rank")
        if any(a != b for i, (a, b) in enumerate(zip(rows, whole, strict=True)) if i != axis):
            raise VerifyException("'graph.insert' needs rows that are whole beside its axis")
        if not 0 <= offset <= whole[axis] - rows[axis]:
            raise VerifyException(f"'graph.insert' reaches over the {whole[axis]} rows there are")
        return whole

    def growing(self) -> dict[int, int]:
        return {}  # the iterators are those of the rows

    def infer_extent(self) -> Extent | None:
        grown, axis = extent_of(self.destination), self.axis.value.data
        if extent_of(self.rows) is not None:
            raise VerifyException("'graph.insert' needs rows of fixed extents")
        if (grown is not None and grown.dim == axis) != (self.offset is None):
            raise VerifyException("'graph.insert' needs either an offset or a run-time extent")
        if grown is None:
            return None
        return Extent(axis, grown.plus + shape_of(self.rows)[axis])

    def iterators(self) -> tuple[Iterator, ...]:
        return parallel_iterators(shape_of(self.rows))

    def operand_maps(self) -> tuple[AffineMap, ...]:
        return (AffineMap.identity(len(shape_of(self.rows))), *self.result_maps())

    def result_maps(self) -> tuple[AffineMap, ...]:
        rank, axis = len(shape_of(self.rows)), self.axis.value.data
        exprs: list[AffineExpr] = [AffineDimExpr(i) for i in range(rank)]
        grown = extent_of(self.destination)
        if self.offset is not None:
            exprs[axis] = exprs[axis] + self.offset.value.data
        elif grown is not None:
            exprs[axis] = exprs[axis] + AffineSymExpr(0) + grown.plus
        return (AffineMap(rank, 1, tuple(exprs)),)
