"""Matrix products: Gemm and MatMul."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from xdsl.dialects.builtin import f32

from deeploy.diagnostics import DeeployError
from deeploy.dialects.graph import AddOp, MatmulOp, MulOp, si32
from deeploy.frontend.builder import Builder, as_int64, flag
from deeploy.frontend.epilogue import Factor, factor, requant
from deeploy.frontend.nodes import Node
from deeploy.frontend.ranges import (
    INT32,
    IntArray,
    Interval,
    bounds,
    check_accumulator,
)
from deeploy.frontend.registry import NUMBERS, converter
from deeploy.frontend.values import Constant, Tensor, Value, is_real_product
from deeploy.frontend.weights import constant_weight, known_sums, unknown_sums


@dataclass(frozen=True)
class Bias:
    """A constant that is added to each row of a product: `[n]`."""

    name: str
    values: IntArray


def matmul(
    b: Builder,
    lhs: Value,
    rhs: Value,
    *,
    transposed: bool = False,
    scale: int = 1,
    bias: Bias | None = None,
) -> Tensor:
    """`scale * lhs @ rhs + bias` for operands of rank 2 or more.

    Args:
        transposed: whether `rhs` is `[…, n, k]`.
    """
    rhs, transposed = _stored(rhs, transposed)
    _check_columns(lhs, rhs, transposed, bias)
    lhs, rhs, scale = _scaled(lhs, rhs, scale)
    interval = _interval(lhs, rhs, transposed, scale, bias)
    add = factor(b, bias.name, bias.values, neutral=0) if bias else Factor(0)
    plain = scale == 1 and add == Factor(0)
    return b.emit(
        MatmulOp,
        {"lhs": _operand(b, lhs).ssa, "rhs": _operand(b, rhs).ssa, "add": add.tensor},
        interval,
        {
            "transpose_rhs": flag(transposed),
            "requant": None if plain else requant(Factor(scale), add),
        },
        element_type=si32,
    )


def _stored(rhs: Value, transposed: bool) -> tuple[Value, bool]:
    """A right side and whether it is transposed: constants are, so that what is multiplied is
    contiguous."""
    if not isinstance(rhs, Constant) or transposed:
        return rhs, transposed
    return Constant(rhs.name, np.swapaxes(rhs.array, -1, -2)), True


def _check_columns(lhs: Value, rhs: Value, transposed: bool, bias: Bias | None) -> None:
    k, n = rhs.shape[:-3:-1] if transposed else rhs.shape[-2:]
    if lhs.shape[-1] != k:
        raise DeeployError(f"shapes {lhs.shape} and {rhs.shape} do not fit together")
    if bias is not None and bias.values.shape != (n,):
        raise DeeployError(f"the bias has shape {bias.values.shape}, not ({n},)")


def _operand(b: Builder, value: Value) -> Tensor:
    if isinstance(value, Tensor):
        return value
    return constant_weight(b, value.name, value.integers())


def _scaled(lhs: Value, rhs: Value, scale: int) -> tuple[Value, Value, int]:
    """Fold `scale` into a constant operand where the products have 8 bits."""
    if scale == 1:
        return lhs, rhs, 1
    for value in (rhs, lhs):
        if not isinstance(value, Constant):
            continue
        scaled = Constant(value.name, value.integers() * scale)
        if bounds(scaled.array) in Interval(-128, 127):
            return (lhs, scaled, 1) if value is rhs else (scaled, rhs, 1)
    return lhs, rhs, scale


def _interval(lhs: Value, rhs: Value, transposed: bool, scale: int, bias: Bias | None) -> Interval:
    values = bias.values if bias else None
    if isinstance(rhs, Constant):
        x = bounds(lhs.integers()) if isinstance(lhs, Constant) else lhs.interval
        return known_sums(rhs.integers(), x, -1, scale, values)
    if isinstance(lhs, Constant) and bias is None:
        return known_sums(lhs.integers(), rhs.interval, -1, scale, None)
    weights = bounds(lhs.integers()) if isinstance(lhs, Constant) else lhs.interval
    return unknown_sums(weights, rhs.interval, lhs.shape[-1:], scale, values)


def real_matmul(
    b: Builder,
    lhs: Value,
    rhs: Value,
    *,
    transposed: bool = False,
    scale: float = 1.0,
    bias: Value | None = None,
) -> Tensor:
    """`scale * lhs @ rhs + bias` on floats; the bias has one value for each column."""
    rhs, transposed = _stored(rhs, transposed)
    _check_columns(lhs, rhs, transposed, None)
    if isinstance(lhs, Constant):
        lhs = scaled(b, lhs, scale)
    else:
        rhs = scaled(b, rhs, scale)
    operands = {
        "lhs": b.real(lhs).ssa,
        "rhs": b.real(rhs).ssa,
        "add": None if bias is None else b.real(bias).ssa,
    }
    return b.emit(MatmulOp, operands, None, {"transpose_rhs": flag(transposed)})


def scaled(b: Builder, value: Value, scale: float) -> Value:
    """`value * scale` as floats, at once if it is a constant."""
    if scale == 1:
        return value
    if isinstance(value, Constant):
        return Constant(value.name, value.reals() * np.float32(scale))
    factor = b.constant("scale", np.float32(scale).reshape(1), f32)
    return b.emit(MulOp, {"lhs": b.real(value).ssa, "rhs": factor.ssa}, None)


@converter(
    "MatMul",
    "any rank, leading dimensions broadcast; constants are stored transposed",
    types=NUMBERS,
)
def convert_matmul(node: Node, b: Builder) -> Value:
    """`graph.matmul`; vectors become matrices of one row or column."""
    lhs, rhs = node.value(0), node.value(1)
    if not lhs.shape or not rhs.shape:
        raise DeeployError("an operand is a scalar")
    row, column = len(lhs.shape) == 1, len(rhs.shape) == 1
    if row:
        lhs = _reshaped(b, lhs, (1, *lhs.shape))
    if column:
        rhs = _reshaped(b, rhs, (*rhs.shape, 1))
    y = real_matmul(b, lhs, rhs) if is_real_product(lhs, rhs) else matmul(b, lhs, rhs)
    shape = y.shape[:-2] + y.shape[-2:][row : 2 - column]
    return b.reshape(y, shape)


def _reshaped(b: Builder, value: Value, shape: Sequence[int]) -> Value:
    if isinstance(value, Constant):
        return Constant(value.name, value.array.reshape(shape))
    return b.reshape(value, shape)


@converter(
    "Gemm",
    "transA, transB, any bias that broadcasts; alpha and beta, integral ones on integers",
    types=NUMBERS,
)
def convert_gemm(node: Node, b: Builder) -> Value:
    """`graph.matmul`; a constant bias per column is its epilogue, any other a `graph.add`."""
    lhs, rhs, addend = node.value(0), node.value(1), node.optional(2)
    # ONNX has matrices here; some exporters fuse products of higher ranks with a bias
    if min(len(lhs.shape), len(rhs.shape)) < 2:
        raise DeeployError(f"operands must be matrices, not {lhs.shape} and {rhs.shape}")
    if node.integer("transA", 0):
        lhs = _transposed(b, lhs)
    transposed = bool(node.integer("transB", 0))
    scales = (node.number("alpha", 1.0), node.number("beta", 1.0))
    if is_real_product(lhs, rhs, addend):
        return _real_gemm(b, lhs, rhs, addend, transposed, *scales)
    alpha, beta = _scale(node, "alpha"), _scale(node, "beta")
    columns = rhs.shape[-2 if transposed else -1]
    bias = _column_bias(addend, beta, columns)
    y = matmul(b, lhs, rhs, transposed=transposed, scale=alpha, bias=bias)
    return y if addend is None or bias else _sum(b, y, _multiple(b, addend, beta))


def _real_gemm(
    b: Builder,
    lhs: Value,
    rhs: Value,
    addend: Value | None,
    transposed: bool,
    alpha: float,
    beta: float,
) -> Tensor:
    """Gemm on floats."""
    columns = rhs.shape[-2 if transposed else -1]
    bias = None
    if addend is not None:
        addend = scaled(b, addend, beta)
        if addend.shape == (columns,) or addend.shape == (1, columns):
            bias, addend = _reshaped(b, addend, (columns,)), None
    y = real_matmul(b, lhs, rhs, transposed=transposed, scale=alpha, bias=bias)
    return y if addend is None else _sum(b, y, b.real(addend))


def _scale(node: Node, name: str) -> int:
    scale = node.integer(name, 1)
    if Interval(scale, scale) not in INT32:
        raise DeeployError(f"'{name}' is {scale}, which exceeds 32 bits")
    return scale


def _transposed(b: Builder, value: Value) -> Value:
    if isinstance(value, Constant):
        return Constant(value.name, np.swapaxes(value.array, -1, -2))
    *lead, rows, columns = range(len(value.shape))
    return b.transpose(value, (*lead, columns, rows))


def _column_bias(addend: Value | None, beta: int, columns: int) -> Bias | None:
    """`beta * addend`, if it is a constant that is the same for all rows."""
    if not isinstance(addend, Constant):
        return None
    values = addend.integers() * beta
    if values.size and np.all(values == values.flat[0]):
        return Bias(addend.name, np.full((columns,), values.flat[0]))
    if values.size == columns == values.shape[-1]:
        return Bias(addend.name, values.reshape(columns))
    return None


def _multiple(b: Builder, addend: Value, beta: int) -> Tensor:
    """`beta * addend` on integers, at once if it is a constant."""
    if isinstance(addend, Constant):
        return b.tensor(Constant(addend.name, addend.integers() * beta))
    other = b.tensor(addend)
    if beta == 1:
        return other
    factor = b.constant("beta", as_int64([beta]))
    product = check_accumulator(other.interval * factor.interval)
    return b.emit(MulOp, {"lhs": other.ssa, "rhs": factor.ssa}, product, element_type=si32)


def _sum(b: Builder, y: Tensor, addend: Tensor) -> Tensor:
    """`y + addend`, which must have the shape of `y`."""
    operands = {"lhs": y.ssa, "rhs": addend.ssa}
    if y.is_real:
        result = b.emit(AddOp, operands, None)
    else:
        total = check_accumulator(y.interval + addend.interval)
        result = b.emit(AddOp, operands, total, element_type=si32)
    if result.shape != y.shape:
        raise DeeployError(f"input 'C' of shape {addend.shape} does not broadcast to {y.shape}")
    return result
