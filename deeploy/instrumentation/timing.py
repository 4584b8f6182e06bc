"""Where the wall time of a compilation goes."""

from __future__ import annotations

import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO

from deeploy.instrumentation.pipeline import Cost, Instrument, Step


@dataclass
class Timing(Instrument):
    """Measures every pass, the verification, and whatever runs inside `measure`."""

    _rows: list[tuple[str, float]] = field(default_factory=list[tuple[str, float]], init=False)
    _verify: float = field(default=0.0, init=False)
    _start: float = field(default_factory=time.perf_counter, init=False)

    @contextmanager
    def measure(self, name: str) -> Generator[None]:
        """Add the body's wall time as a row called `name`."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self._rows.append((name, time.perf_counter() - start))

    def after_pass(self, step: Step, cost: Cost) -> None:
        self._rows.append((step.current.name, cost.apply))
        self._verify += cost.verify

    def report(self, stream: IO[str] | None = None) -> None:
        """Print the table to `stream` (stderr by default): seconds, share of the total, name."""
        out = sys.stderr if stream is None else stream
        total = time.perf_counter() - self._start
        rows = [*self._rows, ("(verification)", self._verify)]
        other = total - sum(seconds for _, seconds in rows)
        out.write("// -----// Execution time //----- //\n")
        for name, seconds in [*rows, ("(start, instruments)", other), ("total", total)]:
            out.write(f"{seconds:9.4f} s {seconds / total:6.1%}  {name}\n")
