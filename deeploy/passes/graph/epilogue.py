"""Requantisations as values: read from ops, composed exactly, written back.

Everything here is modulo 2^32, so constants may be multiplied and added at compile time without
changing a single bit, as long as no clamp or shift stands in between.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from xdsl.context import Context
from xdsl.ir import Attribute, Operation, SSAValue

from deeploy.dialects.graph import (
    AddOp,
    BinaryOp,
    ClipOp,
    IntSoftmaxOp,
    ItaMaxOp,
    ItaPartialMaxOp,
    MulOp,
    RequantAttr,
    Requantised,
    RequantOp,
    SubOp,
    integer_range,
    si32,
)
from deeploy.interfaces.bounds import range_of
from deeploy.interfaces.tiling import shape_of
from deeploy.interpreters.graph import channel_axis, wrap
from deeploy.passes.graph.rewriting import constant_of, make_constant, tensor
from deeploy.resources import Array

LOWEST, HIGHEST = integer_range(si32)


def _wrapped(array: Array) -> Array:
    return array.astype(np.int32).astype(np.int64)


@dataclass(frozen=True)
class Epilogue:
    """`clamp((x * mul + add) >> shift, low, high)`; `mul` and `add` broadcast to x."""

    mul: Array
    add: Array
    shift: int
    low: int
    high: int

    @staticmethod
    def linear(mul: Array | int, add: Array | int) -> Epilogue:
        """`x * mul + add` in 32 bits."""
        mul, add = (_wrapped(np.asarray(v, np.int64)) for v in (mul, add))
        return Epilogue(mul, add, 0, LOWEST, HIGHEST)

    @staticmethod
    def clip(low: int, high: int) -> Epilogue:
        """`clamp(x, low, high)`."""
        return replace(Epilogue.linear(1, 0), low=low, high=high)

    def is_linear(self) -> bool:
        """Whether nothing is shifted out or clamped."""
        return self.shift == 0 and self.low <= LOWEST and self.high >= HIGHEST

    def is_clip(self) -> bool:
        """Whether only the clamp has an effect."""
        return self.shift == 0 and bool(np.all(self.mul == 1)) and bool(np.all(self.add == 0))

    def then(self, other: Epilogue) -> Epilogue | None:
        """The one epilogue that does `self` and then `other`, if there is an exact one."""
        if other.is_clip():
            low, high = (min(max(v, other.low), other.high) for v in (self.low, self.high))
            return replace(self, low=low, high=high)
        if not self.is_linear():
            return None
        return replace(
            other,
            mul=_wrapped(self.mul * other.mul),
            add=_wrapped(self.add * other.mul + other.add),
        )

    def along(self, rank: int, axis: int, channels: int) -> Epilogue | None:
        """With factors of shape `[channels]` or `[]`, if they vary along `axis` only."""
        mul = along_axis(self.mul, rank, axis, channels)
        add = along_axis(self.add, rank, axis, channels)
        return None if mul is None or add is None else replace(self, mul=mul, add=add)


def along_axis(factor: Array, rank: int, axis: int, channels: int) -> Array | None:
    """A factor that broadcasts, as `[channels]` or `[]`; None if it varies elsewhere."""
    if factor.size == 1:
        return factor.reshape(())
    shape = (1,) * (rank - factor.ndim) + factor.shape
    if any(extent != (channels if i == axis else 1) for i, extent in enumerate(shape)):
        return None
    return factor.reshape(channels)


# --- Reading --------------------------------------------------------------------------------------


def _factor(
    ctx: Context, op: Requantised | RequantOp, operand: SSAValue | None, number: int
) -> Array | None:
    """A factor of `op`, as it broadcasts to the result."""
    if operand is None:
        return np.asarray(wrap(number), np.int64)
    array = constant_of(ctx, operand)
    if array is None:
        return None
    if isinstance(op, Requantised):
        behind = len(shape_of(op.results[0])) - 1 - channel_axis(op)
        array = array.reshape(-1, *(1,) * behind)
    return _wrapped(array)


def epilogue_of(ctx: Context, op: Requantised | RequantOp) -> Epilogue | None:
    """What `op` does to its 32-bit value before it stores it; None if factors are no constants, or
    if it looks results up."""
    if isinstance(op, IntSoftmaxOp) and op.mapping is not None:
        return None
    if op.requant is None:
        return Epilogue.linear(1, 0) if _stores_all(op) else None
    number_mul, number_add, shift, low, high = op.requant.values()
    mul = _factor(ctx, op, op.mul, number_mul)
    add = _factor(ctx, op, op.add, number_add)
    return None if mul is None or add is None else Epilogue(mul, add, shift, low, high)


def _stores_all(op: Requantised | RequantOp) -> bool:
    """Whether the type of the result holds every value that `op` can compute."""
    match op:
        case IntSoftmaxOp():
            low, high = 0, 255
        case ItaMaxOp() | ItaPartialMaxOp():
            low, high = 0, op.levels.value.data - 1
        case _:
            low, high = LOWEST, HIGHEST
    lowest, highest = range_of(op.results[0]) or (0, -1)
    return lowest <= low and high <= highest


def as_epilogue(ctx: Context, op: Operation) -> tuple[SSAValue, Epilogue] | None:
    """The one variable operand of `op` and what `op` does to each of its elements."""
    match op:
        case RequantOp() if (epilogue := epilogue_of(ctx, op)) is not None:
            value = op.input
        case ClipOp():
            value, epilogue = op.input, Epilogue.clip(op.min.value.data, op.max.value.data)
        case BinaryOp() if (parts := _binary_with_constant(ctx, op)) is not None:
            value, epilogue = parts
        case _:
            return None
    if shape_of(value) != shape_of(op.results[0]) or not _fits_32_bits(value):
        return None
    return value, epilogue


def _fits_32_bits(value: SSAValue) -> bool:
    low, high = range_of(value) or (LOWEST - 1, HIGHEST + 1)
    return low >= LOWEST and high <= HIGHEST


def _binary_with_constant(ctx: Context, op: BinaryOp) -> tuple[SSAValue, Epilogue] | None:
    if op.lhs_requant is not None or op.rhs_requant is not None:
        return None
    lhs, rhs = constant_of(ctx, op.lhs), constant_of(ctx, op.rhs)
    if (lhs is None) == (rhs is None):
        return None
    value, constant = (op.lhs, rhs) if lhs is None else (op.rhs, lhs)
    assert constant is not None
    own = epilogue_of(ctx, op)
    if constant.dtype.kind not in "iu" or own is None:
        return None
    match op:
        case AddOp():
            linear = Epilogue.linear(1, constant)
        case SubOp() if lhs is None:
            linear = Epilogue.linear(1, -constant.astype(np.int64))
        case SubOp():
            linear = Epilogue.linear(-1, constant)
        case MulOp():
            linear = Epilogue.linear(constant, 0)
        case _:
            return None
    result = linear.then(own)
    return None if result is None else (value, result)


# --- Writing --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Factors:
    """An epilogue in the IR: the attribute, the operands `mul` and `add`, and their constants."""

    requant: RequantAttr
    mul: list[SSAValue]
    add: list[SSAValue]
    constants: list[Operation]


def write_factors(ctx: Context, epilogue: Epilogue, key: str) -> Factors:
    """Make the attribute, and constants for the factors that are not one number."""
    constants: list[Operation] = []
    numbers: list[int] = []
    operands: list[list[SSAValue]] = []
    for array, name, neutral in ((epilogue.mul, "mul", 1), (epilogue.add, "add", 0)):
        uniform = array.size > 0 and bool(np.all(array == array.flat[0]))
        numbers.append(int(array.flat[0]) if uniform else neutral)
        operands.append([])
        if not uniform:
            constant = make_constant(ctx, f"{key}_{name}", array, si32)
            constant.result.name_hint = name
            constants.append(constant)
            operands[-1].append(constant.result)
    mul, add = numbers
    requant = RequantAttr.of(mul, add, epilogue.shift, min=epilogue.low, max=epilogue.high)
    return Factors(requant, operands[0], operands[1], constants)


def make_requant(
    ctx: Context, value: SSAValue, epilogue: Epilogue, elements: Attribute, key: str
) -> list[Operation]:
    """A `graph.requant` of `value`, after the constants that it needs."""
    factors = write_factors(ctx, epilogue, key)
    requant = RequantOp.build(
        operands=[[value], factors.mul, factors.add],
        properties={"requant": factors.requant},
        result_types=[tensor(shape_of(value), elements)],
    )
    return [*factors.constants, requant]


def with_epilogue(
    ctx: Context, op: Requantised, epilogue: Epilogue, elements: Attribute, key: str
) -> list[Operation] | None:
    """`op` with another epilogue, after the constants that it needs.

    None if the epilogue's factors do not run along the channels of `op`.
    """
    result = op.results[0]
    epilogue_here = epilogue.along(len(shape_of(result)), channel_axis(op), op.channels())
    if epilogue_here is None:
        return None
    factors = write_factors(ctx, epilogue_here, key)
    main = op.operands[: len(op.operands) - len(op.epilogue_maps())]
    properties = {k: v for k, v in op.properties.items() if k != "operandSegmentSizes"}
    segments = [[v] for v in main]
    if isinstance(op, IntSoftmaxOp):
        segments = [segments[0], *([] if v is None else [v] for v in (op.table, op.mapping))]
    new_op = type(op).build(
        operands=[*segments, factors.mul, factors.add],
        properties={**properties, "requant": factors.requant},
        result_types=[tensor(shape_of(result), elements)],
    )
    return [*factors.constants, new_op]
