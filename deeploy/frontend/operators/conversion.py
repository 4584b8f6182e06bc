"""The borders between integers and floats: casts, quantisation and its inverse."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from xdsl.dialects.builtin import IntegerType

from deeploy.diagnostics import DeeployError
from deeploy.dialects.graph import CastOp, DequantizeOp, QuantizeOp, si8, si32, ui8
from deeploy.frontend.builder import Builder, number, real_number
from deeploy.frontend.nodes import Node
from deeploy.frontend.operators.selection import condition
from deeploy.frontend.ranges import INT32, Interval, type_interval
from deeploy.frontend.registry import CUSTOM, NUMBERS, converter
from deeploy.frontend.values import Tensor, Value


@converter(
    "Cast",
    "between integers, conditions and float32; clamps where the new type is too small",
    types=NUMBERS,
)
def convert_cast(node: Node, b: Builder) -> Value:
    """`graph.clip` between integers, `graph.cast` from floats, `graph.compare` to a condition, or
    nothing.

    Integers may be carried in any float type of ONNX, so a cast to one changes nothing.
    """
    x, dtype = b.tensor(node.value(0)), _dtype(node.integer("to"))
    if dtype.kind == "b":
        return condition(b, x)
    if dtype.kind == "f":
        return x
    limits = _limits(dtype)
    if x.is_real:
        return b.emit(CastOp, {"input": x.ssa}, limits, element_type=_element_type(limits))
    return x if x.interval in limits else b.clip(x, limits)


@converter("CastLike", "passes its input on", types=NUMBERS)
def convert_cast_like(node: Node, b: Builder) -> Value:
    """Nothing: all that the network computes is of one type in ONNX."""
    if node.value(0).is_real and not node.value(1).is_real:
        raise DeeployError("a cast of floats to integers is not supported here", "use Cast")
    return node.value(0)


def _dtype(target: int) -> np.dtype[Any]:
    dtype = onnx.helper.tensor_dtype_to_np_dtype(target)
    if (dtype.kind == "f" and dtype.itemsize >= 4) or dtype.kind in "iub":
        return dtype
    raise DeeployError(f"a cast to {dtype} is not supported", "integers and float32 are")


def _limits(dtype: np.dtype[Any]) -> Interval:
    limits = np.iinfo(dtype)
    return Interval(max(int(limits.min), INT32.low), min(int(limits.max), INT32.high))


def _element_type(limits: Interval) -> IntegerType:
    """The type that saturates at these limits."""
    for type in (si8, ui8, si32):
        if type_interval(type) == limits:
            return type
    raise DeeployError("a cast of floats to 16 bits is not supported", "cast to 8 or 32 bits")


@converter(
    "Quant", "clamp(round(x * scale + zero_point)), halves away from zero", domains=CUSTOM,
    types=NUMBERS,
)  # fmt: skip
def convert_quant(node: Node, b: Builder) -> Value:
    """`graph.quantize`."""
    x = b.real(node.value(0))
    bits, signed = node.integer("bit_width", 8), node.integer("signed", 1)
    if not 1 <= bits <= (32 if signed else 31):
        raise DeeployError(f"'bit_width' must be 1 to 32, not {bits}")
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    properties = {
        "scale": real_number(node.number("scale")),
        "zero_point": real_number(node.number("zero_point", 0.0)),
        "min": number(low),
        "max": number(high),
    }
    return b.emit(QuantizeOp, {"input": x.ssa}, Interval(low, high), properties)


@converter("Dequant", "(q - zero_point) * scale", domains=CUSTOM)
def convert_dequant(node: Node, b: Builder) -> Value:
    """`graph.dequantize`."""
    x = b.integers(node.value(0))
    return dequantized(b, x, node.number("scale"), node.number("zero_point", 0.0))


def dequantized(b: Builder, x: Tensor, scale: float, zero_point: float) -> Tensor:
    """`(x - zero_point) * scale` as floats."""
    properties = {"scale": real_number(scale), "zero_point": real_number(zero_point)}
    return b.emit(DequantizeOp, {"input": x.ssa}, None, properties)
