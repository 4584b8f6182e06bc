"""fuse-nests: let a nest compute what it reads, tile by tile, instead of reading it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, BlockArgument, Operation, Region, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter

from deeploy.diagnostics import fused_location
from deeploy.dialects.graph import ConstantOp, GraphOp, MatmulOp, RowOp, WindowOp, element_type
from deeploy.dialects.mem import element_bytes
from deeploy.dialects.tiled import NestOp, YieldOp
from deeploy.engines import kernel_of
from deeploy.functions import functions_of
from deeploy.interfaces.nest_space import NestSpace
from deeploy.interfaces.tiling import linear_forms, shape_of
from deeploy.passes.levels import check_lowered
from deeploy.planner.candidates import tile_limits
from deeploy.planner.layout import in_place_values
from deeploy.planner.problem import align_up
from deeploy.targets import Target, target_of


@dataclass(frozen=True)
class FuseNestsPass(ModulePass):
    """Merge a nest into the only one that reads its result, where that computes nothing twice.

    Element-wise ops take in what they read; softmax and norms take in element-wise ops and
    products of two activations; such a product takes in the softmax before it (attention). The
    smallest tiles of a merged nest must fit into `percent` of the compute memory.
    """

    name: ClassVar[str] = "fuse-nests"

    percent: int = 25

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        target = target_of(op)
        budget = target.memory(target.compute).size * self.percent // 100
        for function in functions_of(op):
            check_lowered(function, GraphOp)
            for nest in reversed(list(function.body.block.ops)):
                if isinstance(nest, NestOp) and nest.parent is not None:
                    absorb(nest, target, budget)


def absorb(nest: NestOp, target: Target, budget: int) -> None:
    """Merge producers into a nest until none can be merged any more."""
    merged = True
    while merged:
        merged = False
        for index, operand in enumerate(nest.inputs):
            producer = operand.owner
            if not isinstance(producer, NestOp) or not may_merge(producer, nest, index):
                continue
            combined = merge(producer, nest, index)
            if fits(combined, target, budget):
                replace(nest, producer, combined)
                nest, merged = combined, True
                break
            combined.erase()


def may_merge(producer: NestOp, consumer: NestOp, index: int) -> bool:
    """Whether the consumer may compute its operand `index` itself, given the kinds of ops."""
    if producer.engine != consumer.engine or producer.outputs or consumer.outputs:
        return False
    if producer.is_planned() or consumer.is_planned():
        return False
    argument = consumer.body.block.args[index]
    uses = list(argument.uses)
    if len(list(producer.results[0].uses)) != 1 or len(uses) != 1:
        return False
    reader = uses[0].operation
    return (
        isinstance(reader, GraphOp)
        and reads_tile_for_tile(reader, uses[0].index)
        and is_pattern(producer, consumer, reader, uses[0].index)
    )


def reads_tile_for_tile(op: GraphOp, index: int) -> bool:
    """Whether an operand is read at the iterators themselves: no strides, halos or offsets."""
    for form in linear_forms(op.operand_maps()[index]):
        if form.offset != 0 or len(form.used()) > 1 or max(form.coefficients, default=0) > 1:
            return False
    return True


def is_pattern(producer: NestOp, consumer: NestOp, reader: GraphOp, index: int) -> bool:
    """The combinations that pay."""
    root = producer.root()
    if isinstance(root, WindowOp):
        return False
    if isinstance(reader, RowOp):
        return is_elementwise(root) or is_activation_product(producer, root)
    if isinstance(reader, MatmulOp):
        rows = any(isinstance(op, RowOp) for op in producer.body_ops())
        return index == 0 and (
            is_activation_product(consumer, reader)
            and (rows or is_activation_product(producer, root))
        )
    return is_elementwise(reader)


def is_elementwise(op: GraphOp) -> bool:
    """Whether an op computes each element of its result from one element of each operand."""
    return not isinstance(op, RowOp) and all(it.parallel for it in op.iterators())


def is_activation_product(nest: NestOp, op: GraphOp) -> bool:
    """Whether an op of a nest multiplies two matrices that are no constants."""
    return isinstance(op, MatmulOp) and not isinstance(outer(nest, op.rhs), ConstantOp)


def outer(nest: NestOp, value: SSAValue) -> Operation | Block:
    """The owner, outside of a nest, of a value in its body."""
    if isinstance(value, BlockArgument):
        return nest.inputs[value.index].owner
    return value.owner


def merge(producer: NestOp, consumer: NestOp, index: int) -> NestOp:
    """A nest that computes both; neither is changed."""
    inputs = [*producer.inputs, *(v for i, v in enumerate(consumer.inputs) if i != index)]
    block = Block(arg_types=[v.type for v in inputs])
    for argument, value in zip(block.args, inputs, strict=True):
        argument.name_hint = value.name_hint
    own = len(producer.inputs)
    values: dict[SSAValue, SSAValue] = dict(
        zip(producer.body.block.args, block.args[:own], strict=True)
    )
    copy_ops(producer, block, values)
    kept = [a for i, a in enumerate(consumer.body.block.args) if i != index]
    values.update(zip(kept, block.args[own:], strict=True))
    values[consumer.body.block.args[index]] = values[producer.root().results[0]]
    copy_ops(consumer, block, values)
    result = values[consumer.root().results[0]]
    block.add_op(YieldOp(operands=[[result]]))
    assert consumer.engine is not None
    position = [nest.position for nest in (producer, consumer) if nest.position is not None][:1]
    combined = NestOp(
        operands=[inputs, [], position],
        result_types=[[r.type for r in consumer.results]],
        properties={"engine": consumer.engine},
        regions=[Region(block)],
    )
    combined.location = fused_location([producer, consumer])
    return combined


def copy_ops(nest: NestOp, block: Block, values: dict[SSAValue, SSAValue]) -> None:
    """Copy the ops of a nest's body to the end of a block."""
    for op in nest.body_ops():
        copy = op.clone(values)
        copy.location = op.location
        for old, new in zip(op.results, copy.results, strict=True):
            new.name_hint = old.name_hint
        block.add_op(copy)


def fits(nest: NestOp, target: Target, budget: int) -> bool:
    """Whether the smallest tiles of a nest fit, and its kernels can take what is never cut."""
    space = NestSpace.of(nest)
    limits = tile_limits(space)
    sizes: list[int] = []
    for i, it in enumerate(space.iterators):
        size = 1 if it.parallel and it.tileable else it.extent
        if size > limits.get(i, size):
            return False
        sizes.append(size)
    return smallest_bytes(nest, space, sizes, target) <= budget


def smallest_bytes(nest: NestOp, space: NestSpace, sizes: list[int], target: Target) -> int:
    """Bytes of all tiles of given sizes, and of kernel scratch, each in a place of its own."""
    memory = target.memory(target.compute)
    total = 0
    in_place = in_place_values(nest)
    for value, forms in space.values.items():
        if value in in_place:
            continue
        extents = zip(forms, shape_of(value), strict=True)
        tile = math.prod(min(form.extent(sizes), extent) for form, extent in extents)
        total += align_up(tile * element_bytes(element_type(value)), memory.align)
    for op in nest.body_ops():
        scratch = kernel_of(op).scratch_bytes(op, target.cores, memory.size)
        total += align_up(scratch, memory.align)
    return total


def replace(consumer: NestOp, producer: NestOp, combined: NestOp) -> None:
    """Put the merged nest in the place of the consumer."""
    for old, new in zip(consumer.results, combined.results, strict=True):
        new.name_hint = old.name_hint
    Rewriter.replace_op(consumer, combined)
    Rewriter.erase_op(producer)
