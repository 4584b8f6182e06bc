"""An ONNX node as converters see it: typed attributes, inputs as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from deeploy.diagnostics import DeeployError
from deeploy.frontend.values import Array, Constant, Value


def decode_attributes(proto: onnx.NodeProto) -> dict[str, Any]:
    """The attributes of a node as Python numbers, strings, lists and numpy arrays."""
    return {a.name: _decode(onnx.helper.get_attribute_value(a)) for a in proto.attribute}


def _decode(value: Any) -> Any:
    if isinstance(value, onnx.TensorProto):
        return decode_tensor(value)
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def decode_tensor(tensor: onnx.TensorProto) -> Array:
    """The elements of a tensor in a file.

    Raises:
        DeeployError: their number or type is wrong.
    """
    try:
        return numpy_helper.to_array(tensor)
    except (KeyError, TypeError, ValueError) as error:
        raise DeeployError(f"the data of tensor '{tensor.name}' is damaged: {error}") from None


@dataclass(frozen=True)
class Node:
    """One ONNX node, ready to be converted.

    Its methods raise `DeeployError` without the node's name, which the importer puts in front.

    Attributes:
        from_quantlib: whether the model comes from QuantLib, which leaves defaults out.
    """

    op_type: str
    name: str
    inputs: Sequence[Value | None]
    outputs: Sequence[str]
    opset: int = 0
    attributes: Mapping[str, Any] = field(default_factory=dict[str, Any])
    from_quantlib: bool = False

    def optional(self, index: int) -> Value | None:
        """The input at `index`, or None if it is left out."""
        return self.inputs[index] if index < len(self.inputs) else None

    def value(self, index: int) -> Value:
        """The input at `index`, which must be there."""
        value = self.optional(index)
        if value is None:
            raise DeeployError(f"input {index} is missing")
        return value

    def values(self) -> list[Value]:
        """All inputs, none of which may be left out."""
        return [self.value(i) for i in range(len(self.inputs))]

    def constant(self, index: int, what: str) -> Constant | None:
        """The input at `index` (None if left out), which must be known at compile time."""
        value = self.optional(index)
        if value is None or isinstance(value, Constant):
            return value
        raise DeeployError(f"'{what}' must be a constant, not computed by the network")

    def single_output(self, unsupported: str) -> None:
        """Check that the optional further output `unsupported` is not asked for."""
        if any(self.outputs[1:]):
            raise DeeployError(f"the output '{unsupported}' is not supported")

    def integer(self, name: str, default: int | None = None) -> int:
        """An attribute as one integer, also if it is spelled as a float or a tensor."""
        value = self.attributes.get(name, default)
        if value is None:
            raise DeeployError(f"attribute '{name}' is missing")
        array = np.asarray(value)
        if array.size != 1:
            raise DeeployError(f"attribute '{name}' must be one integer, not {array.size}")
        return _integers(name, array)[0]

    def number(self, name: str, default: float | None = None) -> float:
        """An attribute as one number."""
        value = self.attributes.get(name, default)
        if value is None:
            raise DeeployError(f"attribute '{name}' is missing")
        array = np.asarray(value)
        if array.size != 1 or array.dtype.kind not in "iuf":
            raise DeeployError(f"attribute '{name}' must be one number")
        return float(array.item())

    def string(self, name: str, default: str) -> str:
        """An attribute as text."""
        return str(self.attributes.get(name, default))

    def integers(self, name: str) -> tuple[int, ...] | None:
        """An attribute as a list of integers, or None if it is not there."""
        value = self.attributes.get(name)
        return None if value is None else _integers(name, np.asarray(value))

    def integers_from(self, name: str, index: int) -> tuple[int, ...] | None:
        """A list that newer opsets have as the input at `index` and older ones as an attribute."""
        constant = self.constant(index, name)
        if constant is None:
            return self.integers(name)
        return _integers(name, constant.array)

    def scalar_from(self, name: str, index: int) -> float | int | None:
        """The same for one number."""
        constant = self.constant(index, name)
        value = self.attributes.get(name) if constant is None else constant.array
        if value is None:
            return None
        array = np.asarray(value)
        if array.size != 1:
            raise DeeployError(f"'{name}' must be one number, not {array.size}")
        if array.dtype.kind not in "iufb" or np.isnan(array).any():
            raise DeeployError(f"'{name}' must be a number, not {array.item()}")
        return array.item()


def _integers(name: str, array: Array) -> tuple[int, ...]:
    """The elements of `array`, which may be spelled as floats."""
    numbers = array.ravel().tolist()
    if not all(isinstance(n, int) or (isinstance(n, float) and n.is_integer()) for n in numbers):
        raise DeeployError(f"'{name}' must hold integers, not {str(numbers)[:40]}")
    return tuple(int(n) for n in numbers)


def normalised_axis(axis: int, rank: int) -> int:
    """`axis` counted from the front.

    Raises:
        DeeployError: there is no such dimension.
    """
    if not -rank <= axis < rank:
        raise DeeployError(f"axis {axis} does not exist in a tensor of rank {rank}")
    return axis % rank


def normalised_axes(axes: Sequence[int], rank: int) -> tuple[int, ...]:
    """The same for several axes, which must differ."""
    result = tuple(normalised_axis(axis, rank) for axis in axes)
    if len(set(result)) != len(result):
        raise DeeployError(f"axes {list(axes)} name a dimension twice")
    return result
