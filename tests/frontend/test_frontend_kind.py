"""Is a network one of integers or of floats?"""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx_builders import model, node
from xdsl.context import Context
from xdsl.dialects.func import FuncOp

from deeploy.frontend import import_model

INTEGRAL, FRACTIONS = np.float32([1, 2, 3]), np.float32([0.5, 2, 3])
REQUANT = node("RequantShift", "y m m", "z", div=2, n_levels=256, signed=1)


def type_of_input(
    ctx: Context,
    proto: onnx.ModelProto,
    values: np.ndarray | None = None,
    given: str | None = None,
) -> str:
    types = {} if given is None else {"x": given}
    inputs = None if values is None else [values]
    module = import_model(proto.SerializeToString(), ctx, types, inputs)
    module.verify()
    function = module.body.block.first_op
    assert isinstance(function, FuncOp)
    return str(function.function_type.inputs.data[0]).partition("x")[2].rstrip(">")


def one(op: onnx.NodeProto, constant: np.ndarray | None = None, **arguments) -> onnx.ModelProto:
    constants = {} if constant is None else {"c": constant}
    return model([op], {"x": (3,)}, constants, **arguments)


@pytest.mark.parametrize("values", [None, INTEGRAL])
def test_by_operators(ctx: Context, values: np.ndarray | None) -> None:
    assert type_of_input(ctx, one(node("Softmax", "x")), values) == "f32"
    assert type_of_input(ctx, one(node("Relu", "x")), values) == "si8"


@pytest.mark.parametrize("values", [None, INTEGRAL])
def test_by_constants(ctx: Context, values: np.ndarray | None) -> None:
    assert type_of_input(ctx, one(node("Add", "x c"), FRACTIONS), values) == "f32"
    assert type_of_input(ctx, one(node("Add", "x c"), INTEGRAL), values) == "si8"
    nodes = [node("Constant", "", "c", value_float=0.5), node("Add", "x c")]
    assert type_of_input(ctx, model(nodes, {"x": (3,)}), values) == "f32"


def test_by_values(ctx: Context) -> None:
    assert type_of_input(ctx, one(node("Relu", "x")), FRACTIONS) == "f32"
    assert type_of_input(ctx, one(node("Relu", "x")), INTEGRAL + 200) == "ui8"


def test_operators_of_quantised_networks_go_first(ctx: Context) -> None:
    proto = model([node("Add", "x k"), REQUANT], {"x": (3,)}, outputs=["z"])
    for name, value in (("k", 1), ("m", 1), ("unused", 0.5)):
        proto.graph.initializer.append(helper.make_tensor(name, TensorProto.FLOAT, [], [value]))
    assert type_of_input(ctx, proto, INTEGRAL) == "si8"


def test_quantisers_read_floats(ctx: Context) -> None:
    quant = node("Quant", "x", scale=2.0, zero_point=0.0, bit_width=8, signed=1)
    nodes = [quant, REQUANT]
    proto = model(nodes, {"x": (3,)}, {"m": np.float32(1)}, outputs=["z"])
    assert type_of_input(ctx, proto) == "f32"
    assert type_of_input(ctx, proto, INTEGRAL) == "f32"


def test_the_users_word(ctx: Context) -> None:
    assert type_of_input(ctx, one(node("Relu", "x")), INTEGRAL, "float32") == "f32"
    assert type_of_input(ctx, one(node("Softmax", "x")), INTEGRAL, "ui8") == "ui8"


def test_declared_types(ctx: Context) -> None:
    for declared, expected in (
        (TensorProto.INT64, "si32"),
        (TensorProto.INT8, "si8"),
        (TensorProto.DOUBLE, "f32"),
    ):
        proto = one(node("Softmax", "c"), FRACTIONS, elem_type=declared)
        assert type_of_input(ctx, proto) == expected
