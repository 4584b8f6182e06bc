"""Shape arithmetic and other constants are evaluated when the model is read."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_builders import evaluate, expect_as_onnxruntime, floats, imported, int64, model, node, ops
from xdsl.context import Context

from deeploy.diagnostics import DeeployError


def test_shape_arithmetic(ctx: Context) -> None:
    """What exporters make of `x.reshape(x.shape[0], -1, x.shape[3] * 2 // 4)`."""
    nodes = [
        node("Shape", "x", "shape"),
        node("Gather", "shape zero", "batch", axis=0),
        node("Gather", "shape three", "width", axis=0, name="g"),
        node("Mul", "width two", "double"),
        node("Div", "double four", "half"),
        node("Unsqueeze", "batch zeros", "a"),
        node("Unsqueeze", "half zeros", "b", name="u"),
        node("Constant", "", "rest", value=numpy_helper.from_array(int64(-1))),
        node("Concat", "a rest b", "c", axis=0),
        node("Cast", "c", "d", to=TensorProto.INT64),
        node("Slice", "d zeros threes", "e"),
        node("Squeeze", "e", "f"),
        node("Identity", "f", "g"),
        node("Reshape", "x g"),
    ]
    constants = {
        "zero": np.array(0),
        "two": np.array(2),
        "three": np.array(3),
        "four": np.array(4),
        "zeros": int64(0),
        "threes": int64(3),
    }
    inputs = {"x": floats((2, 3, 4, 6))}
    expect_as_onnxruntime(ctx, nodes, inputs, constants)
    proto = model(nodes, {"x": (2, 3, 4, 6)}, constants)
    names = [op.name for op in imported(ctx, proto).walk()]
    assert [name for name in names if name.startswith("graph.")] == ["graph.reshape"]


def test_part_of_a_shape_and_size(ctx: Context) -> None:
    nodes = [
        node("Shape", "x", "s", start=1, end=-1),
        node("Size", "x", "n"),
        node("ConstantOfShape", "s", "ones", value=numpy_helper.from_array(np.float32([1]))),
        node("Cast", "n", "m", to=TensorProto.FLOAT),
        node("Mul", "ones m", "c"),
        node("Add", "x c"),
    ]
    expect_as_onnxruntime(ctx, nodes, {"x": floats((2, 3, 4))[:, :, :3]}, opset=15)


@pytest.mark.parametrize(
    "attributes",
    [
        {"value": numpy_helper.from_array(np.float32([2, 3]))},
        {"value_floats": [2.0, 3.0]},
        {"value_float": 2.0},
    ],
    ids=lambda a: next(iter(a)),
)
def test_constant_nodes(ctx: Context, attributes: dict) -> None:
    nodes = [node("Constant", "", "c", **attributes), node("Mul", "x c")]
    expect_as_onnxruntime(ctx, nodes, {"x": floats((2,))})


def test_weights_behind_a_transpose(ctx: Context) -> None:
    nodes = [node("Transpose", "w", "t"), node("MatMul", "x t")]
    constants = {"w": floats((3, 2))}
    expect_as_onnxruntime(ctx, nodes, {"x": floats((1, 2))}, constants)
    assert not ops(imported(ctx, model(nodes, {"x": (1, 2)}, constants)), "graph.transpose")


def test_integers_are_added_exactly(ctx: Context) -> None:
    """2²⁴ + 1 is no float32, and yet an offset."""
    nodes = [node("Add", "a b", "c"), node("Add", "x c")]
    constants = {"a": np.float32(2**24), "b": np.float32(1)}
    (y,) = evaluate(ctx, model(nodes, {"x": ()}, constants), {"x": np.array(5)})
    assert y == 2**24 + 6


def test_one_constant_of_several_readers(ctx: Context) -> None:
    nodes = [node("Add", "x c", "a"), node("Add", "a c")]
    module = imported(ctx, model(nodes, {"x": (2,)}, {"c": np.float32([1, 2])}))
    assert len(ops(module, "graph.constant")) == 1


def test_impossible_constants(ctx: Context) -> None:
    nodes = [node("Reshape", "c s", "r"), node("Add", "x r")]
    constants = {"c": np.float32([1, 2]), "s": int64(3)}
    with pytest.raises(DeeployError, match=r"^Reshape 'the_reshape': cannot be evaluated: "):
        imported(ctx, model(nodes, {"x": (2,)}, constants))


def test_text_is_no_constant(ctx: Context) -> None:
    constant = helper.make_tensor("s", TensorProto.STRING, [1], [b"a"])
    nodes = [node("Constant", "", "c", value=constant), node("Add", "x c")]
    with pytest.raises(DeeployError, match="only integers and float32 are supported"):
        imported(ctx, model(nodes, {"x": (1,)}))
