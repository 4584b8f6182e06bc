"""Operators that move values without changing them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from xdsl.dialects.builtin import f32
from xdsl.ir import Attribute

from deeploy.diagnostics import DeeployError
from deeploy.dialects.graph import ConcatOp, PadOp, ints
from deeploy.frontend.builder import Builder, number, real_number
from deeploy.frontend.folding import is_empty
from deeploy.frontend.nodes import Node, normalised_axes, normalised_axis
from deeploy.frontend.ranges import Interval, smallest_type, union
from deeploy.frontend.registry import NUMBERS, converter
from deeploy.frontend.values import ElementType, Tensor, Value, any_real, interval_of


@converter("Identity", "passes its input on", types=NUMBERS)
def convert_identity(node: Node, b: Builder) -> Value:
    """Nothing."""
    return node.value(0)


@converter("Dropout", "for inference: passes its input on; no mask", types=NUMBERS, schema=False)
def convert_dropout(node: Node, b: Builder) -> Value:
    """Nothing."""
    node.single_output("mask")
    if node.scalar_from("training_mode", 2):
        raise DeeployError("'training_mode' is not supported")
    return node.value(0)


@converter("Flatten", "any axis", types=NUMBERS)
def convert_flatten(node: Node, b: Builder) -> Value:
    """`graph.reshape` to two dimensions."""
    x = b.tensor(node.value(0))
    axis, rank = node.integer("axis", 1), len(x.shape)
    # an axis behind the last dimension is allowed here
    axis = rank if axis == rank else normalised_axis(axis, rank)
    return b.reshape(x, (math.prod(x.shape[:axis]), math.prod(x.shape[axis:])))


@converter("Reshape", "constant shape; 0, -1 and allowzero", types=NUMBERS)
def convert_reshape(node: Node, b: Builder) -> Value:
    """`graph.reshape`."""
    x = b.tensor(node.value(0))
    shape = node.integers_from("shape", 1)
    if shape is None:
        raise DeeployError("'shape' is missing")
    return b.reshape(x, _resolved_shape(shape, x.shape, bool(node.integer("allowzero", 0))))


def _resolved_shape(
    shape: Sequence[int], old: tuple[int, ...], allow_zero: bool
) -> tuple[int, ...]:
    """`shape` with the meaning of 0 and -1 filled in."""
    wrong = DeeployError(f"cannot reshape {old} to {list(shape)}")
    if sum(e == -1 for e in shape) > 1 or min(shape, default=0) < -1:
        raise wrong
    if not allow_zero and any(e == 0 and i >= len(old) for i, e in enumerate(shape)):
        raise wrong
    result = [old[i] if e == 0 and not allow_zero else e for i, e in enumerate(shape)]
    if -1 in result:
        known = math.prod(e for e in result if e != -1)
        result[result.index(-1)] = math.prod(old) // known if known else 0
    if math.prod(result) != math.prod(old):
        raise wrong
    return tuple(result)


@converter("Squeeze", "axes as attribute or constant input", types=NUMBERS, schema=False)
def convert_squeeze(node: Node, b: Builder) -> Value:
    """`graph.reshape`."""
    x = b.tensor(node.value(0))
    axes = node.integers_from("axes", 1)
    if axes is None:
        return b.reshape(x, [e for e in x.shape if e != 1])
    axes = normalised_axes(axes, len(x.shape))
    if any(x.shape[axis] != 1 for axis in axes):
        raise DeeployError(f"axes {list(axes)} of shape {x.shape} do not all have extent 1")
    return b.reshape(x, [e for i, e in enumerate(x.shape) if i not in axes])


@converter("Unsqueeze", "axes as attribute or constant input", types=NUMBERS, schema=False)
def convert_unsqueeze(node: Node, b: Builder) -> Value:
    """`graph.reshape`."""
    x = b.tensor(node.value(0))
    axes = node.integers_from("axes", 1)
    if axes is None:
        raise DeeployError("'axes' is missing")
    rank = len(x.shape) + len(axes)
    axes = normalised_axes(axes, rank)
    rest = iter(x.shape)
    return b.reshape(x, [1 if i in axes else next(rest) for i in range(rank)])


@converter("Transpose", "any permutation", types=NUMBERS)
def convert_transpose(node: Node, b: Builder) -> Value:
    """`graph.transpose`."""
    x = b.tensor(node.value(0))
    permutation = node.integers("perm") or tuple(reversed(range(len(x.shape))))
    return b.transpose(x, permutation)


@converter("Expand", "constant shape", types=NUMBERS)
def convert_expand(node: Node, b: Builder) -> Value:
    """A `graph.concat` of copies along each dimension that grows."""
    x, shape = b.tensor(node.value(0)), node.integers_from("shape", 1)
    if shape is None:
        raise DeeployError("'shape' is missing")
    rank = max(len(shape), len(x.shape))
    before = (1,) * (rank - len(x.shape)) + x.shape
    after = (1,) * (rank - len(shape)) + tuple(shape)
    if any(1 not in (old, new) and old != new for old, new in zip(before, after, strict=True)):
        raise DeeployError(f"cannot expand {x.shape} to {list(shape)}")
    x = b.reshape(x, before)
    for axis, (old, new) in enumerate(zip(before, after, strict=True)):
        if old == 1 and new > 1:
            x = concat(b, [x] * new, axis)
    return x


@converter("DepthToSpace", "both modes", types=NUMBERS)
def convert_depth_to_space(node: Node, b: Builder) -> Value:
    """A `graph.transpose` between two of `graph.reshape`."""
    x, size = b.tensor(node.value(0)), node.integer("blocksize")
    n, c, h, w = _image_shape(x)
    if size < 1 or c % (size * size):
        raise DeeployError(f"{c} channels cannot be spread over blocks of {size} by {size}")
    mode, depth = node.string("mode", "DCR"), c // (size * size)
    if mode == "CRD":
        blocks = b.reshape(x, (n, depth, size, size, h, w))
        spread = b.transpose(blocks, (0, 1, 4, 2, 5, 3))
    else:
        blocks = b.reshape(x, (n, size, size, depth, h, w))
        spread = b.transpose(blocks, (0, 3, 4, 1, 5, 2))
    return b.reshape(spread, (n, depth, h * size, w * size))


@converter("SpaceToDepth", "images", types=NUMBERS)
def convert_space_to_depth(node: Node, b: Builder) -> Value:
    """A `graph.transpose` between two of `graph.reshape`."""
    x, size = b.tensor(node.value(0)), node.integer("blocksize")
    n, c, h, w = _image_shape(x)
    if size < 1 or h % size or w % size:
        raise DeeployError(f"an image of {h} by {w} has no blocks of {size} by {size}")
    blocks = b.reshape(x, (n, c, h // size, size, w // size, size))
    stacked = b.transpose(blocks, (0, 3, 5, 1, 2, 4))
    return b.reshape(stacked, (n, c * size * size, h // size, w // size))


def _image_shape(x: Tensor) -> tuple[int, int, int, int]:
    if len(x.shape) != 4:
        raise DeeployError(f"the input has shape {x.shape}, but an image [N, C, H, W] is expected")
    n, c, h, w = x.shape
    return n, c, h, w


@converter("Concat", "any axis and number of operands; empty ones vanish", types=NUMBERS)
def convert_concat(node: Node, b: Builder) -> Value:
    """`graph.concat` in the smallest type that holds all operands."""
    values = [value for value in node.values() if not is_empty(value)]
    if len(values) == 1:
        return values[0]
    if not values:
        raise DeeployError("all operands are empty")
    return concat(b, values, normalised_axis(node.integer("axis"), len(values[0].shape)))


def concat(b: Builder, values: Sequence[Value], axis: int) -> Tensor:
    """`graph.concat`, in the smallest type that holds all values."""
    parts, interval, type = of_one_type(b, values)
    operands = {"inputs": [part.ssa for part in parts]}
    return b.emit(ConcatOp, operands, interval, {"axis": number(axis)}, element_type=type)


def of_one_type(
    b: Builder, values: Sequence[Value]
) -> tuple[list[Tensor], Interval | None, ElementType]:
    """`values` as tensors of one element type, and the interval that holds them all: floats if one
    is, else the type that all have, or the smallest that fits."""
    if any_real(*values):
        return [b.real(value) for value in values], None, f32
    interval = union(interval_of(value) for value in values)
    type: ElementType = smallest_type(interval)
    tensors = [b.tensor(value) for value in values]
    if len({tensor.element_type for tensor in tensors}) == 1:
        type = tensors[0].element_type
    return [b.tensor(value, type) for value in values], interval, type


@converter(
    "Pad",
    "constant mode; pads and value constant, as attributes or inputs",
    types=NUMBERS,
    schema=False,
)
def convert_pad(node: Node, b: Builder) -> Value:
    """`graph.pad`."""
    mode = node.string("mode", "constant")
    if mode != "constant":
        raise DeeployError(f"mode '{mode}' is not supported", "only 'constant' is")
    value = node.scalar_from("value", 2) or 0
    x, (low, high) = node.value(0), _pads(node, len(node.value(0).shape))
    if not any((*low, *high)):
        return x
    properties: dict[str, Attribute] = {"low": ints(low), "high": ints(high)}
    if x.is_real or not float(value).is_integer():
        properties["value"] = real_number(value)
        return b.emit(PadOp, {"input": b.real(x).ssa}, None, properties)
    interval = interval_of(x) | Interval(int(value), int(value))
    tensor = b.tensor(x)
    if int(value) and interval != tensor.interval:
        tensor = b.tensor(tensor, smallest_type(interval))
    properties["value"] = number(int(value))
    type = tensor.element_type
    return b.emit(PadOp, {"input": tensor.ssa}, interval, properties, element_type=type)


def _pads(node: Node, rank: int) -> tuple[list[int], list[int]]:
    """Pads before and behind each dimension."""
    pads = node.integers_from("pads", 1)
    if pads is None:
        raise DeeployError("'pads' is missing")
    axes = node.integers_from("axes", 3)
    axes = range(rank) if axes is None else normalised_axes(axes, rank)
    if len(pads) != 2 * len(axes):
        raise DeeployError(f"'pads' needs {2 * len(axes)} numbers, not {len(pads)}")
    if min(pads, default=0) < 0:
        raise DeeployError(f"negative pads {list(pads)} are not supported", "use Slice instead")
    low, high = [0] * rank, [0] * rank
    for i, axis in enumerate(axes):
        low[axis], high[axis] = pads[i], pads[i + len(axes)]
    return low, high
