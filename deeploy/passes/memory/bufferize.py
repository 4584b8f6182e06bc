"""bufferize: from tensors by value to buffers in memories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects import func, memref
from xdsl.dialects.builtin import (
    FunctionType,
    IntegerAttr,
    MemRefType,
    ModuleOp,
    StringAttr,
    TensorType,
)
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from deeploy.diagnostics import fail
from deeploy.dialects import graph, mem
from deeploy.dialects.graph import tuple_of
from deeploy.dialects.mem import HOME, OFFSET, LevelAttr
from deeploy.dialects.tiled import NestOp
from deeploy.targets import Target, target_of


def memref_type(type: TensorType, level: str) -> MemRefType:
    """The buffer that holds a tensor in a memory."""
    return MemRefType(
        type.element_type, type.get_shape(), memory_space=LevelAttr(StringAttr(level))
    )


@dataclass(frozen=True)
class BufferizePass(ModulePass):
    """Turn tensors into memrefs in their homes; nests then write into their outputs.

    Homes come from the plan. What has none lies in the memory of inputs and outputs, or for
    constants in the nearest memory that holds constants.
    """

    name: ClassVar[str] = "bufferize"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        target = target_of(op)
        for function in list(op.body.block.ops):
            if isinstance(function, func.FuncOp) and not function.is_declaration:
                bufferize(function, target)


def bufferize(function: func.FuncOp, target: Target) -> None:
    """Bufferize one function in place."""
    for index, arg in enumerate(function.body.block.args):
        home = argument_home(function, index) or target.io
        Rewriter.replace_value_with_new_type(arg, memref_type(arg.type, home))  # pyright: ignore
    for op in list(function.body.block.ops):
        match op:
            case graph.ConstantOp():
                bufferize_constant(op, target)
            case graph.ReshapeOp():
                bufferize_reshape(op)
            case NestOp():
                bufferize_nest(op, target)
            case func.ReturnOp():
                pass
            case _:
                fail(op, "the op is in no nest", "run 'place' and 'form-nests' first")
    block = function.body.block
    assert block.last_op is not None
    function.function_type = FunctionType.from_lists(
        [a.type for a in block.args], [o.type for o in block.last_op.operands]
    )


def argument_home(function: func.FuncOp, index: int) -> str | None:
    """The memory that the plan gave to an argument."""
    if function.arg_attrs is None:
        return None
    home = function.arg_attrs.data[index].data.get(HOME)
    return home.data if isinstance(home, StringAttr) else None


def replace(op: Operation, new: Operation) -> None:
    """Replace an op by another one at the same place, keeping location and names."""
    new.location = op.location
    for old, result in zip(op.results, new.results, strict=True):
        result.name_hint = old.name_hint
    Rewriter.replace_op(op, new)


def bufferize_constant(op: graph.ConstantOp, target: Target) -> None:
    """Give a constant a place in memory."""
    home = op.attributes.get(HOME)
    level = home.data if isinstance(home, StringAttr) else nearest_for_constants(op, target)
    assert isinstance(op.result.type, TensorType)
    new = mem.ConstantOp.create(
        properties={"value": op.value}, result_types=[memref_type(op.result.type, level)]
    )
    if isinstance(offset := op.attributes.get(OFFSET), IntegerAttr):
        new.offset = offset
    replace(op, new)


def nearest_for_constants(op: Operation, target: Target) -> str:
    """The first memory of the target that holds constants."""
    for memory in target.memories:
        if memory.constants:
            return memory.name
    fail(op, f"target '{target.name}' has no memory for constants")


def bufferize_reshape(op: graph.ReshapeOp) -> None:
    """The same bytes under another shape."""
    source, result = op.input.type, op.result.type
    assert isinstance(source, MemRefType) and isinstance(result, TensorType)
    assert isinstance(source.memory_space, LevelAttr)
    type = memref_type(result, source.memory_space.level.data)
    replace(op, mem.ReshapeOp(operands=[op.input], result_types=[type]))


def bufferize_nest(op: NestOp, target: Target) -> None:
    """Allocate the results of a nest and let it write into them."""
    homes = [h.data for h in op.homes] if op.homes else [target.io] * len(op.results)
    offsets = tuple_of(op.offsets) if op.offsets else ()
    outputs: list[SSAValue] = []
    for i, (result, home) in enumerate(zip(op.results, homes, strict=True)):
        assert isinstance(result.type, TensorType)
        alloc = memref.AllocOp([], [], memref_type(result.type, home))
        alloc.location = op.location
        if offsets:
            alloc.attributes[OFFSET] = IntegerAttr(offsets[i], 64)
        Rewriter.insert_op(alloc, InsertPoint.before(op))
        alloc.memref.name_hint = result.name_hint
        outputs.append(alloc.memref)
    properties = {k: v for k, v in op.properties.items() if k not in ("homes", "offsets")}
    properties.pop("operandSegmentSizes", None)
    new = NestOp(
        operands=[op.inputs, outputs],
        result_types=[[]],
        properties=properties,
        attributes=op.attributes,
        regions=[op.detach_region(op.body)],
    )
    new.location = op.location
    Rewriter.replace_op(op, new, outputs)
