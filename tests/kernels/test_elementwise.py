# SPDX-License-Identifier: Apache-2.0
import ctypes
from ctypes import c_int32, c_uint32, c_void_p

import harness as h
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

TYPES = ("u8", "s8", "s32")
# the divisor must be positive
DIVISION = "dpl_int_div((int32_t)(a), (int32_t)((b) & 127), 100, 7, 3)"
OPS = {"add": "((a) + (b))", "sub": "((a) - (b))", "mul": "((a) * (b))", "div": DIVISION}
U6, I6 = c_uint32 * 6, c_int32 * 6

BINARY = [
    (
        f"binary_{op}_{a}_{b}_{y}",
        {"A_T": h.CTYPE[a], "B_T": h.CTYPE[b], "Y_T": h.CTYPE[y], "OP(a, b)": expression},
    )
    for op, expression in OPS.items()
    for a, b, y in [
        *[("u8", "u8", "u8"), ("s8", "s8", "s8"), ("s32", "s32", "s32"), ("u8", "s8", "s32")],
        *[("s32", "u8", "s8"), ("s8", "s32", "u8")],
    ]
]
UNARY = [(f"unary_{x}_{y}", {"X_T": h.CTYPE[x], "Y_T": h.CTYPE[y]}) for x in TYPES for y in TYPES]
INT_MAP = [
    (f"{op}_{x}_{y}", {"X_T": h.CTYPE[x], "Y_T": h.CTYPE[y], "OP(x, p)": f"dpl_int_{op}(x, p)"})
    for op in ("hardswish", "gelu")
    for x in ("s8", "u8")
    for y in TYPES
]
ELEMENTS = ("b1", "b2", "b4")
MOVE = [(f"move_{t}", {"T": h.CTYPE[t]}) for t in ELEMENTS]


class BinaryArgs(ctypes.Structure):
    _fields_ = [
        *h.fields("a b y", c_void_p),
        ("dim", U6),
        *h.fields("a_stride b_stride y_stride", I6),
        *h.fields("ra rb ry", h.Requant),
        *h.fields("has_ra has_rb has_ry", c_uint32),
    ]


class UnaryArgs(ctypes.Structure):
    _fields_ = [
        *h.fields("x y", c_void_p),
        ("dim", U6),
        *h.fields("x_stride y_stride", I6),
        ("mul", c_void_p),
        ("mul_stride", I6),
        ("add", c_void_p),
        ("add_stride", I6),
        *h.fields("mul0 add0 shift lo hi", c_int32),
    ]


class IntMapArgs(ctypes.Structure):
    _fields_ = [
        *h.fields("x y", c_void_p),
        ("dim", U6),
        *h.fields("x_stride y_stride", I6),
        ("p", c_int32 * 3),
        ("rq", h.Requant),
        ("has_rq", c_uint32),
    ]


class CopyArgs(ctypes.Structure):
    _fields_ = [*h.fields("x y", c_void_p), ("dim", U6), *h.fields("x_stride y_stride", I6)]


class PadArgs(ctypes.Structure):
    _fields_ = [
        *h.fields("x y", c_void_p),
        ("dim", U6),
        ("y_stride", I6),
        ("in_dim", U6),
        *h.fields("x_stride lo", I6),
        ("value", c_uint32),
    ]


def strides_of(shape, gaps=(0,) * 6, order=range(6)):
    """Strides of an array with its dimensions in the given order in memory, and gaps."""
    strides, step = [0] * 6, 1
    for d, gap in reversed(list(zip(order, gaps, strict=True))):
        step += gap
        strides[d] = step
        step *= shape[d]
    return strides


def int_div(a, b):
    divisor, dividend = 7 * (b & 127) + 3, 700 * a
    quotient = (np.abs(dividend) + (divisor >> 1)) // divisor
    return np.sign(dividend) * quotient


def broadcast(shape, flags):
    return [1 if flag else n for n, flag in zip(shape, flags, strict=True)]


def operand(fence, dtype, shape, gaps, rng, order=range(6)):
    """An operand and the strides the kernel sees: 0 where it has size 1, as a broadcast."""
    strides = strides_of(shape, gaps, order)
    seen = [0 if n == 1 else s for n, s in zip(shape, strides, strict=True)]
    return h.Operand(fence, dtype, shape, strides, rng), I6(*seen)


SHAPES = st.tuples(*[st.sampled_from([1, 1, 2, 3])] * 4, st.integers(1, 5), st.integers(1, 40))
GAPS = st.one_of(st.just((0,) * 6), st.tuples(*[st.sampled_from([0, 0, 2])] * 6))
FLAGS6 = st.one_of(st.just((False,) * 6), st.tuples(*[st.booleans()] * 6))


@settings(settings.get_profile("kernels"))
@given(
    number=st.integers(0, 99),
    shape=SHAPES,
    gaps=st.tuples(GAPS, GAPS, GAPS),
    ones=st.tuples(FLAGS6, FLAGS6),
    flags=st.tuples(*[st.booleans()] * 5),
    cores=st.integers(1, 8),
    seed=st.integers(0, 2**32 - 1),
)
def test_binary(kernels, variant, number, shape, gaps, ones, flags, cores, seed):
    rng = np.random.default_rng(seed)
    name = h.pick(BINARY, variant, number)
    _, op, a_type, b_type, y_type = name.split("_")
    a, a_stride = operand(0, h.DTYPE[a_type], broadcast(shape, ones[0]), gaps[0], rng)
    b, b_stride = operand(1, h.DTYPE[b_type], broadcast(shape, ones[1]), gaps[1], rng)
    y_strides = strides_of(shape, gaps[2])
    y = h.Operand(2, h.DTYPE[y_type], shape, y_strides, rng)
    scalar = (False, False)
    ra, rb = h.Scaling(rng, 1, "s8", 100, scalar), h.Scaling(rng, 1, "s8", 100, scalar)
    ry = h.Scaling(rng, shape[5], y_type, 100, flags[3:])
    args = BinaryArgs(a.address, b.address, y.address, U6(*shape), a_stride, b_stride)
    args.y_stride = I6(*y_strides)
    args.ra, args.rb, args.ry = ra.struct(), rb.struct(), ry.struct()
    args.has_ra, args.has_rb, args.has_ry = flags[:3]
    h.run(kernels("binary", BINARY, variant), name, args, cores, rng)
    left = ra.apply(a.view()) if flags[0] else a.view()
    right = rb.apply(b.view()) if flags[1] else b.view()
    function = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": int_div}[op]
    result = h.wrap(function(left.astype(np.int64), right.astype(np.int64)))
    result = np.broadcast_to(result, shape)
    y.check(ry.apply(result) if flags[2] else result.astype(y.dtype))


@settings(settings.get_profile("kernels"))
@given(
    number=st.integers(0, 99),
    shape=SHAPES,
    gaps=st.tuples(GAPS, GAPS, GAPS, GAPS),
    ones=st.tuples(FLAGS6, FLAGS6),
    given_=st.tuples(st.booleans(), st.booleans()),
    cores=st.integers(1, 8),
    seed=st.integers(0, 2**32 - 1),
)
def test_unary(kernels, variant, number, shape, gaps, ones, given_, cores, seed):
    rng = np.random.default_rng(seed)
    name = h.pick(UNARY, variant, number)
    _, x_type, y_type = name.split("_")
    x, x_stride = operand(0, h.DTYPE[x_type], shape, gaps[0], rng)
    y = h.Operand(1, h.DTYPE[y_type], shape, strides_of(shape, gaps[1]), rng)
    mul, mul_stride = operand(2, np.int32, broadcast(shape, ones[0]), gaps[2], rng)
    add, add_stride = operand(3, np.int32, broadcast(shape, ones[1]), gaps[3], rng)
    if rng.integers(2):
        mul.view()[...] >>= 12
    args = UnaryArgs(x.address, y.address, U6(*shape), x_stride, I6(*y.strides))
    args.mul, args.mul_stride = (mul.address if given_[0] else None), mul_stride
    args.add, args.add_stride = (add.address if given_[1] else None), add_stride
    args.mul0, args.add0, args.shift = 77, -1234, int(rng.integers(0, 32))
    args.lo, args.hi = sorted(int(v) for v in rng.integers(*h.LIMITS[y_type], 2, endpoint=True))
    h.run(kernels("unary", UNARY, variant), name, args, cores, rng)
    factor = mul.view().astype(np.int64) if given_[0] else 77
    offset = add.view().astype(np.int64) if given_[1] else -1234
    result = h.requant(x.view(), factor, offset, args.shift, args.lo, args.hi)
    y.check(np.broadcast_to(result, shape))


def int_map(op, x, p):
    x = x.astype(np.int64)
    if op == "hardswish":
        return h.wrap(x * (np.clip(x + p[1], 0, p[2]) * p[0]))
    d = np.minimum(np.abs(x), -p[0]) + p[0]
    return h.wrap(x * ((p[1] + np.sign(x) * (p[1] - d * d)) >> 1))


@settings(settings.get_profile("kernels"))
@given(
    number=st.integers(0, 99),
    shape=SHAPES,
    gaps=st.tuples(GAPS, GAPS),
    flags=st.tuples(*[st.booleans()] * 3),
    cores=st.integers(1, 8),
    seed=st.integers(0, 2**32 - 1),
)
def test_int_map(kernels, variant, number, shape, gaps, flags, cores, seed):
    rng = np.random.default_rng(seed)
    name = h.pick(INT_MAP, variant, number)
    op, x_type, y_type = name.split("_")
    x, x_stride = operand(0, h.DTYPE[x_type], shape, gaps[0], rng)
    y = h.Operand(1, h.DTYPE[y_type], shape, strides_of(shape, gaps[1]), rng)
    p = {"hardswish": [(33, 765, 1530), (5, 64, 128)], "gelu": [(-113, 12769, 0), (-40, 9999, 0)]}
    p = p[op][int(rng.integers(2))]
    scaling = h.Scaling(rng, shape[5], y_type, 1e5, flags[1:])
    args = IntMapArgs(x.address, y.address, U6(*shape), x_stride, I6(*y.strides), (c_int32 * 3)(*p))
    args.rq, args.has_rq = scaling.struct(), flags[0]
    h.run(kernels("int_map", INT_MAP, variant), name, args, cores, rng)
    result = int_map(op, x.view(), p)
    y.check(scaling.apply(result) if flags[0] else result.astype(y.dtype))


@settings(settings.get_profile("kernels"))
@given(
    number=st.integers(0, 99),
    shape=SHAPES,
    gaps=st.tuples(GAPS, GAPS),
    order=st.one_of(st.just(range(6)), st.permutations(range(6))),
    cores=st.integers(1, 8),
    seed=st.integers(0, 2**32 - 1),
)
def test_copy(kernels, variant, number, shape, gaps, order, cores, seed):
    rng = np.random.default_rng(seed)
    type_ = h.pick(MOVE, variant, number).split("_")[1]
    x, x_stride = operand(0, h.DTYPE[type_], shape, gaps[0], rng, order)
    y = h.Operand(1, h.DTYPE[type_], shape, strides_of(shape, gaps[1]), rng)
    args = CopyArgs(x.address, y.address, U6(*shape), x_stride, I6(*y.strides))
    h.run(kernels("copy", MOVE, variant), f"move_{type_}", args, cores, rng)
    y.check(x.view())


@settings(settings.get_profile("kernels"))
@given(
    number=st.integers(0, 99),
    shape=SHAPES,
    gaps=st.tuples(GAPS, GAPS),
    lo=st.tuples(*[st.integers(-2, 3)] * 6),
    hi=st.tuples(*[st.integers(-2, 3)] * 6),
    cores=st.integers(1, 8),
    seed=st.integers(0, 2**32 - 1),
)
def test_pad(kernels, variant, number, shape, gaps, lo, hi, cores, seed):
    rng = np.random.default_rng(seed)
    type_ = h.pick(MOVE, variant, number).split("_")[1]
    if rng.integers(2):  # the frequent case: two dimensions
        lo, hi = (0, 0, 0, *lo[3:5], 0), (0, 0, 0, *hi[3:5], 0)
    out = [max(1, n + a + b) for n, a, b in zip(shape, lo, hi, strict=True)]
    while np.prod(out) > 20000:
        out[int(np.argmax(out))] //= 2
    x, x_stride = operand(0, h.DTYPE[type_], shape, gaps[0], rng)
    y = h.Operand(1, h.DTYPE[type_], out, strides_of(out, gaps[1]), rng)
    value = int(rng.integers(0, 2**32))
    args = PadArgs(x.address, y.address, U6(*out), I6(*y.strides), U6(*shape), x_stride, I6(*lo))
    args.value = value
    h.run(kernels("pad", MOVE, variant), f"move_{type_}", args, cores, rng)
    expected = np.full(out, value & np.iinfo(y.dtype).max, y.dtype)
    source = tuple(slice(max(0, -a), max(0, n - a)) for a, n in zip(lo, out, strict=True))
    inner = x.view()[source]
    start = [max(0, a) for a in lo]
    expected[tuple(slice(s, s + n) for s, n in zip(start, inner.shape, strict=True))] = inner
    y.check(expected)
