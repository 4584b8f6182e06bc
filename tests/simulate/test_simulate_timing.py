"""Cycles of small programs, against what they should be when written down by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lowering_helpers import HOST, parse, run_pass
from xdsl.dialects.builtin import ModuleOp
from xdsl.utils.exceptions import PassFailedException

from deeploy.costs import START_ACCESSES
from deeploy.dialects.cluster import CallOp
from deeploy.dialects.graph import GraphOp
from deeploy.dialects.mem import TARGET, ViewOp
from deeploy.durations import collapse, iterator_sizes
from deeploy.engines import find_engine
from deeploy.interfaces.tiling import Range, result_tiles
from deeploy.pipelines import MEMORY
from deeploy.simulate import simulate
from deeploy.simulate.machine import Cause, Track
from deeploy.targets import Link, Memory, Target, target_attr

DRIVE = 3 * START_ACCESSES
BARRIER, TURN, SETUP, LEAST = 11, 5, 13, 40
CHIP = Target(
    name="chip",
    cores=4,
    compute="L1",
    io="L2",
    memories=(Memory("L1", 4096, 8), Memory("L2", 65536, 8, persistent=True)),
    links=(Link("L1", "L2", bytes_per_cycle=4.0, setup_cycles=SETUP, least_cycles=LEAST),),
    barrier_cycles=BARRIER,
    register_cycles=3,
    tile_cycles=TURN,
    clock_hz=100_000_000,
)
FAR, NEAR = '#mem.level<"L2">', '#mem.level<"L1">'

SERIAL = f"""func.func @network(%x: memref<1000xsi8, {FAR}> {{mem.offset = 0 : i64}},
    %y: memref<1000xsi8, {FAR}> {{mem.offset = 1000 : i64}}) {{
  %load = dma.channel
  %store = dma.channel
  %a = mem.buffer at 0 : memref<1000xsi8, {NEAR}>
  %b = mem.buffer at 1000 : memref<1000xsi8, {NEAR}>
  dma.start %x to %a on %load : memref<1000xsi8, {FAR}> to memref<1000xsi8, {NEAR}> loc("clip")
  dma.wait %load loc("clip")
  cluster.barrier loc("clip")
  cluster.call "k" of "cluster" ins(%a : memref<1000xsi8, {NEAR}>)
      outs(%b : memref<1000xsi8, {NEAR}>) overhang [] {{
    ^bb0(%t: tensor<1000xsi8>):
      %c = graph.clip %t {{min = 0, max = 9}} : tensor<1000xsi8> -> tensor<1000xsi8>
      cluster.yield %c : tensor<1000xsi8>
  }} loc("clip")
  cluster.barrier loc("clip")
  dma.start %b to %y on %store : memref<1000xsi8, {NEAR}> to memref<1000xsi8, {FAR}> loc("clip")
  dma.wait %store loc("clip")
  func.return
}}"""

TILES = 5
PIPELINED = f"""func.func @network(%x: memref<5x1600xsi8, {FAR}> {{mem.offset = 0 : i64}}) {{
  %load = dma.channel
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %two = arith.constant 2 : index
  %tiles = arith.constant {TILES} : index
  %a = mem.buffer at 0 : memref<2x1600xsi8, {NEAR}>
  %b = mem.buffer at 3200 : memref<1x100xsi8, {NEAR}>
  %x0 = memref.subview %x[0, 0] [1, 1600] [1, 1] : memref<5x1600xsi8, {FAR}> to
      memref<1x1600xsi8, strided<[1600, 1], offset: ?>, {FAR}>
  %a0 = memref.subview %a[0, 0] [1, 1600] [1, 1] : memref<2x1600xsi8, {NEAR}> to
      memref<1x1600xsi8, strided<[1600, 1], offset: ?>, {NEAR}>
  dma.start %x0 to %a0 on %load : memref<1x1600xsi8, strided<[1600, 1], offset: ?>, {FAR}> to
      memref<1x1600xsi8, strided<[1600, 1], offset: ?>, {NEAR}> loc("clip")
  scf.for %i = %zero to %tiles step %one {{
    dma.wait %load loc("clip")
    cluster.barrier loc("clip")
    %next = arith.addi %i, %one : index
    %more = arith.cmpi slt, %next, %tiles : index
    scf.if %more {{
      %slot = arith.remui %next, %two : index
      %xi = memref.subview %x[%next, 0] [1, 1600] [1, 1] : memref<5x1600xsi8, {FAR}> to
          memref<1x1600xsi8, strided<[1600, 1], offset: ?>, {FAR}>
      %ai = memref.subview %a[%slot, 0] [1, 1600] [1, 1] : memref<2x1600xsi8, {NEAR}> to
          memref<1x1600xsi8, strided<[1600, 1], offset: ?>, {NEAR}>
      dma.start %xi to %ai on %load : memref<1x1600xsi8, strided<[1600, 1], offset: ?>, {FAR}> to
          memref<1x1600xsi8, strided<[1600, 1], offset: ?>, {NEAR}> loc("clip")
    }} loc("clip")
    cluster.call "k" of "cluster" ins(%b : memref<1x100xsi8, {NEAR}>)
        outs(%b : memref<1x100xsi8, {NEAR}>) overhang [] {{
      ^bb0(%t: tensor<1x100xsi8>):
        %c = graph.clip %t {{min = 0, max = 9}} : tensor<1x100xsi8> -> tensor<1x100xsi8>
        cluster.yield %c : tensor<1x100xsi8>
    }} loc("clip")
  }} loc("clip")
  func.return
}}"""


def program(text: str) -> ModuleOp:
    _, module = parse(text)
    module.attributes[TARGET] = target_attr(CHIP)
    return module


def kernel_cycles(module: ModuleOp, *sizes: int) -> int:
    """What the engine says of the only kernel."""
    (call,) = (op for op in module.walk() if isinstance(op, CallOp))
    return int(find_engine("cluster").kernel(call.op).cycles(call.op, sizes, CHIP.cores))


def test_one_after_the_other() -> None:
    module = program(SERIAL)
    kernel = kernel_cycles(module, 1000)
    transfer = SETUP + 1000 // 4
    result = simulate(module)
    assert result.cycles == 2 * DRIVE + 2 * transfer + 2 * BARRIER + kernel
    assert result.causes == {
        Cause.DRIVE: 2 * DRIVE,
        Cause.LOAD: transfer,
        Cause.STORE: transfer,
        Cause.BARRIER: 2 * BARRIER,
        Cause.KERNEL: kernel,
    }
    assert result.bytes == {Track.LOAD: 1000, Track.STORE: 1000}
    assert result.count("barriers") == 2
    assert result.seconds == pytest.approx(result.cycles / 1e8)
    (nest,) = result.nests
    assert (nest.info.name, nest.info.ops, nest.tiles, nest.cycles) == (
        "clip", ("clip",), 1, result.cycles,
    )  # fmt: skip


def test_transfers_beside_kernels() -> None:
    module = program(PIPELINED)
    kernel, transfer = kernel_cycles(module, 1, 100), SETUP + 1600 // 4
    assert transfer > kernel, "or nothing would be waited for"
    result = simulate(module)
    # the core starts a load and is back at the wait before it has arrived
    turn = DRIVE + transfer + BARRIER
    assert result.cycles == turn * TILES + kernel
    assert result.causes[Cause.KERNEL] == TILES * kernel
    assert result.causes[Cause.LOOP] == TILES * TURN
    assert result.busy[Track.LOAD] == TILES * transfer


def test_one_core_needs_no_barriers() -> None:
    module = program(SERIAL)
    module.attributes[TARGET] = target_attr(HOST)
    assert simulate(module).count("barriers") == 0


def test_without_lowering() -> None:
    module = program(
        """func.func @network(%x: tensor<4xsi8>) -> tensor<4xsi8> {
             %y = graph.clip %x {min = 0, max = 9} : tensor<4xsi8> -> tensor<4xsi8>
             func.return %y : tensor<4xsi8>
           }"""
    )
    with pytest.raises(PassFailedException, match=r"graph.clip: .*not lowered.*standard pipeline"):
        simulate(module)


# --- Sizes ---------------------------------------------------------------------------------------

IMAGE, MAPS = "tensor<2x9x7x12xsi8>", "tensor<2x9x7x8xsi32>"
WINDOW = (
    "strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, "
    "dilations = array<i64: 1, 1>, channels_last"
)
CONVS = f"""func.func @network(%x: {IMAGE}) {{
  %a = graph.constant dense<1> : tensor<8x3x3x12xsi8>
  %b = graph.constant dense<1> : tensor<8x3x3x3xsi8>
  %c = graph.constant dense<1> : tensor<3x3x12xsi8>
  %d = graph.constant dense<1> : tensor<2x9x5x12xsi8>
  %0 = graph.conv %x, %a {{{WINDOW}, groups = 1}} : {IMAGE}, tensor<8x3x3x12xsi8> -> {MAPS}
  %1 = graph.conv %x, %b {{{WINDOW}, groups = 4}} : {IMAGE}, tensor<8x3x3x3xsi8> -> {MAPS}
  %2 = graph.depthwise_conv %x, %c {{{WINDOW}}}
      : {IMAGE}, tensor<3x3x12xsi8> -> tensor<2x9x7x12xsi32>
  %3 = graph.matmul %x, %d {{transpose_rhs}}
      : {IMAGE}, tensor<2x9x5x12xsi8> -> tensor<2x9x7x5xsi32>
  func.return
}}"""
OPS = [op for op in parse(CONVS)[1].walk() if isinstance(op, GraphOp) and op.operands]


def sizes_of_a_box(data: st.DataObject, op: GraphOp) -> tuple[int, ...]:
    """Sizes of a tile: of the iterators that share a dimension the inner one is cut alone."""
    sizes = [
        data.draw(st.integers(1, it.extent)) if it.parallel and it.tileable else it.extent
        for it in op.iterators()
    ]
    names = [it.name for it in op.iterators()]
    if "g" in names and sizes[names.index("g")] > 1:
        inner = names.index("co")
        sizes[inner] = op.iterators()[inner].extent
    return tuple(sizes)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_sizes_follow_from_the_result(data: st.DataObject) -> None:
    op = data.draw(st.sampled_from(OPS))
    sizes = sizes_of_a_box(data, op)
    (tile,) = result_tiles(op, [Range(0, size) for size in sizes])
    assert iterator_sizes(op, [r.size for r in tile]) == sizes


def runs(offsets: Sequence[int]) -> int:
    """Contiguous pieces in which sorted elements lie."""
    return 1 + sum(b != a + 1 for a, b in pairwise(offsets))


@settings(max_examples=80, deadline=None)
@given(
    shape=st.lists(st.integers(1, 4), min_size=1, max_size=4),
    room=st.lists(st.integers(0, 2), min_size=4, max_size=4),
)
def test_rows_of_a_transfer(shape: list[int], room: list[int]) -> None:
    whole = [e + r for e, r in zip(shape, room, strict=False)]
    far = [math.prod(whole[d + 1 :]) for d in range(len(shape))]
    near = [math.prod(shape[d + 1 :]) for d in range(len(shape))]
    row, *outer = collapse(shape, list(zip(far, near, strict=True)))
    offsets = np.add.reduce(np.indices(shape).reshape(len(shape), -1).T * far, axis=1)
    assert row * math.prod(outer) == math.prod(shape)
    assert math.prod(outer) == runs(offsets.tolist())


LOOKED_UP = f"""func.func @network() {{
  %table = mem.buffer at 0 : memref<1x100x4xsi8, {NEAR}>
  %indices = mem.buffer at 400 : memref<2xsi32, {NEAR}>
  %rows = mem.buffer at 408 : memref<1x2x4xsi8, {NEAR}>
  cluster.call "k" of "cluster" ins(%table, %indices : memref<1x100x4xsi8, {NEAR}>,
      memref<2xsi32, {NEAR}>) outs(%rows : memref<1x2x4xsi8, {NEAR}>) overhang [] {{
    ^bb0(%t: tensor<1x100x4xsi8>, %i: tensor<2xsi32>):
      %c = graph.gather %t at %i : tensor<1x100x4xsi8> at tensor<2xsi32> -> tensor<1x2x4xsi8>
      cluster.yield %c : tensor<1x2x4xsi8>
  }} loc("gather")
  func.return
}}"""


def test_entries_of_a_table_are_no_operations() -> None:
    """Two rows of four elements are visited, not all hundred for each."""
    (nest,) = simulate(program(LOOKED_UP)).nests
    assert nest.tally.operations == 8


# --- Results that are seen through a view ---------------------------------------------------------

HEADS = """func.func @network(%x: tensor<1x10x4x4xsi8>, %w: tensor<1x10x4x4xsi8>)
    -> tensor<1x4x10x4xsi8> {
  %y = graph.matmul %x, %w {requant = #graph.requant<mul = 1, add = 0, shift = 6, min = -128,
    max = 127>} : tensor<1x10x4x4xsi8>, tensor<1x10x4x4xsi8> -> tensor<1x10x4x4xsi8>
  %z = graph.transpose %y {permutation = array<i64: 0, 2, 1, 3>}
    : tensor<1x10x4x4xsi8> -> tensor<1x4x10x4xsi8>
  func.return %z : tensor<1x4x10x4xsi8>
}"""


def test_a_border_tile_behind_a_view_is_as_large_as_it_is() -> None:
    ctx, module = parse(HEADS)
    module.attributes[TARGET] = target_attr(CHIP.with_sizes(L1=192))
    for name in ("place", "form-nests", "fuse-nests"):
        run_pass(ctx, module, name)
    run_pass(ctx, module, "plan", policy="layerwise")
    for name in MEMORY:
        run_pass(ctx, module, name)
    rows = [op for op in module.walk() if isinstance(op, CallOp)]
    assert any(isinstance(op.output.owner, ViewOp) for op in rows)
    (nest,) = simulate(module).nests
    assert 10 % nest.info.tile[1] or 10 % nest.info.tile[2], "the last tile is a smaller one"
