"""Builds ops of the graph dialect: shapes inferred, constants typed, node names kept."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import (
    Float32Type,
    Float64Type,
    FloatAttr,
    IntegerAttr,
    IntegerType,
    TensorType,
    UnitAttr,
    f32,
    f64,
    i64,
)
from xdsl.ir import Attribute, Block, SSAValue
from xdsl.irdl import IRDLOperation

from deeploy.diagnostics import DeeployError, set_node_name
from deeploy.dialects.graph import (
    CastOp,
    ClipOp,
    ConstantOp,
    GraphOp,
    ReshapeOp,
    SliceOp,
    TransposeOp,
    ints,
)
from deeploy.frontend.ranges import IntArray, Interval, bounds, smallest_type, type_interval
from deeploy.frontend.values import Array, Constant, ElementType, Tensor, Value
from deeploy.resources import constant_attr


def identifier(name: str) -> str:
    """`name` as an SSA name hint: xDSL drops a number at its end, so a letter comes first."""
    text = re.sub(r"[^A-Za-z0-9_.$-]", "_", name)
    return text if text[:1].isalpha() else f"v{text}"


def number(value: int) -> IntegerAttr[IntegerType]:
    """An `i64` attribute."""
    return IntegerAttr(value, i64)


def real_number(value: float) -> FloatAttr[Float64Type]:
    """An `f64` attribute."""
    return FloatAttr(float(value), f64)


def flag(value: bool) -> UnitAttr | None:
    """A unit attribute that is there or not."""
    return UnitAttr() if value else None


class Builder:
    """Appends ops to a block. `node_name` is the ONNX node that they are made from."""

    def __init__(self, ctx: Context, block: Block) -> None:
        self.ctx = ctx
        self.block = block
        self.node_name: str | None = None
        self._constants: dict[tuple[str, str, bytes], SSAValue] = {}

    def emit(
        self,
        op_class: type[IRDLOperation],
        operands: Mapping[str, SSAValue | Sequence[SSAValue] | None],
        interval: Interval | None,
        properties: Mapping[str, Attribute | None] | None = None,
        *,
        element_type: ElementType | None = None,
        shape: Sequence[int] | None = None,
    ) -> Tensor:
        """Append an op.

        Args:
            op_class: the op; it has one result.
            operands: by name; those that are left out or None are absent.
            interval: what the elements of the result can be; None for floats.
            properties: by name; those that are None are absent.
            element_type: of the result; by default the smallest that holds `interval`, or f32.
            shape: of the result; by default inferred.

        Raises:
            VerifyException: the operands do not fit together.
            DeeployError: the result has no elements, or exceeds 32 bits.
        """
        element_type = element_type or (f32 if interval is None else smallest_type(interval))
        names = [name for name, _ in op_class.get_irdl_definition().operands]
        arguments = [_segment(operands.get(name)) for name in names]
        if shape is None:
            shape = _infer_shape(op_class, arguments, properties, element_type)
        if 0 in shape:
            raise DeeployError(f"the result has shape {tuple(shape)}, without elements")
        op = op_class.build(
            operands=arguments,
            properties=properties,
            result_types=[TensorType(element_type, shape)],
        )
        self._append(op)
        return Tensor(op.results[0], interval)

    def _append(self, op: IRDLOperation) -> None:
        if self.node_name is not None:
            set_node_name(op, self.node_name)
        self.block.add_op(op)

    def constant(self, name: str, array: Array, element_type: ElementType | None = None) -> Tensor:
        """A constant of its own or, if the same one was made before, that one.

        Args:
            name: becomes the name of the resource and of the SSA value.
            array: integers, or floats if that is the element type.
            element_type: by default the smallest that holds the integers.

        Raises:
            DeeployError: the array is empty or exceeds 32 bits.
        """
        if not array.size:
            raise DeeployError(f"'{name}' has shape {array.shape}, without elements")
        element_type = element_type or smallest_type(bounds(array))
        type, hint = TensorType(element_type, array.shape), identifier(name)
        key = (hint, str(type), array.tobytes())
        if key not in self._constants:
            value = constant_attr(self.ctx, hint, array, type)
            op = ConstantOp.create(properties={"value": value}, result_types=[type])
            self._append(op)
            op.result.name_hint = hint
            self._constants[key] = op.result
        return Tensor(self._constants[key], None if element_type == f32 else bounds(array))

    def tensor(self, value: Value, element_type: ElementType | None = None) -> Tensor:
        """`value` as a tensor of the IR, with another element type if one is asked for.

        By default a constant is of floats if it has fractions.

        Raises:
            DeeployError: a constant exceeds 32 bits or has no elements.
        """
        if element_type == f32 or (element_type is None and value.is_real):
            return self.real(value)
        assert not isinstance(element_type, Float32Type)
        if isinstance(value, Constant):
            return self.constant(value.name, value.integers(), element_type)
        if element_type is None or value.element_type == element_type:
            return value
        return self.clip(value, type_interval(element_type), element_type)

    def integers(self, value: Value) -> Tensor:
        """`value` as a tensor of integers.

        Raises:
            DeeployError: it is no integer, exceeds 32 bits or has no elements.
        """
        if isinstance(value, Constant):
            return self.constant(value.name, value.integers())
        return Tensor(value.ssa, value.interval)

    def real(self, value: Value) -> Tensor:
        """`value` as a tensor of floats.

        Raises:
            DeeployError: a constant has no elements, or holds no numbers.
        """
        if isinstance(value, Constant):
            return self.constant(value.name, value.reals(), f32)
        return value if value.is_real else self.emit(CastOp, {"input": value.ssa}, None)

    def clip(self, x: Tensor, limits: Interval, element_type: IntegerType | None = None) -> Tensor:
        """`min(max(x, limits.low), limits.high)`."""
        interval = x.interval.clamp(limits.low, limits.high)
        element_type = element_type or smallest_type(interval)
        limits = limits.clamp(*_pair(type_interval(element_type)))
        properties = {"min": number(limits.low), "max": number(limits.high)}
        return self.emit(ClipOp, {"input": x.ssa}, interval, properties, element_type=element_type)

    def reshape(self, x: Tensor, shape: Sequence[int]) -> Tensor:
        """The same elements under another shape; nothing is emitted if `x` has it already."""
        if tuple(shape) == x.shape:
            return x
        return self.move(ReshapeOp, x, shape=shape)

    def transpose(self, x: Tensor, permutation: Sequence[int]) -> Tensor:
        """`numpy.transpose`; nothing is emitted for the identity."""
        if tuple(permutation) == tuple(range(len(x.shape))):
            return x
        return self.move(TransposeOp, x, {"permutation": ints(permutation)})

    def slice(
        self, x: Tensor, starts: Sequence[int], shape: Sequence[int], steps: Sequence[int]
    ) -> Tensor:
        """`shape` elements from `starts` on; nothing is emitted if these are all."""
        if tuple(shape) == x.shape:
            return x
        properties = {"starts": ints(starts), "steps": ints(steps)}
        return self.move(SliceOp, x, properties, shape=shape)

    def move(
        self,
        op_class: type[IRDLOperation],
        x: Tensor,
        properties: Mapping[str, Attribute | None] | None = None,
        *,
        shape: Sequence[int] | None = None,
    ) -> Tensor:
        """Append an op on `x` whose result has only values of `x`, in the same type."""
        return self.emit(
            op_class,
            {"input": x.ssa},
            x.bounds,
            properties,
            element_type=x.element_type,
            shape=shape,
        )


def as_int64(values: object) -> IntArray:
    """`values` as an array of 64-bit integers."""
    return np.asarray(values, np.int64)


def _pair(interval: Interval) -> tuple[int, int]:
    return interval.low, interval.high


def _segment(operand: SSAValue | Sequence[SSAValue] | None) -> SSAValue | Sequence[SSAValue]:
    return [] if operand is None else operand


def _infer_shape(
    op_class: type[IRDLOperation],
    arguments: Sequence[SSAValue | Sequence[SSAValue]],
    properties: Mapping[str, Attribute | None] | None,
    element_type: ElementType,
) -> tuple[int, ...]:
    """Ask an op of this kind, made for the purpose, for the shape of its result."""
    probe = op_class.build(
        operands=arguments, properties=properties, result_types=[TensorType(element_type, [])]
    )
    assert isinstance(probe, GraphOp)
    try:
        return probe.infer_shape()
    finally:
        probe.erase()
