"""Evaluation of ops on whole tensors and on tiles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from xdsl.ir import Operation

from deeploy.diagnostics import fail
from deeploy.dialects.graph import (
    GraphOp,
    InsertOp,
    Requantised,
    ReshapeOp,
    element_type,
    extent_of,
)
from deeploy.interfaces.tiling import TilingInterface, operand_tiles, result_tiles, shape_of
from deeploy.interpreters.graph.arithmetic import requantise
from deeploy.interpreters.graph.registry import Overhangs, has_meaning, meaning
from deeploy.resources import Array, numpy_dtype


def evaluate(op: TilingInterface, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    """What `op` computes from a tile of each operand.

    Args:
        op: the op; only its attributes and its result's element type are used.
        inputs: one array for each operand that is present, cut to the tensor.
        overhangs: for each operand and dimension, how far the footprint reaches over the border.
    """
    # floats may leave the numbers, as they do in generated code
    with np.errstate(all="ignore"):
        result = meaning(op)(op, inputs, overhangs)
        if isinstance(op, Requantised):
            result = _with_epilogue(op, result, inputs[len(inputs) - len(op.epilogue_maps()) :])
        return _stored(result, op)


def _with_epilogue(op: Requantised, result: Array, factors: Sequence[Array]) -> Array:
    """`result`, requantised or with its bias."""
    if op.requant is None and not factors:
        return result
    axis = channel_axis(op)
    shape = [-1 if i == axis else 1 for i in range(result.ndim)]
    vectors = iter([factor.reshape(shape) for factor in factors])
    mul = next(vectors) if op.mul is not None else None
    add = next(vectors) if op.add is not None else None
    if op.requant is not None:
        return requantise(result, op.requant, mul, add)
    return result if add is None else result + add


def evaluate_whole(op: Operation, inputs: Sequence[Array]) -> Array:
    """What `op` computes from whole tensors. Also takes `graph.reshape`, which has no tiles."""
    if isinstance(op, ReshapeOp):
        return inputs[0].reshape(_shape_at(op, inputs[0]))
    if not isinstance(op, GraphOp):
        fail(op, "has no numpy meaning on tensors")
    tiles = operand_tiles(op, op.full_box())
    # an op need not read all of an operand: slices, and the last rows of a strided window; of a
    # run-time extent an array has what is used, of which every op reads all
    parts = [
        array[tuple(slice(r.start, r.start + r.size) for r in ranges)]
        for array, (ranges, _) in zip(inputs, tiles, strict=True)
    ]
    result = evaluate(op, parts, [overhangs for _, overhangs in tiles])
    tied = op.tied()
    if tied is None:
        return result
    if isinstance(op, InsertOp) and op.offset is None:
        return np.concatenate([inputs[tied], result], op.axis.value.data)
    whole = inputs[tied].copy()
    (written,) = result_tiles(op, op.full_box())
    whole[tuple(slice(r.start, r.start + r.size) for r in written)] = result
    return whole


def _shape_at(op: ReshapeOp, array: Array) -> tuple[int, ...]:
    """The shape of a reshape's result, where the operand has the extents of an array."""
    shape = list(shape_of(op.result))
    before, after = extent_of(op.input), extent_of(op.result)
    if before is not None and after is not None:
        shape[after.dim] = array.shape[before.dim]
    return tuple(shape)


def can_evaluate(op: Operation) -> bool:
    """Whether `evaluate_whole` takes `op`."""
    return isinstance(op, ReshapeOp) or (isinstance(op, GraphOp) and has_meaning(op))


def channel_axis(op: Requantised) -> int:
    """The dimension of the result that `mul` and `add` of the epilogue run along."""
    (channel,) = op.channel_map().results
    return op.result_maps()[0].results.index(channel)


def _stored(array: Array, op: TilingInterface) -> Array:
    dtype = numpy_dtype(element_type(op.results[0]))
    if array.dtype.kind == "i" and array.dtype.itemsize > 4:
        array = array.astype(np.int32)
    return array.astype(dtype, copy=False)
