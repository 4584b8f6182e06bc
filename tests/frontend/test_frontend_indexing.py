"""Gather with indices that are known at run time, ArgMax and ArgMin, compared with onnxruntime."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_builders import expect_as_onnxruntime, floats, model, node
from xdsl.context import Context

from deeploy.dialects.graph import element_type, si32
from deeploy.frontend import import_model
from deeploy.interpreters import run_module

TABLE = floats((3, 7, 4))
AS_INDEX = node("Cast", "i", "j", to=TensorProto.INT64)
AS_FLOAT = node("Cast", "p", "y", to=TensorProto.FLOAT, name="out")


@pytest.mark.parametrize("type", ["si8", "f32"])
@pytest.mark.parametrize("shape", [(), (5,), (2, 3)], ids=str)
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_gather(ctx: Context, axis: int, shape: tuple[int, ...], type: str) -> None:
    extent = TABLE.shape[axis]
    inputs = {"x": TABLE, "i": floats(shape, -extent, extent - 1, seed=2)}
    nodes = [AS_INDEX, node("Gather", "x j", axis=axis)]
    expect_as_onnxruntime(ctx, nodes, inputs, input_types={"x": type, "i": "si32"})


def test_a_constant_table(ctx: Context) -> None:
    inputs = {"i": floats((4,), -3, 2)}
    expect_as_onnxruntime(ctx, [AS_INDEX, node("Gather", "t j")], inputs, {"t": TABLE / 3})


def test_indices_keep_their_type_whatever_the_examples_are(ctx: Context) -> None:
    """A token 5 does not mean that all tokens have eight bits."""
    graph = helper.make_graph(
        [node("Unsqueeze", "i axes", "j"), node("Gather", "t j")],
        "test",
        [helper.make_tensor_value_info("i", TensorProto.INT64, (2,))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [
            numpy_helper.from_array(np.array([0], np.int64), "axes"),
            numpy_helper.from_array(np.arange(600, dtype=np.float32) / 7, "t"),
        ],
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 16)], ir_version=8)
    module = import_model(proto.SerializeToString(), ctx, input_values={"i": np.array([5, 0])})
    function = next(iter(module.body.block.ops))
    assert element_type(function.regions[0].block.args[0]) == si32
    (y,) = run_module(ctx, module, [np.array([599, -600])])
    np.testing.assert_array_equal(y, np.float32([[599, 0]]) / np.float32(7))


def test_no_index_leaves_the_table(ctx: Context) -> None:
    """ONNX forbids what is outside; here it counts modulo the extent."""
    proto = model([node("Gather", "x i")], {"x": (4,), "i": (4,)})
    module = import_model(proto.SerializeToString(), ctx, {"x": "si8", "i": "si32"})
    (y,) = run_module(ctx, module, [np.arange(4), np.array([4, -5, 2**31 - 1, -(2**31)])])
    assert y.tolist() == [0, 3, 3, 0]


@pytest.mark.parametrize("type", ["si8", "f32"])
@pytest.mark.parametrize("last", [0, 1])
@pytest.mark.parametrize(("axis", "keep"), [(0, 1), (1, 0), (-1, 1)])
@pytest.mark.parametrize("op", ["ArgMax", "ArgMin"])
def test_arg_reduce(ctx: Context, op: str, axis: int, keep: int, last: int, type: str) -> None:
    inputs = {"x": floats((3, 7, 4), -2, 2)}
    nodes = [node(op, "x", "p", axis=axis, keepdims=keep, select_last_index=last), AS_FLOAT]
    expect_as_onnxruntime(ctx, nodes, inputs, input_types={"x": type})
