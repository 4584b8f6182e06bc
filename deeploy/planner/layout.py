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
from deeploy.engines import Engine
from deeploy.interfaces.footprint import max_extents
from deeploy.interfaces.tiling import linear_forms
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


class NestLayout:
    """Sizes of one nest under its tile sizes, loop order and buffers."""

    def __init__(self, nest: NestOp, target: Target, engine: Engine) -> None:
        self.nest = nest
        self.engine = engine
        self.target = target
        self.align = target.memory(target.compute).align
        self.extents = max_extents(nest, nest.tile_sizes())
        sizes = zip(nest.iterators(), nest.tile_sizes(), strict=True)
        self.counts = [math.ceil(it.extent / size) for it, size in sizes]
        self.tiles = math.prod(self.counts)

    def tile_buffer(self, value: SSAValue) -> TileBuffer:
        """The buffer of an input or result of the nest's body."""
        period = self.period(value)
        buffers = 1 if self.nest.buffers is None else self.nest.buffers.value.data
        slots = buffers if period < self.tiles else 1
        shape = self.extents[value]
        element = element_bytes(element_type(value))
        slot = align_up(math.prod(shape) * element, self.align)
        return TileBuffer(shape, slots, slot // element, period, slots * slot)

    def period(self, value: SSAValue) -> int:
        """Tiles over which a value stays: all loops inside the innermost one that moves it."""
        used = self._used_iterators(value)
        period = 1
        for i in reversed(self.nest.loop_order()):
            if i in used:
                return period
            period *= self.counts[i]
        return self.tiles

    def _used_iterators(self, value: SSAValue) -> set[int]:
        root = self.nest.root()
        pairs = [*zip(root.operands, root.operand_maps(), strict=True)]
        pairs += [*zip(root.results, root.result_maps(), strict=True)]
        forms = [form for operand, map in pairs if operand is value for form in linear_forms(map)]
        return {i for form in forms for i in form.used()}

    def kernel_scratch(self, op: GraphOp) -> int:
        """Bytes of scratch of an op's kernel, for all cores."""
        size = self.target.memory(self.target.compute).size
        return self.engine.kernel(op).scratch_bytes(op, self.target.cores, size)

    def private_size(self, value: SSAValue) -> int:
        """Bytes of the largest tile of a value between two ops of the nest."""
        return math.prod(self.extents[value]) * element_bytes(element_type(value))

    def scratch_size(self, resident: set[SSAValue]) -> int:
        """All bytes that live only in this nest, when some of its body's values are resident."""
        values = [*self.nest.body.block.args, *self.nest.root().results]
        ops = self.nest.body_ops()
        sizes = [self.tile_buffer(v).size for v in values if v not in resident]
        sizes += [self.kernel_scratch(op) for op in ops]
        sizes += [self.private_size(r) for op in ops[:-1] for r in op.results]
        return sum(align_up(size, self.align) for size in sizes)
