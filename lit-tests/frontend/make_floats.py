"""Writes a tiny float network: convolution, normalisation, Gelu, mean, Gemm and softmax."""

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def main(path: str) -> None:
    constants = {
        "conv.weight": np.linspace(-1, 1, 18).reshape(2, 1, 3, 3),
        "conv.bias": np.array([0.5, -0.5]),
        "scale": np.array([2.0, 4.0]),
        "shift": np.array([0.25, 0.5]),
        "fc.weight": np.arange(6).reshape(3, 2) / 8,
        "fc.bias": np.array([1, 2, 3]),
    }
    nodes = [
        helper.make_node("Conv", ["x", "conv.weight", "conv.bias"], ["a"], "Conv_0"),
        helper.make_node("InstanceNormalization", ["a", "scale", "shift"], ["b"], "Norm_1"),
        helper.make_node("Gelu", ["b"], ["c"], "Gelu_2", approximate="tanh"),
        helper.make_node("ReduceMean", ["c"], ["d"], "Mean_3", axes=[2, 3], keepdims=0),
        helper.make_node("Gemm", ["d", "fc.weight", "fc.bias"], ["e"], "Gemm_4", transB=1),
        helper.make_node("Mish", ["e"], ["f"], "Mish_5"),
        helper.make_node("Softmax", ["f"], ["y"], "Softmax_6"),
    ]
    graph = helper.make_graph(
        nodes,
        "floats",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 4, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3])],
        [numpy_helper.from_array(a.astype(np.float32), n) for n, a in constants.items()],
    )
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=8), path
    )


main(sys.argv[1])
