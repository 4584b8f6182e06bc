"""The meaning of the graph dialect in numpy, for whole tensors and for tiles of them.

`evaluate` takes what a tile reads: arrays already cut to the tensor, and how far each footprint
reaches over the tensor's borders. Every extent comes from these two, never from the op's types or
pads, which describe the whole tensor. The whole op is the tile of `op.full_box()`.

Integers are computed modulo 2^32, as the generated code does: additions and products of wider
numbers are exact until they are cut to 32 bits, so the order of accumulation does not matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from xdsl.context import Context
from xdsl.interpreter import (
    Interpreter,
    InterpreterFunctions,
    OpImpl,
    OpImplResult,
    PythonValues,
    impl,
    register_impls,
)
from xdsl.ir import Operation

from deeploy.diagnostics import fail
from deeploy.dialects.graph import (
    AddOp,
    AveragePoolOp,
    BinaryOp,
    ClipOp,
    ConcatOp,
    ConstantOp,
    ConvOp,
    CopyOp,
    DepthwiseConvOp,
    GraphOp,
    MatmulOp,
    MaxOp,
    MaxPoolOp,
    MinOp,
    MulOp,
    PadOp,
    RequantAttr,
    Requantised,
    RequantOp,
    ReshapeOp,
    SliceOp,
    SubOp,
    TransposeOp,
    WindowOp,
    element_type,
    tuple_of,
)
from deeploy.interfaces.tiling import Overhang, TilingInterface, operand_tiles, shape_of
from deeploy.resources import Array, array_of, numpy_dtype

Overhangs: TypeAlias = Sequence[Sequence[Overhang]]
Meaning: TypeAlias = Callable[[Any, Sequence[Array], Overhangs], Array]

OpT = TypeVar("OpT", bound=Operation)

_MEANINGS: dict[type[Operation], Meaning] = {}


# --- Registry and entry points --------------------------------------------------------------------


def numpy_meaning(
    op_type: type[OpT],
) -> Callable[
    [Callable[[OpT, Sequence[Array], Overhangs], Array]],
    Callable[[OpT, Sequence[Array], Overhangs], Array],
]:
    """Register a function as the meaning of `op_type`.

    It gets the op, the arrays of its operands and their overhangs. It may return wider integers
    than the result type, and leaves the epilogue of a `Requantised` op to `evaluate`.
    """

    def register(
        function: Callable[[OpT, Sequence[Array], Overhangs], Array],
    ) -> Callable[[OpT, Sequence[Array], Overhangs], Array]:
        _MEANINGS[op_type] = function
        return function

    return register


def meaning(op: Operation) -> Meaning:
    """The numpy function registered for the class of `op`."""
    function = _MEANINGS.get(type(op))
    if function is None:
        fail(op, "has no numpy meaning", "register one with @numpy_meaning")
    return function


def evaluate(op: TilingInterface, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    """What `op` computes from a tile of each operand.

    Args:
        op: the op; only its attributes and its result's element type are used.
        inputs: one array for each operand that is present, cut to the tensor.
        overhangs: for each operand and dimension, how far the footprint reaches over the border.
    """
    result = meaning(op)(op, inputs, overhangs)
    if isinstance(op, Requantised) and op.requant is not None:
        factors = iter(inputs[len(inputs) - len(op.epilogue_maps()) :])
        mul = next(factors) if op.mul is not None else None
        add = next(factors) if op.add is not None else None
        axis = channel_axis(op)
        shape = [-1 if i == axis else 1 for i in range(result.ndim)]
        result = requantise(
            result,
            op.requant,
            None if mul is None else mul.reshape(shape),
            None if add is None else add.reshape(shape),
        )
    return _stored(result, op)


def evaluate_whole(op: Operation, inputs: Sequence[Array]) -> Array:
    """What `op` computes from whole tensors. Also takes `graph.reshape`, which has no tiles."""
    if isinstance(op, ReshapeOp):
        return inputs[0].reshape(shape_of(op.result))
    if not isinstance(op, GraphOp):
        fail(op, "has no numpy meaning on tensors")
    tiles = operand_tiles(op, op.full_box())
    # an op need not read all of an operand: slices, and the last rows of a strided window
    parts = [
        array[tuple(slice(r.start, r.start + r.size) for r in ranges)]
        for array, (ranges, _) in zip(inputs, tiles, strict=True)
    ]
    return evaluate(op, parts, [overhangs for _, overhangs in tiles])


def can_evaluate(op: Operation) -> bool:
    """Whether `evaluate_whole` takes `op`."""
    return isinstance(op, ReshapeOp) or (isinstance(op, GraphOp) and type(op) in _MEANINGS)


def channel_axis(op: Requantised) -> int:
    """The dimension of the result that `mul` and `add` of the epilogue run along."""
    (channel,) = op.channel_map().results
    return op.result_maps()[0].results.index(channel)


def _stored(array: Array, op: TilingInterface) -> Array:
    dtype = numpy_dtype(element_type(op.results[0]))
    if array.dtype.kind == "i" and array.dtype.itemsize > 4:
        array = array.astype(np.int32)
    return array.astype(dtype, copy=False)


# --- Arithmetic -----------------------------------------------------------------------------------


def wrap(value: int) -> int:
    """`value` modulo 2^32, as a signed number."""
    return (value + (1 << 31)) % (1 << 32) - (1 << 31)


def requantise(
    values: Array, requant: RequantAttr, mul: Array | None = None, add: Array | None = None
) -> Array:
    """`clamp((values * mul + add) >> shift, min, max)` with 32-bit wrap-around, as int32.

    Args:
        values: integers; taken modulo 2^32.
        requant: the numbers.
        mul: broadcasts to `values`; takes the place of the number in `requant`.
        add: likewise.
    """
    number_mul, number_add, shift, low, high = requant.values()
    wide = values.astype(np.int32, copy=False).astype(np.int64)
    wide = wide * (wrap(number_mul) if mul is None else mul.astype(np.int64))
    wide = wide + (wrap(number_add) if add is None else add.astype(np.int64))
    return np.clip(wide.astype(np.int32) >> shift, low, high).astype(np.int32, copy=False)


def exact_product(a: Array, b: Array) -> Array:
    """`a @ b` without rounding on integers (modulo 2^64 where that is needed).

    Floating-point matrix products are far faster than numpy's integer ones, and exact as long as
    no partial sum can leave the mantissa.
    """
    if a.dtype.kind == "f" or b.dtype.kind == "f":
        return np.matmul(a, b, dtype=np.float64)
    bound = _magnitude(a) * _magnitude(b) * a.shape[-1]
    for dtype, mantissa in ((np.float32, 24), (np.float64, 53)):
        if bound < 1 << mantissa:
            return np.matmul(a.astype(dtype), b.astype(dtype)).astype(np.int64)
    return np.matmul(a.astype(np.int64), b.astype(np.int64))


def _magnitude(array: Array) -> int:
    return max(abs(int(array.min())), abs(int(array.max()))) if array.size else 0


def _wide(array: Array) -> Array:
    """`array` with room for products and sums of two 32-bit numbers."""
    return array.astype(np.float64 if array.dtype.kind == "f" else np.int64)


def _pad(array: Array, overhang: Sequence[Overhang], value: Any = 0) -> Array:
    if not any(low or high for low, high in overhang):
        return array
    return np.pad(array, [tuple(o) for o in overhang], constant_values=value)


# --- Windows --------------------------------------------------------------------------------------


def _windows(
    op: WindowOp, kernel: Sequence[int], image: Array, overhang: Sequence[Overhang], value: Any = 0
) -> Array:
    """All windows of an image: `[batch, rows, columns, channels, window rows, window columns]`."""
    padded = _pad(image, overhang, value)
    if not op.channels_last:
        padded = padded.transpose(0, 2, 3, 1)
    row_stride, column_stride = tuple_of(op.strides)
    row_dilation, column_dilation = tuple_of(op.dilations)
    span = (row_dilation * (kernel[0] - 1) + 1, column_dilation * (kernel[1] - 1) + 1)
    windows = sliding_window_view(padded, span, axis=(1, 2))
    return windows[:, ::row_stride, ::column_stride, :, ::row_dilation, ::column_dilation]


def _in_layout(op: WindowOp, image: Array) -> Array:
    """A channels-last image in the layout of `op`."""
    return image if op.channels_last else image.transpose(0, 3, 1, 2)


@numpy_meaning(ConvOp)
def conv(op: ConvOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    image, weight = inputs[:2]
    if op.channels_last:
        weight = weight.transpose(0, 3, 1, 2)
    out_channels, in_channels, *kernel = weight.shape
    windows = _windows(op, kernel, image, overhangs[0])
    n, h, w, channels = windows.shape[:4]
    groups = channels // in_channels
    columns = windows.reshape(n * h * w, groups, -1).transpose(1, 0, 2)
    rows = weight.reshape(groups, out_channels // groups, -1).transpose(0, 2, 1)
    product = exact_product(columns, rows).transpose(1, 0, 2)
    return _in_layout(op, product.reshape(n, h, w, out_channels))


@numpy_meaning(DepthwiseConvOp)
def depthwise_conv(op: DepthwiseConvOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    image, weight = inputs[:2]
    windows = _windows(op, weight.shape[:2], _wide(image), overhangs[0])
    weight = _wide(weight)
    result = np.zeros(windows.shape[:4], windows.dtype)
    # tap by tap: contiguous channels are faster than a sum over two strided dimensions
    for row, column in np.ndindex(*weight.shape[:2]):
        result += windows[..., row, column] * weight[row, column]
    return result


@numpy_meaning(MaxPoolOp)
def max_pool(op: MaxPoolOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    (image,) = inputs
    lowest = -np.inf if image.dtype.kind == "f" else np.iinfo(image.dtype).min
    windows = _windows(op, tuple_of(op.kernel), image, overhangs[0], lowest)
    return _in_layout(op, windows.max(axis=(4, 5)))


@numpy_meaning(AveragePoolOp)
def average_pool(op: AveragePoolOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    (image,) = inputs
    kernel = tuple_of(op.kernel)
    total = _windows(op, kernel, _wide(image), overhangs[0]).sum(axis=(4, 5))
    count: Array | int = kernel[0] * kernel[1]
    if op.count_include_pad is None:
        inside = np.ones(image.shape, np.int64)
        count = _windows(op, kernel, inside, overhangs[0]).sum(axis=(4, 5))
    if total.dtype.kind == "f":
        return _in_layout(op, total / count)
    return _in_layout(op, (2 * total + count) // (2 * count))


# --- Matrix products and elementwise arithmetic ---------------------------------------------------


@numpy_meaning(MatmulOp)
def matmul(op: MatmulOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    lhs, rhs = inputs[:2]
    return exact_product(lhs, rhs.swapaxes(-1, -2) if op.transpose_rhs else rhs)


def _operands(op: BinaryOp, inputs: Sequence[Array]) -> tuple[Array, Array]:
    """The two operands, requantised as they are read, and wide enough."""
    lhs, rhs = inputs[:2]
    if op.lhs_requant is not None:
        lhs = requantise(lhs, op.lhs_requant)
    if op.rhs_requant is not None:
        rhs = requantise(rhs, op.rhs_requant)
    return _wide(lhs), _wide(rhs)


@numpy_meaning(AddOp)
def add(op: AddOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    lhs, rhs = _operands(op, inputs)
    return lhs + rhs


@numpy_meaning(SubOp)
def sub(op: SubOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    lhs, rhs = _operands(op, inputs)
    return lhs - rhs


@numpy_meaning(MulOp)
def mul(op: MulOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    lhs, rhs = _operands(op, inputs)
    return lhs * rhs


@numpy_meaning(MaxOp)
def max_(op: MaxOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    return np.maximum(*_operands(op, inputs))


@numpy_meaning(MinOp)
def min_(op: MinOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    return np.minimum(*_operands(op, inputs))


@numpy_meaning(RequantOp)
def requant(op: RequantOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    values, *factors = inputs
    mul = factors.pop(0) if op.mul is not None else None
    add = factors.pop(0) if op.add is not None else None
    return requantise(values, op.requant, mul, add)


@numpy_meaning(ClipOp)
def clip(op: ClipOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    (values,) = inputs
    return np.clip(_wide(values), op.min.value.data, op.max.value.data)


# --- Movement -------------------------------------------------------------------------------------


@numpy_meaning(TransposeOp)
def transpose(op: TransposeOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    return inputs[0].transpose(tuple_of(op.permutation))


@numpy_meaning(SliceOp)
def slice_(op: SliceOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    # the footprint begins at the first element wanted and ends at the last one
    return inputs[0][tuple(slice(None, None, step) for step in tuple_of(op.steps))]


@numpy_meaning(PadOp)
def pad(op: PadOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    return _pad(inputs[0], overhangs[0], op.value.value.data)


@numpy_meaning(CopyOp)
def copy(op: CopyOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    return inputs[0].copy()


@numpy_meaning(ConcatOp)
def concat(op: ConcatOp, inputs: Sequence[Array], overhangs: Overhangs) -> Array:
    return np.concatenate(inputs, axis=op.axis.value.data)


# --- xDSL interpreter -----------------------------------------------------------------------------


def _run_graph_op(
    _: InterpreterFunctions, interpreter: Interpreter, op: Operation, args: PythonValues
) -> OpImplResult:
    return OpImplResult((evaluate_whole(op, args),), None)


@register_impls
class GraphFunctions(InterpreterFunctions):
    """Runs graph ops on whole tensors; a value is a numpy array.

    Every op with a registered meaning is run, those that other packages add included.
    """

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx

    @classmethod
    def _impls(
        cls,
    ) -> Iterable[tuple[type[Operation], OpImpl[InterpreterFunctions, Operation]]]:
        yield from super()._impls()
        for op_type in _MEANINGS:
            if issubclass(op_type, TilingInterface):
                yield op_type, _run_graph_op

    @impl(ConstantOp)
    def run_constant(
        self, interpreter: Interpreter, op: ConstantOp, args: PythonValues
    ) -> PythonValues:
        return (array_of(self.ctx, op.value),)

    @impl(ReshapeOp)
    def run_reshape(
        self, interpreter: Interpreter, op: ReshapeOp, args: PythonValues
    ) -> PythonValues:
        return (evaluate_whole(op, args),)
