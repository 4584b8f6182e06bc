"""Comparisons and choices on the cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from deeploy.dialects.graph import CompareOp, GraphOp, SelectOp, element_type
from deeploy.engines import Fields, Instance, Kernel, KernelCall, Sizes
from deeploy.engines.cluster.common import (
    FLOATS,
    INTEGERS,
    decline_rank,
    decline_types,
    dimensions,
    instance,
    strides,
)
from deeploy.engines.cluster.cost import walk
from deeploy.engines.cluster.movement import by_size

SYMBOLS = {
    "equal": "==",
    "greater": ">",
    "greater_equal": ">=",
    "less": "<",
    "less_equal": "<=",
    "not_equal": "!=",
}
"""Comparisons in C."""


def walked(call: KernelCall, names: str) -> Sequence[Fields]:
    """Pointers and strides of the inputs, under their names in C, and of the output."""
    fields: dict[str, str | int | Fields] = {"dim": dimensions(call.output)}
    for name, view in zip((*names, "y"), (*call.inputs, call.output), strict=True):
        fields |= {name: view.pointer, f"{name}_stride": strides(view)}
    return [fields]


class CompareKernel(Kernel):
    """`compare`: a comparison of two operands."""

    family = "compare"

    def declines(self, op: GraphOp) -> str | None:
        types = {"lhs": INTEGERS + FLOATS, "rhs": INTEGERS + FLOATS}
        return decline_types(op, types) or decline_rank(op)

    def instance(self, op: GraphOp) -> Instance:
        assert isinstance(op, CompareOp)
        made = instance(self.family, op.kind.data, a=element_type(op.lhs), b=element_type(op.rhs))
        comparison = ("DPL_OP(a, b)", f"((a) {SYMBOLS[op.kind.data]} (b))")
        return replace(made, macros=(*made.macros, comparison))

    def arguments(self, call: KernelCall) -> Sequence[Fields]:
        return walked(call, "ab")

    def cycles(self, op: GraphOp, sizes: Sequence[Sizes], cores: int) -> Sizes:
        # two loads, the comparison, a store
        return walk(op, sizes, 4, cores)


class SelectKernel(Kernel):
    """`select`: one of two operands."""

    family = "select"

    def declines(self, op: GraphOp) -> str | None:
        return decline_types(op, {"result": INTEGERS + FLOATS}) or decline_rank(op)

    def instance(self, op: GraphOp) -> Instance:
        return by_size(op, self.family)

    def arguments(self, call: KernelCall) -> Sequence[Fields]:
        return walked(call, "cab")

    def cycles(self, op: GraphOp, sizes: Sequence[Sizes], cores: int) -> Sizes:
        # three loads, two instructions that keep one of two values, a store
        return walk(op, sizes, 6, cores)


KERNELS: dict[type[GraphOp], Kernel] = {CompareOp: CompareKernel(), SelectOp: SelectKernel()}
