"""The factors and offsets of requantisations: numbers where uniform, else constant tensors."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from xdsl.ir import SSAValue

from deeploy.dialects.graph import RequantAttr, si32
from deeploy.frontend.builder import Builder
from deeploy.frontend.ranges import INT32, IntArray, Interval


class Factor(NamedTuple):
    """`mul` or `add`: a number and, if it is not uniform, the tensor that takes its place."""

    number: int
    tensor: SSAValue | None = None


def wrap32(array: IntArray) -> IntArray:
    """`array` modulo 2³², as signed numbers: what 32-bit arithmetic makes of it."""
    return (array + (1 << 31)) % (1 << 32) - (1 << 31)


def factor(b: Builder, name: str, array: IntArray, neutral: int) -> Factor:
    """A factor from its values, in 32 bits. `neutral` is the unused number beside a tensor."""
    array = wrap32(array)
    first = int(array.flat[0])
    if np.all(array == first):
        return Factor(first)
    return Factor(neutral, b.constant(name, array, si32).ssa)


def requant(mul: Factor, add: Factor, shift: int = 0, clamp: Interval = INT32) -> RequantAttr:
    """The attribute for these factors."""
    return RequantAttr.of(mul.number, add.number, shift, min=clamp.low, max=clamp.high)
