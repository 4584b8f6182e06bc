"""End to end: `deeploy run` on small networks, and what it says about them."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from cli_networks import NETWORKS, conv, residual, two_inputs

pytestmark = pytest.mark.skipif(not shutil.which("gcc"), reason="needs gcc")

TIGHT = {
    "conv": 2000,
    "strided_conv": 1500,
    "depthwise": 1500,
    "residual": 3000,
    "two_inputs": 1000,
    "matmul": 1500,
    "movement": 500,
    "copies": 96,
}
"""Bytes of L1 in which each network fits only in many tiles."""


def sums(entries: list[dict]) -> list[tuple[str, str, int]]:
    return sorted((e["from"], e["to"], e["bytes"]) for e in entries)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("tight", [False, True], ids=["roomy", "tight"])
def test_outputs_match(deeploy, save, name: str, tight: bool) -> None:
    size = ["--l1", TIGHT[name], "--dma", "deferred"] if tight else []
    done = deeploy("run", save(NETWORKS[name]()), "--target", "siracusa", "--json", *size)
    assert done.status == 0, done.err
    result = json.loads(done.out)
    assert result["match"] and result["mismatches"] == 0 and result["guards"]
    # What the program counted is what the IR says.
    assert sums(result["dma"]) == sums(result["moved"])
    per_nest = sum(e["bytes"] for nest in result["nests"] for e in nest["dma"])
    assert per_nest == sum(e["bytes"] for e in result["dma"])
    for memory in result["memories"]:
        assert memory["peak"] <= memory["size"]
    for nest in result["nests"]:
        assert nest["bytes"] <= result["memories"][0]["peak"]
        counts = [math.ceil(nest["extents"][i] / nest["tile"][i]) for i in nest["extents"]]
        assert nest["tiles"] == math.prod(counts)
    if tight:
        assert any(nest["tiles"] > 1 for nest in result["nests"])


@pytest.mark.parametrize(
    "options",
    [
        ["--cores", 1],
        ["--cores", 5, "--buffers", 1],
        ["--buffers", 2, "--l1", 6000],
        ["--objective", "memory"],
        ["--solver", "cbc"],
        ["--dma", "thread"],
        ["--dma", "immediate", "--l1", 4000],
        ["--check-semantics"],
        ["--seed", 3, "--input-type", "x=ui8"],
        ["--target", "host"],
    ],
    ids=lambda options: " ".join(map(str, options)),
)
def test_options(deeploy, save, options: list[object]) -> None:
    done = deeploy("run", save(residual()), "--target", "siracusa", *options)
    assert done.status == 0, done.err
    assert "all 10 output values match" in done.err
    assert done.out == ""


@pytest.mark.slow
@pytest.mark.parametrize("sanitizers", ["address,undefined", "thread"])
def test_sanitizers(deeploy, save, sanitizers: str) -> None:
    arguments = ["--l1", 4000, "--sanitize", sanitizers]
    done = deeploy("run", save(residual()), "--target", "siracusa", *arguments)
    assert done.status == 0, done.err


def test_given_data(deeploy, save) -> None:
    p = np.arange(-540, 540).reshape(3, 40, 9) % 100
    q = np.full((3, 40, 9), -7)
    # The keys are free, and integers may come as floats.
    np.savez("in.npz", first=p.astype(np.float32), second=q.astype(np.float64))
    np.savez("out.npz", difference=p - q, sum=p + q)
    path = save(two_inputs())
    arguments = ["run", path, "--target", "host", "--inputs", "in.npz", "--expect", "out.npz"]
    assert deeploy(*arguments).status == 0
    changed = p + q
    changed[1, 2, 3] = 0
    changed[2, 2, 3] = 1
    np.savez("out.npz", changed, p - q)
    done = deeploy(*arguments, "--json")
    assert done.status == 1
    assert done.err.count("\n") == 1
    assert done.err.startswith(
        "error: output 'sum': 2 of 1080 values differ, the first at index 381: "
    )
    result = json.loads(done.out)
    assert not result["match"] and result["mismatches"] == 2
    first = {"index": 381, "got": int(p[1, 2, 3]) - 7, "expected": 0}
    assert result["outputs"][0]["first"] == first
    assert result["outputs"][1]["first"] is None


def test_constants_behind_inputs(deeploy, save) -> None:
    model = conv()
    tensors = {t.name: t for t in model.graph.initializer}
    x = np.zeros((1, 5, 19, 17))
    weight = np.frombuffer(tensors["w"].raw_data, np.float32).reshape(14, 5, 3, 3)
    np.savez("in.npz", x, weight)
    arguments = ["run", save(model), "--target", "host", "--inputs", "in.npz"]
    assert deeploy(*arguments).status == 0
    np.savez("in.npz", x, weight + 1)
    done = deeploy(*arguments)
    assert (done.status, done.err) == (
        1,
        "error: in.npz: wrong number of inputs: 2 arrays for 1; inputs: x\n",
    )


def test_project_stays(deeploy, save, tmp_path: Path) -> None:
    done = deeploy("run", save(conv()), "--target", "host", "-o", "out", "--dump-ir", "ir")
    assert done.status == 0, done.err
    assert (tmp_path / "out" / "build" / "host" / "network").exists()
    assert (tmp_path / "ir" / "00_input.mlir").exists()


def test_build_failure(deeploy, save, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CFLAGS", "-std=c99 -Dmain=3")
    done = deeploy("run", save(conv()), "--target", "host")
    assert done.status == 1
    *_, last = done.err.splitlines()
    assert last.startswith("error: the generated C does not build: ")
    assert "error:" in last.removeprefix("error:")


def test_missing_compiler(deeploy, save, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    done = deeploy("run", save(conv()), "--target", "host")
    assert done.status == 1
    assert done.err.startswith("error: the program 'no-such-compiler' is not installed")


def test_report(deeploy, save) -> None:
    done = deeploy("run", save(residual()), "--target", "siracusa", "--report", "--timing")
    assert done.status == 0, done.err
    for text in ("Gemm_h", "L1 bytes", "DMA bytes", "bytes used", "(build)", "address downwards"):
        assert text in done.err
    assert done.out == ""
