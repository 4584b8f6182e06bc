"""Files: what is read, and how damaged ones are reported."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_builders import evaluate, floats, imported, int64, model, node, text
from xdsl.context import Context

from deeploy.diagnostics import DeeployError, node_name
from deeploy.frontend import import_model


def small_model() -> onnx.ModelProto:
    constants = {"w": floats((8, 8))}
    return model([node("MatMul", "x w", "m"), node("Relu", "m")], {"x": (1, 8)}, constants)


def error_of(ctx: Context, source: str | Path | bytes | onnx.ModelProto) -> str:
    if isinstance(source, onnx.ModelProto):
        source = source.SerializeToString()
    with pytest.raises(DeeployError) as error:
        import_model(source, ctx)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_sources(ctx: Context, tmp_path: Path) -> None:
    path, proto = tmp_path / "a.onnx", small_model()
    onnx.save(proto, path)
    modules = [import_model(s, ctx) for s in (path, str(path), path.read_bytes())]
    assert len({text(ctx, module) for module in modules}) == 1


def test_weights_in_another_file(ctx: Context, tmp_path: Path) -> None:
    path = tmp_path / "a.onnx"
    onnx.save(small_model(), path, save_as_external_data=True, location="a.bin", size_threshold=0)
    import_model(path, ctx)
    (tmp_path / "a.bin").unlink()
    assert error_of(ctx, path).startswith(f"{path}: ")


def test_missing_file(ctx: Context, tmp_path: Path) -> None:
    assert error_of(ctx, tmp_path / "b.onnx") == f"{tmp_path / 'b.onnx'}: no such file"
    assert error_of(ctx, tmp_path) == f"{tmp_path}: no such file"


@pytest.mark.parametrize("content", [b"", b"builtin.module {}", b"\x00" * 50, b"\x08"], ids=str)
def test_other_files(ctx: Context, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "b.onnx"
    path.write_bytes(content)
    assert "; the file is" in error_of(ctx, path)


def test_truncated_files(ctx: Context) -> None:
    """Wherever a file ends, there is a diagnostic."""
    content = small_model().SerializeToString()
    for length in range(len(content)):
        error_of(ctx, content[:length])


def test_damaged_files_do_not_crash(ctx: Context) -> None:
    content = bytearray(small_model().SerializeToString())
    rng = np.random.default_rng(0)
    for _ in range(300):
        damaged = content.copy()
        damaged[rng.integers(len(content))] = rng.integers(256)
        try:
            import_model(bytes(damaged), ctx, {"x": "si8"})
        except DeeployError as error:
            assert error.message


def test_damaged_initializer(ctx: Context) -> None:
    proto = small_model()
    proto.graph.initializer[0].raw_data = proto.graph.initializer[0].raw_data[:-4]
    assert "(tensor name: w) raw_data size (252 bytes) is too small" in error_of(ctx, proto)


def test_tensors_of_unknown_types(ctx: Context) -> None:
    proto = model([node("Constant", "", "c", value=numpy_helper.from_array(int64(1)))], {"x": (3,)})
    proto.graph.node[0].attribute[0].t.data_type = 99
    proto.graph.node.append(node("Add", "x c"))
    assert "Constant 'the_constant': the data of tensor '' is damaged" in error_of(ctx, proto)


def test_names_that_are_no_text(ctx: Context) -> None:
    content = small_model().SerializeToString().replace(b"the_relu", b"the_r\xb7lu")
    assert ": a name in it is damaged; the file" in error_of(ctx, content)


def test_nodes_in_any_order(ctx: Context) -> None:
    nodes = [node("Add", "b c"), node("Relu", "a", "c"), node("Neg", "a", "b")]
    nodes = [node("Add", "b c"), node("Mul", "a a", "c"), node("Relu", "x", "a")]
    nodes.append(node("Sub", "a a", "b"))
    (y,) = evaluate(ctx, model(nodes, {"x": (3,)}), {"x": np.array([-2, 2, 3])})
    assert y.tolist() == [0, 4, 9]


def test_cycles(ctx: Context) -> None:
    nodes = [
        node("Add", "x c", "a", name="first"),
        node("Relu", "a", "b", name="second"),
        node("Relu", "b", "c", name="third"),
        node("Relu", "c", "y", name="behind"),
    ]
    assert error_of(ctx, model(nodes, {"x": (3,)})) == (
        "ONNX model: nodes form a cycle: 'first' → 'second' → 'third' → 'first'"
    )


def test_graph_errors(ctx: Context) -> None:
    relu = node("Relu", "x")
    missing = model([node("Add", "x z")], {"x": (3,)})
    assert "Add 'the_add' reads 'z', which no node, input or init" in error_of(ctx, missing)
    twice = model([relu, node("Neg", "x")], {"x": (3,)})
    assert "Neg 'the_neg' computes 'y', which is there already" in error_of(ctx, twice)
    output = model([relu], {"x": (3,)}, outputs=["z"])
    assert "the output 'z' is computed by no node" in error_of(ctx, output)
    wrong = model([node("Relu", "x x")], {"x": (3,)})
    assert error_of(ctx, wrong).startswith("Relu 'the_relu': Node(the_relu) with schema")


def test_no_version(ctx: Context) -> None:
    proto = small_model()
    proto.ClearField("ir_version")
    assert "onnx's checker rejects it" in error_of(ctx, proto)


@pytest.mark.parametrize("opset", range(9, 25))
def test_opsets(ctx: Context, opset: int) -> None:
    imported(ctx, model([node("Relu", "x")], {"x": (3,)}, opset=opset))


def test_old_opset(ctx: Context) -> None:
    proto = model([node("Relu", "x")], {"x": (3,)}, opset=7)
    assert error_of(ctx, proto) == (
        "ONNX model: opset 7 is too old; convert it to 9 or newer with onnx.version_converter"
    )


def test_opsets_given_twice(ctx: Context) -> None:
    proto = model([node("Relu", "x")], {"x": (3,)}, opset=13, domains=["", "PACTOps", "PACTOps"])
    imported(ctx, proto)


def test_default_domain_by_its_name(ctx: Context) -> None:
    proto = model([node("Relu", "x", domain="ai.onnx")], {"x": (3,)})
    imported(ctx, proto)


def test_unnamed_nodes_are_numbered(ctx: Context) -> None:
    nodes = [
        node("Relu", "x", "a", name=""),
        node("Relu", "a", "b", name="Relu_0"),
        node("Relu", "b", "c", name=""),
        node("Relu", "c", "d", name="twin"),
        node("Relu", "d", "y", name="twin"),
    ]
    module = imported(ctx, model(nodes, {"x": (3,)}))
    names = [node_name(op) for op in module.walk() if op.name == "graph.clip"]
    assert names == ["Relu_1", "Relu_0", "Relu_2", "twin_0", "twin_1"]


def test_functions_are_inlined(ctx: Context) -> None:
    function = helper.make_function(
        "local", "Twice", ["a"], ["b"], [node("Add", "a a", "b")], [helper.make_opsetid("", 13)]
    )
    proto = model([node("Twice", "x", domain="local")], {"x": (3,)}, domains=["local"])
    proto.functions.append(function)
    (y,) = evaluate(ctx, proto, {"x": np.array([1, 2, 3])})
    assert y.tolist() == [2, 4, 6]


def test_initializers_listed_as_inputs(ctx: Context) -> None:
    proto = small_model()
    proto.graph.input.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, (8, 8)))
    module = import_model(proto.SerializeToString(), ctx, {"x": "i8"})
    assert "@network(%x: tensor<1x8xsi8> " in text(ctx, module)


def test_sparse_initializers(ctx: Context) -> None:
    proto = small_model()
    values = numpy_helper.from_array(np.float32([1]), "s")
    sparse = helper.make_sparse_tensor(values, numpy_helper.from_array(int64(0), "i"), [4])
    proto.graph.sparse_initializer.append(sparse)
    assert "sparse initializers are not supported" in error_of(ctx, proto)


def test_unknown_operators(ctx: Context) -> None:
    proto = model([node("RequantShiff", "x", domain="PACTOps")], {"x": (3,)}, domains=["PACTOps"])
    assert error_of(ctx, proto) == (
        "RequantShiff 'the_requantshiff': unsupported operator 'RequantShiff'; "
        "did you mean RequantShift or Dequant or DequantizeLinear? "
        "`deeploy ops` lists what is supported"
    )
    proto = model([node("Sign", "x")], {"x": (3,)})
    assert error_of(ctx, proto) == "Sign 'the_sign': operator 'Sign' is only supported on constants"
    proto = model([node("Relu", "x", domain="mine")], {"x": (3,)}, domains=["mine"])
    assert "operator 'Relu' is not known in the domain 'mine'" in error_of(ctx, proto)


def test_unexpected_outputs(ctx: Context) -> None:
    proto = model([node("Identity", "x", "y z", domain="")], {"x": (3,)}, outputs=["y", "z"])
    assert "Identity 'the_identity': " in error_of(ctx, proto)
    constants = {"m": np.float32(1), "a": np.float32(0)}
    requant = node("RequantShift", "x m a", "y z", div=2, n_levels=256)
    proto = model([requant], {"x": (3,)}, constants, outputs=["y", "z"])
    assert "it has 2 outputs, but only one is expected" in error_of(ctx, proto)
