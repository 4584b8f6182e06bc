"""Chips with three memories, where weights go to the slow one when the second is full, and with
one, where everything lies on which the cores work."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from lowering_helpers import (
    MEMORY_PASSES,
    THREE_LEVELS,
    assert_same,
    draw_network,
    function_of,
    nests_in,
    nests_on,
    parse,
    run,
    run_pass,
)
from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, IntegerAttr, ModuleOp, StringAttr, i64
from xdsl.utils.exceptions import PassFailedException

from deeploy.diagnostics import DeeployError
from deeploy.dialects.dma import StartOp
from deeploy.dialects.graph import ConstantOp, ints
from deeploy.dialects.mem import HOME, TARGET, level_of
from deeploy.report.traffic import count
from deeploy.targets import Memory, Target, target_attr

# two layers with 2400 bytes of weights each, and 4 KiB of L2 for them, input and output
TWO_LAYERS = """func.func @network(%x: tensor<20x40xsi8>) -> tensor<20x40xsi8> {
  %w = graph.constant dense<1> : tensor<60x40xsi8>
  %v = graph.constant dense<2> : tensor<40x60xsi8>
  %0 = graph.matmul %x, %w {transpose_rhs,
    requant = #graph.requant<mul = 1, add = 0, shift = 3, min = -128, max = 127>}
    : tensor<20x40xsi8>, tensor<60x40xsi8> -> tensor<20x60xsi8>
  %1 = graph.matmul %0, %v {transpose_rhs,
    requant = #graph.requant<mul = 1, add = 0, shift = 5, min = -128, max = 127>}
    : tensor<20x60xsi8>, tensor<40x60xsi8> -> tensor<20x40xsi8>
  func.return %1 : tensor<20x40xsi8>
}"""

ONE_LEVEL = Target(
    name="one",
    cores=2,
    compute="RAM",
    io="RAM",
    memories=(Memory("RAM", size=1 << 16, align=8, persistent=True),),
    links=(),
)


def plan(text: str, target: Target) -> tuple[Context, ModuleOp]:
    ctx, module = nests_on(text, target)
    run_pass(ctx, module, "plan")
    run_pass(ctx, module, "check-plan")
    return ctx, module


def homes(module: ModuleOp) -> list[str]:
    """The memories of the constants."""
    found = [op.attributes[HOME] for op in module.walk() if isinstance(op, ConstantOp)]
    return [home.data for home in found]  # pyright: ignore


def test_weights_that_do_not_fit_go_to_the_third_memory() -> None:
    expected = run(*parse(TWO_LAYERS))
    ctx, module = plan(TWO_LAYERS, THREE_LEVELS)
    # one of them fits beside input and output, and would cost cycles in L3
    assert sorted(homes(module)) == ["L2", "L3"]
    for name in MEMORY_PASSES:
        run_pass(ctx, module, name)
        assert_same(expected, run(ctx, module), name)
    sources = {level_of(op.source) for op in module.walk() if isinstance(op, StartOp)}
    assert sources >= {"L2", "L3"}
    moved = count(function_of(module)).transfers.values()
    assert sum(t.bytes for t in moved if t.source == "L3") >= 2400


def test_nothing_goes_there_without_need() -> None:
    _, module = plan(TWO_LAYERS, THREE_LEVELS.with_sizes(L2=16384))
    assert homes(module) == ["L2", "L2"]


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_random_networks(data: st.DataObject) -> None:
    text = draw_network(data.draw, ops=3)
    size = data.draw(st.sampled_from([1536, 4096]))
    expected = run(*parse(text))
    try:
        ctx, module = plan(text, THREE_LEVELS.with_sizes(L1=size, L2=size))
    except PassFailedException as error:
        assert "does not fit" in str(error)
        assume(False)
        raise
    for name in MEMORY_PASSES:
        run_pass(ctx, module, name)
    assert_same(expected, run(ctx, module), "lowered")


# --- Budgets --------------------------------------------------------------------------------------


def test_the_smallest_budget_is_the_smallest_one() -> None:
    """What the diagnostic promises is true: a plan with that many bytes, and none with less."""
    target = replace(THREE_LEVELS, cores=1)
    with pytest.raises(PassFailedException, match=r"at least (\d+) bytes of L1") as error:
        plan(TWO_LAYERS, target.with_sizes(L1=16))
    smallest = int(str(error.value).split("at least ")[1].split()[0])
    _, module = plan(TWO_LAYERS, target.with_sizes(L1=smallest, L2=16384))
    assert len(nests_in(module)) == 2
    with pytest.raises(PassFailedException, match="does not fit"):
        plan(TWO_LAYERS, target.with_sizes(L1=smallest - 8, L2=16384))


@pytest.mark.parametrize("objective", ["latency", "memory"])
def test_plans_repeat(objective: str) -> None:
    texts: list[str] = []
    for _ in range(2):
        ctx, module = nests_on(TWO_LAYERS, THREE_LEVELS)
        run_pass(ctx, module, "plan", objective=objective)
        texts.append(str(module))
    assert texts[0] == texts[1]


# --- Options and targets that cannot be -----------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": "nosuch"}, "unknown target 'nosuch'; known: host, siracusa"),
        ({"target": "host", "cores": 0}, "the number of cores must be 1 to 16, not 0"),
        ({"target": "host", "cores": 17}, "the number of cores must be 1 to 16, not 17"),
        ({"target": "host", "sizes": ("L1=0",)}, "the size of memory 'L1' must be a number"),
        ({"target": "host", "sizes": ("L1",)}, "must be a number of bytes > 0, not ''"),
        ({"target": "host", "sizes": ("L9=64",)}, "target 'host' has no memory 'L9'; it has L1"),
    ],
)
def test_set_target_refuses(options: dict, message: str) -> None:
    ctx, module = parse(TWO_LAYERS)
    with pytest.raises((PassFailedException, DeeployError)) as error:
        run_pass(ctx, module, "set-target", **options)
    assert message in str(error.value)


@pytest.mark.parametrize("name", ["place", "plan", "check-plan", "bufferize", "tile", "insert-dma"])
def test_passes_need_a_target(name: str) -> None:
    ctx, module = parse(TWO_LAYERS)
    with pytest.raises(PassFailedException, match="the module has no target; run 'set-target"):
        run_pass(ctx, module, name)


def test_plan_takes_one_or_two_buffers() -> None:
    ctx, module = nests_on(TWO_LAYERS, THREE_LEVELS)
    with pytest.raises(PassFailedException, match="buffers must be 1 or 2, not 3"):
        run_pass(ctx, module, "plan", buffers=3)


def test_constants_need_a_memory_that_holds_them() -> None:
    memories = tuple(replace(m, persistent=False) for m in THREE_LEVELS.memories)
    ctx, module = nests_on(TWO_LAYERS, replace(THREE_LEVELS, memories=memories))
    message = "target 'three' has no memory for constants"
    with pytest.raises(PassFailedException, match=message):
        run_pass(ctx, module, "bufferize")


def test_memories_need_a_link_to_the_cores() -> None:
    target = replace(THREE_LEVELS, links=THREE_LEVELS.links[:1])
    ctx, module = nests_on(TWO_LAYERS, target)
    with pytest.raises(DeeployError, match="'three' has no link between 'L1' and 'L3'"):
        run_pass(ctx, module, "plan")


def test_check_plan_knows_which_memories_take_activations() -> None:
    ctx, module = plan(TWO_LAYERS, THREE_LEVELS)
    first = nests_in(module)[0]
    # tiles of the result where it may have been itself
    first.scratch = IntegerAttr(0, i64)
    first.homes, first.offsets = ArrayAttr([StringAttr("L3")]), ints([1 << 16])
    run_pass(ctx, module, "check-plan")
    flash = replace(THREE_LEVELS.memories[2], activations=False)
    target = replace(THREE_LEVELS, memories=(*THREE_LEVELS.memories[:2], flash))
    module.attributes[TARGET] = target_attr(target)
    with pytest.raises(PassFailedException, match="L3 cannot hold what a nest computes"):
        run_pass(ctx, module, "check-plan")


def test_one_memory_holds_everything() -> None:
    expected = run(*parse(TWO_LAYERS))
    ctx, module = plan(TWO_LAYERS, ONE_LEVEL)
    assert homes(module) == ["RAM", "RAM"]
    assert all(
        nest.tile_sizes() == tuple(it.extent for it in nest.iterators())
        for nest in nests_in(module)
    )
    for name in MEMORY_PASSES:
        run_pass(ctx, module, name)
        assert_same(expected, run(ctx, module), name)
    assert not [op for op in module.walk() if isinstance(op, StartOp)]


def test_one_memory_that_is_too_small() -> None:
    with pytest.raises(PassFailedException, match="RAM must hold at least"):
        plan(TWO_LAYERS, ONE_LEVEL.with_sizes(RAM=4096))


def test_one_memory_cannot_be_switched_off() -> None:
    with pytest.raises(DeeployError, match="no other memory than RAM"):
        ONE_LEVEL.without_residents()
