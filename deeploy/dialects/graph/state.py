"""Tensors that live across inferences and are updated in place: caches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from xdsl.dialects.builtin import I64, DictionaryAttr, IntegerAttr, TensorType, i64
from xdsl.ir import Attribute
from xdsl.ir.affine import AffineDimExpr, AffineExpr, AffineMap
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
from xdsl.utils.hints import isa

from deeploy.dialects.graph.base import GraphOp
from deeploy.interfaces.tiling import Iterator, shape_of

__all__ = ["STATE", "InsertOp", "State", "state_of"]

STATE = "graph.state"
"""Attribute of an argument that is a cache, see `State`."""


class State(NamedTuple):
    """A cache: of its extent along `axis`, the first `rows` are given when the function is called;
    the function returns it with more of them."""

    axis: int
    rows: int

    def attribute(self) -> DictionaryAttr:
        """The state as an attribute of the argument."""
        values = self._asdict().items()
        return DictionaryAttr({name: IntegerAttr(value, i64) for name, value in values})


def state_of(attributes: Mapping[str, Attribute]) -> State | None:
    """The state among the attributes of an argument, if it is a cache."""
    state = attributes.get(STATE)
    if not isinstance(state, DictionaryAttr):
        return None
    values = [state.data.get(name) for name in State._fields]
    return State(*(value.value.data for value in values if isa(value, IntegerAttr)))


@irdl_op_definition
class InsertOp(GraphOp):
    """`destination` with `rows` in place of its own from `offset` on along `axis`.

    The result is the memory of the destination: nothing but the rows is written.
    """

    name = "graph.insert"
    rows = operand_def(TensorType)
    destination = operand_def(TensorType)
    axis = prop_def(IntegerAttr[I64])
    offset = prop_def(IntegerAttr[I64])
    result = result_def(TensorType)
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(Pure())
    assembly_format = (
        "$rows `into` $destination attr-dict "
        "`:` type($rows) `into` type($destination) `->` type($result)"
    )

    def tied(self) -> int | None:
        return 1

    def infer_shape(self) -> tuple[int, ...]:
        rows, whole = shape_of(self.rows), shape_of(self.destination)
        axis, offset = self.axis.value.data, self.offset.value.data
        if len(rows) != len(whole) or not 0 <= axis < len(whole):
            raise VerifyException("'graph.insert' needs rows of its destination's rank")
        if any(a != b for i, (a, b) in enumerate(zip(rows, whole, strict=True)) if i != axis):
            raise VerifyException("'graph.insert' needs rows that are whole beside its axis")
        if not 0 <= offset <= whole[axis] - rows[axis]:
            raise VerifyException(f"'graph.insert' reaches over the {whole[axis]} rows there are")
        return whole

    def iterators(self) -> tuple[Iterator, ...]:
        return tuple(Iterator(f"d{i}", e) for i, e in enumerate(shape_of(self.rows)))

    def operand_maps(self) -> tuple[AffineMap, ...]:
        return (AffineMap.identity(len(shape_of(self.rows))), *self.result_maps())

    def result_maps(self) -> tuple[AffineMap, ...]:
        rank, axis = len(shape_of(self.rows)), self.axis.value.data
        exprs: list[AffineExpr] = [AffineDimExpr(i) for i in range(rank)]
        exprs[axis] = exprs[axis] + self.offset.value.data
        return (AffineMap(rank, 0, tuple(exprs)),)
