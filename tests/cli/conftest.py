"""Running `deeploy` in this process."""

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
    """Runs `deeploy` with the given arguments in a folder of its own."""
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
def save(tmp_path: Path) -> Callable[[onnx.ModelProto], Path]:
    """Writes a model to a file."""

    def write(model: onnx.ModelProto) -> Path:
        path = tmp_path / "network.onnx"
        path.write_bytes(model.SerializeToString(deterministic=True))
        return path

    return write
