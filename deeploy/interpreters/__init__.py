"""Running modules in numpy: the reference that every pass has to preserve."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import (
    IntegerType,
    MemRefType,
    ModuleOp,
    TensorType,
)
from xdsl.dialects.func import FuncOp
from xdsl.interpreter import Interpreter
from xdsl.interpreters.arith import ArithFunctions
from xdsl.interpreters.func import FuncFunctions
from xdsl.interpreters.scf import ScfFunctions
from xdsl.ir import Attribute
from xdsl.traits import SymbolTable
from xdsl.utils.hints import isa

from deeploy.diagnostics import DeeployError
from deeploy.dialects.graph import State
from deeploy.dialects.graph.attributes import integer_range
from deeploy.functions import (
    argument_states,
    position_of,
    positions_in,
    result_states,
    tensor_arguments,
)
from deeploy.interpreters.graph import GraphFunctions
from deeploy.interpreters.memory import IndexFunctions, MemoryFunctions
from deeploy.interpreters.npu import NpuFunctions
from deeploy.interpreters.tiled import TiledFunctions
from deeploy.resources import Array, numpy_dtype


def make_interpreter(ctx: Context, module: ModuleOp) -> Interpreter:
    """An interpreter of `module` that knows every dialect of Deeploy."""
    interpreter = Interpreter(module)
    interpreter.register_implementations(FuncFunctions())
    interpreter.register_implementations(GraphFunctions(ctx))
    interpreter.register_implementations(TiledFunctions())
    interpreter.register_implementations(ArithFunctions())
    interpreter.register_implementations(IndexFunctions())
    interpreter.register_implementations(ScfFunctions())
    memory = MemoryFunctions(ctx, module)
    interpreter.register_implementations(memory)
    interpreter.register_implementations(NpuFunctions(memory.memories))
    return interpreter


def run_module(
    ctx: Context, module: ModuleOp, inputs: Sequence[Array], function: str = "network"
) -> list[Array]:
    """Run a function of `module` on numpy arrays.

    Args:
        ctx: the context that holds the resources of `module`.
        module: the program.
        inputs: one array for each argument. Integral values may come in any numeric type. Caches
            that grow have the rows that they hold, which say the position; it is no input itself.
        function: the name of the function.

    Returns:
        One array for each result.

    Raises:
        DeeployError: there is no such function, or the inputs do not fit its arguments.
    """
    callee = SymbolTable.lookup_symbol(module, function)
    if not isinstance(callee, FuncOp):
        raise DeeployError(f"the module has no function '{function}'")
    types = [arg.type for arg in tensor_arguments(callee)]
    if len(inputs) != len(types):
        raise DeeployError(f"function '{function}' takes {len(types)} inputs, not {len(inputs)}")
    states = argument_states(callee)
    position = given_position(inputs, types, states)
    arguments: list[object] = [
        argument_array(f"input {i}", with_room(array, state, type, position), type, state, position)
        for i, (array, state, type) in enumerate(zip(inputs, states, types, strict=True))
    ]
    if position_of(callee) is not None:
        if not 0 <= position < positions_in(callee):
            raise DeeployError(f"the caches hold {position} rows, and have room for no more")
        arguments.append(position)
    results = make_interpreter(ctx, module).call_op(callee, tuple(arguments))
    return [
        result if state is None or not state.grows else in_use(result, state, position)
        for result, state in zip(results, result_states(callee), strict=True)
    ]


def given_position(
    inputs: Sequence[Array], types: Sequence[Attribute], states: Sequence[State | None]
) -> int:
    """The position: how many rows the caches that grow hold.

    Raises:
        DeeployError: they do not agree, or do not fit.
    """
    rows: set[int] = set()
    for array, type, state in zip(inputs, types, states, strict=True):
        if state is None or not state.grows or not isa(type, TensorType | MemRefType):
            continue
        if array.ndim == type.get_num_dims():
            rows.add(array.shape[state.axis] - state.rows)
    if len(rows) > 1:
        raise DeeployError(f"the caches hold different numbers of rows: {sorted(rows)}")
    return rows.pop() if rows else 0


def with_room(array: Array, state: State | None, type: Attribute, position: int) -> Array:
    """The rows of a cache that are given, in an array with room for those that will be added.

    Tensors whose extents are known at run time are as large as they are used.
    """
    if state is None or not isa(type, TensorType | MemRefType):
        return array
    whole = type.get_shape()
    grows_by_value = state.grows and isa(type, TensorType)
    if grows_by_value or array.shape != state.shape(whole, position):
        return array
    room = np.zeros(whole, array.dtype)
    room[tuple(slice(0, extent) for extent in array.shape)] = array
    return room


def in_use(array: Array, state: State, position: int) -> Array:
    """The rows of a cache that are in use."""
    return array[tuple(slice(0, extent) for extent in state.shape(array.shape, position))]


def argument_array(
    name: str, array: Array, type: Attribute, state: State | None = None, position: int = 0
) -> Array:
    """`array` as a value of the IR type `type`.

    Args:
        name: what to call it in a message.
        array: of the shape of the type; of a tensor that is a cache which grows, the rows in use.
        type: of a tensor or buffer.
        state: of a cache.
        position: how many rows caches that grow hold.

    Raises:
        DeeployError: the shapes differ, or a value has no place in the element type.
    """
    if not isa(type, TensorType | MemRefType):
        raise DeeployError(f"{name} is of type {type}, not a tensor")
    elements = type.element_type
    shape = type.get_shape()
    if state is not None and state.grows and isa(type, TensorType):
        shape = state.shape(shape, position)
    if array.shape != shape:
        raise DeeployError(f"{name} has shape {array.shape}, but its type is {type}")
    dtype = numpy_dtype(elements)
    if dtype.kind == "f":
        return array.astype(dtype)
    values = array.astype(dtype) if array.dtype.kind in "bui" else _integral(name, array)
    if array.size:
        low, high = _range(elements)
        if int(array.min()) < low or int(array.max()) > high:
            raise DeeployError(
                f"{name} has values outside {low} to {high}, the range of {elements}"
            )
    return values.astype(dtype)


def _range(elements: Attribute) -> tuple[int, int]:
    match elements:
        case IntegerType(width=width) if width.data == 1:
            return 0, 1
        case IntegerType():
            return integer_range(elements)
        case _:
            return integer_range(IntegerType(64))


def _integral(name: str, array: Array) -> Array:
    """A floating-point array as integers."""
    if not np.array_equal(array, np.rint(array)):
        raise DeeployError(f"{name} has values that are not integers")
    return array.astype(np.int64)


__all__ = ["argument_array", "make_interpreter", "run_module"]
