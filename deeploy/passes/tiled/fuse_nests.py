"""fuse-nests: let a nest compute what it reads, tile by tile, instead of reading it."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, UnitAttr
from xdsl.ir import Block, BlockArgument, Operation, Region, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import Rewriter

from deeploy.diagnostics import fused_location
from deeploy.dialects.graph import (
    ConstantOp,
    GraphOp,
    LookupOp,
    MatmulAddOp,
    ProductOp,
    ReshapeOp,
    RowOp,
    WindowOp,
    element_type,
    extent_of,
)
from deeploy.dialects.mem import element_bytes
from deeploy.dialects.tiled import NestOp, YieldOp
from deeploy.engines import ENGINE, kernel_of, takes_views
from deeploy.functions import functions_of
from deeploy.interfaces.nest_space import NestSpace
from deeploy.interfaces.tiling import linear_forms, shape_of
from deeploy.interfaces.views import VIEW, can_be_read_through, can_be_written_through, is_view
from deeploy.passes.graph.rewriting import make_transpose
from deeploy.passes.levels import check_lowered
from deeploy.passes.tiled.form_nests import nest_around
from deeploy.planner.candidates import tile_limits
from deeploy.planner.layout import in_place_values
from deeploy.planner.problem import align_up
from deeploy.targets import Target, target_of


@dataclass(frozen=True)
class FuseNestsPass(ModulePass):
    """Merge a nest into the only one that reads its result, where that computes nothing twice.

    Transposes and slices become views in all nests that read them, or in the one that computes what
    they permute, where the kernels take the strides; insertions in the one that computes what they
    insert. A reshape that only moves dimensions of extent 1 counts as a transpose. Element-wise
    ops take in what they read; softmax and norms take in element-wise ops and products of two
    activations; such a product takes in the softmax before it (attention). The smallest tiles of a
    merged nest must fit into `percent` of the compute memory.
    """

    name: ClassVar[str] = "fuse-nests"

    percent: int = 25

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        target = target_of(op)
        budget = target.memory(target.compute).size * self.percent // 100
        for function in functions_of(op):
            check_lowered(function, GraphOp)
            fusion = Fusion(target, budget)
            for step in (fusion.see_through, fusion.absorb):
                for nest in reversed(list(function.body.block.ops)):
                    if isinstance(nest, NestOp) and nest.parent is not None:
                        step(nest)


@dataclass(frozen=True)
class Fusion:
    """Merges nests for a target, if the smallest tiles fit into a number of bytes."""

    target: Target
    budget: int

    def see_through(self, nest: NestOp) -> None:
        """Let all nests that read a transpose or slice read its operand through a view."""
        view = single_op(nest)
        readers = [use.operation for use in nest.results[0].uses]
        if (
            view is None
            or not can_be_read_through(view)
            or not readers
            or len(set(readers)) != len(readers)
        ):
            return
        found: list[tuple[Operation, NestOp]] = []
        for reader in readers:
            combined = self.viewing(nest, view, reader)
            if combined is None:
                for _, other in found:
                    other.erase()
                return
            found.append((reader, combined))
        for reader, combined in found:
            Rewriter.replace_op(reader, combined)
        Rewriter.erase_op(nest)

    def viewing(self, nest: NestOp, view: GraphOp, reader: Operation) -> NestOp | None:
        """A nest with its operand, which a transpose or slice gives, as a view."""
        if not isinstance(reader, NestOp) or not are_free(nest, reader):
            return None
        index = list(reader.inputs).index(nest.results[0])
        if index == reader.tied_input():
            return None
        return self.checked(merge(nest, reader, index, views=[view]))

    def absorb(self, nest: NestOp) -> None:
        """Merge producers into a nest until none can be merged any more."""
        combined: NestOp | None = nest
        while combined is not None:
            nest = combined
            combined = self.absorb_one(nest)

    def absorb_one(self, nest: NestOp) -> NestOp | None:
        """Merge one producer into a nest."""
        for index, operand in enumerate(nest.inputs):
            reshape = operand.owner if isinstance(operand.owner, ReshapeOp) else None
            value = operand if reshape is None else reshape.input
            producer = value.owner
            if not isinstance(producer, NestOp) or not are_free(producer, nest):
                continue
            if not operand.has_one_use() or not value.has_one_use():
                continue
            if reshape is None:
                combined = self.combined(producer, nest, index)
            else:
                combined = self.combined_across(producer, reshape, nest, index)
            if combined is not None:
                Rewriter.replace_op(nest, combined)
                if reshape is not None:
                    Rewriter.erase_op(reshape)
                Rewriter.erase_op(producer)
                return combined
        return None

    def combined_across(
        self, producer: NestOp, reshape: ReshapeOp, consumer: NestOp, index: int
    ) -> NestOp | None:
        """Both nests as one, in which a reshape between them is a view, if that pays."""
        permutation = moved_units(reshape)
        if permutation is None or index == consumer.tied_input():
            return None
        assert consumer.engine is not None
        transpose = make_transpose(reshape.input, permutation)
        transpose.location = reshape.location
        transpose.result.name_hint = reshape.result.name_hint
        transpose.attributes[ENGINE] = consumer.engine
        between = nest_around(transpose)
        reading = merge(between, consumer, index, views=between.body_ops())
        combined = self.combined(producer, reading, 0)
        for nest in (reading, between, transpose):
            nest.erase()
        return combined

    def combined(self, producer: NestOp, consumer: NestOp, index: int) -> NestOp | None:
        """Both nests as one, if that pays."""
        view = single_op(consumer)
        tied = index == consumer.tied_input() or producer.tied_input() is not None
        if view is not None and can_be_written_through(view) and not tied:
            combined = self.checked(merge(producer, consumer, index, views=[view]))
            if combined is not None:
                return combined
        if not may_merge(producer, consumer, index):
            return None
        return self.checked(merge(producer, consumer, index))

    def checked(self, nest: NestOp) -> NestOp | None:
        """A nest, if kernels take the strides of its views and its smallest tiles fit."""
        if takes_views(nest) and fits(nest, self.target, self.budget):
            return nest
        nest.erase()
        return None


def single_op(nest: NestOp) -> GraphOp | None:
    """The op of a nest that has no other."""
    ops = nest.body_ops()
    return ops[0] if len(ops) == 1 else None


def moved_units(reshape: ReshapeOp) -> tuple[int, ...] | None:
    """The permutation that a reshape is, if it only moves dimensions of extent 1."""
    before, after = shape_of(reshape.input), shape_of(reshape.result)
    if extent_of(reshape.input) is not None or len(before) != len(after):
        return None
    if [e for e in before if e != 1] != [e for e in after if e != 1]:
        return None
    units = iter(i for i, extent in enumerate(before) if extent == 1)
    others = iter(i for i, extent in enumerate(before) if extent != 1)
    return tuple(next(units if extent == 1 else others) for extent in after)


def are_free(producer: NestOp, consumer: NestOp) -> bool:
    """Whether two nests can become one: of one engine, and nothing decided yet."""
    nests = (producer, consumer)
    return producer.engine == consumer.engine and not any(
        nest.outputs or nest.is_planned() for nest in nests
    )


def may_merge(producer: NestOp, consumer: NestOp, index: int) -> bool:
    """Whether the consumer may compute its operand `index` itself, given the kinds of ops."""
    reader, operand = reader_of(consumer, index)
    return reads_tile_for_tile(reader, operand) and is_pattern(producer, consumer, reader, operand)


def reader_of(nest: NestOp, index: int) -> tuple[GraphOp, int]:
    """The op that reads an input of a nest, through views, and which of its operands that is."""
    value: SSAValue = nest.body.block.args[index]
    while True:
        (use,) = value.uses
        assert isinstance(use.operation, GraphOp)
        if not is_view(use.operation):
            return use.operation, use.index
        value = use.operation.results[0]


def reads_tile_for_tile(op: GraphOp, index: int) -> bool:
    """Whether an operand is read at the iterators themselves: no strides, halos or offsets."""
    for form in linear_forms(op.operand_maps()[index]):
        if form.offset != 0 or len(form.used()) > 1 or max(form.coefficients, default=0) > 1:
            return False
    return True


def is_pattern(producer: NestOp, consumer: NestOp, reader: GraphOp, index: int) -> bool:
    """The combinations that pay."""
    root = producer.computing_ops()[-1]
    if isinstance(root, WindowOp):
        return False
    if isinstance(reader, RowOp):
        return is_elementwise(root) or is_activation_product(producer, root)
    if isinstance(reader, MatmulAddOp) and reader.operands[index] is reader.addend:
        return is_elementwise(root)
    if isinstance(reader, ProductOp):
        rows = any(isinstance(op, RowOp) for op in producer.body_ops())
        return index == 0 and (
            is_activation_product(consumer, reader)
            and (rows or is_activation_product(producer, root))
        )
    return is_elementwise(reader)


def is_elementwise(op: GraphOp) -> bool:
    """Whether an op computes each element of its result from one element of each operand."""
    if isinstance(op, LookupOp):
        return True
    return not isinstance(op, RowOp) and all(it.parallel for it in op.iterators())


def is_activation_product(nest: NestOp, op: GraphOp) -> bool:
    """Whether an op of a nest multiplies two matrices that are no constants."""
    return isinstance(op, ProductOp) and not isinstance(outer(nest, op.rhs), ConstantOp)


def outer(nest: NestOp, value: SSAValue) -> Operation | Block:
    """The owner, outside of a nest, of a value in its body."""
    while isinstance(op := value.owner, GraphOp) and is_view(op):
        value = op.operands[0]
    if isinstance(value, BlockArgument):
        return nest.inputs[value.index].owner
    return value.owner


def merge(
    producer: NestOp, consumer: NestOp, index: int, views: Collection[GraphOp] = ()
) -> NestOp:
    """A nest that computes both, in which some ops become views; neither is changed."""
    inputs = [*producer.inputs, *(v for i, v in enumerate(consumer.inputs) if i != index)]
    block = Block(arg_types=[v.type for v in inputs])
    for argument, value in zip(block.args, inputs, strict=True):
        argument.name_hint = value.name_hint
    own = len(producer.inputs)
    values: dict[SSAValue, SSAValue] = dict(
        zip(producer.body.block.args, block.args[:own], strict=True)
    )
    copy_ops(producer, block, values, views)
    kept = [a for i, a in enumerate(consumer.body.block.args) if i != index]
    values.update(zip(kept, block.args[own:], strict=True))
    values[consumer.body.block.args[index]] = values[producer.root().results[0]]
    copy_ops(consumer, block, values, views)
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


def copy_ops(
    nest: NestOp, block: Block, values: dict[SSAValue, SSAValue], views: Collection[GraphOp]
) -> None:
    """Copy the ops of a nest's body to the end of a block."""
    for op in nest.body_ops():
        copy = op.clone(values)
        copy.location = op.location
        if op in views:
            copy.attributes[VIEW] = UnitAttr()
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
