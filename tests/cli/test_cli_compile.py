"""`deeploy compile`: files, determinism, and the listings of what there is."""

from __future__ import annotations

import json
import shutil
import subprocess
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from cli_networks import conv, residual

FILES = {
    "Makefile",
    "main.c",
    "network.c",
    "network.h",
    "network_kernels.c",
    "plan.json",
    "test_vectors.h",
    "weights.c",
}


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def end(buffer: dict) -> int:
    return buffer["offset"] + buffer["bytes"]


def test_same_input_gives_same_bytes(deeploy, save, tmp_path: Path) -> None:
    path = save(residual())
    np.savez("in.npz", np.ones((1, 8, 16, 16)))
    for folder in ("one", "two"):
        arguments = ["--l1", 4000, "--inputs", "in.npz", "-o", folder]
        done = deeploy("compile", path, "--target", "siracusa", *arguments)
        assert done.status == 0, done.err
    first = content(tmp_path / "one")
    assert set(first) == FILES
    assert first == content(tmp_path / "two")
    for data in first.values():
        assert str(tmp_path).encode() not in data


def test_plan(deeploy, save, tmp_path: Path) -> None:
    arguments = ["--target", "siracusa", "--memory", "L1=4000", "--json", "-o", "out"]
    done = deeploy("compile", save(residual()), *arguments)
    assert done.status == 0, done.err
    plan = json.loads((tmp_path / "out" / "plan.json").read_text())
    printed = json.loads(done.out)
    assert printed.pop("seconds")["compile"] > 0
    assert printed == {k: v for k, v in plan.items() if k != "buffers"}
    assert plan["memories"][0]["size"] == 4000
    assert plan["solver"] == {"status": "optimal", "gap": 0.0}
    for buffer in plan["buffers"]:
        size = next(m["size"] for m in plan["memories"] if m["name"] == buffer["memory"])
        assert 0 <= buffer["offset"] <= end(buffer) <= size
        assert 0 <= buffer["first"] <= buffer["last"] < len(plan["nests"])
    for a, b in combinations(plan["buffers"], 2):
        same_time = a["first"] <= b["last"] and b["first"] <= a["last"]
        after, before = a["offset"] >= end(b), b["offset"] >= end(a)
        assert a["memory"] != b["memory"] or not same_time or after or before, (a, b)


@pytest.mark.skipif(not shutil.which("gcc"), reason="needs gcc")
def test_make_run_and_dump(deeploy, save, tmp_path: Path) -> None:
    x = np.random.default_rng(0).integers(-128, 127, (1, 5, 19, 17))
    np.savez("in.npz", x)
    arguments = ["--target", "siracusa", "--inputs", "in.npz", "-o", "a project"]
    assert deeploy("compile", save(conv()), *arguments).status == 0
    folder = tmp_path / "a project"
    done = subprocess.run(
        ["make", "-s", "run"], cwd=folder, capture_output=True, text=True, check=True
    )
    report = json.loads(done.stdout)
    output = {"name": "y", "elements": 14 * 19 * 17, "mismatches": 0, "first": None}
    assert report["outputs"] == [output]
    assert report["compared"] and report["guards"]
    assert [link["to"] for link in report["dma"]] == ["L2", "L1"]
    program = [str(folder / "build" / "host" / "network")]
    subprocess.run([*program, "--dump", "y.bin"], capture_output=True, check=True)
    assert len(Path("y.bin").read_bytes()) == 14 * 19 * 17
    wrong = subprocess.run([*program, "--dmp"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2 and wrong.stderr.startswith("usage:")


@pytest.mark.skipif(not shutil.which("gcc"), reason="needs gcc")
def test_without_data_nothing_is_compared(deeploy, save, tmp_path: Path) -> None:
    assert deeploy("compile", save(conv()), "--target", "host", "-o", "out").status == 0
    done = subprocess.run(
        ["make", "-s", "run"], cwd=tmp_path / "out", capture_output=True, text=True, check=True
    )
    assert not json.loads(done.stdout)["compared"]
    assert "not compared" in done.stderr


def test_pipeline_can_be_given_back(deeploy, save, tmp_path: Path) -> None:
    options = ["--target", "siracusa", "--l1", 3000, "--cores", 2, "--buffers", 1]
    spec = deeploy("compile", *options, "--print-pipeline").out.strip()
    assert "plan" in spec
    path = save(conv())
    assert deeploy("compile", path, *options, "-o", "one").status == 0
    own = ["--target", "siracusa", "-p", spec, "-o", "two"]
    assert deeploy("compile", path, *own).status == 0
    assert content(tmp_path / "one") == content(tmp_path / "two")


def test_targets(deeploy) -> None:
    done = deeploy("targets")
    assert done.status == 0
    for text in ("siracusa", "host", "L1: ", "cluster"):
        assert text in done.out
    targets = {target["name"]: target for target in json.loads(deeploy("targets", "--json").out)}
    assert targets["siracusa"]["cores"] == 8
    assert [m["name"] for m in targets["siracusa"]["memories"]] == ["L1", "L2", "WMEM"]
    assert targets["siracusa"]["engines"] == ["cluster", "neureka"]


def test_ops(deeploy) -> None:
    done = deeploy("ops")
    assert done.status == 0
    for text in ("RequantShift", "graph.conv", "cluster", "si8"):
        assert text in done.out
    content = json.loads(deeploy("ops", "--json").out)
    assert "Conv" in [operator["onnx_name"] for operator in content["operators"]]
    assert "cluster" in [engine["name"] for engine in content["engines"]]


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["--version"]])
def test_help(deeploy, arguments: list[str]) -> None:
    done = deeploy(*arguments)
    assert done.status == 0
    assert "deeploy" in done.out and done.err == ""
