"""`fuse-requant`: bias, requantisation and activation into the op that computes the value.

Accumulators then never leave the registers of the kernel. Ops in between are described as an
`Epilogue`; two of them become one only where that is exact modulo 2^32.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import AnyFloat, ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from deeploy.diagnostics import node_name, replace_op
from deeploy.dialects.graph import (
    AddOp,
    BinaryOp,
    ClipOp,
    ConvOp,
    DepthwiseConvOp,
    MatmulOp,
    RequantAttr,
    Requantised,
    RequantOp,
    SubOp,
    element_type,
)
from deeploy.interfaces.tiling import shape_of
from deeploy.interpreters.graph import channel_axis
from deeploy.passes.graph.epilogue import (
    Epilogue,
    along_axis,
    as_epilogue,
    epilogue_of,
    make_requant,
    with_epilogue,
)
from deeploy.passes.graph.rewriting import constant_of, make_constant, rewrite_functions

SEGMENTS = "operandSegmentSizes"


def _key(op: Operation) -> str:
    return node_name(op) or "requant"


@dataclass
class MergeRequants(RewritePattern):
    """`requant(requant(x))` → `requant(x)`, where clips, and arithmetic with a constant, count as
    requantisations. The first one must not shift or clamp, or the second only clamp."""

    ctx: Context

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        second = as_epilogue(self.ctx, op)
        if second is None or not second[0].has_one_use():
            return
        producer = second[0].owner
        first = as_epilogue(self.ctx, producer) if isinstance(producer, Operation) else None
        if first is None:
            return
        merged = first[1].then(second[1])
        if merged is None or _is_larger(merged, first[1], second[1]):
            return
        assert isinstance(producer, Operation)
        elements = element_type(op.results[0])
        new_ops = make_requant(self.ctx, first[0], merged, elements, _key(op))
        replace_op(rewriter, op, new_ops)
        rewriter.erase(producer)


def _is_larger(merged: Epilogue, first: Epilogue, second: Epilogue) -> bool:
    """Whether `[C, 1] * [1, W]` has become a whole table."""
    before = max(first.mul.size, first.add.size, second.mul.size, second.add.size)
    return max(merged.mul.size, merged.add.size) > before


@dataclass
class FuseIntoProducer(RewritePattern):
    """`requant(conv(x))` → `conv(x) {requant}`, for all ops with an epilogue; likewise a bias
    (sum with a constant), a product with a constant, and a clip. The result of the producer must
    have no other use, and the factors must run along its channels."""

    ctx: Context

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        consumer = as_epilogue(self.ctx, op)
        if consumer is None:
            return
        value, second = consumer
        producer = value.owner
        if not isinstance(producer, Requantised) or not value.has_one_use():
            return
        if not shape_of(value):
            return
        first = epilogue_of(self.ctx, producer)
        merged = first.then(second) if first is not None else None
        if merged is None:
            return
        elements = element_type(op.results[0])
        new_ops = with_epilogue(self.ctx, producer, merged, elements, _key(producer))
        if new_ops is None:
            return
        # the compute op is what the user knows the fused op by
        new_ops[-1].location = producer.location
        replace_op(rewriter, op, new_ops)
        rewriter.erase(producer)


@dataclass
class FuseBias(RewritePattern):
    """`add(matmul(x, y), constant)` → `matmul(x, y) add constant` on floats; likewise convolutions,
    and a constant that is subtracted. The constant must run along the channels."""

    ctx: Context

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: AddOp | SubOp, rewriter: PatternRewriter) -> None:
        if not isinstance(element_type(op.result), AnyFloat) or op.add is not None:
            return
        value, bias = op.lhs, constant_of(self.ctx, op.rhs)
        if bias is None and isinstance(op, AddOp):
            value, bias = op.rhs, constant_of(self.ctx, op.lhs)
        producer = value.owner
        if bias is None or not isinstance(producer, ConvOp | DepthwiseConvOp | MatmulOp):
            return
        shape = shape_of(value)
        if producer.add is not None or not value.has_one_use() or shape_of(op.result) != shape:
            return
        channels = producer.channels()
        vector = along_axis(bias, len(shape), channel_axis(producer), channels)
        if vector is None:
            return
        vector = np.broadcast_to(-vector if isinstance(op, SubOp) else vector, (channels,))
        constant = make_constant(
            self.ctx, f"{_key(producer)}_bias", vector, element_type(op.result)
        )
        constant.result.name_hint = "bias"
        new_op = type(producer).build(
            operands=[*([v] for v in producer.operands), [], [constant.result]],
            properties={k: v for k, v in producer.properties.items() if k != SEGMENTS},
            result_types=[op.result.type],
        )
        new_op.location = producer.location
        replace_op(rewriter, op, [constant, new_op])
        rewriter.erase(producer)


@dataclass
class FuseIntoOperand(RewritePattern):
    """`add(requant(x), y)` → `add(x, y) {lhs_requant}`: a residual is requantised as it is read.
    Only numbers, and only where the requantised value has no other use and is not broadcast, or
    the work would be done again for each copy."""

    ctx: Context

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: AddOp | SubOp, rewriter: PatternRewriter) -> None:
        lhs, lhs_requant = self._absorb(op, op.lhs.owner, op.lhs_requant)
        rhs, rhs_requant = self._absorb(op, op.rhs.owner, op.rhs_requant)
        if lhs is None and rhs is None:
            return
        properties = dict(op.properties)
        if lhs_requant is not None:
            properties["lhs_requant"] = lhs_requant
        if rhs_requant is not None:
            properties["rhs_requant"] = rhs_requant
        operands = [lhs.input if lhs else op.lhs, rhs.input if rhs else op.rhs, *op.operands[2:]]
        new_op = type(op).create(
            operands=operands, properties=properties, result_types=[op.result.type]
        )
        new_op.location = op.location
        replace_op(rewriter, op, new_op)
        for absorbed in (lhs, rhs):
            if absorbed is not None:
                rewriter.erase(absorbed)

    def _absorb(
        self, op: BinaryOp, owner: object, requant: RequantAttr | None
    ) -> tuple[RequantOp | ClipOp | None, RequantAttr | None]:
        """The op to absorb, if any, and the operand's requantisation afterwards."""
        unchanged = (None, requant)
        if requant is not None or not isinstance(owner, RequantOp | ClipOp):
            return unchanged
        if not owner.result.has_one_use() or len(owner.operands) != 1:
            return unchanged
        if prod(shape_of(owner.result)) < prod(shape_of(op.results[0])):
            return unchanged
        parts = as_epilogue(self.ctx, owner)
        if parts is None:
            return unchanged
        _, epilogue = parts
        numbers = (int(epilogue.mul), int(epilogue.add), epilogue.shift)
        return owner, RequantAttr.of(*numbers, min=epilogue.low, max=epilogue.high)


@dataclass(frozen=True)
class FuseRequantPass(ModulePass):
    """Fuse bias, requantisation and activation into the op that computes the value.

    First everything is moved up into the producers, since there it saves writing an accumulator;
    then requantisations that are left in front of a sum or difference are moved down into it. On
    floats only a constant bias is fused.
    """

    name = "fuse-requant"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite_functions(op, [MergeRequants(ctx), FuseIntoProducer(ctx), FuseBias(ctx)])
        rewrite_functions(op, [FuseIntoOperand(ctx)])
