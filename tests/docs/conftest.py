"""Installing the example package for one test."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from places import EXAMPLE

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def example(tmp_path: Path) -> Command:
    """Runs programs of this environment in an empty folder, with the example package installed."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    # What pip makes of `entry-points`, without the time that it takes.
    site = tmp_path / "site"
    info = site / "deeploy_example-0.1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Name: {project['name']}\nVersion: {project['version']}\n")
    groups = [
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in entries.items())
        for group, entries in project["entry-points"].items()
    ]
    (info / "entry_points.txt").write_text("\n".join(groups))
    (site / "deeploy_example").symlink_to(EXAMPLE / "deeploy_example")
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
