"""Networks that others made, and running `deeploy` on them in this process.

By default a pairwise choice of configurations runs; `DEEPLOY_ALL=1` (or `-m slow`) runs all.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))


Deeploy = Callable[..., Any]
Arrays = Mapping[str, np.ndarray]


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


@pytest.fixture
def matching(deeploy: Deeploy) -> Callable[..., Any]:
    """Runs a model for Siracusa with `--check-semantics`, and compares what comes out with given
    outputs, or those of onnxruntime; returns the report."""

    def run(
        model: onnx.ModelProto, inputs: Arrays, *options: object, outputs: Arrays | None = None
    ) -> Any:
        onnx.save_model(model, "network.onnx")
        np.savez("in.npz", **inputs)
        np.savez("out.npz", **(outputs or by_onnxruntime(model, inputs)))
        done = deeploy(
            *("run", "network.onnx", "--target", "siracusa", *options),
            *("--inputs", "in.npz", "--expect", "out.npz", "--check-semantics", "--json"),
        )
        assert done.status == 0, done.err
        assert done.json["match"]
        return done.json

    return run


def by_onnxruntime(model: onnx.ModelProto, inputs: Arrays) -> Arrays:
    """What another implementation computes, by name."""
    session = onnxruntime.InferenceSession(model.SerializeToString())
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, dict(inputs)), strict=True))
