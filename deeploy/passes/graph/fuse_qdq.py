"""`fuse-qdq`: float ops on dequantised values become integer ops.

`graph.dequantize` moves towards the outputs: a product of dequantised operands is an integer
product whose accumulator is dequantised. `graph.quantize` moves the other way through a
concatenation, and takes in the activation before it. Where both meet, `quantize-to-requant` makes a
requantisation of them; around an op that has no integer form they stay, and it computes on floats.

Nothing is rounded here that was not before, but for biases, which become multiples of the
accumulator's scale. Results of floats may still differ in their last bit, and then go the other way
where they are quantised.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import (
    FloatAttr,
    IntegerAttr,
    IntegerType,
    ModuleOp,
    StringAttr,
    UnitAttr,
    f64,
    i64,
)
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from deeploy.diagnostics import replace_op
from deeploy.dialects.graph import (
    AddOp,
    AveragePoolOp,
    BinaryOp,
    ConcatOp,
    ConvOp,
    DequantizeOp,
    DivOp,
    GatherOp,
    MaxPoolOp,
    MulOp,
    PadOp,
    QuantizeOp,
    ReduceOp,
    ReshapeOp,
    SelectOp,
    SliceOp,
    TransposeOp,
    UnaryOp,
    element_type,
    integer_range,
    ints,
    si8,
    si32,
    tuple_of,
    ui8,
)
from deeploy.interfaces.tiling import shape_of
from deeploy.interpreters.graph import evaluate, evaluate_whole
from deeploy.passes.approximation import ApproximatePass
from deeploy.passes.graph.integer_products import ContractIntegers, MultiplyIntegers
from deeploy.passes.graph.quantised import (
    BYTES,
    HIGHEST,
    Quantised,
    affine_of,
    dequantize,
    quantised,
    quantize,
)
from deeploy.passes.graph.rewriting import (
    constant_key,
    constant_of,
    make_constant,
    rewrite_functions,
    tensor,
)
from deeploy.passes.graph.simplify import shrink
from deeploy.resources import Array

SPATIAL = (2, 3)
"""Rows and columns of an image with channels first."""

# --- Quantisation ---------------------------------------------------------------------------------


@dataclass
class RecogniseQuantize(RewritePattern):
    """`clip(round(x / scale + zero_point))`, as exporters without QuantizeLinear write it →
    `dequantize(quantize(x))` with the scale 1, as the integers are carried in floats."""

    ctx: Context

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: UnaryOp, rewriter: PatternRewriter) -> None:
        rounding = op.input.owner
        if op.function.data != "clip" or not isinstance(rounding, UnaryOp):
            return
        low, high = _limits(op)
        elements = next((t for t in (si8, ui8) if _holds(t, low, high)), None)
        if rounding.function.data != "round" or elements is None:
            return
        x, scale, zero = self._scaled(rounding.input)
        properties = {
            "scale": FloatAttr(scale, f64),
            "zero_point": FloatAttr(zero, f64),
            "min": IntegerAttr(int(low), i64),
            "max": IntegerAttr(int(high), i64),
            "half_even": UnitAttr(),
        }
        integers = QuantizeOp.create(
            operands=[x],
            properties=properties,
            result_types=[tensor(shape_of(x), elements)],
        )
        back = dequantize(self.ctx, integers.result, np.ones(()))
        replace_op(rewriter, op, [integers, *back])

    def _scaled(self, value: SSAValue) -> tuple[SSAValue, float, float]:
        """`value` as `x * scale + zero_point`, with an integer zero point."""
        total, zero = value.owner, 0.0
        number = self._number(total.rhs) if isinstance(total, AddOp) else None
        if isinstance(total, AddOp) and number is not None and number.is_integer():
            value, zero = total.lhs, number
        match value.owner:
            case DivOp() as op if number := self._number(op.rhs):
                return op.lhs, float(np.float32(1 / number)), zero
            case MulOp() as op if number := self._number(op.rhs):
                return op.lhs, number, zero
            case _:
                return value, 1.0, zero

    def _number(self, value: SSAValue) -> float | None:
        """The only value of a constant, which adds no dimensions where it broadcasts."""
        array = constant_of(self.ctx, value)
        return float(array.item()) if array is not None and array.shape in ((), (1,)) else None


def _limits(op: UnaryOp) -> tuple[float, float]:
    """The smallest and the largest value of a rectifier or clip."""
    if op.function.data == "relu":
        return 0.0, math.inf
    low = -math.inf if op.alpha is None else op.alpha.value.data
    return low, math.inf if op.beta is None else op.beta.value.data


def _holds(type: IntegerType, low: float, high: float) -> bool:
    """Whether limits are integers of an element type."""
    first, last = integer_range(type)
    return first <= low <= high <= last and low.is_integer() and high.is_integer()


class Recentre(RewritePattern):
    """A quantisation to `ui8` with the zero point 128 → to `si8` with the zero point 0, and one to
    `si8` with -128 → to `ui8` with 0: kernels pad with zeros. Only dequantisations may read it."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: QuantizeOp, rewriter: PatternRewriter) -> None:
        match element_type(op.result), op.zero_point.value.data:
            case type, 128.0 if type == ui8:
                elements, shift = si8, -128
            case type, -128.0 if type == si8:
                elements, shift = ui8, 128
            case _:
                return
        readers = [use.operation for use in op.result.uses]
        if not readers or not all(isinstance(reader, DequantizeOp) for reader in readers):
            return
        properties = {
            "zero_point": FloatAttr(0.0, f64),
            "min": IntegerAttr(op.min.value.data + shift, i64),
            "max": IntegerAttr(op.max.value.data + shift, i64),
        }
        new_op = QuantizeOp.create(
            operands=[op.input],
            properties={**op.properties, **properties},
            result_types=[tensor(shape_of(op.result), elements)],
        )
        for reader in readers:
            zero = reader.properties["zero_point"]
            assert isinstance(zero, FloatAttr)
            reader.properties["zero_point"] = FloatAttr(zero.value.data + shift, f64)
        replace_op(rewriter, op, new_op)


@dataclass
class FoldArithmetic(RewritePattern):
    """`mul(dequantize(x), number)` → `dequantize(x)` with another scale; likewise a sum, difference
    or quotient, and another zero point."""

    ctx: Context

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if not isinstance(op, BinaryOp):
            return
        x = affine_of(self.ctx, op.results[0])
        if x is None or x.scale.size != 1 or (zero := x.zero_point()) is None:
            return
        replace_op(rewriter, op, dequantize(self.ctx, x.value, x.scale, zero))


# --- Movement -------------------------------------------------------------------------------------


@dataclass
class SinkThroughMovement(RewritePattern):
    """`reshape(dequantize(x))` → `dequantize(reshape(x))`, likewise transposes, slices and pads."""

    ctx: Context

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if not isinstance(op, ReshapeOp | TransposeOp | SliceOp | PadOp):
            return
        x = _dequantised(self.ctx, op.input)
        if x is None or (not x.is_uniform and isinstance(op, PadOp)):
            return
        properties = dict(op.properties)
        if isinstance(op, PadOp):
            fill = _quantised_number(op, x)
            if fill is None:
                return
            properties["value"] = IntegerAttr(fill, i64)
        moved = type(op).create(
            operands=[x.value],
            properties=properties,
            result_types=[tensor(shape_of(op.result), element_type(x.value))],
        )
        scale, array = _moved(op, x.scale), constant_of(self.ctx, x.value)
        if scale is None:
            return
        if array is not None:
            # weights, which the op that reads them has to know
            key, elements = constant_key(x.value), element_type(x.value)
            constant = make_constant(self.ctx, key, evaluate_whole(moved, [array]), elements)
            constant.result.name_hint = x.value.name_hint
            moved.erase()
            moved = constant
        back = dequantize(self.ctx, moved.results[0], scale, x.zero_point)
        replace_op(rewriter, op, [moved, *back])


@dataclass
class RaiseThroughMovement(RewritePattern):
    """`quantize(reshape(dequantize(x)))` → `reshape(quantize(dequantize(x)))` for x of 32 bits,
    likewise a transpose: eight bits move, and the op that computed x requantises."""

    ctx: Context

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: QuantizeOp, rewriter: PatternRewriter) -> None:
        move = op.input.owner
        if not isinstance(move, ReshapeOp | TransposeOp) or not move.result.has_one_use():
            return
        x = affine_of(self.ctx, move.input)
        if x is None or element_type(x.value) != si32:
            return
        eight_bits = quantize(move.input, op)
        moved = _like(move, [eight_bits.result], element_type(op.result))
        replace_op(rewriter, op, [eight_bits, moved], absorbed=[move])


def _dequantised(ctx: Context, value: SSAValue) -> Quantised | None:
    """What `graph.dequantize` makes of eight bits."""
    return quantised(ctx, value) if isinstance(value.owner, DequantizeOp) else None


def _quantised_number(op: PadOp, x: Quantised) -> int | None:
    """The integer that stands for what a pad is filled with, if there is one."""
    assert isinstance(op.value, FloatAttr)
    number = op.value.value.data / float(x.scale.item()) + x.zero_point
    low, high = integer_range(element_type(x.value))
    is_exact = math.isfinite(number) and abs(number - round(number)) < 1e-4
    return round(number) if is_exact and low <= round(number) <= high else None


def _moved(op: Operation, scale: Array) -> Array | None:
    """A scale behind an op that moves elements, if it still varies along few dimensions only."""
    if scale.size == 1:
        return scale
    whole = np.broadcast_to(scale, shape_of(op.operands[0])).astype(np.float32)
    moved = shrink(evaluate_whole(op, [whole]))
    return moved if moved.size <= scale.size else None


@dataclass
class SinkThroughGather(RewritePattern):
    """`gather(dequantize(table), i)` → `dequantize(gather(table, i))`."""

    ctx: Context

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: GatherOp, rewriter: PatternRewriter) -> None:
        table = _dequantised(self.ctx, op.table)
        if table is None or not table.is_uniform:
            return
        rows = _like(op, [table.value, op.indices], element_type(table.value))
        back = dequantize(self.ctx, rows.results[0], table.scale, table.zero_point)
        replace_op(rewriter, op, [rows, *back])


@dataclass
class RaiseThroughChoice(RewritePattern):
    """`quantize(concat(x, y))` → `concat(quantize(x), quantize(y))`, if one of the operands is
    dequantised; likewise a select."""

    ctx: Context

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: QuantizeOp, rewriter: PatternRewriter) -> None:
        choice = op.input.owner
        if not isinstance(choice, ConcatOp | SelectOp):
            return
        values = _choices(choice)
        if all(affine_of(self.ctx, v) is None for v in values):
            return
        parts = [quantize(v, op) for v in values]
        whole = _chosen(choice, [part.result for part in parts], element_type(op.result))
        replace_op(rewriter, op, [*parts, whole], absorbed=[choice])


@dataclass
class SinkThroughChoice(RewritePattern):
    """`concat(dequantize(x), dequantize(y))` → `dequantize(concat(x, y))` where both are quantised
    alike; likewise a select."""

    ctx: Context

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if not isinstance(op, ConcatOp | SelectOp):
            return
        parts = [_dequantised(self.ctx, v) for v in _choices(op)]
        first, known = parts[0], [p for p in parts if p is not None and p.is_uniform]
        kinds = {(p.scale.item(), p.zero_point, element_type(p.value)) for p in known}
        if first is None or len(known) < len(parts) or len(kinds) > 1:
            return
        whole = _chosen(op, [p.value for p in known], element_type(first.value))
        back = dequantize(self.ctx, whole.results[0], first.scale, first.zero_point)
        replace_op(rewriter, op, [whole, *back])


def _choices(op: ConcatOp | SelectOp) -> Sequence[SSAValue]:
    """The operands whose elements the result consists of."""
    return op.inputs if isinstance(op, ConcatOp) else (op.lhs, op.rhs)


def _chosen(op: ConcatOp | SelectOp, values: Sequence[SSAValue], elements: Attribute) -> Operation:
    """The same choice among other values."""
    before = () if isinstance(op, ConcatOp) else (op.condition,)
    return _like(op, (*before, *values), elements)


def _like(op: Operation, operands: Sequence[SSAValue], elements: Attribute) -> Operation:
    """`op` on other operands, with other elements and without anything but its attributes."""
    return type(op).create(
        operands=operands,
        properties=op.properties,
        result_types=[tensor(shape_of(op.results[0]), elements)],
    )


# --- Activations ----------------------------------------------------------------------------------


class FuseActivation(RewritePattern):
    """`quantize(relu(x))` → `quantize(x)` with tighter limits; likewise a clip. Quantisation keeps
    the order of numbers, so limits may be quantised instead of what they limit."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: QuantizeOp, rewriter: PatternRewriter) -> None:
        activation = op.input.owner
        if not isinstance(activation, UnaryOp) or op.scale.value.data <= 0:
            return
        if activation.function.data not in ("relu", "clip"):
            return
        limits = np.asarray(_limits(activation), np.float32)
        low, high = evaluate(op, [limits], ()).tolist()
        fused = quantize(activation.input, op, low, high)
        replace_op(rewriter, op, fused, absorbed=[activation])


# --- Reductions -----------------------------------------------------------------------------------


@dataclass
class SinkThroughMaximum(RewritePattern):
    """`max_pool(dequantize(x))` → `dequantize(max_pool(x))`, likewise `reduce max` and `reduce
    min`."""

    ctx: Context

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: MaxPoolOp | ReduceOp, rewriter: PatternRewriter) -> None:
        x = _dequantised(self.ctx, op.input)
        if x is None or not x.is_uniform or float(x.scale.item()) <= 0:
            return
        if isinstance(op, ReduceOp) and op.kind.data not in ("max", "min"):
            return
        largest = _like(op, [x.value], element_type(x.value))
        back = dequantize(self.ctx, largest.results[0], x.scale, x.zero_point)
        replace_op(rewriter, op, [largest, *back])


@dataclass
class SinkThroughSum(RewritePattern):
    """`reduce sum(dequantize(x))` → `dequantize(reduce sum(x))`; likewise a mean, whose divisor
    becomes part of the scale."""

    ctx: Context

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ReduceOp, rewriter: PatternRewriter) -> None:
        x = _dequantised(self.ctx, op.input)
        if x is None or not x.is_uniform or op.kind.data not in ("sum", "mean"):
            return
        count = math.prod(shape_of(op.input)[axis] for axis in tuple_of(op.axes))
        if element_type(x.value) not in BYTES or count * 255 > HIGHEST:
            return
        total = _like(op, [x.value], si32)
        total.properties["kind"] = StringAttr("sum")
        scale = x.scale / count if op.kind.data == "mean" else x.scale
        back = dequantize(self.ctx, total.results[0], scale, x.zero_point * count)
        replace_op(rewriter, op, [total, *back])


@dataclass
class AveragePoolToSum(RewritePattern):
    """The mean of a whole image → `graph.reduce`, and of a window on dequantised images → a
    convolution of each channel by `1 / elements`. Sums need no rounding. Not where pads do not
    count, so that elements are fewer at the border."""

    ctx: Context

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: AveragePoolOp, rewriter: PatternRewriter) -> None:
        x = _dequantised(self.ctx, op.input)
        has_pads = any(tuple_of(op.pads))
        if x is None or op.channels_last is not None or (has_pads and not op.count_include_pad):
            return
        window, image = op.window(), shape_of(op.input)
        if window == image[2:] and not has_pads:
            properties = {"kind": StringAttr("mean"), "axes": ints(SPATIAL)}
            mean = ReduceOp.create(
                operands=[op.input], properties=properties, result_types=[op.result.type]
            )
            replace_op(rewriter, op, mean)
            return
        channels = image[1]
        ones = make_constant(self.ctx, "ones", np.ones((channels, 1, *window), np.int8), si8)
        weights = dequantize(self.ctx, ones.result, np.asarray(1 / math.prod(window)))
        properties = {key: op.properties[key] for key in ("strides", "pads", "dilations")}
        conv = ConvOp.build(
            operands=[op.input, weights[-1].results[0], [], []],
            properties={**properties, "groups": IntegerAttr(channels, i64)},
            result_types=[op.result.type],
        )
        replace_op(rewriter, op, [ones, *weights, conv])


# --- The pass -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FuseQdqPass(ApproximatePass):
    """Compute on integers what stands between dequantisation and quantisation.

    Convolutions, products, pools, sums, means and movements of dequantised values become integer
    ops, with scales for the whole tensor or, of weights, for each output channel. Zero points
    become part of biases. What has no integer form stays between `graph.dequantize` and
    `graph.quantize`, on floats.
    """

    name = "fuse-qdq"
    tolerance = 0.02

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite_functions(op, [RecogniseQuantize(ctx)])
        rewrite_functions(op, [Recentre()])
        patterns: list[RewritePattern] = [
            FoldArithmetic(ctx),
            SinkThroughMovement(ctx),
            RaiseThroughMovement(ctx),
            SinkThroughGather(ctx),
            RaiseThroughChoice(ctx),
            SinkThroughChoice(ctx),
            FuseActivation(),
            SinkThroughMaximum(ctx),
            SinkThroughSum(ctx),
            AveragePoolToSum(ctx),
            MultiplyIntegers(ctx),
            ContractIntegers(ctx),
        ]
        rewrite_functions(op, patterns)
