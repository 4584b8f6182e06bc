"""The systolic matrix unit of examples/systolic: a plug-in with engine, chip and C model."""

from __future__ import annotations

import ctypes
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from deeploy import cli
from deeploy.diagnostics import run_main

ROOT = Path(__file__).parents[2]
PLUGIN = ROOT / "examples" / "systolic"
CHIP = ("--target", "systolic-soc")

pytestmark = pytest.mark.skipif(not shutil.which("gcc"), reason="needs gcc")

BRIDGE = """
#include "deeploy_systolic/unit.h"
uint32_t run(const void *a, const void *b, void *y, const int32_t *mul, uint32_t m, uint32_t k,
             uint32_t n, uint32_t transposed, uint32_t a_signed, uint32_t b_signed, int32_t shift) {
  const int wide = mul == NULL;
  systolic_job job = {
      .a = a, .b = b, .y = y, .m = m, .k = k, .n = n, .a_row = (int32_t)k + 3,
      .b_row = transposed ? 1 : (int32_t)n + 1, .b_column = transposed ? (int32_t)k + 1 : 1,
      .y_row = (int32_t)n + 2, .a_signed = a_signed, .b_signed = b_signed, .y_bytes = wide ? 4 : 1,
      .rq = {.mul = mul, .mul0 = 1, .shift = shift, .lo = wide ? INT32_MIN : -128,
             .hi = wide ? INT32_MAX : 127}};
  return systolic_run(&job);
}
"""


@pytest.fixture
def plugin(site_with: Callable[[Path], Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The package is installed."""
    monkeypatch.syspath_prepend(str(site_with(PLUGIN)))
    known = set(sys.modules)
    yield
    for name in set(sys.modules) - known:
        if name.startswith("deeploy_systolic"):
            del sys.modules[name]


@pytest.fixture
def deeploy(
    plugin: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., str]:
    """Runs a command that succeeds; returns what it prints."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("CFLAGS", "-O1 -std=c99 -Wall -Wextra -Werror")

    def run(*arguments: object) -> str:
        status = run_main(cli.execute, [str(argument) for argument in arguments])
        output = capsys.readouterr()
        assert status == 0, output.err
        return output.out

    return run


def network() -> onnx.ModelProto:
    """A large product, a sum, a tiny product, and one of two activations in a batch."""
    rng = np.random.default_rng(5)
    weights = {
        "big": rng.integers(-8, 8, (96, 130)),
        "bias": rng.integers(-500, 500, (130,)),
        "factor": np.array([0.0078125]),
        "tiny": rng.integers(-8, 8, (8, 4)),
    }
    nodes = [
        helper.make_node("MatMul", ["x", "big"], ["sums"], "large"),
        helper.make_node("Add", ["sums", "bias"], ["large_sum"], "add"),
        helper.make_node("MatMul", ["v", "tiny"], ["tiny_product"], "small"),
        helper.make_node("MatMul", ["p", "q"], ["both"], "batch"),
    ]
    shapes = {"x": (70, 96), "v": (1, 8), "p": (3, 40, 33), "q": (3, 33, 50)}
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in shapes.items()],
        [
            helper.make_tensor_value_info(n, TensorProto.FLOAT, None)
            for n in ("large_sum", "tiny_product", "both")
        ],
        [
            numpy_helper.from_array(value.astype(np.float32), name)
            for name, value in weights.items()
            if name != "factor"
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


TYPES = [f"--input-type={name}={'ui8' if name == 'x' else 'si8'}" for name in "xvpq"]


def test_each_nest_on_the_better_engine(deeploy: Callable[..., str], tmp_path: Path) -> None:
    onnx.save_model(network(), tmp_path / "network.onnx")
    rows = json.loads(deeploy("explain", "network.onnx", *CHIP, *TYPES, "--json"))
    print(rows)
    assert 0


@pytest.mark.parametrize("buffers", [1, 2])
def test_matches_when_tiled(deeploy: Callable[..., str], tmp_path: Path, buffers: int) -> None:
    onnx.save_model(network(), tmp_path / "network.onnx")
    command = ("run", "network.onnx", *CHIP, *TYPES, "--l1", 6000, "--buffers", buffers)
    done = json.loads(deeploy(*command, "--check-semantics", "--json"))
    print(json.dumps(done)[:6000])
    assert done["match"]
    assert 0


def test_model_is_exact(plugin: None, tmp_path: Path) -> None:
    """Results, what lies around them, and cycles, for sizes on both sides of every edge."""
    from deeploy_systolic.matmul import unit_cycles

    (tmp_path / "unit.c").write_text(BRIDGE)
    include = [ROOT / "runtime" / "include", PLUGIN / "deeploy_systolic" / "include"]
    flags = ["-std=c99", "-O1", "-Wall", "-Wextra", "-Werror", "-fsanitize=undefined"]
    subprocess.run(
        ["gcc", *flags, "-fno-sanitize-recover=all", "-shared", "-fPIC"]
        + [f"-I{folder}" for folder in include]
        + ["unit.c", "-o", "unit.so"],
        cwd=tmp_path,
        check=True,
    )
    run = ctypes.CDLL(str(tmp_path / "unit.so")).run
    rng = np.random.default_rng(0)
    for m, k, n in [(1, 1, 1), (64, 16, 16), (65, 17, 15), (130, 33, 49), (3, 100, 2)]:
        for transposed, narrow in np.ndindex(2, 2):
            check_product(run, rng, (m, k, n), bool(transposed), bool(narrow), unit_cycles)


def check_product(run, rng, size, transposed: bool, narrow: bool, unit_cycles) -> None:
    """One product with gaps behind rows, of random types."""
    m, k, n = size
    types = [np.int8, np.uint8]
    a_type, b_type = types[rng.integers(2)], types[rng.integers(2)]
    a = rng.integers(0, 256, (m, k + 3)).astype(a_type)
    b = rng.integers(0, 256, (n, k + 1) if transposed else (k, n + 1)).astype(b_type)
    y = np.full((m, n + 2), 77, np.int8 if narrow else np.int32)
    mul = rng.integers(1, 9, n).astype(np.int32)
    shift = 12 if narrow else 0
    cycles = run(
        *(ctypes.c_void_p(v.ctypes.data) for v in (a, b, y)),
        ctypes.c_void_p(mul.ctypes.data if narrow else None),
        *(m, k, n, int(transposed), int(a_type is np.int8), int(b_type is np.int8), shift),
    )
    left, right = a[:, :k].astype(np.int64), b.astype(np.int64)
    sums = left @ (right[:, :k].T if transposed else right[:, :n])
    expected = np.full_like(y, 77)
    expected[:, :n] = np.clip(sums * mul >> shift, -128, 127) if narrow else sums
    np.testing.assert_array_equal(y, expected)
    assert cycles == unit_cycles(m, n, k, y.itemsize)
