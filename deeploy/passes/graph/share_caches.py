"""share-caches: a cache that grows by a few rows is updated in place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, IntegerAttr, ModuleOp, i64
from xdsl.ir import BlockArgument
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter

from deeploy.dialects.graph import STATE, ConcatOp, InsertOp, State
from deeploy.functions import argument_attributes, functions_of, returned_values
from deeploy.interfaces.tiling import shape_of


@dataclass(frozen=True)
class ShareCachesPass(ModulePass):
    """Turn `concat(argument, rows)` that is returned into `insert rows into argument`.

    The argument becomes as large as the result and keeps its memory; `graph.state` says along which
    axis it grows and how many of its rows are given when the function is called.
    """

    name: ClassVar[str] = "share-caches"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions_of(op):
            for concat in list(function.body.block.ops):
                if isinstance(concat, ConcatOp) and is_cache(concat, function):
                    share(concat, function)
            function.update_function_type()


def is_cache(concat: ConcatOp, function: func.FuncOp) -> bool:
    """Whether a concatenation adds rows behind an argument that nothing else reads."""
    if len(concat.inputs) != 2 or concat.result not in returned_values(function):
        return False
    cache = concat.inputs[0]
    if not isinstance(cache, BlockArgument) or STATE in argument_attributes(function, cache.index):
        return False
    return cache.block is function.body.block and len(list(cache.uses)) == 1


def share(concat: ConcatOp, function: func.FuncOp) -> None:
    """Replace one concatenation."""
    cache, rows = concat.inputs
    assert isinstance(cache, BlockArgument)
    axis = concat.axis.value.data
    state = State(axis, shape_of(cache)[axis])
    new = InsertOp.create(
        operands=[rows, cache],
        properties={"axis": concat.axis, "offset": IntegerAttr(state.rows, i64)},
        result_types=[concat.result.type],
    )
    new.location = concat.location
    new.result.name_hint = concat.result.name_hint
    Rewriter.replace_op(concat, new)
    Rewriter.replace_value_with_new_type(cache, new.result.type)
    attributes = [
        dict(argument_attributes(function, i)) for i in range(len(function.body.block.args))
    ]
    attributes[cache.index][STATE] = state.attribute()
    function.arg_attrs = ArrayAttr([DictionaryAttr(known) for known in attributes])
