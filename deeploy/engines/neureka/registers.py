"""The 24 registers of a job.

Source: public HAL (pulp-platform/pulp-nnx, neureka), register map and task functions. The same code
computes with integers and builds IR, where sizes differ from tile to tile.
"""

from __future__ import annotations

from dataclasses import dataclass

from deeploy.dialects.npu import DEPTHWISE, MODES, REGISTERS, ROW_BYTES, Mode
from deeploy.engines.neureka.grids import SUBTILE
from deeploy.engines.neureka.timing import OUTPUT_CHANNELS
from deeploy.interfaces.index import Index, IndexBuilder

MODE_CODES = {"dense": 0, "depthwise": 1, "pointwise": 2}
assert MODE_CODES.keys() == MODES.keys()

NORMALISE = 1 << 4
WEIGHT_MEMORY = 1 << 9
PREFETCH = 1 << 10
SCALE_32 = 2 << 12
STREAM_IN = 1 << 14
LAYER_OFFSET = 1 << 15
OUTPUT_32 = 2 << 21
IDENTITY = 1 << 23
BIAS = 1 << 25
SIGNED_INPUT = 1 << 26


@dataclass(frozen=True)
class Addresses:
    """Device addresses; `scale` and `bias` are not read where sums are not requantised. `input` is
    that of the first pixel inside of the padding."""

    weights: Index
    input: Index
    output: Index
    scale: Index
    bias: Index


@dataclass(frozen=True)
class Job:
    """A convolution on a grid of output pixels. Strides are (row, pixel) in bytes, pads (top, left,
    bottom, right), `weight_stride` bytes from one output channel to the next; `scale_bits` is None
    where sums are stored as they are."""

    mode: Mode
    inputs: Index
    outputs: Index
    rows: Index
    columns: Index
    pads: tuple[Index, Index, Index, Index]
    input_strides: tuple[int, int]
    output_strides: tuple[int, int]
    weight_bits: int
    weight_offset: int
    weights_in_l1: bool
    signed_input: bool
    signed_output: bool
    output_bits: int
    scale_bits: int | None
    shift: int
    weight_stride: int
    stream_in: bool = False
    pad_value: int = 0

    def configuration(self) -> int:
        """The register of that name."""
        value = (self.weight_bits - 1) | MODE_CODES[self.mode.name] << 5 | PREFETCH | LAYER_OFFSET
        flags = {
            WEIGHT_MEMORY: not self.weights_in_l1,
            NORMALISE | BIAS | self.shift << 16: self.scale_bits is not None,
            SCALE_32: self.scale_bits == 32,
            STREAM_IN: self.stream_in,
            OUTPUT_32: self.output_bits == 32,
            IDENTITY: self.signed_output,
            SIGNED_INPUT: self.signed_input,
        }
        return value | sum(flag for flag, present in flags.items() if present)


def register_values(job: Job, at: Addresses, b: IndexBuilder) -> dict[str, Index]:
    """The value of each register, in their order."""
    top, left, bottom, right = job.pads
    row, pixel = job.input_strides
    size = job.mode.channels if job.mode is DEPTHWISE else OUTPUT_CHANNELS
    outputs, last_outputs = _blocks(job.outputs, size, b)
    inputs, last_inputs = _blocks(job.inputs, job.mode.channels, b)
    if job.mode is DEPTHWISE:
        inputs, last_inputs = outputs, last_outputs
    vertical, last_rows = _blocks(job.rows, SUBTILE, b)
    horizontal, last_columns = _blocks(job.columns, SUBTILE, b)
    beyond = Index.of(job.mode.window - 1)
    last_input_rows = b.sub(b.add(last_rows, beyond), bottom)
    last_input_columns = b.sub(b.add(last_columns, beyond), right)
    moved_back = b.add(b.mul(top, row), b.mul(left, pixel))
    zero = Index.of(0)
    values = (
        at.weights,
        b.sub(at.input, moved_back),
        at.output,
        at.scale,
        zero,
        at.bias,
        *(Index.of(pixel), Index.of(row), zero),
        *(Index.of(stride) for stride in (ROW_BYTES, *reversed(job.output_strides))),
        *(Index.of(stride) for stride in (ROW_BYTES, job.weight_stride, 0)),
        _halves(last_outputs, last_inputs, b),
        _halves(last_rows, last_columns, b),
        _halves(last_input_rows, last_input_columns, b),
        _halves(outputs, inputs, b),
        _halves(vertical, horizontal, b),
        _padding(job, b),
        Index.of(job.weight_offset),
        zero,
        Index.of(job.configuration()),
    )
    return dict(zip(REGISTERS, values, strict=True))


def _blocks(total: Index, size: int, b: IndexBuilder) -> tuple[Index, Index]:
    """The number of blocks, and the size of the last one."""
    count = b.div(b.add(total, Index.of(size - 1)), size)
    return count, b.sub(total, b.mul(b.sub(count, Index.of(1)), size))


def _halves(high: Index, low: Index, b: IndexBuilder) -> Index:
    return b.add(b.mul(high, 1 << 16), low)


def _padding(job: Job, b: IndexBuilder) -> Index:
    top, left, bottom, right = job.pads
    value = Index.of(job.pad_value & 0xFF)
    for pad, shift in ((left, 16), (bottom, 20), (right, 24), (top, 28)):
        value = b.add(value, b.mul(pad, 1 << shift))
    return value
