"""The small network that the documentation shows: a convolution and a dense layer.

python docs/small_network.py small.onnx
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SEED = 1


def requant(name: str, x: str, y: str) -> onnx.NodeProto:
    """`clip((x * mul + add) >> 8)` to unsigned eight bits."""
    scalars = {"div": 256.0, "n_levels_out": 256.0, "signed": 0.0}
    attributes = {k: numpy_helper.from_array(np.array(v, np.float32)) for k, v in scalars.items()}
    inputs = [x, f"{name}.mul", f"{name}.add"]
    return helper.make_node("RequantShift", inputs, [y], name, domain="PACTOps", **attributes)


def build_model() -> onnx.ModelProto:
    """A 16x16 image, eight 3x3 filters, a maximum over squares of 4x4, ten scores."""
    rng = np.random.default_rng(SEED)
    constants = {
        "conv.weight": rng.integers(-99, 99, (8, 1, 3, 3)),
        "requant1.mul": rng.integers(1, 9, (8, 1, 1)),
        "requant1.add": rng.integers(-999, 999, (8, 1, 1)),
        "dense.weight": rng.integers(-99, 99, (10, 128)),
        "dense.bias": rng.integers(-999, 999, (10,)),
        "requant2.mul": np.array([3]),
        "requant2.add": np.array([0]),
    }
    nodes = [
        helper.make_node("Conv", ["x", "conv.weight"], ["a"], "conv", pads=[1, 1, 1, 1]),
        requant("requant1", "a", "b"),
        helper.make_node("MaxPool", ["b"], ["c"], "pool", kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node("Flatten", ["c"], ["d"], "flatten"),
        helper.make_node("Gemm", ["d", "dense.weight", "dense.bias"], ["e"], "dense", transB=1),
        requant("requant2", "e", "y"),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, 1, 16, 16))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, (1, 10))],
        [numpy_helper.from_array(a.astype(np.float32), n) for n, a in constants.items()],
    )
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid("PACTOps", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(build_model().SerializeToString(deterministic=True))
