"""The functions of a module: attributes of arguments, and what is returned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xdsl.dialects import func
from xdsl.dialects.builtin import (
    ArrayAttr,
    DictionaryAttr,
    IndexType,
    MemRefType,
    ModuleOp,
    TensorType,
)
from xdsl.ir import Attribute, BlockArgument, Operation, SSAValue
from xdsl.utils.hints import isa

from deeploy.dialects.graph import State, Symbol, state_of, symbol_of


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


def states_of(attributes: ArrayAttr[DictionaryAttr] | None, count: int) -> list[State | None]:
    """For each argument or result of a function the state that it is, given their attributes."""
    return [state_of(known.data) for known in attributes] if attributes else [None] * count


def positions_in(function: func.FuncOp) -> int:
    """How many positions a function with caches that grow can be called with: 0 to this, less 1."""
    types = function.function_type.outputs
    room = [
        type.get_shape()[state.axis] - state.rows
        for type, state in zip(types, states_of(function.res_attrs, len(types)), strict=True)
        if state is not None and state.grows and isa(type, TensorType | MemRefType)
    ]
    return min(room) + 1


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
