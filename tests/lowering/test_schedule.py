"""Programs of jobs, kernels and loads on any bytes compute the same in the order of `schedule`."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st
from lowering_helpers import Draw, parse, run_pass
from xdsl.dialects.builtin import ModuleOp

from deeploy.dialects import npu
from deeploy.dialects.cluster import CallOp
from deeploy.dialects.mem import TARGET
from deeploy.instrumentation.semantics import random_inputs
from deeploy.interpreters import run_module
from deeploy.targets import find_target, target_attr

BYTES, FACTORS = 32768, 512
"""Bytes of L1 that a program works on, behind the factors of all jobs."""

SHAPES = ("1x64xsi8", "64x64xui8", "64xui8", "64xsi32")
"""What a job reads."""


def buffer(shape: str, level: str = "L1") -> str:
    return f'memref<{shape}, #mem.level<"{level}">>'


def place(draw: Draw, size: int) -> int:
    """Where some bytes lie; few places, so that programs use what they have computed."""
    last = BYTES // size - 1
    return FACTORS + size * draw(st.integers(0, min(last, 40)))


def job(draw: Draw, i: int) -> str:
    tensors = tuple(f"tensor<{shape}>" for shape in SHAPES)
    types = (buffer(SHAPES[0]), buffer(SHAPES[1], "WMEM"), *map(buffer, SHAPES[2:]))
    arguments = ", ".join(f"%{i}: {t}" for i, t in enumerate(tensors))
    return f"""
  %s{i} = mem.buffer at {place(draw, 64)} : {types[0]}
  %d{i} = mem.buffer at {place(draw, 64)} : {types[0]}
  npu.start ins(%s{i}, %w, %m, %a : {", ".join(types)}) outs(%d{i} : {types[0]})
      overhang [] on %q {{
  ^bb0({arguments}):
    %y = npu.conv %0, %1 mul %2 : {tensors[2]} add %3 : {tensors[3]} {{
        mode = "pointwise", strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
        weight_bits = 8, weight_offset = -99,
        requant = #graph.requant<mul = 1, add = 0, shift = 9, min = -128, max = 127>
    }} : {tensors[0]}, {tensors[1]} -> {tensors[0]}
    npu.yield %y : {tensors[0]}
  }}
  npu.wait %q"""


def kernel(draw: Draw, i: int) -> str:
    size = draw(st.sampled_from([64, 512, 2048]))
    type, tensor = buffer(f"{size}xsi8"), f"tensor<{size}xsi8>"
    return f"""
  %s{i} = mem.buffer at {place(draw, size)} : {type}
  %d{i} = mem.buffer at {place(draw, size)} : {type}
  cluster.call "dpl_clip_s8" of "cluster" ins(%s{i} : {type}) outs(%d{i} : {type}) overhang [] {{
  ^bb0(%x: {tensor}):
    %y = graph.clip %x {{min = {-2 * i - 9}, max = {3 * i + 9}}} : {tensor} -> {tensor}
    cluster.yield %y : {tensor}
  }}"""


def load(draw: Draw, i: int) -> str:
    size = draw(st.sampled_from([64, 512]))
    source = f'memref<{size}xsi8, strided<[1], offset: {size}>, #mem.level<"L2">>'
    type = buffer(f"{size}xsi8")
    return f"""
  %s{i} = memref.subview %in[{size}] [{size}] [1] : {buffer("2048xsi8", "L2")} to {source}
  %d{i} = mem.buffer at {place(draw, size)} : {type}
  dma.start %s{i} to %d{i} on %load : {source} to {type}
  dma.wait %load"""


def program(draw: Draw) -> str:
    kinds = draw(st.lists(st.sampled_from([job, kernel, kernel, load]), min_size=4, max_size=40))
    lines = "".join(kind(draw, i) for i, kind in enumerate(kinds))
    memory = buffer(f"{FACTORS + BYTES}xsi8")
    return f"""
func.func @network(%in: {buffer("2048xsi8", "L2")} {{mem.offset = 0 : i64}}) -> {memory} {{
  %q = npu.queue of "neureka"
  %load = dma.channel
  %all = mem.buffer at 0 : {memory}
  %w = mem.buffer at 0 : {buffer(SHAPES[1], "WMEM")}
  %m = mem.buffer at 0 : {buffer(SHAPES[2])}
  %a = mem.buffer at 64 : {buffer(SHAPES[3])}
  {lines}
  func.return %all : {memory}
}}"""


def order(module: ModuleOp) -> list[str]:
    """The jobs and kernels of a program by the names of what they write."""
    return [
        op.output.name_hint or "" for op in module.walk() if isinstance(op, CallOp | npu.StartOp)
    ]


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    phases=(Phase.explicit, Phase.generate, Phase.target),
)
@given(data=st.data())
def test_same_bytes(data: st.DataObject) -> None:
    ctx, module = parse(program(data.draw))
    module.attributes[TARGET] = target_attr(find_target("siracusa"))
    inputs, before = random_inputs(module, 0), order(module)
    expected = run_module(ctx, module, inputs)
    run_pass(ctx, module, "schedule")
    event("moved" if order(module) != before else "in order")
    np.testing.assert_array_equal(run_module(ctx, module, inputs)[0], expected[0])
    run_pass(ctx, module, "overlap")
    run_pass(ctx, module, "insert-barriers")
    np.testing.assert_array_equal(run_module(ctx, module, inputs)[0], expected[0])
