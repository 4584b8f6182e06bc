"""Comparisons, and choices between two tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from deeploy.dialects.graph import CompareOp, SelectOp
from deeploy.interpreters.graph.registry import Overhangs, numpy_meaning
from deeploy.resources import Array

_COMPARISONS: Mapping[str, Callable[[Array, Array], Any]] = {
    "equal": np.equal,
    "greater": np.greater,
    "greater_equal": np.greater_equal,
    "less": np.less,
    "less_equal": np.less_equal,
    "not_equal": np.not_equal,
}


@numpy_meaning(CompareOp)
def compare(op: CompareOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    return _COMPARISONS[op.kind.data](*inputs)


@numpy_meaning(SelectOp)
def select(op: SelectOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    condition, lhs, rhs = inputs
    return np.where(condition != 0, lhs, rhs)
