"""The systolic matrix unit of examples/systolic: a plug-in with engine, chip and C model."""

from __future__ import annotations

import ctypes
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deeploy.engines import find_engine

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
    find_engine.cache_clear()
    yield
    find_engine.cache_clear()
    for name in [name for name in sys.modules if name.startswith("deeploy_systolic")]:
        del sys.modules[name]


@pytest.fixture
def deeploy(
    deeploy: Callable[..., Any], plugin: None, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., str]:
    """Runs a command that succeeds; returns what it prints."""
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: object) -> str:
        done = deeploy(*arguments)
        assert done.status == 0, done.err
        return done.out

    return run


@pytest.fixture
def network(tmp_path: Path) -> tuple[str, ...]:
    """Arguments that name the network and the types of its inputs."""
    program = [sys.executable, PLUGIN / "products.py", tmp_path / "products.onnx"]
    subprocess.run(program, check=True)
    types = {"x": "ui8", "r": "si8", "v": "si8", "p": "si8", "q": "si8", "f": "f32"}
    return ("products.onnx", *(f"--input-type={name}={type}" for name, type in types.items()))


def test_installed(deeploy: Callable[..., str]) -> None:
    assert "systolic-soc" in deeploy("targets")
    assert "16x16 weight-stationary matrix unit" in deeploy("ops", "--json")


def test_each_nest_on_the_better_engine(
    deeploy: Callable[..., str], network: tuple[str, ...]
) -> None:
    """The unit for large products, in a nest with ops of the cores too; the cores for the rest."""
    rows = json.loads(deeploy("explain", *network, *CHIP, "--json"))
    taken = {row["node"]: row["ways"][row["taken"]]["engines"] for row in rows}
    assert taken["small"] == taken["floats"] == ["cluster"]
    assert taken["batch"] == ["systolic"]
    assert taken["large+residual"] == ["systolic", "cluster"]
    ways = {row["node"]: [way["engines"] for way in row["ways"]] for row in rows}
    assert ways["small"] == [["cluster"], ["systolic"]]
    (floats,) = (row for row in rows if row["node"] == "floats")
    assert "lhs is f32" in floats["declined"]["systolic"]


def test_page_shows_the_choice(
    deeploy: Callable[..., str], network: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """docs/add-an-engine.md shows what `explain` prints."""
    page = (ROOT / "docs" / "add-an-engine.md").read_text().splitlines()
    monkeypatch.setenv("COLUMNS", "100")
    printed = deeploy("explain", *network, *CHIP).splitlines()
    table = ["   " + line.rstrip() for line in printed[:-1] if line.strip()]
    first = page.index(table[0])
    assert page[first : first + len(table)] == table


@pytest.mark.parametrize("buffers", [1, 2])
def test_matches_when_tiled(
    deeploy: Callable[..., str], network: tuple[str, ...], buffers: int
) -> None:
    command = ("run", *network, *CHIP, "--l1", 6000, "--buffers", buffers)
    done = json.loads(deeploy(*command, "-o", "out", "--check-semantics", "--json"))
    assert done["match"] and done["guards"]
    engines = [nest["engines"] for nest in done["nests"]]
    assert ["systolic", "cluster"] in engines and ["cluster"] in engines
    assert any(nest["tiles"] > 1 for nest in done["nests"] if "systolic" in nest["engines"])
    assert "dpl_systolic_matmul_u8_s8_s8(" in Path("out/network.c").read_text()


def test_simulation_counts_the_unit(
    deeploy: Callable[..., str], network: tuple[str, ...], tmp_path: Path
) -> None:
    """What the unit computes is its time, and core 0 waits; a lowered file tells the same."""
    played = json.loads(deeploy("simulate", *network, *CHIP, "--json", "--dump-ir", "ir"))
    nests = {nest["node"]: nest for nest in played["nests"]}
    assert nests["large+residual"]["engines"] == ["systolic", "cluster"]
    assert set(nests["large+residual"]["busy"]) >= {"cores", "NPU"}
    batch = nests["batch"]
    assert batch["engines"] == ["systolic"] and "cores" not in batch["busy"]
    assert batch["busy"]["NPU"] == batch["causes"]["wait for NPU"]
    again = json.loads(deeploy("simulate", max((tmp_path / "ir").glob("*.mlir")), "--json"))
    for key in ("engines", "busy", "causes"):
        assert [nest[key] for nest in again["nests"]] == [nest[key] for nest in played["nests"]]


def test_only_used_engines_are_included(
    deeploy: Callable[..., str], network: tuple[str, ...], tmp_path: Path
) -> None:
    """The folder of the plug-in is in the Makefile where the program calls it."""
    folder = str(tmp_path / "site" / "deeploy_systolic" / "include")
    for engines in ("cluster,systolic", "cluster"):
        command = ("compile", *network, *CHIP, "--engines", engines)
        deeploy(*command, "-o", engines)
        assert (folder in Path(engines, "Makefile").read_text()) == ("systolic" in engines)


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
