"""Nests of several ops, tiled in any way, compute what their ops compute one after the other."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lowering_helpers import HOST, draw_tiles, lower_and_compare, nests_in, parse, run

from deeploy.dialects.mem import TARGET
from deeploy.targets import target_attr

REQUANT = "requant = #graph.requant<mul = 3, add = 9, shift = 4, min = -128, max = 127>"
WINDOW = (
    "strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, "
    "channels_last"
)
IMAGE = "tensor<1x6x5x4xsi8>"
CONV = (
    f"graph.conv %a, %b {{{WINDOW}, groups = 1, {REQUANT}}} "
    f": {IMAGE}, tensor<4x3x3x4xsi8> -> {IMAGE}"
)


def network(inputs: dict[str, str], result: str, *body: str) -> str:
    """A function of one nest, whose operands are the arguments."""
    arguments = ", ".join(f"%{name}: {type}" for name, type in inputs.items())
    outer = arguments.replace("%", "%outer_")
    names = ", ".join(f"%outer_{name}" for name in inputs)
    lines = "\n".join(body)
    return f"""func.func @network({outer}) -> {result} {{
      %r = tiled.nest ins({names} : {", ".join(inputs.values())}) -> {result}
          attributes {{engine = "cluster"}} {{
      ^bb0({arguments}):
        {lines}
        tiled.yield %y : {result}
      }}
      func.return %r : {result}
    }}"""


HEADS = "tensor<4x3x5xsi8>"

NETWORKS = {
    # halos of halos, and a border of what lies between the two
    "windows": network(
        {"a": IMAGE, "b": "tensor<4x3x3x4xsi8>", "c": "tensor<3x3x4xsi8>"},
        IMAGE,
        f"%0 = {CONV}",
        f"%y = graph.depthwise_conv %0, %c {{{WINDOW}, {REQUANT}}} "
        f": {IMAGE}, tensor<3x3x4xsi8> -> {IMAGE}",
    ),
    "residual": network(
        {"a": IMAGE, "b": "tensor<4x3x3x4xsi8>", "c": IMAGE},
        IMAGE,
        f"%0 = {CONV}",
        f"%y = graph.add %0, %c {{{REQUANT}}} : {IMAGE}, {IMAGE} -> {IMAGE}",
    ),
    # both operands of the last op are computed here
    "both_sides": network(
        {"a": IMAGE, "b": "tensor<4x3x3x4xsi8>", "c": IMAGE},
        IMAGE,
        f"%0 = {CONV}",
        f"%1 = graph.clip %c {{min = 0, max = 50}} : {IMAGE} -> {IMAGE}",
        f"%y = graph.sub %0, %1 {{{REQUANT}}} : {IMAGE}, {IMAGE} -> {IMAGE}",
    ),
    # columns that are asked for become rows
    "transposed": network(
        {"a": "tensor<6x8xsi8>", "b": "tensor<5x8xsi8>"},
        "tensor<6x5xsi32>",
        "%0 = graph.transpose %b {permutation = array<i64: 1, 0>} "
        ": tensor<5x8xsi8> -> tensor<8x5xsi8>",
        "%y = graph.matmul %a, %0 : tensor<6x8xsi8>, tensor<8x5xsi8> -> tensor<6x5xsi32>",
    ),
    "padded": network(
        {"a": "tensor<5x4xsi8>"},
        "tensor<9x6xsi8>",
        "%0 = graph.clip %a {min = -50, max = 50} : tensor<5x4xsi8> -> tensor<5x4xsi8>",
        "%y = graph.pad %0 {low = array<i64: 3, 0>, high = array<i64: 1, 2>, value = 7} "
        ": tensor<5x4xsi8> -> tensor<9x6xsi8>",
    ),
    # heads are columns of one operand; the product goes back to columns
    "heads": network(
        {"a": "tensor<3x8x5xsi8>", "b": "tensor<4x6x5xsi8>"},
        "tensor<3x4x6xsi8>",
        "%0 = graph.slice %a {starts = array<i64: 0, 1, 0>, steps = array<i64: 1, 2, 1>, "
        "tiled.view} : tensor<3x8x5xsi8> -> tensor<3x4x5xsi8>",
        "%1 = graph.transpose %0 {permutation = array<i64: 1, 0, 2>, tiled.view} "
        f": tensor<3x4x5xsi8> -> {HEADS}",
        f"%2 = graph.matmul %1, %b {{transpose_rhs, {REQUANT}}} "
        f": {HEADS}, tensor<4x6x5xsi8> -> tensor<4x3x6xsi8>",
        "%y = graph.transpose %2 {permutation = array<i64: 1, 0, 2>, tiled.view} "
        ": tensor<4x3x6xsi8> -> tensor<3x4x6xsi8>",
    ),
    # a view of what another kernel of the nest computes
    "between": network(
        {"a": "tensor<4x6x8xsi8>", "b": "tensor<5x8xsi8>", "c": "tensor<6x3x5xsi8>"},
        "tensor<6x4x3xsi8>",
        f"%0 = graph.matmul %a, %b {{transpose_rhs, {REQUANT}}} "
        ": tensor<4x6x8xsi8>, tensor<5x8xsi8> -> tensor<4x6x5xsi8>",
        "%1 = graph.transpose %0 {permutation = array<i64: 1, 0, 2>, tiled.view} "
        ": tensor<4x6x5xsi8> -> tensor<6x4x5xsi8>",
        f"%y = graph.matmul %1, %c {{transpose_rhs, {REQUANT}}} "
        ": tensor<6x4x5xsi8>, tensor<6x3x5xsi8> -> tensor<6x4x3xsi8>",
    ),
    # rows are written where they belong
    "inserted": network(
        {"a": "tensor<2x4x5xsi8>", "b": "tensor<4x6x5xsi8>"},
        "tensor<4x6x5xsi8>",
        f"%0 = graph.requant %a {{{REQUANT}}} : tensor<2x4x5xsi8> -> tensor<2x4x5xsi8>",
        "%1 = graph.transpose %0 {permutation = array<i64: 1, 0, 2>, tiled.view} "
        ": tensor<2x4x5xsi8> -> tensor<4x2x5xsi8>",
        "%y = graph.insert %1 into %b {axis = 1, offset = 3, tiled.view} "
        ": tensor<4x2x5xsi8> into tensor<4x6x5xsi8> -> tensor<4x6x5xsi8>",
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
@settings(max_examples=6, deadline=None)
@given(data=st.data())
def test_fused_nests(name: str, data: st.DataObject) -> None:
    ctx, module = parse(NETWORKS[name])
    module.attributes[TARGET] = target_attr(HOST)
    expected = run(ctx, module)
    (nest,) = nests_in(module)
    draw_tiles(data.draw, nest)
    lower_and_compare(ctx, module, expected)
