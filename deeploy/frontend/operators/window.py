"""Operators that slide a window over an image: convolutions and pools, 1-D and 2-D.

One-dimensional images get one row: `[N, C, L]` becomes `[N, C, 1, L]` and back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from xdsl.ir import Attribute

from deeploy.diagnostics import DeeployError
from deeploy.dialects.graph import (
    AddOp,
    AveragePoolOp,
    ConvOp,
    MaxPoolOp,
    PoolOp,
    ints,
    si32,
)
from deeploy.frontend.builder import Builder, flag, number
from deeploy.frontend.epilogue import Factor, factor, requant
from deeploy.frontend.nodes import Node
from deeploy.frontend.ranges import (
    ZERO,
    IntArray,
    Interval,
    check_accumulator,
)
from deeploy.frontend.registry import NUMBERS, converter
from deeploy.frontend.values import Constant, Tensor, Value, is_real_product
from deeploy.frontend.weights import constant_weight, known_sums, unknown_sums


class Geometry(NamedTuple):
    """Two of each; pads are top, left, bottom, right."""

    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    pads: tuple[int, ...]
    dilations: tuple[int, ...]

    def properties(self) -> dict[str, Attribute | None]:
        """Those that all window ops have."""
        return {
            "strides": ints(self.strides),
            "pads": ints(self.pads),
            "dilations": ints(self.dilations),
        }


def as_image(b: Builder, x: Tensor) -> Tensor:
    """`x` with four dimensions.

    Raises:
        DeeployError: it is no 1-D or 2-D image.
    """
    if len(x.shape) == 3:
        n, c, length = x.shape
        return b.reshape(x, (n, c, 1, length))
    if len(x.shape) == 4:
        return x
    raise DeeployError(
        f"the input has shape {x.shape}, but only 1-D and 2-D images [N, C, …] are supported"
    )


def from_image(b: Builder, y: Tensor, rank: int) -> Tensor:
    """Undo `as_image` for an input that had `rank` dimensions."""
    n, c, _, length = y.shape
    return y if rank == 4 else b.reshape(y, (n, c, length))


def geometry(
    node: Node, image: Tensor, kernel: Sequence[int], rank: int, ceil: bool = False
) -> Geometry:
    """Strides, pads and dilations of a node.

    Args:
        image: the input, with four dimensions.
        kernel: the window, one or two numbers.
        rank: the number of dimensions in the model, 3 or 4.
        ceil: whether the number of windows is rounded up.

    Raises:
        DeeployError: the attributes do not fit the input.
    """
    spatial = rank - 2
    strides = _spatial(node, "strides", (1,) * spatial)
    dilations = _spatial(node, "dilations", (1,) * spatial)
    if len(kernel) != spatial or min(*kernel, *strides, *dilations) < 1:
        raise DeeployError(f"window {list(kernel)} or strides do not fit a {spatial}-D image")
    sizes = image.shape[4 - spatial :]
    extents = [d * (k - 1) + 1 for d, k in zip(dilations, kernel, strict=True)]
    low, high = _pads(node, sizes, extents, strides)
    if ceil:
        high = _ceil_pads(sizes, extents, strides, low, high)
    fill = 2 - spatial
    return Geometry(
        (1,) * fill + tuple(kernel),
        (1,) * fill + strides,
        ((0,) * fill + low) + ((0,) * fill + high),
        (1,) * fill + dilations,
    )


def _spatial(node: Node, name: str, default: tuple[int, ...]) -> tuple[int, ...]:
    values = node.integers(name) or default
    if len(values) != len(default):
        raise DeeployError(f"'{name}' needs {len(default)} numbers, not {list(values)}")
    return values


def _pads(
    node: Node, sizes: Sequence[int], extents: Sequence[int], strides: Sequence[int]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Pads before and after the image, by `pads` or `auto_pad`."""
    spatial, mode = len(sizes), node.string("auto_pad", "NOTSET")
    if mode == "NOTSET":
        pads = _spatial(node, "pads", (0,) * (2 * spatial))
        if min(pads) < 0:
            raise DeeployError(f"'pads' must not be negative: {list(pads)}")
        return pads[:spatial], pads[spatial:]
    if mode == "VALID":
        return (0,) * spatial, (0,) * spatial
    if mode not in ("SAME_UPPER", "SAME_LOWER"):
        raise DeeployError(f"unknown 'auto_pad' {mode}")
    totals = [
        max((-(-size // stride) - 1) * stride + extent - size, 0)
        for size, extent, stride in zip(sizes, extents, strides, strict=True)
    ]
    less, more = tuple(t // 2 for t in totals), tuple(t - t // 2 for t in totals)
    return (less, more) if mode == "SAME_UPPER" else (more, less)


def _ceil_pads(
    sizes: Sequence[int],
    extents: Sequence[int],
    strides: Sequence[int],
    low: Sequence[int],
    high: Sequence[int],
) -> tuple[int, ...]:
    """Pads after the image that make room for the windows that `ceil_mode` adds."""
    result: list[int] = []
    for size, extent, stride, before, after in zip(sizes, extents, strides, low, high, strict=True):
        windows = -(-(size + before + after - extent) // stride) + 1
        # a window that starts behind the image does not count
        if (windows - 1) * stride >= size + before:
            windows -= 1
        result.append(max(after, (windows - 1) * stride + extent - size - before))
    return tuple(result)


@converter("Conv", "1-D and 2-D; groups, strides, pads, auto_pad, dilations, bias", types=NUMBERS)
def convert_conv(node: Node, b: Builder) -> Value:
    """`graph.conv`; a bias of floats, or a constant one, is its epilogue."""
    x, weight = b.tensor(node.value(0)), node.value(1)
    rank = len(x.shape)
    image = as_image(b, x)
    _check_weight(node, weight, rank)
    window = geometry(node, image, weight.shape[2:], rank)
    if is_real_product(image, weight, node.optional(2)):
        return from_image(b, _real_conv(node, b, image, weight, window), rank)
    seen = image.interval | ZERO if any(window.pads) else image.interval
    bias = _constant_bias(node, weight.shape[0])
    accumulator = _accumulator(weight, seen, bias and bias[1])
    add = Factor(0) if bias is None else factor(b, *bias, neutral=0)
    properties = window.properties() | {
        "groups": number(node.integer("group", 1)),
        "requant": None if add == Factor(0) else requant(Factor(1), add),
    }
    operands = {"input": image.ssa, "weight": _weight(b, weight).ssa, "add": add.tensor}
    y = b.emit(ConvOp, operands, accumulator, properties, element_type=si32)
    return from_image(b, _computed_bias(node, b, y), rank)


def _real_conv(node: Node, b: Builder, x: Tensor, weight: Value, window: Geometry) -> Tensor:
    """A convolution of floats; zeros as bias are left out."""
    bias, channels = node.optional(2), weight.shape[0]
    if bias is not None and bias.shape != (channels,):
        raise DeeployError(f"the bias has shape {bias.shape}, not ({channels},)")
    if isinstance(bias, Constant) and not bias.array.any():
        bias = None
    operands = {
        "input": b.real(x).ssa,
        "weight": as_image(b, b.real(weight)).ssa,
        "add": None if bias is None else b.real(bias).ssa,
    }
    properties = window.properties() | {"groups": number(node.integer("group", 1))}
    return b.emit(ConvOp, operands, None, properties)


def _weight(b: Builder, weight: Value) -> Tensor:
    """The weights with four dimensions, constants in 8 bits."""
    if isinstance(weight, Tensor):
        return as_image(b, weight)
    values = weight.integers()
    shape = values.shape if values.ndim == 4 else (*values.shape[:2], 1, values.shape[2])
    return constant_weight(b, weight.name, values.reshape(shape))


def _check_weight(node: Node, weight: Value, rank: int) -> None:
    if 0 in weight.shape:
        raise DeeployError(f"the weights have shape {weight.shape}, without elements")
    if len(weight.shape) != rank:
        raise DeeployError(f"weights of shape {weight.shape} do not fit an input of rank {rank}")
    kernel = node.integers("kernel_shape")
    if kernel is not None and kernel != weight.shape[2:]:
        raise DeeployError(f"'kernel_shape' {list(kernel)} is not that of weights {weight.shape}")
    if node.integer("group", 1) < 1:
        raise DeeployError("'group' must be positive")


def _constant_bias(node: Node, channels: int) -> tuple[str, IntArray] | None:
    bias = node.optional(2)
    if not isinstance(bias, Constant):
        return None
    if bias.shape != (channels,):
        raise DeeployError(f"the bias has shape {bias.shape}, not ({channels},)")
    return bias.name, bias.integers()


def _computed_bias(node: Node, b: Builder, y: Tensor) -> Tensor:
    bias = node.optional(2)
    if not isinstance(bias, Tensor):
        return y
    rhs = b.reshape(bias, (y.shape[1], 1, 1))
    interval = check_accumulator(y.interval + rhs.interval)
    operands = {"lhs": y.ssa, "rhs": rhs.ssa}
    return b.emit(AddOp, operands, interval, element_type=si32)


def _accumulator(weight: Value, x: Interval, bias: IntArray | None) -> Interval:
    """The interval of the sums: per channel where weights are known."""
    if isinstance(weight, Constant):
        rows = weight.integers().reshape(weight.shape[0], -1)
        return known_sums(rows, x, 1, 1, bias)
    return unknown_sums(weight.interval, x, weight.shape[1:], 1, bias)


def _pool(
    node: Node,
    b: Builder,
    op_class: type[PoolOp],
    window: Geometry,
    image: Tensor,
    **properties: Attribute | None,
) -> Tensor:
    extents = [d * (k - 1) + 1 for d, k in zip(window.dilations, window.kernel, strict=True)]
    if any(p >= e for p, e in zip(window.pads, extents * 2, strict=True)):
        raise DeeployError(f"pads {list(window.pads)} hold whole windows of {list(window.kernel)}")
    padded = image.bounds
    if padded is not None and properties.get("count_include_pad"):
        padded |= ZERO
    return b.emit(
        op_class,
        {"input": image.ssa},
        padded,
        window.properties() | {"kernel": ints(window.kernel)} | properties,
        element_type=image.element_type,
    )


@converter(
    "MaxPool",
    "1-D and 2-D; strides, pads, auto_pad, dilations, ceil_mode; no indices",
    types=NUMBERS,
)
def convert_max_pool(node: Node, b: Builder) -> Value:
    """`graph.max_pool`."""
    node.single_output("Indices")
    x = b.tensor(node.value(0))
    image = as_image(b, x)
    ceil = bool(node.integer("ceil_mode", 0))
    window = geometry(node, image, node.integers("kernel_shape") or (), len(x.shape), ceil)
    return from_image(b, _pool(node, b, MaxPoolOp, window, image), len(x.shape))


@converter(
    "AveragePool",
    "1-D and 2-D; half rounds up on integers; strides, pads, auto_pad, dilations, ceil_mode, "
    "count_include_pad",
    types=NUMBERS,
)
def convert_average_pool(node: Node, b: Builder) -> Value:
    """`graph.average_pool`."""
    x = b.tensor(node.value(0))
    image = as_image(b, x)
    kernel = node.integers("kernel_shape") or ()
    window = geometry(node, image, kernel, len(x.shape))
    counted = bool(node.integer("count_include_pad", 0)) and any(window.pads)
    if node.integer("ceil_mode", 0):
        enlarged = geometry(node, image, kernel, len(x.shape), ceil=True)
        if counted and enlarged != window:
            raise DeeployError(
                "'count_include_pad' together with 'ceil_mode' is not supported here",
                "export the pool with ceil_mode=0",
            )
        window = enlarged
    y = _pool(node, b, AveragePoolOp, window, image, count_include_pad=flag(counted))
    return from_image(b, y, len(x.shape))


def _global_pool(node: Node, b: Builder, op_class: type[PoolOp]) -> Tensor:
    x = b.tensor(node.value(0))
    image = as_image(b, x)
    window = Geometry(image.shape[2:], (1, 1), (0, 0, 0, 0), (1, 1))
    return from_image(b, _pool(node, b, op_class, window, image), len(x.shape))


@converter("GlobalAveragePool", "1-D and 2-D; half rounds up on integers", types=NUMBERS)
def convert_global_average_pool(node: Node, b: Builder) -> Value:
    """`graph.average_pool` with a window as large as the image."""
    return _global_pool(node, b, AveragePoolOp)


@converter("GlobalMaxPool", "1-D and 2-D", types=NUMBERS)
def convert_global_max_pool(node: Node, b: Builder) -> Value:
    """`graph.max_pool` with a window as large as the image."""
    return _global_pool(node, b, MaxPoolOp)
