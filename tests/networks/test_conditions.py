"""Masks that are made at run time, from file to C."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

SHAPE = (3, 12, 8)
"""Heads, positions, and what a key has of elements."""
POSITIONS = SHAPE[1]


def attention() -> onnx.ModelProto:
    """Causal attention: positions are inputs, `given` forbids more, and the mask is an output."""
    constants = {
        "axes": np.array([1], np.int64),
        "all": np.arange(POSITIONS, dtype=np.int64),
        "never": np.float32(-np.inf),
    }
    nodes = [
        helper.make_node("Unsqueeze", ["position", "axes"], ["rows"]),
        helper.make_node("LessOrEqual", ["all", "rows"], ["causal"]),
        helper.make_node("And", ["causal", "given"], ["mask"]),
        helper.make_node("Transpose", ["k"], ["kt"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["q", "kt"], ["scores"]),
        helper.make_node("Where", ["mask", "scores", "never"], ["masked"]),
        helper.make_node("Softmax", ["masked"], ["weights"], axis=-1),
        helper.make_node("MatMul", ["weights", "v"], ["y"]),
        helper.make_node("Not", ["mask"], ["hidden"]),
    ]
    inputs = [
        helper.make_tensor_value_info("position", TensorProto.INT64, (POSITIONS,)),
        helper.make_tensor_value_info("given", TensorProto.BOOL, (1, POSITIONS)),
        *(helper.make_tensor_value_info(n, TensorProto.FLOAT, SHAPE) for n in "qkv"),
    ]
    outputs = [
        helper.make_tensor_value_info("y", TensorProto.FLOAT, None),
        helper.make_tensor_value_info("hidden", TensorProto.BOOL, None),
    ]
    known = [numpy_helper.from_array(np.asarray(a), n) for n, a in constants.items()]
    graph = helper.make_graph(nodes, "test", inputs, outputs, known)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.mark.parametrize("options", [(), ("--l1", 1500)], ids=["", "tiles"])
def test_a_mask_made_at_run_time(matching, options: tuple[object, ...]) -> None:
    rng = np.random.default_rng(0)
    given = rng.integers(0, 3, (1, POSITIONS)) > 0
    given[0, 0] = True  # so that no row is empty
    data = {
        "position": np.arange(POSITIONS),
        "given": given,
        **{n: rng.normal(size=SHAPE).astype(np.float32) for n in "qkv"},
    }
    matching(attention(), data, *options)
