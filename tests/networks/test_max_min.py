"""ONNX `Max` and `Min`: the operator that docs/add-an-operator.md adds, from file to C."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

SHAPES = {"x": (1, 6, 5, 9), "y": (6, 1, 9), "z": (1,)}


def model(op: str, operands: Sequence[str]) -> onnx.ModelProto:
    """One operator on some of `x`, `y`, `z`; `c` is a constant."""
    inputs = [name for name in operands if name in SHAPES]
    constant = np.arange(-4, 5, dtype=np.float32) * 25
    graph = helper.make_graph(
        [helper.make_node(op, operands, ["out"], op)],
        "test",
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, SHAPES[n]) for n in inputs],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(constant, "c")] if "c" in operands else [],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


@pytest.mark.parametrize("op", ["Max", "Min"])
@pytest.mark.parametrize("operands", [["x"], ["x", "y"], ["c", "y", "x", "z"]], ids=len)
def test_max_min(matching, op: str, operands: list[str]) -> None:
    rng = np.random.default_rng(len(operands))
    data = {n: rng.integers(-128, 128, SHAPES[n]) for n in operands if n in SHAPES}
    if "y" in data:
        data["y"] += 128
    values = [data.get(n, np.arange(-4, 5) * 25) for n in operands]
    expected = values[0]
    for value in values[1:]:
        expected = (np.maximum if op == "Max" else np.minimum)(expected, value)
    types = [f"--input-type={n}={'ui8' if n == 'y' else 'si8'}" for n in data]
    outputs = {"out": expected}
    report = matching(model(op, operands), data, "--l1", 300, *types, outputs=outputs)
    ops = [op for nest in report["nests"] for op in nest["ops"]]
    assert ops == ([op.lower()] * (len(operands) - 1) or ["copy"])


def test_types_follow_from_ranges(deeploy, tmp_path: Path) -> None:
    """The larger of `[-128, 127]` and `[0, 255]` is never negative, the smaller at most 127."""
    for op, type in (("Max", "ui8"), ("Min", "si8")):
        onnx.save_model(model(op, ["x", "y"]), tmp_path / "network.onnx")
        types = ["--input-type=x=si8", "--input-type=y=ui8", "--dump-ir", "ir", "-o", "out"]
        assert deeploy("compile", "network.onnx", "--target", "siracusa", *types).status == 0
        assert f"-> tensor<1x6x5x9x{type}>" in (tmp_path / "ir" / "00_input.mlir").read_text()
