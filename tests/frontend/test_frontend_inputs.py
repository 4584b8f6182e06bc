"""Inputs and outputs of the network, and how their element types are found."""

import numpy as np
import pytest
from onnx import TensorProto
from onnx_builders import evaluate, imported, model, node, text
from xdsl.context import Context
from xdsl.dialects.func import FuncOp

from deeploy.diagnostics import DeeployError, UsageError
from deeploy.frontend import import_model


def source(shape=(3,), elem_type: int = TensorProto.FLOAT) -> bytes:
    proto = model([node("Identity", "x")], {"x": shape}, elem_type=elem_type)
    return proto.SerializeToString()


def type_of(ctx: Context, *args) -> str:
    function = import_model(*args[:1], ctx, *args[1:]).body.block.first_op
    assert isinstance(function, FuncOp)
    return str(function.function_type.inputs.data[0])


@pytest.mark.parametrize(
    "names, type",
    [("si8 i8 int8", "si8"), ("ui8 u8 uint8", "ui8"), ("si32 i32 int32", "si32")],
)
def test_types_by_the_users_word(ctx: Context, names: str, type: str) -> None:
    for name in names.split():
        assert type_of(ctx, source(), {"x": name}) == f"tensor<3x{type}>"


@pytest.mark.parametrize(
    "values, type",
    [([0, 1, 127], "si8"), ([0, 1, 128], "ui8"), ([-1, 0, 128], "si32"), ([0, 0, 256], "si32")],
)
@pytest.mark.parametrize("dtype", [np.float32, np.int64])
def test_types_by_example(ctx: Context, values: list, type: str, dtype: type) -> None:
    array = np.array(values, dtype)
    for given in ([array], {"x": array}, {"arr_0": array}):
        assert type_of(ctx, source(), None, given) == f"tensor<3x{type}>"


@pytest.mark.parametrize(
    "elem_type, type",
    [(TensorProto.INT8, "si8"), (TensorProto.UINT8, "ui8"), (TensorProto.INT32, "si32")],
)
def test_types_of_the_file(ctx: Context, capsys, elem_type: int, type: str) -> None:
    assert type_of(ctx, source(elem_type=elem_type)) == f"tensor<3x{type}>"
    assert not capsys.readouterr().err


def test_assumed_type_is_told(ctx: Context, capsys) -> None:
    assert type_of(ctx, source()) == "tensor<3xsi8>"
    assert capsys.readouterr().err == (
        "note: the element type of input 'x' is not in the file, si8 is assumed; "
        "--input-type x=ui8 would change it\n"
    )


def test_the_users_word_goes_first(ctx: Context) -> None:
    assert type_of(ctx, source(), {"x": "si32"}, [np.zeros(3)]) == "tensor<3xsi32>"


def test_wrong_names(ctx: Context) -> None:
    with pytest.raises(UsageError, match="ONNX model: the network has no input 'z'; known: x"):
        import_model(source(), ctx, {"z": "si8"})
    with pytest.raises(UsageError, match="unknown element type 'si9'; did you mean si8"):
        import_model(source(), ctx, {"x": "si9"})


def test_values_that_do_not_fit(ctx: Context) -> None:
    with pytest.raises(DeeployError, match=r"values in \[0, 300\], which ui8 does not hold"):
        import_model(source(), ctx, {"x": "ui8"}, [np.array([0, 1, 300])])
    with pytest.raises(DeeployError, match=r"such as 0\.5"):
        import_model(source(), ctx, {"x": "si8"}, [np.array([0, 1, 0.5])])
    with pytest.raises(DeeployError, match=r"input 'x' have shape \(2,\), not \(3,\)"):
        import_model(source(), ctx, None, [np.array([0, 1])])
    with pytest.raises(DeeployError, match="there are values for 0 of 1 inputs"):
        import_model(source(), ctx, None, [])


@pytest.mark.parametrize(
    "shape, message",
    [
        (("N", 3), "dimension 0 'N' of input 'x' is dynamic; export"),
        ((1, None), "dimension 1 of input 'x' is dynamic"),
        ((1, -1), "dimension 1 of input 'x' is dynamic"),
        (None, "input 'x' has no shape; export the network with static shapes"),
    ],
)
def test_dynamic_shapes(ctx: Context, shape: tuple | None, message: str) -> None:
    with pytest.raises(DeeployError) as error:
        import_model(source(shape), ctx)
    assert message in str(error.value)


def test_text_is_no_number(ctx: Context) -> None:
    with pytest.raises(DeeployError, match="input 'x' has elements of type string"):
        import_model(source(elem_type=TensorProto.STRING), ctx)


def test_names_are_kept(ctx: Context) -> None:
    proto = model([node("Relu", "in::a", "0out")], {"in::a": (3,)}, outputs=["0out"])
    module = text(ctx, imported(ctx, proto))
    assert '@network(%in__a: tensor<3xsi8> {graph.name = "in::a"})' in module
    assert '-> (tensor<3xsi8> {graph.name = "0out"})' in module


def test_outputs_are_tensors_of_their_own(ctx: Context) -> None:
    """An input, a constant, and the same value twice."""
    nodes = [node("Relu", "x", "r"), node("Identity", "r", "s"), node("Identity", "x", "z")]
    constants = {"c": np.float32([7, 8])}
    proto = model(nodes, {"x": (2,)}, constants, outputs=["r", "s", "z", "x", "c"])
    outputs = evaluate(ctx, proto, {"x": np.array([-1, 1])})
    assert [y.tolist() for y in outputs] == [[0, 1], [0, 1], [-1, 1], [-1, 1], [7, 8]]
    assert text(ctx, imported(ctx, proto)).count("graph.copy") == 4


def test_empty_inputs(ctx: Context, capsys) -> None:
    proto = model([node("Relu", "x")], {"x": (2,), "cache": (1, 0, 4)})
    module = import_model(proto.SerializeToString(), ctx, {"x": "si8"})
    assert "%cache: tensor<1x0x4xsi8>" in text(ctx, module)
    assert not capsys.readouterr().err
    pool = model([node("GlobalMaxPool", "x")], {"x": (1, 1, 0)})
    with pytest.raises(DeeployError, match=r"^GlobalMaxPool '.*': 'x' has shape \(1, 1, 0\), with"):
        imported(ctx, pool)


def test_empty_outputs(ctx: Context) -> None:
    proto = model([node("Identity", "x")], {"x": (2, 0)})
    with pytest.raises(DeeployError, match=r"^output 'y': 'y' has shape \(2, 0\), without"):
        imported(ctx, proto)
