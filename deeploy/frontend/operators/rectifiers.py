"""Rectifiers and smooth steps that are made of simpler functions of floats."""

from __future__ import annotations

import numpy as np

from deeploy.dialects.graph import AddOp, DivOp, MaxOp, MinOp, MulOp, SubOp
from deeploy.frontend.builder import Builder
from deeploy.frontend.nodes import Node
from deeploy.frontend.operators.elementwise import real_binary, real_unary
from deeploy.frontend.registry import NUMBERS, converter
from deeploy.frontend.values import Constant, Tensor, Value


def scalar(value: float) -> Constant:
    """A constant of rank 0."""
    return Constant("c", np.asarray(value, np.float32))


def _negative_part(b: Builder, x: Tensor) -> Tensor:
    return real_binary(b, MinOp, x, scalar(0))


def _times(b: Builder, x: Tensor, factor: float) -> Tensor:
    return x if factor == 1 else real_binary(b, MulOp, x, scalar(factor))


@converter("LeakyRelu", "of floats", types=NUMBERS)
def convert_leaky_relu(node: Node, b: Builder) -> Value:
    """The larger of x and alpha * x; for a steeper slope the smaller."""
    x, alpha = b.real(node.value(0)), node.number("alpha", 0.01)
    return real_binary(b, MaxOp if alpha <= 1 else MinOp, x, _times(b, x, alpha))


@converter("PRelu", "of floats; any slope that broadcasts", types=NUMBERS)
def convert_prelu(node: Node, b: Builder) -> Value:
    """`max(x, 0) + slope * min(x, 0)`"""
    x = b.real(node.value(0))
    slope = real_binary(b, MulOp, _negative_part(b, x), node.value(1))
    return real_binary(b, AddOp, real_unary(b, x, "relu"), slope)


def _elu(b: Builder, x: Tensor, alpha: float, steepness: float = 1.0) -> Tensor:
    """`max(x, 0) + alpha * (exp(steepness * min(x, 0)) - 1)`"""
    exponent = _times(b, _negative_part(b, x), steepness)
    below = real_binary(b, SubOp, real_unary(b, exponent, "exp"), scalar(1))
    return real_binary(b, AddOp, real_unary(b, x, "relu"), _times(b, below, alpha))


@converter("Elu", "of floats", types=NUMBERS)
def convert_elu(node: Node, b: Builder) -> Value:
    """`max(x, 0) + alpha * (exp(min(x, 0)) - 1)`"""
    return _elu(b, b.real(node.value(0)), node.number("alpha", 1.0))


@converter("Celu", "of floats", types=NUMBERS)
def convert_celu(node: Node, b: Builder) -> Value:
    """`max(x, 0) + alpha * (exp(min(x, 0) / alpha) - 1)`"""
    alpha = node.number("alpha", 1.0)
    return _elu(b, b.real(node.value(0)), alpha, 1 / alpha)


@converter("Selu", "of floats", types=NUMBERS)
def convert_selu(node: Node, b: Builder) -> Value:
    """`gamma * elu(x)`"""
    alpha, gamma = node.number("alpha", 1.6732632), node.number("gamma", 1.0507010)
    return _times(b, _elu(b, b.real(node.value(0)), alpha), gamma)


@converter("Softplus", "of floats", types=NUMBERS)
def convert_softplus(node: Node, b: Builder) -> Value:
    """`max(x, 0) + log(1 + exp(-abs(x)))`, which does not overflow."""
    x = b.real(node.value(0))
    small = real_unary(b, real_unary(b, real_unary(b, x, "abs"), "neg"), "exp")
    rest = real_unary(b, real_binary(b, AddOp, small, scalar(1)), "log")
    return real_binary(b, AddOp, real_unary(b, x, "relu"), rest)


@converter("Softsign", "of floats", types=NUMBERS)
def convert_softsign(node: Node, b: Builder) -> Value:
    """`x / (1 + abs(x))`"""
    x = b.real(node.value(0))
    return real_binary(b, DivOp, x, real_binary(b, AddOp, real_unary(b, x, "abs"), scalar(1)))
