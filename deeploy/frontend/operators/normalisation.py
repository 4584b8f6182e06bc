"""Softmax and normalisations of floats: rows along the last dimension."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from xdsl.dialects.builtin import f32

from deeploy.diagnostics import DeeployError
from deeploy.dialects.graph import AddOp, LayerNormOp, MulOp, RMSNormOp, SoftmaxOp, SubOp
from deeploy.frontend.builder import Builder, real_number
from deeploy.frontend.nodes import Node, normalised_axis
from deeploy.frontend.operators.elementwise import real_binary, real_unary
from deeploy.frontend.operators.reduction import reduce
from deeploy.frontend.registry import CUSTOM, NUMBERS, converter
from deeploy.frontend.values import Constant, Tensor, Value

# --- Softmax --------------------------------------------------------------------------------------


def along(b: Builder, x: Tensor, axis: int, function: Callable[[Tensor], Tensor]) -> Tensor:
    """`function`, which works along the last dimension, along `axis`."""
    last = len(x.shape) - 1
    if axis == last:
        return function(x)
    # one exchange is its own inverse
    order = [last if i == axis else axis if i == last else i for i in range(last + 1)]
    return b.transpose(function(b.transpose(x, order)), order)


def on_rows(node: Node, b: Builder, function: Callable[[Tensor], Tensor]) -> Tensor:
    """`function` along the axis of a node; before opset 13, along all dimensions from it on.

    QuantLib leaves the axis out, and means the last one whatever the opset.
    """
    x = b.real(node.value(0))
    old = node.opset < 13
    axis = node.integer("axis", 1 if old and not node.from_quantlib else -1)
    axis = normalised_axis(axis, len(x.shape))
    if not old or axis == len(x.shape) - 1:
        return along(b, x, axis, function)
    rows = b.reshape(x, (math.prod(x.shape[:axis]), math.prod(x.shape[axis:])))
    return b.reshape(function(rows), x.shape)


def softmax(b: Builder, x: Tensor) -> Tensor:
    """`graph.softmax`."""
    return b.emit(SoftmaxOp, {"input": x.ssa}, None)


def log_softmax(b: Builder, x: Tensor) -> Tensor:
    """`x - max - log(sum(exp(x - max)))`, which cannot take the logarithm of zero."""
    last = (len(x.shape) - 1,)
    shifted = real_binary(b, SubOp, x, reduce(b, x, "max", last))
    total = reduce(b, real_unary(b, shifted, "exp"), "sum", last)
    return real_binary(b, SubOp, shifted, real_unary(b, total, "log"))


@converter("Softmax", "any axis; of floats", types=NUMBERS)
def convert_softmax(node: Node, b: Builder) -> Value:
    """`graph.softmax`."""
    return on_rows(node, b, lambda x: softmax(b, x))


@converter("LogSoftmax", "any axis; of floats", types=NUMBERS)
def convert_log_softmax(node: Node, b: Builder) -> Value:
    """Reductions and elementwise ops."""
    return on_rows(node, b, lambda x: log_softmax(b, x))


@converter("SoftmaxCrossEntropyLoss", "only logarithms of probabilities", types=NUMBERS)
def convert_cross_entropy(node: Node, b: Builder) -> Sequence[Value]:
    """The logarithm of the softmax over dimension 1. The loss itself is not computed; a node with
    one output is taken for one of an exporter that has the logarithms there."""
    x = b.real(node.value(0))
    logarithms = along(b, x, 1, lambda rows: log_softmax(b, rows))
    return [logarithms] * len(node.outputs) if len(node.outputs) == 1 else [_no_loss(), logarithms]


def _no_loss() -> Value:
    raise DeeployError("the loss is not supported", "only its logarithms of probabilities are")


@converter("SoftmaxGrad", "any axis; of floats", domains=CUSTOM, types=NUMBERS)
def convert_softmax_grad(node: Node, b: Builder) -> Value:
    """`y * (dy - sum(dy * y))`."""
    gradient, y = b.real(node.value(0)), b.real(node.value(1))
    axis = normalised_axis(node.integer("axis", -1), len(y.shape))
    total = reduce(b, real_binary(b, MulOp, gradient, y), "sum", (axis,))
    return real_binary(b, MulOp, y, real_binary(b, SubOp, gradient, total))


# --- Normalisation --------------------------------------------------------------------------------


def _rows(b: Builder, x: Tensor, axis: int) -> Tensor:
    """`x` with all dimensions from `axis` on as one."""
    return b.reshape(x, (*x.shape[:axis], math.prod(x.shape[axis:])))


def _vector(b: Builder, value: Value, shape: tuple[int, ...], what: str) -> Tensor:
    """A factor for each element of the dimensions `shape`, as one dimension."""
    columns = math.prod(shape)
    if isinstance(value, Constant):
        try:
            whole = np.broadcast_to(value.reals(), shape)
        except ValueError:
            raise DeeployError(f"'{what}' has shape {value.shape}, not {shape}") from None
        return b.constant(value.name, np.array(whole).reshape(columns), f32)
    if math.prod(value.shape) != columns:
        raise DeeployError(f"'{what}' has shape {value.shape}, not {shape}")
    return b.reshape(b.real(value), (columns,))


def layer_norm(
    b: Builder, x: Tensor, axis: int, weight: Value, bias: Value | None, epsilon: float
) -> Tensor:
    """`graph.layer_norm` along all dimensions from `axis` on."""
    shape = x.shape[axis:]
    operands = {
        "input": _rows(b, x, axis).ssa,
        "weight": _vector(b, weight, shape, "scale").ssa,
        "bias": None if bias is None else _vector(b, bias, shape, "bias").ssa,
    }
    y = b.emit(LayerNormOp, operands, None, {"epsilon": real_number(epsilon)})
    return b.reshape(y, x.shape)


def rms_norm(b: Builder, x: Tensor, axis: int, weight: Value, epsilon: float) -> Tensor:
    """`graph.rms_norm` along all dimensions from `axis` on."""
    operands = {
        "input": _rows(b, x, axis).ssa,
        "weight": _vector(b, weight, x.shape[axis:], "scale").ssa,
    }
    y = b.emit(RMSNormOp, operands, None, {"epsilon": real_number(epsilon)})
    return b.reshape(y, x.shape)


@converter("LayerNormalization", "any axis; no mean and deviation", types=NUMBERS, schema=False)
def convert_layer_normalization(node: Node, b: Builder) -> Value:
    """`graph.layer_norm`."""
    node.single_output("Mean")
    x = b.real(node.value(0))
    axis = normalised_axis(node.integer("axis", -1), len(x.shape))
    epsilon = node.number("epsilon", 1e-5)
    return layer_norm(b, x, axis, node.value(1), node.optional(2), epsilon)


def _rms(node: Node, b: Builder, epsilon: float) -> Value:
    node.single_output("InvStdDev")
    x = b.real(node.value(0))
    axis = normalised_axis(node.integer("axis", -1), len(x.shape))
    return rms_norm(b, x, axis, node.value(1), epsilon)


@converter("RMSNorm", "any axis; of floats", domains=CUSTOM, types=NUMBERS)
def convert_rms_norm(node: Node, b: Builder) -> Value:
    """`graph.rms_norm`, as QuantLib spells it."""
    return _rms(node, b, node.number("eps", 1e-6))


@converter("RMSNormalization", "any axis; of floats", types=NUMBERS, schema=False)
def convert_rms_normalization(node: Node, b: Builder) -> Value:
    """`graph.rms_norm`."""
    return _rms(node, b, node.number("epsilon", 1e-5))


@converter("SimplifiedLayerNormalization", "any axis; of floats", domains=CUSTOM, types=NUMBERS)
def convert_simplified_layer_normalization(node: Node, b: Builder) -> Value:
    """`graph.rms_norm`, as onnxruntime spells it."""
    return _rms(node, b, node.number("epsilon", 1e-5))


@converter("InstanceNormalization", "images of any rank; of floats", types=NUMBERS)
def convert_instance_normalization(node: Node, b: Builder) -> Value:
    """`graph.layer_norm` of each channel, then a factor and a term for each."""
    x = b.real(node.value(0))
    ones = Constant("ones", np.ones(x.shape[2:], np.float32))
    y = layer_norm(b, x, 2, ones, None, node.number("epsilon", 1e-5))
    y = real_binary(b, MulOp, y, _per_channel(b, node.value(1), y))
    return real_binary(b, AddOp, y, _per_channel(b, node.value(2), y))


def _per_channel(b: Builder, value: Value, x: Tensor) -> Tensor:
    """A vector as `[C, 1, …]`."""
    if value.shape != x.shape[1:2]:
        raise DeeployError(f"a factor has shape {value.shape}, not {x.shape[1:2]}")
    shape = (*value.shape, *(1,) * (len(x.shape) - 2))
    if isinstance(value, Constant):
        return b.real(Constant(value.name, value.array.reshape(shape)))
    return b.reshape(b.real(value), shape)


@converter(
    "BatchNormalization", "for inference; constant statistics; of floats", types=NUMBERS,
    schema=False,
)  # fmt: skip
def convert_batch_normalization(node: Node, b: Builder) -> Value:
    """A factor and a term for each channel."""
    node.single_output("running_mean")
    if node.integer("training_mode", 0):
        raise DeeployError("'training_mode' is not supported")
    names = ("scale", "B", "input_mean", "input_var")
    constants = [node.constant(i + 1, name) for i, name in enumerate(names)]
    if any(constant is None for constant in constants):
        raise DeeployError("it needs scale, bias, mean and variance")
    scale, bias, mean, variance = (c.array.astype(np.float64) for c in constants if c is not None)
    factor = scale / np.sqrt(variance + node.number("epsilon", 1e-5))
    x, name = b.real(node.value(0)), node.outputs[0]
    mul = Constant(f"{name}.mul", factor.astype(np.float32))
    add = Constant(f"{name}.add", (bias - mean * factor).astype(np.float32))
    y = real_binary(b, MulOp, x, _per_channel(b, mul, x))
    return real_binary(b, AddOp, y, _per_channel(b, add, y))
