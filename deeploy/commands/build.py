"""Builds a generated project with make, and runs the program."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deeploy.diagnostics import DeeployError

JOBS = 2
LAST_LINES = 20
"""How much of a failing program's output the user sees."""

_ERROR = re.compile(r"\berror: |undefined reference|\*\*\* ")


@dataclass(frozen=True)
class Outcome:
    """What the program reported.

    Attributes:
        outputs: name, elements, mismatches and the first one, for each output.
        dma: bytes for each pair of memories.
        guards: nothing was written outside the arenas.
        status: exit status of the program.
    """

    outputs: list[dict[str, Any]]
    dma: list[dict[str, Any]]
    guards: bool
    status: int

    @property
    def mismatches(self) -> int:
        """Output values that differ from what is expected."""
        return sum(output["mismatches"] for output in self.outputs)

    def problem(self) -> str | None:
        """What is wrong, one line, or None."""
        for output in self.outputs:
            if output["mismatches"]:
                first = output["first"]
                position = output.get("position")
                where = "" if position is None else f" at position {position}"
                return (
                    f"output '{output['name']}'{where}: {output['mismatches']} of "
                    f"{output['elements']} values differ, the first at index {first['index']}: "
                    f"{first['got']} instead of {first['expected']}"
                )
        if not self.guards:
            return "the program wrote outside its arenas"
        return f"the program stopped with status {self.status}" if self.status else None


def check_tools() -> None:
    """Check that there are make and a C compiler.

    Raises:
        DeeployError: one is missing.
    """
    compiler = os.environ.get("CC", "").split()[:1] or ["gcc"]
    for program in ("make", compiler[0]):
        if shutil.which(program) is None:
            raise DeeployError(f"the program '{program}' is not installed", "it builds the C files")


def build(folder: Path, sanitize: str | None) -> Path:
    """Build the project in `folder`, with a sanitizer if one is given.

    Returns:
        The program.

    Raises:
        DeeployError: it does not build; the last lines of make go to stderr.
    """
    check_tools()
    # Not those of a make that runs us: its job server is not ours.
    environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS")}
    make = ["make", f"-j{JOBS}", "--no-print-directory", f"SANITIZE={sanitize or ''}"]
    done = subprocess.run(
        make,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        _show_last_lines(done.stdout)
        raise DeeployError(
            f"the generated C does not build: {_first_error(done.stdout)}",
            "the last lines of make are above",
        )
    suffix = f"-{sanitize.replace(',', '-')}" if sanitize else ""
    (program,) = folder.glob(f"build/*{suffix}/network") if suffix else _plain(folder)
    return program.resolve()


def _plain(folder: Path) -> list[Path]:
    """The program without sanitizer."""
    return [p for p in folder.glob("build/*/network") if "-" not in p.parent.name]


def _first_error(output: str) -> str:
    lines = [line.strip() for line in output.splitlines()]
    errors = [line for line in lines if _ERROR.search(line)]
    return next(iter([*errors, *reversed(lines)]), "make failed")


def _show_last_lines(output: str) -> None:
    for line in output.splitlines()[-LAST_LINES:]:
        print(line, file=sys.stderr)


def run_program(program: Path, dma: str | None, timeout: float) -> Outcome:
    """Run a program once.

    Args:
        program: what `build` returned.
        dma: how the DMA engine of the host behaves: `thread`, `deferred` or `immediate`.
        timeout: seconds after which it is taken to hang.

    Raises:
        DeeployError: it crashed or hangs; its last lines go to stderr.
    """
    environment = dict(os.environ) if dma is None else {**os.environ, "DEEPLOY_DMA": dma}
    try:
        done = subprocess.run(
            [str(program)],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise DeeployError(
            f"the program did not end within {timeout:g} seconds", "it may hang; see --timeout"
        ) from None
    report = _parse(done.stdout)
    if report is None or done.returncode not in (0, 1):
        _show_last_lines(done.stderr)
        raise DeeployError(f"the program stopped with {_status(done.returncode)}")
    outcome = Outcome(report["outputs"], report["dma"], report["guards"], done.returncode)
    if outcome.status and not outcome.mismatches:
        _show_last_lines(done.stderr)
    return outcome


def _parse(output: str) -> dict[str, Any] | None:
    lines = output.splitlines()
    try:
        return json.loads(lines[-1]) if lines else None
    except json.JSONDecodeError:
        return None


def _status(code: int) -> str:
    if code >= 0:
        return f"status {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"
