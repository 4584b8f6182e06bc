"""The functions of a module: attributes of arguments, and what is returned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xdsl.dialects import func
from xdsl.dialects.builtin import (
    ArrayAttr,
    DictionaryAttr,
    IndexType,
    ModuleOp,
)
from xdsl.ir import Attribute, BlockArgument, Operation, SSAValue

from deeploy.dialects.graph import State, Symbol, extent_of, state_of, symbol_of
from deeploy.interfaces.tiling import shape_of


def argument_attributes(function: func.FuncOp, index: int) -> Mapping[str, Attribute]:
    """The attributes of an argument."""
    return function.arg_attrs.data[index].data if function.arg_attrs else {}


def position_of(function: func.FuncOp) -> BlockArgument | None:
    """The argument that says how many rows the caches of a function hold: the last one, an index.

    None if there is none: then all extents are fixed.
    """
    arguments = function.body.block.args
    last = arguments[-1] if arguments else None
    return last if last is not None and isinstance(last.type, IndexType) else None


def tensor_arguments(function: func.FuncOp) -> Sequence[BlockArgument]:
    """The arguments of a function without the position."""
    position = position_of(function)
    return [arg for arg in function.body.block.args if arg is not position]


def argument_states(function: func.FuncOp) -> list[State | None]:
    """For each argument but the position, the state that it is."""
    return _states(tensor_arguments(function), function.arg_attrs)


def result_states(function: func.FuncOp) -> list[State | None]:
    """For each result, the state that it is."""
    return _states(returned_values(function), function.res_attrs)


def _states(
    values: Sequence[SSAValue], attributes: ArrayAttr[DictionaryAttr] | None
) -> list[State | None]:
    """The states among values: buffers have them as attributes, tensors in their types too."""
    found = [state_of(known.data) for known in attributes or ()][: len(values)]
    found += [None] * (len(values) - len(found))
    for i, value in enumerate(values):
        if found[i] is None and (extent := extent_of(value)) is not None:
            found[i] = State(*extent, grows=True)
    return found


def positions_in(function: func.FuncOp) -> int:
    """How many positions a function with caches that grow can be called with: 0 to this, less 1."""
    inner = [result for op in function.body.block.ops for result in op.results]
    values = [*tensor_arguments(function), *returned_values(function), *inner]
    states = [*argument_states(function), *result_states(function), *_states(inner, None)]
    room = [
        shape_of(value)[state.axis] - state.rows
        for value, state in zip(values, states, strict=True)
        if state is not None and state.grows
    ]
    return min(room, default=0) + 1


def symbols_of(function: func.FuncOp) -> list[Symbol]:
    """The extents of arguments that have a name in the model."""
    attributes = function.arg_attrs or ()
    found = [symbol_of(known.data) for known in attributes]
    return [symbol for symbol in found if symbol is not None]


def returned_values(function: func.FuncOp) -> Sequence[SSAValue]:
    """What a function with a body returns."""
    last = function.body.block.last_op
    return last.operands if last is not None else ()


def owner_of(value: SSAValue) -> Operation:
    """The op that a value comes from: the function if it is an argument."""
    owner = value.owner
    owner = owner if isinstance(owner, Operation) else owner.parent_op()
    assert owner is not None, "blocks are in a function"
    return owner


def functions_of(module: ModuleOp) -> list[func.FuncOp]:
    """The functions that have a body."""
    return [
        op for op in module.body.block.ops if isinstance(op, func.FuncOp) and not op.is_declaration
    ]
