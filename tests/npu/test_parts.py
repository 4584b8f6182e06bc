"""Sums that the accelerator adds up part by part, because their inputs do not fit at once."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, IntegerAttr, ModuleOp, StringAttr

from deeploy.commands.build import build, run_program
from deeploy.dialects.graph import ints
from deeploy.dialects.npu import ConvOp, StartOp
from deeploy.dialects.tiled import AlternativesOp, NestOp
from deeploy.emit.project import Inference, write_project
from deeploy.instrumentation.semantics import random_inputs
from deeploy.interpreters import run_module
from deeploy.resources import Array
from deeploy.targets import Target, find_target

sys.path.append(str(Path(__file__).parents[1] / "lowering"))

from lowering_helpers import (
    MEMORY_PASSES,
    assert_same,
    lower_and_compare,
    nests_in,
    nests_on,
    numbers,
    parse,
    run,
    run_pass,
)

# channels in groups of 32 and 28, a whole number of them and not
LINEAR = (1024, 1030, 1470)
IMAGE = (1036, 1120)


def chip(l1: int, weights: int = 1 << 22) -> Target:
    target = find_target("siracusa")
    sizes = {"L1": l1, "WMEM": weights}
    memories = [replace(m, size=sizes.get(m.name, m.size)) for m in target.memories]
    return replace(target, memories=tuple(memories))


def layer(shape: tuple[int, ...], outputs: int, stride: int = 1) -> str:
    """A product of tokens, or a 3x3 convolution of an image, with long sums."""
    inputs = shape[-1]
    rng = np.random.default_rng(inputs)
    w, y = (outputs, inputs), (*shape[:-1], outputs)
    kind, attributes = "matmul", "transpose_rhs"
    if len(shape) == 4:
        w, y = (outputs, 3, 3, inputs), (1, *((e - 1) // stride + 1 for e in shape[1:3]), outputs)
        kind = "conv"
        attributes = (
            f"strides = {numbers((stride, stride))}, pads = {numbers((1, 1, 1, 1))}, groups = 1, "
            "dilations = array<i64: 1, 1>, channels_last"
        )
    x, w, y, elements = tensor(shape, "si8"), tensor(w, "si8"), tensor(y, "si8"), w
    weights, factors = rng.integers(-127, 128, elements), rng.integers(-200, 200, outputs)
    return f"""func.func @network(%x: {x}) -> {y} {{
      %w = graph.constant dense<{weights.tolist()}> : {w}
      %m = graph.constant dense<{factors.tolist()}> : tensor<{outputs}xsi32>
      %y = graph.{kind} %x, %w mul %m : tensor<{outputs}xsi32> {{{attributes}, requant =
        #graph.requant<mul = 1, add = 99, shift = 15, min = -100, max = 127>}} : {x}, {w} -> {y}
      func.return %y : {y}
    }}"""


def tensor(shape: tuple[int, ...], elements: str) -> str:
    return f"tensor<{'x'.join(map(str, shape))}x{elements}>"


def in_parts(text: str, target: Target) -> tuple[Context, ModuleOp]:
    """The nest of a layer whose sums can be cut."""
    ctx, module = nests_on(text, target)
    run_pass(ctx, module, "offer-engines")
    (step,) = [op for op in module.walk() if isinstance(op, AlternativesOp)]
    (nest,) = [nest for nest in step.nests() if nest.partial() is not None]
    nest.detach()
    block = step.parent_block()
    assert block is not None
    block.insert_op_before(nest, step)
    step.results[0].replace_all_uses_with(nest.results[0])
    step.detach()
    step.erase()
    return ctx, module


def draw_plan(data: st.DataObject, nest: NestOp) -> None:
    """Tiles of any shape; sums in two parts or more."""
    iterators, parts = nest.iterators(), nest.parts()
    assert parts is not None
    sizes = [it.extent for it in iterators]
    for i, it in enumerate(iterators):
        if it.parallel and it.tileable and it.extent > 1:
            sizes[i] = data.draw(st.integers(-(-it.extent // 2), it.extent), it.name)
    groups = sizes[parts]
    divisors = [size for size in range(1, groups) if groups % size == 0]
    sizes[parts] = data.draw(st.sampled_from(divisors[-2:]), "part")
    cut = [i for i, it in enumerate(iterators) if sizes[i] < it.extent and i != parts]
    nest.tile = ints(sizes)
    nest.order = ints((*data.draw(st.permutations(cut)), parts))
    nest.buffers = IntegerAttr(data.draw(st.sampled_from((1, 2))), 64)
    nest.homes = ArrayAttr([StringAttr(data.draw(st.sampled_from(("L1", "L2"))))])
    nest.verify()


@pytest.mark.parametrize("image", [False, True])
@settings(max_examples=4, deadline=None, derandomize=True, phases=[Phase.generate])
@given(data=st.data())
def test_any_plan(image: bool, data: st.DataObject) -> None:
    inputs = data.draw(st.sampled_from(IMAGE if image else LINEAR))
    shape = (1, 3, 3, inputs) if image else (data.draw(st.integers(1, 9)), inputs)
    outputs = 3 if image else data.draw(st.sampled_from((3, 33)))
    text = layer(shape, outputs, data.draw(st.integers(1, 2)) if image else 1)
    expected = run(*parse(text))
    ctx, module = in_parts(text, find_target("siracusa"))
    for nest in nests_in(module):
        draw_plan(data, nest)
    lower_and_compare(ctx, module, expected)
    run_pass(ctx, module, "lower-npu")
    assert_same(expected, run(ctx, module), "jobs")


def planned(text: str, target: Target, *passes: str) -> tuple[Context, ModuleOp]:
    ctx, module = nests_on(text, target)
    for name in ("offer-engines", "plan", "check-plan", *passes):
        run_pass(ctx, module, name)
    return ctx, module


@pytest.mark.parametrize("weights", [1 << 22, 64])
def test_the_plan_cuts_sums_that_do_not_fit(weights: int) -> None:
    """Weights come from their own memory, or part by part from L2."""
    text = layer((40, 2048), 40)
    ctx, module = planned(text, chip(16_000, weights))
    (nest,) = nests_in(module)
    parts = nest.parts()
    assert parts is not None and nest.tile_sizes()[parts] < nest.iterators()[parts].extent
    for name in MEMORY_PASSES:
        run_pass(ctx, module, name)
    jobs = [op.op for op in module.walk() if isinstance(op, StartOp)]
    assert [isinstance(op, ConvOp) and op.sums is not None for op in jobs] == [False, True]
    assert_same(run(*parse(text)), run(ctx, module), "program")


def test_sums_that_fit_stay_whole() -> None:
    (nest,) = nests_in(planned(layer((4, 1024), 8), chip(200_000))[1])
    assert nest.parts() is None


def test_host(tmp_path: Path) -> None:
    text = layer((30, 1470), 40)
    ctx, module = planned(text, chip(12_000), *MEMORY_PASSES, "lower-npu")
    inputs: list[Array] = random_inputs(module, 0)
    expected = run_module(*parse(text), inputs)
    write_project(ctx, module, tmp_path, [Inference(inputs, expected)], "host", 0.0)
    program = build(tmp_path, "address,undefined")
    assert run_program(program, "thread", 60).problem() is None
