"""Operators on floats, against onnxruntime or (newer opsets) onnx's reference."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx.reference import ReferenceEvaluator
from onnx_builders import Arrays, int64, model, node, text
from xdsl.context import Context

from deeploy.diagnostics import DeeployError
from deeploy.frontend import import_model
from deeploy.interpreters import run_module

NEWEST_OF_ONNXRUNTIME = 22


def reals(shape: Sequence[int], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=tuple(shape)).astype(np.float32)


def expected(proto: onnx.ModelProto, inputs: Arrays, opset: int) -> list[np.ndarray]:
    if opset > NEWEST_OF_ONNXRUNTIME:
        results = ReferenceEvaluator(proto).run(None, dict(inputs))
    else:
        session = onnxruntime.InferenceSession(
            proto.SerializeToString(), providers=["CPUExecutionProvider"]
        )
        results = session.run(None, dict(inputs))
    return [np.asarray(result) for result in results]


def expect(
    ctx: Context,
    nodes: Sequence[onnx.NodeProto],
    inputs: Arrays,
    constants: Arrays | None = None,
    opset: int = 18,
    outputs: Sequence[str] = ("y",),
    domains: Sequence[str] = (),
) -> str:
    """Import a model of f32 inputs, compare its outputs, and return it as text."""
    shapes = {name: array.shape for name, array in inputs.items()}
    proto = model(nodes, shapes, constants, outputs, opset, domains)
    module = import_model(proto.SerializeToString(), ctx, dict.fromkeys(inputs, "f32"))
    module.verify()
    actual = run_module(ctx, module, list(inputs.values()))
    for ours, theirs in zip(actual, expected(proto, inputs, opset), strict=True):
        assert ours.dtype == np.float32 and ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, 1e-5, 1e-6)
    return text(ctx, module)


X = {"x": reals((2, 3, 4))}
POSITIVE = {"x": np.abs(reals((2, 3, 4)))}
FUNCTIONS = ["Abs", "Ceil", "Erf", "Exp", "Floor", "HardSigmoid", "HardSwish", "Neg", "Reciprocal"]
FUNCTIONS += ["Relu", "Round", "Sigmoid", "Tanh", "Identity"]


@pytest.mark.parametrize("op", FUNCTIONS)
def test_functions(ctx: Context, op: str) -> None:
    expect(ctx, [node(op, "x")], X)


@pytest.mark.parametrize("op", ["Log", "Sqrt"])
def test_functions_of_positive_numbers(ctx: Context, op: str) -> None:
    expect(ctx, [node(op, "x")], POSITIVE)


@pytest.mark.parametrize("op", ["Celu", "Elu", "LeakyRelu", "Mish", "Selu", "Softplus", "Softsign"])
def test_functions_made_of_others(ctx: Context, op: str) -> None:
    expect(ctx, [node(op, "x")], X)


def test_softplus_does_not_overflow(ctx: Context) -> None:
    expect(ctx, [node("Softplus", "x")], {"x": np.float32([-1000, -1, 0, 1, 1000])})


@pytest.mark.parametrize(
    "proto, opset",
    [
        (node("Celu", "x", alpha=0.5), 18),
        (node("Elu", "x", alpha=0.5), 18),
        (node("Gelu", "x"), 20),
        (node("Gelu", "x", approximate="tanh"), 20),
        (node("HardSigmoid", "x", alpha=0.3, beta=0.4), 18),
        (node("LeakyRelu", "x", alpha=0.2), 18),
        (node("LeakyRelu", "x", alpha=2.0), 18),
        (node("Swish", "x", alpha=1.5), 24),
        (node("Clip", "x", min=-0.5, max=0.25), 9),
        (node("Clip", "x"), 18),
    ],
)
def test_attributes_of_functions(ctx: Context, proto: onnx.NodeProto, opset: int) -> None:
    expect(ctx, [proto], X, opset=opset)


def test_functions_of_onnxruntime(ctx: Context) -> None:
    domain = "com.microsoft"
    for op in ("Gelu", "QuickGelu"):
        expect(ctx, [node(op, "x", domain=domain)], X, domains=[domain])


@pytest.mark.parametrize("op", ["Add", "Sub", "Mul", "Div", "Max", "Min"])
def test_two_operands(ctx: Context, op: str) -> None:
    y = reals((3, 1), 1)
    expect(ctx, [node(op, "x z")], X | {"z": y})
    assert "f32" in expect(ctx, [node(op, "z x")], X, {"z": y})


@pytest.mark.parametrize("exponent, op", [(2, "mul"), (0.5, "unary"), (3, "pow"), (-1.5, "pow")])
def test_powers(ctx: Context, exponent: float, op: str) -> None:
    assert f"graph.{op}" in expect(ctx, [node("Pow", "x e")], POSITIVE, {"e": np.float32(exponent)})


def test_powers_that_are_no_numbers(ctx: Context) -> None:
    expect(ctx, [node("Pow", "x e")], POSITIVE | {"e": reals((4,), 2)})
    assert "graph" in expect(
        ctx, [node("Pow", "x e"), node("Neg", "y", "z")], X, {"e": np.float32(1)}, outputs=["z"]
    )


@pytest.mark.parametrize("limits", ["x a b", "x _ b", "x a _", "x b a"])
def test_clip(ctx: Context, limits: str) -> None:
    used = {n: np.float32(v) for n, v in {"a": -0.3, "b": 0.7}.items() if n in limits.split()}
    expect(ctx, [node("Clip", limits)], X, used)


@pytest.mark.parametrize(
    "shapes",
    [((3, 4), (4, 5)), ((2, 1, 3, 4), (3, 4, 5)), ((4,), (4, 5)), ((3, 4), (4,)), ((4,), (4,))],
    ids=str,
)
def test_matmul(ctx: Context, shapes: tuple) -> None:
    a, w = reals(shapes[0]), reals(shapes[1], 1)
    expect(ctx, [node("MatMul", "a b")], {"a": a, "b": w})
    expect(ctx, [node("MatMul", "a b")], {"a": a}, {"b": w})
    expect(ctx, [node("MatMul", "a b")], {"b": w}, {"a": a})


@pytest.mark.parametrize("bias", [(5,), (1, 5), (3, 1), (3, 5), (1,), None], ids=str)
@pytest.mark.parametrize("transposed", [(0, 0), (1, 1)], ids=str)
@pytest.mark.parametrize("scales", [(1.0, 1.0), (0.5, 0.25)], ids=str)
@pytest.mark.parametrize("constant", ["", "b", "c", "bc"])
def test_gemm(ctx: Context, bias: tuple, transposed: tuple, scales: tuple, constant: str) -> None:
    arrays = {"a": reals((4, 3) if transposed[0] else (3, 4))}
    arrays["b"] = reals((5, 4) if transposed[1] else (4, 5), 1)
    if bias is not None:
        arrays["c"] = reals(bias, 2)
    attributes = {"transA": transposed[0], "transB": transposed[1], "alpha": scales[0]}
    gemm = node("Gemm", " ".join(arrays), **attributes, beta=scales[1])
    constants = {n: a for n, a in arrays.items() if n in constant}
    expect(ctx, [gemm], {n: a for n, a in arrays.items() if n not in constants}, constants)


CONVOLUTIONS = [
    ((1, 4, 6, 7), (3, 4, 3, 2), {"strides": [2, 1], "pads": [1, 0, 1, 1]}),
    ((2, 4, 6, 6), (4, 1, 3, 3), {"group": 4, "dilations": [2, 2]}),
    ((1, 4, 9), (6, 2, 3), {"group": 2}),
]


@pytest.mark.parametrize("x, w, attributes", CONVOLUTIONS, ids=str)
@pytest.mark.parametrize("constants", [("w", "b"), ("w",), ()], ids=str)
def test_conv(ctx: Context, x: tuple, w: tuple, attributes: dict, constants: tuple) -> None:
    arrays = {"x": reals(x), "w": reals(w, 1), "b": reals(w[:1], 2)}
    known = {name: arrays[name] for name in constants}
    inputs = {name: array for name, array in arrays.items() if name not in constants}
    assert "graph.add" not in expect(ctx, [node("Conv", "x w b", **attributes)], inputs, known)


def test_zeros_are_no_bias(ctx: Context) -> None:
    constants = {"w": reals((2, 3, 1, 1)), "b": np.zeros(2, np.float32)}
    printed = expect(ctx, [node("Conv", "x w b")], {"x": reals((1, 3, 4, 4))}, constants)
    assert " add " not in printed


@pytest.mark.parametrize(
    "proto",
    [
        node("MaxPool", "x", kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2]),
        node("AveragePool", "x", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        node("AveragePool", "x", kernel_shape=[2, 3], pads=[1, 1, 1, 1], count_include_pad=1),
        node("GlobalAveragePool", "x"),
        node("GlobalMaxPool", "x"),
    ],
    ids=lambda proto: proto.op_type,
)
def test_pools(ctx: Context, proto: onnx.NodeProto) -> None:
    expect(ctx, [proto], {"x": reals((1, 3, 6, 7))})


@pytest.mark.parametrize("op", ["Softmax", "LogSoftmax"])
@pytest.mark.parametrize(
    "opset, attributes",
    [
        (13, {}),
        (13, {"axis": 1}),
        (13, {"axis": 0}),
        (11, {}),
        (11, {"axis": 2}),
        (12, {"axis": -2}),
    ],
    ids=str,
)
def test_softmax(ctx: Context, op: str, opset: int, attributes: dict) -> None:
    expect(ctx, [node(op, "x", **attributes)], X, opset=opset)


def test_quantlib_leaves_out_the_axis(ctx: Context) -> None:
    shapes = {"x": (2, 3, 4)}
    proto = model([node("Softmax", "x")], shapes, opset=10, domains=["PACTOps"])
    (y,) = run_module(ctx, import_model(proto.SerializeToString(), ctx), [X["x"]])
    np.testing.assert_allclose(y.sum(axis=-1), 1, 1e-6)


def test_softmax_of_large_numbers(ctx: Context) -> None:
    expect(ctx, [node("Softmax", "x")], {"x": np.float32([[1e4, 0, -1e4], [-1e30, 1e30, 5]])})


@pytest.mark.parametrize("op", ["ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin"])
@pytest.mark.parametrize("keepdims", [0, 1])
@pytest.mark.parametrize("axes", [[1], [0, 2], [-1, 0], None], ids=str)
def test_reductions(ctx: Context, op: str, keepdims: int, axes: list[int] | None) -> None:
    constants = {} if axes is None else {"a": int64(*axes)}
    expect(ctx, [node(op, "x a" if axes else "x", keepdims=keepdims)], X, constants)
    if op != "ReduceSum":
        old = {} if axes is None else {"axes": axes}
        expect(ctx, [node(op, "x", keepdims=keepdims, **old)], X, opset=11)


@pytest.mark.parametrize("op", ["ReduceL2", "ReduceSumSquare", "ReduceLogSumExp", "ReduceL1"])
def test_reductions_that_onnx_defines(ctx: Context, op: str) -> None:
    expect(ctx, [node(op, "x a", keepdims=0)], X, {"a": int64(1)})


def test_layer_normalization(ctx: Context) -> None:
    for axis, shape in ((-1, (4,)), (1, (3, 4)), (0, (2, 3, 4))):
        constants = {"s": reals(shape, 1), "b": reals(shape, 2)}
        expect(ctx, [node("LayerNormalization", "x s b", axis=axis)], X, constants)
    expect(ctx, [node("LayerNormalization", "x s", epsilon=0.1)], X | {"s": reals((4,))})


def test_rms_normalization(ctx: Context) -> None:
    for axis, shape in ((-1, (4,)), (1, (3, 4))):
        constants = {"s": reals(shape, 1)}
        proto = node("RMSNormalization", "x s", axis=axis, epsilon=0.01)
        expect(ctx, [proto], X, constants, opset=23)


def test_rms_norm_of_quantlib(ctx: Context) -> None:
    weight = reals((4,), 1)
    proto = model([node("RMSNorm", "x w", eps=0.01)], {"x": (2, 3, 4)}, {"w": weight})
    (y,) = run_module(ctx, import_model(proto.SerializeToString(), ctx), [X["x"]])
    mean = np.square(X["x"]).mean(axis=-1, keepdims=True)
    np.testing.assert_allclose(y, X["x"] / np.sqrt(mean + 0.01) * weight, 1e-5)


def test_other_normalizations(ctx: Context) -> None:
    image = {"x": reals((2, 4, 3, 3))}
    vectors = {name: np.abs(reals((4,), i)) for i, name in enumerate("sbmv")}
    expect(ctx, [node("BatchNormalization", "x s b m v", epsilon=0.01)], image, vectors)
    two = {name: vectors[name] for name in "sb"}
    expect(ctx, [node("InstanceNormalization", "x s b", epsilon=0.01)], image, two)
    expect(ctx, [node("GroupNormalization", "x s b", num_groups=2)], image, two, opset=21)
    expect(ctx, [node("MeanVarianceNormalization", "x")], image)


@pytest.mark.parametrize(
    "proto, constants",
    [
        (node("Transpose", "x", perm=[2, 0, 1]), {}),
        (node("Reshape", "x s"), {"s": int64(4, -1)}),
        (node("Flatten", "x"), {}),
        (node("Slice", "x a b"), {"a": int64(0, 1), "b": int64(2, 3)}),
        (node("Concat", "x c", axis=1), {"c": reals((2, 2, 4), 3)}),
        (node("Concat", "c x", axis=1), {"c": np.ones((2, 2, 4), np.float32)}),
        (node("Pad", "x p v"), {"p": int64(0, 1, 0, 2, 0, 1), "v": np.float32(-0.5)}),
        (node("Pad", "x p v"), {"p": int64(0, 1, 0, 2, 0, 1), "v": np.float32(-np.inf)}),
        (node("Gather", "x i", axis=1), {"i": int64(2, 0)}),
        (node("Split", "x", "y z", axis=2, num_outputs=2), {}),
        (node("Where", "m x c"), {"m": np.array([[1], [0], [1]], bool), "c": reals((4,), 4)}),
        (node("Where", "m x c"), {"m": np.array([False]), "c": reals((2, 3, 4), 4)}),
        (node("Squeeze", "x"), {}),
    ],
    ids=lambda value: value.op_type if isinstance(value, onnx.NodeProto) else "",
)
def test_movement(ctx: Context, proto: onnx.NodeProto, constants: Arrays) -> None:
    printed = expect(ctx, [proto], X, constants, outputs=list(proto.output))
    assert "si8" not in printed and "ui8" not in printed


def test_blocks(ctx: Context) -> None:
    for mode in ("DCR", "CRD"):
        proto = node("DepthToSpace", "x", blocksize=2, mode=mode)
        expect(ctx, [proto], {"x": reals((1, 8, 2, 3))})
    expect(ctx, [node("SpaceToDepth", "x", blocksize=2)], {"x": reals((1, 2, 4, 6))})


def test_softmax_grad(ctx: Context) -> None:
    domain = "com.microsoft"
    proto = model(
        [node("SoftmaxGrad", "d s", axis=1, domain=domain)],
        {"d": (2, 3, 4), "s": (2, 3, 4)},
        domains=[domain],
    )
    d, s = reals((2, 3, 4)), np.abs(reals((2, 3, 4), 1))
    (y,) = run_module(ctx, import_model(proto.SerializeToString(), ctx), [d, s])
    np.testing.assert_allclose(y, s * (d - (d * s).sum(axis=1, keepdims=True)), 1e-5, 1e-6)


def test_logarithms_of_probabilities(ctx: Context) -> None:
    inputs = {"x": reals((4, 5))}
    shapes = {"x": (4, 5), "l": (4,)}
    proto = model([node("SoftmaxCrossEntropyLoss", "x l", "y")], shapes)
    module = import_model(proto.SerializeToString(), ctx, {"l": "si8"})
    (y,) = run_module(ctx, module, [inputs["x"], np.zeros(4)])
    np.testing.assert_allclose(np.exp(y).sum(axis=1), 1, 1e-6)
    proto = model([node("SoftmaxCrossEntropyLoss", "x l", "y z")], shapes, outputs=["y", "z"])
    with pytest.raises(DeeployError, match="the loss is not supported"):
        import_model(proto.SerializeToString(), ctx, {"l": "si8"})


@pytest.mark.parametrize(
    "proto, constants, message",
    [
        (node("Gelu", "x", approximate="none"), {}, None),
        (node("Gelu", "x", approximate="other"), {}, "unknown 'approximate' other"),
        (node("LayerNormalization", "x s"), {"s": reals((3,))}, r"'scale' has shape \(3,\), not"),
        (node("LayerNormalization", "x s", "y m"), {"s": reals((4,))}, "output 'Mean'"),
        (
            node("BatchNormalization", "x s s s s"),
            {"s": np.ones(4, np.float32)},
            r"a factor has shape \(4,\)",
        ),
        (node("Softmax", "x", axis=3), {}, "axis 3 does not exist"),
        (node("Div", "x c"), {"c": int64(2)}, "division of integers"),
        (node("Bernoulli", "x"), {}, "its RandomUniformLike: unsupported operator"),
        (node("DepthToSpace", "x", blocksize=2), {}, "but an image"),
    ],
)
def test_errors(ctx: Context, proto: onnx.NodeProto, constants: Arrays, message: str) -> None:
    file = model([proto], {"x": (2, 3, 4)}, constants, list(proto.output), 20).SerializeToString()
    if message is None:
        import_model(file, ctx, {"x": "f32"})
        return
    with pytest.raises(DeeployError, match=rf"^{proto.op_type} 'the_.*{message}"):
        import_model(file, ctx, {"x": "f32"})
