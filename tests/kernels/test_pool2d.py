# SPDX-License-Identifier: Apache-2.0
import ctypes
from ctypes import c_int32, c_uint32, c_void_p

import harness as h
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_conv2d import geometries

INSTANCES = [(f"pool_{t}", {"T": h.CTYPE[t]}) for t in ("u8", "s8", "s32", "f32")]


class Args(ctypes.Structure):
    _fields_ = [
        *h.fields("x y", c_void_p),
        *h.fields("in_h in_w channels out_h out_w k_h k_w", c_uint32),
        *h.fields("stride_h stride_w dil_h dil_w", c_uint32),
        *h.fields("pad_top pad_left x_row x_pix y_row y_pix", c_int32),
        ("count_include_pad", c_uint32),
    ]


def pool(x, g, family, include_pad):
    exact = x.dtype.kind != "f"
    least = np.iinfo(x.dtype).min if exact else -np.inf
    x = h.wide(x)
    y = np.zeros((g["out_h"], g["out_w"], x.shape[2]), x.dtype)
    for oy, ox in np.ndindex(g["out_h"], g["out_w"]):
        taps = []
        for ky, kx in np.ndindex(g["k_h"], g["k_w"]):
            iy = oy * g["stride_h"] + ky * g["dil_h"] - g["pad_top"]
            ix = ox * g["stride_w"] + kx * g["dil_w"] - g["pad_left"]
            if 0 <= iy < g["in_h"] and 0 <= ix < g["in_w"]:
                taps.append(x[iy, ix])
        if family == "max_pool2d":
            y[oy, ox] = np.max(taps, axis=0) if taps else least
        else:
            n = g["k_h"] * g["k_w"] if include_pad else max(len(taps), 1)
            mean = (2 * sum(taps) + n) // (2 * n) if exact else sum(taps) / n
            y[oy, ox] = mean if taps else 0
    return y


@pytest.mark.parametrize("family", ["max_pool2d", "avg_pool2d"])
@settings(settings.get_profile("kernels"))
@given(
    g=geometries(),
    number=st.integers(0, 99),
    channels=st.integers(1, 40),
    gaps=st.tuples(*[st.sampled_from([0, 0, 3])] * 4),
    include_pad=st.booleans(),
    cores=st.integers(1, 8),
    seed=st.integers(0, 2**32 - 1),
)
def test_pool2d(kernels, variant, family, g, number, channels, gaps, include_pad, cores, seed):
    rng = np.random.default_rng(seed)
    type_ = h.pick(INSTANCES, variant, number).split("_")[1]
    x_pix, y_pix = channels + gaps[0], channels + gaps[1]
    x_row, y_row = x_pix * g["in_w"] + gaps[2], y_pix * g["out_w"] + gaps[3]
    x_shape, y_shape = (g["in_h"], g["in_w"], channels), (g["out_h"], g["out_w"], channels)
    x = h.Operand(0, h.DTYPE[type_], x_shape, (x_row, x_pix, 1), rng)
    y = h.Operand(1, h.DTYPE[type_], y_shape, (y_row, y_pix, 1), rng)
    strides = dict(x_row=x_row, x_pix=x_pix, y_row=y_row, y_pix=y_pix)
    args = Args(x.address, y.address, channels=channels, **strides, **g)
    args.count_include_pad = include_pad
    h.run(kernels(family, INSTANCES, variant), f"pool_{type_}", args, cores, rng)
    expected = pool(x.view(), g, family, include_pad)
    y.check(expected) if type_ != "f32" else y.check_near(expected)
