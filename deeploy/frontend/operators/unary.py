"""Functions of one operand, element by element: mostly on floats."""

from __future__ import annotations

from deeploy.diagnostics import DeeployError
from deeploy.dialects.graph import MaxOp, RequantOp
from deeploy.frontend.builder import Builder
from deeploy.frontend.epilogue import Factor, requant
from deeploy.frontend.nodes import Node
from deeploy.frontend.operators.elementwise import combined, real_unary
from deeploy.frontend.ranges import Interval, check_accumulator, smallest_type, type_interval
from deeploy.frontend.registry import CUSTOM, NUMBERS, ONNX, converter
from deeploy.frontend.values import Tensor, Value

FUNCTIONS = {
    "Erf": "erf",
    "Exp": "exp",
    "HardSwish": "hard_swish",
    "Log": "log",
    "Reciprocal": "reciprocal",
    "Sigmoid": "sigmoid",
    "Sqrt": "sqrt",
    "Tanh": "tanh",
}
"""Operators without attributes, which make floats of integers, and their `graph.unary`."""

ROUNDING = {"Ceil": "ceil", "Floor": "floor", "Round": "round"}
"""The same, which leave integers alone."""


def _register(name: str, function: str, keeps_integers: bool) -> None:
    summary = f"{function.replace('_', ' ')} of floats"

    @converter(name, summary, types=NUMBERS, schema=name != "HardSwish")
    def convert(node: Node, b: Builder) -> Value:
        x = node.value(0)
        return x if keeps_integers and not x.is_real else real_unary(b, x, function)

    convert.__doc__ = f"`graph.unary` {function}."


for _name, _function in FUNCTIONS.items():
    _register(_name, _function, keeps_integers=False)
for _name, _function in ROUNDING.items():
    _register(_name, _function, keeps_integers=True)


@converter("Neg", "any numbers", types=NUMBERS)
def convert_neg(node: Node, b: Builder) -> Value:
    """`graph.unary`, on integers `graph.requant` by -1."""
    x = b.tensor(node.value(0))
    return real_unary(b, x, "neg") if x.is_real else negated(b, x)


def negated(b: Builder, x: Tensor) -> Tensor:
    """`-x` on integers."""
    interval = check_accumulator(Interval(-x.interval.high, -x.interval.low))
    type = smallest_type(interval)
    attribute = requant(Factor(-1), Factor(0), 0, type_interval(type))
    return b.emit(RequantOp, {"input": x.ssa}, interval, {"requant": attribute}, element_type=type)


@converter("Abs", "any numbers", types=NUMBERS)
def convert_abs(node: Node, b: Builder) -> Value:
    """`graph.unary`, on integers the larger one of x and -x."""
    x = b.tensor(node.value(0))
    if x.is_real:
        return real_unary(b, x, "abs")
    largest = max(-x.interval.low, x.interval.high)
    least = 0 if Interval(0, 0) in x.interval else min(map(abs, (x.interval.low, x.interval.high)))
    return combined(b, x, negated(b, x), MaxOp, lambda _, __: Interval(least, largest))


@converter("HardSigmoid", "clamp(alpha * x + beta, 0, 1) of floats", types=NUMBERS)
def convert_hard_sigmoid(node: Node, b: Builder) -> Value:
    """`graph.unary`."""
    alpha, beta = node.number("alpha", 0.2), node.number("beta", 0.5)
    return real_unary(b, node.value(0), "hard_sigmoid", alpha, beta)


@converter("Swish", "x * sigmoid(alpha * x) of floats", types=NUMBERS)
def convert_swish(node: Node, b: Builder) -> Value:
    """`graph.unary`."""
    return real_unary(b, node.value(0), "swish", node.number("alpha", 1.0))


@converter("QuickGelu", "x * sigmoid(alpha * x) of floats", domains=CUSTOM, types=NUMBERS)
def convert_quick_gelu(node: Node, b: Builder) -> Value:
    """`graph.unary`."""
    return real_unary(b, node.value(0), "swish", node.number("alpha", 1.702))


@converter(
    "Gelu", "of floats, exact or by tanh", domains=(ONNX, *CUSTOM), types=NUMBERS, schema=False
)
def convert_gelu(node: Node, b: Builder) -> Value:
    """`graph.unary`."""
    form = node.string("approximate", "none")
    if form not in ("none", "tanh"):
        raise DeeployError(f"unknown 'approximate' {form}")
    return real_unary(b, node.value(0), "gelu" if form == "none" else "gelu_tanh")
