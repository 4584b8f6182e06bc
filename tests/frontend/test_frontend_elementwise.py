"""Arithmetic on elements, limits and casts."""

import numpy as np
import pytest
from onnx import TensorProto
from onnx_builders import evaluate, expect_as_onnxruntime, floats, imported, model, node, ops, text
from xdsl.context import Context

from deeploy.diagnostics import DeeployError

SHAPES = [
    ((2, 3, 4), (2, 3, 4)),
    ((2, 3, 4), (4,)),
    ((3, 1), (2, 1, 4)),
    ((2, 3), ()),
    ((4,), (1,)),
]


@pytest.mark.parametrize("known", ["", "a", "b"])
@pytest.mark.parametrize("a, b", SHAPES, ids=str)
@pytest.mark.parametrize("op", ["Add", "Sub", "Mul"])
def test_binary(ctx: Context, op: str, a: tuple, b: tuple, known: str) -> None:
    arrays = {"a": floats(a), "b": floats(b, seed=1)}
    inputs = {name: array for name, array in arrays.items() if name != known}
    constants = {name: array for name, array in arrays.items() if name == known}
    expect_as_onnxruntime(ctx, [node(op, "a b")], inputs, constants)


@pytest.mark.parametrize(
    "op, constant, type",
    [
        ("Add", 0, "si8"),
        ("Add", 1, "si32"),
        ("Add", 128, "ui8"),
        ("Sub", 1, "si32"),
        ("Mul", 1, "si8"),
        ("Mul", 2, "si32"),
        ("Mul", 0, "si8"),
    ],
)
def test_result_types(ctx: Context, op: str, constant: int, type: str) -> None:
    proto = model([node(op, "x c")], {"x": (4,)}, {"c": np.float32(constant)})
    assert f"-> tensor<4x{type}>" in text(ctx, imported(ctx, proto))


def test_results_beyond_32_bits_are_errors(ctx: Context) -> None:
    nodes = [node("Mul", "x c", "m"), node("Mul", "m d")]
    constants = {"c": np.int32(2**20), "d": np.int32(2**5)}
    with pytest.raises(DeeployError, match=r"^Mul 'the_mul_1': the result can reach \["):
        imported(ctx, model(nodes, {"x": (1,)}, constants))


def test_unknown_inputs_of_32_bits_wrap(ctx: Context) -> None:
    proto = model([node("Add", "a b")], {"a": (2,), "b": (2,)})
    arrays = {"a": np.array([2**31 - 1, 5]), "b": np.array([1, 6])}
    (y,) = evaluate(ctx, proto, arrays, {"a": "si32", "b": "si32"})
    assert y.tolist() == [-(2**31), 11]


def test_relu(ctx: Context) -> None:
    expect_as_onnxruntime(ctx, [node("Relu", "x")], {"x": floats((3, 5))})
    module = imported(ctx, model([node("Relu", "x")], {"x": (3,)}))
    assert "{min = 0 : i64, max = 127 : i64} : tensor<3xsi8> -> tensor<3xsi8>" in text(ctx, module)


def test_relu_of_negative_values_is_zero(ctx: Context) -> None:
    nodes = [node("Sub", "x c", "n"), node("Relu", "n")]
    constants = {"c": np.float32(1000)}
    expect_as_onnxruntime(ctx, nodes, {"x": floats((3, 5))}, constants)


CLIPS = [
    ({"low": np.float32(-3), "high": np.float32(6)}, "x low high"),
    ({"high": np.float32(6)}, "x _ high"),
    ({"low": np.float32(-3.5)}, "x low"),
    ({"low": np.float32(-np.inf), "high": np.float32(np.inf)}, "x low high"),
    ({"low": np.float32(9), "high": np.float32(4)}, "x low high"),
    ({}, "x"),
]


@pytest.mark.parametrize("constants, inputs", CLIPS, ids=str)
def test_clip(ctx: Context, constants: dict, inputs: str) -> None:
    proto = model([node("Clip", inputs)], {"x": (3, 5)}, constants)
    x = floats((3, 5))
    (y,) = evaluate(ctx, proto, {"x": x})
    low, high = constants.get("low", -200), constants.get("high", 200)
    np.testing.assert_array_equal(y, np.minimum(np.maximum(x, np.ceil(low)), np.floor(high)))


def test_clip_by_attributes(ctx: Context) -> None:
    nodes = [node("Clip", "x", min=0.0, max=6.0)]
    expect_as_onnxruntime(ctx, nodes, {"x": floats((20,))}, opset=10)
    # newer files with the old spelling are taken too
    (y,) = evaluate(ctx, model(nodes, {"x": (3,)}, opset=13), {"x": np.array([-1, 3, 7])})
    assert y.tolist() == [0, 3, 6]


def test_clip_errors(ctx: Context) -> None:
    with pytest.raises(DeeployError, match="'min' must be a constant"):
        imported(ctx, model([node("Clip", "x m")], {"x": (3,), "m": ()}))
    clip = [node("Clip", "x _ m")]
    with pytest.raises(DeeployError, match="'max' must be one number, not 2"):
        imported(ctx, model(clip, {"x": (3,)}, {"m": np.float32([1, 2])}))
    with pytest.raises(DeeployError, match="'max' must be a number, not nan"):
        imported(ctx, model(clip, {"x": (3,)}, {"m": np.float32(np.nan)}))


@pytest.mark.parametrize(
    "to, type",
    [
        (TensorProto.INT8, None),
        (TensorProto.INT64, None),
        (TensorProto.FLOAT, None),
        (TensorProto.UINT8, "{min = 0 : i64, max = 127 : i64}"),
    ],
)
def test_cast(ctx: Context, to: int, type: str | None) -> None:
    nodes = [node("Cast", "x", "c", to=to), node("Mul", "c two")]
    module = imported(ctx, model(nodes, {"x": (3,)}, {"two": np.float32(2)}))
    assert len(ops(module, "graph.clip")) == (type is not None)
    assert type is None or type in text(ctx, module)


@pytest.mark.parametrize("to", [TensorProto.FLOAT16, TensorProto.STRING])
def test_cast_errors(ctx: Context, to: int) -> None:
    with pytest.raises(DeeployError, match=r"^Cast 'the_cast': a cast to \w+ is not supported"):
        imported(ctx, model([node("Cast", "x", to=to)], {"x": (3,)}))
