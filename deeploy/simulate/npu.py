"""What a job of the accelerator N-EUREKA takes, decoded from the registers that a driver writes."""

from __future__ import annotations

from collections.abc import Mapping

from deeploy.dialects.npu import DEPTHWISE, MODES
from deeploy.dialects.npu import REGISTERS as ALL_REGISTERS
from deeploy.engines.neureka.grids import SUBTILE
from deeploy.engines.neureka.registers import (
    MODE_CODES,
    NORMALISE,
    OUTPUT_32,
    SCALE_32,
    WEIGHT_MEMORY,
)
from deeploy.engines.neureka.timing import OUTPUT_CHANNELS, Format, job_cycles

REGISTERS = ("configuration", "channel_subtiles", "last_channels", "pixel_subtiles", "last_output")
"""The registers that decide how long a job takes."""

DISPATCH_ACCESSES = 1 + len(ALL_REGISTERS) + 1
"""Accesses that dispatch a job: acquire, all registers, trigger."""


def job_cost(values: Mapping[str, int]) -> tuple[int, int]:
    """Cycles of a job, and operations: a multiplication and an addition are two.

    Args:
        values: of `REGISTERS`.
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
