"""Small quantised networks for tests of the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

RNG_SEED = 5


def node(op: str, inputs: str, output: str, **attributes: object) -> onnx.NodeProto:
    """A node named after its output; input names are separated by spaces."""
    domain = "PACTOps" if op == "RequantShift" else ""
    return helper.make_node(
        op, inputs.split(), [output], f"{op}_{output}", domain=domain, **attributes
    )


def requant(x: str, y: str, mul: int = 40, *, signed: bool = False) -> onnx.NodeProto:
    """A RequantShift by 2^12 with the constants `mul` and `zero` of `model`."""

    def scalar(value: float) -> onnx.TensorProto:
        return numpy_helper.from_array(np.array(value, np.float32))

    return node("RequantShift", f"{x} mul_{mul} zero", y, div=scalar(4096.0),
                n_levels_out=scalar(256.0), signed=scalar(float(signed)))  # fmt: skip


def model(
    nodes: Sequence[onnx.NodeProto],
    inputs: Mapping[str, Sequence[int | str]],
    weights: Mapping[str, Sequence[int]] | None = None,
    constants: Mapping[str, np.ndarray] | None = None,
    outputs: Sequence[str] = ("y",),
) -> onnx.ModelProto:
    """A model with random weights of the given shapes, from -20 to 20."""
    rng = np.random.default_rng(RNG_SEED)
    arrays = {name: rng.integers(-20, 20, shape) for name, shape in (weights or {}).items()}
    arrays |= {"zero": np.array(0)}
    used = {name for n in nodes for name in n.input}
    arrays |= {name: np.array(int(name[4:])) for name in used if name.startswith("mul_")}
    tensors = [
        numpy_helper.from_array(array.astype(np.float32), name)
        for name, array in arrays.items()
        if name in used
    ]
    tensors += [numpy_helper.from_array(array, name) for name, array in (constants or {}).items()]
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in inputs.items()],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in outputs],
        tensors,
    )
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid("PACTOps", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def conv() -> onnx.ModelProto:
    """Convolution and requantisation, with odd sizes and a border."""
    nodes = [node("Conv", "x w", "a", pads=[1, 1, 1, 1], kernel_shape=[3, 3]), requant("a", "y")]
    return model(nodes, {"x": (1, 5, 19, 17)}, {"w": (14, 5, 3, 3)})


def strided_conv() -> onnx.ModelProto:
    """Stride, dilation and uneven padding."""
    window = {"pads": [0, 2, 1, 0], "strides": [2, 1], "dilations": [1, 2], "kernel_shape": [3, 2]}
    nodes = [node("Conv", "x w", "a", **window), requant("a", "y", signed=True)]
    return model(nodes, {"x": (1, 8, 21, 12)}, {"w": (6, 8, 3, 2)})


def depthwise() -> onnx.ModelProto:
    """Depthwise and pointwise convolution."""
    nodes = [
        node("Conv", "x w", "a", pads=[1, 1, 1, 1], group=12, kernel_shape=[3, 3]),
        requant("a", "b", 200),
        node("Conv", "b v", "c", kernel_shape=[1, 1]),
        requant("c", "y", signed=True),
    ]
    return model(nodes, {"x": (1, 12, 15, 15)}, {"w": (12, 1, 3, 3), "v": (20, 12, 1, 1)})


def residual() -> onnx.ModelProto:
    """A branch that is added to what it came from, then a pool and a matrix product."""
    nodes = [
        node("Conv", "x w", "a", pads=[1, 1, 1, 1], kernel_shape=[3, 3]),
        requant("a", "b", signed=True),
        requant("x", "c", 2048, signed=True),
        node("Add", "b c", "d"),
        requant("d", "e", 4096),
        node("MaxPool", "e", "f", kernel_shape=[4, 4], strides=[4, 4]),
        node("Reshape", "f shape", "g"),
        node("Gemm", "g v bias", "h", transB=1),
        requant("h", "y", signed=True),
    ]
    weights = {"w": (8, 8, 3, 3), "v": (10, 128), "bias": (10,)}
    return model(nodes, {"x": (1, 8, 16, 16)}, weights, {"shape": np.array([1, -1])})


def two_inputs() -> onnx.ModelProto:
    """Two inputs and two outputs, none of them requantised."""
    nodes = [node("Add", "p q", "sum"), node("Sub", "p q", "difference")]
    shapes = {"p": (3, 40, 9), "q": (3, 40, 9)}
    return model(nodes, shapes, outputs=("sum", "difference"))


def matmul() -> onnx.ModelProto:
    """A product of two inputs, transposed."""
    nodes = [
        node("MatMul", "p q", "a"),
        requant("a", "b", signed=True),
        node("Transpose", "b", "y", perm=[0, 2, 1]),
    ]
    return model(nodes, {"p": (2, 30, 37), "q": (2, 37, 21)})


def movement() -> onnx.ModelProto:
    """Pads, slices and concatenates."""
    nodes = [
        node("Pad", "x pads", "a"),
        node("Slice", "x starts ends axes", "b"),
        node("Concat", "a b", "y", axis=3),
    ]
    constants = {
        "pads": np.array([0, 0, 1, 0, 0, 0, 1, 2]),
        "starts": np.array([0]),
        "ends": np.array([5]),
        "axes": np.array([3]),
    }
    tall = np.array([0, 0, 0, 0, 0, 0, 2, 0])
    constants |= {"tall": tall}
    nodes[1] = node("Slice", "t starts ends axes", "b")
    nodes.insert(0, node("Pad", "x tall", "t"))
    return model(nodes, {"x": (1, 3, 14, 10)}, constants=constants)


def copies() -> onnx.ModelProto:
    """The input is an output too."""
    return model([node("Relu", "x", "r")], {"x": (2, 33)}, outputs=("r", "x"))


NETWORKS = {
    f.__name__: f
    for f in (conv, strided_conv, depthwise, residual, two_inputs, matmul, movement, copies)
}
