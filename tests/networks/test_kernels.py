"""Single operators that others tested their compiler with: all integer cases."""

from __future__ import annotations

import re

import pytest
from zoo import MODELS, Network

CASES = MODELS / "kernels" / "Integer"

SUPPORTED = {
    "Add/Large", "Add/Regular", "Concat", "Conv/DW_2D", "Conv/DW_2D_RQ", "Conv/DW_3x3",
    "Conv/PW_2D", "Conv/PW_2D_RQ/Regular_RQ", "Conv/Regular_1D", "Conv/Regular_1D_RQ",
    "Conv/Regular_2D", "Conv/Regular_2D_RQ", "Conv/Regular_3x3", "Conv/Regular_3x3_RQ",
    "GEMM/Batch_RQ", "GEMM/Regular", "GEMM/Regular_RQPerColumn", "Identity/InputIdentity",
    "Identity/OutputIdentity", "MatMul/Add", "MatMul/Regular", "MatMul/Regular_RQ",
    "MaxPool/Regular_1D", "MaxPool/Regular_2D", "Pad/Regular_2D", "Sub",
}  # fmt: skip
"""Cases that must work; the others may meet an operator that is not supported yet."""

MISSING = re.compile("unsupported operator|is only supported on constants|no kernel for")


def found() -> list[str]:
    """The names of all cases that are here, and of those that must work."""
    here = {str(path.parent.relative_to(CASES)) for path in CASES.rglob("network.onnx")}
    return sorted(here | SUPPORTED)


@pytest.mark.parametrize("name", found())
def test_every_bit(deeploy, name: str) -> None:
    net = Network(CASES / name)
    if not net.available:
        pytest.skip(f"{net.model} is not here")
    done = deeploy("run", net.model, "--target", "siracusa", "--l1", 20_000, *net.data, "--json")
    if name not in SUPPORTED and done.status == 1 and MISSING.search(done.err):
        pytest.skip(done.err.strip())
    assert done.status == 0, done.err
    assert done.json["match"]
