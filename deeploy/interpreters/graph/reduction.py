"""Reductions over whole dimensions."""

from __future__ import annotations

import math
from collections.abc import Sequence

from deeploy.dialects.graph import ReduceOp, tuple_of
from deeploy.interpreters.graph.arithmetic import wide
from deeploy.interpreters.graph.registry import Overhangs, numpy_meaning
from deeploy.resources import Array


@numpy_meaning(ReduceOp)
def reduce(op: ReduceOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    x, axes = wide(inputs[0]), tuple_of(op.axes)
    match op.kind.data:
        case "max":
            return x.max(axis=axes, keepdims=True)
        case "min":
            return x.min(axis=axes, keepdims=True)
        case "sum":
            return x.sum(axis=axes, keepdims=True)
        case _:
            return _mean(x.sum(axis=axes, keepdims=True), math.prod(x.shape[a] for a in axes))


def _mean(total: Array, count: int) -> Array:
    """`total / count`; on integers half rounds up."""
    return total / count if total.dtype.kind == "f" else (2 * total + count) // (2 * count)
