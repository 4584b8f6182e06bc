# SPDX-License-Identifier: Apache-2.0
import operator

import harness as h
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from test_elementwise import FLAGS6, GAPS, SHAPES, broadcast, operand, strides_of

COMPARISONS = {"==": operator.eq, "<": operator.lt, "<=": operator.le, "!=": operator.ne}
PAIRS = [("s8", "s8"), ("u8", "s32"), ("s32", "s8"), ("s32", "s32"), ("f32", "f32")]
COMPARE = [
    (
        f"compare_{list(COMPARISONS).index(symbol)}_{a}_{b}",
        {"A_T": h.CTYPE[a], "B_T": h.CTYPE[b], "OP(a, b)": f"((a) {symbol} (b))"},
    )
    for symbol in COMPARISONS
    for a, b in PAIRS
]
SELECT = [(f"select_{t}", {"T": h.CTYPE[t]}) for t in ("b1", "b2", "b4")]
THREE = st.tuples(FLAGS6, FLAGS6, FLAGS6)
GAPS4 = st.tuples(GAPS, GAPS, GAPS, GAPS)


def compare_args(rank):
    return h.walking("a b y", rank, "a_stride b_stride y_stride", [])


def select_args(rank):
    return h.walking("c a b y", rank, "c_stride a_stride b_stride y_stride", [])


def few_values(memory, rng):
    """Numbers of which many are equal, and NaN among floats."""
    memory.flat[:] = rng.integers(0, 3, memory.count)
    if memory.dtype.kind == "f":
        memory.flat[rng.integers(0, 4, memory.count) == 0] = np.nan
    memory.before = memory.flat.copy()


@settings(settings.get_profile("kernels"))
@given(
    number=st.integers(0, 99),
    shape=SHAPES,
    gaps=GAPS4,
    ones=THREE,
    few=st.booleans(),
    cores=st.integers(1, 8),
    seed=st.integers(0, 2**32 - 1),
)
def test_compare(kernels, variant, number, shape, gaps, ones, few, cores, seed):
    rng = np.random.default_rng(seed)
    name = h.pick(COMPARE, variant, number)
    _, symbol, a_type, b_type = name.split("_")
    a, a_stride = operand(0, h.DTYPE[a_type], broadcast(shape, ones[0]), gaps[0], rng)
    b, b_stride = operand(1, h.DTYPE[b_type], broadcast(shape, ones[1]), gaps[1], rng)
    if few:
        few_values(a, rng)
        few_values(b, rng)
    y = h.Operand(2, np.uint8, shape, strides_of(shape, gaps[2]), rng)
    operands = {"a": (a, a_stride), "b": (b, b_stride), "y": (y, y.strides)}
    args = h.walk_over(compare_args, shape, operands, cores, rng)
    h.run(kernels("compare", COMPARE, variant), name, args, cores, rng)
    compare = list(COMPARISONS.values())[int(symbol)]
    y.check(np.broadcast_to(compare(a.view(), b.view()), shape))


@settings(settings.get_profile("kernels"))
@given(
    number=st.integers(0, 99),
    shape=SHAPES,
    gaps=GAPS4,
    ones=THREE,
    cores=st.integers(1, 8),
    seed=st.integers(0, 2**32 - 1),
)
def test_select(kernels, variant, number, shape, gaps, ones, cores, seed):
    rng = np.random.default_rng(seed)
    name = h.pick(SELECT, variant, number)
    dtype = h.DTYPE[name.split("_")[1]]
    c, c_stride = operand(0, np.uint8, broadcast(shape, ones[0]), gaps[0], rng)
    few_values(c, rng)
    a, a_stride = operand(1, dtype, broadcast(shape, ones[1]), gaps[1], rng)
    b, b_stride = operand(2, dtype, broadcast(shape, ones[2]), gaps[2], rng)
    y = h.Operand(3, dtype, shape, strides_of(shape, gaps[3]), rng)
    operands = {"c": (c, c_stride), "a": (a, a_stride), "b": (b, b_stride), "y": (y, y.strides)}
    args = h.walk_over(select_args, shape, operands, cores, rng)
    h.run(kernels("select", SELECT, variant), name, args, cores, rng)
    y.check(np.broadcast_to(np.where(c.view(), a.view(), b.view()), shape))
