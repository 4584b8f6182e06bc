"""What a planned nest keeps in the compute memory: tiles, kernel scratch, values between its ops.

The one home of these sizes: the check of a plan and the lowering to buffers both ask here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from xdsl.ir import SSAValue

from deeploy.dialects.graph import GraphOp, element_type
from deeploy.dialects.mem import element_bytes
from deeploy.dialects.tiled import NestOp
from deeploy.engines import kernel_of
from deeploy.interfaces.nest_space import NestSpace
from deeploy.interfaces.tiling import shape_of
from deeploy.interfaces.views import storage_of
from deeploy.planner.problem import align_up
from deeploy.targets import Target


@dataclass(frozen=True)
class TileBuffer:
    """The buffer of an operand whose tiles move.

    `shape` is that of the largest tile; there are `slots` of them, `stride` elements apart. The
    operand stays the same over `period` tiles. `size` is in bytes.
    """

    shape: tuple[int, ...]
    slots: int
    stride: int
    period: int
    size: int


def in_place_values(nest: NestOp) -> set[SSAValue]:
    """The inputs of a nest's body that kernels read where they lie: they have no tiles."""
    read = {op.operands[i] for op in nest.body_ops() for i in kernel_of(op).in_place_operands(op)}
    return read & set(nest.body.block.args)


def private_values(nest: NestOp) -> list[SSAValue]:
    """The values of a nest's body with a buffer that lives only in the nest."""
    storage = storage_of(nest)
    between = [r for op in nest.body_ops()[:-1] for r in op.results]
    return [value for value in between if storage[value] is value]


class NestLayout:
    """Sizes of one nest under its tile sizes, loop order and buffers."""

    def __init__(self, nest: NestOp, target: Target) -> None:
        self.nest = nest
        self.target = target
        self.align = target.memory(target.compute).align
        self.space = NestSpace.of(nest)
        self.extents = self._extents()
        sizes = zip(nest.iterators(), nest.tile_sizes(), strict=True)
        self.counts = [math.ceil(it.extent / size) for it, size in sizes]
        self.tiles = math.prod(self.counts)
        parts = nest.parts()
        self.parts = 1 if parts is None else self.counts[parts]
        """Into how many parts sums are cut, in loops of their own inside those over tiles."""

    def _extents(self) -> dict[SSAValue, tuple[int, ...]]:
        """The largest tile of each value; borders are cut, so none is larger than its tensor."""
        further = self.space.iterators[len(self.nest.iterators()) :]
        sizes = (*self.nest.tile_sizes(), *(it.extent for it in further))
        return {
            value: tuple(
                min(form.extent(sizes), extent)
                for form, extent in zip(forms, shape_of(value), strict=True)
            )
            for value, forms in self.space.values.items()
        }

    def tile_buffer(self, value: SSAValue) -> TileBuffer:
        """The buffer of an input or result of the nest's body."""
        period = self.period(value)
        buffers = 1 if self.nest.buffers is None else self.nest.buffers.value.data
        # of nested loops the inner ones have two buffers
        slots = buffers if period < (self.tiles if self.parts == 1 else self.parts) else 1
        shape = self.extents[value]
        element = element_bytes(element_type(value))
        slot = align_up(math.prod(shape) * element, self.align)
        return TileBuffer(shape, slots, slot // element, period, slots * slot)

    def period(self, value: SSAValue) -> int:
        """Tiles over which a value stays: all loops inside the innermost one that moves it."""
        used = {i for form in self.space.values[value] for i in form.used()}
        period = 1
        for i in reversed(self.nest.loop_order()):
            if i in used:
                return period
            period *= self.counts[i]
        return self.tiles

    def kernel_scratch(self, op: GraphOp) -> int:
        """Bytes of scratch of an op's kernel, for all cores."""
        size = self.target.memory(self.target.compute).size
        return kernel_of(op).scratch_bytes(op, self.target.cores, size)

    def private_size(self, value: SSAValue) -> int:
        """Bytes of the largest tile of a value between two ops of the nest."""
        return math.prod(self.extents[value]) * element_bytes(element_type(value))

    def scratch_size(self, resident: set[SSAValue]) -> int:
        """All bytes that live only in this nest, when some of its body's values are resident."""
        resident = resident | in_place_values(self.nest)
        tied = self.nest.tied_input()
        if tied is not None:
            # what is worked on in place is the result's tile
            resident = resident | {self.nest.body.block.args[tied]}
        values = [*self.nest.body.block.args, *self.nest.root().results]
        ops = self.nest.body_ops()
        sizes = [self.tile_buffer(v).size for v in values if v not in resident]
        sizes += [self.kernel_scratch(op) for op in ops]
        sizes += [self.private_size(value) for value in private_values(self.nest)]
        return sum(align_up(size, self.align) for size in sizes)
