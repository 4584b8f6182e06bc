"""Models in files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import onnx
import pytest


@pytest.fixture
def save(tmp_path: Path) -> Callable[[onnx.ModelProto], Path]:
    """Writes a model to a file."""

    def write(model: onnx.ModelProto) -> Path:
        path = tmp_path / "network.onnx"
        path.write_bytes(model.SerializeToString(deterministic=True))
        return path

    return write
