"""A tile of `npu.conv` as jobs: a context, its registers and a trigger for each."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace

from xdsl.builder import Builder
from xdsl.dialects import arith, memref, scf
from xdsl.dialects.builtin import DYNAMIC_INDEX
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from deeploy.diagnostics import fail
from deeploy.dialects.graph import element_type, si8, si32, tuple_of, ui8
from deeploy.dialects.mem import ViewOp, element_bytes, level_of, memref_of, strides_of
from deeploy.dialects.npu import (
    DEPTHWISE,
    MAX_PAD,
    POINTWISE,
    AcquireOp,
    AddressOp,
    ConvOp,
    StartOp,
    TriggerOp,
    WriteOp,
)
from deeploy.engines.neureka.grids import Grid, pixel_grids, whole
from deeploy.engines.neureka.registers import Addresses, Job, register_values
from deeploy.engines.neureka.timing import OUTPUT_CHANNELS
from deeploy.interfaces.index import Index, IndexBuilder, inside
from deeploy.interfaces.tiling import shape_of
from deeploy.interpreters.indices import values_taken
from deeploy.targets import Target

IMAGE_RANK = 4
LAST_ADDRESS = (1 << 31) - 1


class Lowering:
    """Turns one start into jobs."""

    def __init__(self, start: StartOp, target: Target) -> None:
        assert isinstance(start.op, ConvOp)
        self.start = start
        self.conv = start.op
        self.target = target
        self.builder = Builder(InsertPoint.before(start))
        self.index = IndexBuilder(self.builder)
        self.input, self.weight, *others = start.inputs
        self.sums = others.pop(0) if start.op.sums is not None else None
        self.mul, self.add = others or (None, None)

    def run(self) -> None:
        """Replace the start by its jobs, one image after the other."""
        self.check()
        images, rows, columns, outputs = self.extents(self.start.output, self.conv.result)
        if images.constant is None:
            fail(self.start, "the number of images of a job must be known", "cut 'n' evenly")
        job, at = self.job(rows, columns, outputs), self.addresses()
        strides = [self.byte_strides(value)[0] for value in (self.input, self.start.output)]
        for image in range(images.constant):
            here = self.moved(at, Index.of(image), strides[0], strides[1])
            for block, first in self.blocks(job, here):
                self.lay_out(block, first)
        Rewriter.erase_op(self.start)

    def check(self) -> None:
        """Refuse operands where the accelerator does not find them."""
        compute = self.target.compute
        for value in (*self.start.operands[1:], self.weight):
            level = level_of(value)
            if level is None or level == compute:
                continue
            if value is self.weight and self.target.memory(level).engine:
                continue
            reads = (
                f"weights in {compute} or a memory of its own" if value is self.weight else compute
            )
            name = value.name_hint or "an operand"
            fail(self.start, f"'{name}' lies in {level}; the accelerator reaches {reads}")
        if self.sums not in (None, self.start.output):
            fail(self.start, "the accelerator adds to sums where its result goes")
        for value in (self.input, self.start.output, self.weight):
            if strides_of(memref_of(value))[-1] != 1:
                fail(self.start, "channels, and bytes of weights, must lie next to each other")

    def extents(self, value: SSAValue, tensor: SSAValue) -> list[Index]:
        """The extents of a tile of a tensor as an image; unknown ones are operands of its
        subview."""
        sizes, whole = shape_of(value), shape_of(tensor)
        missing = [Index.of(1)] * (IMAGE_RANK - len(sizes))
        if DYNAMIC_INDEX not in sizes:
            return [*missing, *(Index.of(size) for size in sizes)]
        view = value.owner
        if not isinstance(view, memref.SubviewOp | ViewOp):
            fail(self.start, "a tile of unknown size must be a memref.subview or a mem.view")
        dynamic = iter(view.sizes)
        static = sizes if isinstance(view, ViewOp) else view.static_sizes.get_values()
        found = [next(dynamic) if size == DYNAMIC_INDEX else size for size in static]
        return missing + [
            Index.of(size) if isinstance(size, int) else Index(size, 1, extent)
            for size, extent in zip(found[len(found) - len(whole) :], whole, strict=True)
        ]

    def byte_strides(self, value: SSAValue) -> list[int]:
        """The strides of a buffer in bytes, as those of an image; 0 for missing dimensions."""
        type = memref_of(value)
        strides = [stride * element_bytes(type.element_type) for stride in strides_of(type)]
        return [0] * (IMAGE_RANK - len(strides)) + strides

    def addresses(self) -> Addresses:
        """The addresses of all operands."""
        operands = (self.weight, self.input, self.start.output, self.mul, self.add)
        return Addresses(*(self.address(value) for value in operands))

    def address(self, value: SSAValue | None) -> Index:
        """The address of one operand; 0 where there is none."""
        if value is None:
            return Index.of(0)
        return Index(self.insert(AddressOp(value)).results[0], 0, LAST_ADDRESS)

    def job(self, rows: Index, columns: Index, outputs: Index) -> Job:
        """The whole tile as one job."""
        conv, mode = self.conv, self.conv.geometry()
        result = element_type(conv.result)
        # only images have pads: fewer dimensions are tokens
        image = len(shape_of(self.input)) == IMAGE_RANK
        sides = (self.start.overhangs()[2:6] if image else []) or [0] * 4
        top, bottom, left, right = (
            Index.of(side) if isinstance(side, int) else Index(side, 0, MAX_PAD) for side in sides
        )
        _, row, pixel, _ = self.byte_strides(self.input)
        _, out_row, out_pixel, _ = self.byte_strides(self.start.output)
        row_stride, column_stride = tuple_of(conv.strides)
        return Job(
            mode=mode,
            inputs=self.extents(self.input, conv.input)[3],
            outputs=outputs,
            rows=rows,
            columns=columns,
            pads=(top, left, bottom, right),
            input_strides=(row * row_stride, pixel * column_stride),
            output_strides=(out_row, out_pixel),
            weight_bits=conv.bits(),
            weight_offset=conv.weight_offset.value.data,
            weights_in_l1=level_of(self.weight) in (None, self.target.compute),
            signed_input=element_type(conv.input) == si8,
            signed_output=result != ui8,
            output_bits=32 if result == si32 else 8,
            scale_bits=None if self.mul is None else 8 * element_bytes(element_type(self.mul)),
            shift=0 if conv.requant is None else conv.requant.shift.data,
            weight_stride=0 if mode is DEPTHWISE else strides_of(memref_of(self.weight))[0],
            stream_in=self.sums is not None,
        )

    def blocks(self, job: Job, at: Addresses) -> Iterator[tuple[Job, Addresses]]:
        """The job, or one for each subtile of output channels: the accelerator finds the weights of
        the next one right behind, and has no stride for what lies between."""
        if self.is_together(job):
            yield job, at
            return
        counts = sorted(values_taken((job.outputs.value,)), reverse=True)
        for (count,) in counts:
            with self.only_if(job.outputs, count):
                for first in range(0, count, OUTPUT_CHANNELS):
                    outputs = Index.of(min(OUTPUT_CHANNELS, count - first))
                    yield replace(job, outputs=outputs), self.from_channel(job, at, first)

    def is_together(self, job: Job) -> bool:
        """Whether all weights of a job lie in one piece, or are those of one subtile."""
        return (
            job.outputs.high <= OUTPUT_CHANNELS
            or job.mode is DEPTHWISE
            or job.weight_stride == shape_of(self.weight)[-1]
        )

    def from_channel(self, job: Job, at: Addresses, first: int) -> Addresses:
        """Addresses from an output channel on."""
        b = self.index
        return Addresses(
            b.add(at.weights, Index.of(first * job.weight_stride)),
            at.input,
            b.add(at.output, Index.of(first * job.output_bits // 8)),
            b.add(at.scale, Index.of(first * (job.scale_bits or 0) // 8)),
            b.add(at.bias, Index.of(4 * first)),
        )

    def lay_out(self, job: Job, at: Addresses) -> None:
        """Emit a tile as one job, or as several that take less time together.

        Tiles at the border may have other sizes: each size has its own jobs.
        """
        sizes = values_taken((job.rows.value, job.columns.value))
        layouts = {size: self.grids(job, *size) for size in sorted(sizes, reverse=True)}
        if all(grids == whole(*size) for size, grids in layouts.items()):
            self.emit(job, at)
            return
        for (rows, columns), grids in layouts.items():
            with self.only_if(job.rows, rows), self.only_if(job.columns, columns):
                part = replace(job, rows=Index.of(rows), columns=Index.of(columns))
                if grids == whole(rows, columns):
                    self.emit(part, at)
                else:
                    self.emit_grids(part, at, grids)

    def grids(self, job: Job, rows: int, columns: int) -> tuple[Grid, ...]:
        """The jobs of a tile of some size."""
        pairs = (job.input_strides, job.output_strides)
        flat = rows == 1 or all(row == columns * pixel for row, pixel in pairs)
        return (
            pixel_grids(rows, columns) if job.mode is POINTWISE and flat else whole(rows, columns)
        )

    @contextmanager
    def only_if(self, index: Index, value: int) -> Generator[None]:
        """Build what runs where an index has a value."""
        if index.constant is not None:
            yield
            return
        b = self.index
        equal = self.insert(arith.CmpiOp(b.value(index), b.value(Index.of(value)), "eq"))
        body = Block()
        with inside(self.builder, body):
            yield
            self.insert(scf.YieldOp())
        self.insert(scf.IfOp(equal.results[0], [], Region(body)))

    def emit_grids(self, job: Job, at: Addresses, grids: tuple[Grid, ...]) -> None:
        """Emit jobs on pixels that are cut into rows of their own."""
        (_, pixel), (_, out_pixel) = job.input_strides, job.output_strides
        for grid in grids:
            part = replace(
                job,
                rows=Index.of(grid.rows),
                columns=Index.of(grid.columns),
                input_strides=(grid.pitch * pixel, pixel),
                output_strides=(grid.pitch * out_pixel, out_pixel),
            )
            self.emit(part, self.moved(at, Index.of(grid.first), pixel, out_pixel))

    def moved(self, at: Addresses, by: Index, input: int, output: int) -> Addresses:
        """Addresses some images or pixels further, given the bytes of one in input and output."""
        b = self.index
        return replace(
            at,
            input=b.add(at.input, b.mul(by, input)),
            output=b.add(at.output, b.mul(by, output)),
        )

    def emit(self, job: Job, at: Addresses) -> None:
        """Emit the driver calls of one job."""
        values = register_values(job, at, self.index)
        written = [(name, self.index.value(value)) for name, value in values.items()]
        queue = self.start.queue
        self.insert(AcquireOp(queue))
        for name, value in written:
            self.insert(WriteOp(name, value, queue))
        self.insert(TriggerOp(operands=[queue]))

    def insert(self, op: Operation) -> Operation:
        """Insert an op with the location of the start."""
        op.location = self.start.location
        return self.builder.insert(op)
