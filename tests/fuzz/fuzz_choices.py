"""What networks choose at run time: rows by indices, and elements by comparisons.

Only inputs are compared: what is computed in floats may differ by a rounding, and the choice too.
"""

from __future__ import annotations

import numpy as np
from fuzz_writer import Shape, Value, Writer

COMPARISONS = ("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual")


def picked(w: Writer, x: Value, axis: int, shape: Shape) -> Value:
    """Elements along an axis at indices of some shape, which are an input."""
    result = (*x.shape[:axis], *shape, *x.shape[axis + 1 :])
    indices = w.index_input(shape, x.shape[axis])
    return w.node("Gather", [x, indices], result, x.bound, x.negative, axis=axis)


def condition(w: Writer, shape: Shape) -> Value:
    """A comparison of an input, and perhaps another one or its opposite."""
    limit = w.constant(np.array(w.number(-1, 2)))
    found = w.node(w.pick(*COMPARISONS), [w.input(shape), limit], shape)
    match w.pick("", "", "Not", "And", "Or"):
        case "Not":
            return w.node("Not", [found], shape)
        case "And" | "Or" as op:
            return w.node(op, [found, condition(w, shape)], shape)
        case _:
            return found


def chosen(w: Writer, x: Value, other: float) -> Value:
    """Elements of x, and a constant where a condition that broadcasts holds or does not; not below
    zero where x is not."""
    other = other if x.negative else max(other, 0)
    shape = tuple(w.pick(e, e, 1) for e in x.shape)[w.number(0, 1) :]
    values = [x, w.constant(np.array(other))]
    operands = [condition(w, shape), *(values if w.maybe() else values[::-1])]
    bound = max(value.bound for value in values)
    return w.node("Where", operands, x.shape, bound, x.negative)
