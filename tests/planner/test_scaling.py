"""Large networks: nests of one structure are looked at once, and plans stay proved."""

from __future__ import annotations

from unittest import mock

from lowering_helpers import HOST, function_of, nests_on
from planning_helpers import assert_valid

from deeploy.planner import extract as extraction
from deeploy.planner.candidates import enumerate_candidates
from deeploy.planner.extract import extract
from deeploy.planner.model import Options, solve
from deeploy.planner.problem import LOOKAHEAD

LAYERS = 60


def chain(layers: int) -> str:
    """Convolutions with one and with three rows and columns of window, by turns."""
    lines: list[str] = []
    for i in range(layers):
        side = 1 + 2 * (i % 2)
        weight = f"tensor<8x{side}x{side}x8xsi8>"
        pads = ", ".join([str(side // 2)] * 4)
        lines += [
            f"%w{i} = graph.constant dense<{i + 1}> : {weight}",
            f"%x{i + 1} = graph.conv %x{i}, %w{i} {{strides = array<i64: 1, 1>, "
            f"pads = array<i64: {pads}>, dilations = array<i64: 1, 1>, groups = 1, channels_last, "
            f"requant = #graph.requant<mul = {i % 3 + 1}, add = 0, shift = 6, min = -128, "
            "max = 127>} : "
            f"tensor<1x6x5x8xsi8>, {weight} -> tensor<1x6x5x8xsi8>",
        ]
    body = "\n  ".join(lines)
    return f"""func.func @network(%x0: tensor<1x6x5x8xsi8>) -> tensor<1x6x5x8xsi8> {{
  {body}
  func.return %x{layers} : tensor<1x6x5x8xsi8>
}}"""


def test_nests_of_one_structure_share_candidates() -> None:
    function = function_of(nests_on(chain(LAYERS), HOST)[1])
    with mock.patch.object(
        extraction, "enumerate_candidates", side_effect=enumerate_candidates
    ) as search:
        extracted = extract(function, HOST)
    # the first and the last layers have an end in the far memory, or fewer steps around
    assert search.call_count == 2 + 2 * LOOKAHEAD
    steps = extracted.problem.steps
    assert len(steps) == LAYERS
    first, second = steps[2], steps[4]
    assert [c.cycles for c in first.candidates] == [c.cycles for c in second.candidates]
    assert all(c.resident <= first.tensors for c in first.candidates)
    assert all(c.resident <= second.tensors for c in second.candidates)
    assert first.tensors.isdisjoint(second.tensors)


def test_loads_ahead_have_room_beside_the_step_before() -> None:
    small = HOST.with_sizes(L1=1024)
    steps = extract(function_of(nests_on(chain(4), small)[1]), small).problem.steps
    early = [(n, c) for n, step in enumerate(steps) for c in step.candidates if c.early]
    assert early
    for n, candidate in early:
        before = min(c.scratch for c in steps[n - 1].candidates if not c.order)
        assert candidate.scratch + before <= 1024


def test_plans_of_many_layers_are_optimal_and_valid() -> None:
    small = HOST.with_sizes(L1=1024)
    function = function_of(nests_on(chain(LAYERS), small)[1])
    problem = extract(function, small).problem
    plan = solve(problem, Options())
    assert_valid(plan, problem)
    assert plan.status == "optimal" and plan.gap <= 1e-4
