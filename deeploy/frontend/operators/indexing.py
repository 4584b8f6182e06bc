"""Operators that pick parts of a tensor."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from deeploy.diagnostics import DeeployError
from deeploy.dialects.graph import GatherOp
from deeploy.frontend.builder import Builder
from deeploy.frontend.nodes import Node, normalised_axes, normalised_axis
from deeploy.frontend.operators.movement import concat
from deeploy.frontend.ranges import IntArray
from deeploy.frontend.registry import NUMBERS, converter
from deeploy.frontend.values import Constant, Tensor, Value


def part(b: Builder, x: Tensor, axis: int, start: int, extent: int) -> Tensor:
    """`extent` elements of `x` along `axis`, from `start` on."""
    starts, shape = [0] * len(x.shape), list(x.shape)
    starts[axis], shape[axis] = start, extent
    return b.slice(x, starts, shape, [1] * len(shape))


@converter(
    "Slice", "constant bounds, as attributes or inputs; positive steps", types=NUMBERS, schema=False
)
def convert_slice(node: Node, b: Builder) -> Value:
    """`graph.slice`."""
    x = b.tensor(node.value(0))
    bounds = [node.integers_from("starts", 1), node.integers_from("ends", 2)]
    begin, end = (() if values is None else values for values in bounds)
    if not begin or len(begin) != len(end):
        raise DeeployError("'starts' and 'ends' are missing or of different lengths")
    axes = node.integers_from("axes", 3) or tuple(range(len(begin)))
    steps = node.integers_from("steps", 4) or (1,) * len(begin)
    if not len(axes) == len(steps) == len(begin):
        raise DeeployError("'axes' or 'steps' have another length than 'starts'")
    return _sliced(
        b, x, normalised_axes(axes, len(x.shape)), list(zip(begin, end, steps, strict=True))
    )


def _sliced(
    b: Builder, x: Tensor, axes: Sequence[int], slices: Sequence[tuple[int, int, int]]
) -> Tensor:
    rank = len(x.shape)
    starts, steps, shape = [0] * rank, [1] * rank, list(x.shape)
    for axis, (begin, end, step) in zip(axes, slices, strict=True):
        if step < 1:
            raise DeeployError(f"step {step} is not supported", "steps must be positive")
        picked = range(x.shape[axis])[begin:end:step]
        if not picked:
            raise DeeployError(f"[{begin}:{end}:{step}] takes nothing of axis {axis} of {x.shape}")
        starts[axis], steps[axis], shape[axis] = picked.start, step, len(picked)
    return b.slice(x, starts, shape, steps)


@converter(
    "Split", "constant sizes, as attribute or input, or equal parts", types=NUMBERS, schema=False
)
def convert_split(node: Node, b: Builder) -> Sequence[Value]:
    """One `graph.slice` for each output that has a name."""
    x = b.tensor(node.value(0))
    axis = normalised_axis(node.integer("axis", 0), len(x.shape))
    sizes = node.integers_from("split", 1) or _equal_parts(x.shape[axis], len(node.outputs))
    if (sum(sizes), len(sizes)) != (x.shape[axis], len(node.outputs)) or min(sizes) < 1:
        raise DeeployError(
            f"axis {axis} of {x.shape} cannot be split into {list(sizes)} "
            f"for {len(node.outputs)} outputs"
        )
    starts = np.cumsum((0, *sizes[:-1]))
    return [
        part(b, x, axis, int(start), size) if name else x
        for name, start, size in zip(node.outputs, starts, sizes, strict=True)
    ]


def _equal_parts(extent: int, count: int) -> tuple[int, ...]:
    """As ONNX does it: the last part may be smaller."""
    size = -(-extent // count)
    return (*(size,) * (count - 1), extent - size * (count - 1))


@converter(
    "Gather",
    "any axis; indices that are no constants count modulo its extent",
    types=NUMBERS,
)
def convert_gather(node: Node, b: Builder) -> Value:
    """`graph.gather`, or with constant indices `graph.slice`, for those that are not consecutive a
    `graph.concat` of several."""
    x, indices = b.tensor(node.value(0)), node.value(1)
    axis = normalised_axis(node.integer("axis", 0), len(x.shape))
    if isinstance(indices, Constant):
        y = _picked(b, x, axis, indices.integers())
    else:
        y = _gathered(b, x, axis, indices)
    return b.reshape(y, (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]))


def _picked(b: Builder, x: Tensor, axis: int, indices: IntArray) -> Tensor:
    picked = _checked_indices(indices, x.shape[axis])
    parts = [part(b, x, axis, start, count) for start, count in _runs(picked)]
    return parts[0] if len(parts) == 1 else concat(b, parts, axis)


def _gathered(b: Builder, x: Tensor, axis: int, indices: Tensor) -> Tensor:
    outer, columns = math.prod(x.shape[:axis]), math.prod(x.shape[axis + 1 :])
    table = b.reshape(x, (outer, x.shape[axis], columns))
    vector = b.reshape(b.integers(indices), (math.prod(indices.shape),))
    operands = {"table": table.ssa, "indices": vector.ssa}
    return b.emit(GatherOp, operands, x.bounds, element_type=x.element_type)


def _checked_indices(indices: IntArray, extent: int) -> list[int]:
    flat = [int(i) for i in indices.ravel()]
    if not flat:
        raise DeeployError("there are no indices")
    for index in flat:
        if not -extent <= index < extent:
            raise DeeployError(f"index {index} is outside of an axis of extent {extent}")
    return [index % extent for index in flat]


def _runs(indices: Sequence[int]) -> list[tuple[int, int]]:
    """Consecutive indices as `(start, count)`."""
    runs: list[tuple[int, int]] = []
    for index in indices:
        if runs and sum(runs[-1]) == index:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((index, 1))
    return runs
