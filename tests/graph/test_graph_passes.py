"""Each pass keeps the meaning of a program, does what it is for, and leaves other things alone."""

from __future__ import annotations

import numpy as np
import pytest
from graph_helpers import GRAPH_PASSES, PIPELINE, count, parse, random_arrays, run_pass
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp

from deeploy.diagnostics import node_name
from deeploy.interpreters import run_module
from deeploy.resources import Array

CONV = "strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>"
REQUANT = "#graph.requant<mul = 3, add = 16, shift = 5, min = -128, max = 127>"


def network(arguments: str, result: str, *ops: str) -> str:
    """A function whose last op defines `%r`."""
    body = "\n".join(ops)
    return f"func.func @network({arguments}) -> {result} {{\n{body}\nfunc.return %r : {result}\n}}"


def matrix(name: str, *shape: int) -> str:
    """A constant with small values that are not all the same."""
    values = (np.arange(np.prod(shape)) * 7 % 23 - 11).reshape(shape)
    type = f"tensor<{'x'.join(map(str, shape))}x" if shape else "tensor<"
    return f"%{name} = graph.constant dense<{values.tolist()}> : {type}{{}}>"


def weights(name: str, *shape: int) -> str:
    return matrix(name, *shape).format("si8")


def factors(name: str, *shape: int) -> str:
    return matrix(name, *shape).format("si32")


def execute(ctx: Context, module: ModuleOp, seed: int = 0) -> list[Array]:
    (function,) = module.body.block.ops
    assert isinstance(function, FuncOp)
    types = function.function_type.inputs.data
    return run_module(ctx, module, random_arrays(np.random.default_rng(seed), types))


CASES = {
    "linear": network(
        "%x: tensor<2x4xsi8>",
        "tensor<2x3xui8>",
        weights("w", 4, 3),
        factors("b", 3),
        factors("m", 1, 3),
        "%0 = graph.matmul %x, %w : tensor<2x4xsi8>, tensor<4x3xsi8> -> tensor<2x3xsi32>",
        "%1 = graph.add %0, %b : tensor<2x3xsi32>, tensor<3xsi32> -> tensor<2x3xsi32>",
        f"%2 = graph.requant %1 mul %m : tensor<1x3xsi32> {{requant = {REQUANT}}}"
        " : tensor<2x3xsi32> -> tensor<2x3xsi8>",
        "%r = graph.clip %2 {min = 0, max = 100} : tensor<2x3xsi8> -> tensor<2x3xui8>",
    ),
    "residual": network(
        "%x: tensor<1x3x4x5xsi8>",
        "tensor<1x3x4x5xsi8>",
        weights("w", 3, 3, 3, 3),
        factors("m", 3, 1, 1),
        f"%0 = graph.conv %x, %w {{{CONV}, groups = 1}}"
        " : tensor<1x3x4x5xsi8>, tensor<3x3x3x3xsi8> -> tensor<1x3x4x5xsi32>",
        f"%1 = graph.requant %0 mul %m : tensor<3x1x1xsi32> {{requant = {REQUANT}}}"
        " : tensor<1x3x4x5xsi32> -> tensor<1x3x4x5xsi8>",
        f"%2 = graph.requant %x {{requant = {REQUANT}}}"
        " : tensor<1x3x4x5xsi8> -> tensor<1x3x4x5xsi8>",
        "%3 = graph.add %1, %2 : tensor<1x3x4x5xsi8>, tensor<1x3x4x5xsi8> -> tensor<1x3x4x5xsi32>",
        f"%r = graph.requant %3 mul %m : tensor<3x1x1xsi32> {{requant = {REQUANT}}}"
        " : tensor<1x3x4x5xsi32> -> tensor<1x3x4x5xsi8>",
    ),
    "depthwise_pool_linear": network(
        "%x: tensor<2x3x4x4xsi8>",
        "tensor<2x5xsi32>",
        weights("w", 3, 1, 3, 3),
        weights("v", 5, 12),
        f"%0 = graph.conv %x, %w {{{CONV}, groups = 3}}"
        " : tensor<2x3x4x4xsi8>, tensor<3x1x3x3xsi8> -> tensor<2x3x4x4xsi32>",
        "%1 = graph.clip %0 {min = 0, max = 127} : tensor<2x3x4x4xsi32> -> tensor<2x3x4x4xui8>",
        "%2 = graph.average_pool %1 {strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>,"
        " dilations = array<i64: 1, 1>, kernel = array<i64: 2, 2>}"
        " : tensor<2x3x4x4xui8> -> tensor<2x3x2x2xui8>",
        "%3 = graph.reshape %2 : tensor<2x3x2x2xui8> -> tensor<2x12xui8>",
        f"%4 = graph.requant %3 {{requant = {REQUANT}}} : tensor<2x12xui8> -> tensor<2x12xsi8>",
        "%r = graph.matmul %4, %v {transpose_rhs}"
        " : tensor<2x12xsi8>, tensor<5x12xsi8> -> tensor<2x5xsi32>",
    ),
    "movement": network(
        "%x: tensor<1x2x5x6xsi8>, %y: tensor<1x2x5x6xsi8>",
        "tensor<1x8x1x7xsi8>",
        weights("c", 1, 4, 6, 2),
        "%0 = graph.transpose %x {permutation = array<i64: 0, 2, 3, 1>}"
        " : tensor<1x2x5x6xsi8> -> tensor<1x5x6x2xsi8>",
        "%1 = graph.transpose %y {permutation = array<i64: 0, 2, 3, 1>}"
        " : tensor<1x2x5x6xsi8> -> tensor<1x5x6x2xsi8>",
        "%2 = graph.concat %0, %c, %1 {axis = 1} : tensor<1x5x6x2xsi8>, tensor<1x4x6x2xsi8>,"
        " tensor<1x5x6x2xsi8> -> tensor<1x14x6x2xsi8>",
        "%3 = graph.pad %2 {low = array<i64: 0, 1, 0, 0>, high = array<i64: 0, 0, 1, 0>,"
        " value = 3} : tensor<1x14x6x2xsi8> -> tensor<1x15x7x2xsi8>",
        "%4 = graph.slice %3 {starts = array<i64: 0, 0, 0, 0>, steps = array<i64: 1, 2, 1, 2>}"
        " : tensor<1x15x7x2xsi8> -> tensor<1x8x7x1xsi8>",
        "%5 = graph.transpose %4 {permutation = array<i64: 0, 3, 1, 2>}"
        " : tensor<1x8x7x1xsi8> -> tensor<1x1x8x7xsi8>",
        "%6 = graph.copy %5 : tensor<1x1x8x7xsi8> -> tensor<1x1x8x7xsi8>",
        "%r = graph.reshape %6 : tensor<1x1x8x7xsi8> -> tensor<1x8x1x7xsi8>",
    ),
    "attention": network(
        "%q: tensor<3x2x4xsi8>, %k: tensor<3x2x4xsi8>",
        "tensor<2x3x3xsi32>",
        "%0 = graph.transpose %q {permutation = array<i64: 1, 0, 2>}"
        " : tensor<3x2x4xsi8> -> tensor<2x3x4xsi8>",
        "%1 = graph.transpose %k {permutation = array<i64: 1, 0, 2>}"
        " : tensor<3x2x4xsi8> -> tensor<2x3x4xsi8>",
        "%2 = graph.transpose %1 {permutation = array<i64: 0, 2, 1>}"
        " : tensor<2x3x4xsi8> -> tensor<2x4x3xsi8>",
        "%r = graph.matmul %0, %2 : tensor<2x3x4xsi8>, tensor<2x4x3xsi8> -> tensor<2x3x3xsi32>",
    ),
    # a transpose that is its own inverse, of a value that is also used as it is
    "self_inverse": network(
        "%x: tensor<3x3xsi8>",
        "tensor<3x6xsi32>",
        "%0 = graph.transpose %x {permutation = array<i64: 1, 0>}"
        " : tensor<3x3xsi8> -> tensor<3x3xsi8>",
        "%1 = graph.add %0, %x : tensor<3x3xsi8>, tensor<3x3xsi8> -> tensor<3x3xsi32>",
        "%2 = graph.sub %x, %0 : tensor<3x3xsi8>, tensor<3x3xsi8> -> tensor<3x3xsi32>",
        "%r = graph.concat %1, %2 {axis = 1}"
        " : tensor<3x3xsi32>, tensor<3x3xsi32> -> tensor<3x6xsi32>",
    ),
    "constants": network(
        "%x: tensor<4x3xsi32>",
        "tensor<4x3xsi32>",
        weights("a", 3, 4),
        weights("b", 3),
        "%0 = graph.transpose %a {permutation = array<i64: 1, 0>}"
        " : tensor<3x4xsi8> -> tensor<4x3xsi8>",
        "%1 = graph.mul %0, %b : tensor<4x3xsi8>, tensor<3xsi8> -> tensor<4x3xsi32>",
        "%2 = graph.sub %1, %x : tensor<4x3xsi32>, tensor<4x3xsi32> -> tensor<4x3xsi32>",
        "%3 = graph.mul %2, %1 : tensor<4x3xsi32>, tensor<4x3xsi32> -> tensor<4x3xsi32>",
        "%r = graph.sub %3, %b : tensor<4x3xsi32>, tensor<3xsi8> -> tensor<4x3xsi32>",
    ),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("passes", [*((p,) for p in GRAPH_PASSES), PIPELINE, PIPELINE[::-1]])
def test_meaning_is_kept(name: str, passes: tuple[str, ...]) -> None:
    ctx, module = parse(CASES[name])
    before = [execute(ctx, module, seed) for seed in range(3)]
    for one in passes:
        run_pass(ctx, module, one)
        for seed in range(3):
            for a, b in zip(before[seed], execute(ctx, module, seed), strict=True):
                assert np.array_equal(a, b), one
    # a second run has nothing left to do
    text = str(module)
    run_pass(ctx, module, passes[-1])
    assert str(module) == text


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("linear", {"matmul": 1}),
        ("residual", {"conv": 1, "add": 1, "transpose": 2}),
        (
            "depthwise_pool_linear",
            {
                "transpose": 1,
                "depthwise_conv": 1,
                "average_pool": 1,
                "requant": 1,
                "reshape": 1,
                "matmul": 1,
            },
        ),
        ("movement", {"concat": 1, "pad": 1, "slice": 1, "reshape": 1}),
        ("attention", {"transpose": 2, "matmul": 1}),
        ("self_inverse", {"transpose": 1, "add": 1, "sub": 1, "concat": 1}),
        ("constants", {"requant": 1}),
    ],
)
def test_what_is_left(name: str, expected: dict[str, int]) -> None:
    ctx, module = parse(CASES[name])
    run_pass(ctx, module, *PIPELINE)
    assert count(module) == expected


def test_fused_ops_keep_the_location_of_the_compute_op() -> None:
    ctx, module = parse(
        network(
            "%x: tensor<2x4xsi8>",
            "tensor<2x3xsi8>",
            weights("w", 4, 3),
            "%0 = graph.matmul %x, %w : tensor<2x4xsi8>, tensor<4x3xsi8> -> tensor<2x3xsi32>"
            ' loc("Gemm_0")',
            f"%r = graph.requant %0 {{requant = {REQUANT}}} : tensor<2x3xsi32> -> tensor<2x3xsi8>"
            ' loc("RequantShift_1")',
        )
    )
    run_pass(ctx, module, "fuse-requant")
    names = [node_name(op) for op in module.walk() if op.name == "graph.matmul"]
    assert names == ["Gemm_0"]


def test_two_uses_are_not_fused() -> None:
    ctx, module = parse(
        network(
            "%x: tensor<2x4xsi8>",
            "tensor<2x3xsi32>",
            weights("w", 4, 3),
            "%0 = graph.matmul %x, %w : tensor<2x4xsi8>, tensor<4x3xsi8> -> tensor<2x3xsi32>",
            f"%1 = graph.requant %0 {{requant = {REQUANT}}} : tensor<2x3xsi32> -> tensor<2x3xsi8>",
            "%r = graph.add %0, %1 : tensor<2x3xsi32>, tensor<2x3xsi8> -> tensor<2x3xsi32>",
        )
    )
    run_pass(ctx, module, "fuse-requant")
    assert count(module) == {"matmul": 1, "add": 1}
    assert "rhs_requant" in str(module)


def test_operands_of_a_rewriting_that_is_given_up_leave_nothing_behind() -> None:
    """A reshape of a row in front of the transpose would lose dimensions that concat needs."""
    text = network(
        "%x: tensor<1x5x1x2xsi8>, %y: tensor<1x1x1x5xsi8>",
        "tensor<1x1x3x5xsi8>",
        "%t = graph.transpose %x {permutation = array<i64: 0, 2, 3, 1>}"
        " : tensor<1x5x1x2xsi8> -> tensor<1x1x2x5xsi8>",
        "%r = graph.concat %t, %y {axis = 2}"
        " : tensor<1x1x2x5xsi8>, tensor<1x1x1x5xsi8> -> tensor<1x1x3x5xsi8>",
    )
    ctx, module = parse(text)
    run_pass(ctx, module, "cancel-transposes")
    (function,) = module.body.block.ops
    inside = set(module.walk())
    for argument in function.regions[0].block.args:
        assert {use.operation for use in argument.uses} <= inside
