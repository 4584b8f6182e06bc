"""Everything worth knowing about a compiled network, in one object."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import IO

from rich.console import Console
from xdsl.dialects.func import FuncOp

from deeploy.report.console import make_console, number
from deeploy.report.memory import (
    Buffer,
    MemoryUse,
    bytes_by_nest,
    find_buffers,
    memory_map,
    memory_uses,
)
from deeploy.report.nests import NestRecorder, PlanInfo
from deeploy.report.tables import NestRow, nest_table, traffic_json
from deeploy.report.traffic import Traffic, count, total_traffic, traffic_by_nest
from deeploy.targets import Target


@dataclass(frozen=True)
class Summary:
    """A compiled network in numbers: bytes and estimated cycles.

    Attributes:
        plan: what the planner said; None where no planner has run.
        pipeline: the passes, as text.
        barriers: how often the cores meet in one inference.
    """

    target: Target
    pipeline: str
    plan: PlanInfo | None
    memories: tuple[MemoryUse, ...]
    traffic: tuple[Traffic, ...]
    nests: tuple[NestRow, ...]
    buffers: tuple[Buffer, ...]
    barriers: int

    @property
    def cycles(self) -> int:
        """Estimated cycles of one inference."""
        return self.plan.cycles if self.plan else sum(row.nest.cycles for row in self.nests)

    def as_json(self) -> dict[str, object]:
        """The summary as a JSON object; it repeats from one compilation to the next."""
        plan = self.plan
        return {
            "target": self.target.name,
            "cores": self.target.cores,
            "pipeline": self.pipeline,
            "solver": {"status": plan.status, "gap": plan.gap} if plan else None,
            "cycles": self.cycles,
            "memories": [
                {"name": m.name, "size": m.size, "peak": m.peak, "constants": m.constants}
                for m in self.memories
            ],
            "dma": [traffic_json(entry) for entry in self.traffic],
            "barriers": self.barriers,
            "nests": [row.as_json() for row in self.nests],
        }

    def as_line(self) -> str:
        """The summary in one line."""
        memories = [f"{m.name} {number(m.peak)} of {number(m.size)} bytes" for m in self.memories]
        plan = f"{self.plan.status} plan, gap {self.plan.gap:.1%}" if self.plan else "no plan"
        target = f"{self.target.name} with {self.target.cores} cores"
        cycles = f"about {number(self.cycles)} cycles"
        counts = f"{len(self.nests)} nests", f"{number(self.barriers)} barriers"
        return ", ".join([target, *counts, cycles, plan, *memories])

    def to_text(self) -> str:
        """The content of `plan.json`: the summary, and where every buffer lies."""
        buffers = [
            {
                "name": b.name,
                "memory": b.memory,
                "offset": b.offset,
                "bytes": b.bytes,
                "first": b.first,
                "last": b.last,
                "constant": b.constant,
            }
            for b in self.buffers
        ]
        return json.dumps({**self.as_json(), "buffers": buffers}, indent=1) + "\n"

    def print_report(self, stream: IO[str] | None = None) -> None:
        """Print the table of nests and the maps of the memories, to stderr by default."""
        out = sys.stderr if stream is None else stream
        console = make_console(stderr=True) if stream is None else Console(file=out, width=120)
        console.print(nest_table(self.nests, self.target.compute))
        out.write(memory_map(self.buffers, self.target, len(self.nests)) + "\n")


def summarise(function: FuncOp, recorder: NestRecorder, target: Target, pipeline: str) -> Summary:
    """The summary of a fully lowered function.

    Args:
        function: with buffers at addresses.
        recorder: has watched the passes that lowered it.
        target: what it was lowered for.
        pipeline: the passes, as text.
    """
    nests = recorder.nests
    counts = count(function)
    traffic = traffic_by_nest(function, counts.transfers, nests, target.compute)
    occupied = bytes_by_nest(function, nests, target, target.compute)
    rows = tuple(
        NestRow(nest, size, tuple(entries))
        for nest, size, entries in zip(nests, occupied, traffic, strict=True)
    )
    buffers = find_buffers(function, nests, target)
    return Summary(
        target=target,
        pipeline=pipeline,
        plan=recorder.plan,
        memories=tuple(memory_uses(buffers, target)),
        traffic=tuple(total_traffic([entry for entries in traffic for entry in entries])),
        nests=rows,
        buffers=tuple(buffers),
        barriers=counts.barriers,
    )
