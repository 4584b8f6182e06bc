"""Fixtures that several test files use."""

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from xdsl.context import Context

from deeploy.context import make_context


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
