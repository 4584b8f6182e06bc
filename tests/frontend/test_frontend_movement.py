"""Operators that move values, or pick parts of tensors."""

import numpy as np
import pytest
from onnx_builders import (
    evaluate,
    expect_as_onnxruntime,
    floats,
    imported,
    int64,
    model,
    node,
    ops,
    text,
)
from xdsl.context import Context

from deeploy.diagnostics import DeeployError

X = {"x": floats((2, 3, 4, 5))}

# nodes with their constants, and the oldest opset that has this spelling
CASES = [
    (node("Flatten", "x"), {}, 9),
    (node("Flatten", "x", axis=0), {}, 9),
    (node("Flatten", "x", axis=4), {}, 9),
    (node("Flatten", "x", axis=-2), {}, 11),
    (node("Reshape", "x s"), {"s": int64(6, 20)}, 9),
    (node("Reshape", "x s"), {"s": int64(0, -1, 2)}, 9),
    (node("Reshape", "x s"), {"s": int64(-1)}, 9),
    (node("Reshape", "x s", allowzero=1), {"s": int64(-1, 5)}, 14),
    (node("Transpose", "x"), {}, 9),
    (node("Transpose", "x", perm=[0, 2, 3, 1]), {}, 9),
    (node("Transpose", "x", perm=[0, 1, 2, 3]), {}, 9),
    (node("Unsqueeze", "x", axes=[0, 5]), {}, 9),
    (node("Unsqueeze", "x a"), {"a": int64(-1, 0)}, 13),
    (node("Slice", "x", starts=[1, -4], ends=[3, 1000], axes=[1, 3]), {}, 9),
    (node("Slice", "x", starts=[1, 0], ends=[2, -1]), {}, 9),
    (node("Slice", "x b e"), {"b": int64(0, 1), "e": int64(2, 2**62)}, 10),
    (
        node("Slice", "x b e a s"),
        {"b": int64(-5, 0), "e": int64(-1, 4), "a": int64(-1, 2), "s": int64(2, 3)},
        10,
    ),
    (node("Pad", "x p"), {"p": int64(0, 1, 0, 2, 0, 0, 3, 0)}, 11),
    (node("Pad", "x p v"), {"p": int64(0, 1, 0, 2, 0, 0, 3, 0), "v": np.float32(200)}, 11),
    (node("Pad", "x p v"), {"p": int64(0, 0, 0, 0, 0, 0, 3, 0), "v": np.float32(-7)}, 11),
    (node("Pad", "x p v"), {"p": int64(0, 0, 0, 0, 0, 0, 0, 0), "v": np.float32(900)}, 11),
    (node("Pad", "x", pads=[0, 0, 1, 1, 0, 0, 1, 1], value=3.0), {}, 9),
    (node("Pad", "x p _ a"), {"p": int64(1, 2, 3, 4), "a": int64(-1, 0)}, 18),
    (node("Gather", "x i", axis=1), {"i": np.array(2)}, 9),
    (node("Gather", "x i", axis=-1), {"i": int64(1, 2, 3)}, 11),
    (node("Gather", "x i", axis=2), {"i": int64(3, -4, 1, 2)}, 11),
    (node("Gather", "x i", axis=3), {"i": int64(0, 1, 2, 4).reshape(2, 2)}, 9),
    (node("Expand", "x s"), {"s": int64(3, 1, 1, 4, 1)}, 13),
    (node("Expand", "x s"), {"s": int64(5)}, 9),
    (node("Identity", "x"), {}, 9),
    (node("Dropout", "x"), {}, 9),
    (node("Dropout", "x r"), {"r": np.float32(0.3)}, 13),
]


@pytest.mark.parametrize("proto, constants, opset", CASES, ids=lambda c: getattr(c, "op_type", ""))
def test_as_onnxruntime(ctx: Context, proto, constants: dict, opset: int) -> None:
    expect_as_onnxruntime(ctx, [proto], X, constants, opset=opset)


@pytest.mark.parametrize("axes", [[0], [0, 2], [-4, -2]], ids=str)
def test_squeeze(ctx: Context, axes: list[int]) -> None:
    inputs = {"x": floats((1, 3, 1, 5))}
    expect_as_onnxruntime(ctx, [node("Squeeze", "x")], inputs)
    expect_as_onnxruntime(ctx, [node("Squeeze", "x", axes=axes)], inputs, opset=11)
    expect_as_onnxruntime(ctx, [node("Squeeze", "x a")], inputs, {"a": int64(*axes)})


@pytest.mark.parametrize("opset", [11, 13, 18])
def test_split(ctx: Context, opset: int) -> None:
    outputs = ["y", "z"]
    attributes = {"num_outputs": 2} if opset >= 18 else {}
    equal = node("Split", "x", "y z", axis=1, **attributes)
    expect_as_onnxruntime(ctx, [equal], {"x": floats((2, 6))}, {}, outputs, opset)
    if opset < 13:
        parts, constants = node("Split", "x", "y z", axis=-1, split=[1, 5]), {}
    else:
        parts, constants = node("Split", "x s", "y z", axis=-1), {"s": int64(1, 5)}
    expect_as_onnxruntime(ctx, [parts], {"x": floats((2, 6))}, constants, outputs, opset)


def test_split_into_unequal_parts(ctx: Context) -> None:
    nodes = [node("Split", "x", "y z", num_outputs=2)]
    expect_as_onnxruntime(ctx, nodes, {"x": floats((5,))}, {}, ["y", "z"], 18)


def test_concat(ctx: Context) -> None:
    inputs = {"a": floats((2, 3)), "b": floats((2, 1), 0, 255)}
    constants = {"c": floats((2, 2), -40, 300)}
    nodes = [node("Concat", "a c b", axis=-1)]
    expect_as_onnxruntime(ctx, nodes, inputs, constants, input_types={"b": "ui8"})


def test_concat_keeps_a_common_type(ctx: Context) -> None:
    proto = model([node("Concat", "a c", axis=0)], {"a": (2,)}, {"c": np.float32([3])})
    module = imported(ctx, proto)
    assert "tensor<2xsi8>, tensor<1xsi8> -> tensor<3xsi8>" in text(ctx, module)
    assert not ops(module, "graph.clip")


def test_empty_operands_of_concat_vanish(ctx: Context) -> None:
    proto = model(
        [node("Transpose", "cache", "t", perm=[1, 0]), node("Concat", "t x", axis=0)],
        {"cache": (2, 0), "x": (3, 2)},
    )
    (y,) = evaluate(ctx, proto, {"cache": np.zeros((2, 0)), "x": floats((3, 2))})
    np.testing.assert_array_equal(y, floats((3, 2)))


def test_pad_with_a_value_of_another_type(ctx: Context) -> None:
    constants = {"p": int64(0, 1), "v": np.float32(200)}
    module = imported(ctx, model([node("Pad", "x p v")], {"x": (2,)}, constants))
    assert "graph.pad" in text(ctx, module)
    assert "-> tensor<3xsi32>" in text(ctx, module)


ERRORS = [
    (node("Reshape", "x s"), {"s": int64(7, -1)}, "cannot reshape (2, 3, 4, 5) to [7, -1]"),
    (node("Reshape", "x s"), {"s": int64(-1, -1)}, "cannot reshape"),
    (node("Reshape", "x s"), {"s": int64(2, 3, 4, 5, 0)}, "cannot reshape"),
    (node("Reshape", "x x"), {}, "'shape' must be a constant"),
    (node("Transpose", "x", perm=[0, 1]), {}, "needs a permutation of 4 dimensions"),
    (node("Squeeze", "x a"), {"a": int64(1)}, "do not all have extent 1"),
    (node("Unsqueeze", "x a"), {"a": int64(0, 0)}, "name a dimension twice"),
    (node("Unsqueeze", "x"), {}, "'axes' is missing"),
    (node("Flatten", "x", axis=7), {}, "axis 7 does not exist in a tensor of rank 4"),
    (node("Slice", "x b e"), {"b": int64(0), "e": int64(1, 2)}, "of different lengths"),
    (node("Slice", "x b e"), {"b": int64(1), "e": int64(1)}, "takes nothing of axis 0"),
    (node("Slice", "x x x"), {}, "'starts' must be a constant"),
    (
        node("Slice", "x b e a s"),
        {"b": int64(-1), "e": int64(0), "a": int64(0), "s": int64(-1)},
        "step -1 is not supported; steps must be positive",
    ),
    (
        node("Slice", "x b e a"),
        {"b": int64(0), "e": int64(1), "a": int64(0, 1)},
        "another length than 'starts'",
    ),
    (node("Pad", "x p", mode="reflect"), {"p": int64(*[0] * 8)}, "mode 'reflect'"),
    (node("Pad", "x p"), {"p": int64(*[-1] * 8)}, "negative pads"),
    (node("Pad", "x p"), {"p": int64(1)}, "'pads' needs 8 numbers, not 1"),
    (node("Pad", "x"), {}, "'pads' is missing"),
    (node("Gather", "x i"), {"i": int64(2)}, "index 2 is outside of an axis of extent 2"),
    (node("Gather", "x i"), {"i": np.zeros(0, np.int64)}, "there are no indices"),
    (node("Split", "x s", "y z"), {"s": int64(1, 2)}, "cannot be split into [1, 2]"),
    (node("Split", "x", "y z w"), {}, "cannot be split into [1, 1, 0]"),
    (node("Concat", "x c", axis=0), {"c": floats((2, 3))}, "differ beside its axis"),
    (node("Concat", "x x", axis=4), {}, "axis 4 does not exist"),
    (node("Expand", "x s"), {"s": int64(4, 4, 5)}, "cannot expand (2, 3, 4, 5) to [4, 4, 5]"),
    (node("Dropout", "x", "y m"), {}, "the output 'mask' is not supported"),
    (
        node("Dropout", "x r t"),
        {"r": np.float32(0.5), "t": np.array(True)},
        "'training_mode' is not supported",
    ),
]


@pytest.mark.parametrize("proto, constants, message", ERRORS, ids=lambda e: str(e)[:30])
def test_errors(ctx: Context, proto, constants: dict, message: str) -> None:
    shapes = {"x": (2, 3, 4, 5)}
    with pytest.raises(DeeployError, match=rf"^{proto.op_type} 'the_") as error:
        imported(ctx, model([proto], shapes, constants))
    assert message in str(error.value)
