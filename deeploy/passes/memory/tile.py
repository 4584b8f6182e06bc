"""tile: from nests on buffers to loops over tiles, copies and kernel calls."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import ClassVar

from xdsl.builder import Builder
from xdsl.context import Context
from xdsl.dialects import arith, memref, scf
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    IndexType,
    IntegerAttr,
    MemRefType,
    ModuleOp,
    StridedLayoutAttr,
    StringAttr,
    UnitAttr,
    i8,
)
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint
from xdsl.transforms.common_subexpression_elimination import cse

from deeploy.diagnostics import fail
from deeploy.dialects.cluster import CallOp, YieldOp
from deeploy.dialects.graph import GraphOp, element_type
from deeploy.dialects.mem import OFFSET, LevelAttr, element_bytes, level_of
from deeploy.dialects.tiled import NestOp
from deeploy.engines import Engine, find_engine
from deeploy.interfaces.footprint import OpTile, Span, max_extents, nest_tiles
from deeploy.interfaces.index import Index, IndexBuilder
from deeploy.interfaces.tiling import linear_forms, shape_of
from deeploy.planner.problem import align_up
from deeploy.targets import Target, target_of

PIPELINE = "tiled.double_buffered"
"""Attribute of a loop whose moving tiles have two buffers each."""


@dataclass(frozen=True)
class TilePass(ModulePass):
    """Lower nests on buffers to loops with copies of tiles and calls of kernels."""

    name: ClassVar[str] = "tile"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        target = target_of(op)
        for nest in list(op.walk()):
            if isinstance(nest, NestOp):
                if nest.outs:
                    fail(nest, "the nest works on tensors", "run 'bufferize' first")
                if nest.engine is None:
                    fail(nest, "the nest has no engine", "run 'place' and 'form-nests' first")
                NestLowering(nest, target, find_engine(nest.engine.data)).run()
        cse(op)


@dataclass
class Buffer:
    """Where the tiles of one operand are: its whole tensor, and a buffer if tiles move.

    `period` is the number of tiles over which the operand stays the same.
    """

    whole: SSAValue
    tile: SSAValue | None
    slots: int
    period: int


@dataclass
class NestLowering:
    """Lowers one nest."""

    nest: NestOp
    target: Target
    engine: Engine
    buffers: list[Buffer] = field(default_factory=list[Buffer])
    cursor: int = 0

    def run(self) -> None:
        """Replace the nest by loops, copies and calls."""
        nest = self.nest
        self.builder = Builder(InsertPoint.before(nest))
        self.index = IndexBuilder(self.builder)
        self.extents = max_extents(nest, nest.tile_sizes())
        self.counts = [
            math.ceil(it.extent / size)
            for it, size in zip(nest.iterators(), nest.tile_sizes(), strict=True)
        ]
        self.tiles = math.prod(self.counts)
        inner = [*nest.body.block.args, *nest.root().results]
        outer = [*nest.inputs, *nest.outputs]
        if nest.scratch is not None:
            self.cursor = nest.scratch.value.data
        for value, whole in zip(inner, outer, strict=True):
            self.buffers.append(self.make_buffer(value, whole))
        self.scratch = {op: self.make_scratch(op) for op in nest.body_ops()}
        self.private = {r: self.make_private(r) for op in nest.body_ops()[:-1] for r in op.results}
        if self.tiles == 1:
            self.lower_tile(Index.of(0))
        else:
            self.lower_loop()
        nest.detach()
        nest.erase()

    # buffers

    def allocate(self, type: MemRefType, size: int, hint: str) -> SSAValue:
        """A buffer that only lives in this nest; the plan has reserved its bytes in this order."""
        op = self.insert(memref.AllocOp([], [], type))
        if self.nest.scratch is not None:
            op.attributes[OFFSET] = IntegerAttr(self.cursor, 64)
        self.cursor += align_up(size, self.target.memory(self.target.compute).align)
        op.results[0].name_hint = hint
        return op.results[0]

    def make_buffer(self, value: SSAValue, whole: SSAValue) -> Buffer:
        """The buffer of an input or output; none where the tensor is in the compute memory."""
        used = self.used_iterators(value)
        period = self.period(used)
        if level_of(whole) == self.target.compute:
            return Buffer(whole, None, 1, period)
        buffers = 1 if self.nest.buffers is None else self.nest.buffers.value.data
        slots = buffers if period < self.tiles else 1
        shape = self.extents[value]
        elements = element_type(whole)
        align = self.target.memory(self.target.compute).align
        stride = align_up(math.prod(shape) * element_bytes(elements), align) // element_bytes(
            elements
        )
        level = LevelAttr(StringAttr(self.target.compute))
        type = MemRefType(elements, shape, memory_space=level)
        if slots > 1:
            layout = StridedLayoutAttr([stride, *contiguous(shape)])
            type = MemRefType(elements, (slots, *shape), layout, level)
        size = slots * stride * element_bytes(elements)
        name = f"{whole.name_hint or 'tensor'}_tile"
        return Buffer(whole, self.allocate(type, size, name), slots, period)

    def make_scratch(self, op: GraphOp) -> SSAValue | None:
        """The scratch memory of a kernel."""
        size = self.engine.kernel(op).scratch_bytes(op, self.target.cores)
        if size == 0:
            return None
        level = LevelAttr(StringAttr(self.target.compute))
        return self.allocate(MemRefType(i8, [size], memory_space=level), size, "scratch")

    def make_private(self, value: SSAValue) -> SSAValue:
        """The buffer of a value between two ops of the nest."""
        level = LevelAttr(StringAttr(self.target.compute))
        type = MemRefType(element_type(value), self.extents[value], memory_space=level)
        size = math.prod(self.extents[value]) * element_bytes(element_type(value))
        return self.allocate(type, size, value.name_hint or "private")

    def used_iterators(self, value: SSAValue) -> set[int]:
        """The iterators of the nest on which the tile of a value depends."""
        root = self.nest.root()
        pairs = [*zip(root.operands, root.operand_maps(), strict=True)]
        pairs += [*zip(root.results, root.result_maps(), strict=True)]
        used: set[int] = set()
        for operand, map in pairs:
            if operand is value:
                used |= {i for form in linear_forms(map) for i in form.used()}
        return used

    def period(self, used: set[int]) -> int:
        """Tiles over which an operand stays: all loops inside its innermost one."""
        period = 1
        for i in reversed(self.nest.loop_order()):
            if i in used:
                return period
            period *= self.counts[i]
        return self.tiles

    # code

    def insert(self, op: Operation) -> Operation:
        """Insert an op with the nest's location."""
        op.location = self.nest.location
        return self.builder.insert(op)

    @contextmanager
    def inside(self, block: Block) -> Iterator[None]:
        """Build at the end of a block."""
        saved = self.builder.insertion_point
        self.builder.insertion_point = InsertPoint.at_end(block)
        yield
        self.builder.insertion_point = saved

    def lower_loop(self) -> None:
        """One loop over all tiles; what stays is copied before and after it."""
        zero = [Index.of(0)] * len(self.counts)
        box = self.box_of(zero)
        tiles = nest_tiles(self.nest, box, self.index)
        self.copy_in(tiles, Index.of(0), lambda b: b.period == self.tiles)
        bounds = [self.index.value(Index.of(v)) for v in (0, self.tiles, 1)]
        body = Block(arg_types=[IndexType()])
        body.args[0].name_hint = "tile"
        loop = scf.ForOp(bounds[0], bounds[1], bounds[2], [], body)
        if self.nest.buffers is not None and self.nest.buffers.value.data == 2:
            loop.attributes[PIPELINE] = UnitAttr()
        self.insert(loop)
        with self.inside(body):
            self.lower_tile(Index(body.args[0], 0, self.tiles - 1))
            self.insert(scf.YieldOp())

    def box_of(self, positions: Sequence[Index]) -> list[Span]:
        """The box of the tile at a position of the tile grid."""
        box: list[Span] = []
        iterators = self.nest.iterators()
        for it, size, count, position in zip(
            iterators, self.nest.tile_sizes(), self.counts, positions, strict=True
        ):
            start = self.index.name(self.index.mul(position, size), it.name)
            if it.extent % size == 0:
                box.append(Span(start, Index.of(size)))
                continue
            rest = self.index.sub(Index.of(it.extent), start)
            rest = Index(rest.value, it.extent - size * (count - 1), rest.high)
            box.append(Span(start, self.index.name(self.index.min(rest, Index.of(size)), f"{it.name}_size")))
        return box

    def positions(self, tile: Index) -> list[Index]:
        """The position in the tile grid of the tile with a running number."""
        positions = [Index.of(0)] * len(self.counts)
        inner = 1
        for i in reversed(self.nest.loop_order()):
            positions[i] = self.index.rem(self.index.div(tile, inner), self.counts[i])
            inner *= self.counts[i]
        return positions

    def lower_tile(self, tile: Index) -> None:
        """Copy in, compute and copy out one tile."""
        tiles = nest_tiles(self.nest, self.box_of(self.positions(tile)), self.index)
        self.copy_in(tiles, tile, lambda b: self.tiles == 1 or b.period < self.tiles)
        views: dict[SSAValue, SSAValue] = {}
        spans = self.spans(tiles)
        inner = [*self.nest.body.block.args, *self.nest.root().results]
        for value, buffer in zip(inner, self.buffers, strict=True):
            views[value] = self.view(buffer, spans[value], tile)
        for value, buffer in self.private.items():
            views[value] = self.subview(buffer, [Span(Index.of(0), s.size) for s in spans[value]])
        for op in self.nest.body_ops():
            self.call(op, tiles[op], views)
        for value, buffer in zip(inner, self.buffers, strict=True):
            if buffer.tile is not None and isinstance(value.owner, GraphOp):
                whole = self.subview(buffer.whole, spans[value])
                self.insert(memref.CopyOp(views[value], whole))

    def spans(self, tiles: dict[GraphOp, OpTile]) -> dict[SSAValue, Sequence[Span]]:
        """The tile of each value."""
        spans: dict[SSAValue, Sequence[Span]] = {}
        for op, tile in tiles.items():
            spans.update(zip(op.operands, tile.operands, strict=True))
            spans.update(zip(op.results, tile.results, strict=True))
        return spans

    def copy_in(
        self, tiles: dict[GraphOp, OpTile], tile: Index, select: Callable[[Buffer], bool]
    ) -> None:
        """Copy the tiles of selected inputs into their buffers, where they change."""
        spans = self.spans(tiles)
        for value, buffer in zip(self.nest.body.block.args, self.buffers, strict=False):
            if buffer.tile is None or not select(buffer):
                continue
            if buffer.period in (1, self.tiles):
                self.copy_tile(buffer, spans[value], tile)
                continue
            zero = self.index.value(Index.of(0))
            phase = self.index.value(self.index.rem(tile, buffer.period))
            changed = self.insert(arith.CmpiOp(phase, zero, "eq"))
            then = Block()
            with self.inside(then):
                self.copy_tile(buffer, spans[value], tile)
                self.insert(scf.YieldOp())
            self.insert(scf.IfOp(changed.results[0], [], Region(then)))

    def copy_tile(self, buffer: Buffer, spans: Sequence[Span], tile: Index) -> None:
        """Copy one tile into its buffer."""
        source = self.subview(buffer.whole, spans)
        self.insert(memref.CopyOp(source, self.view(buffer, spans, tile)))

    def view(self, buffer: Buffer, spans: Sequence[Span], tile: Index) -> SSAValue:
        """Where a kernel finds a tile."""
        if buffer.tile is None:
            return self.subview(buffer.whole, spans)
        local = [Span(Index.of(0), span.size) for span in spans]
        if buffer.slots == 1:
            return self.subview(buffer.tile, local)
        slot = self.index.rem(self.index.div(tile, buffer.period), buffer.slots)
        return self.subview(buffer.tile, [Span(slot, Index.of(1)), *local], drop=1)

    def subview(self, source: SSAValue, spans: Sequence[Span], drop: int = 0) -> SSAValue:
        """Part of a buffer; `drop` leading dimensions of extent 1 are dropped."""
        type = source.type
        assert isinstance(type, MemRefType)
        shape = type.get_shape()
        if not drop and all(
            s.start.constant == 0 and s.size.constant == e for s, e in zip(spans, shape, strict=True)
        ):
            return source
        sizes = [DYNAMIC_INDEX if s.size.constant is None else s.size.constant for s in spans]
        layout = StridedLayoutAttr(strides_of(type)[drop:], None)
        result = MemRefType(type.element_type, sizes[drop:], layout, type.memory_space)
        op = memref.SubviewOp.get(
            source,
            [s.start.value for s in spans],
            [s.size.value for s in spans],
            [1] * len(spans),
            result,
        )
        op.result.name_hint = source.name_hint
        self.insert(op)
        return op.result

    def call(self, op: GraphOp, tile: OpTile, views: dict[SSAValue, SSAValue]) -> None:
        """Call the kernel of one op on its tiles."""
        overhang = [side.value for pair in tile.overhangs[0] for side in pair]
        if all(side == 0 for side in overhang):
            overhang = []
        block = Block(arg_types=[operand.type for operand in op.operands])
        inner = op.clone()
        inner.location = op.location
        for i, (arg, operand) in enumerate(zip(block.args, op.operands, strict=True)):
            inner.operands[i] = arg
            arg.name_hint = operand.name_hint
        block.add_ops([inner, YieldOp(operands=[inner.results[0]])])
        symbol = self.engine.kernel(op).instance(op).symbol
        inputs = [views[operand] for operand in op.operands]
        self.insert(
            CallOp.of(
                self.engine.name, symbol, inputs, views[op.results[0]], self.scratch[op], overhang, Region(block)
            )
        )


def contiguous(shape: Sequence[int]) -> list[int]:
    """Row-major strides in elements."""
    strides: list[int] = []
    step = 1
    for extent in reversed(shape):
        strides.append(step)
        step *= extent
    return strides[::-1]


def strides_of(type: MemRefType) -> list[int]:
    """The strides of a buffer, which are always known."""
    strides = type.get_strides()
    assert strides is not None and None not in strides
    return [s for s in strides if s is not None]
