"""What an ONNX value is while a model is imported: known now, or computed when the network runs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias, cast

import numpy as np
from xdsl.dialects.builtin import Float32Type, IntegerType
from xdsl.ir import SSAValue

from deeploy.diagnostics import DeeployError
from deeploy.dialects.graph import element_type
from deeploy.frontend.ranges import INT32, IntArray, Interval, bounds
from deeploy.interfaces.tiling import shape_of

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
ElementType: TypeAlias = IntegerType | Float32Type


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

    @cached_property
    def is_real(self) -> bool:
        """Whether some of the numbers are floats that no integer of 32 bits stands for."""
        if self.array.dtype.kind != "f":
            return False
        is_integer = (np.floor(self.array) == self.array) & (np.abs(self.array) <= 2.0**31)
        return not bool(np.all(is_integer))

    def reals(self) -> Array:
        """The array in float32.

        Raises:
            DeeployError: it holds no numbers.
        """
        if self.array.dtype.kind not in "iufb":
            raise DeeployError(f"constant '{self.name}' holds {self.array.dtype} values")
        return self.array.astype(np.float32)

    def integers(self) -> IntArray:
        """The array as integers.

        Raises:
            DeeployError: they are fractions or exceed 32 bits.
        """
        return exact_integers(f"constant '{self.name}'", self.array)


@dataclass(frozen=True)
class Tensor:
    """A value that an op computes; `bounds` holds its elements, and is None for floats."""

    ssa: SSAValue
    bounds: Interval | None

    @property
    def is_real(self) -> bool:
        """Whether the elements are floats."""
        return self.bounds is None

    @property
    def interval(self) -> Interval:
        """The interval that holds the elements.

        Raises:
            DeeployError: they are floats.
        """
        if self.bounds is None:
            raise DeeployError(
                "this needs integers, but an input is f32",
                "quantise that part of the network, or give its input a type with --input-type",
            )
        return self.bounds

    @property
    def shape(self) -> tuple[int, ...]:
        """The static shape."""
        return shape_of(self.ssa)

    @property
    def element_type(self) -> ElementType:
        """The type of the elements."""
        return cast(ElementType, element_type(self.ssa))


Value: TypeAlias = Constant | Tensor


def any_real(*values: Value | None) -> bool:
    """Whether what is computed from `values` is a float: one of them is no integer."""
    return any(value is not None and value.is_real for value in values)


def is_real_product(*values: Value | None) -> bool:
    """Whether a layer computes on floats: its activations tell. Constants with fractions beside
    integer activations are a network that has not been quantised, and no reason to convert."""
    activations = [value for value in values if isinstance(value, Tensor)]
    return any_real(*(activations or values))


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
