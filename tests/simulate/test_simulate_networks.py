"""Whole networks: what must add up does, and the plan is what happens."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lowering_helpers import draw_network, function_of, parse
from xdsl.dialects.builtin import ModuleOp
from xdsl.universe import Universe

from deeploy.context import make_context
from deeploy.dialects.cluster import CallOp
from deeploy.frontend import import_model
from deeploy.instrumentation.pipeline import parse_passes, run_pipeline
from deeploy.pipelines import standard_pipeline
from deeploy.report.nests import NestRecorder
from deeploy.report.traffic import count
from deeploy.simulate import simulate
from deeploy.simulate.machine import Cause, Track
from deeploy.simulate.result import Simulation

NETWORKS = Path(__file__).parents[3] / "shared" / "models" / "networks"
CLOSE = 0.15
"""How far the plan may be from what happens."""


def compiled(text: str | Path, l1: int | None = None) -> tuple[ModuleOp, NestRecorder]:
    """A network lowered for Siracusa."""
    if isinstance(text, Path):
        ctx = make_context()
        with np.load(text.parent / "inputs.npz") as inputs:
            module = import_model(text, ctx, {}, dict(inputs))
    else:
        ctx, module = parse(text)
    recorder = NestRecorder()
    spec = standard_pipeline("siracusa", sizes={"L1": l1} if l1 else None)
    passes = parse_passes(Universe.get_multiverse().all_passes, spec)
    run_pipeline(ctx, module, passes, [recorder])
    return module, recorder


def check(simulation: Simulation, module: ModuleOp) -> None:
    """What is true of every simulation."""
    function = function_of(module)
    assert simulation.cycles == simulation.causes.total()
    assert simulation.busy[Track.CORES] == simulation.causes[Cause.KERNEL]
    moved = Counter[str]()
    for entry in count(function).transfers.values():
        moved[entry.destination] += entry.bytes
    assert simulation.bytes == Counter({Track.LOAD: moved["L1"], Track.STORE: moved["L2"]})
    assert simulation.count("barriers") == count(function).barriers
    for track in Track:
        spans = sorted((e.start, e.end) for e in simulation.events if e.track == track)
        assert all(a[1] <= b[0] for a, b in pairwise(spans)), f"{track} does two things at once"
        assert simulation.busy[track] == sum(
            b - a for a, b in spans) or track is Track.CORES  # fmt: skip
        assert not spans or spans[-1][1] <= simulation.cycles
    cores = [e for e in simulation.events if e.track is Track.CORES]
    assert sum(e.end - e.start for e in cores) == simulation.cycles
    assert simulation.count("calls") >= sum(isinstance(op, CallOp) for op in function.walk())


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_everything_adds_up(data: st.DataObject) -> None:
    text = draw_network(data.draw, ops=3)
    module, recorder = compiled(text, data.draw(st.sampled_from([3000, 20000])))
    simulation = simulate(module, recorder.nests)
    check(simulation, module)
    # the same without knowing the plan
    again = simulate(module)
    assert (again.cycles, again.causes, again.bytes) == (
        simulation.cycles, simulation.causes, simulation.bytes,
    )  # fmt: skip


@pytest.mark.parametrize("l1", [None, 16000])
@pytest.mark.parametrize(
    "name", ["MLPerf/KeywordSpotting", "MLPerf/ImageClassification", "miniMobileNet"]
)
def test_the_plan_is_what_happens(name: str, l1: int | None) -> None:
    path = NETWORKS / name / "network.onnx"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    module, recorder = compiled(path, l1)
    simulation = simulate(module, recorder.nests)
    check(simulation, module)
    assert simulation.cycles == pytest.approx(simulation.planned, rel=CLOSE)
    assert json.dumps(simulation.as_json()) == json.dumps(
        simulate(module, recorder.nests).as_json()
    )
