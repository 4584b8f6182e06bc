"""Networks that others made, and running `deeploy` on them in this process.

By default a pairwise choice of configurations runs; `DEEPLOY_ALL=1` (or `-m slow`) runs all.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deeploy import cli
from deeploy.diagnostics import run_main

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one JSON object on stdout."""
        assert self.out, self.err
        return json.loads(self.out)


Deeploy = Callable[..., Done]


def everything(config: pytest.Config) -> bool:
    """Whether the slow tests are asked for."""
    return bool(os.environ.get("DEEPLOY_ALL")) or "slow" in str(config.getoption("markexpr"))


def pytest_collection_modifyitems(config: pytest.Config, items: Sequence[pytest.Item]) -> None:
    """Skip what takes long unless it is asked for."""
    if everything(config):
        return
    skip = pytest.mark.skip(reason="slow; DEEPLOY_ALL=1 or -m slow runs it")
    here = Path(__file__).parent
    for item in items:
        if item.get_closest_marker("slow") and here in item.path.parents:
            item.add_marker(skip)


@pytest.fixture
def deeploy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Deeploy:
    """Runs `deeploy` with the given arguments in a folder of its own."""
    if shutil.which("gcc") is None:
        pytest.skip("needs gcc")
    monkeypatch.chdir(tmp_path)
    # Most of the time of an end-to-end test is the C compiler's.
    monkeypatch.setenv("CFLAGS", "-O1 -std=c99 -Wall -Wextra -Werror")

    def run(*arguments: object) -> Done:
        capsys.readouterr()
        status = run_main(cli.execute, [str(argument) for argument in arguments])
        output = capsys.readouterr()
        return Done(status, output.out, output.err)

    return run
