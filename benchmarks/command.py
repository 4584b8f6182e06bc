"""Calls `deeploy` in this process."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from typing import Any

from deeploy import cli


def deeploy(*arguments: object) -> str:
    """Run `deeploy` quietly; returns what it prints to stdout."""
    out = StringIO()
    with redirect_stdout(out), redirect_stderr(StringIO()):
        cli.execute([str(argument) for argument in arguments])
    return out.getvalue()


def deeploy_json(*arguments: object) -> dict[str, Any]:
    """The same with `--json`; returns the object."""
    return json.loads(deeploy(*arguments, "--json"))


def deeploy_times(*arguments: object) -> dict[str, float]:
    """The same with `--timing`; returns seconds by pass, added up where one runs twice."""
    err = StringIO()
    with redirect_stdout(StringIO()), redirect_stderr(err):
        cli.execute([*map(str, arguments), "--timing"])
    seconds: dict[str, float] = defaultdict(float)
    for time, name in re.findall(r"^ *([\d.]+) s +[\d.]+%  (.+)$", err.getvalue(), re.MULTILINE):
        seconds[name] += float(time)
    return seconds


def moved_bytes(dma: Sequence[dict[str, Any]]) -> int:
    """All bytes that a run moves between memories."""
    return sum(entry["bytes"] for entry in dma)
