"""A lowered network at every position is the network imported with caches of that length."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
from stateful_networks import FLOATS, INTEGERS, NETWORKS, inputs_at
from xdsl.universe import Universe

from deeploy.context import make_context
from deeploy.diagnostics import DeeployError
from deeploy.frontend import import_growing, import_model
from deeploy.instrumentation.pipeline import parse_passes, run_pipeline
from deeploy.interpreters import run_module
from deeploy.pipelines import standard_pipeline

POSITIONS = 9


def lowered(model: bytes, types: dict[str, str], l1: int, cores: int):
    """A context and the module after the standard pipeline."""
    ctx = make_context()
    module = import_growing(model, ctx, POSITIONS, types)
    spec = standard_pipeline("siracusa", cores=cores, sizes={"L1": l1})
    run_pipeline(ctx, module, parse_passes(Universe.get_multiverse().all_passes, spec), [])
    return ctx, module


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize(("l1", "cores"), [(1_400, 1), (200_000, 8)])
def test_every_position(kind: str, l1: int, cores: int) -> None:
    graph = NETWORKS[kind]()
    model = graph.model().SerializeToString()
    types = {name: "si8" for name in graph.inputs} if kind in INTEGERS else {}
    ctx, module = lowered(model, types, l1, cores)
    for position in range(POSITIONS):
        arrays = inputs_at(graph, position, position)
        inputs = list(arrays.values())
        at_length = make_context()
        fixed = import_model(model, at_length, types, length=position)
        expected = run_module(at_length, fixed, inputs)
        actual = run_module(ctx, module, inputs)
        for a, b in zip(actual, expected, strict=True):
            assert a.shape == b.shape
            assert np.array_equal(a, b) if kind in INTEGERS else np.allclose(a, b, atol=1e-5)


@pytest.mark.parametrize("kind", FLOATS)
def test_the_reference_is_onnx(kind: str) -> None:
    graph = FLOATS[kind]()
    model = graph.model().SerializeToString()
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    for position in (0, 1, 5):
        arrays = inputs_at(graph, position, position)
        ctx = make_context()
        actual = run_module(ctx, import_model(model, ctx, length=position), list(arrays.values()))
        for a, b in zip(actual, session.run(None, dict(arrays)), strict=True):
            assert np.allclose(a, b, atol=1e-5)


def test_full_caches() -> None:
    """There is no position behind the last one, and all caches are at the same."""
    graph = NETWORKS["multi_head"]()
    ctx, module = lowered(graph.model().SerializeToString(), {}, 200_000, 1)
    with pytest.raises(DeeployError, match="hold 9 rows, and have room for no more"):
        run_module(ctx, module, list(inputs_at(graph, POSITIONS, 0).values()))
    x, k, _ = inputs_at(graph, 2, 0).values()
    with pytest.raises(DeeployError, match=r"different numbers of rows: \[2, 3\]"):
        run_module(ctx, module, [x, k, inputs_at(graph, 3, 0)["past_v"]])
