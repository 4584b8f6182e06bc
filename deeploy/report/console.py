"""Consoles for tables: stdout for what was asked for, stderr for everything else."""

from __future__ import annotations

import os
import sys

from rich.console import Console

PLAIN_WIDTH = 120
"""Columns where the output is no terminal and COLUMNS is not set."""


def make_console(*, stderr: bool = False) -> Console:
    """A console that neither wraps at unknown widths nor colours what is not a terminal."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or os.environ.get("COLUMNS") else PLAIN_WIDTH
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False)


def number(value: int | float) -> str:
    """A number with separated thousands."""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"
