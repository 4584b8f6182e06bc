"""Turns a checked ONNX model into a module of the graph dialect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from xdsl.context import Context
from xdsl.dialects.builtin import (
    ArrayAttr,
    DictionaryAttr,
    ModuleOp,
    StringAttr,
    TensorType,
)
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Region
from xdsl.utils.exceptions import VerifyException

from deeploy.diagnostics import DeeployError, summary
from deeploy.dialects.graph import SYMBOL, CopyOp
from deeploy.frontend.builder import Builder, identifier
from deeploy.frontend.decomposition import decomposed
from deeploy.frontend.folding import fold, initializer
from deeploy.frontend.inputs import GraphInput, InputValues, graph_inputs
from deeploy.frontend.loading import check_node, load_model, node_label, opset_of
from deeploy.frontend.nodes import Node, decode_attributes
from deeploy.frontend.registry import find_operator, is_known
from deeploy.frontend.values import Constant, Tensor, Value

NETWORK = "network"
NAME_ATTRIBUTE = "graph.name"
QUANTLIB = "PACTOps"
"""The domain of QuantLib's operators, which it always imports."""


def import_model(
    source: str | Path | bytes,
    ctx: Context,
    input_types: Mapping[str, str] | None = None,
    input_values: InputValues | None = None,
    length: int | None = None,
) -> ModuleOp:
    """Import an ONNX model.

    Args:
        source: the file, or its content.
        ctx: keeps the blobs of large constants.
        input_types: element types of inputs by name: `si8`, `ui8`, `si32`, `f32` and their usual
            aliases.
        input_values: one array per input, by name or in order. Where `input_types` says nothing,
            types follow from the values and from the kind of the network (module `kind`).
        length: what stands for the one dimension that is dynamic, if there may be one. Inputs that
            have it get the attribute `graph.symbol`.

    Returns:
        A module with one function `network`. Its arguments and results are those of the ONNX
        graph in order, each with the attribute `graph.name`; images are NCHW, weights OIHW. Every
        op made from a node has its name as location.

    Raises:
        DeeployError: the file is damaged, or has something that is not supported.
    """
    model, title = load_model(source)
    try:
        inputs = graph_inputs(model.graph, input_types, input_values, length)
        constants = [initializer(tensor) for tensor in model.graph.initializer]
        if model.graph.sparse_initializer:
            raise DeeployError("sparse initializers are not supported")
    except DeeployError as error:
        raise type(error)(f"{title}: {error.message}", error.hint) from None
    importer = _Importer(model, ctx, inputs)
    importer.values.update((constant.name, constant) for constant in constants)
    for node in model.graph.node:
        importer.convert_node(node)
    return importer.finish()


class _Importer:
    """The state of one import: the values known so far, by their ONNX names."""

    def __init__(self, model: onnx.ModelProto, ctx: Context, inputs: Sequence[GraphInput]) -> None:
        self.model = model
        self.opset = opset_of(model, "")
        self.from_quantlib = any(entry.domain == QUANTLIB for entry in model.opset_import)
        self.inputs = inputs
        self.block = Block(arg_types=[TensorType(i.element_type, i.shape) for i in inputs])
        self.builder = Builder(ctx, self.block)
        self.values: dict[str, Value] = {}
        for input, argument in zip(inputs, self.block.args, strict=True):
            argument.name_hint = identifier(input.name)
            tensor = Tensor(argument, input.bounds())
            empty = Constant(input.name, np.zeros(input.shape, np.int64))
            self.values[input.name] = empty if 0 in input.shape else tensor

    def convert_node(self, proto: onnx.NodeProto) -> None:
        """Convert one node.

        Raises:
            DeeployError: it cannot be converted; the message starts with the node.
        """
        self.builder.node_name = proto.name
        try:
            self._convert(proto, self.opset)
        except DeeployError as error:
            raise DeeployError(f"{node_label(proto)}: {error.message}", error.hint) from None
        except VerifyException as error:
            raise DeeployError(f"{node_label(proto)}: {summary(error)}") from None

    def _convert(self, proto: onnx.NodeProto, opset: int) -> None:
        """Convert a node, or the nodes by which ONNX defines it, and keep its outputs."""
        inputs = [self.values[name] if name else None for name in proto.input]
        attributes = decode_attributes(proto)
        outputs = list(proto.output)
        node = Node(
            proto.op_type, proto.name, inputs, outputs, opset, attributes, self.from_quantlib
        )
        results = fold(proto, node)
        if results is None and not is_known(proto.op_type):
            body = decomposed(proto, inputs, opset)
            if body is not None:
                self._convert_body(proto, *body)
                return
        if results is None:
            results = self._results(proto, node)
        if any(outputs[len(results) :]):
            raise DeeployError(f"it has {len(outputs)} outputs, but only one is expected")
        for name, value in zip(outputs, results, strict=False):
            if isinstance(value, Tensor) and value.ssa.name_hint is None:
                value.ssa.name_hint = identifier(name)
            self.values[name] = value

    def _convert_body(
        self, proto: onnx.NodeProto, nodes: Sequence[onnx.NodeProto], opset: int
    ) -> None:
        check_node(self.model, proto)
        for inner in nodes:
            try:
                self._convert(inner, opset)
            except DeeployError as error:
                raise DeeployError(f"its {inner.op_type}: {error.message}", error.hint) from None

    def _results(self, proto: onnx.NodeProto, node: Node) -> Sequence[Value]:
        operator = find_operator(proto.op_type, proto.domain)
        if operator.schema:
            check_node(self.model, proto)
        results = operator.convert(node, self.builder)
        return [results] if isinstance(results, Constant | Tensor) else results

    def finish(self) -> ModuleOp:
        """Close the function and put it into a module."""
        names = [output.name for output in self.model.graph.output]
        results = [self._output(name) for name in names]
        seen: set[object] = set(self.block.args)
        for index, result in enumerate(results):
            if result.ssa in seen:
                results[index] = self._copy(result, names[index])
            seen.add(result.ssa)
        self.block.add_op(ReturnOp(*(result.ssa for result in results)))
        function = FuncOp(
            NETWORK,
            (self.block.arg_types, [result.ssa.type for result in results]),
            Region(self.block),
            arg_attrs=ArrayAttr([_attributes(input) for input in self.inputs]),
            res_attrs=_names(names),
        )
        return ModuleOp([function])

    def _output(self, name: str) -> Tensor:
        value = self.values[name]
        self.builder.node_name = None
        if isinstance(value, Tensor):
            return value
        try:
            return self._copy(self.builder.tensor(value), name)
        except DeeployError as error:
            raise DeeployError(f"output '{name}': {error.message}", error.hint) from None

    def _copy(self, value: Tensor, name: str) -> Tensor:
        copy = self.builder.move(CopyOp, value)
        copy.ssa.name_hint = identifier(name)
        return copy


def _attributes(input: GraphInput) -> DictionaryAttr:
    """What the IR says of an argument."""
    symbol = {} if input.symbol is None else {SYMBOL: input.symbol.attribute()}
    return DictionaryAttr({NAME_ATTRIBUTE: StringAttr(input.name), **symbol})


def _names(names: Sequence[str]) -> ArrayAttr[DictionaryAttr]:
    return ArrayAttr(DictionaryAttr({NAME_ATTRIBUTE: StringAttr(name)}) for name in names)
