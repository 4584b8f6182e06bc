"""Convolutions and pools on the cluster.

Costs are what the inner loops would take with Xpulp instructions; no core has been measured.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from deeploy.dialects.graph import (
    AveragePoolOp,
    ConvOp,
    DepthwiseConvOp,
    GraphOp,
    Im2colOp,
    MaxPoolOp,
    PoolOp,
    WindowOp,
    element_type,
    si8,
    tuple_of,
)
from deeploy.engines import (
    Fields,
    Instance,
    Kernel,
    KernelCall,
    Sizes,
    c_type,
    ceil_div,
    short_name,
)
from deeploy.engines.cluster.common import (
    BYTES,
    FLOATS,
    INTEGERS,
    ByElementType,
    bias_field,
    decline_types,
    float_instance,
    instance,
    requant_fields,
)

CALL_CYCLES = 60
"""Entering a kernel and dividing the work, per call."""


def geometry(call: KernelCall) -> dict[str, str | int | Fields]:
    """Image sizes, strides and window of an op on images `[1, rows, columns, channels]`."""
    op = call.op
    assert isinstance(op, WindowOp)
    x, y = call.inputs[0], call.output
    (stride_h, stride_w), (dil_h, dil_w) = tuple_of(op.strides), tuple_of(op.dilations)
    k_h, k_w = op.window()
    return {
        "in_h": x.shape[1], "in_w": x.shape[2],
        "out_h": y.shape[1], "out_w": y.shape[2],
        "k_h": k_h, "k_w": k_w,
        "stride_h": stride_h, "stride_w": stride_w,
        "dil_h": dil_h, "dil_w": dil_w,
        "pad_top": call.overhang[1][0], "pad_left": call.overhang[2][0],
        "x_row": x.strides[1], "x_pix": x.strides[2],
        "y_row": y.strides[1], "y_pix": y.strides[2],
    }  # fmt: skip


class WindowKernel(Kernel):
    """What convolutions and pools share: one image at a time, channels last."""

    def tile_limits(self, op: GraphOp) -> Mapping[str, int]:
        return {"n": 1}

    def declines(self, op: GraphOp) -> str | None:
        assert isinstance(op, WindowOp)
        if not op.channels_last:
            return "channels are not last; run 'convert-to-channels-last' first"
        return None


class ConvKernel(WindowKernel):
    """`conv2d`: dot products of gathered windows, four channels by two pixels at a time."""

    family = "conv2d"

    def declines(self, op: GraphOp) -> str | None:
        types = {"input": BYTES, "weight": (si8,), "result": INTEGERS}
        return super().declines(op) or decline_types(op, types)

    def instance(self, op: GraphOp) -> Instance:
        assert isinstance(op, ConvOp)
        x, y = element_type(op.input), element_type(op.result)
        return instance(self.family, "conv2d", x=x, y=y)

    def scratch_bytes(self, op: GraphOp, cores: int, memory: int) -> int:
        assert isinstance(op, ConvOp)
        if gathers_nothing(op):
            return 0
        window = math.prod(op.window()) * op.group_shape()[2]
        # the kernel computes two gathered windows at a time, or one where memory is scarce
        windows = 2 if 2 * cores * window <= memory // 4 else 1
        return cores * windows * window

    def arguments(self, call: KernelCall) -> Sequence[Fields]:
        op = call.op
        assert isinstance(op, ConvOp)
        x, w = call.inputs[:2]
        scratch: dict[str, str | int | Fields] = {}
        if call.scratch is not None:
            pointer, size = call.scratch
            scratch = {"scratch": pointer, "scratch_stride": size // call.cores}
        fields: Fields = {
            "x": x.pointer, "w": f"(const int8_t *){w.pointer}", "y": call.output.pointer,
            **scratch,
            **geometry(call),
            "in_c": x.shape[3], "out_c": call.output.shape[3],
            "groups": groups_of(call),
            "rq": requant_fields(call),
        }  # fmt: skip
        return [fields]

    def cycles(self, op: GraphOp, sizes: Sequence[Sizes], cores: int) -> Sizes:
        assert isinstance(op, ConvOp)
        _, rows, columns, groups, channels, *_ = sizes
        k = math.prod(op.window()) * op.group_shape()[2]
        pixels = rows * columns
        # 4 channels x 2 pixels: 6 loads and 8 dot products for 4 values of k; 8 stores of 8
        block = ceil_div(k, 4) * 14 + 80
        # two windows copied by words, load and store
        gather = 0 if gathers_nothing(op) else 2 * (ceil_div(k, 4) * 2 + 25)
        by_pixels = ceil_div(ceil_div(pixels, 2), cores) * (ceil_div(channels, 4) * block + gather)
        by_channels = ceil_div(pixels, 2) * (
            ceil_div(ceil_div(channels, 4), cores) * block + gather
        )
        return groups * np.minimum(by_pixels, by_channels) + CALL_CYCLES


class ConvFloatKernel(WindowKernel):
    """`conv2d_f32`: dot products of rows of windows, four channels by two pixels at a time."""

    family = "conv2d_f32"

    def declines(self, op: GraphOp) -> str | None:
        types = {"input": FLOATS, "weight": FLOATS, "result": FLOATS}
        return super().declines(op) or decline_types(op, types)

    def instance(self, op: GraphOp) -> Instance:
        return float_instance(self.family)

    def arguments(self, call: KernelCall) -> Sequence[Fields]:
        x, w = call.inputs[:2]
        fields: Fields = {
            "x": x.pointer, "w": f"(const float *){w.pointer}", "y": call.output.pointer,
            **bias_field(call),
            **geometry(call),
            "in_c": x.shape[3], "out_c": call.output.shape[3],
            "groups": groups_of(call),
        }  # fmt: skip
        return [fields]

    def cycles(self, op: GraphOp, sizes: Sequence[Sizes], cores: int) -> Sizes:
        assert isinstance(op, ConvOp)
        _, rows, columns, groups, channels, *_ = sizes
        window_rows, window_columns = op.window()
        k = window_columns * op.group_shape()[2]
        # for each row of the window, 4 channels x 2 pixels: 6 loads and 8 multiply-adds for each
        # value of k, 8 sums loaded and stored
        block = window_rows * (k * 14 + 50)
        pairs, quads = ceil_div(rows * columns, 2), ceil_div(channels, 4)
        work = np.minimum(ceil_div(pairs, cores) * quads, pairs * ceil_div(quads, cores))
        return groups * work * block + CALL_CYCLES


def gathers_nothing(op: ConvOp) -> bool:
    """Whether each window is one pixel, which needs no copy."""
    return op.window() == (1, 1) and not any(tuple_of(op.pads))


def groups_of(call: KernelCall) -> int | str:
    """The number of groups in a tile, which holds whole groups."""
    op = call.op
    assert isinstance(op, ConvOp)
    groups, out_channels, _ = op.group_shape()
    if groups == 1:
        return 1
    channels = call.output.shape[3]
    return (
        channels // out_channels if isinstance(channels, int) else f"({channels}) / {out_channels}"
    )


class Im2colKernel(WindowKernel):
    """`im2col`: windows of bytes are gathered as `conv2d` does it."""

    family = "im2col"

    def declines(self, op: GraphOp) -> str | None:
        return super().declines(op) or decline_types(op, {"input": BYTES})

    def instance(self, op: GraphOp) -> Instance:
        return Instance(self.family, "dpl_im2col", (), "dpl_conv2d_args")

    def arguments(self, call: KernelCall) -> Sequence[Fields]:
        x = call.inputs[0]
        fields: Fields = {
            "x": x.pointer, "y": call.output.pointer,
            **geometry(call),
            "in_c": x.shape[3], "out_c": call.output.shape[3],
            "groups": 1,
        }  # fmt: skip
        return [fields]

    def cycles(self, op: GraphOp, sizes: Sequence[Sizes], cores: int) -> Sizes:
        assert isinstance(op, Im2colOp)
        _, rows, columns, *_ = sizes
        window_rows, window_columns = op.window()
        # each row of the window is copied by words, load and store, and begins with 10
        row = 2 * ceil_div(window_columns * op.image()[3], 4) + 10
        return ceil_div(rows * columns, cores) * (window_rows * row + 20) + CALL_CYCLES


class DepthwiseKernel(WindowKernel):
    """`depthwise2d`: channels side by side."""

    family = "depthwise2d"

    def declines(self, op: GraphOp) -> str | None:
        types = {"input": BYTES, "weight": (si8,), "result": INTEGERS}
        return super().declines(op) or decline_types(op, types)

    def instance(self, op: GraphOp) -> Instance:
        assert isinstance(op, DepthwiseConvOp)
        x, y = element_type(op.input), element_type(op.result)
        return instance(self.family, "depthwise2d", x=x, y=y)

    def arguments(self, call: KernelCall) -> Sequence[Fields]:
        x, w = call.inputs[:2]
        fields: Fields = {
            "x": x.pointer, "w": f"(const int8_t *){w.pointer}", "y": call.output.pointer,
            **geometry(call),
            "channels": x.shape[3],
            "w_tap": w.strides[1],
            "rq": requant_fields(call),
        }  # fmt: skip
        return [fields]

    def cycles(self, op: GraphOp, sizes: Sequence[Sizes], cores: int) -> Sizes:
        assert isinstance(op, DepthwiseConvOp)
        _, rows, columns, channels, *_ = sizes
        taps = math.prod(op.window())
        # per channel and tap: two loads and a multiply-add; 12 to requantise and store
        return ceil_div(rows * columns, cores) * channels * (3 * taps + 12) + CALL_CYCLES


class DepthwiseFloatKernel(WindowKernel):
    """`depthwise2d_f32`: channels side by side."""

    family = "depthwise2d_f32"

    def declines(self, op: GraphOp) -> str | None:
        types = {"input": FLOATS, "weight": FLOATS, "result": FLOATS}
        return super().declines(op) or decline_types(op, types)

    def instance(self, op: GraphOp) -> Instance:
        return float_instance(self.family)

    def arguments(self, call: KernelCall) -> Sequence[Fields]:
        x, w = call.inputs[:2]
        fields: Fields = {
            "x": x.pointer, "w": f"(const float *){w.pointer}", "y": call.output.pointer,
            **bias_field(call),
            **geometry(call),
            "channels": x.shape[3],
            "w_tap": w.strides[1],
        }  # fmt: skip
        return [fields]

    def cycles(self, op: GraphOp, sizes: Sequence[Sizes], cores: int) -> Sizes:
        assert isinstance(op, DepthwiseConvOp)
        _, rows, columns, channels, *_ = sizes
        taps = math.prod(op.window())
        # per channel and tap: three loads, a multiply-add and a store; 4 to begin and to store
        return ceil_div(rows * columns, cores) * channels * (5 * taps + 4) + CALL_CYCLES


class PoolKernel(WindowKernel):
    """`max_pool2d` and `average_pool2d`."""

    def __init__(self, family: str) -> None:
        self.family = family

    def declines(self, op: GraphOp) -> str | None:
        reason = super().declines(op) or decline_types(op, {"input": INTEGERS + FLOATS})
        if reason is None and element_type(op.operands[0]) != element_type(op.results[0]):
            return "input and result differ in type"
        return reason

    def instance(self, op: GraphOp) -> Instance:
        type = element_type(op.results[0])
        symbol = f"dpl_{self.family}_{short_name(type)}"
        macros = (("DPL_NAME", symbol), ("DPL_T", c_type(type)))
        return Instance(self.family, symbol, macros, "dpl_pool2d_args")

    def arguments(self, call: KernelCall) -> Sequence[Fields]:
        fields: dict[str, str | int | Fields] = {
            "x": call.inputs[0].pointer, "y": call.output.pointer,
            **geometry(call),
            "channels": call.output.shape[3],
        }  # fmt: skip
        if isinstance(call.op, AveragePoolOp):
            fields["count_include_pad"] = int(call.op.count_include_pad is not None)
        return [fields]

    def cycles(self, op: GraphOp, sizes: Sequence[Sizes], cores: int) -> Sizes:
        assert isinstance(op, PoolOp)
        _, rows, columns, channels, *_ = sizes
        taps = math.prod(op.window())
        # load and maximum (or sum) for each tap, four channels at a time if they are bytes
        lanes = 4 if element_type(op.operands[0]) in BYTES else 1
        per_pixel = ceil_div(channels, lanes) * (2 * taps + 8)
        return ceil_div(rows * columns * per_pixel, cores) + CALL_CYCLES


KERNELS: dict[type[GraphOp], Kernel] = {
    ConvOp: ByElementType(ConvKernel(), ConvFloatKernel()),
    DepthwiseConvOp: ByElementType(DepthwiseKernel(), DepthwiseFloatKernel()),
    Im2colOp: Im2colKernel(),
    MaxPoolOp: PoolKernel("max_pool2d"),
    AveragePoolOp: PoolKernel("avg_pool2d"),
}
