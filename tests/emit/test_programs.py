"""Generated C, compiled without a warning and run on the host, computes what the IR does."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from lowering_helpers import (
    HOST,
    MEMORY_PASSES,
    draw_homes,
    draw_network,
    draw_tiles,
    nests_in,
    nests_on,
    parse,
    run,
    run_pass,
)
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from deeploy.emit.network import emit_network
from deeploy.instrumentation.semantics import random_inputs
from deeploy.registry import runtime_dir
from deeploy.resources import Array

HARNESS = Path(__file__).parent / "harness.c"
STRICT = ["-Wall", "-Wextra", "-Werror", "-pedantic"]


def build(ctx: Context, module: ModuleOp, folder: Path) -> Path:
    """Compile the C of a lowered module: strict C99 for what is generated."""
    sources = emit_network(ctx, module)
    texts = {
        "network.h": sources.header,
        "network.c": sources.source,
        "network_kernels.c": sources.kernels,
        "weights.c": sources.weights,
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    host = runtime_dir() / "platforms" / "host"
    include = [f"-I{runtime_dir() / 'include'}", f"-I{host}", f"-I{folder}"]
    objects = []
    for source, flags in [
        (folder / "network.c", ["-std=c99", *STRICT]),
        (folder / "weights.c", ["-std=c99", *STRICT]),
        (folder / "network_kernels.c", ["-std=c99", "-Wall", "-Wextra", "-Werror"]),
        (HARNESS, ["-std=c99", *STRICT]),
        *((part, ["-std=gnu99"]) for part in sorted(host.glob("*.c"))),
    ]:
        target = folder / f"{source.stem}.o"
        command = ["gcc", "-O1", *flags, *include, "-c", str(source), "-o", str(target)]
        subprocess.run(command, check=True)
        objects.append(str(target))
    program = folder / "program"
    subprocess.run(["gcc", *objects, "-pthread", "-lm", "-o", str(program)], check=True)
    return program


def outputs(program: Path, inputs: list[Array], like: list[Array], dma: str) -> list[Array]:
    """Run a program on inputs; it checks by itself that nothing outside of its arenas changes."""
    data = b"".join(np.ascontiguousarray(array).tobytes() for array in inputs)
    environment = {**os.environ, "DEEPLOY_DMA": dma}
    result = subprocess.run(
        [str(program)], input=data, capture_output=True, env=environment, check=False, timeout=60
    )
    assert result.returncode == 0, result.stderr.decode()
    found, start = [], 0
    for array in like:
        end = start + array.nbytes
        found.append(np.frombuffer(result.stdout[start:end], array.dtype).reshape(array.shape))
        start = end
    assert start == len(result.stdout)
    return found


@pytest.mark.parametrize("cores", [1, 3])
def test_random_networks(cores: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    @settings(
        max_examples=3,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],  # shrinking would compile for minutes
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def check(data: st.DataObject) -> None:
        text = draw_network(data.draw, ops=7)
        ctx, module = nests_on(text, replace(HOST, cores=cores))
        for nest in nests_in(module):
            draw_tiles(data.draw, nest, limited=True)
        draw_homes(data.draw, module, HOST)
        for name in MEMORY_PASSES:
            run_pass(ctx, module, name)
        compare(text, ctx, module, tmp_path_factory.mktemp("program"))

    check()


def compare(text: str, ctx: Context, module: ModuleOp, folder: Path) -> None:
    """Run the C of a module, with transfers at once and as late as possible."""
    program = build(ctx, module, folder)
    inputs = random_inputs(module, 1)
    expected = run(*parse(text), seed=1)
    for dma in ("thread", "deferred"):
        actual = outputs(program, inputs, expected, dma)
        for a, b in zip(actual, expected, strict=True):
            np.testing.assert_array_equal(a, b, err_msg=text)


# names that mean something else in C, or in the code around them
HOSTILE = """func.func @network(%int: tensor<7x8xsi8> {graph.name = "a \\"quoted\\" name\\\\"})
    -> (tensor<7x8xsi8> {graph.name = "out??/"}) {
  %L1 = graph.constant dense<1> : tensor<8xsi8>
  %inputs = graph.constant dense<3> : tensor<7x1xsi8>
  %i0 = graph.add %int, %L1 {requant = #graph.requant<mul = 1, add = 0, shift = 0, min = -128,
    max = 127>} : tensor<7x8xsi8>, tensor<8xsi8> -> tensor<7x8xsi8> loc("what??/")
  %network_L1 = graph.add %i0, %inputs {requant = #graph.requant<mul = 1, add = 0, shift = 0,
    min = -128, max = 127>} : tensor<7x8xsi8>, tensor<7x1xsi8> -> tensor<7x8xsi8> loc("back\\\\")
  %core = graph.transpose %network_L1 {permutation = array<i64: 1, 0>}
    : tensor<7x8xsi8> -> tensor<8x7xsi8> loc("*/ é")
  %dpl_min = graph.transpose %core {permutation = array<i64: 1, 0>}
    : tensor<8x7xsi8> -> tensor<7x8xsi8>
  func.return %dpl_min : tensor<7x8xsi8>
}"""


def test_hostile_names(tmp_path: Path) -> None:
    ctx, module = nests_on(HOSTILE, HOST.with_sizes(L1=256))
    run_pass(ctx, module, "plan", buffers=2)
    for name in MEMORY_PASSES:
        run_pass(ctx, module, name)
    compare(HOSTILE, ctx, module, tmp_path)


WITHOUT_INPUTS = """func.func @network() -> tensor<2x3xsi8> {
  %0 = graph.constant dense<[[1, 2], [3, 4], [5, 6]]> : tensor<3x2xsi8>
  %1 = graph.transpose %0 {permutation = array<i64: 1, 0>} : tensor<3x2xsi8> -> tensor<2x3xsi8>
  func.return %1 : tensor<2x3xsi8>
}"""


def test_network_without_inputs(tmp_path: Path) -> None:
    """C99 has no arrays without elements."""
    ctx, module = nests_on(WITHOUT_INPUTS, HOST)
    for name in ("plan", *MEMORY_PASSES):
        run_pass(ctx, module, name)
    compare(WITHOUT_INPUTS, ctx, module, tmp_path)
