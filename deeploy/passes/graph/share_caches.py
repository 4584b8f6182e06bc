"""share-caches: a cache that grows by a few rows is updated in place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import (
    ArrayAttr,
    DictionaryAttr,
    IndexType,
    IntegerAttr,
    ModuleOp,
    StringAttr,
    TensorType,
    i64,
)
from xdsl.ir import Attribute, BlockArgument
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter
from xdsl.utils.hints import isa

from deeploy.diagnostics import fail
from deeploy.dialects.graph import (
    STATE,
    SYMBOL,
    ConcatOp,
    Extent,
    InsertOp,
    State,
    extent_of,
    symbol_of,
    with_extent,
)
from deeploy.functions import (
    argument_attributes,
    functions_of,
    position_of,
    returned_values,
    symbols_of,
)
from deeploy.interfaces.tiling import shape_of
from deeploy.passes.graph.extents import propagate_extents


@dataclass(frozen=True)
class ShareCachesPass(ModulePass):
    """Turn `concat(argument, rows)` that is returned into `insert rows into argument`.

    The argument becomes as large as the result and keeps its memory; `graph.state` says along which
    axis it grows and how many of its rows are given when the function is called. If its length has
    a name in the model (`graph.symbol`), that number is known at run time only: the function gets
    it as its last argument, the position. Other arguments of such a length (masks) get a run-time
    extent as well, and so does what is computed from them and from the caches.
    """

    name: ClassVar[str] = "share-caches"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions_of(op):
            for concat in list(function.body.block.ops):
                if isinstance(concat, ConcatOp) and is_cache(concat, function):
                    share(concat, function)
            if symbols_of(function):
                give_extents(function)
            if position_of(function) is not None:
                propagate_extents(function)
                note_results(function)
            function.update_function_type()


def is_cache(concat: ConcatOp, function: func.FuncOp) -> bool:
    """Whether a concatenation adds rows behind an argument that nothing else reads."""
    if len(concat.inputs) != 2 or concat.result not in returned_values(function):
        return False
    cache = concat.inputs[0]
    if not isinstance(cache, BlockArgument) or cache.block is not function.body.block:
        return False
    attributes = argument_attributes(function, cache.index)
    symbol = symbol_of(attributes)
    if STATE in attributes:
        return False
    if symbol is not None and (symbol.axis, symbol.plus) != (concat.axis.value.data, 0):
        return False
    return len(list(cache.uses)) == 1


def share(concat: ConcatOp, function: func.FuncOp) -> None:
    """Replace one concatenation."""
    cache, rows = concat.inputs
    assert isinstance(cache, BlockArgument)
    axis = concat.axis.value.data
    grows = symbol_of(argument_attributes(function, cache.index)) is not None
    given = 0 if grows else shape_of(cache)[axis]
    new = InsertOp.create(
        operands=[rows, cache],
        properties={"axis": concat.axis} | ({} if grows else {"offset": IntegerAttr(given, i64)}),
        result_types=[concat.result.type],
    )
    new.location = concat.location
    new.result.name_hint = concat.result.name_hint
    Rewriter.replace_op(concat, new)
    whole = new.result.type
    assert isa(whole, TensorType)
    type = with_extent(whole, Extent(axis, 0)) if grows else whole
    Rewriter.replace_value_with_new_type(cache, type)
    arguments = attributes_of(function.arg_attrs, len(function.body.block.args))
    arguments[cache.index][STATE] = State(axis, given, grows).attribute()
    arguments[cache.index].pop(SYMBOL, None)
    function.arg_attrs = array_of(arguments)
    if grows:
        add_position(function)


def add_position(function: func.FuncOp) -> None:
    """Make sure that the function has an argument for the position."""
    if position_of(function) is not None:
        return
    block = function.body.block
    block.insert_arg(IndexType(), len(block.args)).name_hint = "position"
    arguments = attributes_of(function.arg_attrs, len(block.args) - 1)
    function.arg_attrs = array_of([*arguments, {"graph.name": StringAttr("position")}])


def note_results(function: func.FuncOp) -> None:
    """Note which results of the function have a run-time extent."""
    returned = returned_values(function)
    results = attributes_of(function.res_attrs, len(returned))
    for value, attributes in zip(returned, results, strict=True):
        if (extent := extent_of(value)) is not None:
            attributes[STATE] = State(*extent, grows=True).attribute()
    function.res_attrs = array_of(results)


def attributes_of(
    known: ArrayAttr[DictionaryAttr] | None, count: int
) -> list[dict[str, Attribute]]:
    """The attributes of all arguments or results."""
    return [dict(each.data) for each in known] if known else [{} for _ in range(count)]


def array_of(attributes: Sequence[dict[str, Attribute]]) -> ArrayAttr[DictionaryAttr]:
    """The attributes of all arguments or results as an attribute of the function."""
    return ArrayAttr([DictionaryAttr(each) for each in attributes])


def give_extents(function: func.FuncOp) -> None:
    """Give the other arguments of a length that has a name their run-time extent.

    Raises:
        PassFailedException: there is no cache that tells the position.
    """
    count = len(function.body.block.args)
    arguments = attributes_of(function.arg_attrs, count)
    for arg, attributes in zip(function.body.block.args, arguments, strict=True):
        if (symbol := symbol_of(attributes)) is None:
            continue
        if position_of(function) is None:
            fail(
                function,
                f"no input is a cache, of all that have the length '{symbol.length}'",
                "a cache is read by one concatenation only, which adds rows behind it along that "
                "dimension, and whose result is an output of the network",
            )
        attributes[STATE] = State(symbol.axis, symbol.plus, grows=True).attribute()
        del attributes[SYMBOL]
        assert isa(arg.type, TensorType)
        type = with_extent(arg.type, Extent(symbol.axis, symbol.plus))
        Rewriter.replace_value_with_new_type(arg, type)
    function.arg_attrs = array_of(arguments)
