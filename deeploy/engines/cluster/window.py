"""Convolutions and pools on the cluster."""

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
from deeploy.engines.cluster.cost import CALL, LOCATE, dot_products, output_cost, share


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


class WeightedKernel(WindowKernel):
    """A convolution of bytes."""

    def declines(self, op: GraphOp) -> str | None:
        types = {"input": BYTES, "weight": (si8,), "result": INTEGERS}
        return super().declines(op) or decline_types(op, types)

    def instance(self, op: GraphOp) -> Instance:
        x, y = element_type(op.operands[0]), element_type(op.results[0])
        return instance(self.family, self.family, x=x, y=y)


class WeightedFloatKernel(WindowKernel):
    """A convolution of floats."""

    def declines(self, op: GraphOp) -> str | None:
        types = {"input": FLOATS, "weight": FLOATS, "result": FLOATS}
        return super().declines(op) or decline_types(op, types)

    def instance(self, op: GraphOp) -> Instance:
        return float_instance(self.family)


def pointers(call: KernelCall, weights: str) -> dict[str, str]:
    """Image, weights of a type in C, and result of a convolution."""
    x, w = call.inputs[:2]
    return {"x": x.pointer, "w": f"(const {weights} *){w.pointer}", "y": call.output.pointer}


class ConvKernel(WeightedKernel):
    """`conv2d`: dot products of gathered windows, four channels by two pixels at a time."""

    family = "conv2d"

    def scratch_bytes(self, op: GraphOp, cores: int, memory: int) -> int:
        assert isinstance(op, ConvOp)
        if gathers_nothing(op):
            return 0
        window = math.prod(op.window()) * op.group_shape()[2]
        # the kernel computes two gathered windows at a time, or one where memory is scarce
        windows = 2 if 2 * cores * window <= memory // 4 else 1
        return cores * windows * window

    def arguments(self, call: KernelCall) -> Sequence[Fields]:
        scratch: dict[str, str | int | Fields] = {}
        if call.scratch is not None:
            pointer, size = call.scratch
            scratch = {"scratch": pointer, "scratch_stride": size // call.cores}
        fields: Fields = {
            **pointers(call, "int8_t"),
            **scratch,
            **geometry(call),
            **channels_of(call),
            "rq": requant_fields(call),
        }
        return [fields]

    def cycles(self, op: GraphOp, sizes: Sequence[Sizes], cores: int) -> Sizes:
        assert isinstance(op, ConvOp)
        _, rows, columns, groups, channels, *_ = sizes
        k = math.prod(op.window()) * op.group_shape()[2]
        pixels = rows * columns
        by_pixels = share(pixels, 1, cores) * channels
        by_channels = share(channels, 4, cores) * pixels
        few_pixels = by_channels + by_channels // 4 < by_pixels  # as `dpl_conv2d_split` decides
        pixels = np.where(few_pixels, pixels, share(pixels, 1, cores))
        channels = np.where(few_pixels, share(channels, 4, cores), channels)
        # windows are copied by words, load and store, row by row
        window_rows = op.window()[0]
        gather = 0 if gathers_nothing(op) else ceil_div(k, 4) * 2 + 8 * window_rows
        work = dot_products(pixels // 2, pixels % 2, channels, k, output_cost(op)) + pixels * gather
        return groups * work + CALL


class ConvFloatKernel(WeightedFloatKernel):
    """`conv2d_f32`: dot products of rows of windows, four channels by two pixels at a time."""

    family = "conv2d_f32"

    def arguments(self, call: KernelCall) -> Sequence[Fields]:
        fields: Fields = {
            **pointers(call, "float"),
            **bias_field(call),
            **geometry(call),
            **channels_of(call),
        }
        return [fields]

    def cycles(self, op: GraphOp, sizes: Sequence[Sizes], cores: int) -> Sizes:
        assert isinstance(op, ConvOp)
        _, rows, columns, groups, channels, *_ = sizes
        window_rows, window_columns = op.window()
        k = window_columns * op.group_shape()[2]
        # for each row of the window, 4 channels x 2 pixels: 6 loads and 8 multiply-adds for each
        # value of k, 8 sums loaded and stored
        block = window_rows * (k * 14 + 50)
        pixels = rows * columns
        by_pixels = ceil_div(share(pixels, 1, cores), 2) * ceil_div(channels, 4)
        by_channels = ceil_div(pixels, 2) * ceil_div(share(channels, 4, cores), 4)
        return groups * np.minimum(by_pixels, by_channels) * block + CALL


def gathers_nothing(op: ConvOp) -> bool:
    """Whether each window is one pixel, which needs no copy."""
    return op.window() == (1, 1) and not any(tuple_of(op.pads))


def channels_of(call: KernelCall) -> dict[str, int | str]:
    """Channels and groups of a tile, which holds whole groups."""
    inputs, outputs = call.inputs[0].shape[3], call.output.shape[3]
    groups: int | str = 1
    if isinstance(call.op, ConvOp) and call.op.groups.value.data > 1:
        _, own, _ = call.op.group_shape()
        groups = outputs // own if isinstance(outputs, int) else f"({outputs}) / {own}"
    return {"in_c": inputs, "out_c": outputs, "groups": groups}


class Im2colKernel(WindowKernel):
    """`im2col`: windows of bytes are gathered as `conv2d` does it."""

    family = "im2col"

    def declines(self, op: GraphOp) -> str | None:
        return super().declines(op) or decline_types(op, {"input": BYTES})

    def instance(self, op: GraphOp) -> Instance:
        return Instance(self.family, "dpl_im2col", (), "dpl_conv2d_args")

    def arguments(self, call: KernelCall) -> Sequence[Fields]:
        fields: Fields = {
            "x": call.inputs[0].pointer, "y": call.output.pointer,
            **geometry(call),
            **channels_of(call),
        }  # fmt: skip
        return [fields]

    def cycles(self, op: GraphOp, sizes: Sequence[Sizes], cores: int) -> Sizes:
        assert isinstance(op, Im2colOp)
        _, rows, columns, *_ = sizes
        window_rows, window_columns = op.window()
        # each row of the window is copied by words, load and store, and begins with 10
        row = 2 * ceil_div(window_columns * op.image()[3], 4) + 10
        return share(rows * columns, 1, cores) * (window_rows * row + 20) + CALL


class DepthwiseKernel(WeightedKernel):
    """`depthwise2d`: channels side by side."""

    family = "depthwise2d"

    def arguments(self, call: KernelCall) -> Sequence[Fields]:
        x, w = call.inputs[:2]
        fields: Fields = {
            **pointers(call, "int8_t"),
            **geometry(call),
            "channels": x.shape[3],
            "w_tap": w.strides[1],
            "rq": requant_fields(call),
        }
        return [fields]

    def cycles(self, op: GraphOp, sizes: Sequence[Sizes], cores: int) -> Sizes:
        assert isinstance(op, DepthwiseConvOp)
        _, rows, columns, channels, *_ = sizes
        taps = math.prod(op.window())
        pixels, channels = side_by_side(rows * columns, channels, cores)
        # per channel and tap two loads and p.mac; where a pixel is, and its taps at the border
        return pixels * (channels * (3 * taps + output_cost(op)) + 3 * taps + LOCATE) + CALL


class DepthwiseFloatKernel(WeightedFloatKernel):
    """`depthwise2d_f32`: channels side by side."""

    family = "depthwise2d_f32"

    def arguments(self, call: KernelCall) -> Sequence[Fields]:
        x, w = call.inputs[:2]
        fields: Fields = {
            **pointers(call, "float"),
            **bias_field(call),
            **geometry(call),
            "channels": x.shape[3],
            "w_tap": w.strides[1],
        }
        return [fields]

    def cycles(self, op: GraphOp, sizes: Sequence[Sizes], cores: int) -> Sizes:
        assert isinstance(op, DepthwiseConvOp)
        _, rows, columns, channels, *_ = sizes
        taps = math.prod(op.window())
        pixels, channels = side_by_side(rows * columns, channels, cores)
        # per channel and tap three loads, a multiply-add and a store; 4 to begin and to store
        return pixels * (channels * (5 * taps + 4) + LOCATE) + CALL


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
        pixels, channels = side_by_side(rows * columns, channels, cores)
        # load and maximum (or sum) for each tap, four channels at a time if they are bytes
        lanes = 4 if element_type(op.operands[0]) in BYTES else 1
        return pixels * (ceil_div(channels, lanes) * (2 * taps + 8) + LOCATE) + CALL


def side_by_side(pixels: Sizes, channels: Sizes, cores: int) -> tuple[Sizes, Sizes]:
    """Pixels and channels of the core that has most, where blocks of 16 channels are one step."""
    own_pixels, own_channels = share(pixels, 1, cores), share(channels, 16, cores)
    by_channels = own_channels * pixels < own_pixels * channels
    return np.where(by_channels, pixels, own_pixels), np.where(by_channels, own_channels, channels)


KERNELS: dict[type[GraphOp], Kernel] = {
    ConvOp: ByElementType(ConvKernel(), ConvFloatKernel()),
    DepthwiseConvOp: ByElementType(DepthwiseKernel(), DepthwiseFloatKernel()),
    Im2colOp: Im2colKernel(),
    MaxPoolOp: PoolKernel("max_pool2d"),
    AveragePoolOp: PoolKernel("avg_pool2d"),
}
