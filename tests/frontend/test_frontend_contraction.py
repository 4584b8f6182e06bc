"""Gemm and MatMul."""

import pytest
from onnx_builders import expect_as_onnxruntime, floats, imported, model, node, text
from xdsl.context import Context

from deeploy.diagnostics import DeeployError


@pytest.mark.parametrize("trans_b", [0, 1])
@pytest.mark.parametrize("trans_a", [0, 1])
@pytest.mark.parametrize("constants", ["", "B", "A", "BC", "C", "ABC"])
def test_gemm(ctx: Context, trans_a: int, trans_b: int, constants: str) -> None:
    arrays = {
        "A": floats((5, 3) if trans_a else (3, 5)),
        "B": floats((4, 5) if trans_b else (5, 4), -60, 60, seed=1),
        "C": floats((4,), seed=2),
    }
    known = {name: array for name, array in arrays.items() if name in constants}
    inputs = {name: array for name, array in arrays.items() if name not in constants}
    gemm = node("Gemm", "A B C", transA=trans_a, transB=trans_b, alpha=2.0, beta=3.0)
    # a graph needs an input that is used
    nodes = [gemm, node("Relu", "x", "z")]
    inputs["x"] = floats((1,))
    expect_as_onnxruntime(ctx, nodes, inputs, known, ["y", "z"])


@pytest.mark.parametrize("shape", [(), (1,), (4,), (1, 4), (3, 1), (3, 4)], ids=str)
@pytest.mark.parametrize("known", [True, False])
def test_gemm_bias_shapes(ctx: Context, shape: tuple[int, ...], known: bool) -> None:
    inputs, bias = {"x": floats((3, 5))}, {"C": floats(shape, seed=3)}
    constants = {"B": floats((5, 4), seed=1)}
    gemm = [node("Gemm", "x B C", beta=2.0)]
    if known:
        expect_as_onnxruntime(ctx, gemm, inputs, constants | bias)
    else:
        expect_as_onnxruntime(ctx, gemm, inputs | bias, constants)


@pytest.mark.parametrize("alpha", [1.0, 2.0, 5.0, -1.0, 0.0])
def test_gemm_alpha(ctx: Context, alpha: float) -> None:
    """Products with the weights stay in 8 bits, or the requantisation multiplies."""
    constants = {"B": floats((5, 4), -60, 60), "C": floats((4,))}
    nodes = [node("Gemm", "x B C", alpha=alpha)]
    expect_as_onnxruntime(ctx, nodes, {"x": floats((3, 5))}, constants)


def test_constant_weights_are_stored_transposed(ctx: Context) -> None:
    constants = {"w": floats((2, 3))}
    module = text(ctx, imported(ctx, model([node("MatMul", "x w")], {"x": (1, 2)}, constants)))
    assert "transpose_rhs" in module
    assert "tensor<1x2xsi8>, tensor<3x2xsi8> -> tensor<1x3xsi32>" in module


def test_unsigned_weights(ctx: Context) -> None:
    constants = {"w": floats((2, 3), 0, 255)}
    constants["w"][0, 0] = 200
    expect_as_onnxruntime(ctx, [node("MatMul", "x w")], {"x": floats((4, 2))}, constants)


SHAPES = [
    ((3, 5), (5, 4)),
    ((2, 3, 5), (5, 4)),
    ((2, 1, 3, 5), (3, 5, 4)),
    ((5,), (5, 4)),
    ((3, 5), (5,)),
    ((5,), (5,)),
    ((2, 3, 5), (5,)),
    ((5,), (2, 5, 4)),
]


@pytest.mark.parametrize("known", ["", "a", "b"])
@pytest.mark.parametrize("a, b", SHAPES, ids=str)
def test_matmul(ctx: Context, a: tuple, b: tuple, known: str) -> None:
    arrays = {"a": floats(a), "b": floats(b, seed=1)}
    inputs = {name: array for name, array in arrays.items() if name != known}
    constants = {name: array for name, array in arrays.items() if name == known}
    expect_as_onnxruntime(ctx, [node("MatMul", "a b")], inputs, constants)


@pytest.mark.parametrize(
    "inputs, op, attributes, message",
    [
        ({"a": (2, 3), "b": (4, 5)}, "MatMul", {}, "(2, 3) and (4, 5) do not fit together"),
        ({"a": (2, 3, 5), "b": (4, 5, 6)}, "MatMul", {}, "cannot broadcast"),
        ({"a": (), "b": (4, 5)}, "MatMul", {}, "an operand is a scalar"),
        ({"a": (2, 3), "b": (3,)}, "Gemm", {}, "operands must be matrices"),
        ({"a": (2, 3), "b": (3, 4)}, "Gemm", {"alpha": 1e12}, "'alpha' is 999999995904"),
    ],
)
def test_errors(ctx: Context, inputs: dict, op: str, attributes: dict, message: str) -> None:
    with pytest.raises(DeeployError, match=rf"^{op} 'the_") as error:
        imported(ctx, model([node(op, "a b", **attributes)], inputs))
    assert message in str(error.value)


def test_bias_errors(ctx: Context) -> None:
    gemm, shapes = [node("Gemm", "a b c")], {"a": (2, 3), "b": (3, 4)}
    with pytest.raises(DeeployError, match=r"Gemm 'the_gemm': .*cannot broadcast"):
        imported(ctx, model(gemm, shapes, {"c": floats((3,))}))
    with pytest.raises(DeeployError, match=r"input 'C' of shape .* does not broadcast"):
        imported(ctx, model(gemm, shapes, {"c": floats((5, 1, 4))}))


def test_inputs_of_32_bits_may_overflow(ctx: Context) -> None:
    proto = model([node("MatMul", "a b")], {"a": (2, 3), "b": (3, 4)})
    with pytest.raises(DeeployError, match=r"the accumulator can reach .*--input-type"):
        imported(ctx, proto, {"a": "si32"})
