"""Arithmetic modulo 2^32, and what ops of several kinds need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from deeploy.dialects.graph import RequantAttr
from deeploy.interfaces.tiling import Overhang
from deeploy.resources import Array


def wrap(value: int) -> int:
    """`value` modulo 2^32, as a signed number."""
    return (value + (1 << 31)) % (1 << 32) - (1 << 31)


def requantise(
    values: Array, requant: RequantAttr, mul: Array | None = None, add: Array | None = None
) -> Array:
    """`clamp((values * mul + add) >> shift, min, max)` with 32-bit wrap-around, as int32.

    Args:
        values: integers; taken modulo 2^32.
        requant: the numbers.
        mul: broadcasts to `values`; takes the place of the number in `requant`.
        add: likewise.
    """
    number_mul, number_add, shift, low, high = requant.values()
    product = values.astype(np.int32, copy=False).astype(np.int64)
    product = product * (wrap(number_mul) if mul is None else mul.astype(np.int64))
    product = product + (wrap(number_add) if add is None else add.astype(np.int64))
    return np.clip(product.astype(np.int32) >> shift, low, high).astype(np.int32, copy=False)


def exact_product(a: Array, b: Array) -> Array:
    """`a @ b` without rounding on integers (modulo 2^64 where that is needed).

    Floating-point matrix products are far faster than numpy's integer ones, and exact as long as
    no partial sum can leave the mantissa.
    """
    if a.dtype.kind == "f" or b.dtype.kind == "f":
        return np.matmul(a, b, dtype=np.float64)
    bound = _magnitude(a) * _magnitude(b) * a.shape[-1]
    for dtype, mantissa in ((np.float32, 24), (np.float64, 53)):
        if bound < 1 << mantissa:
            return np.matmul(a.astype(dtype), b.astype(dtype)).astype(np.int64)
    return np.matmul(a.astype(np.int64), b.astype(np.int64))


def _magnitude(array: Array) -> int:
    return max(abs(int(array.min())), abs(int(array.max()))) if array.size else 0


def wide(array: Array) -> Array:
    """`array` with room for products and sums of two 32-bit numbers."""
    return array.astype(np.float64 if array.dtype.kind == "f" else np.int64)


def pad(array: Array, overhang: Sequence[Overhang], value: Any = 0) -> Array:
    """`array` with `value` where its footprint reaches over the border."""
    if not any(low or high for low, high in overhang):
        return array
    return np.pad(array, [tuple(o) for o in overhang], constant_values=value)


def quotient(dividend: Array, divisor: Array) -> Array:
    """`dividend / divisor` on integers, truncating as C does; the divisor is positive."""
    return np.sign(dividend) * (np.abs(dividend) // divisor)


def square_root(values: Array) -> Array:
    """The integer square root, rounded down, of integers from 0 to 2^62."""
    root = np.sqrt(values.astype(np.float64)).astype(np.int64)
    # a float64 is exact up to 2^53 only
    root -= root * root > values
    return root + ((root + 1) * (root + 1) <= values)
