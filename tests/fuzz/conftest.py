"""Where programs of random networks are built."""

from __future__ import annotations

import shutil

import pytest
from fuzz_programs import Bench


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """A folder, and objects that all processes of this run of pytest share."""
    if shutil.which("gcc") is None:
        pytest.skip("needs gcc")
    folder = tmp_path_factory.mktemp("fuzz")
    # pytest-xdist gives each process a folder below the one of the run
    base = tmp_path_factory.getbasetemp()
    cache = (base.parent if base.name.startswith("popen-") else base) / "fuzz-objects"
    cache.mkdir(exist_ok=True)
    return Bench(folder, cache)
