"""Planted mistakes are seen: what the interpreter and the checks are worth."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from lowering_helpers import HOST, MEMORY_PASSES, nests_on, parse, run, run_pass
from xdsl.context import Context
from xdsl.dialects import arith, memref
from xdsl.dialects.builtin import IntegerAttr, ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation
from xdsl.rewriter import InsertPoint, Rewriter
from xdsl.utils.exceptions import PassFailedException

from deeploy.dialects.dma import StartOp, WaitOp
from deeploy.dialects.graph import ints
from deeploy.dialects.mem import TARGET, BufferOp, level_of
from deeploy.dialects.tiled import NestOp
from deeploy.instrumentation.semantics import random_inputs
from deeploy.interpreters import run_module
from deeploy.targets import target_attr

# tiles that are loaded, computed and stored in a loop, and weights that stay
WEIGHTS = [[(7 * row + 3 * column) % 11 - 5 for column in range(48)] for row in range(40)]
NETWORK = f"""func.func @network(%x: tensor<9x48xsi8>) -> tensor<9x40xsi8> {{
  %w = graph.constant dense<{WEIGHTS}> : tensor<40x48xsi8>
  %0 = graph.matmul %x, %w {{transpose_rhs,
    requant = #graph.requant<mul = 1, add = 0, shift = 6, min = -128, max = 127>}}
    : tensor<9x48xsi8>, tensor<40x48xsi8> -> tensor<9x40xsi8>
  %1 = graph.clip %0 {{min = -128, max = 127}} : tensor<9x40xsi8> -> tensor<9x40xsi8>
  func.return %1 : tensor<9x40xsi8>
}}"""


def lowered(buffers: int) -> tuple[Context, ModuleOp]:
    """The network after all passes, the product cut into tiles of four rows."""
    ctx, module = nests_on(NETWORK, HOST)
    tiles = ((4, 40, 48), (9, 40))
    nests = [op for op in module.walk() if isinstance(op, NestOp)]
    for nest, tile in zip(nests, tiles, strict=True):
        nest.tile, nest.order = ints(tile), ints((0,) if tile[0] < 9 else ())
        nest.buffers = IntegerAttr(buffers, 64)
    for name in MEMORY_PASSES:
        run_pass(ctx, module, name)
    return ctx, module


def all_of(module: ModuleOp, kind: type[Operation]) -> list[Operation]:
    return [op for op in module.walk() if isinstance(op, kind)]


EXPECTED = run(*parse(NETWORK))


def is_wrong(ctx: Context, module: ModuleOp) -> bool:
    """Whether the program computes something else, or stops."""
    try:
        (actual,) = run_module(ctx, module, random_inputs(module, 0))
    except Exception:
        return True
    return not np.array_equal(actual, EXPECTED[0])


@pytest.mark.parametrize("buffers", [1, 2])
def test_without_mistakes(buffers: int) -> None:
    assert not is_wrong(*lowered(buffers))


@pytest.mark.parametrize("buffers", [1, 2])
def test_every_wait_counts(buffers: int) -> None:
    waits = all_of(lowered(buffers)[1], WaitOp)
    assert len(waits) >= 4
    behind_loop = [i for i, wait in enumerate(waits) if isinstance(wait.parent_op(), FuncOp)]
    needless: list[int] = []
    for i in range(len(waits)):
        ctx, module = lowered(buffers)
        Rewriter.erase_op(all_of(module, WaitOp)[i])
        if not is_wrong(ctx, module):
            needless.append(i)
    # with two buffers the last turn starts no load, which the wait behind the loop does not know
    assert needless == (behind_loop[:1] if buffers == 2 else [])


@pytest.mark.parametrize("buffers", [1, 2])
def test_every_transfer_counts(buffers: int) -> None:
    count = len(all_of(lowered(buffers)[1], StartOp))
    for i in range(count):
        ctx, module = lowered(buffers)
        Rewriter.erase_op(all_of(module, StartOp)[i])
        assert is_wrong(ctx, module), f"transfer {i} of {count}"


def test_every_buffer_needs_its_place() -> None:
    """Put each buffer of the first nest over the one before it."""
    ctx, module = lowered(2)
    near = [b for b in all_of(module, BufferOp) if level_of(b.results[0]) == "L1"]
    assert len(near) >= 4
    for i in range(1, 3):
        ctx, module = lowered(2)
        buffers = [b for b in all_of(module, BufferOp) if level_of(b.results[0]) == "L1"]
        before, moved = buffers[i - 1], buffers[i]
        assert isinstance(moved, BufferOp) and isinstance(before, BufferOp)
        moved.offset = before.offset
        assert is_wrong(ctx, module), f"buffer {i}"


def test_one_slot_for_two_tiles() -> None:
    """Load ahead into the slot that is being computed on."""
    ctx, module = lowered(2)
    slots = [op for op in all_of(module, arith.RemUIOp) if is_two(op)]
    assert slots
    for op in slots:
        assert isinstance(op, arith.RemUIOp)
        one = arith.ConstantOp(IntegerAttr.from_index_int_value(1))
        assert op.parent is not None
        op.parent.insert_op_before(one, op)
        op.operands[1] = one.result
    assert is_wrong(ctx, module)


def is_two(op: Operation) -> bool:
    divisor = op.operands[1].owner
    two = IntegerAttr.from_index_int_value(2)
    return isinstance(divisor, arith.ConstantOp) and divisor.value == two


def test_a_tile_from_the_wrong_place() -> None:
    ctx, module = lowered(1)
    view = next(
        op
        for op in all_of(module, memref.SubviewOp)
        if level_of(op.results[0]) == "L2" and len(op.operands) > 1
    )
    zero = arith.ConstantOp(IntegerAttr.from_index_int_value(0))
    assert view.parent is not None
    view.parent.insert_op_before(zero, view)
    view.operands[1] = zero.result
    assert is_wrong(ctx, module)


# what is loaded again was stored just before
ROUND_TRIP = """func.func @network(%x: memref<16xsi8, #mem.level<"L2">> {mem.offset = 0 : i64})
    -> memref<16xsi8, #mem.level<"L2">> {
  %load = dma.channel
  %store = dma.channel
  %a = mem.buffer at 0 : memref<16xsi8, #mem.level<"L1">>
  %b = mem.buffer at 16 : memref<16xsi8, #mem.level<"L1">>
  %m = mem.buffer at 16 : memref<16xsi8, #mem.level<"L2">>
  %y = mem.buffer at 32 : memref<16xsi8, #mem.level<"L2">>
  dma.start %x to %a on %load : memref<16xsi8, #mem.level<"L2">> to memref<16xsi8, #mem.level<"L1">>
  dma.wait %load
  dma.start %a to %m on %store
    : memref<16xsi8, #mem.level<"L1">> to memref<16xsi8, #mem.level<"L2">>
  dma.wait %store
  dma.start %m to %b on %load : memref<16xsi8, #mem.level<"L2">> to memref<16xsi8, #mem.level<"L1">>
  dma.wait %load
  dma.start %b to %y on %store
    : memref<16xsi8, #mem.level<"L1">> to memref<16xsi8, #mem.level<"L2">>
  dma.wait %store
  func.return %y : memref<16xsi8, #mem.level<"L2">>
}"""


@pytest.mark.parametrize("late", [False, True])
def test_a_load_before_the_end_of_the_store_that_it_reads(late: bool) -> None:
    """Both are awaited before anything is used, but in the wrong order."""
    ctx, module = parse(ROUND_TRIP)
    module.attributes[TARGET] = target_attr(HOST)
    if late:
        wait = all_of(module, WaitOp)[1]
        load = wait.next_op
        assert isinstance(load, StartOp)
        wait.detach()
        Rewriter.insert_op(wait, InsertPoint.after(load))
    inputs = random_inputs(module, 0)
    (actual,) = run_module(ctx, module, inputs)
    assert np.array_equal(actual, inputs[0]) != late


# --- Plans ----------------------------------------------------------------------------------------


def planned() -> tuple[Context, ModuleOp, list[NestOp]]:
    ctx, module = nests_on(NETWORK, HOST.with_sizes(L1=2560))
    run_pass(ctx, module, "plan", buffers=2)
    nests = [op for op in module.walk() if isinstance(op, NestOp)]
    return ctx, module, nests


def larger_tile(nest: NestOp) -> None:
    """One tile instead of several."""
    assert nest.tile is not None
    sizes = [it.extent for it in nest.iterators()]
    nest.tile, nest.order = ints(sizes), ints(())


def shifted(nest: NestOp) -> None:
    assert nest.scratch is not None
    nest.scratch = IntegerAttr(nest.scratch.value.data + 8, 64)


def beyond(nest: NestOp) -> None:
    nest.scratch = IntegerAttr(2560 - 16, 64)


@pytest.mark.parametrize("edit", [larger_tile, shifted, beyond])
def test_check_plan_sees_edits(edit: Callable[[NestOp], None]) -> None:
    ctx, module, nests = planned()
    run_pass(ctx, module, "check-plan")
    edit(nests[0])
    nests[0].verify()
    with pytest.raises(PassFailedException, match=r"exceeds|aligned|overlaps"):
        run_pass(ctx, module, "check-plan")
