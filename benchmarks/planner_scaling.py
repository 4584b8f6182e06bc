"""How compilation time grows with the number of layers, phase by phase.

The networks are generated: a chain of quantised convolutions in a few shapes, as deep networks
repeat them. Seconds are wall time on this machine.

    python benchmarks/planner_scaling.py [LAYERS ...]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from command import deeploy_json
from onnx import TensorProto, helper, numpy_helper
from report import table

LAYERS = (100, 300, 1000)
SIDE = 16
"""Rows and columns of all images."""
SHAPES = ((16, 16, 3, 1), (16, 32, 1, 1), (32, 32, 3, 32), (32, 16, 1, 1))
"""Input channels, output channels, window and groups of one layer after the other, repeated."""


def requant(name: str, x: str, y: str) -> onnx.NodeProto:
    """`clip((x * mul + add) >> 8)` to unsigned eight bits."""
    scalars = {"div": 256.0, "n_levels_out": 256.0, "signed": 0.0}
    attributes = {k: numpy_helper.from_array(np.array(v, np.float32)) for k, v in scalars.items()}
    inputs = [x, f"{name}.mul", f"{name}.add"]
    return helper.make_node("RequantShift", inputs, [y], name, domain="PACTOps", **attributes)


def chain(layers: int) -> onnx.ModelProto:
    """A network of that many convolutions, each with weights of its own."""
    rng = np.random.default_rng(layers)
    nodes: list[onnx.NodeProto] = []
    constants: list[onnx.TensorProto] = []

    def constant(name: str, values: np.ndarray[Any, Any]) -> str:
        constants.append(numpy_helper.from_array(values.astype(np.float32), name))
        return name

    for i in range(layers):
        channels, filters, window, groups = SHAPES[i % len(SHAPES)]
        shape = (filters, channels // groups, window, window)
        weight = constant(f"conv{i}.weight", rng.integers(-99, 99, shape))
        pads = [window // 2] * 4
        inputs = [f"x{i}", weight]
        nodes.append(
            helper.make_node("Conv", inputs, [f"a{i}"], f"conv{i}", pads=pads, group=groups)
        )
        constant(f"requant{i}.mul", rng.integers(1, 9, (filters, 1, 1)))
        constant(f"requant{i}.add", rng.integers(-999, 999, (filters, 1, 1)))
        nodes.append(requant(f"requant{i}", f"a{i}", f"x{i + 1}"))
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, (1, channels, SIDE, SIDE))
        for name, channels in (("x0", SHAPES[0][0]), (f"x{layers}", filters))
    ]
    graph = helper.make_graph(nodes, f"chain{layers}", ends[:1], ends[1:], constants)
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid("PACTOps", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)
