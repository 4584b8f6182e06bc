"""Fixtures that several test files use."""

import json
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from xdsl.context import Context

from deeploy import cli
from deeploy.context import make_context
from deeploy.diagnostics import run_main


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


@pytest.fixture
def deeploy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Done]:
    """Runs `deeploy` with the given arguments, in this process and in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    # Most of the time of an end-to-end test is the C compiler's.
    monkeypatch.setenv("CFLAGS", "-O1 -std=c99 -Wall -Wextra -Werror")

    def run(*arguments: object) -> Done:
        capsys.readouterr()
        try:
            status = run_main(cli.execute, [str(argument) for argument in arguments])
        except SystemExit as error:
            status = int(error.code or 0)
        output = capsys.readouterr()
        return Done(status, output.out, output.err)

    return run


@pytest.fixture
def ctx() -> Context:
    """A context of its own, with all dialects and no resources."""
    return make_context()


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--fuzz`: how much to search."""
    parser.addoption(
        "--fuzz",
        metavar="N",
        type=int,
        help="try N new random networks of each kind in tests/fuzz, and shrink what fails",
    )


@pytest.fixture
def site_with(tmp_path: Path) -> Callable[[Path], Path]:
    """Makes a folder for `sys.path` in which a package is installed, given its source folder."""

    def install(source: Path) -> Path:
        project = tomllib.loads((source / "pyproject.toml").read_text())["project"]
        module = project["name"].replace("-", "_")
        # What pip makes of `entry-points`, without the time that it takes.
        site = tmp_path / "site"
        info = site / f"{module}-{project['version']}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Name: {project['name']}\nVersion: {project['version']}\n")
        groups = [
            f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in entries.items())
            for group, entries in project["entry-points"].items()
        ]
        (info / "entry_points.txt").write_text("\n".join(groups))
        (site / module).symlink_to(source / module)
        return site

    return install
