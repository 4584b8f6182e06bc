"""Writes what is needed to see a failure again, from the failing pass on."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from xdsl.dialects.builtin import ModuleOp

from deeploy.diagnostics import summary
from deeploy.instrumentation.pipeline import Instrument, Step
from deeploy.instrumentation.printing import write_dump


@dataclass
class Reproducer(Instrument):
    """When a pass fails, writes the module before that pass, and the command that runs the rest."""

    path: Path
    _before: ModuleOp | None = field(default=None, init=False)

    def before_pass(self, step: Step) -> None:
        # A failing pass may leave a half-rewritten module behind, so copy it first.
        self._before = step.module.clone()

    def on_failure(self, step: Step, error: Exception) -> str | None:
        if self._before is None:
            return None
        rest = step.passes[step.index :]
        title = f"{step.current.name}: {summary(error)}"
        write_dump(self.path, step.ctx, self._before, rest, title=title)
        return f"reproducer written to {self.path}"
