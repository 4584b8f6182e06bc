"""Views: ops of a nest that move nothing, since a kernel takes the strides that they amount to.

A transpose or slice in a nest may be marked as a view. Then no kernel runs it: it is another way to
see the buffer of its operand or of its result. A chain of views that begins at an input of the nest
or at the result of a kernel is seen in that buffer; one that ends in the result of the nest is
written through, into the buffer of that result. The last one may be an insertion: what it
inserts is written where it belongs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import AffineMap

from deeploy.dialects.graph import GraphOp, InsertOp, SliceOp, TransposeOp
from deeploy.interfaces.tiling import linear_forms, shape_of

if TYPE_CHECKING:
    from deeploy.dialects.tiled import NestOp

VIEW = "tiled.view"
"""Attribute of an op of a nest that moves nothing."""

Strides: TypeAlias = tuple[int, ...]


def is_view(op: Operation) -> bool:
    """Whether an op of a nest moves nothing."""
    return VIEW in op.attributes


def can_be_read_through(op: Operation) -> bool:
    """Whether the result of an op may be seen in the buffer of its operand."""
    return isinstance(op, TransposeOp | SliceOp)


def can_be_written_through(op: Operation) -> bool:
    """Whether the first operand of an op may be seen in the buffer of its result."""
    return isinstance(op, TransposeOp | InsertOp)


def result_strides(view: GraphOp, strides: Sequence[int]) -> Strides:
    """The strides of a view's result in the buffer of its operand, which has given strides."""
    return _through(view, view.operand_maps()[0], view.result_maps()[0], strides)


def operand_strides(view: GraphOp, strides: Sequence[int]) -> Strides:
    """The strides of a view's operand in the buffer of its result, which has given strides."""
    return _through(view, view.result_maps()[0], view.operand_maps()[0], strides)


def _through(view: GraphOp, known: AffineMap, wanted: AffineMap, strides: Sequence[int]) -> Strides:
    """From the strides on one side of a view those on the other: each dimension moves with one
    iterator."""
    steps = [0] * len(view.iterators())
    for form, stride in zip(linear_forms(known), strides, strict=True):
        for i in form.used():
            steps[i] = form.coefficients[i] * stride
    return tuple(steps[form.used()[0]] for form in linear_forms(wanted))


def row_major(shape: Sequence[int]) -> Strides:
    """The strides of a contiguous tensor."""
    strides: list[int] = []
    step = 1
    for extent in reversed(shape):
        strides.append(step)
        step *= extent
    return tuple(reversed(strides))


def storage_of(nest: NestOp) -> dict[SSAValue, SSAValue]:
    """For each value of a nest's body the value whose buffer it is seen in."""
    storage: dict[SSAValue, SSAValue] = {arg: arg for arg in nest.body.block.args}
    for op in nest.body_ops():
        result = op.results[0]
        storage[result] = storage[op.operands[0]] if is_view(op) else result
    stored = value = nest.root().results[0]
    storage[stored] = stored
    while isinstance(op := value.owner, GraphOp) and is_view(op):
        value = op.operands[0]
        storage[value] = stored
    return storage


def strides_in_nest(nest: NestOp) -> dict[SSAValue, Strides]:
    """The strides of all values in the buffers that they are seen in, for tensors that lie whole
    and contiguous."""
    storage = storage_of(nest)
    strides = {v: row_major(shape_of(v)) for v, buffer in storage.items() if v is buffer}
    views = [op for op in nest.body_ops() if is_view(op)]
    for view in views:
        operand, result = view.operands[0], view.results[0]
        if operand in strides and result not in strides:
            strides[result] = result_strides(view, strides[operand])
    for view in reversed(views):
        operand, result = view.operands[0], view.results[0]
        if operand not in strides:
            strides[operand] = operand_strides(view, strides[result])
    return strides
