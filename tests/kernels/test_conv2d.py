# SPDX-License-Identifier: Apache-2.0
import ctypes
from ctypes import c_int32, c_uint32, c_void_p

import harness as h
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

INSTANCES = [
    (f"conv_{x}_{y}", {"X_T": h.CTYPE[x], "Y_T": h.CTYPE[y]})
    for x in ("u8", "s8")
    for y in ("s8", "u8", "s32")
]


class Args(ctypes.Structure):
    _fields_ = [
        *h.fields("x w y scratch", c_void_p),
        *h.fields("scratch_stride in_h in_w in_c out_h out_w out_c k_h k_w", c_uint32),
        *h.fields("stride_h stride_w dil_h dil_w", c_uint32),
        *h.fields("pad_top pad_left", c_int32),
        ("groups", c_uint32),
        *h.fields("x_row x_pix y_row y_pix", c_int32),
        ("rq", h.Requant),
    ]


@st.composite
def geometries(draw):
    small = st.integers(1, 4)
    g = {name: draw(small) for name in ("k_h", "k_w", "stride_h", "stride_w", "dil_h", "dil_w")}
    if draw(st.booleans()):
        g |= {"dil_h": 1, "dil_w": 1}
    if draw(st.integers(0, 3)) == 0:
        g |= {"k_h": 1, "k_w": 1}
    g["in_h"], g["in_w"] = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    g["out_h"], g["out_w"] = draw(st.integers(1, 7)), draw(st.integers(1, 7))
    pads = st.sampled_from([0, 0, 0, 1, 2, 4])
    g["pad_top"], g["pad_left"] = draw(pads), draw(pads)
    if draw(st.booleans()):  # large enough for all windows, but for padding at the top and left
        for d in "hw":
            span = (g[f"out_{d}"] - 1) * g[f"stride_{d}"] + (g[f"k_{d}"] - 1) * g[f"dil_{d}"]
            g[f"in_{d}"] = max(g[f"in_{d}"], span + 1)
    return g


def convolve(x, w, g, groups):
    """Plain reference: one output pixel at a time."""
    x, w = h.wide(x), h.wide(w)
    channels, per_group = w.shape[3], w.shape[0] // groups
    y = np.zeros((g["out_h"], g["out_w"], w.shape[0]), x.dtype)
    for oy, ox, ky, kx in np.ndindex(g["out_h"], g["out_w"], g["k_h"], g["k_w"]):
        iy = oy * g["stride_h"] + ky * g["dil_h"] - g["pad_top"]
        ix = ox * g["stride_w"] + kx * g["dil_w"] - g["pad_left"]
        if 0 <= iy < g["in_h"] and 0 <= ix < g["in_w"]:
            for n in range(groups):
                out = slice(n * per_group, (n + 1) * per_group)
                y[oy, ox, out] += w[out, ky, kx] @ x[iy, ix, n * channels : (n + 1) * channels]
    return y


@settings(settings.get_profile("kernels"))
@given(
    g=geometries(),
    number=st.integers(0, 99),
    channels=st.tuples(st.integers(1, 40), st.integers(1, 20)),
    groups=st.sampled_from([1, 1, 1, 2, 3]),
    gaps=st.tuples(*[st.sampled_from([0, 0, 3])] * 4),
    cores=st.integers(1, 8),
    flags=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    seed=st.integers(0, 2**32 - 1),
)
def test_conv2d(kernels, variant, g, number, channels, groups, gaps, cores, flags, seed):
    rng = np.random.default_rng(seed)
    _, x_type, y_type = h.pick(INSTANCES, variant, number).split("_")
    in_c, out_c = channels[0] * groups, channels[1] * groups
    x_pix, y_pix = in_c + gaps[0], out_c + gaps[1]
    x_row, y_row = x_pix * g["in_w"] + gaps[2], y_pix * g["out_w"] + gaps[3]
    x_shape, y_shape = (g["in_h"], g["in_w"], in_c), (g["out_h"], g["out_w"], out_c)
    x = h.Operand(0, h.DTYPE[x_type], x_shape, (x_row, x_pix, 1), rng, flags[2])
    w_shape = (out_c, g["k_h"], g["k_w"], channels[0])
    k = int(np.prod(w_shape[1:]))
    w_strides = (k, k // g["k_h"], channels[0], 1)
    w = h.Operand(1, np.int8, w_shape, w_strides, rng, flags[2])
    y = h.Operand(2, h.DTYPE[y_type], y_shape, (y_row, y_pix, 1), rng)
    scratch = h.Operand(3, np.uint8, (2 * k * cores,), (1,), rng)
    scaling = h.Scaling(rng, out_c, y_type, 128 * 128 * k**0.5, flags[:2])
    args = Args(
        x.address,
        w.address,
        y.address,
        scratch.address,
        2 * k,
        in_c=in_c,
        out_c=out_c,
        groups=groups,
        x_row=x_row,
        x_pix=x_pix,
        y_row=y_row,
        y_pix=y_pix,
        rq=scaling.struct(),
        **g,
    )
    if g["k_h"] == g["k_w"] == 1 and reads_no_padding(g):
        args.scratch, args.scratch_stride = None, 0
    h.run(
        kernels("conv2d", INSTANCES, variant), h.pick(INSTANCES, variant, number), args, cores, rng
    )
    y.check(scaling.apply(convolve(x.view(), w.view(), g, groups)))
    x.unchanged()


def reads_no_padding(g):
    rows = (g["out_h"] - 1) * g["stride_h"] - g["pad_top"] < g["in_h"]
    cols = (g["out_w"] - 1) * g["stride_w"] - g["pad_left"] < g["in_w"]
    return g["pad_top"] == g["pad_left"] == 0 and rows and cols


def test_long_vectors(kernels, variant):
    """More input channels than a panel takes."""
    rng = np.random.default_rng(1)
    g = dict(k_h=3, k_w=3, stride_h=1, stride_w=1, dil_h=1, dil_w=1, in_h=4, in_w=4)
    g |= dict(out_h=4, out_w=4, pad_top=1, pad_left=1)
    in_c, out_c, cores, k = 300, 5, 3, 2700
    x = h.Operand(0, np.uint8, (4, 4, in_c), (4 * in_c, in_c, 1), rng)
    w = h.Operand(1, np.int8, (out_c, 3, 3, in_c), (k, k // 3, in_c, 1), rng)
    y = h.Operand(2, np.int8, (4, 4, out_c), (4 * out_c, out_c, 1), rng)
    scratch = h.Operand(3, np.uint8, (2 * k * cores,), (1,), rng)
    scaling = h.Scaling(rng, out_c, "s8", 128 * 128 * k**0.5, (True, True))
    args = Args(
        x.address, w.address, y.address, scratch.address, 2 * k, rq=scaling.struct(), groups=1, **g
    )
    args.in_c, args.out_c, args.x_row, args.x_pix = in_c, out_c, 4 * in_c, in_c
    args.y_row, args.y_pix = 4 * out_c, out_c
    h.run(kernels("conv2d", INSTANCES, variant), "conv_u8_s8", args, cores, rng)
    y.check(scaling.apply(convolve(x.view(), w.view(), g, 1)))
