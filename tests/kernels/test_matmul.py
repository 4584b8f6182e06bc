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
