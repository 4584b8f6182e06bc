"""A model of the accelerator behind its registers, on the bytes of the memories.

It decodes what a driver writes and knows nothing else, so wrong registers give wrong results or an
error. Source of what registers do: public HAL (pulp-platform/pulp-nnx, neureka) and simulator model
(gvsoc/gvsoc-pulp, pulp/neureka); the C model of the host platform does the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view
from xdsl.utils.exceptions import InterpretationError

from deeploy.dialects.npu import DEPTHWISE, MODES, POINTWISE, REGISTERS, ROW_BYTES
from deeploy.engines.neureka import registers as bits
from deeploy.engines.neureka.grids import SUBTILE
from deeploy.engines.neureka.packing import unpack
from deeploy.engines.neureka.timing import OUTPUT_CHANNELS
from deeploy.interpreters.graph import wrap
from deeploy.interpreters.memory import POISON, Memories
from deeploy.resources import Array
from deeploy.targets import Target, target_of

CONTEXTS = 2
"""One job runs, one waits."""
ELSEWHERE = 0x40000000
"""Where arrays begin that lie in no memory yet."""
WORD_CHANNELS = 8
"""Channels of a 32-byte word of 32-bit outputs."""


@dataclass(frozen=True)
class Region:
    """Bytes that the accelerator reaches at an address."""

    level: str | None
    address: int
    bytes: Array


@dataclass
class AddressSpace:
    """Device addresses of arrays: those of the target's memories, and made-up ones for arrays that
    have no place yet."""

    memories: Memories
    others: list[Region] = field(default_factory=list[Region])

    @cached_property
    def target(self) -> Target:
        """The chip."""
        return target_of(self.memories.module)

    def regions(self) -> list[Region]:
        """Everything that has an address."""
        placed = [
            Region(level, self.target.memory(level).address, data)
            for level, data in self.memories.bytes.items()
        ]
        return placed + self.others

    def reaches(self, level: str | None, weights: bool) -> bool:
        """Whether the accelerator reads weights, or all else, from a memory."""
        if not weights:
            return level == self.target.compute
        return level is not None and bool(self.target.memory(level).engine)

    def address(self, array: Array, level: str | None) -> int:
        """The address of the first element of an array."""
        position = array.__array_interface__["data"][0]
        for region in self.regions():
            start = region.bytes.__array_interface__["data"][0]
            if start <= position < start + region.bytes.size:
                return region.address + position - start
        root: Any = array
        while (base := getattr(root, "base", None)) is not None and not isinstance(base, bytes):
            root = base
        address = max([ELSEWHERE, *(r.address + r.bytes.size for r in self.others)])
        # made-up addresses are multiples of 16, as those in memories are
        address = -(-address // 16) * 16
        self.others.append(Region(level, address, root.reshape(-1).view(np.uint8)))
        return self.address(array, level)

    def bytes(self, address: int, size: int, weights: bool) -> Array:
        """Bytes of the compute memory, or of the memory that serves the accelerator's weights.

        Raises:
            InterpretationError: the range is not inside one of its regions.
        """
        for region in self.regions():
            start = address - region.address
            inside = start >= 0 and start + size <= region.bytes.size
            if inside and self.reaches(region.level, weights):
                return region.bytes[start : start + size]
        memory = "the weight memory" if weights else self.target.compute
        raise InterpretationError(
            f"the accelerator reaches {size} bytes at 0x{address & 0xFFFFFFFF:08x}, outside of "
            f"{memory}"
        )


@dataclass
class Device:
    """The accelerator: two contexts of registers and a queue."""

    space: AddressSpace
    contexts: list[dict[str, int]] = field(
        default_factory=lambda: [dict.fromkeys(REGISTERS, 0xA5A5A5A5) for _ in range(CONTEXTS)]
    )
    queue: list[Job] = field(default_factory=list["Job"])
    jobs: int = 0
    acquired: bool = False

    def acquire(self) -> int:
        """Take a context, when the oldest job has ended if none is free; the job's number."""
        if self.acquired:
            raise InterpretationError("the accelerator's context was acquired twice")
        if len(self.queue) == CONTEXTS:
            self.queue.pop(0).run()
        self.acquired = True
        return self.jobs

    def write(self, register: str, value: int) -> None:
        """Write a register of the acquired context."""
        if not self.acquired:
            raise InterpretationError("a register was written before 'npu.acquire'")
        self.contexts[self.jobs % CONTEXTS][register] = value & 0xFFFFFFFF

    def trigger(self) -> None:
        """Queue the job in the acquired context."""
        if not self.acquired:
            raise InterpretationError("a job was triggered before 'npu.acquire'")
        job = Job(dict(self.contexts[self.jobs % CONTEXTS]), self.space)
        job.poison()
        self.queue.append(job)
        self.jobs += 1
        self.acquired = False

    def wait(self, until: int) -> None:
        """Run the first `until` jobs."""
        while len(self.queue) > self.jobs - until:
            self.queue.pop(0).run()


class Job:
    """One job, decoded."""

    def __init__(self, values: dict[str, int], space: AddressSpace) -> None:
        self.values = values
        self.space = space
        self.config = values["configuration"]
        modes = {bits.MODE_CODES[name]: mode for name, mode in MODES.items()}
        code = self.config >> 5 & 3
        if code not in modes:
            raise InterpretationError(f"the accelerator has no mode {code}")
        self.mode = modes[code]
        self.weight_bits = (self.config & 7) + 1
        self.output_bytes = {0: 1, 2: 4}.get(self.config >> 21 & 3, 0)
        self.scale_bytes = {0: 1, 2: 4}.get(self.config >> 12 & 3, 0)
        self.block = self.mode.channels if self.mode is DEPTHWISE else OUTPUT_CHANNELS
        self.outputs, self.last_outputs = self.extent("channel_subtiles", "last_channels", 16)
        self.inputs, self.last_inputs = self.extent("channel_subtiles", "last_channels", 0)
        self.vertical, self.last_rows = self.extent("pixel_subtiles", "last_output", 16)
        self.horizontal, self.last_columns = self.extent("pixel_subtiles", "last_output", 0)
        padding = values["padding"]
        self.top, self.right = padding >> 28 & 15, padding >> 24 & 15
        self.bottom, self.left = padding >> 20 & 15, padding >> 16 & 15
        self.check()

    def flag(self, bit: int) -> bool:
        """Whether a flag of the configuration is set."""
        return bool(self.config & bit)

    def extent(self, number: str, last: str, shift: int) -> tuple[int, int]:
        """The number of subtiles, and the size of the last one."""
        return self.values[number] >> shift & 0xFFFF, self.values[last] >> shift & 0xFFFF

    def check(self) -> None:
        """Refuse what the device does not define.

        Raises:
            InterpretationError: naming the registers.
        """
        depthwise = self.mode is DEPTHWISE
        channels = (self.outputs, self.last_outputs) == (self.inputs, self.last_inputs)
        known = {
            "configuration: output of 8 or 32 bits": self.output_bytes,
            "configuration: scale of 8 or 32 bits": self.scale_bytes,
            "configuration: sums of 32 bits unless normalised": (
                self.flag(bits.NORMALISE) or self.output_bytes == 4
            ),
            "configuration: partial sums of 32 bits": (
                not self.flag(bits.STREAM_IN) or self.output_bytes == 4
            ),
            "configuration: one weight offset for the layer": self.flag(bits.LAYER_OFFSET),
            "configuration: one shift for the layer": not self.config >> 24 & 1,
            "filter_mask: nothing": not self.values["filter_mask"],
            "last_channels: depthwise outputs are the inputs": not depthwise or channels,
            "channel_subtiles: not 0": self.outputs and self.inputs,
            "pixel_subtiles: not 0": self.vertical and self.horizontal,
            "last_channels: up to a subtile": (
                0 < self.last_outputs <= self.block and 0 < self.last_inputs <= self.mode.channels
            ),
            "last_output: up to a subtile": 0 < self.last_rows <= 6 and 0 < self.last_columns <= 6,
            "padding: up to 2 pixels": max(self.top, self.right, self.bottom, self.left) <= 2,
        }
        for what, holds in known.items():
            if not holds:
                raise InterpretationError(f"the accelerator needs in register {what}")

    def poison(self) -> None:
        """Make the output useless until the job has run; partial sums are input first."""
        if self.flag(bits.STREAM_IN):
            return
        for i in range(self.vertical):
            for j in range(self.horizontal):
                for view in self.output_views(i, j):
                    view[...] = POISON

    def run(self) -> None:
        """Compute all subtiles."""
        weights = self.weights() + wrap(self.values["weight_offset"])
        for i in range(self.vertical):
            for j in range(self.horizontal):
                pixels = self.window(i, j)
                sums = self.multiply(pixels, weights)
                views = self.output_views(i, j)
                if self.flag(bits.STREAM_IN):
                    sums += np.concatenate([v.copy().view("<i4") for v in views], axis=-1)
                result = self.normalise(sums.astype(np.int32))
                stored = np.ascontiguousarray(result).view(np.uint8)
                begin = 0
                for view in views:
                    end = begin + view.shape[-1]
                    view[...] = stored[..., begin:end]
                    begin = end

    def channels(self) -> int:
        """Output channels."""
        return (self.outputs - 1) * self.block + self.last_outputs

    def weights(self) -> Array:
        """Weights as `[co, kh, kw, ci]`."""
        mode, side = self.mode, self.mode.window
        inputs = (self.inputs - 1) * mode.channels + self.last_inputs
        start, bit_stride = self.values["weights"], self.values["weight_stride_0"]
        far = self.flag(bits.WEIGHT_MEMORY)
        rows = 1 if mode is POINTWISE else self.weight_bits
        offsets = [
            i * rows * ROW_BYTES + bit * bit_stride
            for i in range(self.inputs)
            for bit in range(rows)
        ]
        packed: list[Array] = []
        count = 1 if mode is DEPTHWISE else self.channels()
        for o in range(count):
            block, inner = divmod(o, self.block)
            at = start + block * self.block * self.inputs * rows * ROW_BYTES
            at += inner * self.values["weight_stride_1"]
            packed += [self.space.bytes(at + offset, ROW_BYTES, far) for offset in offsets]
        shape = (count, side, side, inputs)
        if mode is DEPTHWISE:
            shape = (inputs, side, side, 1)
        return unpack(np.stack(packed), mode, self.weight_bits, shape).astype(np.int64)

    def window(self, i: int, j: int) -> Array:
        """The pixels that a subtile reads, `[h, w, ci]`, padding included."""
        row, column = self.values["input_row_stride"], self.values["input_pixel_stride"]
        inputs = (self.inputs - 1) * self.mode.channels + self.last_inputs
        beyond = self.mode.window - 1
        rows, columns = (size + beyond for size in self.output_size(i, j))
        height, width = rows, columns
        top, left = self.top * (i == 0), self.left * (j == 0)
        bottom, right = self.bottom, self.right
        if i == self.vertical - 1:
            height = min(rows, self.values["last_input"] >> 16)
        if j == self.horizontal - 1:
            width = min(columns, self.values["last_input"] & 0xFFFF)
        pixels = np.full((rows, columns, inputs), POISON, np.uint8)
        pixels[: height + bottom, : width + right] = self.values["padding"] & 0xFF
        if height > top and width > left:
            at = self.values["input"] + (i * SUBTILE + top) * row + (j * SUBTILE + left) * column
            shape = (height - top, width - left, inputs)
            pixels[top:height, left:width] = self.view(at, shape, (row, column, 1))
        signed = pixels.view(np.int8) if self.flag(bits.SIGNED_INPUT) else pixels
        return signed.astype(np.int64)

    def multiply(self, pixels: Array, weights: Array) -> Array:
        """The sums of a subtile, `[h, w, co]`."""
        side = self.mode.window
        windows = sliding_window_view(pixels, (side, side), axis=(0, 1))
        if self.mode is DEPTHWISE:
            return np.einsum("hwcij,cij->hwc", windows, weights[..., 0])
        return np.tensordot(windows, weights, axes=([3, 4, 2], [1, 2, 3]))

    def normalise(self, sums: Array) -> Array:
        """What is stored of the sums."""
        if not self.flag(bits.NORMALISE):
            return sums
        channels, shift = self.channels(), self.config >> 16 & 31
        scale = self.vector("scale", f"<u{self.scale_bytes}", channels)
        scaled = sums.astype(np.int64) * scale
        if self.flag(bits.BIAS):
            scaled = (scaled + self.vector("bias", "<i4", channels)).astype(np.int32)
        scaled = scaled >> shift
        if self.output_bytes == 4:
            return scaled.astype(np.int32)
        if self.flag(bits.IDENTITY):
            return np.clip(scaled, -128, 127).astype(np.int8)
        return np.clip(scaled, 0, 255).astype(np.uint8)

    def vector(self, register: str, dtype: str, channels: int) -> Array:
        """One number for each channel."""
        size = channels * np.dtype(dtype).itemsize
        return (
            self.space.bytes(self.values[register], size, weights=False)
            .view(dtype)
            .astype(np.int64)
        )

    def output_size(self, i: int, j: int) -> tuple[int, int]:
        """Rows and columns of a subtile."""
        rows = SUBTILE if i < self.vertical - 1 else self.last_rows
        columns = SUBTILE if j < self.horizontal - 1 else self.last_columns
        return rows, columns

    def output_views(self, i: int, j: int) -> list[Array]:
        """The bytes of a subtile's output, as pieces `[h, w, bytes]` in order of the channels."""
        row, column = self.values["output_row_stride"], self.values["output_pixel_stride"]
        rows, columns = self.output_size(i, j)
        base = self.values["output"] + i * SUBTILE * row + j * SUBTILE * column
        views: list[Array] = []
        for block in range(self.outputs):
            at = base + block * self.block * self.output_bytes
            count = self.block if block < self.outputs - 1 else self.last_outputs
            if self.output_bytes == 1:
                views.append(self.view(at, (rows, columns, count), (row, column, 1)))
                continue
            for word in range(-(-count // WORD_CHANNELS)):
                size = 4 * min(WORD_CHANNELS, count - word * WORD_CHANNELS)
                piece = at + word * self.values["output_stride_0"]
                views.append(self.view(piece, (rows, columns, size), (row, column, 1)))
        return views

    def view(self, at: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> Array:
        """Bytes of the compute memory under a shape."""
        span = sum((n - 1) * s for n, s in zip(shape, strides, strict=True)) + 1
        data = self.space.bytes(at & 0xFFFFFFFF, span, weights=False)
        return as_strided(data, shape, strides)
