"""What an ONNX value is while a model is imported: known now, or computed when the network runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import numpy as np
from xdsl.dialects.builtin import IntegerType
from xdsl.ir import SSAValue

from deeploy.diagnostics import DeeployError
from deeploy.dialects.graph import element_type
from deeploy.frontend.ranges import INT32, IntArray, Interval, bounds
from deeploy.interfaces.tiling import shape_of

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Constant:
    """A value that is known, as ONNX holds it (integers are often carried in float32).

    Tensors without elements are constants too, wherever they come from.
    """

    name: str
    array: Array

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array."""
        return self.array.shape

    def integers(self) -> IntArray:
        """The array as integers.

        Raises:
            DeeployError: they are fractions or exceed 32 bits.
        """
        return exact_integers(f"constant '{self.name}'", self.array)


@dataclass(frozen=True)
class Tensor:
    """A value that an op computes, and the interval that holds its elements."""

    ssa: SSAValue
    interval: Interval

    @property
    def shape(self) -> tuple[int, ...]:
        """The static shape."""
        return shape_of(self.ssa)

    @property
    def element_type(self) -> IntegerType:
        """The integer type of the elements."""
        return cast(IntegerType, element_type(self.ssa))


Value: TypeAlias = Constant | Tensor


def exact_integers(what: str, array: Array) -> IntArray:
    """`array` as int64.

    Raises:
        DeeployError: an element is no integer, or exceeds 32 bits; the message starts with `what`.
    """
    if array.dtype.kind not in "iufb":
        raise DeeployError(
            f"{what} holds {array.dtype} values, but only integers and float32 are supported"
        )
    if array.dtype.kind == "f":
        array = array.astype(np.float64)  # in float32, 2^31 - 1 would be 2^31
    fractions = array[array != np.floor(array)]
    if fractions.size:
        raise DeeployError(
            f"{what} holds values that are not integers, such as {fractions.flat[0]:g}",
            "the network must be quantised before it is compiled",
        )
    outside = array[(array < INT32.low) | (array > INT32.high)]
    if outside.size:
        raise DeeployError(f"{what} holds {outside.flat[0]:g}, which exceeds 32 bits")
    return array.astype(np.int64)


def interval_of(value: Value) -> Interval:
    """The interval that holds the elements of `value`.

    Raises:
        DeeployError: it has none, or they are not integers.
    """
    return value.interval if isinstance(value, Tensor) else bounds(value.integers())
