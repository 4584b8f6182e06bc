# SPDX-License-Identifier: Apache-2.0
import ctypes
import math
from ctypes import c_float, c_int32, c_uint32, c_void_p

import harness as h
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from deeploy.engines.cluster.rows import row_shares

PAIRS = [(x, y) for x in ("s8", "u8") for y in ("s8", "u8", "s32")]


def instances(stem):
    return [(f"{stem}_{x}_{y}", {"X_T": h.CTYPE[x], "Y_T": h.CTYPE[y]}) for x, y in PAIRS]


class Walk(ctypes.Structure):
    _fields_ = [("dim", c_uint32 * 5), ("stride", c_int32 * 5 * 2)]


class Rows(ctypes.Structure):
    _fields_ = [
        *h.fields("count columns", c_uint32),
        ("share", c_uint32 * 2),
        ("stride", c_int32 * 2),
        ("walk", ctypes.POINTER(Walk)),
    ]


BASE = [*h.fields("x y", c_void_p), ("rows", Rows)]


class SoftmaxArgs(ctypes.Structure):
    _fields_ = [
        *BASE,
        *h.fields("table mapping", c_void_p),
        *h.fields("a b c", c_int32),
        *h.fields("log2 scale", c_uint32),
        ("rq", h.Requant),
        *h.fields("has_rq reach", c_uint32),
    ]


class ItaMaxArgs(ctypes.Structure):
    _fields_ = [*BASE, *h.fields("group levels", c_uint32), ("rq", h.Requant), ("has_rq", c_uint32)]


class IntNormArgs(ctypes.Structure):
    _fields_ = [*BASE, *h.fields("weight bias", c_void_p), *h.fields("shift lo hi", c_int32)]


class FloatArgs(ctypes.Structure):
    _fields_ = BASE


class FloatNormArgs(ctypes.Structure):
    _fields_ = [*BASE, *h.fields("weight bias", c_void_p), ("epsilon", c_float)]


def operand(fence, dtype, shape, gaps, rng):
    """An operand with contiguous rows."""
    strides, step = [0] * 6, 1
    for d in range(5, -1, -1):
        step += gaps[d] if d < 5 else 0
        strides[d] = step
        step *= shape[d]
    return h.Operand(fence, dtype, shape, strides, rng)


def rows_of(shape, x, y, cores):
    """The rows of two operands: those of a single dimension need no walk."""
    count, long = math.prod(shape[:-1]), [d for d in range(5) if shape[d] > 1]
    shares = (c_uint32 * 2)(*row_shares(count, shape[-1], cores))
    if len(long) < 2:
        strides = [v.strides[long[0]] if long else 0 for v in (x, y)]
        return Rows(count, shape[-1], shares, (c_int32 * 2)(*strides), None)
    strides = [(c_int32 * 5)(*v.strides[:5]) for v in (x, y)]
    walk = Walk((c_uint32 * 5)(*shape[:5]), (c_int32 * 5 * 2)(*strides))
    return Rows(count, shape[-1], shares, (c_int32 * 2)(), ctypes.pointer(walk))


def pair(x_type, y_type, shape, gaps, rng, spread, cores):
    """x and y, and the fields that all kernels on rows begin with. Some rows are nearly equal."""
    x = operand(0, h.DTYPE[x_type], shape, gaps[0], rng)
    if spread and x.dtype.kind != "f":
        x.view()[...] >>= spread
    y = operand(1, h.DTYPE[y_type], shape, gaps[1], rng)
    return x, y, (x.address, y.address, rows_of(shape, x, y, cores))


SHAPES = st.tuples(*[st.sampled_from([1, 1, 2, 3])] * 5, st.integers(1, 70))
GAPS = st.one_of(st.just((0,) * 6), st.tuples(*[st.sampled_from([0, 0, 2])] * 6))
COMMON = {
    "number": st.integers(0, 99),
    "shape": SHAPES,
    "gaps": st.tuples(GAPS, GAPS),
    "spread": st.sampled_from([0, 0, 2, 5]),
    "cores": st.integers(1, 8),
    "seed": st.integers(0, 2**32 - 1),
}
SMALL_DIVIDEND = 2**14 - 128
FLAGS = st.tuples(*[st.booleans()] * 3)


def epilogue(args, y, rng, flags):
    """Give `args` a requantisation, and say what it does."""
    scaling = h.Scaling(rng, y.shape[-1], {1: "s8", 4: "s32"}[y.dtype.itemsize], 255, flags[1:])
    if y.dtype == np.uint8:
        scaling.lo, scaling.hi = 0, 255
    args.has_rq, args.rq = flags[0], scaling.struct()
    return (lambda v: scaling.apply(v)) if flags[0] else (lambda v: v.astype(y.dtype))


def lists_of(x):
    view = x.view()
    return view.reshape(-1, view.shape[-1]).tolist()


def truncated(a, b):
    """`a / b` as in C."""
    return abs(a) // b * (1 if a >= 0 else -1)


SOFTMAXES = [
    (f"{name}_{columns}", {**macros, "COLUMNS": columns})
    for columns in (0, 7, 16)
    for name, macros in instances("int_softmax")
]
"""For rows of any length, and of two."""


def softmax_pair(name, shape, gaps, rng, spread, cores):
    """Operands of an instance, which may be for one length of rows; then cores divide rows."""
    x_type, y_type, columns = name.split("_")[-3:]
    if columns == "0":
        return pair(x_type, y_type, shape, gaps, rng, spread, cores)
    x, y, base = pair(x_type, y_type, (*shape[:-1], int(columns)), gaps, rng, spread, cores)
    base[-1].share = (c_uint32 * 2)(*row_shares(base[-1].count, 1, cores))
    return x, y, base


def softmax_of(x, term):
    """`e * 255 / sum(e)` of each row."""
    expected = []
    for row in lists_of(x):
        terms = [term(max(row) - v) for v in row]
        expected.append([e * 255 // sum(terms) for e in terms])
    return np.array(expected).reshape(x.shape)


def reach_of(terms, flags):
    """From where on quotients are 0, and so results are known, if columns do not differ in them."""
    if flags[0] and any(flags[1:]):
        return 0
    return 1 + max(d for d in range(256) if 255 * terms[d] >= terms[0])


@settings(settings.get_profile("kernels"))
@given(
    **COMMON,
    looks_up=st.booleans(),
    flags=FLAGS,
    numbers=st.sampled_from([(1, 345, 62395, 255), (1, 173, 15599, 127), (2, 70, 100, 40)]),
    log2=st.sampled_from([None, None, 1, 3, 9, 30, 256, 1000]),
    scale=st.sampled_from([1, 1, 3, 40]),
)
def test_int_softmax(
    kernels,
    variant,
    number,
    shape,
    gaps,
    spread,
    cores,
    seed,
    looks_up,
    flags,
    numbers,
    log2,
    scale,
):
    rng = np.random.default_rng(seed)
    name = h.pick(SOFTMAXES, variant, number)
    x, y, base = softmax_pair(name, shape, gaps, rng, spread, cores)
    a, b, c, own = numbers
    log2 = log2 or own

    def term(distance):
        z = min(distance // log2, 31)
        return (a * (z * log2 - distance + b) ** 2 + c) >> z

    args = SoftmaxArgs(*base, None, None, a, b, c, log2, scale)
    apply = epilogue(args, y, rng, flags)
    args.reach = reach_of([term(d) for d in range(256)], flags) if looks_up else 0
    h.run(kernels("int_softmax", SOFTMAXES, variant), name, args, cores, rng)
    y.check(apply(softmax_of(x, term)))


@settings(settings.get_profile("kernels"))
@given(
    **COMMON,
    looks_up=st.booleans(),
    flags=FLAGS,
    most=st.sampled_from([1, 2, 24, 1000, 11003, 181420, 2**23 // 2, (2**31 - 1) // 255]),
    fall=st.sampled_from([0.0, 0.1, 1.0, 10.0]),
    fraction=st.sampled_from([1.0, 1.0, 0.5, 0.001, 0.0]),
    mapped=st.booleans(),
)
def test_int_softmax_table(
    kernels, variant, number, shape, gaps, spread, cores, seed, looks_up, flags, most, fall,
    fraction, mapped,
):  # fmt: skip
    rng = np.random.default_rng(seed)
    name = h.pick(SOFTMAXES, variant, number)
    x, y, base = softmax_pair(name, shape, gaps, rng, spread, cores)
    falling = most * np.exp(-fall * np.arange(256) / 10)
    terms = (falling * rng.uniform(0.5, 1, 256)).astype(np.int64)
    terms[0] = most
    scale = max(1, int(fraction * ((2**31 - 1) // (most * 255))))
    entries = h.fenced(2, (terms * (255 * scale)).astype(np.uint32))
    results = h.fenced(3, rng.permutation(256).astype(y.dtype))
    # what is looked up is not computed
    mapping = results.address if mapped else None
    args = SoftmaxArgs(*base, entries.address, mapping, 0, 0, 0, 0, 0)
    apply = epilogue(args, y, rng, flags)
    args.reach = reach_of(terms.tolist(), (False,) if mapped else flags) if looks_up else 0
    h.run(kernels("int_softmax", SOFTMAXES, variant), name, args, cores, rng)
    expected = softmax_of(x, lambda distance: int(terms[distance]))
    y.check(results.flat[expected] if mapped else apply(expected))


@settings(settings.get_profile("kernels"))
@given(
    **COMMON,
    flags=FLAGS,
    group=st.sampled_from([1, 3, 16, 64, 100]),
    levels=st.sampled_from([256, 256, 2, 128]),
)
def test_ita_max(kernels, variant, number, shape, gaps, spread, cores, seed, flags, group, levels):
    rng = np.random.default_rng(seed)
    table = instances("ita_max")
    name = h.pick(table, variant, number)
    x, y, base = pair(*name.split("_")[-2:], shape, gaps, rng, spread, cores)
    args = ItaMaxArgs(*base, group, levels)
    apply = epilogue(args, y, rng, flags)
    h.run(kernels("ita_max", table, variant), name, args, cores, rng)
    expected = []
    for row in lists_of(x):
        most, total = None, 0
        for first in range(0, len(row), group):
            part = row[first : first + group]
            grown = max(part) if most is None else max(most, *part)
            if most is not None:
                total >>= (grown - most + 16) >> 5
            total += sum(256 >> ((grown - v + 16) >> 5) for v in part)
            most = grown
        top = (levels - 1) * 256 // total
        expected.append([top >> ((most - v + 16) >> 5) for v in row])
    y.check(apply(np.array(expected).reshape(shape)))


def norms(stem):
    """The instances of a normalisation; those of `int_rms_norm` are narrow for int8 only."""
    forms = [(form, name, macros) for form in (0, 1) for name, macros in instances(stem)]
    return [
        (name.replace(stem, f"{stem}_{'narrow' if form else 'wide'}"), {**macros, "NARROW": form})
        for form, name, macros in forms
        if not form or stem == "int_layer_norm" or macros["X_T"] == h.CTYPE["s8"]
    ]


@settings(settings.get_profile("kernels"))
@given(**COMMON, shift=st.integers(0, 31), bits=st.integers(1, 31), layer=st.booleans())
def test_int_norm(kernels, variant, number, shape, gaps, spread, cores, seed, shift, bits, layer):
    rng = np.random.default_rng(seed)
    stem = "int_layer_norm" if layer else "int_rms_norm"
    table = norms(stem)
    name = h.pick(table, variant, number)
    x_type, y_type = name.split("_")[-2:]
    x, y, base = pair(x_type, y_type, shape, gaps, rng, spread, cores)
    if number % 5 == 0:  # far from 0
        x.view()[...] = rng.choice(h.LIMITS[x_type], shape)
    columns = shape[-1]
    limits = [2**bits] * 2
    if "narrow" in name:
        reach = min(SMALL_DIVIDEND << shift, 2**31) - 129
        limits[1] = min(limits[1], reach // 512)
        weight = (reach - 128 * limits[1]) // (255 if layer else 128)
        limits[0] = min(limits[0], weight)
    vectors = [rng.integers(-m, m - 1, columns, endpoint=True).astype("i4") for m in limits]
    weight, bias = (h.fenced(4 + i, v) for i, v in enumerate(vectors))
    lo, hi = h.LIMITS[y_type]
    args = IntNormArgs(*base, weight.address, bias.address if layer else None, shift, lo, hi)
    h.run(kernels(stem, table, variant), name, args, cores, rng)
    w, b = (v.tolist() for v in vectors)
    expected = []
    for row in lists_of(x):
        mean = truncated(sum(row), columns) if layer else 0
        row = [v - mean for v in row]
        std = math.isqrt(sum(v * v for v in row) // columns + 1)
        values = [truncated(v * w[i], std) for i, v in enumerate(row)]
        if layer:
            expected.append([(v + b[i]) >> shift for i, v in enumerate(values)])
        else:
            expected.append([min(max(v >> shift, lo), hi) for v in values])
    y.check(np.array(expected).reshape(shape).astype(y.dtype))


@settings(settings.get_profile("kernels"))
@given(**COMMON, kind=st.sampled_from(["softmax", "rms_norm", "layer_norm"]), biased=st.booleans())
def test_float_rows(kernels, variant, number, shape, gaps, spread, cores, seed, kind, biased):
    rng = np.random.default_rng(seed)
    family = f"{kind}_f32"
    x, y, base = pair("f32", "f32", shape, gaps, rng, spread, cores)
    if number % 10 == 0:
        x.flat[:] *= 20
    weight, bias = (h.fenced(4 + i, rng.normal(0, 2, shape[-1]).astype("f")) for i in range(2))
    if kind == "softmax":
        args = FloatArgs(*base)
    else:
        args = FloatNormArgs(*base, weight.address, bias.address if biased else None, 1e-5)
    h.run(kernels(family, [(f"row_{kind}", {})], variant), f"row_{kind}", args, cores, rng)
    v = x.view().astype(np.float64)
    if kind == "softmax":
        e = np.exp(v - v.max(axis=-1, keepdims=True))
        y.check_near(e / e.sum(axis=-1, keepdims=True), 2e-6)
        return
    if kind == "layer_norm":
        v = v - v.mean(axis=-1, keepdims=True)
    v = v / np.sqrt((v * v).mean(axis=-1, keepdims=True) + 1e-5) * weight.view()
    y.check_near(v + bias.view() if kind == "layer_norm" and biased else v, 1e-4)
