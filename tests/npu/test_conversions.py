"""What graph ops become on the accelerator: every way computes the same, down to its registers."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from deeploy.dialects.npu import ConvOp, TriggerOp
from deeploy.targets import Target, find_target

sys.path.append(str(Path(__file__).parents[1] / "lowering"))

from lowering_helpers import (
    LIMITS,
    MEMORY_PASSES,
    assert_same,
    nests_on,
    numbers,
    parse,
    run,
    run_pass,
)

KINDS = ("conv", "depthwise_conv", "matmul")


def draw_layer(data: st.DataObject, kind: str) -> str:
    """A function with one layer: factors of both signs, any clamp, windows of up to 3x3."""

    def pick(*choices):
        return data.draw(st.sampled_from(choices))

    inputs, outputs = pick(1, 3, 28, 33), pick(1, 5, 31, 40)
    sign, result, windows = pick("si8", "ui8"), pick("si8", "ui8"), ""
    if kind == "matmul":
        x, w = (pick(1, 7, 40), inputs), (outputs, inputs)
        y, windows = (x[0], outputs), "transpose_rhs, "
    else:
        outputs = inputs if kind == "depthwise_conv" else outputs
        kernel = data.draw(st.tuples(*[st.integers(1, 3)] * 2))
        strides = data.draw(st.tuples(*[st.integers(1, 3)] * 2))
        pads = data.draw(st.tuples(*[st.integers(0, 1)] * 4))
        x = (1, pick(1, 2, 7, 13), pick(1, 3, 8), inputs)
        w = (*kernel, inputs) if kind == "depthwise_conv" else (outputs, *kernel, inputs)
        sizes = [a + lo + hi for a, lo, hi in zip(x[1:3], pads[:2], pads[2:], strict=True)]
        rest = [size - k for size, k in zip(sizes, kernel, strict=True)]
        assume(min(rest) >= 0)
        y = (1, *(r // s + 1 for r, s in zip(rest, strides, strict=True)), outputs)
        groups = "groups = 1, " if kind == "conv" else ""
        windows = (
            f"strides = {numbers(strides)}, pads = {numbers(pads)}, {groups}"
            "dilations = array<i64: 1, 1>, channels_last, "
        )
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    weights = rng.integers(-128, 128, w) >> pick(0, 1, 5)
    factors = rng.integers(pick(-300, 0), 300, outputs)
    low, high = LIMITS[result]
    low, high = pick((low, high), (0, high), (low + 3, high - 9), (0, 6))
    return f"""func.func @network(%x: {tensor(x, sign)}) -> {tensor(y, result)} {{
      %w = graph.constant dense<{weights.tolist()}> : {tensor(w, "si8")}
      %m = graph.constant dense<{factors.tolist()}> : tensor<{outputs}xsi32>
      %y = graph.{kind} %x, %w mul %m : tensor<{outputs}xsi32> {{{windows}
        requant = #graph.requant<mul = 1, add = 77, shift = {pick(0, 9, 13)},
        min = {low}, max = {high}>}} : {tensor(x, sign)}, {tensor(w, "si8")} -> {tensor(y, result)}
      func.return %y : {tensor(y, result)}
    }}"""


def tensor(shape, elements: str) -> str:
    return f"tensor<{'x'.join(map(str, shape))}x{elements}>"


def chip(l1: int) -> Target:
    target = find_target("siracusa")
    memories = [replace(m, size=l1) if m.name == "L1" else m for m in target.memories]
    return replace(target, memories=tuple(memories))


def jobs(ctx: Context, module: ModuleOp) -> None:
    """From a nest to the registers of the accelerator, wherever it can do the work."""
    run_pass(ctx, module, "plan", policy="accelerated")
    run_pass(ctx, module, "check-plan")
    for name in (*MEMORY_PASSES, "lower-npu"):
        run_pass(ctx, module, name)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=12, deadline=None, derandomize=True)
@given(data=st.data())
def test_layers(kind: str, data: st.DataObject) -> None:
    text = draw_layer(data, kind)
    expected = run(*parse(text))
    ctx, module = nests_on(text, chip(data.draw(st.sampled_from([6_000, 20_000, 200_000]))))
    run_pass(ctx, module, "offer-engines")
    # runs all ways and compares them
    assert_same(expected, run(ctx, module), "offered")
    offered = any(isinstance(op, ConvOp) for op in module.walk())
    assert offered or "pads of" in str(module), "whatever the factors, there is a way"
    jobs(ctx, module)
    assert_same(expected, run(ctx, module), "jobs")
    assert offered == any(isinstance(op, TriggerOp) for op in module.walk())
