"""Published networks and kernels: bit for bit, after the import and after the graph passes."""

from pathlib import Path

import numpy as np
import pytest
from onnx_builders import text
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp

from deeploy.diagnostics import DeeployError, node_name
from deeploy.dialects.graph import GraphOp
from deeploy.frontend import import_model, supported_operators
from deeploy.interpreters import run_module
from deeploy.passes import get_all_passes
from deeploy.pipelines import GRAPH

MODELS = Path(__file__).parents[3] / "shared" / "models"
INTEGER_NETWORKS = [
    "networks/CCT/Int/ICCT",
    "networks/CNN_Linear2",
    "networks/MLPerf/AnomalyDetection",
    "networks/MLPerf/ImageClassification",
    "networks/MLPerf/KeywordSpotting",
    "networks/microLlama/INT8/microLlama1",
    "networks/microLlama/INT8/microLlama128",
    "networks/microLlama/INT8/microLlama16_parallel",
    "networks/microLlama/INT8/microLlama8",
    "networks/microLlama/INT8/microLlama8_parallel",
    "networks/miniMobileNet",
]
FLOAT_NETWORKS = [
    "networks/CCT/FP32/CCT_1_16_16_8",
    "networks/CCT/FP32/CCT_2_32_32_128",
    "networks/TinyViT/Demo",
    "networks/Transformer_DeepQuant",
    "networks/microLlama/FP32/microLlama1",
]
# bfloat16 has no place in the graph dialect
KERNELS = sorted(
    str(path.parent.relative_to(MODELS))
    for path in MODELS.glob("kernels/*/**/network.onnx")
    if "BF16" not in path.parts
) or ["kernels/Integer/Add/Regular"]
TOLERANCE = 1e-4


def arrays(path: Path) -> list[np.ndarray]:
    with np.load(path) as archive:
        return [archive[key] for key in archive.files]


def case(name: str) -> tuple[Path, list[np.ndarray], list[np.ndarray]]:
    folder = MODELS / name
    if not folder.is_dir():
        pytest.skip(f"model {name} is not in {MODELS}")
    return folder / "network.onnx", arrays(folder / "inputs.npz"), arrays(folder / "outputs.npz")


def check(ctx: Context, module: ModuleOp, inputs: list, outputs: list) -> None:
    """Integers must be equal, floats nearly so."""
    actual = run_module(ctx, module, inputs)
    assert len(actual) == len(outputs)
    for ours, golden in zip(actual, outputs, strict=True):
        assert ours.shape == golden.shape
        tolerance = TOLERANCE if ours.dtype.kind == "f" else 0
        np.testing.assert_allclose(
            ours.astype(np.float64), golden.astype(np.float64), tolerance, tolerance
        )


@pytest.mark.parametrize("name", INTEGER_NETWORKS + FLOAT_NETWORKS + KERNELS)
def test_golden_outputs(ctx: Context, name: str) -> None:
    path, inputs, outputs = case(name)
    module = import_model(path, ctx, input_values=inputs)
    module.verify()
    function = module.body.block.first_op
    assert isinstance(function, FuncOp)
    # some files also hold the values of weights
    inputs = inputs[: len(function.args)]
    check(ctx, module, inputs, outputs)
    for name in GRAPH:
        get_all_passes()[name]()().apply(ctx, module)
    module.verify()
    check(ctx, module, inputs, outputs)


@pytest.mark.parametrize("name", INTEGER_NETWORKS + FLOAT_NETWORKS)
def test_every_op_knows_its_node(ctx: Context, name: str) -> None:
    path, inputs, _ = case(name)
    module = import_model(path, ctx, input_values=inputs)
    assert all(node_name(op) for op in module.walk() if isinstance(op, GraphOp))
    first = text(ctx, module).splitlines()[1]
    assert "si32" not in first and ("f32" in first) == (name in FLOAT_NETWORKS)


def test_bfloat16_is_refused(ctx: Context) -> None:
    path, inputs, _ = case("kernels/BF16/Add/Regular")
    with pytest.raises(DeeployError, match="elements of type bfloat16"):
        import_model(path, ctx, input_values=inputs)


def test_list_of_operators() -> None:
    operators = supported_operators()
    names = [info.onnx_name for info in operators]
    assert names == sorted(names, key=str.lower)
    assert {"Conv", "Gemm", "MatMul", "RequantShift", "MaxPool"} <= set(names)
    assert all(info.summary and info.domains for info in operators)
    assert [info.types for info in operators if info.onnx_name in ("Add", "Shape")] == [
        ("si8", "ui8", "si32", "f32"),
        (),
    ]
    requant = operators[names.index("RequantShift")]
    assert requant.domains == ("", "PACTOps", "ai.onnx.contrib", "com.microsoft")
