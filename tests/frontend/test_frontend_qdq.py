"""QuantizeLinear and DequantizeLinear."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto
from onnx_builders import model, node, ops
from xdsl.context import Context

from deeploy.diagnostics import DeeployError
from deeploy.frontend import import_model
from deeploy.interpreters import run_module


def constants(scale, zero, dtype: type) -> dict[str, np.ndarray]:
    return {"s": np.asarray(scale, np.float32), "z": np.asarray(zero, dtype)}


@pytest.mark.parametrize("dtype", [np.uint8, np.int8])
@pytest.mark.parametrize("zero", [0, 3, 100])
def test_round_trip(ctx: Context, dtype: type, zero: int) -> None:
    """As onnxruntime, halves, saturation and signed zeros included: the scale is a power of two."""
    nodes = [node("QuantizeLinear", "x s z", "q"), node("DequantizeLinear", "q s z")]
    x = np.arange(-400, 400, dtype=np.float32) / 16
    proto = model(nodes, {"x": x.shape}, constants(0.125, zero, dtype))
    session = onnxruntime.InferenceSession(proto.SerializeToString())
    (expected,) = session.run(None, {"x": x})
    module = import_model(proto.SerializeToString(), ctx)
    np.testing.assert_array_equal(run_module(ctx, module, [x])[0], expected)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_constants_have_a_scale_for_each_channel(ctx: Context, axis: int) -> None:
    weights = np.random.default_rng(0).integers(-128, 127, (3, 4, 5)).astype(np.int8)
    scales = np.arange(1, weights.shape[axis] + 1, dtype=np.float32) / 7
    zeros = np.zeros(scales.shape, np.int8)
    nodes = [node("DequantizeLinear", "w s z", "v", axis=axis), node("Add", "x v")]
    values = constants(scales, zeros, np.int8) | {"w": weights}
    proto = model(nodes, {"x": weights.shape}, values)
    module = import_model(proto.SerializeToString(), ctx)
    assert len(ops(module, "graph.dequantize")) == 1
    x = np.zeros(weights.shape, np.float32)
    session = onnxruntime.InferenceSession(proto.SerializeToString())
    np.testing.assert_array_equal(run_module(ctx, module, [x])[0], session.run(None, {"x": x})[0])


def test_constants_are_quantised_at_once(ctx: Context) -> None:
    nodes = [
        node("QuantizeLinear", "w s z", "q", axis=0),
        node("DequantizeLinear", "q s z", "v", axis=0),
        node("Add", "x v"),
    ]
    weights = np.float32([[0.5, -300, 7], [1, 2, 1.5]])
    values = constants([1, 0.5], [0, 0], np.int8) | {"w": weights}
    proto = model(nodes, {"x": (2, 3)}, values)
    module = import_model(proto.SerializeToString(), ctx)
    assert not ops(module, "graph.quantize")
    (y,) = run_module(ctx, module, [np.zeros((2, 3), np.float32)])
    assert y.tolist() == [[0, -128, 7], [1, 2, 1.5]]


def test_quantised_inputs(ctx: Context) -> None:
    """The declared type of an input is that of its elements."""
    proto = model(
        [node("DequantizeLinear", "x s z")], {"x": (3,)}, constants(0.5, 3, np.uint8),
        elem_type=TensorProto.UINT8,
    )  # fmt: skip
    module = import_model(proto.SerializeToString(), ctx)
    (y,) = run_module(ctx, module, [np.uint8([0, 3, 255])])
    assert y.tolist() == [-1.5, 0, 126]


ERRORS = [
    (("QuantizeLinear", {}), (0.5, 3, np.uint16), "elements of type uint16 are not supported"),
    (("QuantizeLinear", {}), ([0.5] * 4, [3] * 4, np.uint8), "a scale for each channel is only"),
    (("QuantizeLinear", {}), (0.0, 3, np.uint8), "'scale' must be positive"),
    (("QuantizeLinear", {"block_size": 2}), (0.5, 3, np.uint8), "'block_size' is not supported"),
    (("DequantizeLinear", {}), ([0.5] * 3, 3, np.uint8), "is not one for each of 4 channels"),
    (("DequantizeLinear", {}), ([0.5] * 4, [1, 2, 3, 4], np.uint8), "zero points that differ"),
]


@pytest.mark.parametrize(("operator", "numbers", "message"), ERRORS)
def test_errors(ctx: Context, operator: tuple, numbers: tuple, message: str) -> None:
    name, attributes = operator
    proto = model(
        [node(name, "x s z", **attributes)], {"x": (2, 4)}, constants(*numbers), opset=21,
        elem_type=TensorProto.UINT8 if name[0] == "D" else TensorProto.FLOAT,
    )  # fmt: skip
    with pytest.raises(DeeployError, match=f"the_{name.lower()}.*{message}"):
        import_model(proto.SerializeToString(), ctx)


def test_the_scale_must_be_known(ctx: Context) -> None:
    proto = model([node("QuantizeLinear", "x s")], {"x": (2, 4), "s": ()})
    with pytest.raises(DeeployError, match="'scale' must be a constant"):
        import_model(proto.SerializeToString(), ctx)
