# SPDX-License-Identifier: Apache-2.0
"""Products of floats, element-wise arithmetic on them, and reductions of all types."""

import ctypes
from ctypes import c_int32, c_uint32, c_void_p

import harness as h
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from test_conv2d import convolve, geometries
from test_elementwise import FLAGS6, GAPS, I6, SHAPES, U6, broadcast, operand, strides_of

from deeploy.engines.cluster.walk import Walk


class MatmulArgs(ctypes.Structure):
    _fields_ = [
        *h.fields("a b y add", c_void_p),
        *h.fields("batch m k n", c_uint32),
        *h.fields("a_batch a_row b_batch b_row y_batch y_row", c_int32),
        ("b_transposed", c_uint32),
    ]


class ConvArgs(ctypes.Structure):
    _fields_ = [
        *h.fields("x w y add", c_void_p),
        *h.fields("in_h in_w in_c out_h out_w out_c k_h k_w", c_uint32),
        *h.fields("stride_h stride_w dil_h dil_w", c_uint32),
        *h.fields("pad_top pad_left", c_int32),
        ("groups", c_uint32),
        *h.fields("x_row x_pix y_row y_pix", c_int32),
    ]


class DepthwiseArgs(ctypes.Structure):
    _fields_ = [
        *h.fields("x w y add", c_void_p),
        *h.fields("in_h in_w channels out_h out_w k_h k_w", c_uint32),
        *h.fields("stride_h stride_w dil_h dil_w", c_uint32),
        *h.fields("pad_top pad_left x_row x_pix y_row y_pix", c_int32),
        ("w_tap", c_uint32),
    ]


def binary_args(rank):
    return h.walking("a b y", rank, "a_stride b_stride y_stride", [])


class ReduceArgs(ctypes.Structure):
    _fields_ = [
        *h.fields("x y", c_void_p),
        *h.fields("dim over", U6),
        *h.fields("x_stride y_stride over_stride", I6),
    ]


def bias(fence, count, rng, given_):
    """A vector, or zeros for the reference and NULL for the kernel."""
    if not given_:
        return np.zeros(count), None
    vector = h.fenced(fence, rng.normal(0, 2, count).astype("f"))
    return vector.flat, vector.address


@settings(settings.get_profile("kernels"))
@given(
    size=st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 70), st.integers(1, 70)),
    gaps=st.tuples(*[st.sampled_from([0, 0, 1, 5])] * 6),
    flags=st.tuples(*[st.booleans()] * 4),
    cores=st.integers(1, 8),
    seed=st.integers(0, 2**32 - 1),
)
def test_matmul(kernels, variant, size, gaps, flags, cores, seed):
    rng = np.random.default_rng(seed)
    batch, m, k, n = size
    transposed, add_given, repeat_b, at_end = flags
    a_row, y_row = k + gaps[0], n + gaps[1]
    b_shape = (n, k) if transposed else (k, n)
    b_row = b_shape[1] + gaps[2]
    a_batch, y_batch = m * a_row + gaps[3], m * y_row + gaps[4]
    b_batch = 0 if repeat_b else b_shape[0] * b_row + gaps[5]
    a = h.Operand(0, "f", (batch, m, k), (a_batch, a_row, 1), rng, at_end)
    b = h.Operand(1, "f", (batch, *b_shape), (b_batch, b_row, 1), rng, at_end)
    y = h.Operand(2, "f", (batch, m, n), (y_batch, y_row, 1), rng)
    add, address = bias(3, n, rng, add_given)
    strides = (a_batch, a_row, b_batch, b_row, y_batch, y_row)
    args = MatmulArgs(a.address, b.address, y.address, address, *size, *strides, transposed)
    h.run(kernels("matmul_f32", [("matmul", {})], variant), "matmul", args, cores, rng)
    left, right = h.wide(a.view()), h.wide(b.view())
    right = right.swapaxes(1, 2) if transposed else right
    y.check_near(left @ right + add, 1e-6, np.abs(left) @ np.abs(right))


@settings(settings.get_profile("kernels"))
@given(
    g=geometries(),
    channels=st.tuples(st.integers(1, 40), st.integers(1, 20)),
    groups=st.sampled_from([1, 1, 1, 2, 3]),
    gaps=st.tuples(*[st.sampled_from([0, 0, 3])] * 4),
    cores=st.integers(1, 8),
    flags=st.tuples(st.booleans(), st.booleans()),
    seed=st.integers(0, 2**32 - 1),
)
def test_conv2d(kernels, variant, g, channels, groups, gaps, cores, flags, seed):
    rng = np.random.default_rng(seed)
    in_c, out_c = channels[0] * groups, channels[1] * groups
    x_pix, y_pix = in_c + gaps[0], out_c + gaps[1]
    x_row, y_row = x_pix * g["in_w"] + gaps[2], y_pix * g["out_w"] + gaps[3]
    x = h.Operand(0, "f", (g["in_h"], g["in_w"], in_c), (x_row, x_pix, 1), rng, flags[1])
    w_shape = (out_c, g["k_h"], g["k_w"], channels[0])
    k = int(np.prod(w_shape[1:]))
    w = h.Operand(1, "f", w_shape, (k, k // g["k_h"], channels[0], 1), rng, flags[1])
    y = h.Operand(2, "f", (g["out_h"], g["out_w"], out_c), (y_row, y_pix, 1), rng)
    add, address = bias(3, out_c, rng, flags[0])
    sizes = dict(in_c=in_c, out_c=out_c, groups=groups)
    strides = dict(x_row=x_row, x_pix=x_pix, y_row=y_row, y_pix=y_pix)
    args = ConvArgs(x.address, w.address, y.address, address, **sizes, **strides, **g)
    h.run(kernels("conv2d_f32", [("conv", {})], variant), "conv", args, cores, rng)
    terms = convolve(np.abs(x.view()), np.abs(w.view()), g, groups)
    y.check_near(convolve(x.view(), w.view(), g, groups) + add, 1e-6, terms)


@settings(settings.get_profile("kernels"))
@given(
    g=geometries(),
    c=st.integers(1, 40),
    gaps=st.tuples(*[st.sampled_from([0, 0, 3])] * 5),
    cores=st.integers(1, 8),
    flags=st.tuples(st.booleans(), st.booleans()),
    seed=st.integers(0, 2**32 - 1),
)
def test_depthwise2d(kernels, variant, g, c, gaps, cores, flags, seed):
    rng = np.random.default_rng(seed)
    x_pix, y_pix, w_tap = c + gaps[0], c + gaps[1], c + gaps[4]
    x_row, y_row = x_pix * g["in_w"] + gaps[2], y_pix * g["out_w"] + gaps[3]
    x = h.Operand(0, "f", (g["in_h"], g["in_w"], c), (x_row, x_pix, 1), rng, flags[1])
    w_strides = (g["k_w"] * w_tap, w_tap, 1)
    w = h.Operand(1, "f", (g["k_h"], g["k_w"], c), w_strides, rng, flags[1])
    y = h.Operand(2, "f", (g["out_h"], g["out_w"], c), (y_row, y_pix, 1), rng)
    add, address = bias(3, c, rng, flags[0])
    strides = dict(x_row=x_row, x_pix=x_pix, y_row=y_row, y_pix=y_pix, w_tap=w_tap)
    args = DepthwiseArgs(x.address, w.address, y.address, address, channels=c, **strides, **g)
    h.run(kernels("depthwise2d_f32", [("dw", {})], variant), "dw", args, cores, rng)
    weights = w.view().transpose(2, 0, 1)[..., None]
    terms = convolve(np.abs(x.view()), np.abs(weights), g, c)
    y.check_near(convolve(x.view(), weights, g, c) + add, 1e-6, terms)


OPS = {
    "add": ("(a) + (b)", np.add),
    "sub": ("(a) - (b)", np.subtract),
    "mul": ("(a) * (b)", np.multiply),
    "div": ("(a) / (b)", np.divide),
    "pow": ("dpl_pow(a, b)", np.power),
    "min": ("dpl_fmin(a, b)", np.minimum),
    "max": ("dpl_fmax(a, b)", np.maximum),
}
BINARY = [(f"binary_{op}", {"OP(a, b)": text}) for op, (text, _) in OPS.items()]


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
    a, a_stride = operand(0, "f", broadcast(shape, ones[0]), gaps[0], rng)
    b, b_stride = operand(1, "f", broadcast(shape, ones[1]), gaps[1], rng)
    if name == "binary_pow":
        a.flat[:] = np.abs(a.flat) + 0.1
    if name == "binary_div":
        b.flat[:] = np.copysign(np.abs(b.flat) + 0.1, b.flat)
    y = h.Operand(2, "f", shape, strides_of(shape, gaps[2]), rng)
    operands = {"a": (a, a_stride), "b": (b, b_stride), "y": (y, y.strides)}
    args = h.walk_over(binary_args, shape, operands, cores, rng)
    h.run(kernels("binary_f32", BINARY, variant), name, args, cores, rng)
    result = OPS[name.split("_")[1]][1](h.wide(a.view()), h.wide(b.view()))
    y.check_near(np.broadcast_to(result, shape), 4e-6 if name == "binary_pow" else 1e-6)


def reduction(kind, x, y):
    """The macros of an instance."""
    types = {"X_T": h.CTYPE[x], "Y_T": h.CTYPE[y]}
    if kind in ("max", "min"):
        accumulator, sign = "float" if x == "f32" else "int32_t", ">" if kind == "max" else "<"
        step, end = f"((v) {sign} (s) ? (v) : (s))", "s"
    else:
        wide = "float" if x == "f32" else "uint32_t"
        if kind == "mean" and x != "f32":
            wide = "int64_t" if x == "s32" else "int32_t"
        mean = {"float": "(s) / (float)(n)", "int64_t": "dpl_mean_wide(s, n)"}
        accumulator, step = wide, "(s) + (v)"
        end = mean.get(wide, "dpl_mean(s, n)") if kind == "mean" else "s"
    start = "v" if kind in ("max", "min") else "0"
    macros = {"ACC_T": accumulator, "START(v)": start, "STEP(s, v)": step, "END(s, n)": end}
    return (f"reduce_{kind}_{x}_{y}", types | macros)


REDUCE = [
    reduction(kind, x, y)
    for kind in ("sum", "mean", "max", "min")
    for x, y in [("f32", "f32"), ("s8", "s8"), ("u8", "u8"), ("s32", "s32"), ("s8", "s32")]
]


@settings(settings.get_profile("kernels"))
@given(
    number=st.integers(0, 99),
    shape=SHAPES,
    gaps=st.tuples(GAPS, GAPS),
    flags=FLAGS6,
    cores=st.integers(1, 8),
    seed=st.integers(0, 2**32 - 1),
)
def test_reduce(kernels, variant, number, shape, gaps, flags, cores, seed):
    rng = np.random.default_rng(seed)
    name = h.pick(REDUCE, variant, number)
    _, kind, x_type, y_type = name.split("_")
    x, x_stride = operand(0, h.DTYPE[x_type], shape, gaps[0], rng)
    over = [n if flag else 1 for n, flag in zip(shape, flags, strict=True)]
    kept = broadcast(shape, flags)
    y = h.Operand(1, h.DTYPE[y_type], kept, strides_of(kept, gaps[1]), rng)
    results, terms = Walk.over(kept, (x_stride, y.strides)), Walk.over(over, (x_stride,))
    extents = U6(*h.padded(results.extents, 1)), U6(*h.padded(terms.extents, 1))
    strides = [I6(*h.padded(own, 0)) for own in (*results.strides, *terms.strides)]
    args = ReduceArgs(x.address, y.address, *extents, *strides)
    h.run(kernels("reduce", REDUCE, variant), name, args, cores, rng)
    axes, values, n = tuple(np.flatnonzero(flags)), h.wide(x.view()), int(np.prod(over))
    if kind == "mean":
        total = values.sum(axis=axes, keepdims=True)
        result = total / n if x_type == "f32" else (2 * total + n) // (2 * n)
    else:
        result = getattr(np, kind)(values, axis=axes, keepdims=True)
    if x_type == "f32":
        y.check_near(result, 1e-6, np.abs(values).sum(axis=axes, keepdims=True))
    else:
        y.check(result.astype(y.dtype))
