"""Rows found by their numbers, and the numbers of the largest values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deeploy.dialects.graph import ArgReduceOp, GatherOp
from deeploy.interpreters.graph.arithmetic import wide
from deeploy.interpreters.graph.registry import Overhangs, numpy_meaning
from deeploy.resources import Array


@numpy_meaning(GatherOp)
def gather(op: GatherOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    table, indices = inputs
    return table[:, indices % table.shape[1]]


@numpy_meaning(ArgReduceOp)
def arg_reduce(op: ArgReduceOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    axis = op.axis.value.data
    x = wide(inputs[0]) if op.kind.data == "max" else -wide(inputs[0])
    if x.dtype.kind == "f":
        x = np.where(np.isnan(x), -np.inf, x)
    if op.last is None:
        return x.argmax(axis, keepdims=True)
    return x.shape[axis] - 1 - np.flip(x, axis).argmax(axis, keepdims=True)
