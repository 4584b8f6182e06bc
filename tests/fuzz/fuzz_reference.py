"""What networks compute: onnxruntime for floats, and numpy for operators of quantised networks.

The operators follow what the exporter of such networks defines, not our interpreter. Integers are
carried in float64, which is exact up to 2^53.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
import onnxruntime
from numpy.lib.stride_tricks import sliding_window_view
from onnx import TensorProto, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun
from onnx.reference.ops.op_global_average_pool import GlobalAveragePool as FloatGlobalAveragePool

Arrays = Mapping[str, np.ndarray]


def run_floats(model: onnx.ModelProto, inputs: Arrays) -> list[np.ndarray]:
    """The outputs, as onnxruntime computes them."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return [np.asarray(y) for y in session.run(None, dict(inputs))]


def run_integers(model: onnx.ModelProto, inputs: Arrays) -> list[np.ndarray]:
    """The outputs, as the definitions of the operators have it."""
    wide = onnx.ModelProto()
    wide.CopyFrom(model)
    for constant in wide.graph.initializer:
        array = numpy_helper.to_array(constant)
        if array.dtype == np.float32:
            constant.CopyFrom(numpy_helper.from_array(array.astype(np.float64), constant.name))
    evaluator = ReferenceEvaluator(wide, new_ops=OPERATORS)
    indices = {
        i.name for i in model.graph.input if i.type.tensor_type.elem_type == TensorProto.INT64
    }
    arrays = {n: array if n in indices else array.astype(np.float64) for n, array in inputs.items()}
    return [np.asarray(y).astype(np.int64) for y in evaluator.run(None, arrays)]


def number(attribute: object) -> int:
    """An attribute that exporters write as a number or as a tensor of one element."""
    return int(np.asarray(attribute).item())


def integers(*arrays: np.ndarray) -> list[np.ndarray]:
    return [np.asarray(a).astype(np.int64) for a in arrays]


def wrapped(x: np.ndarray) -> np.ndarray:
    """In 32 bits."""
    return (x + (1 << 31)) % (1 << 32) - (1 << 31)


def truncated(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The quotient without its fraction."""
    return np.sign(x) * np.sign(y) * (np.abs(x) // np.abs(y))


def shift_of(divisor: object) -> int:
    return number(divisor).bit_length() - 1


def root(x: np.ndarray) -> np.ndarray:
    """The integer square root."""
    y = np.sqrt(x.astype(np.float64)).astype(np.int64)
    y = np.where(y * y > x, y - 1, y)
    return np.where((y + 1) * (y + 1) <= x, y + 1, y)


def half_up(x: np.ndarray) -> np.ndarray:
    return np.floor(np.asarray(x) + 0.5)


class RequantShift(OpRun):
    op_domain = ""

    def _run(self, x, mul, add, div=None, n_levels=None, signed=None):
        x, mul, add = integers(x, mul, add)
        shift, levels = shift_of(div), number(n_levels)
        scaled = wrapped(x * mul + add + ((1 << shift) >> 1)) >> shift
        low = -(levels // 2) if number(signed) else 0
        return (np.clip(scaled, low, low + levels - 1).astype(np.float64),)


class iSoftmax(OpRun):
    op_domain = ""

    def _run(self, x, coeffA=None, coeffB=None, coeffC=None, log2=None, n_levels=None):
        a, b, c, step = (number(v) for v in (coeffA, coeffB, coeffC, log2))
        (x,) = integers(x)
        below = x - x.max(-1, keepdims=True)
        z = np.clip(-truncated(below, np.array(step)), 0, 31)
        e = (a * (below + z * step + b) ** 2 + c) >> z
        return ((e * 255 // e.sum(-1, keepdims=True)).astype(np.float64),)


class ITAMax(OpRun):
    op_domain = ""

    def _run(self, x, n_levels=None):
        (x,) = integers(x)
        k = (x.max(-1, keepdims=True) - x + 16) >> 5
        total = (256 >> k).sum(-1, keepdims=True)
        return (((number(n_levels) - 1) * 256 // total >> k).astype(np.float64),)


class ITAPartialMax(OpRun):
    """In groups of columns: a larger maximum scales down what was summed before."""

    op_domain = ""

    def _run(self, x, n_levels=None, group_width=None):
        (x,) = integers(x)
        largest, total = np.full(x.shape[:-1], -1 << 30), np.zeros(x.shape[:-1], np.int64)
        for start in range(0, x.shape[-1], group_width):
            group = x[..., start : start + group_width]
            before, largest = largest, np.maximum(largest, group.max(-1))
            total >>= np.minimum((largest - before + 16) >> 5, 63)
            total += (256 >> ((largest[..., None] - group + 16) >> 5)).sum(-1)
        y = (number(n_levels) - 1) * 256 // total
        return ((y[..., None] >> ((largest[..., None] - x + 16) >> 5)).astype(np.float64),)


class iRMSNorm(OpRun):
    op_domain = ""

    def _run(self, x, w, D=None, n_levels=None):
        x, w = integers(x, w)
        deviation = root((x * x).sum(-1, keepdims=True) // x.shape[-1] + 1)
        y = truncated(x * w, deviation) >> shift_of(D)
        return (np.clip(y, -128, 127).astype(np.float64),)


class iLayerNorm(OpRun):
    op_domain = ""

    def _run(self, x, w, b, D=None, n_levels=None):
        x, w, b = integers(x, w, b)
        columns = np.array(x.shape[-1])
        centred = x - truncated(x.sum(-1, keepdims=True), columns)
        deviation = root((centred * centred).sum(-1, keepdims=True) // columns + 1)
        y = (truncated(centred * w, deviation) + b) >> shift_of(D)
        return (y.astype(np.int8).astype(np.float64),)


class iGELU(OpRun):
    op_domain = ""

    def _run(self, x, b=None, one=None):
        (x,) = integers(x)
        d = np.minimum(np.abs(x), -b) + b
        return ((x * ((one + np.sign(x) * (one - d * d)) >> 1)).astype(np.float64),)


class iHardswish(OpRun):
    op_domain = ""

    def _run(self, x, one_over_six=None, three=None, six=None):
        return (x * (np.clip(x + three, 0, six) * one_over_six),)


class ReduceMean(OpRun):
    def _run(self, x, axes=None, keepdims=1, noop_with_empty_axes=0):
        return (half_up(np.mean(x, tuple(axes.tolist()), keepdims=bool(keepdims))),)


def windows(x, fill, kernel_shape, pads, strides, dilations=None):
    """What each window sees: batch, channels, places, positions in the window."""
    rank = x.ndim - 2
    dilations = dilations or [1] * rank
    around = zip((0, 0, *pads[:rank]), (0, 0, *pads[rank:]), strict=True)
    x = np.pad(x, list(around), constant_values=fill)
    spans = [d * (k - 1) + 1 for k, d in zip(kernel_shape, dilations, strict=True)]
    seen = sliding_window_view(x, spans, tuple(range(2, x.ndim)))
    return seen[(..., *(slice(None, None, s) for s in strides), *(slice(None),) * rank)][
        (..., *(slice(None, None, d) for d in dilations))
    ]


class Conv(OpRun):
    def _run(self, x, w, b=None, auto_pad=None, group=1, **window):
        seen = windows(x, 0, **window)
        kernel = tuple(range(2, x.ndim))
        axes = ([1, *(k + x.ndim - 2 for k in kernel)], [1, *kernel])
        pairs = zip(np.split(seen, group, 1), np.split(w, group), strict=True)
        y = np.concatenate([np.tensordot(part, rows, axes) for part, rows in pairs], -1)
        return (np.moveaxis(y if b is None else y + b, -1, 1),)


class MaxPool(OpRun):
    def _run(self, x, auto_pad=None, ceil_mode=0, storage_order=0, **window):
        return (windows(x, -np.inf, **window).max(tuple(range(x.ndim, 2 * x.ndim - 2))),)


class AveragePool(OpRun):
    def _run(self, x, auto_pad=None, ceil_mode=0, count_include_pad=0, **window):
        axes = tuple(range(x.ndim, 2 * x.ndim - 2))
        counted = windows(np.ones_like(x), count_include_pad, **window).sum(axes)
        return (half_up(windows(x, 0, **window).sum(axes) / counted),)


class GlobalAveragePool(FloatGlobalAveragePool):
    def _run(self, *args, **kwargs):
        return (half_up(super()._run(*args, **kwargs)[0]),)


OPERATORS = [
    RequantShift,
    iSoftmax,
    ITAMax,
    ITAPartialMax,
    iRMSNorm,
    iLayerNorm,
    iGELU,
    iHardswish,
    ReduceMean,
    Conv,
    MaxPool,
    AveragePool,
    GlobalAveragePool,
]
