"""Finds the parts that a package contributes: engines, targets and the C runtime.

Engines and targets are Python entry points (groups `deeploy.engines` and `deeploy.targets`), so
another package adds one by being installed.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path
from typing import TypeVar

from deeploy.diagnostics import DeeployError, did_you_mean

T = TypeVar("T")

ENGINES = "deeploy.engines"
TARGETS = "deeploy.targets"


def names(group: str) -> list[str]:
    """Names of everything installed in `group` (`ENGINES` or `TARGETS`), sorted."""
    return sorted(entry_points(group=group).names)


def load(group: str, name: str, type: type[T]) -> T:
    """Import and return the object that is installed as `name` in `group`.

    Raises:
        DeeployError: nothing has that name, or it is of another type.
    """
    kind = group.rpartition(".")[2].removesuffix("s")
    for entry in entry_points(group=group):
        if entry.name != name:
            continue
        found = entry.load()
        if not isinstance(found, type):
            raise DeeployError(
                f"{kind} '{name}' is no {type.__name__}", f"correct the entry point {entry.value}"
            )
        return found
    raise DeeployError(f"unknown {kind} '{name}'", did_you_mean(name, names(group)))


def runtime_dir() -> Path:
    """The folder of the C runtime, with `include/`, `kernels/` and `platforms/`.

    It is `deeploy/_runtime` in an installed package, and `runtime` in a checkout.

    Raises:
        DeeployError: neither is there; the installation is incomplete.
    """
    package = Path(__file__).parent
    for folder in (package / "_runtime", package.parent / "runtime"):
        if (folder / "include").is_dir():
            return folder
    raise DeeployError("the C runtime is missing", "reinstall deeploy")
