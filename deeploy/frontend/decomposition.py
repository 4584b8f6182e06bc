"""Operators that ONNX itself defines by others: their nodes take the operator's place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import onnx
from onnx import defs, helper

from deeploy.frontend.values import Constant, Value


def decomposed(
    node: onnx.NodeProto, values: Sequence[Value | None], opset: int
) -> tuple[list[onnx.NodeProto], int] | None:
    """The nodes that compute what `node` does, and the opset that they are written in.

    None if ONNX has no definition of the operator. Names of inner values start with the node's
    name, inner nodes have that name itself.
    """
    body = _body(node, values, min(opset, defs.onnx_opset_version()))
    if body is None:
        return None
    names = {name: "" for name in body.input}
    names.update(zip(body.input, node.input, strict=False))
    names.update(zip(body.output, node.output, strict=False))
    attributes = _attributes(node, body)
    version = max((entry.version for entry in body.opset_import if not entry.domain), default=opset)
    return [_renamed(inner, node.name, names, attributes) for inner in body.node], version


def _body(
    node: onnx.NodeProto, values: Sequence[Value | None], opset: int
) -> onnx.FunctionProto | None:
    if node.domain or not defs.has(node.op_type):
        return None
    # some of what a schema has is not in onnx's stubs
    schema: Any = defs.get_schema(node.op_type, opset, "")
    if schema.has_function:
        return schema.function_body
    if not schema.has_context_dependent_function:
        return None
    types = [_type_of(value).SerializeToString() for value in values if value is not None]
    body = onnx.FunctionProto()
    body.ParseFromString(schema.get_context_dependent_function(node.SerializeToString(), types))
    return body if body.node else None


def _type_of(value: Value) -> onnx.TypeProto:
    """The type of a value in ONNX: what the network computes is carried in float32."""
    type = onnx.TensorProto.FLOAT
    if isinstance(value, Constant):
        type = helper.np_dtype_to_tensor_dtype(value.array.dtype)
    return helper.make_tensor_type_proto(type, value.shape)


def _attributes(node: onnx.NodeProto, body: onnx.FunctionProto) -> dict[str, onnx.AttributeProto]:
    """The attributes of a node, with the defaults of its operator."""
    schema = defs.get_schema(node.op_type)
    defaults = {name: attribute.default_value for name, attribute in schema.attributes.items()}
    result = {name: value for name, value in defaults.items() if value.type}
    result.update((attribute.name, attribute) for attribute in body.attribute_proto)
    result.update((attribute.name, attribute) for attribute in node.attribute)
    return result


def _renamed(
    inner: onnx.NodeProto,
    prefix: str,
    names: Mapping[str, str],
    attributes: Mapping[str, onnx.AttributeProto],
) -> onnx.NodeProto:
    """A node of a body with the names and attributes of the node that it helps to replace."""
    copy = onnx.NodeProto()
    copy.CopyFrom(inner)
    copy.name = prefix
    copy.input[:] = [names.get(name, f"{prefix}/{name}") if name else "" for name in inner.input]
    copy.output[:] = [names.get(name, f"{prefix}/{name}") if name else "" for name in inner.output]
    del copy.attribute[:]
    for attribute in inner.attribute:
        if not attribute.ref_attr_name:
            copy.attribute.append(attribute)
        elif attribute.ref_attr_name in attributes:
            given = copy.attribute.add()
            given.CopyFrom(attributes[attribute.ref_attr_name])
            given.name = attribute.name
    return copy
