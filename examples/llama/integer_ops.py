"""What the integer operators of ONNX exporters compute, on arrays of 64-bit integers.

Written down here a second time, apart from the compiler, so that its results can be compared.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

Integers: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]


def product(a: Integers, b: Integers) -> Integers:
    """`a @ b`. In doubles, which are exact: sums stay far below 2^53, and BLAS is fast."""
    return (a.astype(np.float64) @ b.astype(np.float64)).astype(np.int64)


def requant(x: Integers, mul: int, shift: int) -> Integers:
    """`x * mul / 2^shift`, halves rounded up, cut to 8 bits."""
    rounding = (1 << shift) >> 1
    return np.clip((x * mul + rounding) >> shift, -128, 127)


def divide(a: Integers, b: Integers | int) -> Integers:
    """The quotient, truncated towards zero; `b` is positive."""
    return np.sign(a) * (np.abs(a) // b)


def square_root(x: Integers) -> Integers:
    """The largest integers whose squares are at most `x`, below 2^52."""
    return np.floor(np.sqrt(x.astype(np.float64))).astype(np.int64)


def rms_norm(x: Integers, weight: Integers, shift: int) -> Integers:
    """`x * weight / sqrt(mean(x^2) + 1) / 2^shift` along the last axis, cut to 8 bits."""
    mean = np.square(x).sum(axis=-1, keepdims=True) // x.shape[-1]
    return np.clip(divide(x * weight, square_root(mean + 1)) >> shift, -128, 127)


def softmax(x: Integers, b: int, c: int, log2: int) -> Integers:
    """Probabilities along the last axis as multiples of 1/255.

    `exp` is `2^-z * ((p + b)^2 + c)` up to a factor, where `x - max = p - z * log2`.
    """
    x = x - x.max(axis=-1, keepdims=True)
    halvings = np.minimum(-x // log2, 31)
    exponential = (np.square(x + halvings * log2 + b) + c) >> halvings
    return exponential * 255 // exponential.sum(axis=-1, keepdims=True)


def hardswish(x: Integers, three: int, six: int, sixth: int) -> Integers:
    """`x * min(max(x + three, 0), six) * sixth`, where the last three have the scales that they
    need."""
    return x * (np.clip(x + three, 0, six) * sixth)
