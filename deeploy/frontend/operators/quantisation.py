"""Requantisation: from 32-bit results to the few bits of the next layer."""

from __future__ import annotations

import numpy as np

from deeploy.diagnostics import DeeployError
from deeploy.dialects.graph import RequantOp
from deeploy.frontend.builder import Builder
from deeploy.frontend.epilogue import factor, requant
from deeploy.frontend.nodes import Node
from deeploy.frontend.ranges import IntArray, Interval
from deeploy.frontend.registry import CUSTOM, converter
from deeploy.frontend.values import Value


@converter(
    "RequantShift",
    "clamp((x * mul + add + div/2) >> log2(div)); mul and add constant",
    domains=CUSTOM,
)
def convert_requant_shift(node: Node, b: Builder) -> Value:
    """`graph.requant`; the rounding term becomes part of `add`."""
    x = b.integers(node.value(0))
    shift, clamp = exponent(node, "div"), clamp_of(node)
    rounding = (1 << shift) >> 1
    mul = factor(b, *_broadcastable(node, 1, "mul", x.shape), neutral=1)
    name, offsets = _broadcastable(node, 2, "add", x.shape)
    add = factor(b, name, offsets + rounding, neutral=0)
    return b.emit(
        RequantOp,
        {"input": x.ssa, "mul": mul.tensor, "add": add.tensor},
        clamp,
        {"requant": requant(mul, add, shift, clamp)},
    )


def exponent(node: Node, name: str) -> int:
    """The shift that a division by the attribute `name` is.

    Raises:
        DeeployError: it is no power of two.
    """
    divisor = node.integer(name)
    if divisor < 1 or divisor & (divisor - 1) or divisor > 1 << 31:
        raise DeeployError(f"'{name}' must be a power of two up to 2^31, not {divisor}")
    return divisor.bit_length() - 1


def clamp_of(node: Node) -> Interval:
    """The interval to which a node with `n_levels` (or `n_levels_out`) and `signed` clamps.

    Raises:
        DeeployError: the number of levels is missing, odd, below two or beyond 32 bits.
    """
    spelling = "n_levels" if "n_levels" in node.attributes else "n_levels_out"
    levels = node.integer(spelling)
    signed = node.integer("signed", 1)
    if not 2 <= levels <= 1 << (32 if signed else 31):
        raise DeeployError(f"'{spelling}' must be 2 to 2^{32 if signed else 31}, not {levels}")
    if not signed:
        return Interval(0, levels - 1)
    if levels % 2:
        raise DeeployError(f"'{spelling}' must be even where values are signed, not {levels}")
    return Interval(-(levels // 2), levels // 2 - 1)


def _broadcastable(
    node: Node, index: int, what: str, shape: tuple[int, ...]
) -> tuple[str, IntArray]:
    """Name and values of a factor, in a shape that broadcasts to the input's as in numpy."""
    constant = node.constant(index, what)
    if constant is None:
        raise DeeployError(f"'{what}' is missing")
    array = constant.integers()
    while array.ndim and array.shape[0] == 1:
        array = array[0]
    if _broadcasts(array.shape, shape):
        return constant.name, array
    # one value per channel, but written for an image of another rank
    if len(shape) > 2 and array.size == shape[1] == max(array.shape):
        return constant.name, array.reshape(shape[1], *(1,) * (len(shape) - 2))
    raise DeeployError(f"'{what}' of shape {constant.shape} does not broadcast to {shape}")


def _broadcasts(shape: tuple[int, ...], target: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(shape, target) == target
    except ValueError:
        return False
