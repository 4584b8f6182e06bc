"""Which normalisations compute in 32 bits."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lowering_helpers import parse

from deeploy.dialects.graph import IntLayerNormOp, IntRMSNormOp
from deeploy.engines.cluster.rows import KERNELS, IntNormKernel
from deeploy.registry import runtime_dir


def symbol_of(name: str, x: str, **properties: int) -> str:
    """The kernel that runs a normalisation of rows of `x` with these properties."""
    operands = ["%x", "%w", "%b"][: 3 if name == "int_layer_norm" else 2]
    types = [f"tensor<4x9x{x}>", "tensor<9xsi32>", "tensor<9xsi32>"][: len(operands)]
    arguments = ", ".join(f"{o}: {t}" for o, t in zip(operands, types, strict=True))
    attributes = ", ".join(f"{key} = {value} : i64" for key, value in properties.items())
    _, module = parse(
        f"func.func @network({arguments}) {{ %0 = graph.{name} {', '.join(operands)} "
        f"{{{attributes}}} : {', '.join(types)} -> tensor<4x9xsi8> func.return }}"
    )
    (op,) = [op for op in module.walk() if isinstance(op, IntRMSNormOp | IntLayerNormOp)]
    kernel = KERNELS[type(op)]
    assert isinstance(kernel, IntNormKernel)
    return kernel.instance(op).symbol


@pytest.mark.parametrize(
    ("name", "x", "limits", "wide"),
    [
        ("int_rms_norm", "si8", {"weight_limit": 4102989}, False),
        ("int_rms_norm", "si8", {"weight_limit": 1 << 23}, True),
        ("int_rms_norm", "si8", {}, True),
        ("int_rms_norm", "ui8", {"weight_limit": 1}, True),
        ("int_layer_norm", "ui8", {"weight_limit": 2000000, "bias_limit": 4000000}, False),
        ("int_layer_norm", "si8", {"weight_limit": 1, "bias_limit": 1 << 23}, True),
        ("int_layer_norm", "si8", {"weight_limit": 1}, True),
    ],
)
def test_chosen_instances(name: str, x: str, limits: dict[str, int], wide: bool) -> None:
    assert symbol_of(name, x, shift=16, **limits).endswith("_wide") == wide


@given(
    layer=st.booleans(),
    shift=st.integers(0, 31),
    weight=st.integers(0, 1 << 25),
    bias=st.integers(0, 1 << 25),
    scale=st.integers(0, 25),
)
def test_narrow_instances_have_room(
    layer: bool, shift: int, weight: int, bias: int, scale: int
) -> None:
    weight, bias = weight >> scale, bias >> scale
    name = "int_layer_norm" if layer else "int_rms_norm"
    limits = {"weight_limit": weight, **({"bias_limit": bias} if layer else {})}
    if symbol_of(name, "si8", shift=shift, **limits).endswith("_wide"):
        return
    text = (runtime_dir() / "include" / "deeploy" / "division.h").read_text()
    found = re.search(r"define DPL_SMALL_DIVIDEND \(\(1 << (\d+)\) - (\d+)\)", text)
    assert found
    most = (1 << int(found[1])) - int(found[2])
    largest = (255 if layer else 128) * weight + 127 + (128 * bias if layer else 0)
    assert largest < 1 << 31
    assert largest >> shift <= most
    assert -largest >> shift >= -most
