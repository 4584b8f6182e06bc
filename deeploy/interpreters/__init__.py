"""Running modules in numpy: the reference that every pass has to preserve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
from deeploy.dialects.graph import state_of
from deeploy.dialects.graph.attributes import integer_range
from deeploy.functions import argument_attributes
from deeploy.interpreters.graph import GraphFunctions
from deeploy.interpreters.memory import IndexFunctions, MemoryFunctions
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
    interpreter.register_implementations(MemoryFunctions(ctx, module))
    return interpreter


def run_module(
    ctx: Context, module: ModuleOp, inputs: Sequence[Array], function: str = "network"
) -> list[Array]:
    """Run a function of `module` on numpy arrays.

    Args:
        ctx: the context that holds the resources of `module`.
        module: the program.
        inputs: one array for each argument. Integral values may come in any numeric type.
        function: the name of the function.

    Returns:
        One array for each result.

    Raises:
        DeeployError: there is no such function, or the inputs do not fit its arguments.
    """
    callee = SymbolTable.lookup_symbol(module, function)
    if not isinstance(callee, FuncOp):
        raise DeeployError(f"the module has no function '{function}'")
    types = callee.function_type.inputs.data
    if len(inputs) != len(types):
        raise DeeployError(f"function '{function}' takes {len(types)} inputs, not {len(inputs)}")
    arguments = tuple(
        argument_array(f"input {i}", with_room(array, argument_attributes(callee, i), type), type)
        for i, (array, type) in enumerate(zip(inputs, types, strict=True))
    )
    return list(make_interpreter(ctx, module).call_op(callee, arguments))


def with_room(array: Array, attributes: Mapping[str, Attribute], type: Attribute) -> Array:
    """The rows of a cache that are given, in an array with room for those that will be added."""
    state = state_of(attributes)
    if state is None or not isa(type, TensorType | MemRefType):
        return array
    whole = type.get_shape()
    if array.shape != (*whole[: state.axis], state.rows, *whole[state.axis + 1 :]):
        return array
    room = np.zeros(whole, array.dtype)
    room[tuple(slice(0, extent) for extent in array.shape)] = array
    return room


def argument_array(name: str, array: Array, type: Attribute) -> Array:
    """`array` as a value of the IR type `type`.

    Raises:
        DeeployError: the shapes differ, or a value has no place in the element type.
    """
    if not isa(type, TensorType | MemRefType):
        raise DeeployError(f"{name} is of type {type}, not a tensor")
    elements = type.element_type
    if array.shape != type.get_shape():
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
