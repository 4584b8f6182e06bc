"""Constants survive the way into the IR, through its text and back."""

from io import StringIO

import numpy as np
import pytest
from xdsl.context import Context
from xdsl.dialects.builtin import (
    DenseIntOrFPElementsAttr,
    DenseResourceAttr,
    MemRefType,
    ModuleOp,
    TensorType,
    f32,
    i32,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.universe import Universe
from xdsl.utils.exceptions import ParseError, PassFailedException

from deeploy.context import make_context
from deeploy.resources import array_of, constant_attr, element_type, numpy_dtype

DTYPES = [np.dtype(f"{s}int{b}") for s in ("", "u") for b in (8, 16, 32, 64)]
DTYPES += [np.dtype(x) for x in (np.bool_, np.float16, np.float32, np.float64)]
SHAPES = [(), (1,), (2, 3), (0,), (4, 4), (17,), (2, 5, 7)]


def text_of(ctx: Context, module: ModuleOp, *, generic: bool = False) -> str:
    stream = StringIO()
    printer = Printer(stream, print_generic_format=generic)
    printer.print_op(module)
    printer.print_metadata(ctx.loaded_dialects)
    return stream.getvalue()


def module_with(**constants) -> ModuleOp:
    return ModuleOp([], constants)


def random_array(dtype: np.dtype, shape: tuple[int, ...]) -> np.ndarray:
    rng = np.random.default_rng(0)
    if dtype.kind == "f":
        return rng.standard_normal(shape).astype(dtype)
    if dtype.kind == "b":
        return rng.integers(0, 2, shape).astype(dtype)
    info = np.iinfo(dtype)
    return np.asarray(rng.integers(info.min, info.max, shape, dtype=dtype, endpoint=True))


@pytest.mark.parametrize("generic", [False, True])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_round_trip(ctx: Context, dtype: np.dtype, shape: tuple[int, ...], generic: bool) -> None:
    array = random_array(dtype, shape)
    attr = constant_attr(ctx, "w", array, TensorType(element_type(dtype), shape))
    text = text_of(ctx, module_with(w=attr), generic=generic)

    other = make_context()
    parsed = Parser(other, text).parse_module().attributes["w"]
    assert parsed == attr
    result = array_of(other, parsed)
    assert (result.dtype, result.shape) == (dtype, shape)
    np.testing.assert_array_equal(result, array)


@pytest.mark.parametrize("number", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("shape", [(), (3,), (17,)], ids=str)
def test_round_trip_of_what_is_no_number(
    ctx: Context, shape: tuple[int, ...], number: float
) -> None:
    array = np.full(shape, number, np.float32)
    attr = constant_attr(ctx, "w", array, TensorType(f32, shape))
    other = make_context()
    parsed = Parser(other, text_of(ctx, module_with(w=attr))).parse_module().attributes["w"]
    np.testing.assert_array_equal(array_of(other, parsed), array)


@pytest.mark.parametrize("text", ["si4", "ui4", "i8", "i32", "index", "si2"])
def test_other_element_types(ctx: Context, text: str) -> None:
    type = Parser(ctx, f"tensor<18x{text}>").parse_type()
    array = np.arange(18) % 2
    attr = constant_attr(ctx, "w", array, type)
    assert array_of(ctx, attr).dtype == numpy_dtype(type.element_type)
    np.testing.assert_array_equal(array_of(ctx, attr), array)


def test_size_decides_the_form(ctx: Context) -> None:
    assert isinstance(
        constant_attr(ctx, "w", np.zeros(16), TensorType(f32, [16])), DenseIntOrFPElementsAttr
    )
    assert isinstance(
        constant_attr(ctx, "w", np.zeros(17), MemRefType(f32, [17])), DenseResourceAttr
    )


def test_blob_is_what_mlir_writes(ctx: Context) -> None:
    attr = constant_attr(ctx, "w", np.arange(17, dtype=np.int16), TensorType(i32, [17]))
    assert 'w: "0x04000000' + "0000000001000000" in text_of(ctx, module_with(w=attr))


def test_keys(ctx: Context) -> None:
    def key(hint: str, value: int) -> str:
        array = np.full(20, value, np.int8)
        attr = constant_attr(ctx, hint, array, TensorType(element_type(array.dtype), [20]))
        return attr.resource_handle.data

    assert key("conv/weight:0", 1) == "conv_weight_0"
    assert key("conv/weight:0", 2) == "conv_weight_0_1"
    assert key("conv/weight:0", 1) == "conv_weight_0"
    assert key("conv/weight:0", 2) == "conv_weight_0_1"
    assert key("0", 1) == "_0"
    assert key("", 1) == "constant"


@pytest.mark.parametrize(
    ("array", "type", "message"),
    [
        (np.zeros(3), "tensor<4xsi8>", "shape"),
        (np.array([128]), "tensor<1xsi8>", "does not fit its element type si8"),
        (np.array([-1]), "tensor<1xui8>", "does not fit its element type ui8"),
        (np.array([0.5]), "tensor<1xsi8>", "does not fit its element type si8"),
        (np.array([8]), "tensor<1xsi4>", "does not fit its element type si4"),
        (np.array([1]), "tensor<1xbf16>", "no numpy counterpart"),
    ],
)
def test_misfits(ctx: Context, array: np.ndarray, type: str, message: str) -> None:
    with pytest.raises(PassFailedException, match=message):
        constant_attr(ctx, "w", array, Parser(ctx, type).parse_type())


def parse_resource(ctx: Context, blob: str) -> DenseResourceAttr:
    text = f"""builtin.module attributes {{w = dense_resource<w> : tensor<2xsi8>}} {{}}
        {{-# dialect_resources: {{ builtin: {{ w: "{blob}" }} }} #-}}"""
    return Parser(ctx, text).parse_module().attributes["w"]


def test_missing_and_wrong_blobs(ctx: Context) -> None:
    attr = Parser(ctx, "dense_resource<gone> : tensor<2xsi8>").parse_attribute()
    with pytest.raises(PassFailedException, match=r"'gone' has no data.*elided"):
        array_of(ctx, attr)
    attr = parse_resource(ctx, "0x01000000010203")
    with pytest.raises(PassFailedException, match="has 3 bytes, not 2"):
        array_of(ctx, attr)
    other = make_context()
    attr = parse_resource(other, "0x01000000xy")
    with pytest.raises(PassFailedException, match="not hexadecimal"):
        array_of(other, attr)


def test_contexts_share_nothing() -> None:
    one, two = make_context(), make_context()
    first, second = parse_resource(one, "0x010000000102"), parse_resource(two, "0x010000000304")
    assert array_of(one, first).tolist() == [1, 2]
    assert array_of(two, second).tolist() == [3, 4]


def test_second_file_in_a_context(ctx: Context) -> None:
    parse_resource(ctx, "0x010000000102")
    assert array_of(ctx, parse_resource(ctx, "0x010000000102")).tolist() == [1, 2]
    with pytest.raises(ParseError, match="'w' already has other content"):
        parse_resource(ctx, "0x010000000304")


def test_with_the_stock_builtin_dialect() -> None:
    """Passes also run under plain `xdsl-opt`."""
    ctx = Context()
    for name, factory in Universe.get_multiverse().all_dialects.items():
        ctx.register_dialect(name, factory)
    array = np.arange(20, dtype=np.uint8)
    type = TensorType(element_type(array.dtype), [20])
    attr = constant_attr(ctx, "stock", array, type)
    assert constant_attr(ctx, "stock", array, type) == attr
    assert constant_attr(ctx, "stock", array + 1, type) != attr
    np.testing.assert_array_equal(array_of(ctx, attr), array)
