"""tile: from nests on buffers to loops over tiles, copies and kernel calls."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
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
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint
from xdsl.transforms.common_subexpression_elimination import cse

from deeploy.diagnostics import fail
from deeploy.dialects.graph import GraphOp, element_type, extent_of
from deeploy.dialects.mem import (
    OFFSET,
    AnyMemRef,
    LevelAttr,
    ViewOp,
    level_of,
    memref_of,
    strides_of,
)
from deeploy.dialects.tiled import NestOp
from deeploy.engines import ENGINE, Launch, engine_of, kernel_of
from deeploy.functions import functions_of
from deeploy.interfaces.footprint import ORIGIN, OpTile, Span, nest_tiles, whole_range
from deeploy.interfaces.index import Index, IndexBuilder, inside
from deeploy.interfaces.tiling import shape_of
from deeploy.interfaces.views import is_view, operand_strides, result_strides
from deeploy.passes.levels import check_lowered
from deeploy.planner.layout import NestLayout, in_place_values, private_values
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
        for function in functions_of(op):
            check_lowered(function, GraphOp)
        for nest in list(op.walk()):
            if isinstance(nest, NestOp):
                if nest.outs:
                    fail(nest, "the nest works on tensors", "run 'bufferize' first")
                NestLowering(nest, target).run()
        cse(op)


@dataclass(frozen=True)
class Operand:
    """Where an operand of the nest is: its whole tensor, and a buffer if its tiles move: after
    `period` tiles, or for each part of a sum."""

    whole: SSAValue
    tile: SSAValue | None
    slots: int
    period: int
    in_parts: bool


def position_index(nest: NestOp) -> Index:
    """The position in a nest: so that no run-time extent exceeds its bound."""
    if nest.position is None:
        return ORIGIN
    values = {v for op in nest.body_ops() for v in (*op.operands, *op.results)}
    most = min(shape_of(v)[e.dim] - e.plus for v in values if (e := extent_of(v)) is not None)
    return Index(nest.position, 0, most)


class NestLowering:
    """Lowers one nest."""

    def __init__(self, nest: NestOp, target: Target) -> None:
        self.nest = nest
        self.target = target
        self.layout = NestLayout(nest, target)
        self.builder = Builder(InsertPoint.before(nest))
        self.index = IndexBuilder(self.builder)
        self.position = position_index(nest)
        self.in_place = in_place_values(nest)
        self.tiles = self.layout.tiles // self.layout.parts
        self.cursor = 0 if nest.scratch is None else nest.scratch.value.data

    def run(self) -> None:
        """Replace the nest by loops, copies and calls."""
        nest = self.nest
        inner = [*nest.body.block.args, *nest.root().results]
        outer = [*nest.inputs, *nest.outputs]
        tied = nest.tied_input()
        self.operands = {
            value: self.make_operand(value, whole)
            for i, (value, whole) in enumerate(zip(inner, outer, strict=True))
            if i != tied
        }
        self.scratch = {op: self.make_scratch(op) for op in nest.body_ops()}
        self.private = {value: self.make_private(value) for value in private_values(nest)}
        if self.tiles == 1:
            self.lower_tile(Index.of(0))
        else:
            self.lower_loop()
        nest.detach()
        nest.erase()

    # buffers

    def allocate(self, type: AnyMemRef, size: int, hint: str) -> SSAValue:
        """A buffer that only lives in this nest; the plan has reserved its bytes in this order."""
        op = memref.AllocOp([], [], type)
        if self.nest.scratch is not None:
            op.attributes[OFFSET] = IntegerAttr(self.cursor, 64)
        self.cursor += align_up(size, self.layout.align)
        op.memref.name_hint = hint
        self.insert(op)
        return op.memref

    def compute_type(self, elements: Attribute, shape: Sequence[int]) -> AnyMemRef:
        """A contiguous buffer in the compute memory."""
        level = LevelAttr(StringAttr(self.target.compute))
        return MemRefType(elements, shape, memory_space=level)

    def make_operand(self, value: SSAValue, whole: SSAValue) -> Operand:
        """A buffer for the tiles of an input or output that is not in the compute memory, nor read
        where it lies."""
        level = level_of(whole)
        is_direct = level is not None and self.target.is_direct(level)
        parts, period = self.layout.parts, self.layout.period(value)
        turns = max(period // parts, 1), period < parts
        if is_direct or value in self.in_place:
            return Operand(whole, None, 1, *turns)
        buffer = self.layout.tile_buffer(value)
        type = self.compute_type(element_type(whole), buffer.shape)
        if buffer.slots > 1:
            strides = StridedLayoutAttr([buffer.stride, *strides_of(type)])
            shape = (buffer.slots, *buffer.shape)
            type = MemRefType(type.element_type, shape, strides, type.memory_space)
        tile = self.allocate(type, buffer.size, f"{whole.name_hint or 'tensor'}_tile")
        return Operand(whole, tile, buffer.slots, *turns)

    def make_scratch(self, op: GraphOp) -> SSAValue | None:
        """The scratch memory of a kernel."""
        size = self.layout.kernel_scratch(op)
        return self.allocate(self.compute_type(i8, [size]), size, "scratch") if size else None

    def make_private(self, value: SSAValue) -> SSAValue:
        """The buffer of a value between two ops of the nest."""
        type = self.compute_type(element_type(value), self.layout.extents[value])
        return self.allocate(type, self.layout.private_size(value), value.name_hint or "private")

    # code

    def insert(self, op: Operation) -> Operation:
        """Insert an op with the nest's location."""
        op.location = self.nest.location
        return self.builder.insert(op)

    def lower_loop(self) -> None:
        """One loop over all tiles; what stays is copied before and after it."""
        first = self.tiles_of(Index.of(0))
        self.copy_in(first, Index.of(0), lambda operand: self.stays(operand))
        with self.loop("tile", 0, self.tiles, pipelined=self.layout.parts == 1) as tile:
            self.lower_tile(tile)

    @contextmanager
    def loop(self, name: str, first: int, end: int, *, pipelined: bool) -> Generator[Index]:
        """Build the body of a loop, whose moving tiles may have two buffers."""
        bounds = [self.index.value(Index.of(v)) for v in (first, end, 1)]
        body = Block(arg_types=[IndexType()])
        body.args[0].name_hint = name
        loop = scf.ForOp(bounds[0], bounds[1], bounds[2], [], body)
        if pipelined and self.nest.buffers is not None and self.nest.buffers.value.data == 2:
            loop.attributes[PIPELINE] = UnitAttr()
        self.insert(loop)
        with inside(self.builder, body):
            yield Index(body.args[0], first, end - 1)
            self.insert(scf.YieldOp())

    def stays(self, operand: Operand) -> bool:
        """Whether an operand is the same in all of several tiles."""
        return self.tiles > 1 and operand.period == self.tiles and not operand.in_parts

    def tiles_of(self, tile: Index, part: Index = ORIGIN) -> dict[GraphOp, OpTile]:
        """The tiles of all ops for the tile with a running number, and a part of sums."""
        box = self.box_of(self.positions(tile, part))
        return nest_tiles(self.nest, box, self.index, self.position)

    def box_of(self, positions: Sequence[Index]) -> list[Span]:
        """The box of the tile at a position of the tile grid."""
        box: list[Span] = []
        iterators = self.nest.iterators()
        for it, size, count, position in zip(
            iterators, self.nest.tile_sizes(), self.layout.counts, positions, strict=True
        ):
            if it.plus is not None:
                box.append(whole_range(it, self.index, self.position))
                continue
            start = self.index.name(self.index.mul(position, size), it.name)
            if it.extent % size == 0:
                box.append(Span(start, Index.of(size)))
                continue
            rest = self.index.sub(Index.of(it.extent), start)
            rest = Index(rest.value, it.extent - size * (count - 1), rest.high)
            extent = self.index.min(rest, Index.of(size))
            box.append(Span(start, self.index.name(extent, f"{it.name}_size")))
        return box

    def positions(self, tile: Index, part: Index) -> list[Index]:
        """The position in the tile grid of the tile with a running number, and of a part."""
        positions = [Index.of(0)] * len(self.layout.counts)
        inner, order = 1, self.nest.loop_order()
        if self.layout.parts > 1:
            *order, innermost = order
            positions[innermost] = part
        for i in reversed(order):
            positions[i] = self.index.rem(self.index.div(tile, inner), self.layout.counts[i])
            inner *= self.layout.counts[i]
        return positions

    def lower_tile(self, tile: Index) -> None:
        """Copy in, compute and copy out one tile."""
        tiles = self.tiles_of(tile)
        self.copy_in(tiles, tile, lambda operand: not self.stays(operand))
        spans = self.spans(tiles)
        views: dict[SSAValue, SSAValue] = {
            value: self.view(operand, spans[value], tile)
            for value, operand in self.operands.items()
        }
        for value, buffer in self.private.items():
            views[value] = self.subview(buffer, [Span(Index.of(0), s.size) for s in spans[value]])
        tied = self.nest.tied_input()
        if tied is not None:
            views[self.nest.body.block.args[tied]] = views[self.nest.root().results[0]]
        self.see_through(views, spans)
        for op in self.nest.computing_ops():
            self.call(op, tiles[op], views)
            if self.layout.parts > 1 and op is self.nest.computing_ops()[0]:
                self.add_parts(op, tile, views[op.results[0]])
        for result in self.nest.root().results:
            operand = self.operands[result]
            if operand.tile is not None:
                whole = self.subview(operand.whole, spans[result])
                self.insert(memref.CopyOp(views[result], whole))

    def add_parts(self, op: GraphOp, tile: Index, sums: SSAValue) -> None:
        """A loop that adds all parts but the first to the sums of an op."""
        with self.loop("part", 1, self.layout.parts, pipelined=True) as part:
            tiles = self.tiles_of(tile, part)
            self.copy_in(tiles, tile, lambda operand: operand.in_parts, part)
            spans = self.spans(tiles)
            views: dict[SSAValue, SSAValue] = {op.results[0]: sums}
            for value, operand in self.operands.items():
                if value in self.sources(op):
                    views[value] = self.view(operand, spans[value], tile, part)
            self.see_through(views, spans)
            self.call(op, tiles[op], views, onto=True)

    def sources(self, op: GraphOp) -> set[SSAValue]:
        """The inputs of the nest that an op reads, itself or through views."""
        found: set[SSAValue] = set()
        for value in op.operands:
            while isinstance(value.owner, GraphOp):
                value = value.owner.operands[0]
            found.add(value)
        return found

    def see_through(
        self, views: dict[SSAValue, SSAValue], spans: dict[SSAValue, Sequence[Span]]
    ) -> None:
        """Add the tiles that are seen in those of others."""
        ops = [op for op in self.nest.body_ops() if is_view(op)]
        for op in ops:
            source, result = op.operands[0], op.results[0]
            if source in views and result not in views:
                strides = result_strides(op, strides_of(memref_of(views[source])))
                views[result] = self.restride(views[source], strides, spans[result])
        for op in reversed(ops):
            source, result = op.operands[0], op.results[0]
            if source not in views and result in views:
                strides = operand_strides(op, strides_of(memref_of(views[result])))
                views[source] = self.restride(views[result], strides, spans[source])

    def restride(self, tile: SSAValue, strides: Sequence[int], spans: Sequence[Span]) -> SSAValue:
        """A tile seen under other extents and strides."""
        type = memref_of(tile)
        sizes = [s.size for s in spans]
        shape = [DYNAMIC_INDEX if isinstance(s.value, SSAValue) else s.value for s in sizes]
        layout = StridedLayoutAttr(strides, None)
        view = ViewOp.create(
            operands=[tile, *(s.value for s in sizes if isinstance(s.value, SSAValue))],
            result_types=[MemRefType(type.element_type, shape, layout, type.memory_space)],
        )
        view.result.name_hint = tile.name_hint
        self.insert(view)
        return view.result

    def spans(self, tiles: dict[GraphOp, OpTile]) -> dict[SSAValue, Sequence[Span]]:
        """The tile of each value."""
        spans: dict[SSAValue, Sequence[Span]] = {}
        for op, tile in tiles.items():
            spans.update(zip(op.operands, tile.operands, strict=True))
            spans.update(zip(op.results, tile.results, strict=True))
        return spans

    def copy_in(
        self,
        tiles: dict[GraphOp, OpTile],
        tile: Index,
        select: Callable[[Operand], bool],
        part: Index = ORIGIN,
    ) -> None:
        """Copy the tiles of selected inputs into their buffers, where they change."""
        spans = self.spans(tiles)
        for value in self.nest.body.block.args:
            operand = self.operands.get(value)
            if operand is None or operand.tile is None or not select(operand):
                continue
            if operand.in_parts or operand.period in (1, self.tiles):
                self.copy_tile(operand, spans[value], tile, part)
                continue
            zero = self.index.value(Index.of(0))
            phase = self.index.value(self.index.rem(tile, operand.period))
            changed = self.insert(arith.CmpiOp(phase, zero, "eq"))
            then = Block()
            with inside(self.builder, then):
                self.copy_tile(operand, spans[value], tile, part)
                self.insert(scf.YieldOp())
            self.insert(scf.IfOp(changed.results[0], [], Region(then)))

    def copy_tile(self, operand: Operand, spans: Sequence[Span], tile: Index, part: Index) -> None:
        """Copy one tile into its buffer."""
        source = self.subview(operand.whole, spans)
        self.insert(memref.CopyOp(source, self.view(operand, spans, tile, part)))

    def view(
        self, operand: Operand, spans: Sequence[Span], tile: Index, part: Index = ORIGIN
    ) -> SSAValue:
        """Where a kernel finds a tile."""
        if operand.tile is None:
            return self.subview(operand.whole, spans)
        local = [Span(Index.of(0), span.size) for span in spans]
        if operand.slots == 1:
            return self.subview(operand.tile, local)
        turn = part if operand.in_parts else self.index.div(tile, operand.period)
        slot = self.index.rem(turn, operand.slots)
        return self.subview(operand.tile, [Span(slot, Index.of(1)), *local], drop=1)

    def subview(self, source: SSAValue, spans: Sequence[Span], drop: int = 0) -> SSAValue:
        """Part of a buffer; `drop` leading dimensions of extent 1 are dropped."""
        type = memref_of(source)
        shape = type.get_shape()
        if not drop and all(
            s.start.constant == 0 and s.size.constant == e
            for s, e in zip(spans, shape, strict=True)
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

    def call(
        self, op: GraphOp, tile: OpTile, views: dict[SSAValue, SSAValue], *, onto: bool = False
    ) -> None:
        """Call the kernel of one op on its tiles, `onto` what is in that of its result."""
        overhang = [side.value for pair in tile.overhangs[0] for side in pair]
        if all(side == 0 for side in overhang):
            overhang = []
        inner = op.continued(op.results[0]) if onto else op.clone()
        inner.location = op.location
        operands = list(inner.operands)
        block = Block(arg_types=[operand.type for operand in operands])
        for i, (arg, operand) in enumerate(zip(block.args, operands, strict=True)):
            inner.operands[i] = arg
            arg.name_hint = operand.name_hint
        inner.attributes.pop(ENGINE, None)
        block.add_op(inner)
        launch = Launch(
            engine_of(op).name,
            [views[operand] for operand in operands],
            views[op.results[0]],
            self.scratch[op],
            overhang,
            Region(block),
        )
        for lowered in kernel_of(op).lower(op, launch):
            self.insert(lowered)
