"""Jobs on buffers and on registers, in numpy and on the host, compute what npu.conv means."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from graph_helpers import parse, run_pass
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from npu_helpers import Case, convolve, draw_case, random_operands
from xdsl.context import Context
from xdsl.dialects import memref
from xdsl.dialects.builtin import ModuleOp
from xdsl.rewriter import InsertPoint, Rewriter

from deeploy.commands.build import build, run_program
from deeploy.dialects.mem import TARGET
from deeploy.dialects.npu import POINTWISE
from deeploy.emit.project import Inference, write_project
from deeploy.engines.neureka.packing import pack
from deeploy.interpreters import run_module
from deeploy.resources import Array
from deeploy.targets import Link, Memory, Target, target_attr

TARGET_WITH_NPU = Target(
    name="test",
    cores=1,
    compute="L1",
    io="L2",
    memories=(
        Memory("L1", size=1 << 20, align=16, address=0x10000000),
        Memory(
            "WMEM", size=1 << 20, align=16, persistent=True, activations=False, engine="neureka"
        ),
        Memory("L2", size=1 << 20, align=16, persistent=True, address=0x1C010000),
    ),
    links=(Link("L1", "L2", bytes_per_cycle=8.0, setup_cycles=17),),
)
MODES = ("thread", "deferred", "immediate")


def buffer(type: str, level: str = "L1") -> str:
    return type.replace("tensor", "memref")[:-1] + f', #mem.level<"{level}">>'


def program(cases: list[Case], weights_in: list[str]) -> str:
    """All cases as jobs in one queue, with one wait."""
    arguments, lines, results = [], [], []
    for i, (case, level) in enumerate(zip(cases, weights_in, strict=True)):
        types = case.types()
        places = {n: buffer(t, level if n == "w" else "L1") for n, t in types.items()}
        names = case.operands()
        arguments += [f"%{n}{i}: {places[n]}" for n in names]
        lines.append(f"%y{i} = memref.alloc() : {places['y']}")
        ins = ", ".join(f"%{n}{i}" for n in names)
        ins += " : " + ", ".join(places[n] for n in names)
        top, left, bottom, right = case.pads
        block = ", ".join(f"%{n}: {types[n]}" for n in names)
        lines.append(
            f"npu.start ins({ins}) outs(%y{i} : {places['y']}) "
            f"overhang [0, 0, {top}, {bottom}, {left}, {right}, 0, 0] on %q {{\n"
            f"^bb0({block}):\n  %r = {case.op()}\n  npu.yield %r : {types['y']}\n}}"
        )
        results.append((f"%y{i}", places["y"]))
    values, types = (", ".join(part) for part in zip(*results, strict=True))
    body = "\n".join(
        ['%q = npu.queue of "neureka"', *lines, "npu.wait %q", f"func.return {values} : {types}"]
    )
    return f"func.func @network({', '.join(arguments)}) -> ({types}) {{\n{body}\n}}"


def prepare(cases: list[Case], weights_in: list[str]) -> tuple[Context, ModuleOp]:
    ctx, module = parse(program(cases, weights_in))
    module.attributes[TARGET] = target_attr(TARGET_WITH_NPU)
    return ctx, module


def values(cases: list[Case], seed: int) -> tuple[list[Array], list[Array]]:
    """Random inputs of a program, and what it has to compute."""
    rng = np.random.default_rng(seed)
    inputs: list[Array] = []
    expected: list[Array] = []
    for case in cases:
        operands = random_operands(case, rng)
        expected.append(convolve(case, operands))
        operands["w"] = pack(operands["weights"], case.mode, case.bits)
        inputs += [operands[name] for name in case.operands()]
    return inputs, expected


def same(actual: list[Array], expected: list[Array]) -> None:
    for a, b in zip(actual, expected, strict=True):
        np.testing.assert_array_equal(a, b)


def draw_cases(data: st.DataObject, most: int) -> tuple[list[Case], list[str]]:
    cases = [draw_case(data.draw) for _ in range(data.draw(st.integers(1, most)))]
    return cases, [data.draw(st.sampled_from(["L1", "WMEM"])) for _ in cases]


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.data())
def test_levels_in_numpy(data: st.DataObject) -> None:
    cases, weights_in = draw_cases(data, 4)
    ctx, module = prepare(cases, weights_in)
    inputs, expected = values(cases, data.draw(st.integers(0, 99)))
    same(run_module(ctx, module, inputs), expected)
    # before and after buffers have addresses
    lowered = module.clone()
    run_pass(ctx, lowered, "lower-npu")
    same(run_module(ctx, lowered, inputs), expected)
    run_pass(ctx, module, "assign-addresses", "lower-npu")
    same(run_module(ctx, module, inputs), expected)


@pytest.mark.parametrize("sanitize", [None, "address,undefined", "thread"])
def test_host(sanitize: str | None, tmp_path_factory: pytest.TempPathFactory) -> None:
    @settings(
        max_examples=2,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def check(data: st.DataObject) -> None:
        cases = [draw_case(data.draw) for _ in range(16)]
        ctx, module = prepare(cases, ["L1", "WMEM"] * 8)
        inputs, expected = values(cases, 0)
        run_pass(ctx, module, "assign-addresses", "lower-npu")
        folder = tmp_path_factory.mktemp("jobs")
        write_project(ctx, module, folder, [Inference(inputs, expected)], "host", 0.0)
        compiled = build(folder, sanitize)
        for mode in MODES:
            assert run_program(compiled, mode, 60).problem() is None

    check()


def tokens(count: int) -> Case:
    return Case(
        mode=POINTWISE,
        image=(1, 1, count, 40),
        outputs=33,
        strides=(1, 1),
        pads=(0, 0, 0, 0),
        bits=8,
        offset=-128,
        input="si8",
        result="si8",
        scale="ui8",
        shift=9,
    )


@pytest.mark.parametrize("count", [1, 6, 7, 36, 37, 64, 71, 72, 100])
def test_tokens(count: int) -> None:
    case = tokens(count)
    ctx, module = prepare([case], ["WMEM"])
    inputs, expected = values([case], count)
    run_pass(ctx, module, "assign-addresses", "lower-npu")
    same(run_module(ctx, module, inputs), expected)


def test_nothing_before_the_wait(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Without a wait results are poison, and a program on the host says what is missing."""
    case = tokens(9)
    ctx, module = prepare([case], ["L1"])
    inputs, expected = values([case], 0)
    (wait,) = [op for op in module.walk() if op.name == "npu.wait"]
    wait.detach()
    wait.erase()
    poison = np.full_like(expected[0], np.uint8(0xA5).astype(np.int8))
    same(run_module(ctx, module, inputs), [poison])
    run_pass(ctx, module, "assign-addresses", "lower-npu")
    same(run_module(ctx, module, inputs), [poison])
    write_project(ctx, module, tmp_path, [Inference(inputs, expected)], "host", 0.0)
    assert run_program(build(tmp_path, None), "deferred", 60).status != 0
    assert "accelerator: jobs without a wait" in capfd.readouterr().err


def test_sources_stay_until_the_wait() -> None:
    """What changes while a job may read it arrives as poison."""
    case = tokens(9)
    ctx, module = prepare([case], ["L1"])
    inputs, expected = values([case], 0)
    (start,) = [op for op in module.walk() if op.name == "npu.start"]
    other = memref.AllocOp([], [], start.inputs[0].type)
    copy = memref.CopyOp(other.memref, start.inputs[0])
    Rewriter.insert_op([other, copy], InsertPoint.after(start))
    (actual,) = run_module(ctx, module, [array.copy() for array in inputs])
    inputs[0] = np.full_like(inputs[0], np.uint8(0xA5).astype(np.int8))
    same([actual], run_module(ctx, prepare([case], ["L1"])[1], inputs))
    assert not np.array_equal(actual, expected[0])
