"""Networks that others made, and running `deeploy` on them in this process.

By default a pairwise choice of configurations runs; `DEEPLOY_ALL=1` (or `-m slow`) runs all.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))


Deeploy = Callable[..., Any]


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
def deeploy(deeploy: Deeploy) -> Deeploy:
    """Runs `deeploy`, which needs a C compiler for whole networks."""
    if shutil.which("gcc") is None:
        pytest.skip("needs gcc")
    return deeploy
