"""Traces in the JSON format of Chrome, which Perfetto (https://ui.perfetto.dev) opens."""

from __future__ import annotations

import json
from collections.abc import Iterator

from deeploy.simulate.machine import Cause, Track
from deeploy.simulate.result import NOTE, Simulation

PROCESS = 1


def trace_json(simulation: Simulation) -> str:
    """The events of a simulation: one track for each engine, named after the ONNX nodes.

    Time stamps are microseconds at the target's clock, or cycles where it has none.
    """
    return json.dumps(
        {
            "traceEvents": [*names(simulation), *slices(simulation)],
            "otherData": {"note": NOTE, "cycles": simulation.cycles},
        },
        separators=(",", ":"),
    )


def names(simulation: Simulation) -> Iterator[dict[str, object]]:
    """The names of the process and of its tracks, in the order in which they are shown."""
    yield metadata("process_name", 0, {"name": simulation.target.name})
    for row, track in enumerate(("nests", *Track)):
        yield metadata("thread_name", row, {"name": str(track)})
        yield metadata("thread_sort_index", row, {"sort_index": row})


def metadata(name: str, row: int, arguments: dict[str, object]) -> dict[str, object]:
    """A metadata event."""
    return {"ph": "M", "pid": PROCESS, "tid": row, "name": name, "args": arguments}


def slices(simulation: Simulation) -> Iterator[dict[str, object]]:
    """One slice for each span of a nest on core 0, and for each event."""
    clock = simulation.target.clock_hz
    scale = 1e6 / clock if clock else 1.0
    rows = {track: row for row, track in enumerate(Track, 1)}

    def part(row: int, name: str, start: int, end: int, **arguments: object) -> dict[str, object]:
        time = {"ts": round(start * scale, 4), "dur": round((end - start) * scale, 4)}
        cycles = {"cycle": start, "cycles": end - start}
        return {"ph": "X", "pid": PROCESS, "tid": row, "name": name, **time,
                "args": {**cycles, **arguments}}  # fmt: skip

    for span in simulation.spans:
        info = simulation.nests[span.nest].info
        yield part(0, info.label, span.start, span.end, engine="+".join(info.engines))
    for event in simulation.events:
        label = simulation.nests[event.nest].info.label
        works = event.track is not Track.CORES or event.what == Cause.KERNEL
        name = label if works else event.what
        yield part(rows[event.track], name, event.start, event.end, node=label, what=event.what)
