# SPDX-License-Identifier: Apache-2.0
import ctypes
from ctypes import c_int32, c_uint32, c_void_p

import harness as h
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from test_elementwise import GAPS, SHAPES, strides_of

from deeploy.engines.cluster.walk import Walk

U6, I6 = c_uint32 * 6, c_int32 * 6
GATHER = [
    (f"gather_{t}_{i}", {"T": h.CTYPE[t], "INDEX_T": h.CTYPE[i]})
    for t in ("b1", "b2", "b4")
    for i in ("s8", "u8", "s32")
]
WORST = {"max": "INT32_MIN", "min": "INT32_MAX"}
ARG = [
    (
        f"arg_{kind}_{last}_{x}",
        {
            "X_T": h.CTYPE[x],
            "BEST_T": "float" if x == "f32" else "int32_t",
            "WORST": {"max": "(-DPL_INFINITY)", "min": "DPL_INFINITY"}[kind]
            if x == "f32"
            else WORST[kind],
            "BETTER(a, b)": f"((a) {'>' if kind == 'max' else '<'}{'=' * last} (b))",
        },
    )
    for kind in WORST
    for last in (0, 1)
    for x in ("s8", "u8", "s32", "f32")
]


class GatherArgs(ctypes.Structure):
    _fields_ = [
        *h.fields("x index y", c_void_p),
        *h.fields("outer count columns rows", c_uint32),
        *h.fields("x_outer x_row y_outer y_row", c_int32),
    ]


class ArgReduceArgs(ctypes.Structure):
    _fields_ = [
        *h.fields("x y", c_void_p),
        ("dim", U6),
        *h.fields("x_stride y_stride", I6),
        ("n", c_uint32),
        ("step", c_int32),
    ]


@settings(settings.get_profile("kernels"))
@given(
    number=st.integers(0, 99),
    outer=st.integers(1, 3),
    rows=st.integers(1, 9),
    count=st.integers(1, 20),
    columns=st.integers(1, 40),
    gaps=st.tuples(*[st.integers(0, 3)] * 4),
    cores=st.integers(1, 8),
    seed=st.integers(0, 2**32 - 1),
)
def test_gather(kernels, variant, number, outer, rows, count, columns, gaps, cores, seed):
    rng = np.random.default_rng(seed)
    name = h.pick(GATHER, variant, number)
    _, type_, index_type = name.split("_")
    x_row, y_row = columns + gaps[0], columns + gaps[1]
    x_strides = (rows * x_row + gaps[2], x_row, 1)
    y_strides = (count * y_row + gaps[3], y_row, 1)
    x = h.Operand(0, h.DTYPE[type_], (outer, rows, columns), x_strides, rng)
    index = h.Operand(1, h.DTYPE[index_type], (count,), (1,), rng)  # any number
    y = h.Operand(2, h.DTYPE[type_], (outer, count, columns), y_strides, rng)
    args = GatherArgs(x.address, index.address, y.address, outer, count, columns, rows)
    args.x_outer, args.x_row = x_strides[:2]
    args.y_outer, args.y_row = y_strides[:2]
    h.run(kernels("gather", GATHER, variant), name, args, cores, rng)
    y.check(x.view()[:, index.view().astype(np.int64) % rows])


@settings(settings.get_profile("kernels"))
@given(
    number=st.integers(0, 99),
    shape=SHAPES,
    axis=st.integers(0, 5),
    gaps=st.tuples(GAPS, GAPS),
    few=st.booleans(),
    cores=st.integers(1, 8),
    seed=st.integers(0, 2**32 - 1),
)
def test_arg_reduce(kernels, variant, number, shape, axis, gaps, few, cores, seed):
    rng = np.random.default_rng(seed)
    name = h.pick(ARG, variant, number)
    _, kind, last, type_ = name.split("_")
    x = h.Operand(0, h.DTYPE[type_], shape, strides_of(shape, gaps[0]), rng)
    if few:  # so that several are the best
        x.flat[:] = rng.integers(0, 3, x.count)
    out = [1 if i == axis else n for i, n in enumerate(shape)]
    y = h.Operand(1, np.int32, out, strides_of(out, gaps[1]), rng)
    walk = Walk.over(out, (x.strides, y.strides))
    strides = [I6(*h.padded(own, 0)) for own in walk.strides]
    args = ArgReduceArgs(x.address, y.address, U6(*h.padded(walk.extents, 1)), *strides)
    args.n, args.step = shape[axis], x.strides[axis]
    h.run(kernels("arg_reduce", ARG, variant), name, args, cores, rng)
    values = h.wide(x.view()) * (1 if kind == "max" else -1)
    if last == "1":
        expected = shape[axis] - 1 - np.flip(values, axis).argmax(axis, keepdims=True)
    else:
        expected = values.argmax(axis, keepdims=True)
    y.check(expected)
