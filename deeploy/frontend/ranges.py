"""Integer intervals: element types follow from what values an ONNX tensor can take."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from xdsl.dialects.builtin import IntegerType

from deeploy.diagnostics import DeeployError
from deeploy.dialects.graph import integer_range, si8, si32, ui8

IntArray: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]

INT32_LOW, INT32_HIGH = integer_range(si32)


@dataclass(frozen=True)
class Interval:
    """All integers from `low` to `high`, both included."""

    low: int
    high: int

    def __str__(self) -> str:
        return f"[{self.low}, {self.high}]"

    def __contains__(self, other: Interval) -> bool:
        return self.low <= other.low and other.high <= self.high

    def __add__(self, other: Interval) -> Interval:
        return Interval(self.low + other.low, self.high + other.high)

    def __sub__(self, other: Interval) -> Interval:
        return Interval(self.low - other.high, self.high - other.low)

    def __mul__(self, other: Interval) -> Interval:
        corners = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Interval(min(corners), max(corners))

    def __or__(self, other: Interval) -> Interval:
        """The smallest interval around both."""
        return Interval(min(self.low, other.low), max(self.high, other.high))

    def clamp(self, low: int, high: int) -> Interval:
        """The values of `min(max(x, low), high)`."""
        return Interval(min(max(self.low, low), high), min(max(self.high, low), high))


ZERO = Interval(0, 0)
INT32 = Interval(INT32_LOW, INT32_HIGH)


def type_interval(type: IntegerType) -> Interval:
    """All values of an element type."""
    return Interval(*integer_range(type))


def smallest_type(interval: Interval) -> IntegerType:
    """The first of `si8`, `ui8` and `si32` that holds `interval`.

    Raises:
        DeeployError: none does.
    """
    for type in (si8, ui8, si32):
        if interval in type_interval(type):
            return type
    raise DeeployError(f"values in {interval} exceed 32 bits")


def bounds(array: IntArray) -> Interval:
    """The smallest and the largest value of a constant.

    Raises:
        DeeployError: it has no elements.
    """
    if not array.size:
        raise DeeployError(f"a constant of shape {array.shape} has no elements")
    return Interval(int(array.min()), int(array.max()))


def hull(low: IntArray, high: IntArray) -> Interval:
    """The interval around many intervals.

    Raises:
        DeeployError: there are none.
    """
    return Interval(bounds(low).low, bounds(high).high)


def pointwise(function: Callable[[IntArray], IntArray], x: Interval) -> Interval:
    """The interval around `function` of each integer in `x`.

    Raises:
        DeeployError: these are too many.
    """
    if x.high - x.low >= 1 << 16:
        raise DeeployError(
            f"the input takes values in {x}, which exceeds 16 bits", "requantise it before"
        )
    return bounds(function(np.arange(x.low, x.high + 1)))


def union(intervals: Iterable[Interval]) -> Interval:
    """The smallest interval around one or more others."""
    first, *rest = intervals
    for interval in rest:
        first |= interval
    return first


def contraction_bounds(weights: IntArray, x: Interval, axis: int) -> tuple[IntArray, IntArray]:
    """Smallest and largest `sum(weights * x)` over `axis`, for each of the other positions.

    Weights have eight bits and x 32, so that no sum leaves 64 bits.
    """
    positive = np.maximum(weights, 0).sum(axis=axis)
    negative = np.minimum(weights, 0).sum(axis=axis)
    return positive * x.low + negative * x.high, positive * x.high + negative * x.low


def check_accumulator(interval: Interval) -> Interval:
    """`interval`, if an accumulator of 32 bits holds it.

    Raises:
        DeeployError: it does not.
    """
    if interval not in INT32:
        raise DeeployError(
            f"the accumulator can reach {interval}, which exceeds 32 bits",
            "use fewer bits for weights or inputs, or give --input-type if an input is too wide",
        )
    return interval
