# SPDX-License-Identifier: Apache-2.0
import ctypes
from ctypes import c_int32, c_uint32, c_void_p

import harness as h
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_conv2d import convolve, geometries

INSTANCES = [
    (f"dw_{x}_{y}", {"X_T": h.CTYPE[x], "Y_T": h.CTYPE[y]})
    for x in ("u8", "s8")
    for y in ("s8", "u8", "s32")
]


class Args(ctypes.Structure):
    _fields_ = [
        *h.fields("x w y", c_void_p),
        *h.fields("in_h in_w channels out_h out_w k_h k_w", c_uint32),
        *h.fields("stride_h stride_w dil_h dil_w", c_uint32),
        *h.fields("pad_top pad_left x_row x_pix y_row y_pix", c_int32),
        *h.fields("w_tap", c_uint32),
        ("rq", h.Requant),
    ]


def check(library, types, g, c, gaps, cores, flags, seed):
    rng = np.random.default_rng(seed)
    _, x_type, y_type = types.split("_")
    x_pix, y_pix = c + gaps[0], c + gaps[1]
    x_row, y_row = x_pix * g["in_w"] + gaps[2], y_pix * g["out_w"] + gaps[3]
    x_shape, y_shape = (g["in_h"], g["in_w"], c), (g["out_h"], g["out_w"], c)
    x = h.Operand(0, h.DTYPE[x_type], x_shape, (x_row, x_pix, 1), rng, flags[2])
    w_shape = (g["k_h"], g["k_w"], c)
    w_tap = c + gaps[0]
    w = h.Operand(1, np.int8, w_shape, (g["k_w"] * w_tap, w_tap, 1), rng, flags[2])
    y = h.Operand(2, h.DTYPE[y_type], y_shape, (y_row, y_pix, 1), rng)
    spread = 128 * 128 * (g["k_h"] * g["k_w"]) ** 0.5
    scaling = h.Scaling(rng, c, y_type, spread, flags[:2])
    strides = dict(x_row=x_row, x_pix=x_pix, y_row=y_row, y_pix=y_pix, w_tap=w_tap)
    args = Args(x.address, w.address, y.address, channels=c, rq=scaling.struct(), **strides, **g)
    h.run(library, types, args, cores, rng)
    weights = w.view().transpose(2, 0, 1)[..., None]
    y.check(scaling.apply(convolve(x.view(), weights, g, c)))


@settings(settings.get_profile("kernels"))
@given(
    g=geometries(),
    number=st.integers(0, 99),
    channels=st.integers(1, 40),
    gaps=st.tuples(*[st.sampled_from([0, 0, 3])] * 4),
    cores=st.integers(1, 8),
    flags=st.tuples(*[st.booleans()] * 3),
    seed=st.integers(0, 2**32 - 1),
)
def test_depthwise2d(kernels, variant, g, number, channels, gaps, cores, flags, seed):
    library = kernels("depthwise2d", INSTANCES, variant)
    types = h.pick(INSTANCES, variant, number)
    check(library, types, g, channels, gaps, cores, flags, seed)


@pytest.mark.parametrize("size", [8, 9])
def test_large_windows(kernels, variant, size):
    """As many taps as the tables hold, and more."""
    g = dict(k_h=size, k_w=size, stride_h=1, stride_w=2, dil_h=1, dil_w=1, in_h=9, in_w=9)
    g |= dict(out_h=3, out_w=3, pad_top=2, pad_left=1)
    library = kernels("depthwise2d", INSTANCES, variant)
    check(library, h.pick(INSTANCES, variant, 3), g, 19, (0, 0, 0, 0), 2, (True, True, True), 5)
