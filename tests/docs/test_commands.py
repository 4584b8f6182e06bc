"""docs/commands.md: its examples run, its messages are real, and it names every option."""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import redirect_stdout
from glob import glob
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from places import DOCS

from deeploy import cli, opt
from deeploy.context import make_context
from deeploy.diagnostics import run_main
from deeploy.frontend import import_model
from deeploy.interpreters import run_module

PAGE = (DOCS / "commands.md").read_text()
PROGRAMS = {"deeploy": cli.execute, "deeploy-opt": lambda argv: opt.DeeployOptMain(argv).run()}


def blocks() -> Iterator[list[str]]:
    """The commands of each block of the page."""
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL):
        yield block.splitlines()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the small network and its data."""
    import sys

    sys.path.insert(0, str(DOCS))
    from small_network import build_model

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CFLAGS", "-O1 -std=c99")
    Path("small.onnx").write_bytes(build_model().SerializeToString(deterministic=True))
    x = np.random.default_rng(0).integers(-128, 128, (1, 1, 16, 16))
    ctx = make_context()
    (y,) = run_module(ctx, import_model(Path("small.onnx"), ctx, {"x": "si8"}), [x])
    np.savez("x.npz", x=x)
    np.savez("y.npz", y=y)
    return tmp_path


def run(command: str) -> tuple[int, str]:
    """Run a line of the page; programs of Deeploy in this process, without the time to start."""
    words = shlex.split(command)
    expected = words[0] == "not"
    words = [name for word in words[expected:] for name in sorted(glob(word)) or [word]]
    if words[0] not in PROGRAMS:
        subprocess.run(["bash", "-c", command], check=True)
        return 0, ""
    out = StringIO()
    try:
        with redirect_stdout(out):
            status = run_main(PROGRAMS[words[0]], words[1:])
    except SystemExit as error:
        status = int(error.code or 0)
    return int(bool(status) != expected), out.getvalue()


def test_examples_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for lines in blocks():
        for line in lines:
            status, _ = run(line)
            assert status == 0, f"{line}\n{capsys.readouterr().err}"
    assert Path("network.c").read_text() == Path("out/network.c").read_text()
    errors = capsys.readouterr().err
    quoted = re.findall(r"^    (error: .*reproducer.*|all 10 .*?), …", PAGE, re.MULTILINE)
    assert quoted and all(text in errors for text in quoted)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("array<i64: 1, 4, 1, 8, 4, 4>", "array<i64: 1, 4, 3, 8, 4, 4>"),
        ("offsets = array<i64: 1344>", "offsets = array<i64: 512>"),
    ],
)
def test_wrong_plans(folder: Path, capsys: pytest.CaptureFixture[str], old: str, new: str) -> None:
    (dump,) = (line for lines in blocks() for line in lines if "--dump-ir ir " in line)
    assert run(dump)[0] == 0
    (plan,) = Path("ir").glob("*_plan.mlir")
    text = plan.read_text()
    assert text.count(old) == 1
    Path("mine.mlir").write_text(text.replace(old, new))
    capsys.readouterr()
    assert run("deeploy-opt mine.mlir -p check-plan")[0] == 1
    assert f"    {capsys.readouterr().err}" in PAGE


def options(parser: argparse.ArgumentParser) -> Iterator[str]:
    """The long options of a parser and of its commands."""
    for action in parser._actions:
        yield from (name for name in action.option_strings if name.startswith("--"))
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from options(command)


def test_every_option_is_on_the_page() -> None:
    parser = argparse.ArgumentParser()
    opt.DeeployOptMain([]).register_all_arguments(parser)
    known = {*options(cli.make_parser()), *options(parser)} - {"--help"}
    missing = {name for name in known if not re.search(rf"{name}\b", PAGE)}
    assert not missing
