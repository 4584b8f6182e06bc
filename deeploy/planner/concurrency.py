"""Jobs of engines beside the cores, while these run steps that do not depend on them.

The pass `overlap` starts a job as soon as what it reads is there, and waits for it where its result
is needed. What the cores do in between, whatever the plan chooses, hides it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from xdsl.ir import SSAValue

from deeploy.dialects.tiled import NestOp
from deeploy.engines import occupies_cores
from deeploy.planner import estimate
from deeploy.planner.problem import LOOKAHEAD, Step
from deeploy.targets import Target


@dataclass(frozen=True)
class Schedule:
    """The ways of each step in order, and the tensors that it reads and writes."""

    ways: Sequence[Sequence[NestOp]]
    reads: Sequence[frozenset[SSAValue]]
    writes: Sequence[frozenset[SSAValue]]

    def are_independent(self, m: int, n: int) -> bool:
        """Whether neither of two steps writes what the other one reads or writes."""
        touched = self.writes[m] & (self.reads[n] | self.writes[n])
        return not (touched or self.reads[m] & self.writes[n])

    def since_written(self, n: int, value: SSAValue) -> int:
        """How many steps just before step n do not write a tensor; at most LOOKAHEAD."""
        steps = range(n - 1, max(n - LOOKAHEAD, 0) - 1, -1)
        return len(list(takewhile(lambda m: value not in self.writes[m], steps)))

    def until_used(self, n: int, value: SSAValue) -> int:
        """How many steps just behind step n do not use a tensor; at most LOOKAHEAD."""
        steps = range(n + 1, min(n + LOOKAHEAD + 1, len(self.ways)))
        used = (value in self.reads[m] | self.writes[m] for m in steps)
        return len(list(takewhile(lambda used: not used, used)))

    def beside(self, n: int) -> list[int]:
        """The steps during which step n could run as well, the nearest first."""
        found: list[int] = []
        for direction in (-1, 1):
            m = n + direction
            while (
                0 <= m < len(self.ways) and abs(m - n) <= LOOKAHEAD and self.are_independent(m, n)
            ):
                found.append(m)
                m += direction
        return sorted(found, key=lambda m: abs(m - n))


def hide_jobs(steps: Sequence[Step], schedule: Schedule, target: Target) -> list[Step]:
    """The steps, without cycles of jobs that steps of the cores hide; no cycle of these counts
    twice. A core dispatches each job."""
    free = [
        0 if any(runs_beside(nest) for nest in ways) else min(c.busy for c in step.candidates)
        for step, ways in zip(steps, schedule.ways, strict=True)
    ]
    found: list[Step] = []
    for n, step in enumerate(steps):
        alone = [not any(map(occupies_cores, nest.computing_ops())) for nest in schedule.ways[n]]
        # a job, without a loop over tiles
        jobs = [c for c in step.candidates if alone[c.way] and not c.order]
        beside = {c: c.busy - dispatch_cycles(schedule.ways[n][c.way], target) for c in jobs}
        longest, hidden = max(beside.values(), default=0), 0
        for m in schedule.beside(n) if jobs else ():
            taken = min(free[m], longest - hidden)
            free[m] -= taken
            hidden += taken
        shorter = {c: replace(c, cycles=c.cycles - min(beside[c], hidden)) for c in jobs}
        candidates = tuple(shorter.get(c, c) for c in step.candidates)
        found.append(replace(step, candidates=candidates))
    return found


def dispatch_cycles(nest: NestOp, target: Target) -> int:
    """Cycles in which a core gives an accelerator the jobs of a nest."""
    jobs = (op for op in nest.computing_ops() if not occupies_cores(op))
    return sum(estimate.dispatch_cycles(op, target) for op in jobs)


def runs_beside(nest: NestOp) -> bool:
    """Whether an engine beside the cores has a part in a nest."""
    return not all(map(occupies_cores, nest.computing_ops()))
