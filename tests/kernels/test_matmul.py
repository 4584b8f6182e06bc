# SPDX-License-Identifier: Apache-2.0
import ctypes
from ctypes import c_int32, c_uint32, c_void_p

import harness as h
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

INSTANCES = [
    (f"matmul_{a}_{b}_{y}", {"A_T": h.CTYPE[a], "B_T": h.CTYPE[b], "Y_T": h.CTYPE[y]})
    for a in ("u8", "s8")
    for b in ("u8", "s8")
    for y in ("s8", "u8", "s32")
]


class Args(ctypes.Structure):
    _fields_ = [
        *h.fields("a b y", c_void_p),
        *h.fields("batch m k n", c_uint32),
        *h.fields("a_batch a_row b_batch b_row y_batch y_row", c_int32),
        *h.fields("b_transposed rq_per_row", c_uint32),
        ("rq", h.Requant),
    ]


@settings(settings.get_profile("kernels"))
@given(
    number=st.integers(0, 99),
    batch=st.integers(1, 3),
    m=st.integers(1, 9),
    k=st.integers(1, 16) | st.integers(17, 70),
    n=st.integers(1, 40),
    gaps=st.tuples(*[st.sampled_from([0, 0, 1, 5])] * 6),
    flags=st.tuples(*[st.booleans()] * 6),
    cores=st.integers(1, 8),
    seed=st.integers(0, 2**32 - 1),
)
def test_matmul(kernels, variant, number, batch, m, k, n, gaps, flags, cores, seed):
    rng = np.random.default_rng(seed)
    _, a_type, b_type, y_type = h.pick(INSTANCES, variant, number).split("_")
    size = (batch, m, k, n)
    transposed, per_row, mul_given, add_given, repeat_b, at_end = flags
    a_row, y_row = k + gaps[0], n + gaps[1]
    b_shape = (n, k) if transposed else (k, n)
    b_row = b_shape[1] + gaps[2]
    a_batch, y_batch = m * a_row + gaps[3], m * y_row + gaps[4]
    b_batch = 0 if repeat_b else b_shape[0] * b_row + gaps[5]
    a = h.Operand(0, h.DTYPE[a_type], (batch, m, k), (a_batch, a_row, 1), rng, at_end)
    b = h.Operand(1, h.DTYPE[b_type], (batch, *b_shape), (b_batch, b_row, 1), rng, at_end)
    y = h.Operand(2, h.DTYPE[y_type], (batch, m, n), (y_batch, y_row, 1), rng)
    channels = m if per_row else n
    scaling = h.Scaling(rng, channels, y_type, 128 * 128 * k**0.5, (mul_given, add_given))
    strides = (a_batch, a_row, b_batch, b_row, y_batch, y_row)
    args = Args(a.address, b.address, y.address, *size, *strides, transposed, per_row)
    args.rq = scaling.struct()
    h.run(
        kernels("matmul", INSTANCES, variant), h.pick(INSTANCES, variant, number), args, cores, rng
    )
    right = b.view().astype(np.int64)
    acc = a.view().astype(np.int64) @ (right.swapaxes(1, 2) if transposed else right)
    y.check(scaling.apply(acc, along_rows=per_row))


SCALE = {
    "plain": "(v)",
    "scaled": "dpl_clamp(dpl_scaled(v, &(p)->scale), -900, 1000)",
    "rounded": "dpl_clamp(dpl_scaled_short(v, &(p)->scale, 64, 7), -900, 1000)",
}
SUM = {"clamped": "dpl_clamp(v, {}, {})", "scaled": "dpl_clamp(dpl_scaled(v, &(p)->sum), {}, {})"}
ADDING = [
    (
        f"matmul_add_{a}_{b}_{d}_{y}_{scale}_{sums}_{k}",
        {
            "A_T": h.CTYPE[a], "B_T": h.CTYPE[b], "D_T": h.CTYPE[d], "Y_T": h.CTYPE[y], "K": k,
            "SCALE(v, p)": SCALE[scale], "STORE(v, p)": SUM[sums].format(*h.LIMITS[y]),
        },
    )
    for a, b, d, y, scale, sums, k in [
        ("s8", "s8", "s8", "s8", "rounded", "clamped", 4),
        ("s8", "s8", "s8", "s8", "scaled", "clamped", 0),
        ("u8", "s8", "u8", "s8", "plain", "scaled", 7),
        ("u8", "s8", "s32", "u8", "scaled", "scaled", 16),
        ("s8", "u8", "s32", "u8", "plain", "clamped", 1),
        ("u8", "u8", "u8", "s8", "scaled", "scaled", 0),
    ]
]  # fmt: skip


class Factors(ctypes.Structure):
    _fields_ = h.fields("mul add shift", c_int32)


class AddArgs(ctypes.Structure):
    _fields_ = [
        ("product", Args),
        ("addend", c_void_p),
        *h.fields("addend_batch addend_row", c_int32),
        ("scale", Factors),
        ("sum", Factors),
    ]


@settings(settings.get_profile("kernels"))
@given(
    number=st.integers(0, 99),
    batch=st.integers(1, 4),
    m=st.integers(1, 2) | st.integers(1, 9),
    k=st.integers(17, 70),
    n=st.integers(1, 40),
    gaps=st.tuples(*[st.sampled_from([0, 0, 1, 5])] * 8),
    flags=st.tuples(*[st.booleans()] * 4),
    cores=st.integers(1, 8),
    seed=st.integers(0, 2**32 - 1),
)
def test_matmul_add(kernels, variant, number, batch, m, k, n, gaps, flags, cores, seed):
    rng = np.random.default_rng(seed)
    name = h.pick(ADDING, variant, number)
    *_, a_type, b_type, d_type, y_type, scale, sums, terms = name.split("_")
    k = int(terms) or k
    transposed, same_matrix, same_row, at_end = flags
    a_row, y_row, d_row = k + gaps[0], n + gaps[1], 0 if same_row else n + gaps[6]
    b_shape = (n, k) if transposed else (k, n)
    b_row = b_shape[1] + gaps[2]
    a_batch, y_batch, b_batch = m * a_row + gaps[3], m * y_row + gaps[4], b_shape[0] * b_row
    d_batch = 0 if same_matrix else (1 if same_row else m) * (n + gaps[6]) + gaps[7]
    a = h.Operand(0, h.DTYPE[a_type], (batch, m, k), (a_batch, a_row, 1), rng, at_end)
    b = h.Operand(1, h.DTYPE[b_type], (batch, *b_shape), (b_batch, b_row, 1), rng, at_end)
    y = h.Operand(2, h.DTYPE[y_type], (batch, m, n), (y_batch, y_row, 1), rng)
    addend = h.Operand(3, h.DTYPE[d_type], (batch, m, n), (d_batch, d_row, 1), rng, at_end)
    scaling = h.Scaling(rng, n, y_type, 128 * 128 * k**0.5, (False, False))
    numbers = [[int(v) for v in rng.integers(-(2**14), 2**14, 2)] for _ in range(2)]
    shifts = [int(v) for v in rng.integers(0, 20, 2)]
    if scale == "rounded":
        numbers[0][1], shifts[0] = 64, 7
    args = AddArgs(
        Args(a.address, b.address, y.address, batch, m, k, n, a_batch, a_row, b_batch, b_row,
             y_batch, y_row, transposed, 0, scaling.struct()),
        addend.address, d_batch, d_row,
        Factors(*numbers[0], shifts[0]), Factors(*numbers[1], shifts[1]),
    )  # fmt: skip
    h.run(kernels("matmul_add", ADDING, variant), name, args, cores, rng)
    right = b.view().astype(np.int64)
    product = scaling.apply(
        a.view().astype(np.int64) @ (right.swapaxes(1, 2) if transposed else right)
    )
    if scale != "plain":
        product = h.requant(product, *numbers[0], shifts[0], -900, 1000)
    total = h.wrap(product.astype(np.int64) + addend.view())
    if sums == "scaled":
        y.check(h.requant(total, *numbers[1], shifts[1], *h.LIMITS[y_type]))
    else:
        y.check(np.clip(total, *h.LIMITS[y_type]))
