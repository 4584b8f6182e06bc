"""Tables about a compiled network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.table import Table

from deeploy.report.console import number
from deeploy.report.nests import NestInfo
from deeploy.report.traffic import Traffic


@dataclass(frozen=True)
class NestRow:
    """A nest, the bytes that it occupies in the memory of the cores, and what it moves."""

    nest: NestInfo
    bytes: int
    traffic: tuple[Traffic, ...]

    @property
    def moved(self) -> int:
        """Bytes moved between memories, both ways."""
        return sum(entry.bytes for entry in self.traffic)

    def as_json(self) -> dict[str, object]:
        """The row as a JSON object."""
        nest = self.nest
        return {
            "node": nest.name,
            "ops": list(nest.ops),
            "engines": list(nest.engines),
            "extents": dict(zip(nest.iterators, nest.extents, strict=True)),
            "tile": dict(zip(nest.iterators, nest.tile, strict=True)),
            "order": list(nest.order),
            "tiles": nest.tiles,
            "buffers": nest.buffers,
            "bytes": self.bytes,
            "dma": [traffic_json(entry) for entry in self.traffic],
            "cycles": nest.cycles,
        }


def traffic_json(entry: Traffic) -> dict[str, object]:
    """Traffic between two memories as a JSON object."""
    return {
        "from": entry.source,
        "to": entry.destination,
        "bytes": entry.bytes,
        "transfers": entry.transfers,
    }


def make_table(title: str | None, *headers: str, right: Sequence[str] = ()) -> Table:
    """An empty table; the columns in `right` are numbers."""
    table = Table(title=title, box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left")
    for header in headers:
        if header in right:
            table.add_column(header, justify="right", no_wrap=True)
        else:
            table.add_column(header, overflow="fold")
    return table


def tile_text(nest: NestInfo) -> str:
    """The sizes of the iterators that are cut, outermost first, such as `oh 8/32`."""
    if not nest.order:
        return "whole"
    sizes = dict(zip(nest.iterators, zip(nest.tile, nest.extents, strict=True), strict=True))
    return " ".join(f"{name} {sizes[name][0]}/{sizes[name][1]}" for name in nest.order)


def nest_table(rows: Sequence[NestRow], compute: str) -> Table:
    """One line for each nest: where it runs, its tiles, bytes and estimated cycles."""
    headers = ("", "node", "op", "engine", "tile", "buffers",
               f"{compute} bytes", "DMA bytes", "cycles")  # fmt: skip
    table = make_table(None, *headers, right=("", "buffers", *headers[6:]))
    for index, row in enumerate(rows):
        nest = row.nest
        table.add_row(
            str(index),
            nest.name or "",
            "+".join(nest.ops),
            "+".join(nest.engines),
            tile_text(nest),
            str(nest.buffers or ""),
            number(row.bytes),
            number(row.moved),
            number(nest.cycles),
        )
    table.add_section()
    moved = sum(row.moved for row in rows)
    cycles = sum(row.nest.cycles for row in rows)
    table.add_row("", "all", "", "", "", "", "", number(moved), number(cycles))
    return table
