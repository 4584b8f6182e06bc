"""Running `deeploy` in this process, on networks whose caches grow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import onnx
import pytest

from deeploy import cli
from deeploy.diagnostics import run_main


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    status: int
    out: str
    err: str


Deeploy = Callable[..., Done]


@pytest.fixture
def deeploy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Deeploy:
    """Runs a command of `deeploy` on a model for Siracusa."""
    monkeypatch.setenv("CFLAGS", "-O1 -std=c99 -Wall -Wextra -Werror")

    def run(command: str, model: onnx.ModelProto, *arguments: object) -> Done:
        path = tmp_path / "network.onnx"
        path.write_bytes(model.SerializeToString(deterministic=True))
        capsys.readouterr()
        words = [command, path, "--target", "siracusa", *arguments]
        try:
            status = run_main(cli.execute, [str(word) for word in words])
        except SystemExit as error:
            status = int(error.code or 0)
        output = capsys.readouterr()
        return Done(status, output.out, output.err)

    return run
