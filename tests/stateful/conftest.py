"""Running `deeploy` on networks whose caches grow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest

Deeploy = Callable[..., Any]


@pytest.fixture
def deeploy(deeploy: Deeploy, tmp_path: Path) -> Deeploy:
    """Runs a command of `deeploy` on a model for Siracusa."""

    def run(command: str, model: onnx.ModelProto, *arguments: object) -> Any:
        path = tmp_path / "network.onnx"
        path.write_bytes(model.SerializeToString(deterministic=True))
        return deeploy(command, path, "--target", "siracusa", *arguments)

    return run
