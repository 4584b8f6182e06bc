"""Comparisons and choices on the cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from deeploy.dialects.graph import CompareOp, GraphOp, SelectOp, element_type
from deeploy.engines import Instance, Kernel, Sizes
from deeploy.engines.cluster.common import (
    FLOATS,
    INTEGERS,
    decline_rank,
    decline_types,
    instance,
)
from deeploy.engines.cluster.cost import walk
from deeploy.engines.cluster.movement import by_size
from deeploy.engines.cluster.walk import WalkingKernel

SYMBOLS = {
    "equal": "==",
    "greater": ">",
    "greater_equal": ">=",
    "less": "<",
    "less_equal": "<=",
    "not_equal": "!=",
}
"""Comparisons in C."""


class CompareKernel(WalkingKernel):
    """`compare`: a comparison of two operands."""

    family = "compare"
    names = "ab"

    def declines(self, op: GraphOp) -> str | None:
        types = {"lhs": INTEGERS + FLOATS, "rhs": INTEGERS + FLOATS}
        return decline_types(op, types) or decline_rank(op)

    def template(self, op: GraphOp) -> Instance:
        assert isinstance(op, CompareOp)
        made = instance(self.family, op.kind.data, a=element_type(op.lhs), b=element_type(op.rhs))
        comparison = ("DPL_OP(a, b)", f"((a) {SYMBOLS[op.kind.data]} (b))")
        return replace(made, macros=(*made.macros, comparison))

    def cycles(self, op: GraphOp, sizes: Sequence[Sizes], cores: int) -> Sizes:
        # two loads, the comparison, a store
        return walk(op, sizes, 4, cores)


class SelectKernel(WalkingKernel):
    """`select`: one of two operands."""

    family = "select"
    names = "cab"

    def declines(self, op: GraphOp) -> str | None:
        return decline_types(op, {"result": INTEGERS + FLOATS}) or decline_rank(op)

    def template(self, op: GraphOp) -> Instance:
        return by_size(op, self.family)

    def cycles(self, op: GraphOp, sizes: Sequence[Sizes], cores: int) -> Sizes:
        # three loads, two instructions that keep one of two values, a store
        return walk(op, sizes, 6, cores)


KERNELS: dict[type[GraphOp], Kernel] = {CompareOp: CompareKernel(), SelectOp: SelectKernel()}
