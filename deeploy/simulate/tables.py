"""Tables about a simulation for the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from deeploy.report.console import number
from deeploy.report.tables import make_table
from deeploy.simulate.machine import STALLS, WORK, Cause, Track
from deeploy.simulate.result import NOTE, NestResult, Simulation

TOP = 12
"""Nests that the table shows, the longest ones."""

WIDTH = 34
"""Characters for the names of a nest."""


def print_simulation(simulation: Simulation, console: Console) -> None:
    """Print totals, the use of each engine, where the time goes, and the longest nests."""
    console.print(summary_line(simulation))
    console.print(engine_table(simulation))
    console.print(cause_table(simulation))
    console.print(nest_table(simulation))
    console.print(f"{NOTE}; see docs/simulator.md.")


def summary_line(simulation: Simulation) -> str:
    """The totals in one line."""
    target = simulation.target
    parts = [f"{target.name} with {target.cores} cores: {number(simulation.cycles)} cycles"]
    if simulation.planned:
        parts.append(f"plan {number(simulation.planned)}")
    if simulation.seconds:
        rate = 1 / simulation.seconds
        parts.append(
            f"{simulation.seconds * 1e3:.3f} ms at {target.clock_hz / 1e6:g} MHz, "
            f"{rate:,.1f} inferences/s"
        )
    energy = simulation.energy
    if energy:
        parts.append(
            f"{energy.total:,.0f} µJ, {energy.power:.0f} mW (± {100 * energy.uncertainty:.0f} %)"
        )
    return ", ".join(parts)


def percent(share: float) -> str:
    """A share in percent."""
    return f"{100 * share:.1f} %"


def engine_table(simulation: Simulation) -> Table:
    """What works at the same time: how long, what share of the time, and bytes."""
    table = make_table(
        None, "engine", "cycles", "at work", "bytes", right=("cycles", "at work", "bytes")
    )
    busy, moved = simulation.busy, simulation.bytes
    for track in (t for t in Track if busy[t] or t is not Track.NPU):
        share = busy[track] / max(1, simulation.cycles)
        moving = number(moved[track]) if moved[track] else ""
        table.add_row(track.value, number(busy[track]), percent(share), moving)
    return table


def cause_table(simulation: Simulation) -> Table:
    """What core 0 spends its time on."""
    table = make_table(
        None, "core 0", "cycles", "share", "count", right=("cycles", "share", "count")
    )
    counts = {
        Cause.KERNEL: simulation.count("calls"),
        Cause.LOOP: simulation.count("turns"),
        Cause.DRIVE: simulation.count("transfers") + simulation.count("jobs"),
        Cause.BARRIER: simulation.count("barriers"),
    }
    for cause in (c for c in Cause if simulation.causes[c]):
        cycles = simulation.causes[cause]
        count = number(counts[cause]) if cause in counts else ""
        table.add_row(cause.value, number(cycles), percent(simulation.share(cause)), count)
    return table


def nest_table(simulation: Simulation) -> Table:
    """The longest nests."""
    headers = ("", "node", "engine", "tile", "tiles", "bytes", "cycles", "at work", "stall", "plan")
    table = make_table(None, *headers, right=("", *headers[4:]))
    for column in table.columns[1:4]:
        column.no_wrap, column.overflow = True, "ellipsis"
    ranked = sorted(enumerate(simulation.nests), key=lambda pair: -pair[1].cycles)
    for index, nest in ranked[:TOP]:
        table.add_row(str(index), *nest_cells(nest))
    if len(ranked) > TOP:
        rest = number(sum(nest.cycles for _, nest in ranked[TOP:]))
        table.add_row("", f"{len(ranked) - TOP} others", "", "", "", "", rest)
    return table


def nest_cells(nest: NestResult) -> list[str]:
    """The cells of a nest's line, without its index."""
    return [
        shortened(nest.info.label),
        "+".join(nest.info.engines),
        tile_text(nest),
        number(nest.tiles),
        number(nest.bytes),
        number(nest.cycles),
        percent(nest.share(*WORK)),
        percent(nest.share(*STALLS)),
        number(nest.info.cycles) if nest.info.cycles else "",
    ]


def shortened(names: str) -> str:
    """Names joined with `+` that take one line of a table: the ends of the first and the last."""
    parts = names.split("+")
    if len(names) > WIDTH and len(parts) > 2:
        parts = [parts[0], "…", parts[-1]]
    most = max(4, (WIDTH - 4) // min(2, len(parts)))
    return "+".join(part if len(part) <= most else f"…{part[1 - most :]}" for part in parts)


def tile_text(nest: NestResult) -> str:
    """The sizes of the iterators that are cut, such as `oh 8/32`."""
    return " ".join(f"{name} {a}/{b}" for name, (a, b) in nest.tile.items()) or "whole"
