"""Matrix products of several sizes.

python examples/systolic/products.py products.onnx
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

INPUTS = {
    "x": (70, 96),
    "r": (70, 130),
    "v": (1, 8),
    "p": (3, 40, 33),
    "q": (3, 33, 50),
    "f": (4, 16),
}


def build_model() -> onnx.ModelProto:
    """A large product, requantised and added to `r`; a tiny one; a batch of activations; floats."""
    rng = np.random.default_rng(5)
    constants = {
        "big": rng.integers(-8, 8, (96, 130)),
        "mul": rng.integers(1, 9, (130,)),
        "add": rng.integers(-999, 999, (130,)),
        "tiny": rng.integers(-8, 8, (8, 4)),
        "reals": rng.normal(size=(16, 5)),
    }
    scalars = {"div": 512.0, "n_levels_out": 256.0, "signed": 1.0}
    attributes = {k: numpy_helper.from_array(np.array(v, np.float32)) for k, v in scalars.items()}
    requant = helper.make_node(
        "RequantShift", ["sums", "mul", "add"], ["bytes"], "requant", domain="PACTOps", **attributes
    )
    nodes = [
        helper.make_node("MatMul", ["x", "big"], ["sums"], "large"),
        requant,
        helper.make_node("Add", ["bytes", "r"], ["large_result"], "residual"),
        helper.make_node("MatMul", ["v", "tiny"], ["small_result"], "small"),
        helper.make_node("MatMul", ["p", "q"], ["batch_result"], "batch"),
        helper.make_node("MatMul", ["f", "reals"], ["floats_result"], "floats"),
    ]
    info = helper.make_tensor_value_info
    results = [f"{name}_result" for name in ("large", "small", "batch", "floats")]
    graph = helper.make_graph(
        nodes,
        "test",
        [info(name, TensorProto.FLOAT, shape) for name, shape in INPUTS.items()],
        [info(name, TensorProto.FLOAT, None) for name in results],
        [numpy_helper.from_array(v.astype(np.float32), name) for name, v in constants.items()],
    )
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid("PACTOps", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(build_model().SerializeToString(deterministic=True))
