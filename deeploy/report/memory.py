"""What lies where and when in each memory of a lowered program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from string import ascii_letters, digits

from xdsl.dialects.builtin import IntegerAttr
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Operation, SSAValue

from deeploy.dialects.mem import OFFSET, BufferOp, ConstantOp, allocated_bytes, level_of, memref_of
from deeploy.report.console import number
from deeploy.report.nests import NestInfo, assign_nests, uses_of
from deeploy.targets import Target

ROWS = 24
"""Lines of a map."""
GRAIN = 16
"""A line of a map stands for a multiple of so many bytes."""
COLUMNS = 96
"""Most columns of a map; more nests share columns."""
SAME = 3
"""More equal lines than this are drawn as two."""
LISTED = 24
"""Buffers that the legend of a map names, the largest ones."""

_SYMBOLS = ascii_letters + digits
_CONSTANT = "#"
_FREE = "."


@dataclass(frozen=True)
class Buffer:
    """A block of a memory: bytes from `offset` on, in use from nest `first` to `last`, both in."""

    name: str
    memory: str
    offset: int
    bytes: int
    first: int
    last: int
    constant: bool

    @property
    def end(self) -> int:
        """The first address behind it."""
        return self.offset + self.bytes


@dataclass(frozen=True)
class MemoryUse:
    """Bytes of a memory: what there is, how far it is filled, and how much of that is constants."""

    name: str
    size: int
    peak: int
    constants: int


def find_buffers(function: FuncOp, nests: Sequence[NestInfo], target: Target) -> list[Buffer]:
    """Everything that has an address in a lowered function, in order of definition."""
    owners = assign_nests(function, nests, target.compute)
    end = max(0, len(nests) - 1)
    found: list[Buffer] = []
    attributes = function.arg_attrs.data if function.arg_attrs else ()
    for arg, known in zip(function.body.block.args, attributes, strict=False):
        offset = known.data.get(OFFSET)
        if isinstance(offset, IntegerAttr):
            _, last = _lifetime(arg, owners, end)
            found.append(_buffer(arg, offset.value.data, 0, last))
    for op in function.walk():
        if isinstance(op, ConstantOp) and op.offset is not None:
            found.append(_buffer(op.result, op.offset.value.data, 0, end))
        elif isinstance(op, BufferOp):
            found.append(
                _buffer(op.result, op.offset.value.data, *_lifetime(op.result, owners, end))
            )
    return found


def _lifetime(value: SSAValue, owners: Mapping[Operation, int], end: int) -> tuple[int, int]:
    """First and last nest that uses a buffer; results of the function stay to the end."""
    users = list(uses_of(value))
    steps = [owners[op] for op in users if op in owners]
    if any(isinstance(op, ReturnOp) for op in users):
        steps.append(end)
    return (min(steps), max(steps)) if steps else (0, 0)


def _buffer(value: SSAValue, offset: int, first: int, last: int) -> Buffer:
    constant = isinstance(value.owner, ConstantOp)
    size = allocated_bytes(memref_of(value))
    name = value.name_hint or "buffer"
    return Buffer(name, level_of(value) or "?", offset, size, first, last, constant)


def memory_uses(buffers: Sequence[Buffer], target: Target) -> list[MemoryUse]:
    """The use of each memory of the target."""
    uses: list[MemoryUse] = []
    for memory in target.memories:
        here = [b for b in buffers if b.memory == memory.name]
        peak = max((b.end for b in here), default=0)
        constants = sum(b.bytes for b in here if b.constant)
        uses.append(MemoryUse(memory.name, memory.size, peak, constants))
    return uses


def bytes_by_nest(
    function: FuncOp, nests: Sequence[NestInfo], target: Target, memory: str
) -> list[int]:
    """For each nest, the bytes of the buffers in `memory` that it touches."""
    owners = assign_nests(function, nests, target.compute)
    used = [0] * len(nests)
    values = [*function.body.block.args]
    values += [op.result for op in function.walk() if isinstance(op, BufferOp | ConstantOp)]
    for value in values:
        if level_of(value) != memory:
            continue
        for nest in {owners[op] for op in uses_of(value) if op in owners}:
            used[nest] += allocated_bytes(memref_of(value))
    return used


# --- The picture ----------------------------------------------------------------------------------


def memory_map(buffers: Sequence[Buffer], target: Target, nests: int) -> str:
    """A picture of each memory: addresses downwards, nests to the right.

    Letters are buffers (the legend lists the largest), `#` are constants, `.` is free.
    """
    parts = [_map_of(use, [b for b in buffers if b.memory == use.name], nests)
             for use in memory_uses(buffers, target) if use.peak]  # fmt: skip
    return "\n\n".join(parts)


def _map_of(use: MemoryUse, buffers: Sequence[Buffer], nests: int) -> str:
    share = 100 * use.peak / use.size
    title = (
        f"{use.name}: {number(use.peak)} of {number(use.size)} bytes used ({share:.1f} %)"
        + (f", {number(use.constants)} of them constants" if use.constants else "")
        + "; address downwards, nests to the right"
    )
    symbols = _symbols(buffers)
    step = -(-use.peak // (ROWS * GRAIN)) * GRAIN
    columns = min(max(1, nests), COLUMNS)
    rows: list[tuple[int, str]] = []
    for start in range(0, use.peak, step):
        row = [b for b in buffers if b.offset < start + step and b.end > start]
        cells = (
            _cell(row, symbols, start, step, column, columns, nests) for column in range(columns)
        )
        rows.append((start, "".join(cells)))
    return "\n".join([title, *_lines(rows, len(str(use.peak))), *_legend(buffers, symbols)])


def _lines(rows: Sequence[tuple[int, str]], width: int) -> list[str]:
    """The rows of a map; of many equal ones only the first, with an ellipsis."""
    lines: list[str] = []
    for cells, group in groupby(rows, key=lambda row: row[1]):
        starts = [start for start, _ in group]
        shown = starts[: 1 if len(starts) > SAME else None]
        lines += [f"{start:>{width}} |{cells}|" for start in shown]
        if len(shown) < len(starts):
            lines.append(f"{'...':>{width}} |{cells}|")
    return lines


def _symbols(buffers: Sequence[Buffer]) -> dict[Buffer, str]:
    """A letter for each buffer that is no constant, the largest first; letters may repeat."""
    ranked = sorted((b for b in buffers if not b.constant), key=lambda b: (-b.bytes, b.offset))
    symbols = {b: _SYMBOLS[i % len(_SYMBOLS)] for i, b in enumerate(dict.fromkeys(ranked))}
    return {b: _CONSTANT if b.constant else symbols[b] for b in buffers}


def _cell(
    row: Sequence[Buffer],
    symbols: Mapping[Buffer, str],
    start: int,
    step: int,
    column: int,
    columns: int,
    nests: int,
) -> str:
    """The buffer that fills most of a cell."""
    first = column * nests // columns
    last = max(first, (column + 1) * nests // columns - 1)
    filled: dict[str, int] = {}
    for b in row:
        if b.first <= last and b.last >= first:
            overlap = min(b.end, start + step) - max(b.offset, start)
            filled[symbols[b]] = filled.get(symbols[b], 0) + overlap
    return max(filled, key=lambda symbol: filled[symbol]) if filled else _FREE


def _legend(buffers: Sequence[Buffer], symbols: Mapping[Buffer, str]) -> list[str]:
    moving = sorted(
        {b for b in buffers if not b.constant}, key=lambda b: (-b.bytes, b.offset, b.first)
    )
    lines = [
        f"  {symbols[b]} {b.name}: {number(b.bytes)} bytes at {number(b.offset)}, "
        + (f"nest {b.first}" if b.first == b.last else f"nests {b.first} to {b.last}")
        for b in moving[:LISTED]
    ]
    if len(moving) > LISTED:
        lines.append(f"  and {len(moving) - LISTED} smaller ones")
    return lines
