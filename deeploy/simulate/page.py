"""A report about a simulation: one HTML page that needs nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files

import jinja2

from deeploy.engines import find_engine
from deeploy.report.console import number
from deeploy.report.memory import Buffer, memory_uses
from deeploy.simulate.machine import STALLS, WORK, Cause, Event, Track
from deeploy.simulate.result import NOTE, NestResult, Simulation
from deeploy.simulate.tables import percent, shortened, tile_text

TEMPLATES = files("deeploy.simulate") / "templates"


def page(simulation: Simulation, title: str) -> str:
    """The report as HTML, with scripts and style inside.

    Args:
        simulation: what to show.
        title: the name of the network.
    """
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, autoescape=True, keep_trailing_newline=True
    )
    template = environment.from_string((TEMPLATES / "page.html.j2").read_text())
    target = simulation.target
    return template.render(
        title=title,
        target=f"{target.name} with {target.cores} cores",
        note=NOTE,
        cards=cards(simulation),
        energy=energy_rows(simulation),
        data=script_data(simulation),
        style=(TEMPLATES / "page.css").read_text(),
        script=(TEMPLATES / "page.js").read_text(),
    )


def cards(simulation: Simulation) -> list[dict[str, str]]:
    """The numbers at the top of the page: value, name and perhaps a remark."""
    target, seconds, energy = simulation.target, simulation.seconds, simulation.energy
    found = [("cycles", number(simulation.cycles), "")]
    if simulation.planned:
        found[0] = ("cycles", number(simulation.cycles), f"planned {number(simulation.planned)}")
    if seconds:
        found.append(("per inference", f"{seconds * 1e3:.3f} ms", f"{target.clock_hz / 1e6:g} MHz"))
        found.append(("inferences/s", f"{1 / seconds:,.1f}", ""))
    if energy:
        share = f"± {percent(energy.uncertainty)}"
        found.append(("energy", f"{energy.total:,.0f} µJ", share))
        found.append(("power", f"{energy.power:.0f} mW", share))
    found.append(("stalls", percent(simulation.share(*STALLS)), "of the time"))
    found.append(("barriers", number(simulation.count("barriers")), ""))
    found.append(("moved", f"{simulation.bytes.total() / 1e3:,.1f} kB", ""))
    return [{"name": name, "value": value, "hint": hint} for name, value, hint in found]


def energy_rows(simulation: Simulation) -> dict[str, object] | None:
    """Energy by part, if it is known."""
    energy = simulation.energy
    if energy is None:
        return None
    rows = [
        {"name": name, "value": f"{value:,.1f} µJ", "share": round(100 * value / energy.total, 2)}
        for name, value in energy.parts.items()
    ]
    total = f"{energy.total:,.1f} µJ"
    return {"total": total, "uncertainty": percent(energy.uncertainty), "parts": rows}


def script_data(simulation: Simulation) -> str:
    """What the scripts of the page show, as JSON that may stand in a script."""
    target = simulation.target
    kinds = list(dict.fromkeys(event.what for event in simulation.events))
    tracks = [track for track in Track if simulation.busy[track]] or [Track.CORES]
    data = {
        "cycles": max(1, simulation.cycles),
        "clock": target.clock_hz,
        "causes": [cause.value for cause in Cause],
        "kinds": kinds,
        "tracks": [
            {"name": t.value, "busy": simulation.busy[t], "bytes": simulation.bytes[t]}
            for t in tracks
        ],
        "events": flat_events(simulation.events, tracks, kinds),
        "nests": [nest_data(nest) for nest in simulation.nests],
        "spans": simulation.spans,
        "memories": memory_data(simulation),
        "bandwidth": max(link.bytes_per_cycle for link in target.links),
        "peaks": peaks(simulation),
    }
    return json.dumps(data, separators=(",", ":")).replace("</", "<\\/")


def flat_events(
    events: Sequence[Event], tracks: Sequence[Track], kinds: Sequence[str]
) -> list[int]:
    """Five numbers for each event: track, kind, nest, start and length."""
    rows = {track: i for i, track in enumerate(tracks)}
    names = {kind: i for i, kind in enumerate(kinds)}
    flat: list[int] = []
    for e in events:
        flat += (rows[e.track], names[e.what], e.nest, e.start, e.end - e.start)
    return flat


def nest_data(nest: NestResult) -> dict[str, object]:
    """A nest as the scripts see it."""
    causes = nest.tally.cycles
    return {
        "label": nest.info.label,
        "short": shortened(nest.info.label),
        "ops": "+".join(nest.info.ops),
        "engine": "+".join(nest.info.engines),
        "tile": tile_text(nest),
        "tiles": nest.tiles,
        "first": nest.tally.first or 0,
        "last": nest.tally.last,
        "cycles": nest.cycles,
        "duration": nest.duration,
        "planned": nest.info.cycles,
        "bytes": nest.bytes,
        "operations": nest.tally.operations,
        "causes": [causes[cause] for cause in Cause],
        "work": sum(causes[cause] for cause in WORK),
        "stalls": sum(causes[cause] for cause in STALLS),
        "bound": nest.bound.value,
    }


def memory_data(simulation: Simulation) -> list[Mapping[str, object]]:
    """The buffers of each memory in use, with the cycles in which they are."""
    found: list[Mapping[str, object]] = []
    for use in memory_uses(simulation.buffers, simulation.target):
        here = [buffer for buffer in simulation.buffers if buffer.memory == use.name]
        if here:
            buffers = [buffer_data(buffer, simulation) for buffer in here]
            found.append({"name": use.name, "size": use.size, "peak": use.peak, "buffers": buffers})
    return found


def buffer_data(buffer: Buffer, simulation: Simulation) -> dict[str, object]:
    """A buffer as the scripts see it."""
    nests, end = simulation.nests, simulation.cycles
    inside = nests and not buffer.constant
    return {
        "name": buffer.name,
        "offset": buffer.offset,
        "bytes": buffer.bytes,
        "first": (nests[buffer.first].tally.first or 0) if inside else 0,
        "last": nests[buffer.last].tally.last if inside else end,
        "constant": buffer.constant,
    }


def peaks(simulation: Simulation) -> list[dict[str, object]]:
    """Operations per cycle that the engines in use reach at best, where they say so."""
    names = dict.fromkeys(name for nest in simulation.nests for name in nest.info.engines)
    engines = [find_engine(name) for name in names]
    speeds = [
        (e.name, e.peak_operations * (simulation.target.cores if e.on_cores else 1))
        for e in engines
    ]
    return [{"name": name, "speed": speed} for name, speed in speeds if speed]
