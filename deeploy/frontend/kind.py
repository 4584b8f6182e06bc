"""Whether a network computes on integers or on floats: the file does not say.

Exporters of quantised networks carry integers in float32. These rules tell them apart:

1. A network with an operator of quantised networks (`RequantShift`, `iSoftmax`, …) is integer.
2. Else it is float if it has an operator that makes sense on floats only (`Softmax`, `Sqrt`, …), a
   constant with fractions, or an input with fractions among the values that the user gives.
3. Else it is integer.

In a float network all inputs that are declared as floating-point numbers are f32. In an integer
network an input is f32 if its values have fractions, or if a quantiser reads it. The user's word
(`--input-type`) goes first. Between ops, floats spread: what is computed from a float is one, and
so is an element-wise result of integers and a constant that has fractions. Layers are stricter:
weights with fractions beside integer activations are a network that has not been quantised.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import onnx

from deeploy.frontend.nodes import decode_tensor
from deeploy.frontend.values import Array

INTEGER_OPERATORS = frozenset(
    (
        "ITAMax",
        "ITAPartialMax",
        "IntegerDiv",
        "IntegerMean",
        "RequantShift",
        "TrueIntegerDiv",
        "iGELU",
        "iHardswish",
        "iLayerNorm",
        "iNoNorm",
        "iRMSNorm",
        "iSoftmax",
    )
)
FLOAT_OPERATORS = frozenset(
    (
        "BatchNormalization",
        "Celu",
        "Cos",
        "DequantizeLinear",
        "Elu",
        "Erf",
        "Exp",
        "Gelu",
        "GroupNormalization",
        "HardSigmoid",
        "HardSwish",
        "InstanceNormalization",
        "LayerNormalization",
        "Log",
        "LogSoftmax",
        "Mish",
        "QuantizeLinear",
        "RMSNorm",
        "RMSNormalization",
        "Reciprocal",
        "Selu",
        "Sigmoid",
        "Sin",
        "Softmax",
        "SoftmaxCrossEntropyLoss",
        "SoftmaxGrad",
        "Softplus",
        "Softsign",
        "Sqrt",
        "Swish",
        "Tanh",
    )
)
PASSING = frozenset(("Cast", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze"))
"""Operators whose results are the elements of their first input."""
QUANTISERS = frozenset(("Quant", "QuantizeLinear"))


def is_float_network(graph: onnx.GraphProto, examples: Iterable[Array]) -> bool:
    """Whether a network is float, by the rules above."""
    operators = {node.op_type for node in graph.node}
    if operators & INTEGER_OPERATORS:
        return False
    if operators & FLOAT_OPERATORS:
        return True
    return any(map(has_fractions, examples)) or any(map(has_fractions, _constants(graph)))


def read_by_quantiser(graph: onnx.GraphProto, name: str) -> bool:
    """Whether a quantiser reads the value `name`."""
    return any(n.op_type in QUANTISERS and n.input and n.input[0] == name for n in graph.node)


def read_as_indices(graph: onnx.GraphProto, name: str) -> bool:
    """Whether a Gather reads the value `name` as indices, maybe under another shape or type."""
    for node in graph.node:
        if node.op_type == "Gather" and name in node.input[1:2]:
            return True
        passes = node.op_type in PASSING and name in node.input[:1]
        if passes and read_as_indices(graph, node.output[0]):
            return True
    return False


def has_fractions(array: Array) -> bool:
    """Whether some of the numbers are no integers."""
    return array.dtype.kind == "f" and not bool(np.all(np.floor(array) == array))


def _constants(graph: onnx.GraphProto) -> Iterator[Array]:
    tensors = list(graph.initializer)
    for node in graph.node:
        if node.op_type != "Constant":
            continue
        tensors += [a.t for a in node.attribute if a.type == onnx.AttributeProto.TENSOR]
        for attribute in node.attribute:
            if attribute.name in ("value_float", "value_floats"):
                yield np.asarray(onnx.helper.get_attribute_value(attribute), np.float32)
    floats = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.DOUBLE)
    yield from (decode_tensor(tensor) for tensor in tensors if tensor.data_type in floats)
