"""`split-reductions`: reductions of what takes much of the compute memory, in two steps.

A kernel sees all elements of a result at once. Where they are too many, an op reduces the last axes
for which they are not, tile by tile along the others, and a second op the rest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import DenseArrayBase, ModuleOp, i64
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from deeploy.diagnostics import replace_op
from deeploy.dialects.graph import ReduceOp, element_type, tuple_of
from deeploy.dialects.graph.base import is_float
from deeploy.dialects.mem import element_bytes
from deeploy.interfaces.tiling import shape_of
from deeploy.passes.graph.rewriting import rewrite_functions, tensor
from deeploy.targets import target_of

SHARE = 4
"""Elements of one result may take such a part of the compute memory: a nest has buffers for two of
its tiles, and for what it computes in front."""


@dataclass(frozen=True)
class SplitReductionsPass(ModulePass):
    """Split a reduction over several axes that reads too much at once for the compute memory.

    The mean of integers stays: it is rounded once. Sums of floats are rounded in another order.
    """

    name: ClassVar[str] = "split-reductions"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        target = target_of(op)
        rewrite_functions(op, [SplitReduction(target.memory(target.compute).size // SHARE)])


@dataclass
class SplitReduction(RewritePattern):
    """`reduce(x, a + b)` → `reduce(reduce(x, b), a)` where `b` reads at most `room` bytes."""

    room: int

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ReduceOp, rewriter: PatternRewriter) -> None:
        if op.kind.data == "mean" and not is_float(op.input):
            return
        shape, axes = shape_of(op.input), sorted(tuple_of(op.axes))
        most = self.room // element_bytes(element_type(op.input))
        first = fitting([shape[axis] for axis in axes], most)
        if first in (0, len(axes)):
            return
        inner, outer = axes[first:], axes[:first]
        extents = tuple(1 if axis in inner else extent for axis, extent in enumerate(shape))
        partial = ReduceOp.create(
            operands=[op.input],
            properties={**op.properties, "axes": DenseArrayBase.from_list(i64, inner)},
            result_types=[tensor(extents, element_type(op.result))],
        )
        whole = ReduceOp.create(
            operands=[partial.result],
            properties={**op.properties, "axes": DenseArrayBase.from_list(i64, outer)},
            result_types=[op.result.type],
        )
        replace_op(rewriter, op, [partial, whole])


def fitting(extents: Sequence[int], most: int) -> int:
    """The first extent from which on the product of all is at most `most`."""
    first = len(extents)
    while first > 0 and math.prod(extents[first - 1 :]) <= most:
        first -= 1
    return first
