"""Patterns of `fuse-qdq`: products of dequantised operands become products of integers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import AnyFloat, IntegerAttr, StringAttr, TensorType, UnitAttr, i64
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from deeploy.diagnostics import node_name, replace_op
from deeploy.dialects.graph import (
    ConvOp,
    MatmulOp,
    MulOp,
    PadOp,
    ReduceOp,
    RequantAttr,
    SubOp,
    element_type,
    ints,
    si8,
    si32,
    tuple_of,
)
from deeploy.interfaces.tiling import shape_of
from deeploy.passes.graph.quantised import (
    HIGHEST,
    LOWEST,
    bounds_of,
    dequantize,
    floats_of,
    quantised,
    rows_of,
)
from deeploy.passes.graph.rewriting import (
    constant_of,
    make_constant,
    make_reshape,
    tensor,
)
from deeploy.resources import Array


def _linear(mul: int = 1, add: int = 0) -> RequantAttr:
    """`x * mul + add`."""
    return RequantAttr.of(mul, add, min=LOWEST, max=HIGHEST)


def _accumulators(op: Operation) -> TensorType[Attribute]:
    """The type of the result of `op` with 32-bit integers."""
    return tensor(shape_of(op.results[0]), si32)


def _key(source: SSAValue | Operation) -> str:
    """What a constant made from `source` is called."""
    if isinstance(source, Operation):
        return node_name(source) or "product"
    return source.name_hint or "weight"


# --- Element by element ---------------------------------------------------------------------------


@dataclass
class MultiplyIntegers(RewritePattern):
    """`mul(dequantize(x), dequantize(y))` → `dequantize(mul(x, y))`, where zero points are
    subtracted as operands are read."""

    ctx: Context

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: MulOp, rewriter: PatternRewriter) -> None:
        if not isinstance(element_type(op.result), AnyFloat) or len(op.operands) != 2:
            return
        sides = (op.lhs, op.rhs)
        operands = [quantised(self.ctx, v) for v in sides]
        known = [q for q in operands if q is not None and q.scale.size == 1]
        if len(known) < 2 or any(floats_of(self.ctx, v) is not None for v in sides):
            return
        properties: dict[str, Attribute] = {
            name: _linear(add=-q.zero_point)
            for name, q in zip(("lhs_requant", "rhs_requant"), known, strict=True)
            if q.zero_point
        }
        product = MulOp.build(
            operands=[*(q.value for q in known), [], []],
            properties=properties,
            result_types=[_accumulators(op)],
        )
        back = dequantize(self.ctx, product.result, known[0].scale * known[1].scale)
        replace_op(rewriter, op, [product, *back])


MOST_PRODUCTS = 1 << 13
"""Of two varying operands: with zero points, each is less than 2^18."""

# --- Sums of products -----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Factor:
    """An operand in eight bits.

    Attributes:
        array: the values, where they are constant; `value` is then a constant to be made.
    """

    value: SSAValue | None
    array: Array | None
    scale: Array
    zero_point: int


@dataclass
class ContractIntegers(RewritePattern):
    """`conv(dequantize(x), dequantize(w))` → `dequantize(conv(x, w))`, likewise `graph.matmul`.

    Weights may have one scale for each output channel, and be floats that are integers. The zero
    point of x becomes part of the bias, and pads hold it; where both operands of a product vary,
    sums of the other operand are subtracted.
    """

    ctx: Context

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ConvOp | MatmulOp, rewriter: PatternRewriter) -> None:
        if not isinstance(element_type(op.results[0]), AnyFloat):
            return
        x, weight = (self._factor(v) for v in op.operands[:2])
        if x is None or weight is None or x.scale.size != 1:
            return
        if x.array is not None and (weight.array is not None or isinstance(op, ConvOp)):
            return
        if weight.array is None and shape_of(op.operands[0])[-1] > MOST_PRODUCTS:
            return
        channel_scale = _channel_scale(op, weight.scale)
        if channel_scale is None:
            return
        scale = x.scale * channel_scale
        bias = self._bias(op, x, weight, scale)
        if bias is None:
            return
        new_ops = self._integer_ops(op, x, weight, bias)
        accumulator = new_ops[-1].results[0]
        if weight.array is not None and bounds_of(self.ctx, accumulator) is None:
            for new_op in reversed(new_ops):
                new_op.erase()
            return
        if scale.size > 1 and isinstance(op, ConvOp):
            scale = scale.reshape(-1, *(1,) * (0 if op.channels_last else 2))
        replace_op(rewriter, op, [*new_ops, *dequantize(self.ctx, accumulator, scale)])

    def _factor(self, value: SSAValue) -> _Factor | None:
        """An operand in eight bits; a constant one without zero point."""
        floats = constant_of(self.ctx, value)
        if floats is not None:
            weights = np.rint(floats).astype(np.int64)
            exact = np.array_equal(weights, floats) and _is_byte(weights)
            return _Factor(None, weights, np.ones(()), 0) if exact else None
        x = quantised(self.ctx, value)
        if x is None:
            return None
        array = constant_of(self.ctx, x.value)
        if array is None:
            return _Factor(x.value, None, x.scale, x.zero_point)
        weights = array.astype(np.int64) - x.zero_point
        return _Factor(None, weights, x.scale, 0) if _is_byte(weights) else None

    def _bias(
        self, op: ConvOp | MatmulOp, x: _Factor, weight: _Factor, scale: Array
    ) -> Array | None:
        """What is added to the accumulators: one number, or one for each channel."""
        bias = np.zeros((), np.int64)
        if op.add is not None:
            floats = floats_of(self.ctx, op.add)
            if floats is None:
                return None
            bias = np.clip(np.rint(floats / scale), LOWEST, HIGHEST).astype(np.int64)
        if not x.zero_point or weight.array is None:
            return bias
        rows = rows_of(op, weight.array)
        return None if rows is None else bias - x.zero_point * rows.sum(axis=1)

    def _integer_ops(
        self, op: ConvOp | MatmulOp, x: _Factor, weight: _Factor, bias: Array
    ) -> list[Operation]:
        """The integer op, and what has to come before and after it."""
        before = list[Operation]()
        properties = {k: v for k, v in op.properties.items() if k != "operandSegmentSizes"}
        lhs, rhs = x.value, weight.value
        if lhs is None:
            lhs = self._constant(before, op.operands[0], x.array)
        if rhs is None:
            array = weight.array
            if isinstance(op, MatmulOp) and op.transpose_rhs is None and array is not None:
                # rows that lie in one piece are faster
                array, properties["transpose_rhs"] = array.swapaxes(-1, -2), UnitAttr()
            rhs = self._constant(before, op.operands[1], array)
        if isinstance(op, ConvOp) and x.zero_point and any(tuple_of(op.pads)):
            pad = _padded(op, lhs, x.zero_point)
            before.append(pad)
            lhs, properties["pads"] = pad.result, ints((0, 0, 0, 0))
        add = list[SSAValue]()
        if bias.any():
            vector = np.array(np.broadcast_to(bias, (op.channels(),)))
            constant = make_constant(self.ctx, f"{_key(op)}_bias", vector, si32)
            constant.result.name_hint = "bias"
            before.append(constant)
            add, properties["requant"] = [constant.result], _linear()
        product = type(op).build(
            operands=[[lhs], [rhs], [], add],
            properties=properties,
            result_types=[_accumulators(op)],
        )
        if isinstance(op, ConvOp) or x.array is not None or weight.array is not None:
            return [*before, product]
        return [*before, product, *_corrections(op, product, x, weight)]

    def _constant(self, ops: list[Operation], source: SSAValue, array: Array | None) -> SSAValue:
        assert array is not None
        owner = source.owner
        name = owner.operands[0] if isinstance(owner, Operation) and owner.operands else source
        constant = make_constant(self.ctx, _key(name), array, si8)
        constant.result.name_hint = name.name_hint
        ops.append(constant)
        return constant.result


def _is_byte(weights: Array) -> bool:
    return weights.size > 0 and weights.min() >= -128 and weights.max() <= 127


def _channel_scale(op: ConvOp | MatmulOp, scale: Array) -> Array | None:
    """A scale of the weights as a number or one for each channel; None if it varies elsewhere."""
    if scale.size == 1:
        return scale.reshape(())
    rows = rows_of(op, np.broadcast_to(scale, shape_of(op.operands[1])))
    return None if rows is None or np.any(rows != rows[:, :1]) else rows[:, 0]


def _padded(op: ConvOp, image: SSAValue, fill: int) -> PadOp:
    """The image of a convolution with its pads, filled with a zero point."""
    top, left, bottom, right = tuple_of(op.pads)
    pads = [op.arrange(0, *sides, 0) for sides in ((top, left), (bottom, right))]
    shape = [sum(sizes) for sizes in zip(shape_of(image), *pads, strict=True)]
    return PadOp.create(
        operands=[image],
        properties={"low": ints(pads[0]), "high": ints(pads[1]), "value": IntegerAttr(fill, i64)},
        result_types=[tensor(shape, element_type(image))],
    )


def _corrections(op: MatmulOp, product: Operation, x: _Factor, y: _Factor) -> list[Operation]:
    """`sum((a - p) * (b - q)) = sum(a * b) - p * sum(b) - q * sum(a) + k * p * q`, from the first
    term."""
    lhs, rhs = product.operands[:2]
    ops, total = list[Operation](), product.results[0]
    constant = shape_of(lhs)[-1] * x.zero_point * y.zero_point
    for zero, operand, along_rows in (
        (x.zero_point, rhs, op.transpose_rhs is not None),
        (y.zero_point, lhs, True),
    ):
        if not zero:
            continue
        *lead, rows, columns = shape_of(operand)
        axis = len(lead) + (1 if along_rows else 0)
        shape = (*lead, rows, 1) if along_rows else (*lead, 1, columns)
        sums = ReduceOp.create(
            operands=[operand],
            properties={"kind": StringAttr("sum"), "axes": ints([axis])},
            result_types=[tensor(shape, si32)],
        )
        ops.append(sums)
        if operand is rhs and along_rows:
            ops.append(make_reshape(sums.result, (*lead, 1, rows)))
        difference = SubOp.build(
            operands=[total, ops[-1].results[0], [], []],
            properties={"rhs_requant": _linear(zero, -constant)},
            result_types=[_accumulators(op)],
        )
        ops.append(difference)
        total, constant = difference.result, 0
    return ops
