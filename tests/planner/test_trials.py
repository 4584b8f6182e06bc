"""Plans side by side: the fastest in simulation is taken, and what is tried is what runs."""

from __future__ import annotations

from dataclasses import replace
from unittest import mock

import pytest
from lowering_helpers import nests_on, run_pass
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from deeploy.functions import functions_of
from deeploy.pipelines import MEMORY
from deeploy.planner import trial
from deeploy.planner.extract import Extracted, extract
from deeploy.planner.model import Options, solve
from deeploy.planner.policy import restrict
from deeploy.planner.problem import Plan
from deeploy.planner.trial import Trial
from deeploy.simulate import simulate
from deeploy.targets import find_target

CONVOLUTIONS = """func.func @network(%x: tensor<1x8x8x8xsi8>) -> tensor<1x8x8x8xsi8> {
  %v = graph.constant dense<1> : tensor<8x3x3x8xsi8>
  %w = graph.constant dense<2> : tensor<8x3x3x8xsi8>
  %y = graph.conv %x, %v {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>,
    dilations = array<i64: 1, 1>, groups = 1, channels_last,
    requant = #graph.requant<mul = 1, add = 0, shift = 6, min = -128, max = 127>}
    : tensor<1x8x8x8xsi8>, tensor<8x3x3x8xsi8> -> tensor<1x8x8x8xsi8>
  %z = graph.conv %y, %w {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>,
    dilations = array<i64: 1, 1>, groups = 1, channels_last,
    requant = #graph.requant<mul = 1, add = 0, shift = 6, min = -128, max = 127>}
    : tensor<1x8x8x8xsi8>, tensor<8x3x3x8xsi8> -> tensor<1x8x8x8xsi8>
  func.return %z : tensor<1x8x8x8xsi8>
}"""
SMALL = find_target("siracusa").with_sizes(L1=2000)


def planned(**options: object) -> tuple[Context, ModuleOp]:
    """The network with a plan, lowered."""
    ctx, module = nests_on(CONVOLUTIONS, SMALL)
    run_pass(ctx, module, "plan", **options)
    return ctx, module


def lowered_cycles(**options: object) -> int:
    """Simulated cycles of the whole program with a plan."""
    ctx, module = planned(**options)
    for name in MEMORY:
        run_pass(ctx, module, name)
    return simulate(module).cycles


def extracted_from(module: ModuleOp) -> Extracted:
    (function,) = functions_of(module)
    return extract(function, SMALL)


def fastest_of(ctx: Context, module: ModuleOp, plan: Plan) -> Plan:
    (function,) = functions_of(module)
    _, taken = trial.fastest(ctx, module, function, extracted_from(module), plan, Options())
    return taken


def cycles_of(ctx: Context, module: ModuleOp, plan: Plan) -> int:
    (function,) = functions_of(module)
    return trial.simulated_cycles(ctx, module, Trial(function, extracted_from(module), plan))


def slow_plan(module: ModuleOp) -> Plan:
    """A plan with two buffers, of smaller tiles: here one is better."""
    return solve(restrict(extracted_from(module).problem, "best", 2), Options())


def test_a_faster_rival_is_taken() -> None:
    ctx, module = nests_on(CONVOLUTIONS, SMALL)
    # as if the program had thought so much of the slow plan
    slow = slow_plan(module)
    before = str(module)
    taken = fastest_of(ctx, module, slow)
    assert cycles_of(ctx, module, taken) < cycles_of(ctx, module, slow)
    assert str(module) == before, "trials leave the network as it is"


def test_rivals_far_behind_are_not_simulated() -> None:
    ctx, module = nests_on(CONVOLUTIONS, SMALL)
    slow = slow_plan(module)
    with mock.patch.object(trial, "simulated_cycles") as simulated:
        assert fastest_of(ctx, module, replace(slow, cycles=1)) is not None
    simulated.assert_not_called()


def test_long_networks_are_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "MOST_STEPS", 1)
    ctx, module = nests_on(CONVOLUTIONS, SMALL)
    slow = slow_plan(module)
    assert fastest_of(ctx, module, slow) is slow


def test_a_trial_takes_as_long_as_the_program() -> None:
    ctx, module = nests_on(CONVOLUTIONS, SMALL)
    plan = solve(extracted_from(module).problem, Options())
    assert cycles_of(ctx, module, plan) == lowered_cycles()


@pytest.mark.parametrize("options", [{"buffers": 1}, {"buffers": 2}, {"policy": "layerwise"}])
def test_no_restricted_plan_is_faster(options: dict[str, object]) -> None:
    assert lowered_cycles(trials=True) <= lowered_cycles(**options)


def test_the_best_plan_is_taken_where_it_keeps_a_restriction() -> None:
    ctx, module = nests_on(CONVOLUTIONS, find_target("siracusa"))
    free = module.clone()
    run_pass(ctx, free, "plan")
    run_pass(ctx, module, "plan", buffers=1)
    assert str(module) == str(free)


LINEAR = """func.func @network(%x: tensor<4x64xsi8>) -> tensor<4x32xsi8> {
  %w = graph.constant dense<-3> : tensor<32x64xsi8>
  %y = graph.matmul %x, %w {transpose_rhs, requant = #graph.requant<mul = 5, add = 16, shift = 5,
    min = -128, max = 127>} : tensor<4x64xsi8>, tensor<32x64xsi8> -> tensor<4x32xsi8>
  func.return %y : tensor<4x32xsi8>
}"""


def test_where_the_cores_are_faster_nothing_of_the_offers_is_left() -> None:
    ctx, module = nests_on(LINEAR, find_target("siracusa"))
    run_pass(ctx, module, "offer-engines")
    assert "npu.conv" in str(module)

    def cycles(ctx: Context, module: ModuleOp, tried: Trial) -> int:
        return int("npu.conv" in str(tried.function))

    with (
        mock.patch.object(trial, "CLOSE", 1e9),
        mock.patch.object(trial, "simulated_cycles", side_effect=cycles),
    ):
        run_pass(ctx, module, "plan", trials=True)
    run_pass(ctx, module, "check-plan")
    text = str(module)
    assert "npu.conv" not in text and "packed" not in text
    assert text.count("tiled.nest") == 1
