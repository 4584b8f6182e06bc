"""Weights of convolutions and matrix products."""

from __future__ import annotations

import math

from xdsl.dialects.builtin import IntegerType

from deeploy.diagnostics import DeeployError
from deeploy.dialects.graph import si8, ui8
from deeploy.frontend.builder import Builder
from deeploy.frontend.ranges import (
    IntArray,
    Interval,
    bounds,
    check_accumulator,
    contraction_bounds,
    hull,
    type_interval,
)
from deeploy.frontend.values import Tensor


def weight_type(name: str, values: IntArray) -> IntegerType:
    """The 8-bit type that holds constant weights.

    Raises:
        DeeployError: none does.
    """
    interval = bounds(values)
    for type in (si8, ui8):
        if interval in type_interval(type):
            return type
    raise DeeployError(
        f"the weights '{name}' take values in {interval}, which exceeds 8 bits",
        "quantise them to 8 bits",
    )


def constant_weight(b: Builder, name: str, values: IntArray) -> Tensor:
    """Constant weights in 8 bits.

    Raises:
        DeeployError: they do not fit.
    """
    return b.constant(name, values, weight_type(name, values))


def known_sums(
    weights: IntArray, x: Interval, axis: int, scale: int, bias: IntArray | None
) -> Interval:
    """The interval of `scale * sum(weights * x) + bias` over `axis`, weights being known.

    Args:
        bias: broadcasts to the sums; None for no bias.

    Raises:
        DeeployError: the sums exceed 32 bits before or after scale and bias.
    """
    low, high = contraction_bounds(weights, x, axis)
    sums = check_accumulator(hull(low, high))
    if scale == 1 and bias is None:
        return sums
    offsets: IntArray | int = 0 if bias is None else bias
    ends = (low * scale + offsets, high * scale + offsets)
    return check_accumulator(hull(*ends) | hull(*reversed(ends)))


def unknown_sums(
    weights: Interval, x: Interval, taps: tuple[int, ...], scale: int, bias: IntArray | None
) -> Interval:
    """The same for weights of which only the interval is known; `taps` many are summed up."""
    count = math.prod(taps)
    sums = check_accumulator(weights * x * Interval(count, count)) * Interval(scale, scale)
    return check_accumulator(sums if bias is None else sums + bounds(bias))
