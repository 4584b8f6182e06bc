"""QuantizeLinear and DequantizeLinear: the borders of integers in networks written with floats.

Each becomes one op. The float operators between them become integer ops later, by `fuse-qdq`.
"""

from __future__ import annotations

import numpy as np
import onnx
from xdsl.dialects.builtin import f32

from deeploy.diagnostics import DeeployError
from deeploy.dialects.graph import DequantizeOp, QuantizeOp
from deeploy.frontend.builder import Builder, flag, number, real_number
from deeploy.frontend.nodes import Node, normalised_axis
from deeploy.frontend.ranges import IntArray, Interval
from deeploy.frontend.registry import converter
from deeploy.frontend.values import Array, Constant, Value

EIGHT_BITS = (np.dtype(np.int8), np.dtype(np.uint8))


@converter(
    "QuantizeLinear", "to int8 or uint8; constant scale and zero point for the whole tensor",
    types=("f32",), schema=False,
)  # fmt: skip
def convert_quantize_linear(node: Node, b: Builder) -> Value:
    """`graph.quantize`, or a constant. It multiplies by the inverse of the scale, in float32."""
    x, dtype = node.value(0), _quantised_type(node)
    scales, zeros = _parameters(node, x.shape)
    limits = np.iinfo(dtype)
    if isinstance(x, Constant):
        scaled = np.rint(x.reals() / scales) + zeros
        return Constant(x.name, np.clip(scaled, limits.min, limits.max).astype(dtype))
    if scales.size != 1 or zeros.size != 1:
        raise DeeployError(
            "a scale for each channel is only supported on constants",
            "quantise activations with one scale for the tensor",
        )
    interval = Interval(int(limits.min), int(limits.max))
    properties = {
        "scale": real_number((1 / scales).item()),
        "zero_point": real_number(zeros.item()),
        "min": number(interval.low),
        "max": number(interval.high),
        "half_even": flag(True),
    }
    return b.emit(QuantizeOp, {"input": b.real(x).ssa}, interval, properties)


@converter(
    "DequantizeLinear",
    "of 8 and 32 bits; constant scales for the whole tensor or for each channel",
    schema=False,
)
def convert_dequantize_linear(node: Node, b: Builder) -> Value:
    """`graph.dequantize`; constants stay quantised behind it."""
    x = b.integers(node.value(0))
    scales, zeros = _parameters(node, x.shape)
    if np.any(zeros != zeros.flat[0]):
        raise DeeployError(
            "zero points that differ between channels are not supported",
            "quantise weights symmetrically",
        )
    operands = {"input": x.ssa}
    if scales.size != 1:
        name = f"{node.outputs[0]}.scales"
        operands["scales"] = b.constant(name, scales, f32).ssa
    properties = {
        "scale": real_number(scales.item() if scales.size == 1 else 1.0),
        "zero_point": real_number(int(zeros.flat[0])),
    }
    return b.emit(DequantizeOp, operands, None, properties)


def _parameters(node: Node, shape: tuple[int, ...]) -> tuple[Array, IntArray]:
    """Scales (float32) and zero points, of one element or in a shape that broadcasts.

    Raises:
        DeeployError: they are no constants, or fit neither the tensor nor one of its axes.
    """
    if node.integer("block_size", 0):
        raise DeeployError("'block_size' is not supported", "use one scale for each channel")
    scale, zero = node.constant(1, "scale"), node.constant(2, "zero_point")
    if scale is None:
        raise DeeployError("'scale' is missing")
    scales = scale.reals()
    zeros = np.zeros(1, np.int64) if zero is None else zero.integers()
    if not (np.isfinite(scales).all() and (scales > 0).all()):
        raise DeeployError("'scale' must be positive")
    return _along_axis(node, scales, shape), _along_axis(node, zeros, shape)


def _along_axis(node: Node, array: Array, shape: tuple[int, ...]) -> Array:
    if array.size == 1:
        return array.reshape(1)
    axis = normalised_axis(node.integer("axis", 1), len(shape))
    if array.shape != shape[axis : axis + 1]:
        raise DeeployError(
            f"scale or zero point of shape {array.shape} is not one for each of {shape[axis]} "
            f"channels"
        )
    return array.reshape(-1, *(1,) * (len(shape) - axis - 1))


def _quantised_type(node: Node) -> np.dtype[np.int8] | np.dtype[np.uint8]:
    """The element type of the result: that of the zero point, or `output_dtype`."""
    zero = node.constant(2, "zero_point")
    declared = node.integer("output_dtype", 0)
    dtype = np.dtype(np.uint8)
    if zero is not None:
        dtype = zero.array.dtype
    elif declared:
        dtype = onnx.helper.tensor_dtype_to_np_dtype(declared)
    if dtype not in EIGHT_BITS:
        raise DeeployError(f"elements of type {dtype} are not supported", "quantise to 8 bits")
    return dtype
