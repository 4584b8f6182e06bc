"""Convolutions and pools."""

import numpy as np
import pytest
from onnx_builders import (
    evaluate,
    expect_as_onnxruntime,
    floats,
    imported,
    model,
    node,
    ops,
    text,
)
from xdsl.context import Context

from deeploy.diagnostics import DeeployError

CONV_2D = [
    {},
    {"strides": [2, 3], "pads": [1, 0, 2, 1]},
    {"dilations": [2, 1], "pads": [2, 1, 2, 1]},
    {"auto_pad": "SAME_UPPER", "strides": [2, 2]},
    {"auto_pad": "SAME_LOWER", "strides": [1, 2]},
    {"auto_pad": "VALID"},
    {"kernel_shape": [3, 2], "pads": [3, 3, 3, 3]},
]


@pytest.mark.parametrize("attributes", CONV_2D, ids=str)
def test_conv_2d(ctx: Context, attributes: dict) -> None:
    inputs = {"x": floats((2, 4, 9, 8))}
    constants = {"w": floats((6, 4, 3, 2), seed=1), "b": floats((6,), -500, 500, seed=2)}
    expect_as_onnxruntime(ctx, [node("Conv", "x w b", **attributes)], inputs, constants)
    expect_as_onnxruntime(ctx, [node("Conv", "x w", **attributes)], inputs, constants)


@pytest.mark.parametrize("opset", [9, 11, 22])
@pytest.mark.parametrize("attributes", [{}, {"strides": [2], "pads": [2, 1], "dilations": [2]}])
def test_conv_1d(ctx: Context, attributes: dict, opset: int) -> None:
    constants = {"w": floats((6, 2, 3)), "b": floats((6,))}
    nodes = [node("Conv", "x w b", group=2, **attributes)]
    expect_as_onnxruntime(ctx, nodes, {"x": floats((1, 4, 11))}, constants, opset=opset)


def test_depthwise_conv(ctx: Context) -> None:
    constants = {"w": floats((8, 1, 3, 3))}
    nodes = [node("Conv", "x w", group=4, pads=[1, 1, 1, 1])]
    expect_as_onnxruntime(ctx, nodes, {"x": floats((1, 4, 5, 5))}, constants)


def test_conv_with_computed_weights_and_bias(ctx: Context) -> None:
    inputs = {"x": floats((1, 2, 4, 4)), "w": floats((3, 2, 2, 2)), "b": floats((3,))}
    expect_as_onnxruntime(ctx, [node("Conv", "x w b")], inputs)


def test_conv_1d_with_computed_weights(ctx: Context) -> None:
    inputs = {"x": floats((1, 2, 4)), "w": floats((3, 2, 2))}
    expect_as_onnxruntime(ctx, [node("Conv", "x w")], inputs)


def test_bias_is_the_epilogue_and_zeros_vanish(ctx: Context) -> None:
    constants = {"w": floats((2, 1, 1, 1)), "b": np.float32([3, -4])}
    shapes = {"x": (1, 1, 2, 2)}
    conv = node("Conv", "x w b")
    with_bias = text(ctx, imported(ctx, model([conv], shapes, constants)))
    assert "add %b : tensor<2xsi32>" in with_bias
    assert "mul = 1, add = 0, shift = 0, min = -2147483648, max = 2147483647" in with_bias
    constants["b"] = np.float32([7, 7])
    assert "mul = 1, add = 7," in text(ctx, imported(ctx, model([conv], shapes, constants)))
    constants["b"] = np.float32([0, 0])
    assert "requant" not in text(ctx, imported(ctx, model([conv], shapes, constants)))


@pytest.mark.parametrize("low, high, type", [(-128, 127, "si8"), (0, 255, "ui8"), (0, 127, "si8")])
def test_weight_types(ctx: Context, low: int, high: int, type: str) -> None:
    constants = {"w": np.float32([low, high]).reshape(2, 1, 1, 1)}
    module = imported(ctx, model([node("Conv", "x w")], {"x": (1, 1, 2, 2)}, constants))
    assert f"tensor<1x1x2x2xsi8>, tensor<2x1x1x1x{type}> -> tensor<1x2x2x2xsi32>" in text(
        ctx, module
    )


@pytest.mark.parametrize(
    "constants, attributes, message",
    [
        ({"w": np.float32([[[[300]]]])}, {}, "take values in [300, 300], which exceeds 8 bits"),
        ({"w": floats((2, 3, 1, 1))}, {}, "weights for 3 input channels per group"),
        ({"w": floats((2, 1, 1))}, {}, "do not fit an input of rank 4"),
        ({"w": floats((2, 1, 9, 9))}, {}, "window (9, 9) larger than its input"),
        ({"w": floats((2, 1, 1, 1))}, {"kernel_shape": [3, 3]}, "'kernel_shape' [3, 3]"),
        ({"w": floats((2, 1, 1, 1))}, {"group": 0}, "'group' must be positive"),
        ({"w": floats((2, 1, 1, 1))}, {"strides": [0, 1]}, "do not fit a 2-D image"),
        ({"w": floats((2, 1, 1, 1))}, {"strides": [1]}, "'strides' needs 2 numbers"),
        ({"w": floats((2, 1, 1, 1))}, {"pads": [-1, 0, 0, 0]}, "must not be negative"),
        ({"w": floats((2, 1, 1, 1))}, {"auto_pad": "SOME"}, "unknown 'auto_pad' SOME"),
        ({"w": floats((0, 1, 1, 1))}, {}, "without elements"),
    ],
)
def test_conv_errors(ctx: Context, constants: dict, attributes: dict, message: str) -> None:
    proto = model([node("Conv", "x w", **attributes)], {"x": (1, 1, 4, 4)}, constants)
    with pytest.raises(DeeployError, match=r"^Conv 'the_conv': ") as error:
        imported(ctx, proto)
    assert message in str(error.value)


def test_conv_bias_errors(ctx: Context) -> None:
    constants = {"w": floats((2, 1, 1, 1)), "b": floats((3,))}
    with pytest.raises(DeeployError, match=r"the bias has shape \(3,\), not \(2,\)"):
        imported(ctx, model([node("Conv", "x w b")], {"x": (1, 1, 4, 4)}, constants))
    constants["b"] = np.float32([2**31, 0])
    with pytest.raises(DeeployError, match=r"constant 'b' holds 2.14748e\+09, which exceeds 32"):
        imported(ctx, model([node("Conv", "x w b")], {"x": (1, 1, 4, 4)}, constants))


def test_conv_3d_is_an_error(ctx: Context) -> None:
    proto = model([node("Conv", "x w")], {"x": (1, 1, 4, 4, 4)}, {"w": floats((1, 1, 1, 1, 1))})
    with pytest.raises(DeeployError, match="only 1-D and 2-D images"):
        imported(ctx, proto)


def test_accumulators_are_checked_per_channel(ctx: Context) -> None:
    """Weights of both signs at once would exceed 32 bits; those of each channel do not."""
    constants = {"w": np.float32([[127, 0], [0, -128]]).reshape(2, 2, 1, 1)}
    nodes = [node("Mul", "x c", "s"), node("Conv", "s w")]
    shapes = {"x": (1, 2, 1, 1)}
    constants["c"] = np.float32(100_000)
    imported(ctx, model(nodes, shapes, constants))
    constants["c"] = np.float32(200_000)
    with pytest.raises(DeeployError, match=r"'the_conv': the accumulator can reach .*exceeds 32"):
        imported(ctx, model(nodes, shapes, constants))


def test_accumulator_with_the_bias_is_checked(ctx: Context) -> None:
    constants = {"w": np.float32([[[[127]]]]), "b": np.float32([2147483520])}
    with pytest.raises(DeeployError, match=r"the accumulator can reach"):
        imported(ctx, model([node("Conv", "x w b")], {"x": (1, 1, 1, 1)}, constants))


def test_pads_count_as_zeros_in_ranges(ctx: Context) -> None:
    """A clipped input that is never 0 still meets zeros at the border."""
    nodes = [node("Clip", "x low", "c"), node("Conv", "c w", "z", pads=[1, 1, 1, 1])]
    constants = {"low": np.float32(100), "w": np.float32([[[[1]]]])}
    inputs = {"x": floats((1, 1, 2, 2))}
    nodes.append(node("Sub", "z k"))
    constants["k"] = np.float32(20)
    expect_as_onnxruntime(ctx, nodes, inputs, constants)


MAX_POOL_2D = [
    {"kernel_shape": [3, 2]},
    {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 0, 1, 2]},
    {"kernel_shape": [2, 2], "dilations": [2, 3]},
    {"kernel_shape": [2, 3], "strides": [3, 2], "ceil_mode": 1},
    {"kernel_shape": [2, 2], "strides": [3, 3], "ceil_mode": 1, "pads": [1, 1, 1, 1]},
    {"kernel_shape": [3, 3], "strides": [2, 2], "auto_pad": "SAME_UPPER"},
]


@pytest.mark.parametrize("attributes", MAX_POOL_2D, ids=str)
def test_max_pool_2d(ctx: Context, attributes: dict) -> None:
    inputs = {"x": floats((2, 3, 8, 9), -128, -1)}
    expect_as_onnxruntime(ctx, [node("MaxPool", "x", **attributes)], inputs)


@pytest.mark.parametrize("op", ["MaxPool", "AveragePool"])
def test_pool_1d(ctx: Context, op: str) -> None:
    nodes = [node(op, "x", kernel_shape=[3], strides=[2], pads=[1, 0])]
    expect_as_onnxruntime(ctx, nodes, {"x": floats((1, 3, 10))}, half_up=True)


AVERAGE_POOL_2D = [
    {"kernel_shape": [3, 2]},
    {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 0, 1, 2]},
    {"kernel_shape": [2, 2], "pads": [1, 1, 1, 1], "count_include_pad": 1},
    {"kernel_shape": [2, 3], "strides": [3, 2], "ceil_mode": 1},
    {"kernel_shape": [2, 2], "strides": [2, 2], "auto_pad": "SAME_LOWER"},
    {"kernel_shape": [2, 2], "ceil_mode": 1, "count_include_pad": 1, "pads": [1, 1, 1, 1]},
]


@pytest.mark.parametrize("attributes", AVERAGE_POOL_2D, ids=str)
def test_average_pool_2d(ctx: Context, attributes: dict) -> None:
    # windows of 2 to 4 elements, so that halves occur and thirds are not near one
    inputs = {"x": floats((2, 3, 8, 9))}
    expect_as_onnxruntime(ctx, [node("AveragePool", "x", **attributes)], inputs, half_up=True)


@pytest.mark.parametrize("shape", [(2, 3, 4), (2, 3, 4, 5)], ids=str)
@pytest.mark.parametrize("op", ["GlobalMaxPool", "GlobalAveragePool"])
def test_global_pools(ctx: Context, op: str, shape: tuple[int, ...]) -> None:
    expect_as_onnxruntime(ctx, [node(op, "x")], {"x": floats(shape)}, half_up=True)


def test_average_rounds_half_up(ctx: Context) -> None:
    proto = model([node("GlobalAveragePool", "x")], {"x": (1, 4, 2)})
    x = np.array([[[0, 1], [0, -1], [-2, -1], [1, 2]]])
    (y,) = evaluate(ctx, proto, {"x": x})
    assert y.ravel().tolist() == [1, 0, -1, 2]


def test_pools_keep_the_element_type(ctx: Context) -> None:
    proto = model([node("MaxPool", "x", kernel_shape=[2])], {"x": (1, 1, 4)})
    module = imported(ctx, proto, {"x": "ui8"})
    assert "tensor<1x1x1x4xui8> -> tensor<1x1x1x3xui8>" in text(ctx, module)
    assert len(ops(module, "graph.reshape")) == 2


@pytest.mark.parametrize(
    "op, attributes, message",
    [
        ("MaxPool", {"kernel_shape": [2, 2], "pads": [2, 0, 0, 0]}, "hold whole windows"),
        ("MaxPool", {"kernel_shape": [2]}, "do not fit a 2-D image"),
        ("MaxPool", {}, "kernel_shape"),
        (
            "AveragePool",
            {
                "kernel_shape": [2, 2],
                "strides": [2, 2],
                "pads": [1, 1, 0, 0],
                "ceil_mode": 1,
                "count_include_pad": 1,
            },
            "export the pool with ceil_mode=0",
        ),
    ],
)
def test_pool_errors(ctx: Context, op: str, attributes: dict, message: str) -> None:
    proto = model([node(op, "x", **attributes)], {"x": (1, 1, 4, 4)})
    with pytest.raises(DeeployError, match=rf"^{op} 'the_") as error:
        imported(ctx, proto)
    assert message in str(error.value)


def test_max_pool_without_indices(ctx: Context) -> None:
    proto = model([node("MaxPool", "x", "y i", kernel_shape=[2])], {"x": (1, 1, 4)})
    with pytest.raises(DeeployError, match="the output 'Indices' is not supported"):
        imported(ctx, proto)
