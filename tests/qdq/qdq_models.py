"""QDQ networks for tests, and running them in onnxruntime and in numpy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_static,
)
from xdsl.context import Context
from xdsl.dialects.builtin import AnyFloat, ModuleOp
from xdsl.universe import Universe

from deeploy.dialects.graph import DequantizeOp, GraphOp, QuantizeOp, element_type
from deeploy.frontend import import_model
from deeploy.instrumentation.pipeline import parse_passes, run_pipeline
from deeploy.pipelines import GRAPH

OPSET = 17


class Network:
    """A network under construction; values are called by the names that methods return."""

    def __init__(self, seed: int, **inputs: Sequence[int]) -> None:
        self.rng = np.random.default_rng(seed)
        self.inputs = {name: tuple(shape) for name, shape in inputs.items()}
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, np.ndarray] = {}

    def constant(self, array: np.ndarray) -> str:
        name = f"c{len(self.constants)}"
        self.constants[name] = array
        return name

    def weights(self, *shape: int) -> str:
        """Normal random numbers that keep the size of what they are applied to."""
        deviation = np.sqrt(2 / np.prod(shape[1:]))
        return self.constant((self.rng.standard_normal(shape) * deviation).astype(np.float32))

    def bias(self, channels: int) -> str:
        return self.constant((self.rng.standard_normal(channels) * 0.3).astype(np.float32))

    def op(self, kind: str, *inputs: str, output: str | None = None, **attributes) -> str:
        output = output or f"v{len(self.nodes)}"
        name = f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], name=name, **attributes))
        return output

    def quantize(self, x: str, scale: float, zero: int, dtype=np.uint8, **attributes) -> str:
        parameters = [np.float32(scale), np.asarray(zero, dtype)]
        return self.op("QuantizeLinear", x, *map(self.constant, parameters), **attributes)

    def dequantize(self, x: str, scale, zero, dtype=np.uint8, **attributes) -> str:
        parameters = [np.asarray(scale, np.float32), np.asarray(zero, dtype)]
        return self.op("DequantizeLinear", x, *map(self.constant, parameters), **attributes)

    def model(self, output: str, type: int = TensorProto.FLOAT) -> onnx.ModelProto:
        graph = helper.make_graph(
            self.nodes,
            "qdq",
            [
                helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
                for name, shape in self.inputs.items()
            ],
            [helper.make_tensor_value_info(output, type, None)],
            [numpy_helper.from_array(array, name) for name, array in self.constants.items()],
        )
        opset = helper.make_opsetid("", OPSET)
        return helper.make_model(graph, opset_imports=[opset], ir_version=8)


class _Samples(CalibrationDataReader):
    def __init__(self, samples: Sequence[Mapping[str, np.ndarray]]) -> None:
        self.samples = iter(samples)

    def get_next(self) -> Mapping[str, np.ndarray] | None:
        return next(self.samples, None)


def quantised_model(
    network: onnx.ModelProto, folder: Path, inputs: Mapping[str, Sequence[int]], **options
) -> Path:
    """What onnxruntime's static quantisation makes of a network, with random samples."""
    rng = np.random.default_rng(99)
    samples = [
        {name: rng.standard_normal(shape).astype(np.float32) for name, shape in inputs.items()}
        for _ in range(16)
    ]
    before, after = folder / "float.onnx", folder / "quantised.onnx"
    onnx.save(network, before)
    options.setdefault("activation_type", QuantType.QUInt8)
    quantize_static(
        before,
        after,
        _Samples(samples),
        quant_format=QuantFormat.QDQ,
        weight_type=QuantType.QInt8,
        **options,
    )
    return after


def run_onnxruntime(
    model: bytes | Path, inputs: Mapping[str, np.ndarray], *, optimise: bool = False
) -> np.ndarray:
    """The first output; by default every operator by itself, on floats."""
    options = onnxruntime.SessionOptions()
    if not optimise:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    source = str(model) if isinstance(model, Path) else model
    session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, dict(inputs))[0])


def imported(ctx: Context, model: bytes | Path, *passes: str) -> ModuleOp:
    """The network after some passes."""
    module = import_model(model, ctx)
    everything = Universe.get_multiverse().all_passes
    run_pipeline(ctx, module, parse_passes(everything, ",".join(passes)))
    return module


def optimised(ctx: Context, model: bytes | Path) -> ModuleOp:
    """The network after all passes that know no target."""
    return imported(ctx, model, *GRAPH)


def float_ops(module: ModuleOp) -> list[str]:
    """The ops that compute on floats."""
    return [
        op.name
        for op in module.walk()
        if isinstance(op, GraphOp)
        and not isinstance(op, QuantizeOp | DequantizeOp)
        and isinstance(element_type(op.results[0]), AnyFloat)
    ]
