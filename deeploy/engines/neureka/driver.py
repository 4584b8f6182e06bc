"""The driver of N-EUREKA: jobs from tiles, and what a job takes, decoded from its registers."""

from __future__ import annotations

from collections.abc import Mapping

from deeploy.dialects.npu import DEPTHWISE, MODES, REGISTERS, StartOp
from deeploy.engines import Driver
from deeploy.engines.neureka.grids import SUBTILE
from deeploy.engines.neureka.lowering import Lowering
from deeploy.engines.neureka.registers import (
    MODE_CODES,
    NORMALISE,
    OUTPUT_32,
    SCALE_32,
    STREAM_IN,
    WEIGHT_MEMORY,
)
from deeploy.engines.neureka.timing import OUTPUT_CHANNELS, Format, job_cycles
from deeploy.targets import Target


class NeurekaDriver(Driver):
    """A job is 24 registers in one of two contexts."""

    registers = (
        "configuration",
        "channel_subtiles",
        "last_channels",
        "pixel_subtiles",
        "last_output",
    )
    # acquire, all registers, trigger
    accesses = 1 + len(REGISTERS) + 1

    def lower(self, start: StartOp, target: Target) -> None:
        Lowering(start, target).run()

    def job_cost(self, values: Mapping[str, int]) -> tuple[int, int]:
        return job_cost(values)


def job_cost(values: Mapping[str, int]) -> tuple[int, int]:
    """Cycles of a job, and operations: a multiplication and an addition are two.

    Args:
        values: of the driver's `registers`.
    """
    configuration = values["configuration"]
    codes = {code: MODES[name] for name, code in MODE_CODES.items()}
    mode = codes[configuration >> 5 & 3]
    size = mode.channels if mode is DEPTHWISE else OUTPUT_CHANNELS
    counts, last = halves(values["channel_subtiles"]), halves(values["last_channels"])
    outputs, inputs = extent(counts[0], last[0], size), extent(counts[1], last[1], mode.channels)
    counts, last = halves(values["pixel_subtiles"]), halves(values["last_output"])
    rows, columns = (extent(n, rest, SUBTILE) for n, rest in zip(counts, last, strict=True))
    normalised = 32 if configuration & SCALE_32 else 8
    format = Format(
        mode=mode,
        inputs=inputs,
        bits=(configuration & 7) + 1,
        scale_bits=normalised if configuration & NORMALISE else None,
        output_bits=32 if configuration & OUTPUT_32 else 8,
        weights_in_l1=not configuration & WEIGHT_MEMORY,
        adds=bool(configuration & STREAM_IN),
    )
    products = rows * columns * outputs * mode.window**2
    operations = 2 * products * (1 if mode is DEPTHWISE else inputs)
    return int(job_cycles(format, rows, columns, outputs)), operations


def halves(value: int) -> tuple[int, int]:
    """The high and the low half of a register."""
    return value >> 16 & 0xFFFF, value & 0xFFFF


def extent(count: int, last: int, size: int) -> int:
    """An extent from the number of subtiles and the size of the last one."""
    return (count - 1) * size + last
