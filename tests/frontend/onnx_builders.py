"""Small ONNX models for tests, and what onnxruntime makes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import StringIO

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.printer import Printer

from deeploy.frontend import import_model
from deeploy.interpreters import run_module

Arrays = Mapping[str, np.ndarray]


def node(op: str, inputs: str, outputs: str = "y", **attributes) -> onnx.NodeProto:
    """A node; input and output names are separated by spaces, `_` stands for none."""
    names = [["" if n == "_" else n for n in text.split()] for text in (inputs, outputs)]
    attributes.setdefault("name", f"the_{op.lower()}")
    return helper.make_node(op, *names, **attributes)


def model(
    nodes: Sequence[onnx.NodeProto],
    inputs: Mapping[str, Sequence[int | str | None]],
    constants: Arrays | None = None,
    outputs: Sequence[str] = ("y",),
    opset: int = 13,
    domains: Sequence[str] = (),
    elem_type: int = TensorProto.FLOAT,
) -> onnx.ModelProto:
    """A model with the inputs' shapes; constants become initializers with their numpy type."""
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(n, elem_type, shape) for n, shape in inputs.items()],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in outputs],
        [numpy_helper.from_array(a, n) for n, a in (constants or {}).items()],
    )
    opsets = [helper.make_opsetid("", opset), *(helper.make_opsetid(d, 1) for d in domains)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def floats(shape: Sequence[int], low: int = -128, high: int = 127, seed: int = 0) -> np.ndarray:
    """Random integers, both bounds included, in float32."""
    rng = np.random.default_rng(seed)
    return np.asarray(rng.integers(low, high, tuple(shape), endpoint=True)).astype(np.float32)


def int64(*values: int) -> np.ndarray:
    """A shape tensor."""
    return np.array(values, np.int64)


def imported(
    ctx: Context, proto: onnx.ModelProto, input_types: Mapping[str, str] | None = None
) -> ModuleOp:
    """The verified module; inputs are `si8` unless something else is said."""
    types = {value.name: "si8" for value in proto.graph.input} | dict(input_types or {})
    module = import_model(proto.SerializeToString(), ctx, types)
    module.verify()
    return module


def text(ctx: Context, module: ModuleOp) -> str:
    """The module as it is printed."""
    stream = StringIO()
    Printer(stream).print_op(module)
    return stream.getvalue()


def ops(module: ModuleOp, name: str) -> list[Operation]:
    """The ops of a kind."""
    return [op for op in module.walk() if op.name == name]


def evaluate(
    ctx: Context,
    proto: onnx.ModelProto,
    inputs: Arrays,
    input_types: Mapping[str, str] | None = None,
) -> list[np.ndarray]:
    """Import and run a model."""
    module = imported(ctx, proto, input_types)
    return run_module(ctx, module, [a.astype(np.int64) for a in inputs.values()])


def expect_as_onnxruntime(
    ctx: Context,
    nodes: Sequence[onnx.NodeProto],
    inputs: Arrays,
    constants: Arrays | None = None,
    outputs: Sequence[str] = ("y",),
    opset: int = 13,
    input_types: Mapping[str, str] | None = None,
    half_up: bool = False,
) -> None:
    """Import a model of standard operators, and compare each output with onnxruntime's.

    Values are small, so that float32 is exact. With `half_up` its results are rounded.
    """
    proto = model(nodes, {n: a.shape for n, a in inputs.items()}, constants, outputs, opset)
    session = onnxruntime.InferenceSession(
        proto.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    expected = [np.asarray(y) for y in session.run(None, dict(inputs))]
    actual = evaluate(ctx, proto, inputs, input_types)
    assert len(actual) == len(expected)
    for ours, theirs in zip(actual, expected, strict=True):
        theirs = np.floor(theirs + 0.5) if half_up else theirs
        assert ours.shape == theirs.shape
        np.testing.assert_array_equal(ours.astype(np.float64), theirs.astype(np.float64))
