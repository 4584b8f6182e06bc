"""The clock of a simulated chip: cores, DMA, accelerator, and who waits for whom.

All cores run the same program. Core 0 does what the others do and drives DMA and accelerator
besides, so it is never the first at a barrier, and its clock is that of the program. Transfers and
jobs go on beside it, in the order in which they were started: one server for each direction of the
DMA, and one for the accelerator, which has a context for the job that runs and one for the next.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from deeploy.costs import start_cycles
from deeploy.targets import Target


class Cause(StrEnum):
    """What core 0 spends its time on."""

    KERNEL = "kernel"
    LOOP = "loop"
    DRIVE = "drive"
    BARRIER = "barrier"
    LOAD = "wait for load"
    STORE = "wait for store"
    NPU = "wait for NPU"


WORK = (Cause.KERNEL, Cause.NPU)
"""Causes in which something computes."""
STALLS = (Cause.LOAD, Cause.STORE)
"""Causes in which everything waits for data."""
OVERHEAD = (Cause.LOOP, Cause.DRIVE, Cause.BARRIER)
"""Causes that are the price of dividing the work."""


class Track(StrEnum):
    """What works on its own."""

    CORES = "cores"
    LOAD = "DMA in"
    STORE = "DMA out"
    NPU = "NPU"


class Event(NamedTuple):
    """Something that took from cycle `start` to cycle `end`, for the nest of that index."""

    track: Track
    what: str
    nest: int
    start: int
    end: int


CONTEXTS = 2
"""Jobs that the accelerator holds: one runs, one waits (N-EUREKA)."""


@dataclass
class Tally:
    """What a nest has taken so far.

    Attributes:
        cycles: of core 0, by cause; together the time of the nest.
        busy: cycles of each track; they overlap.
        bytes: moved by each track.
        counts: calls, turns, transfers, jobs and barriers.
        operations: of all kernels: a multiplication with its addition counts as two.
        sizes: extents of the largest tile of the nest's last op.
        first, last: cycle in which something of the nest happened first and last.
    """

    cycles: Counter[Cause] = field(default_factory=Counter[Cause])
    busy: Counter[Track] = field(default_factory=Counter[Track])
    bytes: Counter[Track] = field(default_factory=Counter[Track])
    counts: Counter[str] = field(default_factory=Counter[str])
    operations: int = 0
    sizes: tuple[int, ...] = ()
    first: int | None = None
    last: int = 0


@dataclass
class Machine:
    """Plays kernels, transfers, jobs, waits and barriers.

    Attributes:
        target: the chip.
        tallies: one for each nest.
        now: the clock of core 0, in cycles.
        free: when each direction of the DMA is done with what was started.
        pending: for each channel, the track and the end of the last transfer started on it.
        marks: for each mark, when what was started before it is done.
        jobs: the ends of those that the accelerator was last given.
    """

    target: Target
    tallies: list[Tally]
    events: list[Event] = field(default_factory=list[Event])
    now: int = 0
    free: Counter[Track] = field(default_factory=Counter[Track])
    pending: dict[object, tuple[int, Track]] = field(
        default_factory=dict[object, tuple[int, Track]]
    )
    marks: dict[object, int] = field(default_factory=dict[object, int])
    jobs: deque[int] = field(default_factory=lambda: deque[int](maxlen=CONTEXTS))

    def spend(self, nest: int, cause: Cause, cycles: int) -> None:
        """Core 0 is busy with something, or waits."""
        if cycles > 0:
            self.tallies[nest].cycles[cause] += cycles
            self.record(Event(Track.CORES, cause, nest, self.now, self.now + cycles))
            self.now += cycles

    def record(self, event: Event) -> None:
        """Keep an event."""
        tally = self.tallies[event.nest]
        tally.first = event.start if tally.first is None else min(tally.first, event.start)
        tally.last = max(tally.last, event.end)
        self.events.append(event)

    def turn(self, nest: int) -> None:
        """A turn of a loop over tiles."""
        self.tallies[nest].counts["turns"] += 1
        self.spend(nest, Cause.LOOP, self.target.tile_cycles)

    def call(
        self, nest: int, cycles: int, operations: int, sizes: tuple[int, ...], *, on_cores: bool
    ) -> None:
        """All cores run a kernel, or wait for the accelerator that does.

        Args:
            sizes: of the tile, if the kernel is the nest's last one.
        """
        tally = self.tallies[nest]
        tally.busy[Track.CORES if on_cores else Track.NPU] += cycles
        tally.operations += operations
        tally.counts["calls"] += 1
        tally.sizes = max(tally.sizes, sizes)
        if not on_cores:
            self.record(Event(Track.NPU, Cause.KERNEL, nest, self.now, self.now + cycles))
        self.spend(nest, Cause.KERNEL if on_cores else Cause.NPU, cycles)

    def transfer(
        self, nest: int, track: Track, channel: object, size: int, pieces: int, cycles: int
    ) -> None:
        """Core 0 starts a transfer of `size` bytes that takes `pieces` of two dimensions."""
        self.spend(nest, Cause.DRIVE, pieces * start_cycles(self.target))
        start = max(self.now, self.free[track])
        self.free[track] = start + cycles
        self.pending[channel] = (start + cycles, track)
        tally = self.tallies[nest]
        tally.busy[track] += cycles
        tally.bytes[track] += size
        tally.counts["transfers"] += pieces
        self.record(Event(track, f"{size} bytes", nest, start, start + cycles))

    def mark(self, channel: object, mark: object) -> None:
        """Note when what has been started on a channel so far will be complete."""
        self.marks[mark] = self.pending.get(channel, (0, Track.LOAD))[0]

    def mark_jobs(self, mark: object) -> None:
        """Note when the jobs started so far will be complete."""
        self.marks[mark] = self.free[Track.NPU]

    def wait(self, nest: int, channel: object, mark: object | None) -> None:
        """Core 0 waits for all transfers started on a channel, or those before a mark."""
        end, track = self.pending.get(channel, (0, Track.LOAD))
        end = end if mark is None else self.marks[mark]
        cause = Cause.LOAD if track == Track.LOAD else Cause.STORE
        self.spend(nest, cause, end - self.now)

    def acquire(self, nest: int) -> None:
        """Core 0 waits for a free context of the accelerator."""
        if len(self.jobs) == CONTEXTS:
            self.spend(nest, Cause.NPU, self.jobs[0] - self.now)

    def job(self, nest: int, accesses: int, cycles: int, operations: int) -> None:
        """Core 0 writes a job into the acquired context, with so many accesses to registers."""
        self.spend(nest, Cause.DRIVE, accesses * self.target.register_cycles)
        start = max(self.now, self.free[Track.NPU])
        self.free[Track.NPU] = start + cycles
        self.jobs.append(start + cycles)
        tally = self.tallies[nest]
        tally.busy[Track.NPU] += cycles
        tally.operations += operations
        tally.counts["jobs"] += 1
        self.record(Event(Track.NPU, "job", nest, start, start + cycles))

    def wait_for_jobs(self, nest: int, mark: object | None) -> None:
        """Core 0 waits for all jobs, or those before a mark."""
        end = self.free[Track.NPU] if mark is None else self.marks[mark]
        self.spend(nest, Cause.NPU, end - self.now)

    def barrier(self, nest: int) -> None:
        """All cores meet."""
        if self.target.cores > 1:
            self.tallies[nest].counts["barriers"] += 1
            self.spend(nest, Cause.BARRIER, self.target.barrier_cycles)
