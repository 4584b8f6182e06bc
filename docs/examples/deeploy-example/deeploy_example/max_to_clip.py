"""max-to-clip: a maximum or minimum with one number is a clip, which other passes can fuse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, i64
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern

from deeploy.diagnostics import replace_op
from deeploy.dialects.graph import ClipOp, MaxOp, MinOp
from deeploy.interfaces.bounds import range_of
from deeploy.interfaces.tiling import shape_of
from deeploy.passes.graph.rewriting import constant_of, rewrite_functions


@dataclass
class ExtremumToClip(RewritePattern):
    """`max(x, 3)` → `clip(x) {min = 3}`, `min(x, 3)` → `clip(x) {max = 3}`."""

    ctx: Context

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if not isinstance(op, MaxOp | MinOp):
            return
        if any(r is not None for r in (op.lhs_requant, op.rhs_requant, op.requant)):
            return
        found = self.number_in(op.lhs, op.rhs) or self.number_in(op.rhs, op.lhs)
        if found is None:
            return
        x, number = found
        inner, outer = range_of(x), range_of(op.result)
        # the clip keeps the shape, and its limits must fit the type of the result
        if shape_of(x) != shape_of(op.result) or inner is None or outer is None:
            return
        low, high = (number, inner[1]) if isinstance(op, MaxOp) else (inner[0], number)
        low, high = max(low, outer[0]), min(high, outer[1])
        if low > high:
            return
        limits = {"min": IntegerAttr(low, i64), "max": IntegerAttr(high, i64)}
        clip = ClipOp.create(operands=[x], properties=limits, result_types=[op.result.type])
        replace_op(rewriter, op, clip)

    def number_in(self, x: SSAValue, other: SSAValue) -> tuple[SSAValue, int] | None:
        """`x` with the value of all elements of the constant `other`."""
        array = constant_of(self.ctx, other)
        if array is None or array.dtype.kind not in "iu" or not np.all(array == array.flat[0]):
            return None
        return x, int(array.flat[0])


@dataclass(frozen=True)
class MaxToClipPass(ModulePass):
    """Write maxima and minima with one number as clips."""

    name: ClassVar[str] = "max-to-clip"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite_functions(op, [ExtremumToClip(ctx)])
