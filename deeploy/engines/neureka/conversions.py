"""From graph ops to npu.conv: which ones the accelerator takes, with weights packed for it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from xdsl.dialects.builtin import IntegerAttr, StringAttr, TensorType, UnitAttr, i64
from xdsl.ir import Attribute, SSAValue

from deeploy.dialects.graph import (
    ClipOp,
    ConvOp,
    DepthwiseConvOp,
    GraphOp,
    Im2colOp,
    MatmulOp,
    RequantAttr,
    Requantised,
    RequantOp,
    SliceOp,
    element_type,
    integer_range,
    ints,
    si8,
    si32,
    tuple_of,
    ui8,
)
from deeploy.dialects.npu import DENSE, DEPTHWISE, MAX_PAD, POINTWISE, Mode, ui32
from deeploy.dialects.npu import ConvOp as NpuConvOp
from deeploy.engines import Constants, Conversion
from deeploy.engines.neureka.packing import pack
from deeploy.interfaces.tiling import shape_of
from deeploy.resources import Array

LEAST_BITS = 2
"""Weights of fewer bits are stored with two."""
MOST_BITS = 8


def decline_epilogue(op: Requantised, constants: Constants) -> str | None:
    """The reason against the types, or against how sums are requantised."""
    if element_type(op.operands[0]) not in (si8, ui8):
        return f"activations of {element_type(op.operands[0])}, it takes 8 bits"
    if constants.get(op.operands[1]) is None:
        return "its weights are no constant"
    if element_type(op.operands[1]) not in (si8, ui8):
        return f"weights of {element_type(op.operands[1])}, it takes up to 8 bits"
    result = element_type(op.results[0])
    if op.requant is None:
        return None if result == si32 else f"a result of {result}"
    if result not in (si8, ui8):
        return f"requantises to {result}, it does to 8 bits"
    if any(v is not None and constants.get(v) is None for v in (op.mul, op.add)):
        return "factors that are no constant"
    if weight_bits(signed(op, constants, weights_of(op, constants)))[0] > MOST_BITS:
        return "weights that take 9 bits with the signs of their factors"
    return None


def factors(op: Requantised, constants: Constants) -> tuple[Array, Array]:
    """Factor and summand of each channel."""
    assert op.requant is not None
    numbers = op.requant.values()[:2]
    mul, add = (
        np.full(op.channels(), number, np.int64) if value is None else constants.get(value)
        for value, number in zip((op.mul, op.add), numbers, strict=True)
    )
    assert mul is not None and add is not None
    return mul.astype(np.int64), add.astype(np.int64)


def weights_of(op: Requantised, constants: Constants) -> Array:
    """Constant weights as int64, output channels first: `[co, kh, kw, ci]`, of a product
    `[co, ci]`, depthwise `[co, kh, kw]`."""
    weights = constants.get(op.operands[1])
    assert weights is not None
    wide = weights.astype(np.int64)
    if isinstance(op, MatmulOp):
        matrix = wide.reshape(wide.shape[-2:])
        return matrix if op.transpose_rhs else matrix.T
    return wide.transpose(2, 0, 1) if isinstance(op, DepthwiseConvOp) else wide


def signed(op: Requantised, constants: Constants, weights: Array) -> Array:
    """Weights `[co, ...]` with the sign of their channel's factor: factors are unsigned."""
    if op.requant is None:
        return weights
    scale, _ = factors(op, constants)
    return weights * np.where(scale < 0, -1, 1).reshape(-1, *[1] * (weights.ndim - 1))


def weight_bits(weights: Array) -> tuple[int, int]:
    """The fewest bits that hold all weights, and the offset that makes them unsigned."""
    low, high = int(weights.min()), int(weights.max())
    offset = min(low, 0)
    return max(LEAST_BITS, (high - offset).bit_length()), offset


def npu_conv(
    op: Requantised,
    constants: Constants,
    mode: Mode,
    weights: Array,
    strides: Sequence[int] = (1, 1),
    pads: Sequence[int] = (0, 0, 0, 0),
    input: SSAValue | None = None,
    shape: Sequence[int] | None = None,
    outputs: int | None = None,
) -> NpuConvOp:
    """The accelerator's convolution, which clamps to the range of its type.

    Args:
        op: what it stands for: its operands but the weights, and its requantisation.
        constants: where new constants go.
        mode: how the accelerator computes it.
        weights: `[co, kh, kw, ci]`.
        strides: rows and columns.
        pads: top, left, bottom, right.
        input: what it reads instead of the first operand.
        shape: that of its result, if it is not that of the op.
        outputs: so many of the output channels, the first ones, or all of them.
    """
    hint, result = op.operands[1].name_hint or "weight", element_type(op.results[0])
    weights = signed(op, constants, weights)[:outputs]
    bits, offset = weight_bits(weights)
    packed = constants.make(f"{hint}.packed", pack(weights - offset, mode, bits), ui8)
    mul: list[SSAValue] = []
    add: list[SSAValue] = []
    properties: dict[str, Attribute] = {
        "mode": StringAttr(mode.name),
        "strides": ints(strides),
        "pads": ints(pads),
        "weight_bits": IntegerAttr(bits, i64),
        "weight_offset": IntegerAttr(offset, i64),
    }
    if op.requant is not None:
        scale, bias = (numbers[:outputs] for numbers in factors(op, constants))
        scale = np.abs(scale)
        mul = [constants.make(f"{hint}.scale", scale, ui8 if scale.max() < 256 else ui32)]
        add = [constants.make(f"{hint}.bias", bias, si32)]
        low, high = integer_range(result)
        properties["requant"] = RequantAttr.of(shift=op.requant.shift.data, min=low, max=high)
    return NpuConvOp(
        operands=[op.operands[0] if input is None else input, packed, [], mul, add],
        properties=properties,
        result_types=[TensorType(result, shape_of(op.results[0]) if shape is None else shape)],
    )


def clips(op: Requantised, value: SSAValue) -> list[GraphOp]:
    """What the cores do where an op clamps to less than the range of its type."""
    if op.requant is None:
        return []
    low, high = op.requant.values()[3:]
    if (low, high) == integer_range(element_type(op.results[0])):
        return []
    clip = ClipOp(
        operands=[value],
        properties={"min": IntegerAttr(low, i64), "max": IntegerAttr(high, i64)},
        result_types=[op.results[0].type],
    )
    return [clip]


class ConvertLinear(Conversion):
    """A product with constant weights: its rows are the pixels of a 1x1 convolution."""

    def declines(self, op: GraphOp, constants: Constants) -> str | None:
        assert isinstance(op, MatmulOp)
        if constants.get(op.rhs) is None:
            return "its weights are no constant"
        if math.prod(shape_of(op.rhs)[:-2]) != 1:
            return "a batch of weights"
        if len(shape_of(op.result)) > 4 or len(shape_of(op.lhs)) != len(shape_of(op.result)):
            return f"a product of rank {len(shape_of(op.result))}"
        return decline_epilogue(op, constants)

    def convert(self, op: GraphOp, constants: Constants) -> list[GraphOp]:
        assert isinstance(op, MatmulOp)
        rows = weights_of(op, constants)[:, None, None, :]
        conv = npu_conv(op, constants, POINTWISE, rows)
        return [conv, *clips(op, conv.result)]


class ConvertToColumns(Conversion):
    """A convolution of any window: the cores gather windows into vectors for a 1x1 convolution.

    Narrow first layers and 3x3 convolutions with strides are the ones that gain by it.
    """

    def declines(self, op: GraphOp, constants: Constants) -> str | None:
        assert isinstance(op, ConvOp)
        if op.groups.value.data != 1:
            return f"{op.groups.value.data} groups"
        if not op.channels_last:
            return "an image with channels first"
        if op.window() == (1, 1) and not any(tuple_of(op.pads)):
            return "a window of 1x1 needs no columns"
        return decline_epilogue(op, constants)

    def convert(self, op: GraphOp, constants: Constants) -> list[GraphOp]:
        assert isinstance(op, ConvOp)
        weights = weights_of(op, constants)
        outputs, *window = weights.shape
        batch, (rows, columns) = op.image()[0], op.output_rows_columns()
        shape = [batch, rows, columns, math.prod(window)]
        gather = Im2colOp(
            operands=[op.input],
            properties={
                **{key: op.properties[key] for key in ("strides", "pads", "dilations")},
                "kernel": ints(window[:2]),
                "channels_last": UnitAttr(),
            },
            result_types=[TensorType(element_type(op.input), shape)],
        )
        rows_of_weights = weights.reshape(outputs, 1, 1, -1)
        conv = npu_conv(op, constants, POINTWISE, rows_of_weights, input=gather.result)
        return [gather, conv, *clips(op, conv.result)]


@dataclass(frozen=True)
class Side:
    """Rows, or columns, of a convolution with a window of up to 3, as one with a window of 3.

    `zeros` are put before and behind the weights. `count` results are computed, one for each stride
    of 1.
    """

    zeros: tuple[int, int]
    pads: tuple[int, int]
    count: int

    @staticmethod
    def of(size: int, window: int, low: int, results: int, stride: int) -> Side | None:
        """The side of an image of some size, if the accelerator can pad it so.

        Of the pads only the lower one is given: as many follow as the last result reads.
        """
        last = (results - 1) * stride
        for before in range(DENSE.window - window + 1):
            top = low + before
            bottom = max(last + DENSE.window - top - size, 0)
            if max(top, bottom) <= MAX_PAD:
                zeros = (before, DENSE.window - window - before)
                return Side(zeros, (top, bottom), size + top + bottom - DENSE.window + 1)
        return None


def sides(op: ConvOp | DepthwiseConvOp) -> list[Side | None]:
    """Rows and columns of a convolution."""
    axes = zip(
        op.image()[1:3],
        op.window(),
        tuple_of(op.pads)[:2],
        op.output_rows_columns(),
        tuple_of(op.strides),
        strict=True,
    )
    return [Side.of(*axis) for axis in axes]


def decline_window(op: ConvOp | DepthwiseConvOp) -> str | None:
    """The reason against the geometry of a window of up to 3x3."""
    if not op.channels_last:
        return "an image with channels first"
    if max(op.window()) > DENSE.window:
        return f"a window of {'x'.join(map(str, op.window()))}"
    if tuple_of(op.dilations) != (1, 1):
        return "dilations"
    if None in sides(op):
        return f"pads of {tuple_of(op.pads)}"
    return None


def convolution(
    op: ConvOp | DepthwiseConvOp, constants: Constants, mode: Mode, weights: Array
) -> list[GraphOp]:
    """A window of up to 3x3, framed by zeros, with weights `[co, kh, kw, ci]`. Strides other than 1
    leave it to the cores to take some of all pixels."""
    rows, columns = sides(op)
    assert rows is not None and columns is not None
    framed = np.pad(weights, ((0, 0), rows.zeros, columns.zeros, (0, 0)))
    pads = [pads[i] for i in (0, 1) for pads in (rows.pads, columns.pads)]
    n, *_, outputs = shape_of(op.result)
    shape = (n, rows.count, columns.count, outputs)
    conv = npu_conv(op, constants, mode, framed, pads=pads, shape=shape)
    if shape == shape_of(op.result):
        return [conv, *clips(op, conv.result)]
    some = SliceOp(
        operands=[conv.result],
        properties={"starts": ints((0, 0, 0, 0)), "steps": ints((1, *tuple_of(op.strides), 1))},
        result_types=[op.result.type],
    )
    return [conv, some, *clips(op, some.result)]


class ConvertConv(Conversion):
    """A convolution of one group, 1x1 or up to 3x3.

    With strides and few bits in a weight this is faster than `ConvertToColumns`.
    """

    def declines(self, op: GraphOp, constants: Constants) -> str | None:
        assert isinstance(op, ConvOp)
        if op.groups.value.data != 1:
            return f"{op.groups.value.data} groups"
        return decline_window(op) or decline_epilogue(op, constants)

    def convert(self, op: GraphOp, constants: Constants) -> list[GraphOp]:
        assert isinstance(op, ConvOp)
        weights = weights_of(op, constants)
        if op.window() != (1, 1) or any(tuple_of(op.pads)):
            return convolution(op, constants, DENSE, weights)
        conv = npu_conv(op, constants, POINTWISE, weights, strides=tuple_of(op.strides))
        return [conv, *clips(op, conv.result)]


class ConvertDepthwise(Conversion):
    """A depthwise convolution of up to 3x3. With strides, too, the accelerator computes all pixels
    faster than the cores do some."""

    def declines(self, op: GraphOp, constants: Constants) -> str | None:
        assert isinstance(op, DepthwiseConvOp)
        if op.output_channels() != op.image()[3]:
            return "more than one output for each input channel"
        return decline_window(op) or decline_epilogue(op, constants)

    def convert(self, op: GraphOp, constants: Constants) -> list[GraphOp]:
        assert isinstance(op, DepthwiseConvOp)
        return convolution(op, constants, DEPTHWISE, weights_of(op, constants)[..., None])


LONG_SUMS = 32 * POINTWISE.channels
"""Input channels from which on there is an alternative that adds up sums part by part."""


@dataclass(frozen=True)
class Sums(Conversion):
    """A layer as the accelerator's sums of 32 bits, which the cores requantise: for factors that it
    does not take, and for long sums, which it adds up part by part only as such."""

    whole: ConvertLinear | ConvertConv | ConvertDepthwise

    def declines(self, op: GraphOp, constants: Constants) -> str | None:
        assert isinstance(op, Requantised)
        if op.requant is None:
            return self.whole.declines(op, constants) or "nothing to requantise"
        if self.whole.declines(op, constants) is None:
            in_parts = not isinstance(self.whole, ConvertDepthwise)
            is_long = shape_of(op.operands[0])[-1] >= LONG_SUMS
            return None if in_parts and is_long else "short sums"
        sums = sums_of(op)
        reason = self.whole.declines(sums, constants)
        sums.erase()
        return reason

    def convert(self, op: GraphOp, constants: Constants) -> list[GraphOp]:
        assert isinstance(op, Requantised) and op.requant is not None
        sums = sums_of(op)
        parts = self.whole.convert(sums, constants)
        sums.erase()
        requant = RequantOp(
            operands=[parts[-1].results[0], op.mul, op.add],
            properties={"requant": op.requant},
            result_types=[op.results[0].type],
        )
        return [*parts, requant]


def sums_of(op: Requantised) -> Requantised:
    """The op without its requantisation."""
    return type(op)(
        operands=[*op.operands[:2], [], []],
        properties={key: v for key, v in op.properties.items() if key != "requant"},
        result_types=[TensorType(si32, shape_of(op.results[0]))],
    )
