"""Published networks and kernels: bit for bit, directly after the import."""

from pathlib import Path

import numpy as np
import pytest
from onnx_builders import text
from xdsl.context import Context
from xdsl.dialects.func import FuncOp

from deeploy.diagnostics import DeeployError, node_name
from deeploy.dialects.graph import GraphOp
from deeploy.frontend import import_model, supported_operators
from deeploy.interpreters import run_module

MODELS = Path(__file__).parents[3] / "shared" / "models"
NETWORKS = [
    "networks/CNN_Linear2",
    "networks/miniMobileNet",
    "networks/MLPerf/AnomalyDetection",
    "networks/MLPerf/ImageClassification",
    "networks/MLPerf/KeywordSpotting",
]
KERNELS = [
    "Add/Large",
    "Add/Regular",
    "Concat",
    "Conv/DW_2D",
    "Conv/DW_2D_RQ",
    "Conv/DW_3x3",
    "Conv/PW_2D",
    "Conv/PW_2D_RQ/Regular_RQ",
    "Conv/Regular_1D",
    "Conv/Regular_1D_RQ",
    "Conv/Regular_2D",
    "Conv/Regular_2D_RQ",
    "Conv/Regular_3x3",
    "Conv/Regular_3x3_RQ",
    "GEMM/Batch_RQ",
    "GEMM/Regular",
    "GEMM/Regular_RQPerColumn",
    "Identity/InputIdentity",
    "Identity/OutputIdentity",
    "MatMul/Add",
    "MatMul/Regular",
    "MatMul/Regular_RQ",
    "MaxPool/Regular_1D",
    "MaxPool/Regular_2D",
    "Pad/Regular_2D",
    "Sub",
]
CASES = NETWORKS + [f"kernels/Integer/{name}" for name in KERNELS]


def arrays(path: Path) -> list[np.ndarray]:
    with np.load(path) as archive:
        return [archive[key] for key in archive.files]


def case(name: str) -> tuple[Path, list[np.ndarray], list[np.ndarray]]:
    folder = MODELS / name
    if not folder.is_dir():
        pytest.skip(f"model {name} is not in {MODELS}")
    return folder / "network.onnx", arrays(folder / "inputs.npz"), arrays(folder / "outputs.npz")


@pytest.mark.parametrize("name", CASES)
def test_golden_outputs(ctx: Context, name: str) -> None:
    path, inputs, outputs = case(name)
    module = import_model(path, ctx, input_values=inputs)
    module.verify()
    function = module.body.block.first_op
    assert isinstance(function, FuncOp)
    # some files also hold the values of weights
    actual = run_module(ctx, module, inputs[: len(function.args)])
    assert len(actual) == len(outputs)
    for ours, golden in zip(actual, outputs, strict=True):
        np.testing.assert_array_equal(ours.astype(np.int64), golden.astype(np.int64))


@pytest.mark.parametrize("name", NETWORKS)
def test_every_op_knows_its_node(ctx: Context, name: str) -> None:
    path, inputs, _ = case(name)
    module = import_model(path, ctx, input_values=inputs)
    assert all(node_name(op) for op in module.walk() if isinstance(op, GraphOp))
    assert "si32" not in text(ctx, module).splitlines()[1]


@pytest.mark.parametrize(
    "name", ["networks/CCT/FP32/CCT_1_16_16_8", "kernels/FP32/Conv/Regular_2D_Bias"]
)
def test_float_networks_are_refused(ctx: Context, name: str) -> None:
    path, inputs, _ = case(name)
    with pytest.raises(DeeployError, match="quantise"):
        import_model(path, ctx, input_values=inputs)
    with pytest.raises(DeeployError):
        import_model(path, ctx)


def test_list_of_operators() -> None:
    operators = supported_operators()
    names = [info.onnx_name for info in operators]
    assert names == sorted(names, key=str.lower)
    assert {"Conv", "Gemm", "MatMul", "RequantShift", "MaxPool"} <= set(names)
    assert all(info.summary and info.domains for info in operators)
    assert [info.types for info in operators if info.onnx_name in ("Add", "Shape")] == [
        ("si8", "ui8", "si32"),
        (),
    ]
    requant = operators[names.index("RequantShift")]
    assert requant.domains == ("", "PACTOps", "ai.onnx.contrib", "com.microsoft")
