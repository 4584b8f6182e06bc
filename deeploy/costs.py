"""What everything but kernels costs: transfers and the work of the core that drives them.

The one home of these formulas: the planner estimates with them, the simulator plays them back.
Kernels cost `engine.kernel(op).cycles(op, sizes, cores)`.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from deeploy.targets import Link, Target

Number: TypeAlias = "int | float | np.ndarray[Any, np.dtype[Any]]"
"""A number, or an array of them: costs are computed for many tiles at once."""

MIN_ROW = 16
"""Rows of a two-dimensional transfer cost nothing extra from this many bytes on (measured with
GVSoC on the DMA of Siracusa)."""
START_ACCESSES = 6
"""Register accesses that start a two-dimensional transfer on mchan v7: identifier, command, two
addresses, stride and row length."""


def transfer_cycles(link: Link, rows: Number, row_bytes: Number) -> Number:
    """Cycles for which one transfer of up to two dimensions occupies its direction of a link.

    Args:
        link: the way that it takes.
        rows: contiguous rows.
        row_bytes: bytes of a row. Short rows take as long as rows of `MIN_ROW` bytes.
    """
    moving = rows * np.maximum(row_bytes, MIN_ROW) / link.bytes_per_cycle
    return np.maximum(link.setup_cycles + moving, link.least_cycles)


def start_cycles(target: Target) -> int:
    """Cycles that a core needs to start one transfer."""
    return START_ACCESSES * target.register_cycles
