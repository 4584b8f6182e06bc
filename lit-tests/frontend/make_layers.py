"""Writes a tiny quantised network: convolution, requantisation, flatten and Gemm with bias."""

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def main(path: str) -> None:
    requant = {"div": 256, "n_levels": 256, "signed": 0, "domain": "PACTOps"}
    constants = {
        "conv.weight": np.arange(-8, 8).reshape(4, 1, 2, 2),
        "mul": np.array([64, 65, 66, 67]).reshape(4, 1, 1),
        "add": np.array(0),
        "fc.weight": np.arange(32).reshape(2, 16),
        "fc.bias": np.array([1000, -1000]),
    }
    nodes = [
        helper.make_node("Conv", ["x", "conv.weight"], ["a"], "Conv_0"),
        helper.make_node("RequantShift", ["a", "mul", "add"], ["b"], "Requant_1", **requant),
        helper.make_node("Flatten", ["b"], ["c"]),
        helper.make_node("Gemm", ["c", "fc.weight", "fc.bias"], ["y"], "Gemm_3", transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "layers",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 3, 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 2])],
        [numpy_helper.from_array(a.astype(np.float32), n) for n, a in constants.items()],
    )
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid("PACTOps", 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)


main(sys.argv[1])
