"""Passes on floats, and on rows and functions: what they fuse, remove and move."""

from __future__ import annotations

import numpy as np
import pytest
from graph_helpers import GRAPH_PASSES, PIPELINE, count, parse, random_arrays, run_pass
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deeploy.interpreters import run_module


def network(arguments: str, body: str, type: str) -> str:
    return f"func.func @network({arguments}) -> {type} {{\n{body}\n  func.return %y : {type}\n}}"


def passed(text: str, *names: str) -> dict[str, int]:
    """Run passes, check that the result stays, and count the ops."""
    ctx, module = parse(text)
    (function,) = module.body.block.ops
    inputs = random_arrays(np.random.default_rng(0), function.regions[0].block.args)
    (expected,) = run_module(ctx, module, inputs)
    for name in names:
        run_pass(ctx, module, name)
        (actual,) = run_module(ctx, module, inputs)
        np.testing.assert_allclose(actual, expected, 1e-5, 1e-5, err_msg=name)
    return count(module)


MATMUL = """%w = graph.constant dense<[[0.5, 1.5, -0.25], [1.0, 2.0, 0.125]]> : tensor<2x3xf32>
  %b = graph.constant {bias}
  %p = graph.matmul %x, %w {{transpose_rhs}} : tensor<4x3xf32>, tensor<2x3xf32> -> tensor<4x2xf32>
  %y = graph.{op} : {types} -> tensor<4x2xf32>"""


@pytest.mark.parametrize(
    "bias, op, fused",
    [
        ("dense<[1.5, -2.5]> : tensor<2xf32>", "add %p, %b", True),
        ("dense<[1.5, -2.5]> : tensor<2xf32>", "add %b, %p", True),
        ("dense<[[1.5, -2.5]]> : tensor<1x2xf32>", "sub %p, %b", True),
        ("dense<[[1.5, -2.5]]> : tensor<1x2xf32>", "sub %b, %p", False),
        ("dense<0.5> : tensor<f32>", "add %p, %b", True),
        ("dense<[[1.5], [1.0], [2.0], [0.5]]> : tensor<4x1xf32>", "add %p, %b", False),
        ("dense<[1.5, -2.5]> : tensor<2xf32>", "mul %p, %b", False),
    ],
)
def test_bias_of_a_product(bias: str, op: str, fused: bool) -> None:
    type = bias.rpartition(" : ")[2]
    types = ["tensor<4x2xf32>", type] if "%p, %b" in op else [type, "tensor<4x2xf32>"]
    body = MATMUL.format(bias=bias, op=op, types=", ".join(types))
    counts = passed(network("%x: tensor<4x3xf32>", body, "tensor<4x2xf32>"), "fuse-requant")
    assert counts == ({"matmul": 1} if fused else {"matmul": 1, op.split()[0]: 1})


WINDOW = "strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>"


def test_bias_of_a_convolution() -> None:
    body = f"""
  %w = graph.constant dense<[[[[0.5]], [[1.5]]], [[[-1.0]], [[2.0]]]]> : tensor<2x2x1x1xf32>
  %b = graph.constant dense<[[[1.5]], [[-2.5]]]> : tensor<2x1x1xf32>
  %c = graph.conv %x, %w {{{WINDOW}, groups = 1}}
    : tensor<1x2x3x3xf32>, tensor<2x2x1x1xf32> -> tensor<1x2x3x3xf32>
  %a = graph.add %c, %b : tensor<1x2x3x3xf32>, tensor<2x1x1xf32> -> tensor<1x2x3x3xf32>
  %y = graph.unary "gelu" %a : tensor<1x2x3x3xf32> -> tensor<1x2x3x3xf32>"""
    text = network("%x: tensor<1x2x3x3xf32>", body, "tensor<1x2x3x3xf32>")
    expected = {"conv": 1, "unary": 1, "transpose": 2}
    assert passed(text, *PIPELINE) == expected
    # after the change of layout the channels are the last dimension
    assert passed(text, "convert-to-channels-last", "cancel-transposes", "fuse-requant") == expected


def test_a_second_bias_stays() -> None:
    body = """
  %b = graph.constant dense<[1.5, -2.5]> : tensor<2xf32>
  %w = graph.constant dense<[[0.5, 1.5], [1.0, 2.0]]> : tensor<2x2xf32>
  %p = graph.matmul %x, %w add %b : tensor<2xf32>
    : tensor<4x2xf32>, tensor<2x2xf32> -> tensor<4x2xf32>
  %y = graph.add %p, %b : tensor<4x2xf32>, tensor<2xf32> -> tensor<4x2xf32>"""
    text = network("%x: tensor<4x2xf32>", body, "tensor<4x2xf32>")
    assert passed(text, *PIPELINE) == {"matmul": 1, "add": 1}


NEUTRAL = [("add", "0.0"), ("sub", "0.0"), ("mul", "1.0"), ("div", "1.0")]


@pytest.mark.parametrize("op, number", NEUTRAL)
def test_neutral_arithmetic(op: str, number: str) -> None:
    body = f"""
  %c = graph.constant dense<{number}> : tensor<1xf32>
  %z = graph.{op} %x, %c : tensor<3xf32>, tensor<1xf32> -> tensor<3xf32>
  %y = graph.unary "exp" %z : tensor<3xf32> -> tensor<3xf32>"""
    assert passed(network("%x: tensor<3xf32>", body, "tensor<3xf32>"), "simplify") == {"unary": 1}


def test_neutral_arithmetic_that_broadcasts_stays() -> None:
    body = """
  %c = graph.constant dense<0.0> : tensor<2x3xf32>
  %y = graph.add %x, %c : tensor<3xf32>, tensor<2x3xf32> -> tensor<2x3xf32>"""
    text = network("%x: tensor<3xf32>", body, "tensor<2x3xf32>")
    assert passed(text, "simplify") == {"add": 1}


@pytest.mark.parametrize("divisor, op", [("0.0078125", "mul"), ("-8.0", "mul"), ("3.0", "div")])
def test_division_by_powers_of_two(divisor: str, op: str) -> None:
    body = f"""
  %c = graph.constant dense<{divisor}> : tensor<f32>
  %y = graph.div %x, %c : tensor<3xf32>, tensor<f32> -> tensor<3xf32>"""
    assert passed(network("%x: tensor<3xf32>", body, "tensor<3xf32>"), "simplify") == {op: 1}


FUNCTIONS = {
    "unary": 'graph.unary "tanh" %t : tensor<3x4x2xf32> -> tensor<3x4x2xf32>',
    "cast": "graph.cast %t : tensor<3x4x2xf32> -> tensor<3x4x2xf32>",
}


@pytest.mark.parametrize("kind", FUNCTIONS)
def test_transposes_through_functions(kind: str) -> None:
    body = f"""
  %t = graph.transpose %x {{permutation = array<i64: 1, 2, 0>}}
    : tensor<2x3x4xf32> -> tensor<3x4x2xf32>
  %f = {FUNCTIONS[kind]}
  %y = graph.transpose %f {{permutation = array<i64: 2, 0, 1>}}
    : tensor<3x4x2xf32> -> tensor<2x3x4xf32>"""
    text = network("%x: tensor<2x3x4xf32>", body, "tensor<2x3x4xf32>")
    assert passed(text, "cancel-transposes") == {kind: 1}


def test_transposes_through_reductions() -> None:
    body = """
  %t = graph.transpose %x {permutation = array<i64: 1, 2, 0>}
    : tensor<2x3x4xf32> -> tensor<3x4x2xf32>
  %r = graph.reduce "mean" %t {axes = array<i64: 0, 2>} : tensor<3x4x2xf32> -> tensor<1x4x1xf32>
  %y = graph.reshape %r : tensor<1x4x1xf32> -> tensor<4xf32>"""
    text = network("%x: tensor<2x3x4xf32>", body, "tensor<4xf32>")
    assert passed(text, "cancel-transposes") == {"reduce": 1, "reshape": 1}


@pytest.mark.parametrize("op", ["ita_max %x {levels = 256}", "int_gelu %x {b = -40, one = 1743}"])
def test_requantisation_after_a_function(op: str) -> None:
    type = "tensor<3x8xui8>" if "max" in op else "tensor<3x8xsi32>"
    body = f"""
  %m = graph.constant dense<[1, 2, 3, 4, 5, 6, 7, 8]> : tensor<8xsi32>
  %f = graph.{op} : tensor<3x8xsi8> -> {type}
  %y = graph.requant %f mul %m : tensor<8xsi32>
    {{requant = #graph.requant<mul = 1, add = 3, shift = 2, min = -128, max = 127>}}
    : {type} -> tensor<3x8xsi8>"""
    text = network("%x: tensor<3x8xsi8>", body, "tensor<3x8xsi8>")
    assert passed(text, "fuse-requant") == {op.split()[0]: 1}


def test_requantisation_before_a_clamp_stays() -> None:
    body = """
  %f = graph.int_gelu %x {b = -40, one = 1743}  : tensor<3x8xsi8> -> tensor<3x8xsi8>
  %y = graph.requant %f {requant = #graph.requant<mul = 5, add = 3, shift = 2, min = 0, max = 9>}
    : tensor<3x8xsi8> -> tensor<3x8xsi8>"""
    text = network("%x: tensor<3x8xsi8>", body, "tensor<3x8xsi8>")
    assert passed(text, "fuse-requant") == {"int_gelu": 1, "requant": 1}


STEPS = {
    "add": "graph.add %{x}, %b : {t}, tensor<{n}xf32> -> {t}",
    "sub": "graph.sub %b, %{x} : tensor<{n}xf32>, {t} -> {t}",
    "zero": "graph.add %{x}, %z : {t}, tensor<f32> -> {t}",
    "half": "graph.div %{x}, %two : {t}, tensor<f32> -> {t}",
    "tanh": 'graph.unary "tanh" %{x} : {t} -> {t}',
    "softmax": "graph.softmax %{x} : {t} -> {t}",
    "matmul": "graph.matmul %{x}, %w : {t}, tensor<{n}x{n}xf32> -> {t}",
    "turn": "graph.transpose %{x} {{permutation = array<i64: 1, 0, 2>}} : {t} -> {t}",
    "flip": "graph.transpose %{x} {{permutation = array<i64: 0, 2, 1>}} : {t} -> {t}",
}


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=8),
    st.lists(st.sampled_from(GRAPH_PASSES), min_size=1, max_size=6),
)
def test_random_chains(steps: list[str], passes: list[str]) -> None:
    n = 3
    type = f"tensor<{n}x{n}x{n}xf32>"
    lines = [
        f"%b = graph.constant dense<[0.5, -1.0, 2.0]> : tensor<{n}xf32>",
        "%z = graph.constant dense<0.0> : tensor<f32>",
        "%two = graph.constant dense<2.0> : tensor<f32>",
        "%w = graph.constant dense<[[1.0, 0.5, -0.5], [0.25, 1.0, 0.0], [0.0, -1.0, 1.0]]>"
        f" : tensor<{n}x{n}xf32>",
    ]
    names = ["x", *(f"v{i}" for i in range(len(steps) - 1)), "y"]
    for i, step in enumerate(steps):
        lines.append(f"%{names[i + 1]} = " + STEPS[step].format(x=names[i], t=type, n=n))
    passed(network(f"%x: {type}", "\n".join(lines), type), *passes)
