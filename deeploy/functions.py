"""The functions of a module: attributes of arguments, and what is returned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Attribute, Operation, SSAValue


def argument_attributes(function: func.FuncOp, index: int) -> Mapping[str, Attribute]:
    """The attributes of an argument."""
    return function.arg_attrs.data[index].data if function.arg_attrs else {}


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
