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
    i64,
)
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from deeploy.diagnostics import fail
from deeploy.dialects import graph, mem
from deeploy.dialects.graph import element_type, tuple_of
from deeploy.dialects.mem import HOME, OFFSET, AnyMemRef, LevelAttr, level_of
from deeploy.dialects.tiled import NestOp
from deeploy.functions import argument_attributes, functions_of, returned_values, tensor_arguments
from deeploy.interfaces.tiling import shape_of
from deeploy.planner.homes import without_compute
from deeploy.targets import Target, target_of


def memref_type(value: SSAValue, level: str) -> AnyMemRef:
    """The type of the buffer that holds a tensor in a memory."""
    space = LevelAttr(StringAttr(level))
    return MemRefType(element_type(value), shape_of(value), memory_space=space)


@dataclass(frozen=True)
class BufferizePass(ModulePass):
    """Turn tensors into memrefs in their homes; nests then write into their outputs.

    Homes come from the plan. What has none lies in the memory of inputs and outputs, or for
    constants in the nearest memory that keeps them beside the compute memory.
    """

    name: ClassVar[str] = "bufferize"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        target = target_of(op)
        for function in functions_of(op):
            bufferize(function, target)


def bufferize(function: func.FuncOp, target: Target) -> None:
    """Bufferize one function in place."""
    for arg in tensor_arguments(function):
        home = argument_attributes(function, arg.index).get(HOME)
        level = home.data if isinstance(home, StringAttr) else target.io
        Rewriter.replace_value_with_new_type(arg, memref_type(arg, level))
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
    function.function_type = FunctionType.from_lists(
        [a.type for a in function.body.block.args], [o.type for o in returned_values(function)]
    )


def replace(op: Operation, new: Operation) -> None:
    """Replace an op by another one at the same place, keeping its location."""
    new.location = op.location
    Rewriter.replace_op(op, new)


def bufferize_constant(op: graph.ConstantOp, target: Target) -> None:
    """Give a constant a place in memory."""
    home = op.attributes.get(HOME)
    level = home.data if isinstance(home, StringAttr) else home_of_constants(op, target)
    new = mem.ConstantOp.create(
        properties={"value": op.value}, result_types=[memref_type(op.result, level)]
    )
    if isinstance(offset := op.attributes.get(OFFSET), IntegerAttr):
        new.offset = offset
    replace(op, new)


def home_of_constants(op: Operation, target: Target) -> str:
    """The memory for constants without a home: not the compute memory if there is another one."""
    homes = [m.name for m in target.memories if m.persistent and not m.engine]
    if homes:
        return without_compute(homes, target)[0]
    fail(op, f"target '{target.name}' has no memory for constants")


def bufferize_reshape(op: graph.ReshapeOp) -> None:
    """The same bytes under another shape."""
    level = level_of(op.input)
    assert level is not None, "its input is a buffer by now"
    type = memref_type(op.result, level)
    replace(op, mem.ReshapeOp(operands=[op.input], result_types=[type]))


def bufferize_nest(op: NestOp, target: Target) -> None:
    """Let a nest write into buffers: new ones, or the input that it works on in place."""
    tied = op.tied_input()
    outputs = allocate_results(op, target) if tied is None else [op.inputs[tied]]
    properties = {k: v for k, v in op.properties.items() if k not in ("homes", "offsets")}
    properties.pop("operandSegmentSizes", None)
    new = NestOp(
        operands=[op.inputs, outputs, op.position],
        result_types=[[]],
        properties=properties,
        attributes=op.attributes,
        regions=[op.detach_region(op.body)],
    )
    new.location = op.location
    Rewriter.replace_op(op, new, outputs)


def allocate_results(op: NestOp, target: Target) -> list[SSAValue]:
    """A buffer for each result of a nest, in its home."""
    homes = [h.data for h in op.homes] if op.homes else [target.io] * len(op.results)
    offsets = tuple_of(op.offsets) if op.offsets else ()
    outputs: list[SSAValue] = []
    for i, (result, home) in enumerate(zip(op.results, homes, strict=True)):
        alloc = memref.AllocOp([], [], memref_type(result, home))
        alloc.location = op.location
        if offsets:
            alloc.attributes[OFFSET] = IntegerAttr(offsets[i], i64)
        Rewriter.insert_op(alloc, InsertPoint.before(op))
        alloc.memref.name_hint = result.name_hint
        outputs.append(alloc.memref)
    return outputs
