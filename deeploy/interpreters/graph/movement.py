"""Ops that move values without changing them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deeploy.dialects.graph import (
    ConcatOp,
    CopyOp,
    InsertOp,
    PadOp,
    SliceOp,
    TransposeOp,
    tuple_of,
)
from deeploy.interpreters.graph.arithmetic import pad
from deeploy.interpreters.graph.registry import Overhangs, numpy_meaning
from deeploy.resources import Array


@numpy_meaning(TransposeOp)
def transpose(op: TransposeOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    return inputs[0].transpose(tuple_of(op.permutation))


@numpy_meaning(SliceOp)
def slice_(op: SliceOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    # the footprint begins at the first element wanted and ends at the last one
    return inputs[0][tuple(slice(None, None, step) for step in tuple_of(op.steps))]


@numpy_meaning(PadOp)
def pad_(op: PadOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    return pad(inputs[0], overhangs[0], op.value.value.data)


@numpy_meaning(CopyOp)
def copy(op: CopyOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    return inputs[0].copy()


@numpy_meaning(InsertOp)
def insert(op: InsertOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    return inputs[0].copy()


@numpy_meaning(ConcatOp)
def concat(op: ConcatOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    return np.concatenate(inputs, axis=op.axis.value.data)
