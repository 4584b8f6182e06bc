"""Jobs of the accelerator are hidden by steps of the cores that do not depend on them."""

from __future__ import annotations

from collections.abc import Sequence
from unittest import mock

from lowering_helpers import function_of, nests_on, run_pass

from deeploy.planner.extract import extract
from deeploy.planner.problem import Step
from deeploy.targets import find_target

SIRACUSA = find_target("siracusa")
CLIP = "graph.clip {} {{min = 0, max = 9}} : tensor<4x64xsi8> -> tensor<4x64xsi8>"


def network(clipped: str) -> str:
    """A product with constant weights, then a clip of its input or of its result."""
    return f"""func.func @network(%x: tensor<4x64xsi8>) -> tensor<4x64xsi8> {{
  %w = graph.constant dense<100> : tensor<64x64xsi8>
  %y = graph.matmul %x, %w {{transpose_rhs, requant = #graph.requant<mul = 5, add = 16, shift = 5,
    min = -128, max = 127>}} : tensor<4x64xsi8>, tensor<64x64xsi8> -> tensor<4x64xsi8>
  %c = {CLIP.format(clipped)}
  %z = graph.add %y, %c {{requant = #graph.requant<mul = 1, add = 0, shift = 1, min = -128,
    max = 127>}} : tensor<4x64xsi8>, tensor<4x64xsi8> -> tensor<4x64xsi8>
  func.return %z : tensor<4x64xsi8>
}}"""


def steps_of(text: str) -> tuple[Sequence[Step], Sequence[Step]]:
    """The steps, without and with what runs at the same time."""
    ctx, module = nests_on(text, SIRACUSA)
    run_pass(ctx, module, "offer-engines")
    with mock.patch("deeploy.planner.extract.hide_jobs", lambda steps, *_: steps):
        alone = extract(function_of(module), SIRACUSA).problem.steps
    return alone, extract(function_of(module), SIRACUSA).problem.steps


def test_an_independent_step_hides_a_job() -> None:
    alone, together = steps_of(network("%x"))
    dispatch = 26 * SIRACUSA.register_cycles
    clip = min(c.busy for c in alone[1].candidates)
    for before, after in zip(alone[0].candidates, together[0].candidates, strict=True):
        is_job = before.way == 1 and not before.order
        saved = min(before.busy - dispatch, clip) if is_job else 0
        assert before.cycles - after.cycles == saved
    assert any(c.way == 1 and not c.order for c in alone[0].candidates)
    assert alone[1:] == together[1:]


def test_a_step_that_needs_the_result_hides_nothing() -> None:
    alone, together = steps_of(network("%y"))
    assert alone == together
