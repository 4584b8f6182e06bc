# SPDX-License-Identifier: Apache-2.0
"""Accuracy of deeploy/math.h on a dense set of numbers, and conversions between types."""

import math
from ctypes import c_float, c_int32

import harness as h
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_elementwise import GAPS, SHAPES, operand, strides_of

from deeploy.engines.cluster.walk import Walk


def function(stem, expression):
    types = {"X_T": "float", "Y_T": "float"}
    return (f"math_{stem}", {**types, "OP(x, p)": expression})


FUNCTIONS = [
    *(function(name, f"dpl_{name}(x)") for name in ["exp", "log", "erf", "tanh", "sigmoid"]),
    *(function(name, f"dpl_{name}(x)") for name in ["gelu", "gelu_tanh", "sqrt", "sqrt_soft"]),
    *(function(name, f"dpl_{name}(x)") for name in ["floor", "ceil", "round", "trunc", "abs"]),
    function("pow", "dpl_pow(x, p->alpha)"),
    function("hard_sigmoid", "dpl_hard_sigmoid(x, p->alpha, p->beta)"),
]
TYPES = ("f32", "s8", "u8", "s32")


def conversion(stem, x, y, expression):
    types = {"X_T": h.CTYPE[x], "Y_T": h.CTYPE[y]}
    return (f"{stem}_{x}_{y}", {**types, "OP(x, p)": expression})


CONVERSIONS = [
    *(conversion("cast", x, y, "x") for x in TYPES for y in TYPES if x != "f32" or y == "f32"),
    *(
        conversion("cast", "f32", y, "dpl_clamp(dpl_float_to_int(x), p->lo, p->hi)")
        for y in TYPES[1:]
    ),
    *(
        conversion("quantize", "f32", y, "dpl_quantize(x, p->alpha, p->beta, p->lo, p->hi)")
        for y in TYPES[1:]
    ),
    *(
        conversion(
            "quantizeeven", "f32", y, "dpl_quantize_even(x, p->alpha, p->beta, p->lo, p->hi)"
        )
        for y in TYPES[1:]
    ),
    *(conversion("dequantize", x, "f32", "((float)x - p->beta) * p->alpha") for x in TYPES[1:]),
]
INSTANCES = FUNCTIONS + CONVERSIONS


def map_args(rank):
    rest = [*h.fields("alpha beta", c_float), *h.fields("lo hi", c_int32)]
    return h.walking("x y", rank, "x_stride y_stride", rest)


def flat(x, y):
    """Arguments for whole arrays, on one core."""
    walk = Walk.over(x.shape, ((1,), (1,)))
    args = h.walked(map_args, walk, 1, None, ("x_stride", "y_stride"))
    args.x, args.y = x.ctypes.data, y.ctypes.data
    return args


@pytest.fixture(params=["simd", "portable"])
def compute(kernels, request):
    """compute(function, x, alpha, beta): the kernel's results."""
    library = kernels("map", INSTANCES, request.param)

    def run(stem, x, alpha=0.0, beta=0.0):
        y = np.empty_like(x)
        args = flat(x, y)
        args.alpha, args.beta = alpha, beta
        h.run(library, f"math_{stem}", args, 1, np.random.default_rng(0))
        return y

    return run


def floats(first, last, count=1 << 18):
    """Positive floats, spread evenly over their bit patterns, both ends included."""
    low, high = np.array([first, last], np.float32).view(np.uint32).tolist()
    return np.linspace(low, high, count).astype(np.uint32).view(np.float32)


def both_signs(first, last):
    x = floats(first, last)
    return np.concatenate([x, -x])


def ulps(actual, exact):
    """Distances from exact float64 results in units of the last place of normal floats."""
    _, exponent = np.frexp(exact)
    return np.abs(actual - exact) / np.ldexp(1.0, np.maximum(exponent, -125) - 24)


def erf(x):
    return np.array([math.erf(v) for v in x.tolist()])


def test_exp(compute):
    x = np.concatenate([floats(1e-9, 88.72), -floats(1e-9, 87.33)])
    assert ulps(compute("exp", x), np.exp(x.astype("d"))).max() <= 2
    x = -floats(87.33, 110)  # subnormal results
    np.testing.assert_allclose(compute("exp", x), np.exp(x.astype("d")), 0, 3e-45)
    x = np.array([np.inf, 89, 1e30, -np.inf, -1e30, 0, -0.0, np.nan], "f")
    expected = np.array([np.inf, np.inf, np.inf, 0, 0, 1, 1, np.nan])
    np.testing.assert_array_equal(compute("exp", x), expected)


def test_log(compute):
    x = np.concatenate([floats(1e-45, 3.4e38), floats(0.5, 2), floats(0.99, 1.01)])
    assert ulps(compute("log", x), np.log(x.astype("d"))).max() <= 2
    x = np.array([np.inf, 0, -0.0, -1, -np.inf, np.nan, 1], "f")
    expected = np.array([np.inf, -np.inf, -np.inf, np.nan, np.nan, np.nan, 0])
    np.testing.assert_array_equal(compute("log", x), expected)


def test_erf(compute):
    x = both_signs(1e-6, 12)
    assert np.abs(compute("erf", x) - erf(x)).max() <= 2e-7
    x = np.array([0, -np.inf, np.inf, 1e20, np.nan], "f")
    np.testing.assert_array_equal(compute("erf", x), np.array([0, -1, 1, 1, np.nan], "f"))


def test_tanh(compute):
    x = both_signs(1e-6, 90)
    assert np.abs(compute("tanh", x) - np.tanh(x.astype("d"))).max() <= 2e-7
    x = np.array([0, -np.inf, np.inf, 1e20, np.nan], "f")
    np.testing.assert_array_equal(compute("tanh", x), np.array([0, -1, 1, 1, np.nan], "f"))


def test_sigmoid(compute):
    x = both_signs(1e-6, 80)
    assert np.abs(compute("sigmoid", x) - 1 / (1 + np.exp(-x.astype("d")))).max() <= 2e-7
    x = np.array([0, -np.inf, np.inf, -1e20], "f")
    np.testing.assert_array_equal(compute("sigmoid", x), np.array([0.5, 0, 1, 0], "f"))


@pytest.mark.parametrize("stem", ["gelu", "gelu_tanh"])
def test_gelu(compute, stem):
    x = both_signs(1e-6, 20)
    v = x.astype("d")
    inner = np.tanh(math.sqrt(2 / math.pi) * (v + 0.044715 * v**3))
    exact = 0.5 * v * (1 + (erf(v / math.sqrt(2)) if stem == "gelu" else inner))
    assert (np.abs(compute(stem, x) - exact) / np.maximum(1, np.abs(v))).max() <= 4e-7


@pytest.mark.parametrize("stem", ["sqrt", "sqrt_soft"])
def test_sqrt(compute, stem):
    x = np.concatenate([floats(1e-45, 3.4e38), floats(1, 4)])
    assert ulps(compute(stem, x), np.sqrt(x.astype("d"))).max() <= 1
    x = np.array([0, np.inf, -1, np.nan], "f")
    np.testing.assert_array_equal(compute(stem, x), np.array([0, np.inf, np.nan, np.nan], "f"))


@pytest.mark.parametrize("stem", ["floor", "ceil", "round", "trunc", "abs"])
def test_rounding(compute, stem):
    halves = np.arange(-50, 50, dtype="f") / 4
    edges = np.array([0.49999997, 8388607.5, 8388608, 4194303.5, 1e30, np.inf], "f")
    x = np.concatenate([both_signs(1e-9, 1e9), halves, edges, -edges])
    exact = {"round": np.rint}.get(stem) or getattr(np, stem)
    np.testing.assert_array_equal(compute(stem, x), exact(x))


@pytest.mark.parametrize("power", [2, 0.5, 1, 0, 3, 7, -1, -2, 1.5, -0.3, 33.5, 40, 41])
def test_pow(compute, power):
    x = floats(1e-3, 1e3)
    if power == int(power):
        x = np.concatenate([x, -x])
    exact = x.astype("d") ** np.float64(power)
    fits = (np.abs(exact) < 3e38) & (np.abs(exact) > 1e-37)
    x, exact = x[fits], exact[fits]
    bound = 4e-7 + 2e-7 * np.abs(power * np.log(np.abs(x.astype("d"))))
    assert (np.abs(compute("pow", x, power) / exact - 1) <= bound).all()
    if power in (0.5, 1, 2):
        assert ulps(compute("pow", x, power), exact).max() <= (1 if power == 0.5 else 0.5)


def convert(stem, x, p, y_type):
    """In float32, as the kernel does."""
    lo, hi = h.LIMITS.get(y_type, (None, None))
    if stem == "dequantize":
        return (x.astype("f") - np.float32(p.beta)) * np.float32(p.alpha)
    if stem == "quantizeeven":
        return np.clip(np.rint(x * np.float32(p.alpha)) + np.float32(p.beta), p.lo, p.hi)
    if stem == "quantize":
        v = (x * np.float32(p.alpha) + np.float32(p.beta)).astype("d")
        return np.clip(np.trunc(v + np.copysign(0.5, v)), p.lo, p.hi)
    if x.dtype.kind == "f" and y_type != "f32":
        return np.trunc(np.clip(x.astype("d"), lo, hi))
    return x.astype(h.DTYPE[y_type])


@settings(settings.get_profile("kernels"))
@given(
    number=st.integers(0, 99),
    shape=SHAPES,
    gaps=st.tuples(GAPS, GAPS),
    scale=st.sampled_from([1, 1, 50, 1e9]),
    cores=st.integers(1, 8),
    seed=st.integers(0, 2**32 - 1),
)
def test_conversion(kernels, variant, number, shape, gaps, scale, cores, seed):
    rng = np.random.default_rng(seed)
    table = [name for name, _ in h.chosen(INSTANCES, variant) if not name.startswith("math")]
    name = table[number % len(table)]
    stem, x_type, y_type = name.split("_")
    x, x_stride = operand(0, h.DTYPE[x_type], shape, gaps[0], rng)
    if x_type == "f32":
        x.flat[:] *= scale
        if number % 2:
            x.flat[:] = np.rint(x.flat)  # with a scale of 0.5: halves
    y = h.Operand(1, h.DTYPE[y_type], shape, strides_of(shape, gaps[1]), rng)
    operands = {"x": (x, x_stride), "y": (y, y.strides)}
    args = h.walk_over(map_args, shape, operands, cores, rng)
    args.alpha, args.beta = float(rng.choice([0.5, 0.1, 30])), float(rng.choice([0, 3, -0.7]))
    if y_type != "f32":
        args.lo, args.hi = h.LIMITS[y_type]
    if stem == "quantizeeven":
        args.beta = float(rng.choice([0, 3, -128]))
    if stem.startswith("quantize"):
        args.lo, args.hi = max(args.lo, -7), min(args.hi, 200)
    h.run(kernels("map", INSTANCES, variant), name, args, cores, rng)
    y.check(convert(stem, x.view(), args, y_type))


def test_conversion_extremes(compute_conversion):
    x = np.array([np.nan, np.inf, -np.inf, 3e9, -3e9, 0.49999997, -0.5, 127.5, -128.6], "f")
    low, high = -(2**31), 2**31 - 1
    expected = {
        "cast_f32_s32": [0, high, low, high, low, 0, 0, 127, -128],
        "quantize_f32_s32": [0, high, low, high, low, 0, -1, 128, -129],
        "cast_f32_s8": [0, 127, -128, 127, -128, 0, 0, 127, -128],
        "quantize_f32_u8": [0, 255, 0, 255, 0, 0, 0, 128, 0],
        "quantizeeven_f32_s32": [0, high, low, high, low, 0, 0, 128, -129],
    }
    for name, values in expected.items():
        np.testing.assert_array_equal(compute_conversion(name, x), values, name)


@pytest.fixture(params=["simd", "portable"])
def compute_conversion(kernels, request):
    library = kernels("map", INSTANCES, request.param)

    def run(name, x):
        y_type = name.split("_")[2]
        y = np.empty(x.shape, h.DTYPE[y_type])
        args = flat(x, y)
        args.alpha, args.beta = 1.0, 0.0
        args.lo, args.hi = h.LIMITS[y_type]
        h.run(library, name, args, 1, np.random.default_rng(0))
        return y

    return run
