"""Operators that only quantised networks have, against loops over Python's integers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isqrt

import numpy as np
import onnx
import pytest
from onnx import helper
from onnx_builders import Arrays, evaluate, floats, imported, int64, model, node, ops, text
from xdsl.context import Context

from deeploy.diagnostics import DeeployError
from deeploy.frontend import import_model
from deeploy.interpreters import run_module

Row = list[int]


def truncated(a: int, b: int) -> int:
    """`a / b` as C divides."""
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def by_rows(x: np.ndarray, function: Callable[[Row], Row]) -> np.ndarray:
    rows = x.astype(np.int64).reshape(-1, x.shape[-1]).tolist()
    return np.array([function(row) for row in rows]).reshape(x.shape)


def result_of(
    ctx: Context,
    op: onnx.NodeProto,
    inputs: Arrays,
    constants: Arrays | None = None,
    types: Mapping[str, str] | None = None,
) -> np.ndarray:
    shapes = {name: array.shape for name, array in inputs.items()}
    (y,) = evaluate(ctx, model([op], shapes, constants), inputs, types)
    return y


X = floats((2, 3, 16))


# --- Rows -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("a, b, c, log2", [(1, 173, 15599, 127), (1, 86, 3888, 64), (2, 9, 1, 5)])
@pytest.mark.parametrize("type", ["si8", "ui8"])
def test_int_softmax(ctx: Context, a: int, b: int, c: int, log2: int, type: str) -> None:
    def softmax(row: Row) -> Row:
        distances = [x - max(row) for x in row]
        z = [min(max(-truncated(d, log2), 0), 31) for d in distances]
        p = [d + s * log2 for d, s in zip(distances, z, strict=True)]
        e = [(a * (v + b) ** 2 + c) >> s for v, s in zip(p, z, strict=True)]
        return [truncated(v * 255, sum(e)) for v in e]

    # QuantLib writes numbers as tensors of one float
    attributes = {"coeffA": [float(a)], "coeffB": [float(b)], "coeffC": [float(c)]}
    op = node("iSoftmax", "x", **attributes, log2=[float(log2)], n_levels=[256.0])
    x = np.abs(X) if type == "ui8" else X
    y = result_of(ctx, op, {"x": x}, types={"x": type})
    assert y.dtype == np.uint8
    np.testing.assert_array_equal(y, by_rows(x, softmax))


@pytest.mark.parametrize("levels", [256, 128])
def test_ita_max(ctx: Context, levels: int) -> None:
    def ita_max(row: Row) -> Row:
        k = [(max(row) - x + 16) >> 5 for x in row]
        total = sum(256 >> v for v in k)
        return [((levels - 1) * 256 // total) >> v for v in k]

    y = result_of(ctx, node("ITAMax", "x", n_levels=levels), {"x": X})
    assert y.dtype == np.uint8
    np.testing.assert_array_equal(y, by_rows(X, ita_max))


@pytest.mark.parametrize("group", [1, 4, 5, 16, 99])
def test_ita_partial_max(ctx: Context, group: int) -> None:
    def ita_partial_max(row: Row) -> Row:
        largest, total = row[0], 0
        for start in range(0, len(row), group):
            part = row[start : start + group]
            if max(part) > largest:
                total >>= (max(part) - largest + 16) >> 5
                largest = max(part)
            total += sum(256 >> ((largest - x + 16) >> 5) for x in part)
        return [(255 * 256 // total) >> ((largest - x + 16) >> 5) for x in row]

    op = node("ITAPartialMax", "x", n_levels=256, group_width=group)
    np.testing.assert_array_equal(result_of(ctx, op, {"x": X}), by_rows(X, ita_partial_max))


def test_one_group_is_no_stream(ctx: Context) -> None:
    whole = result_of(ctx, node("ITAMax", "x", n_levels=256), {"x": X})
    op = node("ITAPartialMax", "x", n_levels=256, group_width=16)
    np.testing.assert_array_equal(result_of(ctx, op, {"x": X}), whole)


@pytest.mark.parametrize("weight", [(16,), (1,), ()], ids=str)
def test_int_rms_norm(ctx: Context, weight: tuple) -> None:
    w = floats(weight, 1, 5_000_000)
    columns = np.broadcast_to(w, (16,)).astype(int).tolist()

    def norm(row: Row) -> Row:
        std = isqrt(sum(x * x for x in row) // len(row) + 1)
        values = [truncated(x * v, std) >> 16 for x, v in zip(row, columns, strict=True)]
        return [min(max(v, -128), 127) for v in values]

    op = node("iRMSNorm", "x w", D=65536, n_levels=256)
    np.testing.assert_array_equal(result_of(ctx, op, {"x": X}, {"w": w}), by_rows(X, norm))


def test_int_rms_norm_with_few_levels(ctx: Context) -> None:
    op = node("iRMSNorm", "x w", D=65536, n_levels=16)
    y = result_of(ctx, op, {"x": X}, {"w": np.float32([5_000_000])})
    assert (y.min(), y.max()) == (-8, 7)


@pytest.mark.parametrize("scale", [300_000, 30_000_000])
def test_int_layer_norm(ctx: Context, scale: int) -> None:
    w, bias = floats((16,), -scale, scale, 1), floats((16,), -scale, scale, 2)
    columns = list(zip(w.astype(int).tolist(), bias.astype(int).tolist(), strict=True))

    def norm(row: Row) -> Row:
        mean = truncated(sum(row), len(row))
        std = isqrt(sum((x - mean) ** 2 for x in row) // len(row) + 1)
        values = [
            (truncated((x - mean) * v, std) + u) >> 14
            for x, (v, u) in zip(row, columns, strict=True)
        ]
        # wraps to 8 bits
        return [(v + 128) % 256 - 128 for v in values]

    op = node("iLayerNorm", "x w b", D=[16384.0], n_levels=[256.0])
    y = result_of(ctx, op, {"x": X}, {"w": w, "b": bias})
    np.testing.assert_array_equal(y, by_rows(X, norm))


# --- Elements -------------------------------------------------------------------------------------


@pytest.mark.parametrize("weight", [(16,), (3, 1), (2, 3, 16), ()], ids=str)
@pytest.mark.parametrize("scale, shift", [(425, 16), (1 << 20, 3)])
def test_int_no_norm(ctx: Context, weight: tuple, scale: int, shift: int) -> None:
    w, bias = floats(weight, -128, 127, 1), floats((16,), -5000, 5000, 2)
    op = node("iNoNorm", "x w b", D=[float(1 << shift)], mul=[float(scale)], n_levels=[256.0])
    y = result_of(ctx, op, {"x": X}, {"w": w, "b": bias})
    product = (X.astype(np.int64) * w.astype(np.int64) + bias.astype(np.int64)) * scale
    np.testing.assert_array_equal(y, product.astype(np.int32) >> shift)


EVERY = np.arange(-128, 128).astype(np.float32)


def test_int_hardswish(ctx: Context) -> None:
    op = node("iHardswish", "x", one_over_six=42, three=122, six=244)
    x = EVERY.astype(np.int64)
    expected = x * (np.clip(x + 122, 0, 244) * 42)
    np.testing.assert_array_equal(result_of(ctx, op, {"x": EVERY}), expected)


def test_int_gelu(ctx: Context) -> None:
    x = EVERY.astype(np.int64)
    d = np.minimum(np.abs(x), 40) - 40
    expected = x * ((1743 + np.sign(x) * (1743 - d * d)) >> 1)
    np.testing.assert_array_equal(
        result_of(ctx, node("iGELU", "x", b=-40, one=1743), {"x": EVERY}), expected
    )


def test_true_integer_div(ctx: Context) -> None:
    op = node("TrueIntegerDiv", "x", Delta=16384, eps=1, eta=200000, y=2)
    factor = 16384 * 200000 // (2 * 200000 + 1)
    np.testing.assert_array_equal(result_of(ctx, op, {"x": EVERY}), EVERY * factor)
    module = imported(ctx, model([op], {"x": (256,)}))
    assert f"mul = {factor}, add = 0, shift = 0" in text(ctx, module)


@pytest.mark.parametrize("delta, eta, eps", [(1, 1, 1), (256, 7, 3), (1 << 20, 1000, 999)])
def test_integer_div(ctx: Context, delta: int, eta: int, eps: int) -> None:
    a, b = floats((5, 16)), floats((16,), 0, 255, 3)
    op = node("IntegerDiv", "a b", Delta=delta, eta=eta, eps=eps)
    y = result_of(ctx, op, {"a": a, "b": b}, types={"b": "ui8"})

    def quotient(n: int, d: int) -> int:
        num, den = delta * eta * n, eta * d + eps
        return truncated(num + (num > 0) * (den >> 1) - (num < 0) * (den >> 1), den)

    pairs = np.broadcast(a.astype(int), b.astype(int))
    expected = np.array([quotient(int(n), int(d)) for n, d in pairs]).reshape(a.shape)
    np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("op", ["Neg", "Abs", "Floor", "Ceil", "Round"])
@pytest.mark.parametrize("type", ["si8", "ui8"])
def test_functions_of_integers(ctx: Context, op: str, type: str) -> None:
    x = EVERY if type == "si8" else EVERY + 128
    y = result_of(ctx, node(op, "x"), {"x": x}, types={"x": type})
    functions = {"Neg": np.negative, "Abs": np.abs}
    np.testing.assert_array_equal(y, functions.get(op, np.copy)(x))


def test_squares_are_not_negative(ctx: Context) -> None:
    proto = model([node("Pow", "x e")], {"x": (256,)}, {"e": np.float32(2)})
    (y,) = evaluate(ctx, proto, {"x": EVERY})
    np.testing.assert_array_equal(y, EVERY**2)


# --- Reductions and products ----------------------------------------------------------------------


@pytest.mark.parametrize("op", ["ReduceMean", "IntegerMean"])
@pytest.mark.parametrize("axes", [[1], [-1], [0, 2]], ids=str)
@pytest.mark.parametrize("keepdims", [0, 1])
def test_means_round_half_up(ctx: Context, op: str, axes: list[int], keepdims: int) -> None:
    y = result_of(ctx, node(op, "x", axes=axes, keepdims=keepdims), {"x": X})
    mean = X.astype(np.float64).mean(axis=tuple(axes), keepdims=bool(keepdims))
    assert y.dtype == np.int8
    np.testing.assert_array_equal(y, np.floor(mean + 0.5))


@pytest.mark.parametrize("kind", ["sum", "max", "min"])
def test_reductions(ctx: Context, kind: str) -> None:
    y = result_of(ctx, node(f"Reduce{kind.title()}", "x a"), {"x": X}, {"a": int64(0, 2)})
    np.testing.assert_array_equal(y, getattr(X, kind)(axis=(0, 2), keepdims=True))


def test_products_of_signed_and_unsigned(ctx: Context) -> None:
    a, b = floats((2, 3, 4), 0, 255), floats((2, 4, 5), seed=1)
    for first, second in (("ui8", "si8"), ("si8", "ui8")):
        x, y = (a, b) if first == "ui8" else (a - 128, b + 128)
        types = {"a": first, "b": second}
        z = result_of(ctx, node("MatMul", "a b"), {"a": x, "b": y}, types=types)
        np.testing.assert_array_equal(z, x.astype(int) @ y.astype(int))


# --- Borders --------------------------------------------------------------------------------------


@pytest.mark.parametrize("bits, signed, low, high", [(8, 1, -128, 127), (4, 0, 0, 15)])
def test_quant(ctx: Context, bits: int, signed: int, low: int, high: int) -> None:
    x = np.float32([-100, -0.25, -0.75, 0.25, 0.75, 1.0, 100])
    op = node("Quant", "x", scale=2.0, zero_point=0.0, bit_width=bits, signed=signed)
    module = import_model(model([op], {"x": (7,)}).SerializeToString(), ctx)
    (y,) = run_module(ctx, module, [x])
    # halves go away from zero
    np.testing.assert_array_equal(y, np.clip([-200, -1, -2, 1, 2, 2, 200], low, high))


def test_dequant(ctx: Context) -> None:
    op = node("Dequant", "x", scale=0.5, zero_point=3.0, bit_width=8, signed=1)
    np.testing.assert_array_equal(result_of(ctx, op, {"x": EVERY}), (EVERY - 3) * 0.5)


def test_cast_of_floats(ctx: Context) -> None:
    x = np.float32([-1e10, -1.5, -0.5, 0.5, 1.5, 300])
    for to, low, high in ((3, -128, 127), (2, 0, 255), (6, -(1 << 31), (1 << 31) - 1)):
        proto = model([node("Cast", "x", to=to)], {"x": (6,)})
        module = import_model(proto.SerializeToString(), ctx, {"x": "f32"})
        (y,) = run_module(ctx, module, [x])
        np.testing.assert_array_equal(y, np.clip(np.trunc(x.astype(np.float64)), low, high))


def test_fractions_make_floats(ctx: Context) -> None:
    x = floats((3, 4))
    proto = model([node("Mul", "x c")], {"x": (3, 4)}, {"c": np.float32(0.1)})
    module = imported(ctx, proto)
    assert len(ops(module, "graph.cast")) == 1
    (y,) = run_module(ctx, module, [x])
    np.testing.assert_array_equal(y, x * np.float32(0.1))


@pytest.mark.parametrize(
    "op, constants, message",
    [
        (node("iSoftmax", "x", coeffA=1, coeffB=1, log2=3), {}, "attribute 'coeffC' is missing"),
        (node("ITAMax", "x", n_levels=500), {}, "'n_levels' must be 2 to 256, not 500"),
        (node("iRMSNorm", "x w", D=3), {"w": np.float32(1)}, "'D' must be a power of two"),
        (node("iRMSNorm", "x w", D=2), {"w": floats((3,))}, "'weight' has shape (3,), not (16,)"),
        (node("iLayerNorm", "x w", D=2), {"w": floats((16,))}, "'bias' is missing"),
        (node("iNoNorm", "x x x", D=2), {}, "'weight' must be a constant"),
        (node("TrueIntegerDiv", "x x", Delta=1, eta=1, eps=1), {}, "a divisor that the network"),
        (node("TrueIntegerDiv", "x", Delta=1, eta=0, eps=0, y=1), {}, "must be positive, not 0"),
        (node("IntegerDiv", "x x", Delta=1, eta=1, eps=1), {}, "the divisor takes values in [-127"),
        (node("Quant", "x", scale=1.0, bit_width=40), {}, "'bit_width' must be 1 to 32"),
        (node("RequantShift", "f m m", div=2, n_levels=4), {"m": np.float32(1)}, "needs integers"),
        (node("iGELU", "f", b=-1, one=1), {}, "needs integers, but an input is f32"),
        (node("IntegerMean", "f"), {}, "needs integers"),
    ],
)
def test_errors(ctx: Context, op: onnx.NodeProto, constants: Arrays, message: str) -> None:
    shapes = {name: (2, 16) for name in ("x", "f") if name in op.input}
    types = {name: {"x": "si8", "f": "f32"}[name] for name in shapes}
    with pytest.raises(DeeployError) as error:
        import_model(model([op], shapes, constants).SerializeToString(), ctx, types)
    assert str(error.value).startswith(f"{op.op_type} 'the_") and message in str(error.value)


def test_wide_inputs(ctx: Context) -> None:
    for op in (node("ITAMax", "x", n_levels=256), node("iGELU", "x", b=-1, one=1)):
        with pytest.raises(DeeployError, match=r"exceeds (8|16) bits; requantise it before"):
            imported(ctx, model([op], {"x": (2, 16)}), {"x": "si32"})


def test_domains(ctx: Context) -> None:
    for domain in ("", "PACTOps", "ai.onnx.contrib", "com.microsoft"):
        op = helper.make_node("ITAMax", ["x"], ["y"], "n", domain=domain, n_levels=256)
        imported(ctx, model([op], {"x": (2, 16)}, domains=[domain] if domain else []))
