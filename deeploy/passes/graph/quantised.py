"""Quantised values as patterns see them: integers with a scale and an offset, and their bounds."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import AnyFloat, FloatAttr, IntegerAttr, f32, f64, i64
from xdsl.ir import Operation, SSAValue

from deeploy.dialects.graph import (
    AddOp,
    BinaryOp,
    ClipOp,
    ConstantOp,
    ConvOp,
    DequantizeOp,
    DivOp,
    MatmulOp,
    MulOp,
    PadOp,
    QuantizeOp,
    ReduceOp,
    RequantAttr,
    RequantOp,
    ReshapeOp,
    SliceOp,
    SubOp,
    TransposeOp,
    element_type,
    integer_range,
    si8,
    si32,
    tuple_of,
    ui8,
)
from deeploy.interfaces.bounds import range_of
from deeploy.interfaces.tiling import shape_of
from deeploy.interpreters.graph import channel_axis, evaluate_whole
from deeploy.passes.graph.rewriting import constant_of, make_constant, tensor
from deeploy.resources import Array

LOWEST, HIGHEST = integer_range(si32)
BYTES = (si8, ui8)

# --- Values ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Affine:
    """`value * scale + offset` as real numbers: what becomes of an integer tensor by
    dequantisation and arithmetic with constants. Scale and offset broadcast to the tensor."""

    value: SSAValue
    scale: Array
    offset: Array

    def zero_point(self) -> int | None:
        """The integer that stands for zero, if there is one for the whole tensor."""
        zeros = -self.offset / self.scale
        zero = round(float(zeros.flat[0]))
        return zero if np.all(np.abs(zeros - zero) < 1e-4) else None


def floats_of(ctx: Context, value: SSAValue) -> Array | None:
    """The floats behind `value`, if it is a constant or a dequantised one."""
    if not isinstance(element_type(value), AnyFloat):
        return None
    owner = value.owner
    if not isinstance(owner, DequantizeOp):
        return constant_of(ctx, value)
    inputs = [constant_of(ctx, v) for v in owner.operands]
    known = [array for array in inputs if array is not None]
    return evaluate_whole(owner, known) if len(known) == len(inputs) else None


def affine_of(ctx: Context, value: SSAValue) -> Affine | None:
    """`value` as an affine function of an integer tensor of the same shape, if it is one."""
    match value.owner:
        case DequantizeOp(input=x) as op:
            scale = _scale_of(ctx, op)
            return None if scale is None else Affine(x, scale, -op.zero_point.value.data * scale)
        case AddOp() | SubOp() | MulOp() | DivOp() as op if len(op.operands) == 2:
            return _with_constant(ctx, op)
        case _:
            return None


def _scale_of(ctx: Context, op: DequantizeOp) -> Array | None:
    if op.scales is None:
        return np.asarray(np.float32(op.scale.value.data), np.float64)
    scales = constant_of(ctx, op.scales)
    return None if scales is None else scales.astype(np.float64)


def _with_constant(ctx: Context, op: BinaryOp) -> Affine | None:
    right, left = floats_of(ctx, op.rhs), floats_of(ctx, op.lhs)
    if (right is None) == (left is None) or (isinstance(op, DivOp) and right is None):
        return None
    value, constant = (op.lhs, right) if left is None else (op.rhs, left)
    inner = affine_of(ctx, value)
    if inner is None or constant is None or shape_of(value) != shape_of(op.results[0]):
        return None
    c = constant.astype(np.float64)
    match op:
        case AddOp():
            return Affine(inner.value, inner.scale, inner.offset + c)
        case SubOp() if left is None:
            return Affine(inner.value, inner.scale, inner.offset - c)
        case SubOp():
            return Affine(inner.value, -inner.scale, c - inner.offset)
        case DivOp() if np.all(c):
            return Affine(inner.value, inner.scale / c, inner.offset / c)
        case MulOp() if np.all(c):
            return Affine(inner.value, inner.scale * c, inner.offset * c)
        case _:
            return None


@dataclass(frozen=True)
class Quantised:
    """`(value - zero_point) * scale` for a value of eight bits, or a constant; the scale broadcasts
    to it."""

    value: SSAValue
    scale: Array
    zero_point: int

    @property
    def is_uniform(self) -> bool:
        """Whether there is one scale for the whole tensor."""
        return self.scale.size == 1


def quantised(ctx: Context, value: SSAValue) -> Quantised | None:
    """`value` as integers with scale and zero point, if it is nothing else."""
    affine = affine_of(ctx, value)
    if affine is None:
        return None
    if element_type(affine.value) not in BYTES and not isinstance(affine.value.owner, ConstantOp):
        return None
    zero = affine.zero_point()
    return None if zero is None else Quantised(affine.value, affine.scale, zero)


def dequantize(ctx: Context, value: SSAValue, scale: Array, zero_point: int = 0) -> list[Operation]:
    """`graph.dequantize` of `value`, after the constant that it may need."""
    uniform = scale.size == 1
    operands, before = [value], list[Operation]()
    if not uniform:
        constant = make_constant(ctx, "scales", scale.astype(np.float32), f32)
        constant.result.name_hint = "scales"
        operands, before = [value, constant.result], [constant]
    op = DequantizeOp.create(
        operands=operands,
        properties={
            "scale": FloatAttr(float(np.float32(scale.item())) if uniform else 1.0, f64),
            "zero_point": FloatAttr(float(zero_point), f64),
        },
        result_types=[tensor(shape_of(value), f32)],
    )
    return [*before, op]


def quantize(
    value: SSAValue, like: QuantizeOp, low: int | None = None, high: int | None = None
) -> QuantizeOp:
    """`graph.quantize` of `value` with the numbers of another one, and other limits if given."""
    limits = {"min": low, "max": high}
    given = {key: IntegerAttr(v, i64) for key, v in limits.items() if v is not None}
    return QuantizeOp.create(
        operands=[value],
        properties={**like.properties, **given},
        result_types=[tensor(shape_of(value), element_type(like.result))],
    )


# --- Bounds ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bounds:
    """Smallest and largest values (int64) of the elements of a tensor; broadcast to it."""

    low: Array
    high: Array

    @staticmethod
    def of(low: int, high: int) -> Bounds:
        """The same for all elements."""
        return Bounds(np.asarray(low, np.int64), np.asarray(high, np.int64))

    def hull(self) -> Bounds:
        """The bounds of all elements together."""
        return Bounds.of(int(self.low.min()), int(self.high.max()))

    def times(self, other: Bounds) -> Bounds:
        """Of products."""
        ends = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Bounds(np.minimum.reduce(ends), np.maximum.reduce(ends))

    def plus(self, other: Bounds, sign: int = 1) -> Bounds:
        """Of sums, or differences."""
        ends = (other.low, other.high)[::sign]
        return Bounds(self.low + sign * ends[0], self.high + sign * ends[1])

    def scaled(self, factor: int) -> Bounds:
        """Of multiples by a positive number."""
        return Bounds(self.low * factor, self.high * factor)

    def fit(self) -> bool:
        """Whether 32 bits hold them."""
        return int(self.low.min()) >= LOWEST and int(self.high.max()) <= HIGHEST


def bounds_of(ctx: Context, value: SSAValue) -> Bounds | None:
    """What an integer tensor can hold, from the ops that compute it; None if that is not known to
    be less than 32 bits."""
    match value.owner:
        case ConstantOp():
            array = constant_of(ctx, value)
            return None if array is None else Bounds.of(int(array.min()), int(array.max()))
        case QuantizeOp() | ClipOp() as op:
            return Bounds.of(op.min.value.data, op.max.value.data)
        case RequantOp(requant=requant):
            return Bounds.of(requant.min.data, requant.max.data)
        case ReshapeOp() | TransposeOp() | SliceOp() as op:
            inner = bounds_of(ctx, op.input)
            return inner and inner.hull()
        case PadOp(input=x, value=IntegerAttr() as fill):
            inner, number = bounds_of(ctx, x), int(fill.value.data)
            return inner and Bounds.of(
                min(int(inner.low.min()), number), max(int(inner.high.max()), number)
            )
        case ConvOp() | MatmulOp() | ReduceOp() | BinaryOp() as op:
            inner = _computed(ctx, op)
            return inner if inner is None or inner.fit() else None
        case _:
            pass
    elements = element_type(value)
    limits = range_of(value) if elements in BYTES else None
    return None if limits is None else Bounds.of(*limits)


def _computed(ctx: Context, op: ConvOp | MatmulOp | ReduceOp | BinaryOp) -> Bounds | None:
    """The bounds of a result of 32 bits."""
    if isinstance(op, ReduceOp):
        inner = bounds_of(ctx, op.input)
        if inner is None or op.kind.data != "sum":
            return inner and inner.hull()
        count = math.prod(shape_of(op.input)[axis] for axis in tuple_of(op.axes))
        return inner.hull().scaled(count)
    sums = _operands(ctx, op) if isinstance(op, BinaryOp) else _products(ctx, op)
    if sums is None or op.requant is None:
        return sums if op.mul is None and op.add is None else None
    mul, add, shift, low, high = op.requant.values()
    if shift or low > LOWEST or high < HIGHEST:
        return Bounds.of(low, high)
    if mul != 1 or op.mul is not None:
        return None
    offset = np.asarray(add) if op.add is None else constant_of(ctx, op.add)
    if offset is None:
        return None
    offset = _along(op, offset).astype(np.int64)
    return sums.plus(Bounds(offset, offset))


def _along(op: ConvOp | MatmulOp | BinaryOp, vector: Array) -> Array:
    """A vector along the channels of `op`, in a shape that broadcasts to its result."""
    rank = len(shape_of(op.results[0]))
    return vector.reshape(-1, *(1,) * (rank - channel_axis(op) - 1)) if vector.ndim else vector


def _operands(ctx: Context, op: BinaryOp) -> Bounds | None:
    """Of the sums, differences or products of two operands."""
    lhs = _as_read(ctx, op.lhs, op.lhs_requant)
    rhs = _as_read(ctx, op.rhs, op.rhs_requant)
    if lhs is None or rhs is None:
        return None
    match op:
        case AddOp():
            return lhs.hull().plus(rhs.hull())
        case SubOp():
            return lhs.hull().plus(rhs.hull(), -1)
        case MulOp():
            return lhs.hull().times(rhs.hull())
        case _:
            return None


def _as_read(ctx: Context, value: SSAValue, requant: RequantAttr | None) -> Bounds | None:
    inner = bounds_of(ctx, value)
    if inner is None or requant is None:
        return inner
    mul, add, shift, _, _ = requant.values()
    if shift:
        return None
    return inner.times(Bounds.of(mul, mul)).plus(Bounds.of(add, add))


def _products(ctx: Context, op: ConvOp | MatmulOp) -> Bounds | None:
    """Of the sums of products, for each channel. None if no operand is constant: what follows from
    types would depend on the number of products, and be far larger than any real sum."""
    x, weights = bounds_of(ctx, op.operands[0]), constant_of(ctx, op.operands[1])
    if x is None:
        return None
    if isinstance(op, ConvOp) and any(tuple_of(op.pads)):
        x = Bounds(np.minimum(x.low, 0), np.maximum(x.high, 0))
    rows = None if weights is None else rows_of(op, weights.astype(np.int64))
    if rows is None:
        return None
    positive = np.maximum(rows, 0).sum(axis=-1)
    negative = np.minimum(rows, 0).sum(axis=-1)
    x = x.hull()
    low, high = positive * x.low + negative * x.high, positive * x.high + negative * x.low
    return Bounds(_along(op, low), _along(op, high))


def rows_of(op: ConvOp | MatmulOp, weights: Array) -> Array | None:
    """Constant weights as `[channels, taps]`; None if there are several matrices."""
    if isinstance(op, ConvOp):
        return weights.reshape(len(weights), -1)
    if math.prod(weights.shape[:-2]) != 1:
        return None
    matrix = weights.reshape(weights.shape[-2:])
    return matrix if op.transpose_rhs is not None else matrix.T
