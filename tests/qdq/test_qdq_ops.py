"""Single operators between dequantisation and quantisation, with random numbers, shapes and zero
points: they become integer ops, and differ from onnxruntime's floats by at most one unit."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto
from qdq_models import Network, float_ops, optimised, run_onnxruntime

from deeploy.context import make_context
from deeploy.interpreters import run_module

TYPES = {np.uint8: (0, 255, TensorProto.UINT8), np.int8: (-128, 127, TensorProto.INT8)}
Operator = Callable[[Network, Sequence[str]], str]


def conv(**attributes) -> Operator:
    """A convolution with 8-bit weights, a scale for each channel, and a bias."""

    def build(net: Network, values: Sequence[str]) -> str:
        groups = attributes.get("group", 1)
        channels = net.inputs["x0"][1]
        shape = (channels * 2, channels // groups, 3, 3)
        weights, scales = quantised_weights(net, shape, 0)
        weight = net.dequantize(weights, scales, np.zeros(len(scales)), np.int8, axis=0)
        return net.op("Conv", values[0], weight, net.bias(shape[0]), **attributes)

    return build


def quantised_weights(net: Network, shape: tuple[int, ...], axis: int) -> tuple[str, np.ndarray]:
    """Weights that are spread as trained ones are, and a scale for each channel."""
    weights = np.clip(np.rint(net.rng.standard_normal(shape) * 40), -127, 127)
    return net.constant(weights.astype(np.int8)), net.rng.uniform(0.002, 0.01, shape[axis])


def gemm(net: Network, values: Sequence[str]) -> str:
    columns = int(np.prod(net.inputs["x0"][1:]))
    weights, scales = quantised_weights(net, (7, columns), 0)
    weight = net.dequantize(weights, scales, np.zeros(7), np.int8, axis=0)
    flat = net.op("Flatten", values[0])
    bias = net.constant(net.rng.integers(-5000, 5000, (1, 7)).astype(np.int32))
    return net.op("Gemm", flat, weight, net.dequantize(bias, 1e-4, 0, np.int32), transB=1)


def conv1d(net: Network, values: Sequence[str]) -> str:
    """An image of one dimension: weights get another one when they are imported."""
    flat = net.op("Reshape", values[0], net.constant(np.array([1, 4, -1])))
    weights, scales = quantised_weights(net, (6, 4, 5), 0)
    weight = net.dequantize(weights, scales, np.zeros(6), np.int8, axis=0)
    return net.op("Conv", flat, weight, net.bias(6), pads=[2, 2])


def linear(net: Network, values: Sequence[str]) -> str:
    """MatMul and Add, weights with an odd zero point."""
    columns = net.inputs["x0"][-1]
    weights = net.constant(net.rng.integers(0, 200, (columns, 5)).astype(np.uint8))
    product = net.op("MatMul", values[0], net.dequantize(weights, 0.004, 100))
    return net.op("Add", product, net.bias(5))


def attention(net: Network, values: Sequence[str]) -> str:
    """A product of two activations."""
    transposed = net.op("Transpose", values[1], perm=[0, 1, 3, 2])
    return net.op("MatMul", values[0], transposed)


def plain(kind: str, **attributes) -> Operator:
    return lambda net, values: net.op(kind, *values, **attributes)


def after(operator: Operator, kind: str, *limits: float) -> Operator:
    """An operator and an activation."""

    def build(net: Network, values: Sequence[str]) -> str:
        constants = [net.constant(np.float32(v)) for v in limits]
        return net.op(kind, operator(net, values), *constants)

    return build


def scaled(net: Network, values: Sequence[str]) -> str:
    """Factor and term for each channel, as an unfused normalisation has them."""
    shape = (net.inputs["x0"][1], 1, 1)
    factor, term = (net.constant(net.rng.uniform(0.5, 1, shape).astype("f")) for _ in range(2))
    return net.op("Add", net.op("Mul", values[0], factor), term)


def padded(net: Network, values: Sequence[str]) -> str:
    pads = net.constant(np.array([0, 0, 1, 0, 0, 0, 2, 1]))
    return net.op("Pad", values[0], pads)


def rows(net: Network, values: Sequence[str]) -> str:
    """Rows that are known at run time."""
    return net.op("Gather", values[0], net.op("ArgMax", "x0", axis=2), axis=2)


def embedding(net: Network, values: Sequence[str]) -> str:
    """Rows of a constant table, in a sum with the input."""
    table = net.constant(net.rng.integers(-128, 128, (6, 7)).astype(np.int8))
    tokens = net.op("ArgMax", "x0", axis=2, keepdims=0)
    rows = net.op("Gather", net.dequantize(table, 0.01, 3, np.int8), tokens)
    return net.op("Add", rows, net.op("ReduceMean", values[0], axes=[2], keepdims=1))


def chosen(net: Network, values: Sequence[str]) -> str:
    """Elements of one or the other."""
    condition = net.op("Greater", "x0", net.constant(np.float32(0.3)))
    return net.op("Where", condition, *values)


OPERATORS: dict[str, tuple[int, Operator]] = {
    "conv": (1, conv(pads=[1, 1, 1, 1])),
    "conv_strided": (1, conv(strides=[2, 2], pads=[0, 1, 1, 0])),
    "conv_grouped": (1, conv(group=2, pads=[1, 0, 0, 1])),
    "conv_relu": (1, after(conv(), "Relu")),
    "conv_relu6": (1, after(conv(), "Clip", 0.0, 6.0)),
    "conv1d": (1, conv1d),
    "gemm": (1, gemm),
    "linear": (1, linear),
    "attention": (2, attention),
    "add": (2, plain("Add")),
    "sub": (2, plain("Sub")),
    "mul": (2, plain("Mul")),
    "add_relu": (2, after(plain("Add"), "Relu")),
    "concat": (2, plain("Concat", axis=1)),
    "scaled": (1, scaled),
    "padded": (1, padded),
    "transpose": (1, plain("Transpose", perm=[0, 2, 3, 1])),
    "max_pool": (1, plain("MaxPool", kernel_shape=[2, 2], pads=[1, 0, 0, 1])),
    "average_pool": (1, plain("AveragePool", kernel_shape=[3, 2], strides=[2, 1])),
    "average_pool_counted": (
        1,
        plain("AveragePool", kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1),
    ),
    "global_average_pool": (1, plain("GlobalAveragePool")),
    "mean": (1, plain("ReduceMean", axes=[1, 3], keepdims=0)),
    "rows": (1, rows),
    "embedding": (1, embedding),
    "chosen": (2, chosen),
    "requantised": (1, lambda net, values: values[0]),
}


@pytest.mark.parametrize("name", OPERATORS)
@settings(max_examples=6, deadline=None)
@given(
    zeros=st.tuples(*[st.sampled_from([0, 0.5, 1, 0.37])] * 3),
    dtype=st.sampled_from(list(TYPES)),
    seed=st.integers(0, 2**32 - 1),
)
def test_operator(name: str, zeros: tuple[float, ...], dtype: type, seed: int) -> None:
    count, operator = OPERATORS[name]
    low, high, onnx_type = TYPES[dtype]
    points = [round(low + z * (high - low) + 1e-9) for z in zeros]
    shape = (1, 4, 6, 7)
    net = Network(seed, **{f"x{i}": shape for i in range(count)})
    scales = net.rng.uniform(0.01, 0.03, count + 1)
    values = [
        net.dequantize(net.quantize(x, s, z, dtype), s, z, dtype)
        for x, s, z in zip(net.inputs, scales, points, strict=False)
    ]
    y = net.quantize(operator(net, values), scales[-1], points[-1], dtype)
    model = net.model(y, onnx_type).SerializeToString()
    x = {name: net.rng.standard_normal(shape).astype(np.float32) * 2 for name in net.inputs}
    ctx = make_context()
    module = optimised(ctx, model)
    assert not float_ops(module)
    (actual,) = run_module(ctx, module, list(x.values()))
    expected = run_onnxruntime(model, x)
    difference = np.abs(actual.astype(np.int64) - expected.astype(np.int64))
    assert actual.shape == expected.shape
    assert difference.max() <= 1
    assert (difference == 0).mean() >= 0.75
