"""Installing the example package for one test."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from places import EXAMPLE

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def example(tmp_path: Path, site_with: Callable[[Path], Path]) -> Command:
    """Runs programs of this environment in an empty folder, with the example package installed."""
    site = site_with(EXAMPLE)
    known = os.environ.get("PYTHONPATH", "")
    binaries = Path(sys.executable).parent
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(site), *filter(None, [known])]),
        "PATH": os.pathsep.join([str(binaries), os.environ["PATH"]]),
        "CFLAGS": "-O1 -std=c99",
        "COLUMNS": "200",
    }
    folder = tmp_path / "work"
    folder.mkdir()

    def run(*command: object, status: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [str(word) for word in command],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stderr
        return done

    return run
