"""C that is called at one position after the other."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import onnx
import pytest
from stateful_networks import NETWORKS, Graph, inputs_at

# kind, options
RUNS = [
    ("grouped", ["--l1", 1_400, "--cores", 1, "--check-semantics"]),
    ("masked", ["--cores", 8, "--sanitize", "thread"]),
    ("tokens_first", ["--l1", 1_400, "--cores", 8, "--sanitize", "address,undefined"]),
    ("integers", ["--l1", 1_400, "--cores", 8, "--dma", "deferred"]),
]


@pytest.mark.parametrize(("kind", "options"), RUNS, ids=[kind for kind, _ in RUNS])
def test_runs(deeploy, kind: str, options: list[object]) -> None:
    """The first positions from empty caches, and one in the middle and the last from full ones."""
    graph = NETWORKS[kind]()
    types = [f"--input-type={name}=si8" for name in graph.inputs] if kind == "integers" else []
    where = ["--stateful", 20, "--positions", "0,1,2,11,12,19"]
    done = deeploy("run", graph.model(), *where, *options, *types, "--json")
    assert done.status == 0, done.err
    outputs = json.loads(done.out)["outputs"]
    assert {output["position"] for output in outputs} == {0, 1, 2, 11, 12, 19}
    assert all(output["mismatches"] == 0 and output["elements"] for output in outputs)


def test_two_rows_at_a_time(deeploy) -> None:
    """By default the first positions that follow each other, and the last one."""
    done = deeploy("run", NETWORKS["two_rows"]().model(), "--stateful", 9, "--json")
    assert done.status == 0, done.err
    outputs = json.loads(done.out)["outputs"]
    assert sorted({output["position"] for output in outputs}) == [0, 2, 4, 6, 8]
    rows = {o["position"]: o["elements"] for o in outputs if o["name"] == "present_k"}
    assert rows == {position: 2 * 4 * (position + 2) for position in (0, 2, 4, 6, 8)}


def test_data(deeploy, tmp_path: Path) -> None:
    """With given inputs there is one run, at the position that their caches have."""
    graph = NETWORKS["multi_head"]()
    np.savez(tmp_path / "x.npz", **inputs_at(graph, 5, seed=0))
    where = ["--stateful", 9, "--inputs", tmp_path / "x.npz", "--json"]
    done = deeploy("run", graph.model(), *where)
    assert done.status == 0, done.err
    assert {output["position"] for output in json.loads(done.out)["outputs"]} == {5}
    where[1] = 5
    done = deeploy("run", graph.model(), *where)
    assert done.status == 1
    assert "x.npz: the caches hold 5 rows; with --stateful 5 they may hold 0 to 4" in done.err


MAIN = """
#include "network.h"
#include <stdio.h>
#include <string.h>

// Prints the first output at some positions, going back in between.
int main(void) {
  const uint32_t positions[] = {0, 1, 2, 1, 2};
  dpl_arenas_prepare(network_arenas, NETWORK_ARENA_COUNT);
  network_load();
  for (uint32_t i = 0; i < 5; i++) {
    float *x = network_inputs[0].data;
    for (uint32_t j = 0; j < network_inputs[0].elements; j++)
      x[j] = (float)(positions[i] + j % 3);
    if (network_run(positions[i]) != 0)
      return 2;
    printf("%a\\n", *(float *)network_outputs[0].data);
  }
  printf("%d %d\\n", network_run(NETWORK_POSITIONS), network_run(NETWORK_POSITIONS - 1));
  return dpl_arenas_check(network_arenas, NETWORK_ARENA_COUNT);
}
"""


def test_interface(deeploy, tmp_path: Path) -> None:
    """Going back forgets what is behind, and there is an end."""
    out = tmp_path / "out"
    done = deeploy("compile", NETWORKS["grouped"]().model(), "--stateful", 5, "-o", out)
    assert done.status == 0, done.err
    assert "#define NETWORK_POSITIONS 5\n" in (out / "network.h").read_text()
    (out / "main.c").write_text(MAIN)
    subprocess.run(["make", "-s", "-C", str(out)], check=True, capture_output=True)
    (program,) = out.glob("build/*/network")
    run = subprocess.run([str(program)], check=True, capture_output=True, text=True)
    *values, last = run.stdout.split("\n")[:-1]
    assert len(set(values)) == 3
    assert values[3:] == values[1:3]
    assert last == "1 0"


def scaled_with_length(g: Graph, keys: str) -> None:
    extents = g.node("Shape", "extents", keys)
    length = g.node("Cast", "length", extents, to=onnx.TensorProto.FLOAT)
    g.outputs.append(g.node("Mul", "scaled", "x", g.node("ReduceMax", "most", length, keepdims=0)))


def mask_over_rows(g: Graph, keys: str) -> None:
    mask = g.constant("mask", np.zeros((1, 1, 9, 1), np.float32))
    g.outputs.append(g.node("Add", "masked", keys, mask))


def flattened(g: Graph, keys: str) -> None:
    g.outputs.append(g.node("Relu", "positive", g.reshape("flat", keys, 1, -1)))


def cut(g: Graph, keys: str) -> None:
    ends = [g.constant(n, np.array([i], np.int64)) for n, i in (("a", 0), ("b", 2), ("c", 2))]
    g.outputs.append(g.node("Slice", "first", keys, *ends))


def other_length(g: Graph, keys: str) -> None:
    g.outputs.append(g.node("Relu", "positive", g.input("z", 1, "time")))


REFUSALS = [
    (scaled_with_length, "it depends on the length of the caches"),
    (mask_over_rows, "Add 'masked': 'graph.add' cannot broadcast shapes"),
    (flattened, "graph.reshape 'flat': 'graph.reshape' cannot change dimension 2"),
    (cut, "graph.slice 'first': 'graph.slice' cannot work along dimension 2"),
    (other_length, "several dimensions are dynamic: 'past', 'time'"),
]


@pytest.mark.parametrize(("add", "message"), REFUSALS, ids=[add.__name__ for add, _ in REFUSALS])
def test_refusals(deeploy, add, message: str) -> None:
    """What depends on the position is refused, by name."""
    g = Graph()
    x = g.input("x", 1, 2, 1, 4)
    add(g, g.grow("k", x, 2, 1, 2, "past", 4))
    done = deeploy("run", g.model(), "--stateful", 9)
    assert done.status == 1
    assert message in done.err and done.err.startswith("error: ")
    assert "Traceback" not in done.err


def static() -> onnx.ModelProto:
    g = Graph()
    g.node("Relu", "y", g.input("x", 1, 4))
    return g.model()


def no_cache() -> onnx.ModelProto:
    g = Graph()
    g.node("Relu", "y", g.input("x", 1, "past"))
    return g.model()


USAGE = [
    (static, ["--stateful", 8], 1, "no dimension of the inputs is dynamic"),
    (no_cache, ["--stateful", 8], 1, "no input is a cache, of all that have the length 'past'"),
    (no_cache, [], 1, "if it is the length of a cache, --stateful says how long it becomes"),
    (no_cache, ["--stateful", 1], 2, "a cache that grows needs 2 positions or more"),
    (no_cache, ["--stateful"], 2, "--stateful: expected one argument"),
    (static, ["--positions", "1"], 2, "--positions needs --stateful"),
    (static, ["--stateful", 8, "--positions", "1,-2"], 2, "'1,-2' is not of the form P,P,..."),
    (NETWORKS["grouped"], ["--stateful", 8, "--positions", "8"], 2, "there is no position 8"),
]


@pytest.mark.parametrize(("make", "options", "status", "message"), USAGE)
def test_usage(deeploy, make, options: list[object], status: int, message: str) -> None:
    model = make()
    done = deeploy("run", model.model() if isinstance(model, Graph) else model, *options)
    assert done.status == status
    assert message in done.err and "Traceback" not in done.err
