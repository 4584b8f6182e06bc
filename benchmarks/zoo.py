"""Networks that others made: where they are, and what they have to compute and move at least."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import onnx

ROOT = Path(__file__).parents[1]
MODELS = ROOT.parent / "shared" / "models"
"""`network.onnx`, `inputs.npz` and `outputs.npz` in a folder for each network."""

NETWORKS = {
    "AnomalyDetection": "networks/MLPerf/AnomalyDetection",
    "ImageClassification": "networks/MLPerf/ImageClassification",
    "KeywordSpotting": "networks/MLPerf/KeywordSpotting",
    "miniMobileNet": "networks/miniMobileNet",
    "CNN_Linear2": "networks/CNN_Linear2",
}
L1_SIZES = (128_000, 64_000, 32_000, 16_000, 8_000)


@dataclass(frozen=True)
class Network:
    """A folder with an ONNX file, its inputs and its outputs."""

    folder: Path

    @property
    def model(self) -> Path:
        """The ONNX file."""
        return self.folder / "network.onnx"

    @property
    def data(self) -> list[str]:
        """The options of `deeploy run` that name inputs and expected outputs."""
        inputs, outputs = self.folder / "inputs.npz", self.folder / "outputs.npz"
        return ["--inputs", str(inputs), "--expect", str(outputs)]

    @property
    def available(self) -> bool:
        """Whether the files are here."""
        return self.model.is_file()

    @cached_property
    def graph(self) -> onnx.GraphProto:
        """The graph with the shapes of all values."""
        return onnx.shape_inference.infer_shapes(onnx.load_model(self.model)).graph

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of every value."""
        infos = [*self.graph.input, *self.graph.output, *self.graph.value_info]
        shapes = {i.name: tuple(d.dim_value for d in i.type.tensor_type.shape.dim) for i in infos}
        return shapes | {tensor.name: tuple(tensor.dims) for tensor in self.graph.initializer}

    def products(self) -> list[onnx.NodeProto]:
        """The nodes that multiply and accumulate."""
        return [node for node in self.graph.node if node.op_type in ("Conv", "Gemm", "MatMul")]

    def macs(self) -> int:
        """Multiply-accumulates of one inference; positions in the padding count."""
        total = 0
        for node in self.products():
            weight = self.shapes[node.input[1]]
            transposed = any(a.name == "transB" and a.i for a in node.attribute)
            if node.op_type == "Conv":
                reduced = math.prod(weight[1:])
            else:
                reduced = weight[-1] if transposed else weight[-2]
            total += math.prod(self.shapes[node.output[0]]) * reduced
        return total

    def compulsory_bytes(self) -> int:
        """What must be moved at least: weights, inputs and outputs once, a byte each."""
        constants = {tensor.name for tensor in self.graph.initializer}
        names = [n.input[1] for n in self.products() if n.input[1] in constants]
        ends = [v.name for v in (*self.graph.input, *self.graph.output) if v.name not in constants]
        return sum(math.prod(self.shapes[name]) for name in (*names, *ends))


def network(name: str) -> Network:
    """The network of that name."""
    return Network(MODELS / NETWORKS[name])
