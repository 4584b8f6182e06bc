"""The builder of integer Llamas, and what the compiler makes of them."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deeploy import cli
from deeploy.diagnostics import run_main
from integer_graph import fitting_factor
from integer_llama import Decoder, Shape, build_llama, main, write_llama

SMALL = Shape(layers=2, width=48, heads=3, ffn=80, cached=9, tokens=1)
"""Sizes that fill neither subtiles nor vectors."""


@pytest.mark.parametrize("new", [1, 3])
def test_tokens_after_a_prefill(new: int) -> None:
    """New positions after caches get what they get in a prefill of everything."""
    whole = build_llama(replace(SMALL, cached=0, tokens=10), seed=3)
    part = build_llama(replace(SMALL, cached=10 - new, tokens=new), seed=3)
    assert whole.outputs == part.outputs
    assert part.factors == whole.factors
    hidden, *caches = part.outputs
    np.testing.assert_array_equal(part.values[hidden], whole.values[hidden][:, -new:])
    for name in caches:
        np.testing.assert_array_equal(part.values[name], whole.values[name])


def test_later_positions_count_for_nothing() -> None:
    """The first positions of a prefill do not depend on those that follow."""
    decoder = build_llama(replace(SMALL, cached=0, tokens=8))
    for layer in range(SMALL.layers):
        weights = decoder.values[f"layers.{layer}.attention.softmax"]
        assert not np.triu(weights, 1).any()
        assert (weights.sum(axis=-1) > 100).all()


def test_values_use_their_range() -> None:
    """Values of 8 bits neither vanish nor pile up at the ends."""
    decoder = build_llama(Shape(layers=4, width=64, heads=4, ffn=128, cached=15))
    for name in decoder.factors:
        assert np.std(decoder.values[name]) > 4, name
        assert np.mean(np.abs(decoder.values[name]) >= 127) < 0.03, name


def test_default_fills_the_weight_memory() -> None:
    assert Shape().linear_weights == 4 << 20


def test_factors() -> None:
    """8 bits, as precise as 32 bits of the product allow."""
    assert fitting_factor(0.75, 1 << 10) == (192, 8)
    assert fitting_factor(0.75, 1 << 25) == (48, 6)
    with pytest.raises(ValueError, match="no factor of 8 bits is near 200"):
        fitting_factor(200, 100)


def run(decoder: Decoder, folder: Path, capsys: pytest.CaptureFixture[str], *options: str) -> dict:
    """Compile for Siracusa, run and compare; returns what `deeploy run` reports."""
    network = write_llama(decoder, folder)
    data = ["--inputs", f"{folder}/inputs.npz", "--expect", f"{folder}/outputs.npz"]
    command = ["run", str(network), *data, "--target", "siracusa", "-o", str(folder / "out")]
    assert run_main(cli.execute, [*command, "--json", *options]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")
@pytest.mark.parametrize(
    ("shape", "options", "memories"),
    [
        # the plan may give small matrices to the cores, with a place in L1
        (SMALL, (), ("WMEM", "L1")),
        (SMALL, ("--policy", "accelerated"), ("WMEM",)),
        (replace(SMALL, cached=0, tokens=7), ("--l1", "4000"), ("WMEM",)),
        (replace(SMALL, cached=5, tokens=3), (), ("WMEM",)),
    ],
    ids=["decode", "accelerated", "prefill", "part"],
)
def test_compiled(
    shape: Shape,
    options: tuple[str, ...],
    memories: tuple[str, ...],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The C computes what numpy does, with all matrices near the engines."""
    monkeypatch.setenv("CFLAGS", "-O1 -std=c99 -Wall -Wextra -Werror")
    report = run(build_llama(shape), tmp_path, capsys, *options)
    assert report["match"]
    used = {memory["name"]: memory["constants"] for memory in report["memories"]}
    assert sum(used[name] for name in memories) >= shape.linear_weights


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--heads", "3"], "the width must be a multiple of twice the heads"),
        (["--tokens", "0"], "sizes must be positive"),
    ],
)
def test_sizes_that_do_not_fit(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "argv", ["integer_llama.py", str(tmp_path), *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


def test_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files are there, and a seed makes a difference."""
    sizes = ["--layers", "1", "--width", "16", "--heads", "2", "--ffn", "16", "--cached", "2"]
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        monkeypatch.setattr(sys, "argv", ["", str(tmp_path / name), *sizes, "--seed", seed])
        main()
    assert "1,792 weights, 3 positions" in capsys.readouterr().out
    a, b, c = (dict(np.load(tmp_path / name / "outputs.npz")) for name in "abc")
    assert all(np.array_equal(a[name], b[name]) for name in a)
    assert not np.array_equal(a["hidden"], c["hidden"])
    first, second = ((tmp_path / name / "network.onnx").read_bytes() for name in "ab")
    assert first == second
