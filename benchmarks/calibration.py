"""Cycles of the simulator against published ones.

The first table has single layers on the eight cores, in one tile: cycles of the kernel alone. No
chip has been measured here, so their errors say how far estimates may be off. The second has whole
networks; others run them with other software or on other chips, which is context and no error.

    python benchmarks/calibration.py
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from command import deeploy_json
from onnx import TensorProto, helper, numpy_helper
from planner_scaling import requant
from report import table
from zoo import MODELS, Network

SIDE, CHANNELS, FILTERS = 16, 32, 64
"""The layer of PULP-NN's evaluation (arXiv 1908.11263): 16x16x32, 64 filters of 3x3."""
M, K, N = 64, 128, 64
COLUMNS = 64

Arrays = dict[str, np.ndarray[Any, Any]]


@dataclass(frozen=True)
class Published:
    """A layer, what it does (multiply-accumulates, or elements), and how long others take."""

    name: str
    build: Callable[[], onnx.ModelProto]
    work: int
    cycles: float
    source: str


def model(
    nodes: list[onnx.NodeProto], x: tuple[int, ...], y: tuple[int, ...], arrays: Arrays
) -> onnx.ModelProto:
    """A network from `x` to `y`."""
    constants = [numpy_helper.from_array(a.astype(np.float32), n) for n, a in arrays.items()]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("x", x), ("y", y))
    ]
    graph = helper.make_graph(nodes, "layer", ends[:1], ends[1:], constants)
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid("PACTOps", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def factors(shape: tuple[int, ...]) -> Arrays:
    """The factors of `requant("r", ...)`."""
    rng = np.random.default_rng(0)
    return {"r.mul": rng.integers(1, 9, shape), "r.add": rng.integers(-999, 999, shape)}


def weights(*shape: int) -> np.ndarray[Any, Any]:
    """Random bytes."""
    return np.random.default_rng(1).integers(-99, 99, shape)


def convolution(groups: int, filters: int) -> onnx.ModelProto:
    """3x3 on the image of the evaluation."""
    shape = (filters, CHANNELS // groups, 3, 3)
    node = helper.make_node("Conv", ["x", "w"], ["a"], "conv", pads=[1] * 4, group=groups)
    image = (1, CHANNELS, SIDE, SIDE), (1, filters, SIDE, SIDE)
    constants = {"w": weights(*shape), **factors((filters, 1, 1))}
    return model([node, requant("r", "a", "y")], *image, constants)


def product() -> onnx.ModelProto:
    """M rows of K elements times N columns."""
    node = helper.make_node("MatMul", ["x", "w"], ["a"], "matmul")
    constants = {"w": weights(K, N), **factors((1,))}
    return model([node, requant("r", "a", "y")], (M, K), (M, N), constants)


def norm() -> onnx.ModelProto:
    """One row, as a decode step has it."""
    scalars = {"D": 65536.0, "n_levels": 256.0}
    attributes = {k: numpy_helper.from_array(np.array(v, np.float32)) for k, v in scalars.items()}
    node = helper.make_node("iRMSNorm", ["x", "w"], ["y"], "norm", domain="PACTOps", **attributes)
    return model([node], (1, 1, COLUMNS), (1, 1, COLUMNS), {"w": weights(COLUMNS) * 99})


CONV_MACS = SIDE * SIDE * FILTERS * 9 * CHANNELS
DEPTHWISE_MACS = SIDE * SIDE * CHANNELS * 9
LAYERS = (
    Published("convolution 3x3", lambda: convolution(1, FILTERS), CONV_MACS, CONV_MACS / 15.5,
              "PULP-NN, arXiv 1908.11263"),
    Published("depthwise 3x3, against a generic kernel", lambda: convolution(CHANNELS, CHANNELS),
              DEPTHWISE_MACS, DEPTHWISE_MACS / 0.96, "PULP-NN, arXiv 1908.11263"),
    Published("depthwise 3x3, against a special one", lambda: convolution(CHANNELS, CHANNELS),
              DEPTHWISE_MACS, DEPTHWISE_MACS / 3.2, "PULP-NN, arXiv 1908.11263"),
    Published("product 64x128x64", product, M * K * N, 35_640, "GVSoC; blocks of 2x2"),
    Published("RMSNorm of 64", norm, COLUMNS, 11 * COLUMNS, "traces of public runs"),
)  # fmt: skip
NETWORKS = (
    ("microLlama/INT8/microLlama128", "cluster", 3_100_000, "8 cores, untiled, GVSoC"),
    ("microLlama/INT8/microLlama128", "", 712_000, "context 64, cores, NPU, weight memory, GVSoC"),
    ("MLPerf/AnomalyDetection", "", 65_000, "GAP9, MLPerf Tiny v1.0"),
    ("MLPerf/ImageClassification", "", 228_000, "GAP9, MLPerf Tiny v1.0"),
    ("MLPerf/KeywordSpotting", "", 176_000, "GAP9, MLPerf Tiny v1.0"),
)
"""Network, engines (all of the chip where empty), cycles of others, and who they are."""


def layer_row(layer: Published) -> tuple[object, ...]:
    """A row of the first table."""
    with tempfile.TemporaryDirectory(prefix="deeploy-") as folder:
        path = Path(folder) / "layer.onnx"
        path.write_bytes(layer.build().SerializeToString())
        options = ["--target", "siracusa", "--engines", "cluster", "--input-type", "x=si8"]
        cycles = deeploy_json("simulate", path, *options)["causes"]["kernel"]
    error = cycles / layer.cycles - 1
    rate = f"{layer.work / cycles:.2f}"
    return layer.name, f"{cycles:,}", rate, f"{layer.cycles:,.0f}", f"{error:+.0%}", layer.source


def network_row(name: str, engines: str, published: int, source: str) -> tuple[object, ...]:
    """A row of the second table."""
    net = Network(MODELS / "networks" / name)
    chosen = ["--engines", engines] if engines else []
    inputs = ["--inputs", net.folder / "inputs.npz"]
    result = deeploy_json("simulate", net.model, "--target", "siracusa", *chosen, *inputs)
    planned, cycles = result["planned"], result["cycles"]
    label = f"{Path(name).name}, {engines or 'all engines'}"
    return (
        label,
        f"{planned:,}",
        f"{cycles:,}",
        f"{published:,}",
        f"{published / cycles:.1f}",
        source,
    )


def main() -> None:
    """Print both tables."""
    headers = ("layer", "cycles", "work per cycle", "published", "error", "source")
    print(table(headers, [layer_row(layer) for layer in LAYERS]))
    print()
    rows = [network_row(*entry) for entry in NETWORKS]
    print(table(("network", "planned", "simulated", "published", "ratio", "by"), rows))


if __name__ == "__main__":
    main()
