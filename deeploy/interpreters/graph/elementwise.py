"""Matrix products and elementwise arithmetic."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deeploy.dialects.graph import (
    AddOp,
    BinaryOp,
    ClipOp,
    DivOp,
    IntDivOp,
    MatmulAddOp,
    MatmulOp,
    MaxOp,
    MinOp,
    MulOp,
    PowOp,
    ProductOp,
    RequantOp,
    SubOp,
)
from deeploy.interpreters.graph.arithmetic import exact_product, quotient, requantise, wide
from deeploy.interpreters.graph.registry import Overhangs, numpy_meaning
from deeploy.resources import Array


def _product(op: ProductOp, inputs: Sequence[Array]) -> Array:
    lhs, rhs = inputs[:2]
    return exact_product(lhs, rhs.swapaxes(-1, -2) if op.transpose_rhs else rhs)


@numpy_meaning(MatmulOp)
def matmul(op: MatmulOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    return _product(op, inputs)


@numpy_meaning(MatmulAddOp)
def matmul_add(op: MatmulAddOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    product = requantise(_product(op, inputs), op.product_requant)
    if op.scale is not None:
        product = requantise(product, op.scale)
    return wide(product) + wide(inputs[2])


def _operands(op: BinaryOp, inputs: Sequence[Array]) -> tuple[Array, Array]:
    """The two operands, requantised as they are read, and wide enough."""
    lhs, rhs = inputs[:2]
    if op.lhs_requant is not None:
        lhs = requantise(lhs, op.lhs_requant)
    if op.rhs_requant is not None:
        rhs = requantise(rhs, op.rhs_requant)
    return wide(lhs), wide(rhs)


@numpy_meaning(AddOp)
def add(op: AddOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    lhs, rhs = _operands(op, inputs)
    return lhs + rhs


@numpy_meaning(SubOp)
def sub(op: SubOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    lhs, rhs = _operands(op, inputs)
    return lhs - rhs


@numpy_meaning(MulOp)
def mul(op: MulOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    lhs, rhs = _operands(op, inputs)
    return lhs * rhs


@numpy_meaning(MaxOp)
def max_(op: MaxOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    return np.maximum(*_operands(op, inputs))


@numpy_meaning(MinOp)
def min_(op: MinOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    return np.minimum(*_operands(op, inputs))


@numpy_meaning(DivOp)
def div(op: DivOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    lhs, rhs = _operands(op, inputs)
    return lhs / rhs


@numpy_meaning(PowOp)
def pow_(op: PowOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    return np.power(*_operands(op, inputs))


@numpy_meaning(IntDivOp)
def int_div(op: IntDivOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    lhs, rhs = _operands(op, inputs)
    delta, eta, eps = (v.value.data for v in (op.delta, op.eta, op.eps))
    divisor, dividend = eta * rhs + eps, delta * eta * lhs
    return quotient(dividend + np.sign(dividend) * (divisor >> 1), divisor)


@numpy_meaning(RequantOp)
def requant(op: RequantOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    values, *factors = inputs
    mul = factors.pop(0) if op.mul is not None else None
    add = factors.pop(0) if op.add is not None else None
    return requantise(values, op.requant, mul, add)


@numpy_meaning(ClipOp)
def clip(op: ClipOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    (values,) = inputs
    return np.clip(wide(values), op.min.value.data, op.max.value.data)
