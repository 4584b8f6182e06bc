"""From graph ops to npu.conv: which ones the accelerator takes, with weights packed for it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from xdsl.dialects.builtin import IntegerAttr, StringAttr, TensorType, UnitAttr, i64
from xdsl.ir import Attribute, SSAValue

from deeploy.dialects.graph import (
    ConvOp,
    DepthwiseConvOp,
    GraphOp,
    Im2colOp,
    MatmulOp,
    RequantAttr,
    Requantised,
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
    low, high = op.requant.values()[3:]
    if (low, high) != integer_range(result):
        return f"clamps to {low} to {high}, it does to the whole range of {result}"
    if any(v is not None and constants.get(v) is None for v in (op.mul, op.add)):
        return "factors that are no constant"
    if factors(op, constants)[0].min() < 0:
        return "a negative factor in its requantisation"
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
) -> NpuConvOp:
    """The accelerator's convolution.

    Args:
        op: what it stands for: its operands but the weights, its requantisation and result.
        constants: where new constants go.
        mode: how the accelerator computes it.
        weights: `[co, kh, kw, ci]`.
        strides: rows and columns.
        pads: top, left, bottom, right.
        input: what it reads instead of the first operand.
    """
    bits, offset = weight_bits(weights)
    hint = op.operands[1].name_hint or "weight"
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
        scale, bias = factors(op, constants)
        narrow = scale.max() < 256
        mul = [constants.make(f"{hint}.scale", scale, ui8 if narrow else ui32)]
        add = [constants.make(f"{hint}.bias", bias, si32)]
        _, _, shift, low, high = op.requant.values()
        properties["requant"] = RequantAttr.of(shift=shift, min=low, max=high)
    return NpuConvOp(
        operands=[op.operands[0] if input is None else input, packed, mul, add],
        properties=properties,
        result_types=[op.results[0].type],
    )


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
        weights = constants.get(op.rhs)
        assert weights is not None
        matrix = weights.reshape(weights.shape[-2:]).astype(np.int64)
        rows = matrix if op.transpose_rhs else matrix.T
        return [npu_conv(op, constants, POINTWISE, rows[:, None, None, :])]


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
        weights = constants.get(op.weight)
        assert weights is not None
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
        rows_of_weights = weights.reshape(outputs, 1, 1, -1).astype(np.int64)
        return [gather, npu_conv(op, constants, POINTWISE, rows_of_weights, input=gather.result)]


def decline_window(op: ConvOp | DepthwiseConvOp, mode: Mode) -> str | None:
    """The reason against the geometry of a window."""
    if not op.channels_last:
        return "an image with channels first"
    if op.window() != (mode.window, mode.window):
        return f"a window of {'x'.join(map(str, op.window()))}"
    if mode is not POINTWISE and tuple_of(op.strides) != (1, 1):
        return f"strides of {tuple_of(op.strides)} for a window of 3x3"
    if mode is not POINTWISE and tuple_of(op.dilations) != (1, 1):
        return "dilations"
    if max(tuple_of(op.pads)) > (0 if mode is POINTWISE else MAX_PAD):
        return f"pads of {tuple_of(op.pads)}"
    return None


class ConvertConv(Conversion):
    """A convolution of one group, 1x1 or 3x3."""

    def mode(self, op: ConvOp) -> Mode:
        """The mode by the window."""
        return POINTWISE if op.window() == (1, 1) else DENSE

    def declines(self, op: GraphOp, constants: Constants) -> str | None:
        assert isinstance(op, ConvOp)
        if op.groups.value.data != 1:
            return f"{op.groups.value.data} groups"
        return decline_window(op, self.mode(op)) or decline_epilogue(op, constants)

    def convert(self, op: GraphOp, constants: Constants) -> list[GraphOp]:
        assert isinstance(op, ConvOp)
        weights = constants.get(op.weight)
        assert weights is not None
        wide = weights.astype(np.int64)
        return [
            npu_conv(op, constants, self.mode(op), wide, tuple_of(op.strides), tuple_of(op.pads))
        ]


class ConvertDepthwise(Conversion):
    """A depthwise 3x3 convolution."""

    def declines(self, op: GraphOp, constants: Constants) -> str | None:
        assert isinstance(op, DepthwiseConvOp)
        if op.output_channels() != op.image()[3]:
            return "more than one output for each input channel"
        return decline_window(op, DEPTHWISE) or decline_epilogue(op, constants)

    def convert(self, op: GraphOp, constants: Constants) -> list[GraphOp]:
        assert isinstance(op, DepthwiseConvOp)
        weights = constants.get(op.weight)
        assert weights is not None
        apart = weights.astype(np.int64).transpose(2, 0, 1)[..., None]
        return [npu_conv(op, constants, DEPTHWISE, apart, pads=tuple_of(op.pads))]
