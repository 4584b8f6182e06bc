# SPDX-License-Identifier: Apache-2.0
import ctypes
from ctypes import c_int32, c_uint32, c_void_p

import harness as h
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from deeploy.engines.cluster.walk import Walk, shares

TYPES = ("u8", "s8", "s32")
# the divisor must be positive
DIVISION = "dpl_int_div((int32_t)(a), (int32_t)((b) & 127), 100, 7, 3)"
OPS = {"add": "((a) + (b))", "sub": "((a) - (b))", "mul": "((a) * (b))", "div": DIVISION}
U6, I6 = c_uint32 * 6, c_int32 * 6

# What reading an operand does, and storing a result: the expressions, with bounds of the storing.
READ = {
    "plain": "(v)",
    "scaled": "dpl_clamp(dpl_scaled(v, &(p)->{}_scale), -100, 90)",
    "rounded": "dpl_clamp(dpl_scaled_short(v, &(p)->{}_scale, 32, 6), -100, 90)",
    "shifted": "dpl_clamp(dpl_scaled_short(v, &(p)->{}_scale, 0, 14), -100, 90)",
}
SHORT = {"rounded": (32, 6), "shifted": (0, 14)}
SCALED = "dpl_clamp(dpl_scaled(v, &(p)->scale), {}, {})"
STORE = {
    "plain": "(v)",
    "scaled": SCALED,
    "clamped": "dpl_clamp(v, {}, {})",
    "vectors": "dpl_clamp(dpl_mul_add(v, (p)->mul[c], (p)->add[c]) >> (p)->scale.shift, {}, {})",
}
BINARY = [
        (
            f"binary_{op}_{a}_{b}_{y}_{read_a}_{read_b}_{store}",
            {
                "A_T": h.CTYPE[a], "B_T": h.CTYPE[b], "Y_T": h.CTYPE[y], "OP(a, b)": OPS[op],
                "READ_A(v, p)": READ[read_a].format("a"), "READ_B(v, p)": READ[read_b].format("b"),
                "STORE(v, c, p)": STORE[store].format(*h.LIMITS_C[y]),
            },
        )
        for op, a, b, y, read_a, read_b, store in [
            ("add", "u8", "u8", "u8", "plain", "plain", "scaled"),
            ("add", "s8", "s8", "s8", "scaled", "plain", "clamped"),
            ("add", "s8", "u8", "s8", "rounded", "shifted", "clamped"),
            ("add", "s8", "s8", "s8", "scaled", "scaled", "scaled"),
            ("add", "s32", "s32", "s32", "plain", "plain", "plain"),
            ("sub", "s8", "u8", "s8", "plain", "scaled", "vectors"),
            ("sub", "u8", "s8", "s32", "plain", "plain", "plain"),
            ("mul", "s8", "s8", "s8", "plain", "plain", "scaled"),
            ("mul", "u8", "s8", "s8", "plain", "plain", "vectors"),
            ("mul", "s32", "u8", "s8", "plain", "plain", "vectors"),
            ("div", "s8", "s32", "u8", "plain", "plain", "plain"),
            ("div", "s8", "s8", "s8", "plain", "plain", "scaled"),
        ]
]  # fmt: skip
OP = {
    "same": "(x)",
    "hardswish": "dpl_int_hardswish(x, (p)->p)",
    "gelu": "dpl_int_gelu(x, (p)->p)",
    "table": "((int8_t)(p)->table[(uint8_t)(x)])",
}
FACTORS = "dpl_clamp(dpl_mul_add(v, mul, add) >> (p)->scale.shift, {}, {})"
ROUNDED = "dpl_clamp(dpl_scaled_short(v, &(p)->scale, 16, 5), {}, {})"
STORE_ONE = {"plain": "(v)", "scaled": SCALED, "vectors": FACTORS, "rounded": ROUNDED}
UNARY = [
        (
            f"unary_{op}_{x}_{y}_{store}",
            {
                "X_T": h.CTYPE[x], "Y_T": h.CTYPE[y], "OP(x, p)": OP[op],
                "STORE(v, mul, add, p)": STORE_ONE[store].format(*h.LIMITS_C[y]),
            },
        )
        for op, x, y, store in [
            *[("same", x, y, "vectors") for x in TYPES for y in TYPES],
            *[("same", x, y, "scaled") for x, y in [("s8", "s8"), ("s32", "u8")]],
            *[("same", "s8", y, "rounded") for y in ("s8", "u8")],
            *[("hardswish", "s8", y, "scaled") for y in TYPES],
            *[("gelu", x, "s8", "vectors") for x in ("s8", "u8")],
            *[("gelu", "u8", "s32", "plain"), ("hardswish", "s8", "s8", "plain")],
            *[("table", x, "s8", "plain") for x in ("s8", "u8")],
        ]
]  # fmt: skip
ELEMENTS = ("b4", "b1", "b2")
MOVE = [(f"move_{t}", {"T": h.CTYPE[t]}) for t in ELEMENTS]


class Factors(ctypes.Structure):
    _fields_ = h.fields("mul add shift", c_int32)


def binary_args(rank):
    return h.walking(
        "a b y", rank, "a_stride b_stride y_stride",
        [*h.fields("a_scale b_scale scale", Factors), *h.fields("mul add", c_void_p)],
    )  # fmt: skip


def unary_args(rank):
    return h.walking(
        "x y", rank, "x_stride y_stride mul_stride add_stride",
        [("p", c_int32 * 3), ("table", c_void_p), ("scale", Factors),
         *h.fields("mul add", c_void_p)],
    )  # fmt: skip


def copy_args(rank):
    return h.walking("x y", rank, "x_stride y_stride", [])


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


class Side:
    """What is done to an operand as it is read, and how numpy does it."""

    def __init__(self, kind, rng):
        self.kind = kind
        scaling = h.Scaling(rng, 1, "s8", 100, (False, False))
        self.factors = Factors(int(scaling.mul[0]), int(scaling.add[0]), scaling.shift)
        if kind in SHORT:
            self.factors = Factors(int(rng.integers(-(1 << 15) + 1, 1 << 15)), *SHORT[kind])

    def apply(self, values):
        if self.kind == "plain":
            return values
        numbers = self.factors.mul, self.factors.add, self.factors.shift
        return h.requant(values, *numbers, -100, 90)


def stored(kind, values, scaling, y):
    """What an instance stores; scaling may have a number for each channel."""
    limits = h.LIMITS[h.NAMES[y.dtype]]
    if kind == "plain":
        return values.astype(y.dtype)
    if kind == "clamped":
        return np.clip(values, *limits)
    mul, add = scaling.mul.astype(np.int64), scaling.add.astype(np.int64)
    return h.requant(values, mul, add, scaling.shift, *limits)


@settings(settings.get_profile("kernels"))
@given(
    number=st.integers(0, 99),
    shape=SHAPES,
    gaps=st.tuples(GAPS, GAPS, GAPS),
    ones=st.tuples(FLAGS6, FLAGS6),
    cores=st.integers(1, 8),
    seed=st.integers(0, 2**32 - 1),
)
def test_binary(kernels, variant, number, shape, gaps, ones, cores, seed):
    rng = np.random.default_rng(seed)
    name = h.pick(BINARY, variant, number)
    _, op, a_type, b_type, y_type, read_a, read_b, store = name.split("_")
    a, a_stride = operand(0, h.DTYPE[a_type], broadcast(shape, ones[0]), gaps[0], rng)
    b, b_stride = operand(1, h.DTYPE[b_type], broadcast(shape, ones[1]), gaps[1], rng)
    y = h.Operand(2, h.DTYPE[y_type], shape, strides_of(shape, gaps[2]), rng)
    left, right = Side(read_a, rng), Side(read_b, rng)
    vectors = store == "vectors"
    scaling = h.Scaling(rng, shape[5], y_type, 100, (vectors, vectors), fences=(5, 6))
    operands = {"a": (a, a_stride), "b": (b, b_stride), "y": (y, y.strides)}
    args = h.walk_over(binary_args, shape, operands, cores, rng, keep_last=vectors)
    args.a_scale, args.b_scale = left.factors, right.factors
    args.scale = Factors(int(scaling.mul[0]), int(scaling.add[0]), scaling.shift)
    if vectors:
        args.mul, args.add = scaling.mul_memory.address, scaling.add_memory.address
    h.run(kernels("binary", BINARY, variant), name, args, cores, rng)
    function = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": int_div}[op]
    sides = left.apply(a.view()).astype(np.int64), right.apply(b.view()).astype(np.int64)
    y.check(stored(store, np.broadcast_to(h.wrap(function(*sides)), shape), scaling, y))


def int_function(op, x, p, table):
    x = x.astype(np.int64)
    if op == "table":
        return table.flat[x.astype(np.uint8)]
    if op == "hardswish":
        return h.wrap(x * (np.clip(x + p[1], 0, p[2]) * p[0]))
    if op == "gelu":
        d = np.minimum(np.abs(x), -p[0]) + p[0]
        return h.wrap(x * ((p[1] + np.sign(x) * (p[1] - d * d)) >> 1))
    return x


PARAMETERS = {
    "hardswish": [(33, 765, 1530), (5, 64, 128)],
    "gelu": [(-113, 12769, 0), (-40, 9999, 0)],
}


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
    _, op, x_type, y_type, store = name.split("_")
    x, x_stride = operand(0, h.DTYPE[x_type], shape, gaps[0], rng)
    y = h.Operand(1, h.DTYPE[y_type], shape, strides_of(shape, gaps[1]), rng)
    mul, mul_stride = operand(2, np.int32, broadcast(shape, ones[0]), gaps[2], rng)
    add, add_stride = operand(3, np.int32, broadcast(shape, ones[1]), gaps[3], rng)
    table = h.fenced(4, rng.integers(-128, 128, 256).astype(np.int8))
    if rng.integers(2):
        mul.view()[...] >>= 12
    vectors = [store == "vectors" and flag for flag in given_]
    none = I6()
    strides = [
        x_stride,
        y.strides,
        mul_stride if vectors[0] else none,
        add_stride if vectors[1] else none,
    ]
    names = ("x_stride", "y_stride", "mul_stride", "add_stride")
    args = h.walked(unary_args, Walk.over(shape, strides), cores, rng, names)
    args.x, args.y, args.table = x.address, y.address, table.address
    args.mul, args.add = (
        v.address if flag else None for v, flag in zip((mul, add), vectors, strict=True)
    )
    rounded = store == "rounded"
    args.scale = Factors(77, *((16, 5) if rounded else (-1234, int(rng.integers(0, 32)))))
    p = PARAMETERS.get(op, [(0, 0, 0)] * 2)[int(rng.integers(2))]
    args.p = (c_int32 * 3)(*p)
    h.run(kernels("unary", UNARY, variant), name, args, cores, rng)
    value = int_function(op, x.view(), p, table)
    if store != "plain":
        factor = mul.view().astype(np.int64) if vectors[0] else 77
        offset = add.view().astype(np.int64) if vectors[1] else args.scale.add
        value = h.requant(value, factor, offset, args.scale.shift, *h.LIMITS[y_type])
    y.check(np.broadcast_to(value, shape).astype(y.dtype))


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
    operands = {"x": (x, x_stride), "y": (y, y.strides)}
    args = h.walk_over(copy_args, shape, operands, cores, rng)
    h.run(kernels("copy", MOVE, variant), f"move_{type_}", args, cores, rng)
    y.check(x.view())


@settings(settings.get_profile("kernels"))
@given(
    shape=SHAPES,
    gap=st.sampled_from([0, 4]),
    order=st.permutations(range(5)),
    first=st.integers(0, 3),
    cores=st.integers(1, 8),
    seed=st.integers(0, 2**32 - 1),
)
def test_copy_of_words(kernels, variant, shape, gap, order, first, cores, seed):
    """Four bytes that stay together, wherever the first one lies."""
    rng = np.random.default_rng(seed)
    shape = (*shape[:-1], 4 * shape[-1])
    strides = strides_of(shape, (0, 0, 0, gap, 0, 0), (*order, 5))
    x = h.Operand(0, np.int8, (*shape[:-1], shape[-1] + 4), strides, rng)
    y = h.Operand(1, np.int8, shape, strides_of(shape), rng)
    walk = Walk.over(shape, (strides, y.strides)).grouped(4)
    assert walk is not None
    args = h.walked(copy_args, walk, cores, rng, ("x_stride", "y_stride"))
    args.x, args.y = x.address + first, y.address
    h.run(kernels("copy", MOVE, variant), "move_b4", args, cores, rng)
    y.check(x.view()[..., first : first + shape[-1]])


def test_grouping():
    walk = Walk.over((3, 2, 4), ((4, 12, 1), (8, 4, 1)))
    assert walk.grouped(4) == Walk((3, 2), ((1, 3), (2, 1)))
    assert walk.grouped(2) == Walk((3, 2, 2), ((2, 6, 1), (4, 2, 1)))
    assert walk.grouped(8) is None
    assert Walk.over((2, 4), ((6, 1),)).grouped(4) is None
    assert Walk.over((2, 4), ((8, 2),)).grouped(4) is None
    assert Walk.over((1, 1), ((0, 0),)).grouped(2) is None


def test_merging():
    # 3 rows of 4 in 5: the innermost two dimensions merge, the broadcast one does not
    walk = Walk.over((2, 3, 2, 2), ((15, 5, 2, 1), (0, 4, 2, 1)))
    assert walk == Walk((2, 3, 4), ((15, 5, 1), (0, 4, 1)))
    assert walk.rank == 6
    assert Walk.over((2, 3, 4), ((12, 4, 1),)) == Walk((24,), ((1,),))
    assert Walk.over((2, 3, 4), ((12, 4, 1),), keep_last=True) == Walk((6, 4), ((4, 1),))
    # an extent that is known at run time only: outside it merges, inside it need not fit
    assert Walk.over(("n", 4), ((4, 1),)) == Walk(("(n) * (4)",), ((1,),))
    assert Walk.over((2, "n"), ((4, 1),)).extents == (2, "n")
    assert Walk.over((1, 1), ((0, 0),)).fields(("x",), 8)["dim"] == "{1, 1}"


@given(st.integers(0, 40), st.integers(0, 600), st.integers(1, 8))
def test_shares(rows, columns, cores):
    """Together the cores take everything, whichever dimension they divide."""
    parts = shares(rows, columns, cores)
    assert 0 in parts or rows * columns == 0
    for count, part in zip((rows, columns), parts, strict=True):
        assert part == 0 or part * cores >= count


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
