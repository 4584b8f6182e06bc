"""Evaluates nodes whose inputs are all known: shape arithmetic and constants in disguise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import helper

from deeploy.diagnostics import DeeployError
from deeploy.frontend.loading import first_line
from deeploy.frontend.nodes import Node, decode_tensor
from deeploy.frontend.values import Array, Constant, Tensor

# Contractions are not among them: they would be evaluated in float32, which is not exact.
FOLDED = frozenset(
    (
        "Abs",
        "Add",
        "And",
        "Cast",
        "CastLike",
        "Ceil",
        "Clip",
        "Concat",
        "Constant",
        "ConstantOfShape",
        "Cos",
        "CumSum",
        "Div",
        "Equal",
        "Erf",
        "Exp",
        "Expand",
        "EyeLike",
        "Flatten",
        "Floor",
        "Gather",
        "GatherElements",
        "GatherND",
        "Greater",
        "GreaterOrEqual",
        "Identity",
        "IsInf",
        "IsNaN",
        "Less",
        "LessOrEqual",
        "Log",
        "Max",
        "Min",
        "Mod",
        "Mul",
        "Neg",
        "Not",
        "OneHot",
        "Or",
        "Pad",
        "Pow",
        "Range",
        "Reciprocal",
        "ReduceMax",
        "ReduceMin",
        "ReduceProd",
        "ReduceSum",
        "Relu",
        "Reshape",
        "Round",
        "ScatterND",
        "Shape",
        "Sigmoid",
        "Sign",
        "Sin",
        "Size",
        "Slice",
        "Split",
        "Sqrt",
        "Squeeze",
        "Sub",
        "Tanh",
        "Tile",
        "Transpose",
        "Trilu",
        "Unsqueeze",
        "Where",
        "Xor",
    )
)
# Sums and products of integers carried in float32 need not fit its 24 bits.
_WIDENED = frozenset(("Add", "Mul", "ReduceProd", "ReduceSum", "Sub"))


def fold(proto: onnx.NodeProto, node: Node) -> list[Constant] | None:
    """The outputs of a node as constants, or None if they are not known before the network runs.

    Raises:
        DeeployError: the node cannot be evaluated.
    """
    if proto.op_type not in FOLDED or proto.domain:
        return None
    if proto.op_type in ("Shape", "Size"):
        return [Constant(proto.output[0], _shape_or_size(node))]
    inputs = [value for value in node.inputs if value is not None]
    constants = [value.array for value in inputs if isinstance(value, Constant)]
    if len(constants) < len(inputs):
        return None
    arrays = _constant(node) or _evaluate(proto, constants, node.opset)
    return [Constant(name, array) for name, array in zip(proto.output, arrays, strict=False)]


def _constant(node: Node) -> list[Array] | None:
    """The value of the usual kind of Constant node, without the cost of an evaluator."""
    value = node.attributes.get("value")
    return [value] if node.op_type == "Constant" and isinstance(value, np.ndarray) else None


def _shape_or_size(node: Node) -> Array:
    shape = node.value(0).shape
    if node.op_type == "Size":
        return np.asarray(np.prod(shape, dtype=np.int64))
    start, end = node.integer("start", 0), node.integer("end", len(shape))
    return np.asarray(shape[start:end], np.int64)


def _evaluate(proto: onnx.NodeProto, arrays: Sequence[Array], opset: int) -> list[Array]:
    from onnx.reference import ReferenceEvaluator  # slow to import, and rarely needed

    if proto.op_type in _WIDENED:
        arrays = [a.astype(np.float64) if a.dtype == np.float32 else a for a in arrays]
    names = list(dict.fromkeys(filter(None, proto.input)))
    feeds = dict(zip(filter(None, proto.input), arrays, strict=True))
    types = [helper.np_dtype_to_tensor_dtype(feeds[name].dtype) for name in names]
    graph = helper.make_graph(
        [proto],
        "fold",
        [helper.make_tensor_value_info(n, t, None) for n, t in zip(names, types, strict=True)],
        [onnx.ValueInfoProto(name=name) for name in proto.output],
    )
    version = min(opset, onnx.defs.onnx_opset_version())
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", version)])
    try:
        results = ReferenceEvaluator(model).run(None, feeds)  # pyright: ignore[reportUnknownMemberType]
        return [np.asarray(result) for result in results]
    except Exception as error:  # the evaluator raises whatever numpy raised
        raise DeeployError(f"cannot be evaluated: {first_line(error)}") from None


def initializer(tensor: onnx.TensorProto) -> Constant:
    """An initializer of the model as a constant.

    Raises:
        DeeployError: its data is damaged.
    """
    return Constant(tensor.name, decode_tensor(tensor))


def is_empty(value: Constant | Tensor) -> bool:
    """Whether a value has no elements."""
    return 0 in value.shape
