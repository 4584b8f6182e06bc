"""The numpy meaning of each op, against loops over single elements."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from graph_helpers import parse, parse_op, random_array, random_arrays
from graph_ops import FUNCTIONS_OF_ELEMENTS, OPS, ROWS
from xdsl.utils.exceptions import PassFailedException

from deeploy.diagnostics import DeeployError
from deeploy.dialects.graph import (
    AddOp,
    AveragePoolOp,
    BinaryOp,
    ClipOp,
    ConcatOp,
    ConvOp,
    DepthwiseConvOp,
    DivOp,
    GraphOp,
    IntDivOp,
    MatmulAddOp,
    MatmulOp,
    MaxPoolOp,
    MulOp,
    PadOp,
    PowOp,
    RequantAttr,
    Requantised,
    RequantOp,
    element_type,
    tuple_of,
)
from deeploy.interfaces.tiling import shape_of
from deeploy.interpreters import argument_array, run_module
from deeploy.interpreters.graph import evaluate_whole, exact_product, requantise, wrap
from deeploy.interpreters.graph.arithmetic import square_root
from deeploy.resources import Array, numpy_dtype


def requantised(x: int, attr: RequantAttr, mul: int | None = None, add: int | None = None) -> int:
    own_mul, own_add, shift, low, high = attr.values()
    t = wrap(wrap(x) * (own_mul if mul is None else mul) + (own_add if add is None else add))
    return min(max(t >> shift, low), high)


def read(array: Array, position: tuple[int, ...]) -> int | None:
    """The element at a position, or None outside."""
    if any(not 0 <= p < e for p, e in zip(position, array.shape, strict=True)):
        return None
    return array[position].item()


def arithmetic(op: BinaryOp, x: float, y: float) -> float:
    """What the elements of the operands become."""
    match op:
        case AddOp():
            return x + y
        case MulOp():
            return x * y
        case DivOp():
            return x / y
        case PowOp():
            result = x**y
            return math.nan if isinstance(result, complex) else result
        case IntDivOp():
            delta, eta, eps = (v.value.data for v in (op.delta, op.eta, op.eps))
            divisor, dividend = eta * int(y) + eps, delta * eta * int(x)
            half = (divisor >> 1) * ((dividend > 0) - (dividend < 0))
            return int(Fraction(dividend + half, divisor))  # cuts towards zero
        case _:
            return x - y


def combine(op: GraphOp, taps: list[list[int | None]]) -> float:
    """The value of one element from what the maps read in all reduction steps."""
    match op:
        case ConvOp() | DepthwiseConvOp() | MatmulOp():
            return sum((t[0] or 0) * (t[1] or 0) for t in taps)
        case MatmulAddOp():
            product = requantised(sum((t[0] or 0) * (t[1] or 0) for t in taps), op.product_requant)
            return (requantised(product, op.scale) if op.scale else product) + (taps[0][2] or 0)
        case MaxPoolOp():
            return max(t[0] for t in taps if t[0] is not None)
        case AveragePoolOp():
            values = [t[0] for t in taps if t[0] is not None]
            count = len(taps) if op.count_include_pad else len(values)
            if isinstance(sum(values), float):
                return sum(values) / count
            return (2 * sum(values) + count) // (2 * count)
        case _:
            ((x, *rest),) = taps
    if isinstance(op, PadOp):
        return op.value.value.data if x is None else x
    assert x is not None
    match op:
        case ClipOp():
            return min(max(x, op.min.value.data), op.max.value.data)
        case RequantOp():
            mul = rest.pop(0) if op.mul else None
            return requantised(x, op.requant, mul, rest.pop(0) if op.add else None)
        case BinaryOp():
            y = rest[0]
            assert y is not None
            x = requantised(x, op.lhs_requant) if op.lhs_requant else x
            y = requantised(y, op.rhs_requant) if op.rhs_requant else y
            return arithmetic(op, x, y)
        case _:
            return x


def slow(op: GraphOp, inputs: list[Array]) -> Array:
    """Loop over the result and the reduction iterators, and read through the affine maps."""
    iterators, maps = op.iterators(), op.operand_maps()
    result = np.zeros(shape_of(op.results[0]), np.float64)
    loops = [range(i.extent if i.parallel else 1) for i in iterators]
    steps = [range(1 if i.parallel else i.extent) for i in iterators]
    for point in itertools.product(*loops):
        taps: list[list[int | None]] = []
        for step in itertools.product(*steps):
            here = [a + b for a, b in zip(point, step, strict=True)]
            taps.append([read(x, m.eval(here, [])) for m, x in zip(maps, inputs, strict=True)])
        value = combine(op, taps)
        if isinstance(op, Requantised) and op.requant is not None:
            factors = taps[0][2:]
            mul = factors.pop(0) if op.mul else None
            value = requantised(int(value), op.requant, mul, factors.pop(0) if op.add else None)
        elif isinstance(op, Requantised) and op.add is not None:
            value += taps[0][-1] or 0
        result[op.result_maps()[0].eval(list(point), [])] = (
            value if isinstance(value, float) else wrap(value)
        )
    return result


@pytest.mark.parametrize("name", OPS)
def test_against_loops(name: str) -> None:
    op = parse_op(OPS[name])
    assert isinstance(op, GraphOp)
    inputs = random_arrays(np.random.default_rng(0), op.operands)
    expected = np.concatenate(inputs, op.axis.value.data) if isinstance(op, ConcatOp) else None
    expected = slow(op, inputs) if expected is None else expected
    actual = evaluate_whole(op, inputs)
    np.testing.assert_allclose(actual, expected, rtol=1e-6 if "float" in name else 0)


FLOATS = np.float32([-1e9, -88, -3, -1.5, -0.5, -0.0, 0.0, 0.25, 0.5, 1.5, 2.5, 7, 88, 1e9])


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > -700 else 0.0


def hard_sigmoid(x: float) -> float:
    return min(max(0.2 * x + 0.5, 0), 1)


UNARY = {
    "abs": abs,
    "ceil": math.ceil,
    "erf": math.erf,
    "floor": math.floor,
    "gelu": lambda x: x * (1 + math.erf(x / math.sqrt(2))) / 2,
    "hard_sigmoid": hard_sigmoid,
    "hard_swish": lambda x: x * min(max(x / 6 + 0.5, 0), 1),
    "neg": lambda x: -x,
    "relu": lambda x: max(x, 0),
    "round": round,
    "sigmoid": sigmoid,
    "swish": lambda x: x * sigmoid(1.5 * x),
    "tanh": math.tanh,
}
PARAMETERS = {
    "hard_sigmoid": "{alpha = 0.2 : f64, beta = 0.5 : f64}",
    "swish": "{alpha = 1.5 : f64}",
}


@pytest.mark.parametrize("function", UNARY)
def test_functions(function: str) -> None:
    type = f"tensor<{FLOATS.size}xf32>"
    attributes = PARAMETERS.get(function, "")
    op = parse_op(f'%x: {type}\n%0 = graph.unary "{function}" %x {attributes} : {type} -> {type}')
    expected = [UNARY[function](float(x)) for x in FLOATS]
    np.testing.assert_allclose(evaluate_whole(op, [FLOATS]), np.float32(expected), 1e-6, 1e-7)


def test_floats_become_integers() -> None:
    x = np.float32([-1e10, -1.5, -0.5, 0.5, 1.5, 2.5, 254.6, 1e10, np.inf, -np.inf])
    text = "%x: tensor<10xf32>\n%0 = graph.{} : tensor<10xf32> -> tensor<10xui8>"
    cast = parse_op(text.format("cast %x"))
    assert evaluate_whole(cast, [x]).tolist() == [0, 0, 0, 0, 1, 2, 254, 255, 255, 0]
    attributes = "{scale = 1.0 : f64, zero_point = 0.0 : f64, min = 0, max = 200}"
    quantize = parse_op(text.format(f"quantize %x {attributes}"))
    assert evaluate_whole(quantize, [x]).tolist() == [0, 0, 0, 1, 2, 3, 200, 200, 200, 0]
    attributes = "{scale = 1.0 : f64, zero_point = 3.0 : f64, min = 0, max = 200, half_even}"
    quantize = parse_op(text.format(f"quantize %x {attributes}"))
    assert evaluate_whole(quantize, [x]).tolist() == [0, 1, 3, 3, 5, 5, 200, 200, 200, 0]


def test_a_scale_for_each_channel() -> None:
    op = parse_op(
        """%x: tensor<2x3xsi8>, %s: tensor<2x1xf32>
        %0 = graph.dequantize %x scales %s : tensor<2x1xf32>
            {scale = 1.0 : f64, zero_point = 1.0 : f64} : tensor<2x3xsi8> -> tensor<2x3xf32>"""
    )
    x, scales = np.int8([[1, 2, 3], [-4, 5, 6]]), np.float32([[0.5], [0.1]])
    np.testing.assert_array_equal(evaluate_whole(op, [x, scales]), (x - np.float32(1)) * scales)


@pytest.mark.parametrize("name", FUNCTIONS_OF_ELEMENTS | ROWS)
def test_results_have_their_type(name: str) -> None:
    op = parse_op((FUNCTIONS_OF_ELEMENTS | ROWS)[name])
    result = evaluate_whole(op, random_arrays(np.random.default_rng(0), op.operands))
    assert result.shape == shape_of(op.results[0])
    assert result.dtype == numpy_dtype(element_type(op.results[0]))


def test_limits_are_checked() -> None:
    op = parse_op(
        """%x: tensor<2x9xsi8>, %w: tensor<9xsi32>
        %0 = graph.int_rms_norm %x, %w {shift = 16, weight_limit = 7}
            : tensor<2x9xsi8>, tensor<9xsi32> -> tensor<2x9xsi8>"""
    )
    x, w = np.ones((2, 9), np.int8), np.full(9, -7, np.int32)
    evaluate_whole(op, [x, w])
    with pytest.raises(PassFailedException, match="an operand exceeds its limit of 7"):
        evaluate_whole(op, [x, w - 1])


def test_square_roots_are_exact() -> None:
    roots = np.array([0, 1, 2, (1 << 31) - 1, 94906267], np.int64)
    for offset in (-1, 0, 1):
        values = np.maximum(roots * roots + offset, 0)
        assert square_root(values).tolist() == [math.isqrt(v) for v in values.tolist()]


def test_conv_by_hand() -> None:
    """The maps themselves, against the textbook formula."""
    op = parse_op(OPS["conv"])
    assert isinstance(op, ConvOp)
    x, w = random_arrays(np.random.default_rng(1), op.operands)
    padded = np.pad(x.astype(np.int64), ((0, 0), (0, 0), (1, 2), (0, 1)))
    result = evaluate_whole(op, [x, w])
    for n, o, i, j in np.ndindex(*result.shape):
        patch = padded[n, :, 2 * i : 2 * i + 3, j : j + 2]
        assert result[n, o, i, j] == (patch * w[o]).sum()
    assert tuple_of(op.pads) == (1, 0, 2, 1)


@pytest.mark.parametrize("bits", [4, 8, 20, 31])
def test_products_are_exact(bits: int) -> None:
    rng = np.random.default_rng(bits)
    a, b = (rng.integers(-(1 << bits), 1 << bits, (7, 7)) for _ in range(2))
    expected = (a.astype(object) @ b.astype(object)) % (1 << 32)
    assert np.array_equal(exact_product(a, b) % (1 << 32), expected)


def test_requantisation_wraps_and_shifts_arithmetically() -> None:
    attr = RequantAttr.of(1 << 30, 5, 1, min=-(1 << 31), max=(1 << 31) - 1)
    values = np.array([1, 2, -3, 0], np.int32)
    expected = [requantised(int(v), attr) for v in values]
    assert requantise(values, attr).tolist() == expected
    assert expected[1] == (-(1 << 31) + 5) >> 1


IDENTITY = """func.func @network(%x: tensor<2xui8>) -> tensor<2xui8> {
  func.return %x : tensor<2xui8>
}"""


def test_inputs_are_converted() -> None:
    ctx, module = parse(IDENTITY)
    for array in (np.array([0.0, 255.0]), np.array([0, 255], np.int64)):
        (result,) = run_module(ctx, module, [array])
        assert result.dtype == np.uint8 and result.tolist() == [0, 255]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([], "takes 1 inputs, not 0"),
        ([np.zeros(3)], r"input 0 has shape \(3,\)"),
        ([np.array([0.5, 0])], "not integers"),
        ([np.array([-1, 0])], "values outside 0 to 255"),
    ],
)
def test_inputs_that_do_not_fit(inputs: list[Array], message: str) -> None:
    ctx, module = parse(IDENTITY)
    with pytest.raises(DeeployError, match=message):
        run_module(ctx, module, inputs)


def test_unknown_function() -> None:
    ctx, module = parse(IDENTITY)
    with pytest.raises(DeeployError, match="no function 'main'"):
        run_module(ctx, module, [], "main")


def test_float_arguments_take_integers() -> None:
    _, module = parse("func.func @network(%x: tensor<2xf32>) { func.return }")
    (function,) = module.body.block.ops
    (type,) = function.regions[0].block.arg_types
    array = argument_array("x", np.array([1, 2]), type)
    assert array.dtype == np.float32
    assert random_array(np.random.default_rng(0), type).dtype == np.float32
