"""Comparisons, logic and Where, compared with onnxruntime."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx_builders import (
    evaluate,
    expect_as_onnxruntime,
    floats,
    imported,
    int64,
    model,
    node,
    ops,
)
from xdsl.context import Context

from deeploy.diagnostics import DeeployError
from deeploy.dialects.graph import element_type, si32, ui8
from deeploy.frontend import import_model
from deeploy.interpreters import run_module

AS_FLOAT = node("Cast", "c", to=TensorProto.FLOAT, name="out")
X = floats((2, 3, 4), -3, 3)
"""Few values, so that some are equal."""


@pytest.mark.parametrize("type", ["si8", "f32"])
@pytest.mark.parametrize("op", ["Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"])
def test_comparisons(ctx: Context, op: str, type: str) -> None:
    inputs = {"x": X, "z": floats((3, 1), -3, 3, seed=1)}
    types = {"x": type, "z": type}
    nodes = [node(op, "x z", "c"), AS_FLOAT]
    expect_as_onnxruntime(ctx, nodes, inputs, opset=16, input_types=types)


def test_a_constant_with_fractions_compares_as_float(ctx: Context) -> None:
    constants = {"k": np.array([0.5, -0.5, 1, -1], np.float32)}
    expect_as_onnxruntime(ctx, [node("Less", "x k", "c"), AS_FLOAT], {"x": X}, constants)


@pytest.mark.parametrize("op", ["And", "Or", "Xor"])
def test_logic(ctx: Context, op: str) -> None:
    constants = {"zero": np.float32(0), "known": np.array([[True], [False], [True]])}
    nodes = [
        node("Greater", "x zero", "a"),
        node("Not", "a", "b"),
        node("Cast", "z", "d", to=TensorProto.BOOL),
        node(op, "b d", "e"),
        node(op, "e known", "c", name="second"),
        AS_FLOAT,
    ]
    expect_as_onnxruntime(ctx, nodes, {"x": X, "z": floats((4,), 0, 2)}, constants, opset=16)


@pytest.mark.parametrize(
    ("values", "constants"),
    [
        ("x z", {}),
        ("x k", {"k": np.float32(-100)}),
        ("x k", {"k": np.float32(1000)}),
        ("k z", {"k": floats((3, 1))}),
        ("k l", {"k": floats((2, 1, 1)), "l": floats((4,), seed=3)}),
    ],
)
@pytest.mark.parametrize("type", ["si8", "f32"])
def test_where(ctx: Context, values: str, constants: dict[str, np.ndarray], type: str) -> None:
    inputs = {"x": X, "z": floats((3, 1), -3, 3, seed=1)}
    nodes = [node("Less", "x z", "c"), node("Where", f"c {values}")]
    expect_as_onnxruntime(ctx, nodes, inputs, constants, input_types={"x": type, "z": type})


def test_a_causal_mask(ctx: Context) -> None:
    """Positions are compared at run time; what may not be seen becomes minus infinity."""
    constants = {"n": np.arange(5, dtype=np.float32), "no": np.float32(-np.inf)}
    nodes = [
        node("Unsqueeze", "p axes", "q"),
        node("LessOrEqual", "n q", "c"),
        node("Where", "c s no", "t"),
        node("Softmax", "t", axis=-1),
    ]
    proto = model(nodes, {"s": (3, 5), "p": (3,)}, constants | {"axes": int64(1)}, opset=16)
    scores, positions = floats((3, 5)) / 50, np.array([0, 2, 4], np.float32)
    module = imported(ctx, proto, {"s": "f32", "p": "si32"})
    (y,) = run_module(ctx, module, [scores, positions])
    seen = np.arange(5) <= positions[:, None]
    np.testing.assert_array_equal(y > 0, seen)
    np.testing.assert_allclose(y.sum(-1), 1, rtol=1e-6)


@pytest.mark.parametrize("value", [-np.inf, np.float32(-3.4e38)])
def test_masks_of_constants(ctx: Context, value: float) -> None:
    """Both values are whole numbers, but beyond 32 bits only floats hold them."""
    constants = {"k": np.float32(0), "l": np.float32(value)}
    nodes = [node("Less", "x k", "c"), node("Where", "c k l")]
    expect_as_onnxruntime(ctx, nodes, {"x": X}, constants, input_types={"x": "f32"})


def test_conditions_are_inputs_and_outputs(ctx: Context) -> None:
    """A bool of ONNX is a byte, whatever the examples are."""
    graph = helper.make_graph(
        [node("Not", "c", "n"), node("Where", "n x k")],
        "test",
        [
            helper.make_tensor_value_info("c", TensorProto.BOOL, (2, 1)),
            helper.make_tensor_value_info("x", TensorProto.INT64, (2, 3)),
        ],
        [
            helper.make_tensor_value_info("n", TensorProto.BOOL, None),
            helper.make_tensor_value_info("y", TensorProto.INT64, None),
        ],
        [onnx.numpy_helper.from_array(int64(7, 8, 9), "k")],
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 16)], ir_version=8)
    mask, x = np.array([[True], [False]]), np.arange(6).reshape(2, 3) + 1000
    module = import_model(proto.SerializeToString(), ctx, input_values={"c": mask, "x": x})
    function = next(iter(module.body.block.ops))
    arguments = function.regions[0].block.args
    assert [element_type(v) for v in arguments] == [ui8, si32]
    not_mask, y = run_module(ctx, module, [mask, x])
    assert not_mask.dtype == np.uint8
    np.testing.assert_array_equal(not_mask, ~mask)
    np.testing.assert_array_equal(y, np.where(mask, [7, 8, 9], x))


def test_a_condition_that_is_a_byte_already_costs_nothing(ctx: Context) -> None:
    nodes = [node("Less", "x x", "c"), node("Cast", "c", "d", to=TensorProto.BOOL)]
    module = imported(ctx, model([*nodes, node("Where", "d x x")], {"x": (4,)}))
    assert len(ops(module, "graph.compare")) == 1


def test_operators_that_onnx_defines_by_others(ctx: Context) -> None:
    """ThresholdedRelu is a comparison and a choice."""
    expect_as_onnxruntime(
        ctx, [node("ThresholdedRelu", "x", alpha=1.0)], {"x": X}, opset=22,
        input_types={"x": "f32"},
    )  # fmt: skip


def test_a_constant_that_is_no_number_is_refused(ctx: Context) -> None:
    proto = model([node("Equal", "x k")], {"x": (4,)}, {"k": np.array([2**40], np.int64)})
    with pytest.raises(DeeployError, match="exceeds 32 bits"):
        evaluate(ctx, proto, {"x": floats((4,))})
