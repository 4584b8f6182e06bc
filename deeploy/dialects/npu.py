"""The npu dialect: convolutions as the accelerator N-EUREKA computes them, and its job queue.

On tensors there is `npu.conv`: channels last, weights packed bit by bit as the accelerator reads
them, unsigned with one offset for the layer.

On buffers there is a queue of jobs that run beside the cores. `npu.start` puts a tile of a
convolution into it: its result holds nothing useful, and its operands must not change, until
`npu.wait`. The queue tells which engine it belongs to. `lower-npu` turns it into what a
driver does: acquire a context, write the registers of each job, trigger.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from xdsl.dialects.builtin import (
    I64,
    DenseArrayBase,
    IndexType,
    IntegerAttr,
    IntegerType,
    MemRefType,
    Signedness,
    StringAttr,
    TensorType,
    i64,
)
from xdsl.ir import Dialect, ParametrizedAttribute, Region, SSAValue, TypeAttribute
from xdsl.ir.affine import AffineExpr, AffineMap
from xdsl.irdl import (
    IRDLOperation,
    irdl_attr_definition,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.traits import (
    MemoryReadEffect,
    MemoryWriteEffect,
    NoMemoryEffect,
    SingleBlockImplicitTerminator,
)
from xdsl.utils.exceptions import VerifyException

from deeploy.dialects.computation import ComputationYieldOp, ComputeOp, split_overhang
from deeploy.dialects.graph import (
    Requantised,
    element_type,
    integer_range,
    si8,
    si32,
    tuple_of,
    ui8,
)
from deeploy.dialects.graph.base import dimensions
from deeploy.interfaces.tiling import Iterator, shape_of

ui32 = IntegerType(32, Signedness.UNSIGNED)

ROW_BYTES = 32
"""Weights are read in rows of 256 bits."""
MAX_PAD = 1
"""Pixels of padding on each side. The accelerator knows 2, but reads over the border where the last
subtile is one pixel long."""


@dataclass(frozen=True)
class Mode:
    """How the accelerator computes: the window's side and the input channels of one step."""

    name: str
    window: int
    channels: int

    def steps(self, channels: int) -> int:
        """Steps over the input channels; for depthwise, groups of channels."""
        return -(-channels // self.channels)

    def packed_shape(self, outputs: int, inputs: int, bits: int) -> tuple[int, int]:
        """The shape of packed weights in bytes: a row for each output channel, or for each group
        of channels of a depthwise convolution. See `deeploy.engines.neureka.packing`."""
        if self.name == "depthwise":
            return self.steps(inputs), ROW_BYTES * bits
        # 1x1 weights are always padded to eight bits
        rows = 1 if self.name == "pointwise" else bits
        return outputs, ROW_BYTES * rows * self.steps(inputs)


POINTWISE = Mode("pointwise", window=1, channels=32)
DENSE = Mode("dense", window=3, channels=28)
DEPTHWISE = Mode("depthwise", window=3, channels=28)
MODES = {mode.name: mode for mode in (POINTWISE, DENSE, DEPTHWISE)}

REGISTERS = (
    "weights",
    "input",
    "output",
    "scale",
    "scale_shift",
    "bias",
    "input_pixel_stride",
    "input_row_stride",
    "input_stride_2",
    "output_stride_0",
    "output_pixel_stride",
    "output_row_stride",
    "weight_stride_0",
    "weight_stride_1",
    "weight_stride_2",
    "last_channels",
    "last_output",
    "last_input",
    "channel_subtiles",
    "pixel_subtiles",
    "padding",
    "weight_offset",
    "filter_mask",
    "configuration",
)
"""Registers of a job, in their order (public HAL, pulp-platform/pulp-nnx, neureka)."""


@irdl_op_definition
class ConvOp(Requantised):
    """A convolution on `[n, h, w, ci]` with packed weights: 1x1, 3x3, or 3x3 depthwise.

    A linear layer is a 1x1 convolution, whose tokens `[w, ci]` or `[h, w, ci]` are pixels.

    The weights are unsigned numbers of `weight_bits` bits, to which `weight_offset` is added. The
    sum of products is requantised to the whole range of the result's type, with one factor `mul`
    and one summand `add` per channel, or stored as `si32`, added to `sums` where they are given. On
    buffers these lie where the result goes.
    """

    name = "npu.conv"
    NUMBERS: ClassVar = frozenset({"weight_offset"})
    input = operand_def(TensorType)
    weight = operand_def(TensorType)
    sums = opt_operand_def(TensorType)
    mode = prop_def(StringAttr)
    strides = prop_def(DenseArrayBase.constr(i64))
    pads = prop_def(DenseArrayBase.constr(i64))
    weight_bits = prop_def(IntegerAttr[I64])
    weight_offset = prop_def(IntegerAttr[I64])
    assembly_format = (
        "$input `,` $weight (`onto` $sums^ `:` type($sums))? "
        "(`mul` $mul^ `:` type($mul))? (`add` $add^ `:` type($add))? "
        "attr-dict `:` type($input) `,` type($weight) `->` type($result)"
    )

    def geometry(self) -> Mode:
        """The mode of the accelerator."""
        return MODES[self.mode.data]

    def bits(self) -> int:
        """Bits of a weight."""
        return self.weight_bits.value.data

    def image(self) -> tuple[int, int, int, int]:
        """The input as (batch, rows, columns, channels)."""
        shape = shape_of(self.input)
        n, h, w, c = (1,) * (4 - len(shape)) + shape
        return n, h, w, c

    def channels(self) -> int:
        """Output channels."""
        if self.geometry() is DEPTHWISE:
            return self.image()[3]
        return shape_of(self.weight)[0]

    def infer_shape(self) -> tuple[int, ...]:
        if self.mode.data not in MODES:
            raise VerifyException(f"'npu.conv' has the modes {', '.join(MODES)}")
        rank = len(shape_of(self.input))
        if not (2 if self.geometry() is POINTWISE else 4) <= rank <= 4:
            raise VerifyException(f"'npu.conv' in mode {self.mode.data} takes no rank {rank}")
        if len(shape_of(self.weight)) != 2:
            raise VerifyException("'npu.conv' needs weights of rank 2")
        if (len(self.strides), len(self.pads)) != (2, 4):
            raise VerifyException("'npu.conv' needs 2 strides and 4 pads")
        if min(tuple_of(self.strides)) < 1:
            raise VerifyException("'npu.conv' needs strides of 1 or more")
        n, rows, columns, _ = self.image()
        top, left, bottom, right = tuple_of(self.pads)
        padded, side = (rows + top + bottom, columns + left + right), self.geometry().window
        if min(padded) < side:
            raise VerifyException(f"'npu.conv' has a window {side}x{side} larger than its input")
        h, w = ((p - side) // s + 1 for p, s in zip(padded, tuple_of(self.strides), strict=True))
        return (n, h, w, self.channels())[4 - rank :]

    def verify_(self) -> None:
        super().verify_()
        self._verify_weights()
        self._verify_window()
        self._verify_types()
        self._verify_requant()

    def _verify_weights(self) -> None:
        bits = self.bits()
        if not 2 <= bits <= 8:
            raise VerifyException(f"'npu.conv' takes weights of 2 to 8 bits, not {bits}")
        shape = self.geometry().packed_shape(self.channels(), self.image()[3], bits)
        if shape_of(self.weight) != shape:
            raise VerifyException(
                f"'npu.conv' needs packed weights of shape {shape}, not {shape_of(self.weight)}"
            )

    def _verify_window(self) -> None:
        pads = tuple_of(self.pads)
        if self.geometry() is POINTWISE and any(pads):
            raise VerifyException("'npu.conv' takes no pads in mode pointwise")
        if not all(0 <= pad <= MAX_PAD for pad in pads):
            raise VerifyException(f"'npu.conv' takes pads from 0 to {MAX_PAD}")
        if self.geometry() is not POINTWISE and tuple_of(self.strides) != (1, 1):
            raise VerifyException("'npu.conv' takes strides other than 1 in mode pointwise only")

    def _verify_types(self) -> None:
        for name, value, allowed in (
            ("input", self.input, (ui8, si8)),
            ("weight", self.weight, (ui8,)),
            ("mul", self.mul, (ui8, ui32)),
            ("add", self.add, (si32,)),
            ("result", self.result, (ui8, si8, si32)),
        ):
            if value is not None and element_type(value) not in allowed:
                types = " or ".join(str(t) for t in allowed)
                raise VerifyException(f"'npu.conv' needs {name} of {types}")

    def _verify_requant(self) -> None:
        result = element_type(self.result)
        if self.sums is not None and (self.requant or self.sums.type != self.result.type):
            raise VerifyException("'npu.conv' adds to sums of its result's type, without 'requant'")
        if self.requant is None:
            if result != si32:
                raise VerifyException(f"'npu.conv' needs 'requant' for a result of {result}")
            return
        # the accelerator keeps more than 32 bits of a product to which nothing is added
        if self.mul is None or self.add is None:
            raise VerifyException("'npu.conv' requantises with 'mul' and 'add' per channel only")
        bounds = self.requant.values()[3:]
        if bounds != integer_range(result):
            raise VerifyException(
                f"'npu.conv' clamps to the range of {result}, not to {bounds[0]} to {bounds[1]}"
            )

    def continued(self, sums: SSAValue) -> ConvOp:
        return ConvOp(
            operands=[self.input, self.weight, sums, [], []],
            properties=self.properties.copy(),
            result_types=[self.result.type],
        )

    def iterators(self) -> tuple[Iterator, ...]:
        """n, oh, ow, output channels, kh, kw, groups of channels, input channels of a group, bytes
        of a row of weights for a group.

        Depthwise has one row of weights for each group of channels, and is cut between groups. So
        are the sums of others, part by part. The last group may reach over the border.
        """
        result = shape_of(self.result)
        n, rows, columns, outputs = (1,) * (4 - len(result)) + result
        mode, (_, packed_bytes) = self.geometry(), shape_of(self.weight)
        depthwise, count = mode is DEPTHWISE, self.image()[3]
        groups, inputs = mode.steps(count), min(count, mode.channels)
        return (
            Iterator("n", n),
            Iterator("oh", rows),
            Iterator("ow", columns),
            Iterator("co", inputs if depthwise else outputs, tileable=not depthwise),
            Iterator("kh", mode.window, parallel=False),
            Iterator("kw", mode.window, parallel=False),
            Iterator("g", groups, parallel=depthwise, partial=not depthwise and not self.requant),
            Iterator("ci", 1 if depthwise else inputs, parallel=False),
            Iterator("byte", packed_bytes if depthwise else packed_bytes // groups, parallel=False),
        )

    def channel(self) -> AffineExpr:
        """The output channel as a function of the iterators."""
        _, _, _, co, _, _, group, *_ = dimensions(9)
        return group * DEPTHWISE.channels + co if self.geometry() is DEPTHWISE else co

    def channel_map(self) -> AffineMap:
        return AffineMap(9, 0, (self.channel(),))

    def operand_maps(self) -> tuple[AffineMap, ...]:
        n, h, w, co, kh, kw, group, ci, byte = dimensions(9)
        mode = self.geometry()
        (row_stride, column_stride), pads = tuple_of(self.strides), tuple_of(self.pads)
        bytes = shape_of(self.weight)[1] // mode.steps(self.image()[3])
        image = (
            n,
            h * row_stride + kh + (-pads[0]),
            w * column_stride + kw + (-pads[1]),
            self.channel() if mode is DEPTHWISE else group * mode.channels + ci,
        )
        weight = (group, byte) if mode is DEPTHWISE else (co, group * bytes + byte)
        own = image[4 - len(shape_of(self.input)) :]
        sums = () if self.sums is None else self.result_maps()
        return (AffineMap(9, 0, own), AffineMap(9, 0, weight), *sums, *self.epilogue_maps())

    def result_maps(self) -> tuple[AffineMap, ...]:
        n, h, w, *_ = dimensions(9)
        own = (n, h, w, self.channel())[4 - len(shape_of(self.result)) :]
        return (AffineMap(9, 0, own),)


@irdl_attr_definition
class QueueType(ParametrizedAttribute, TypeAttribute):
    """The accelerator's queue of jobs."""

    name = "npu.queue"


@irdl_attr_definition
class MarkType(ParametrizedAttribute, TypeAttribute):
    """How far the queue had got with its jobs."""

    name = "npu.mark"


@irdl_op_definition
class QueueOp(IRDLOperation):
    """The queue of an engine for the rest of the function."""

    name = "npu.queue"
    engine = prop_def(StringAttr)
    queue = result_def(QueueType)
    assembly_format = "`of` $engine attr-dict"

    def __init__(self, engine: str) -> None:
        super().__init__(properties={"engine": StringAttr(engine)}, result_types=[QueueType()])


class QueueUser(IRDLOperation):
    """An op that does something with a queue."""

    queue = operand_def(QueueType)

    @property
    def engine(self) -> str:
        """The engine whose queue it is."""
        assert isinstance(self.queue.owner, QueueOp)
        return self.queue.owner.engine.data

    def verify_(self) -> None:
        if not isinstance(self.queue.owner, QueueOp):
            raise VerifyException(f"'{self.name}' needs the result of an npu.queue")


@irdl_op_definition
class YieldOp(ComputationYieldOp):
    """The result of a job's body."""

    name = "npu.yield"


@irdl_op_definition
class StartOp(QueueUser, ComputeOp):
    """Begin to compute a tile of a convolution."""

    name = "npu.start"
    traits = traits_def(SingleBlockImplicitTerminator(YieldOp))
    assembly_format = (
        "`ins` `(` $inputs `:` type($inputs) `)` `outs` `(` $output `:` type($output) `)` "
        "`overhang` custom<DynamicIndexList>($overhang, $static_overhang) `on` $queue "
        "attr-dict-with-keyword $body"
    )

    @staticmethod
    def of(
        inputs: Sequence[SSAValue],
        output: SSAValue,
        overhang: Sequence[SSAValue | int],
        queue: SSAValue,
        body: Region,
    ) -> StartOp:
        """Build a start; the body is a block with one npu.conv, its arguments the operands."""
        static, dynamic = split_overhang(overhang)
        return StartOp(
            operands=[queue, inputs, output, dynamic],
            properties={"static_overhang": static},
            regions=[body],
        )

    def verify_(self) -> None:
        super().verify_()
        self.verify_body(YieldOp)
        if not isinstance(self.op, ConvOp):
            raise VerifyException("'npu.start' computes npu.conv only")


@irdl_op_definition
class MarkOp(QueueUser):
    """What has been started on the queue so far, for a wait that leaves later jobs alone."""

    name = "npu.mark"
    mark = result_def(MarkType)
    traits = traits_def(MemoryReadEffect())
    assembly_format = "$queue attr-dict"

    def __init__(self, queue: SSAValue) -> None:
        super().__init__(operands=[queue], result_types=[MarkType()])


@irdl_op_definition
class WaitOp(QueueUser):
    """Return when all jobs started on the queue are complete, or all before the mark."""

    name = "npu.wait"
    mark = opt_operand_def(MarkType)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())
    assembly_format = "$queue (`until` $mark^)? attr-dict"

    def __init__(self, queue: SSAValue, mark: SSAValue | None = None) -> None:
        super().__init__(operands=[mark, queue])


@irdl_op_definition
class AddressOp(IRDLOperation):
    """The address of a buffer as the accelerator counts it; in the weight memory from 0."""

    name = "npu.address"
    buffer = operand_def(MemRefType)
    address = result_def(IndexType)
    traits = traits_def(NoMemoryEffect())
    assembly_format = "$buffer attr-dict `:` type($buffer)"

    def __init__(self, buffer: SSAValue) -> None:
        super().__init__(operands=[buffer], result_types=[IndexType()])


@irdl_op_definition
class AcquireOp(QueueUser):
    """Wait for a free context of the accelerator and take it; the result is the job's number."""

    name = "npu.acquire"
    job = result_def(IndexType)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())
    assembly_format = "$queue attr-dict"

    def __init__(self, queue: SSAValue) -> None:
        super().__init__(operands=[queue], result_types=[IndexType()])


@irdl_op_definition
class WriteOp(QueueUser):
    """Write a register of the context that was acquired last: the low 32 bits of a value."""

    name = "npu.write"
    register = prop_def(StringAttr)
    value = operand_def(IndexType)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())
    assembly_format = "$register `,` $value `on` $queue attr-dict"

    def __init__(self, register: str, value: SSAValue, queue: SSAValue) -> None:
        super().__init__(operands=[value, queue], properties={"register": StringAttr(register)})

    def verify_(self) -> None:
        super().verify_()
        if self.register.data not in REGISTERS:
            raise VerifyException(f"the accelerator has no register '{self.register.data}'")


@irdl_op_definition
class TriggerOp(QueueUser):
    """Put the job in the context that was acquired last into the queue."""

    name = "npu.trigger"
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())
    assembly_format = "$queue attr-dict"


Npu = Dialect(
    "npu",
    [
        ConvOp,
        QueueOp,
        StartOp,
        YieldOp,
        MarkOp,
        WaitOp,
        AddressOp,
        AcquireOp,
        WriteOp,
        TriggerOp,
    ],
    [QueueType, MarkType],
)
