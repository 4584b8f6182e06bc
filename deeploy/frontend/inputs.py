"""The graph's inputs: static shapes, and element types by the user's word or by example."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import onnx
from xdsl.dialects.builtin import Float32Type, f32

from deeploy.diagnostics import DeeployError, UsageError, did_you_mean
from deeploy.dialects.graph import Symbol, si8, si32, ui8
from deeploy.frontend.kind import (
    has_fractions,
    is_float_network,
    read_as_indices,
    read_by_quantiser,
)
from deeploy.frontend.ranges import Interval, bounds, smallest_type, type_interval
from deeploy.frontend.values import Array, ElementType, exact_integers

InputValues: TypeAlias = Sequence[Array] | Mapping[str, Array]

_TYPE_NAMES: dict[str, ElementType] = {
    **{name: si8 for name in ("si8", "i8", "int8")},
    **{name: ui8 for name in ("ui8", "u8", "uint8")},
    **{name: si32 for name in ("si32", "i32", "int32")},
    **{name: f32 for name in ("f32", "float32", "float")},
}
BOOL = onnx.TensorProto.BOOL
_FLOATS = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.DOUBLE)
_ONNX_TYPES: dict[int, ElementType] = {
    BOOL: ui8,
    onnx.TensorProto.INT8: si8,
    onnx.TensorProto.UINT8: ui8,
    onnx.TensorProto.INT16: si32,
    onnx.TensorProto.UINT16: si32,
    onnx.TensorProto.INT32: si32,
    onnx.TensorProto.INT64: si32,
}


@dataclass(frozen=True)
class GraphInput:
    """An input of the network; a condition holds 0 and 1 only."""

    name: str
    shape: tuple[int, ...]
    element_type: ElementType
    symbol: Symbol | None = None
    is_condition: bool = False

    def bounds(self) -> Interval | None:
        """What its elements can be; None for floats."""
        if isinstance(self.element_type, Float32Type):
            return None
        return Interval(0, 1) if self.is_condition else type_interval(self.element_type)


def graph_inputs(
    graph: onnx.GraphProto,
    input_types: Mapping[str, str] | None,
    input_values: InputValues | None,
    length: int | None = None,
) -> list[GraphInput]:
    """The inputs that are no initializers, in order, with their shapes and types.

    Args:
        graph: of the model.
        input_types: by name, what the user says.
        input_values: examples, by name or in order.
        length: what stands for the one dimension that is dynamic, if there may be one.

    Raises:
        UsageError: `input_types` names an input or type that does not exist.
        DeeployError: a dynamic shape, or values that do not fit.
    """
    initializers = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in initializers]
    types = _user_types([value.name for value in inputs], input_types or {})
    examples = _examples(graph, [value.name for value in inputs], input_values)
    is_float = is_float_network(graph, examples.values())
    result: list[GraphInput] = []
    for value in inputs:
        given, declared = types.get(value.name), _declared_type(value)
        if given is None and declared in _FLOATS:
            given = f32 if is_float or read_by_quantiser(graph, value.name) else None
        if given is None and (declared == BOOL or read_as_indices(graph, value.name)):
            given = _ONNX_TYPES.get(declared)  # examples say little about them
        result.append(_graph_input(value, given, examples.get(value.name), length))
    names = sorted({input.symbol.length for input in result if input.symbol is not None})
    if len(names) > 1:
        raise DeeployError(
            f"several dimensions are dynamic: {', '.join(map(repr, names))}",
            "only the length of the caches may be",
        )
    return result


def _declared_type(value: onnx.ValueInfoProto) -> int:
    """The element type in the file.

    Raises:
        DeeployError: it is not supported.
    """
    declared = value.type.tensor_type.elem_type
    if declared in (*_FLOATS, *_ONNX_TYPES, onnx.TensorProto.UNDEFINED):
        return declared
    name = onnx.TensorProto.DataType.Name(declared).lower()
    raise DeeployError(
        f"input '{value.name}' has elements of type {name}", "float32 and integers are supported"
    )


def parse_element_type(name: str) -> ElementType:
    """The element type that the user calls `name`.

    Raises:
        UsageError: there is none.
    """
    if name not in _TYPE_NAMES:
        raise UsageError(f"unknown element type '{name}'", did_you_mean(name, _TYPE_NAMES))
    return _TYPE_NAMES[name]


def _user_types(names: Sequence[str], given: Mapping[str, str]) -> dict[str, ElementType]:
    for name in given:
        if name not in names:
            raise UsageError(f"the network has no input '{name}'", did_you_mean(name, names))
    return {name: parse_element_type(type) for name, type in given.items()}


def _examples(
    graph: onnx.GraphProto, names: Sequence[str], values: InputValues | None
) -> dict[str, Array]:
    """The values for each input: by name if all have one, else in order."""
    if values is None:
        return {}
    if isinstance(values, Mapping):
        if set(names) <= set(values):
            return {name: np.asarray(values[name]) for name in names}
        values = list(values.values())
    if len(values) < len(names):
        raise DeeployError(f"there are values for {len(values)} of {len(names)} inputs")
    declared = [value.name for value in graph.input]
    # files made before ONNX IR version 4 list initializers as inputs, and give values for them
    order = declared if len(values) == len(declared) else names
    arrays = dict(zip(order, map(np.asarray, values), strict=False))
    return {name: arrays[name] for name in names}


def _graph_input(
    value: onnx.ValueInfoProto,
    given: ElementType | None,
    example: Array | None,
    length: int | None,
) -> GraphInput:
    shape, symbol = _shape(value, length)
    if example is not None and not _fits(example.shape, shape, symbol):
        raise DeeployError(
            f"the values for input '{value.name}' have shape {example.shape}, not {shape}"
        )
    if given is not None and example is not None and example.size:
        _check_example(value.name, given, example)
    type = given or _guessed_type(value, example, shape)
    is_condition = value.type.tensor_type.elem_type == BOOL
    return GraphInput(value.name, shape, type, symbol, is_condition)


def _fits(actual: tuple[int, ...], shape: tuple[int, ...], symbol: Symbol | None) -> bool:
    """Whether values have the shape of an input; along a symbol they may have another extent."""
    if symbol is None or len(actual) != len(shape):
        return actual == shape
    return all(
        a == b for i, (a, b) in enumerate(zip(actual, shape, strict=True)) if i != symbol.axis
    )


def _check_example(name: str, type: ElementType, example: Array) -> None:
    if isinstance(type, Float32Type):
        return
    values = bounds(exact_integers(f"input '{name}'", example))
    if values not in type_interval(type):
        raise DeeployError(f"input '{name}' has values in {values}, which {type} does not hold")


def _guessed_type(
    value: onnx.ValueInfoProto, example: Array | None, shape: tuple[int, ...]
) -> ElementType:
    if example is not None and example.size:
        if has_fractions(example):
            return f32
        return smallest_type(bounds(exact_integers(f"input '{value.name}'", example)))
    declared = _ONNX_TYPES.get(value.type.tensor_type.elem_type)
    if declared is not None:
        return declared
    if 0 in shape:
        return si8  # without elements, it does not matter
    print(
        f"note: the element type of input '{value.name}' is not in the file, si8 is assumed; "
        f"--input-type {value.name}=ui8 would change it",
        file=sys.stderr,
    )
    return si8


def _shape(value: onnx.ValueInfoProto, length: int | None) -> tuple[tuple[int, ...], Symbol | None]:
    """The shape of an input, with `length` for what is dynamic."""
    if not value.type.HasField("tensor_type"):
        raise DeeployError(f"input '{value.name}' is not a tensor")
    if not value.type.tensor_type.HasField("shape"):
        raise DeeployError(
            f"input '{value.name}' has no shape", "export the network with static shapes"
        )
    dims = value.type.tensor_type.shape.dim
    shape = [dim.dim_value for dim in dims]
    symbol: Symbol | None = None
    for index, dim in enumerate(dims):
        if dim.HasField("dim_value") and dim.dim_value >= 0:
            continue
        name = f" '{dim.dim_param}'" if dim.dim_param else ""
        if length is None:
            raise DeeployError(
                f"dimension {index}{name} of input '{value.name}' is dynamic",
                "export the network with static shapes, the batch dimension included; if it is the "
                "length of a cache, --stateful says how long it becomes",
            )
        if symbol is not None:
            raise DeeployError(
                f"input '{value.name}' has several dynamic dimensions",
                "only the length of a cache may be dynamic",
            )
        symbol = _symbol(index, dim.dim_param)
        shape[index] = length + symbol.plus
    return tuple(shape), symbol


def _symbol(axis: int, text: str) -> Symbol:
    """What a dimension is called: `past`, or `past + 1`."""
    sum = re.fullmatch(r"(.*\S)\s*\+\s*(\d+)", text)
    return Symbol(axis, sum[1], int(sum[2])) if sum else Symbol(axis, text)
