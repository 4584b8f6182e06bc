"""The examples of docs/write-a-pass.md and docs/add-a-target.md do what is written there."""

from __future__ import annotations

import json
import shutil
import sys

import pytest
from places import EXAMPLE, ROOT

from deeploy.pipelines import GRAPH, standard_pipeline


def test_lit_test_of_the_pass(example) -> None:
    """The RUN lines of max_to_clip.mlir, as lit runs them."""
    path = EXAMPLE / "max_to_clip.mlir"
    lines = [line for line in path.read_text().splitlines() if line.startswith("// RUN: ")]
    assert len(lines) == 2
    for line in lines:
        command = line.removeprefix("// RUN: ").replace("%s", str(path))
        done = example("bash", "-c", f"set -o pipefail; {command}")
        assert "semantics:" in done.stderr


def test_pass_is_listed_and_in_a_pipeline(example) -> None:
    listed = example("deeploy-opt", "--list-passes").stdout
    assert "max-to-clip                  Write maxima and minima with one number" in listed
    passes = standard_pipeline("siracusa").replace(GRAPH[0], f"{GRAPH[0]},max-to-clip", 1)
    arguments = ["--target", "siracusa", "-p", passes, "--print-pipeline"]
    assert "max-to-clip" in example("deeploy", "compile", *arguments).stdout


@pytest.mark.skipif(not shutil.which("gcc"), reason="needs gcc")
def test_three_levels_of_memory(example) -> None:
    """What does not fit into L2 lies in L3, to which nothing is written."""
    assert "three-levels" in example("deeploy", "targets").stdout
    example(sys.executable, ROOT / "examples" / "resnet8" / "build.py", "resnet8.onnx")
    chip = ["--target", "three-levels", "--input-type", "input=ui8"]
    for size, far in ((256_000, False), (40_000, True)):
        done = example("deeploy", "run", "resnet8.onnx", *chip, "--l2", size, "--json")
        result = json.loads(done.stdout)
        assert result["match"]
        constants = {memory["name"]: memory["constants"] for memory in result["memories"]}
        assert (constants["L3"] > 0) == far
        assert all(entry["to"] != "L3" for entry in result["moved"])
    done = example(
        *("deeploy", "run", "resnet8.onnx", *chip, "--l2", 10_000, "--memory", "L3=10000"), status=1
    )
    assert "must hold at least" in done.stderr
