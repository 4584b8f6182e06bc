"""`reduce-factors`: the same values for all operands that there are, with less work."""

from __future__ import annotations

import numpy as np
from graph_helpers import parse, run_pass
from hypothesis import given, settings
from hypothesis import strategies as st

from deeploy.dialects.graph import AddOp, BinaryOp, RequantAttr
from deeploy.interpreters import run_module

BYTES = np.arange(-128, 128).astype(np.int8)
ROUNDING = st.builds(
    lambda mul, shift: (mul, 1 << shift >> 1, shift, -128, 127),
    st.integers(-(1 << 19), 1 << 19),
    st.integers(0, 19),
)
REQUANTS = ROUNDING | st.builds(
    lambda mul, add, shift, low, high: (mul, add, shift, min(low, high), max(low, high)),
    st.one_of(st.integers(-(1 << 31), (1 << 31) - 1), st.integers(0, 20).map(lambda n: 1 << n)),
    st.one_of(st.integers(-(1 << 31), (1 << 31) - 1), st.integers(-70000, 70000)),
    st.integers(0, 31),
    st.integers(-200, 200),
    st.integers(-200, 200),
)


def text(op: str, requants: dict[str, tuple[int, ...]]) -> str:
    keys = ("mul", "add", "shift", "min", "max")
    attributes = ", ".join(
        f"{name} = #graph.requant<{', '.join(f'{k} = {v}' for k, v in zip(keys, r, strict=True))}>"
        for name, r in requants.items()
    )
    types = "tensor<256x1xsi8>, tensor<256xsi8> -> tensor<256x256xsi32>"
    return f"""func.func @network(%x: {types.replace(", ", ", %y: ").replace(" ->", ") ->")} {{
  %0 = graph.{op} %x, %y {{{attributes}}} : {types}
  func.return %0 : tensor<256x256xsi32>
}}"""


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["add", "sub", "mul", "max"]),
    st.fixed_dictionaries(
        {}, optional={k: REQUANTS for k in ("requant", "lhs_requant", "rhs_requant")}
    ),
)
def test_all_bytes_keep_their_results(op: str, requants: dict[str, tuple[int, ...]]) -> None:
    ctx, module = parse(text(op, requants))
    inputs = [BYTES.reshape(256, 1), BYTES]
    before = run_module(ctx, module, inputs)
    run_pass(ctx, module, "reduce-factors")
    after = run_module(ctx, module, inputs)
    np.testing.assert_array_equal(before[0], after[0])


def test_what_is_left() -> None:
    """Times one and half: the result is only clamped, the operand never."""
    one, half = (65536, 32768, 16, -128, 127), (32768, 32768, 16, -128, 127)
    ctx, module = parse(text("add", {"requant": one, "lhs_requant": half}))
    run_pass(ctx, module, "reduce-factors")
    (op,) = (op for op in module.walk() if isinstance(op, BinaryOp))
    assert isinstance(op, AddOp)
    assert op.requant == RequantAttr.of(min=-128, max=127)
    assert op.lhs_requant == RequantAttr.of(1, 1, 1, min=-(1 << 31), max=(1 << 31) - 1)


def test_factors_of_16_bits() -> None:
    """One of the two nearest factors does the same to all values; where neither does, the old one
    stays."""
    near, stays = (61509, 32768, 16, -128, 127), (65537, 0, 9, -(1 << 31), (1 << 31) - 1)
    ctx, module = parse(text("add", {"lhs_requant": near, "rhs_requant": stays}))
    run_pass(ctx, module, "reduce-factors")
    (op,) = (op for op in module.walk() if isinstance(op, BinaryOp))
    assert op.lhs_requant is not None and op.lhs_requant.values()[:3] == (15377, 8192, 14)
    assert op.rhs_requant is not None and op.rhs_requant.values() == stays
