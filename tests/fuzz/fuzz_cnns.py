"""Random convolutional networks, of images or signals."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from fuzz_choices import chosen, picked
from fuzz_writer import Shape, Value, Writer
from hypothesis import strategies as st

LARGEST = 3000
"""Elements of an activation: interpreters in Python go through them."""


def cnn(w: Writer) -> None:
    """A few blocks and a head."""
    dimensions = w.pick(2, 2, 2, 1)
    longest = 12 if dimensions == 2 else 40
    shape = (w.pick(1, 1, 2), w.number(1, 9), *(w.number(1, longest) for _ in range(dimensions)))
    x = w.input(shape)
    for _ in range(w.number(1, 4)):
        x = w.pick(*BLOCKS)(w, x)
    w.pick(*HEADS)(w, x)


def window(w: Writer, x: Value, same: bool, dilate: bool = True) -> tuple[Shape, Shape, dict]:
    """Kernel, size of what comes out, and attributes of a window that fits; `same`: as it was."""
    kernel, strides, dilations, low, high, sizes = [], [], [], [], [], []
    for extent in x.shape[2:]:
        k = w.pick(1, 3, 5) if same else w.number(1, 5)
        dilation = w.pick(1, 1, 2) if dilate else 1
        span = dilation * (k - 1) + 1
        if same:
            stride, before, after = 1, span // 2, span // 2
        else:
            stride = w.pick(1, 1, 2, 3)
            # a window that sees nothing but padding has no mean
            before, after = w.number(0, min(k, extent) - 1), w.number(0, min(k, extent) - 1)
        if extent + before + after < span:
            k, dilation, span, before, after = 1, 1, 1, 0, 0
        kernel.append(k)
        strides.append(stride)
        dilations.append(dilation)
        low.append(before)
        high.append(after)
        sizes.append((extent + before + after - span) // stride + 1)
    attributes = {"kernel_shape": kernel, "strides": strides, "pads": [*low, *high]}
    if dilate:
        attributes["dilations"] = dilations
    return tuple(kernel), tuple(sizes), attributes


def conv(w: Writer, x: Value, same: bool = False, channels: int | None = None) -> Value:
    """A convolution of any kind with what follows it."""
    n, c = x.shape[:2]
    groups = w.pick(*(g for g in range(1, c + 1) if c % g == 0)) if w.maybe() else 1
    if channels is not None and channels % groups:
        groups = 1
    out = channels or groups * w.number(1, max(1, 12 // groups))
    kernel, sizes, attributes = window(w, x, same)
    terms = c // groups * math.prod(kernel)
    weight = w.weight((out, c // groups, *kernel), terms)
    if n * out * math.prod(sizes) > LARGEST:
        return x
    shape = (n, out, *sizes)
    y = w.accumulated("Conv", x, weight, terms, shape, group=groups, **attributes)
    return w.finish(y, 1)


def pool(w: Writer, x: Value) -> Value:
    """A maximum or mean over windows."""
    _, sizes, attributes = window(w, x, False, dilate=False)
    shape = (*x.shape[:2], *sizes)
    if w.maybe():
        return w.node("MaxPool", [x], shape, x.bound, x.negative, **attributes)
    count = int(w.maybe())
    return w.mean("AveragePool", x, shape, count_include_pad=count, **attributes)


def residual(w: Writer, x: Value) -> Value:
    """A sum with what one or two convolutions make of it."""
    y = x
    for _ in range(w.number(0, 1)):
        y = conv(w, y, same=True)
    y = conv(w, y, same=True, channels=x.shape[1])
    if w.maybe():
        x = conv(w, x, same=True, channels=x.shape[1])
    return w.add(x, y) if w.maybe() else w.add(y, x)


def branches(w: Writer, x: Value) -> Value:
    """Convolutions side by side, and perhaps the input as it is."""
    parts = [conv(w, x, same=True) for _ in range(w.number(1, 2))]
    if w.maybe():
        parts.insert(w.number(0, 1), x)
    return w.concat(parts, 1)


def split(w: Writer, x: Value) -> Value:
    """One part of the channels goes through a convolution."""
    if x.shape[1] == 1:
        return x
    first = w.number(1, x.shape[1] - 1)
    a, b = w.cut(x, 1, first, x.shape[1] - first)
    a = conv(w, a, same=True)
    return w.concat([a, b] if w.maybe() else [b, a], 1)


def gate(w: Writer, x: Value) -> Value:
    """Channels weighted by what their means say."""
    shape = (*x.shape[:2], *(1 for _ in x.shape[2:]))
    return w.mul(x, conv(w, w.mean("GlobalAveragePool", x, shape), True, x.shape[1]))


def pad(w: Writer, x: Value) -> Value:
    """Zeros around the image."""
    low = [0, 0, *(w.number(0, 2) for _ in x.shape[2:])]
    high = [0, w.number(0, 2), *(w.number(0, 2) for _ in x.shape[2:])]
    shape = tuple(np.add(x.shape, np.add(low, high)).tolist())
    return w.node("Pad", [x, w.indices([*low, *high])], shape, x.bound, x.negative)


def crop(w: Writer, x: Value) -> Value:
    """Every so many rows of a part."""
    axis = w.number(1, len(x.shape) - 1)
    start, step = w.number(0, x.shape[axis] - 1), w.number(1, 2)
    size = -(-(x.shape[axis] - start) // step)
    shape = (*x.shape[:axis], size, *x.shape[axis + 1 :])
    operands = [x, *(w.indices([v]) for v in (start, x.shape[axis], axis, step))]
    return w.node("Slice", operands, shape, x.bound, x.negative)


def reorder(w: Writer, x: Value) -> Value:
    """Channels, rows or columns that an input names."""
    axis = w.number(1, len(x.shape) - 1)
    return picked(w, x, axis, (w.number(1, 12),))


def replace(w: Writer, x: Value) -> Value:
    """A constant here and there, where an input says so."""
    return chosen(w, x, w.number(-2, 2))


def turn(w: Writer, x: Value) -> Value:
    """Other dimensions become channels."""
    return w.transpose(x, 0, *w.draw(st.permutations(range(1, len(x.shape)))))


BLOCKS: tuple[Callable[[Writer, Value], Value], ...] = (
    *(conv,) * 4,
    *(pool,) * 2,
    *(residual,) * 2,
    branches,
    split,
    gate,
    pad,
    crop,
    turn,
    reorder,
    replace,
)


def as_it_is(w: Writer, x: Value) -> None:
    """No head."""
    if not w.nodes:
        conv(w, x)


def classes(w: Writer, x: Value) -> None:
    """One or two dense layers on all pixels."""
    n, *rest = x.shape
    x = w.node("Flatten", [x], (n, math.prod(rest)), x.bound, x.negative, axis=1)
    if w.maybe():
        x = w.dense(x, w.number(1, 20))
    w.dense(x, w.number(1, 10), activate=False)


def means(w: Writer, x: Value) -> None:
    """A dense layer on the means of channels."""
    axes = tuple(range(2, len(x.shape)))
    if w.maybe():
        shape = (*x.shape[:2], *(1 for _ in axes))
        x = w.mean("GlobalAveragePool", x, shape)
        x = w.reshape(x, *x.shape[:2])
    else:
        x = w.mean_over(x, axes)
    w.dense(x, w.number(1, 10), activate=False)


HEADS = (as_it_is, classes, means)
