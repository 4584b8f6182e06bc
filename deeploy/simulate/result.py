"""What a simulation found out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from deeploy.report.memory import Buffer
from deeploy.report.nests import NestInfo
from deeploy.simulate.energy import Energy, energy_of
from deeploy.simulate.machine import OVERHEAD, STALLS, Cause, Event, Tally, Track
from deeploy.targets import Target

NOTE = "Cycles of cluster kernels are derived from their inner loops, not measured on a core"
"""Stands wherever cycles do."""


@dataclass(frozen=True)
class NestResult:
    """A nest: as it was planned, and what it took."""

    info: NestInfo
    tally: Tally

    @property
    def cycles(self) -> int:
        """Time of the nest, which is that of core 0."""
        return self.tally.cycles.total()

    @property
    def duration(self) -> int:
        """Cycles of core 0 or, if that is longer, of the engine or DMA direction that is busy most.

        More than `cycles` where core 0 does something else while an engine works.
        """
        return max(self.cycles, *self.tally.busy.values())

    @property
    def tiles(self) -> int:
        """Turns of the nest's loop; one where it needs none."""
        return max(1, self.tally.counts["turns"])

    @property
    def tile(self) -> dict[str, tuple[int, int]]:
        """Size of the largest tile, and extent, of each iterator that is cut."""
        pairs = zip(self.info.tile, self.info.extents, strict=True)
        named = zip(self.info.iterators, pairs, strict=True)
        return {name: pair for name, pair in named if pair[0] < pair[1]}

    @property
    def bytes(self) -> int:
        """Bytes moved between memories, both ways."""
        return self.tally.bytes.total()

    @property
    def bound(self) -> Cause:
        """What takes most of the time: kernels, a stall, or what the division into tiles costs."""
        cycles = self.tally.cycles
        return max(cycles, key=lambda cause: cycles[cause], default=Cause.KERNEL)

    def share(self, *causes: Cause) -> float:
        """The share of the nest's time that goes to some causes."""
        return sum(self.tally.cycles[cause] for cause in causes) / max(1, self.cycles)

    def as_json(self) -> dict[str, object]:
        """The nest as a JSON object."""
        tally = self.tally
        return {
            "node": self.info.name,
            "ops": list(self.info.ops),
            "engines": list(self.info.engines),
            "tile": {name: size for name, (size, _) in self.tile.items()},
            "tiles": self.tiles,
            "first": tally.first,
            "last": tally.last,
            "cycles": self.cycles,
            "planned": self.info.cycles or None,
            "causes": by_name(tally.cycles),
            "busy": by_name(tally.busy),
            "bytes": by_name(tally.bytes),
            "transfers": tally.counts["transfers"],
            "jobs": tally.counts["jobs"],
            "barriers": tally.counts["barriers"],
            "operations": tally.operations,
        }


class Span(NamedTuple):
    """Core 0 has to do with the nest of that index from cycle `start` to cycle `end`."""

    nest: int
    start: int
    end: int


@dataclass(frozen=True)
class Simulation:
    """One inference.

    Attributes:
        target: the chip.
        nests: in the order in which they run.
        events: in the order in which they were started.
        cycles: from the first to the last instruction of core 0.
        buffers: what lies where in the memories, and from which to which nest.
    """

    target: Target
    nests: tuple[NestResult, ...]
    events: tuple[Event, ...]
    cycles: int
    buffers: tuple[Buffer, ...] = ()

    @property
    def spans(self) -> list[Span]:
        """Which nest core 0 has to do with, from the first to the last cycle.

        A nest whose job or transfer is started early has more than one span.
        """
        own = (event for event in self.events if event.track is Track.CORES)
        groups = ((nest, list(group)) for nest, group in groupby(own, lambda event: event.nest))
        return [Span(nest, group[0].start, group[-1].end) for nest, group in groups]

    @property
    def causes(self) -> Counter[Cause]:
        """Cycles of core 0 by cause."""
        return sum((nest.tally.cycles for nest in self.nests), Counter[Cause]())

    @property
    def busy(self) -> Counter[Track]:
        """Cycles for which each track is at work."""
        return sum((nest.tally.busy for nest in self.nests), Counter[Track]())

    @property
    def bytes(self) -> Counter[Track]:
        """Bytes that each track moved."""
        return sum((nest.tally.bytes for nest in self.nests), Counter[Track]())

    @property
    def planned(self) -> int:
        """What the plan expected, in cycles; 0 where there is none."""
        return sum(nest.info.cycles for nest in self.nests)

    @property
    def seconds(self) -> float | None:
        """Time at the target's clock."""
        return self.cycles / self.target.clock_hz if self.target.clock_hz else None

    @property
    def energy(self) -> Energy | None:
        """Energy by part, if the target says what its parts take."""
        return energy_of(self.target, self.cycles, self.busy)

    def count(self, what: str) -> int:
        """The sum of a count over all nests."""
        return sum(nest.tally.counts[what] for nest in self.nests)

    def share(self, *causes: Cause) -> float:
        """The share of the time that goes to some causes."""
        return sum(self.causes[cause] for cause in causes) / max(1, self.cycles)

    def as_json(self) -> dict[str, object]:
        """The simulation as a JSON object; it repeats from one run to the next."""
        seconds, energy = self.seconds, self.energy
        return {
            "note": NOTE,
            "target": self.target.name,
            "cores": self.target.cores,
            "clock_hz": self.target.clock_hz or None,
            "cycles": self.cycles,
            "planned": self.planned or None,
            "milliseconds": seconds and seconds * 1e3,
            "per_second": 1 / seconds if seconds else None,
            "energy": energy.as_json() if energy else None,
            "causes": by_name(self.causes),
            "busy": by_name(self.busy),
            "utilisation": {t.value: self.busy[t] / max(1, self.cycles) for t in Track},
            "stalls": self.share(*STALLS),
            "overhead": self.share(*OVERHEAD),
            "bytes": by_name(self.bytes),
            "transfers": self.count("transfers"),
            "jobs": self.count("jobs"),
            "barriers": self.count("barriers"),
            "operations": sum(nest.tally.operations for nest in self.nests),
            "nests": [nest.as_json() for nest in self.nests],
        }


def by_name(counts: Mapping[Cause, int] | Mapping[Track, int]) -> dict[str, int]:
    """Counts that are not 0, sorted by the name of what was counted."""
    return {str(key): count for key, count in sorted(counts.items()) if count}
