"""Reductions on the cluster."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from xdsl.dialects.builtin import AnyFloat
from xdsl.ir import Attribute

from deeploy.dialects.graph import GraphOp, ReduceOp, element_type, si32, tuple_of
from deeploy.engines import Fields, Instance, Kernel, KernelCall, Sizes
from deeploy.engines.cluster.common import (
    FLOATS,
    INTEGERS,
    decline_rank,
    decline_types,
    instance,
)
from deeploy.engines.cluster.cost import DIVISION, WALK_CALL, share
from deeploy.engines.cluster.walk import DIMENSIONS, Walk


def accumulation(kind: str, type: Attribute) -> tuple[str, str, str, str]:
    """Type, start, step and end of an accumulator, in C; see `deeploy/kernels/reduce.h`."""
    is_float = isinstance(type, AnyFloat)
    if kind in ("max", "min"):
        sign = ">" if kind == "max" else "<"
        return "float" if is_float else "int32_t", "(v)", f"((v) {sign} (s) ? (v) : (s))", "(s)"
    add = "((s) + (v))"
    if kind == "sum":
        return "float" if is_float else "uint32_t", "0", add, "(s)"
    if is_float:
        return "float", "0", add, "((s) / (float)(n))"
    if type == si32:
        return "int64_t", "0", add, "dpl_mean_wide(s, n)"
    return "int32_t", "0", add, "dpl_mean(s, n)"


def places(call: KernelCall) -> Fields:
    """Pointers of x and y, and where the results lie; x has there the first element of each."""
    x, y = call.inputs[0], call.output
    kept = Walk.over(y.shape, (x.strides, y.strides))
    return {
        "x": x.pointer, "y": y.pointer, "dim": kept.dim(DIMENSIONS),
        "x_stride": kept.stride(0, DIMENSIONS), "y_stride": kept.stride(1, DIMENSIONS),
    }  # fmt: skip


class ReduceKernel(Kernel):
    """`reduce`: all elements of a result, one result after the other."""

    family = "reduce"

    def declines(self, op: GraphOp) -> str | None:
        assert isinstance(op, ReduceOp)
        is_float = isinstance(element_type(op.input), AnyFloat)
        types = FLOATS if is_float else INTEGERS
        return decline_types(op, {"input": types, "result": types}) or decline_rank(op)

    def instance(self, op: GraphOp) -> Instance:
        assert isinstance(op, ReduceOp)
        x, y = element_type(op.input), element_type(op.result)
        made = instance(self.family, f"reduce_{op.kind.data}", x=x, y=y)
        names = ("DPL_ACC_T", "DPL_START(v)", "DPL_STEP(s, v)", "DPL_END(s, n)")
        macros = zip(names, accumulation(op.kind.data, x), strict=True)
        return replace(made, macros=(*made.macros, *macros))

    def arguments(self, call: KernelCall) -> Sequence[Fields]:
        op, x = call.op, call.inputs[0]
        assert isinstance(op, ReduceOp)
        axes = tuple_of(op.axes)
        over = Walk.over([x.shape[i] for i in axes], ([x.strides[i] for i in axes],))
        ranges = {"over": over.dim(DIMENSIONS), "over_stride": over.stride(0, DIMENSIONS)}
        return [{**places(call), **ranges}]

    def cycles(self, op: GraphOp, sizes: Sequence[Sizes], cores: int) -> Sizes:
        assert isinstance(op, ReduceOp)
        axes = tuple_of(op.axes)
        kept = math.prod(s for i, s in enumerate(sizes) if i not in axes)
        over = math.prod(s for i, s in enumerate(sizes) if i in axes)
        # load and add; beginning a result, dividing and storing it
        return share(kept, 4, cores) * (over * 2 + 40 + DIVISION) + WALK_CALL


KERNELS: dict[type[GraphOp], Kernel] = {ReduceOp: ReduceKernel()}
