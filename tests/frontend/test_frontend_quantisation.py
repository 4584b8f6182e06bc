"""Requantisation."""

import numpy as np
import pytest
from onnx import helper, numpy_helper
from onnx_builders import evaluate, floats, imported, model, node, text
from xdsl.context import Context

from deeploy.diagnostics import DeeployError


def requant(**attributes):
    return node("RequantShift", "x m a", **{"div": 1024, "n_levels": 256, "signed": 1} | attributes)


def reference(
    x: np.ndarray, mul: np.ndarray, add: np.ndarray, shift: int, low: int, high: int
) -> np.ndarray:
    """The definition of RequantShift, in 64 bits that wrap to 32."""
    rounding = (1 << shift) >> 1
    product = x.astype(np.int64) * mul.astype(np.int64) + add.astype(np.int64) + rounding
    return np.clip(product.astype(np.int32) >> shift, low, high)


FACTORS = [(), (1,), (4,), (3, 1), (2, 3, 4), (1, 3, 1), (1, 1, 3, 1)]


@pytest.mark.parametrize("mul", FACTORS, ids=str)
@pytest.mark.parametrize("add", FACTORS, ids=str)
def test_broadcasting(ctx: Context, mul: tuple, add: tuple) -> None:
    x = floats((2, 3, 4))
    constants = {"m": floats(mul, -3000, 3000), "a": floats(add, -90_000, 90_000, seed=1)}
    (y,) = evaluate(ctx, model([requant()], {"x": x.shape}, constants), {"x": x})
    factors = [a.reshape(a.shape[-3:]) for a in constants.values()]
    np.testing.assert_array_equal(y, reference(x, *factors, 10, -128, 127))


@pytest.mark.parametrize("shape", [(1, 3, 5), (1, 3, 5, 5)], ids=str)
def test_channels_of_an_image_of_another_rank(ctx: Context, shape: tuple[int, ...]) -> None:
    """`[C, 1, 1]` beside a 1-D image `[N, C, L]` means its channels."""
    x = floats(shape)
    constants = {"m": floats((3, 1, 1), 500, 2000), "a": floats((3, 1, 1), -5000, 5000)}
    (y,) = evaluate(ctx, model([requant()], {"x": shape}, constants), {"x": x})
    factors = [a.reshape(3, *(1,) * (len(shape) - 2)) for a in constants.values()]
    np.testing.assert_array_equal(y, reference(x, *factors, 10, -128, 127))


def test_uniform_factors_are_numbers(ctx: Context) -> None:
    constants = {"m": np.full((3, 1), 700, np.float32), "a": np.float32([5, 5, 5, 5])}
    module = text(ctx, imported(ctx, model([requant()], {"x": (2, 3, 4)}, constants)))
    assert "requant %x {requant = #graph.requant<mul = 700, add = 517, shift = 10," in module
    constants["m"][1] = 701
    module = text(ctx, imported(ctx, model([requant()], {"x": (2, 3, 4)}, constants)))
    assert "mul %m : tensor<3x1xsi32> {requant" in module
    assert "mul = 1, add = 517, shift = 10, min = -128, max = 127" in module


LEVELS = [
    ({"signed": 1}, (-128, 127), "si8"),
    ({"signed": 0}, (0, 255), "ui8"),
    ({"n_levels": 16}, (-8, 7), "si8"),
    ({"n_levels": 16, "signed": 0}, (0, 15), "si8"),
    ({"n_levels": 15, "signed": 0}, (0, 14), "si8"),
    ({"n_levels": 1 << 16, "div": 1}, (-32768, 32767), "si32"),
    ({"n_levels": 1 << 32, "div": 1}, (-(2**31), 2**31 - 1), "si32"),
    ({"n_levels": 1 << 31, "div": 1, "signed": 0}, (0, 2**31 - 1), "si32"),
]


@pytest.mark.parametrize("attributes, bounds, type", LEVELS, ids=str)
def test_levels(ctx: Context, attributes: dict, bounds: tuple[int, int], type: str) -> None:
    constants = {"m": np.float32(1000), "a": np.float32(0)}
    proto = model([requant(**attributes)], {"x": (50,)}, constants)
    x = floats((50,))
    (y,) = evaluate(ctx, proto, {"x": x})
    shift = 0 if attributes.get("div") == 1 else 10
    np.testing.assert_array_equal(y, reference(x, np.float32(1000), np.float32(0), shift, *bounds))
    assert f"-> tensor<50x{type}>" in text(ctx, imported(ctx, proto))


def test_products_wrap(ctx: Context) -> None:
    constants = {"m": np.int32(2**24 + 3), "a": np.int32(2**31 - 1)}
    x = floats((100,))
    (y,) = evaluate(ctx, model([requant(div=1 << 24)], {"x": x.shape}, constants), {"x": x})
    np.testing.assert_array_equal(y, reference(x, *constants.values(), 24, -128, 127))


@pytest.mark.parametrize("domain", ["", "PACTOps", "ai.onnx.contrib", "com.microsoft"])
@pytest.mark.parametrize("levels", ["n_levels", "n_levels_out"])
def test_spellings(ctx: Context, domain: str, levels: str) -> None:
    """Attributes may be tensors of one float, in every domain."""
    attributes = {"div": 65536, levels: 256, "signed": 0}
    tensors = {k: np.float32([v]) for k, v in attributes.items()}
    proto = node("RequantShift", "x m a", domain=domain)
    proto.attribute.extend(
        helper.make_attribute(k, numpy_helper.from_array(v)) for k, v in tensors.items()
    )
    constants = {"m": np.float32([514]), "a": np.float32(0)}
    domains = [domain] if domain else []
    module = imported(ctx, model([proto], {"x": (4,)}, constants, domains=domains))
    assert "mul = 514, add = 32768, shift = 16, min = 0, max = 255" in text(ctx, module)


ERRORS = [
    ({"div": 1000}, {}, "'div' must be a power of two up to 2^31, not 1000"),
    ({"div": 0}, {}, "'div' must be a power of two"),
    ({"div": 2.5}, {}, "'div' must hold integers, not [2.5]"),
    ({"div": [2, 4]}, {}, "attribute 'div' must be one integer"),
    ({"n_levels": 15}, {}, "'n_levels' must be even where values are signed, not 15"),
    ({"n_levels": 1}, {}, "'n_levels' must be 2 to 2^32, not 1"),
    ({"n_levels": 1 << 32, "signed": 0}, {}, "'n_levels' must be 2 to 2^31"),
    ({}, {"m": np.float32(0.5)}, "constant 'm' holds values that are not integers"),
    ({}, {"a": floats((7,))}, "'add' of shape (7,) does not broadcast to (2, 3, 4)"),
    ({}, {"m": floats((5, 2, 3, 4))}, "'mul' of shape (5, 2, 3, 4) does not broadcast"),
]


@pytest.mark.parametrize("attributes, constants, message", ERRORS, ids=lambda e: str(e)[:40])
def test_errors(ctx: Context, attributes: dict, constants: dict, message: str) -> None:
    known = {"m": np.float32(1), "a": np.float32(0)} | constants
    with pytest.raises(DeeployError, match=r"^RequantShift 'the_requantshift': ") as error:
        imported(ctx, model([requant(**attributes)], {"x": (2, 3, 4)}, known))
    assert message in str(error.value)


def test_missing_parts(ctx: Context) -> None:
    known = {"m": np.float32(1), "a": np.float32(0)}
    with pytest.raises(DeeployError, match="attribute 'n_levels_out' is missing"):
        imported(ctx, model([node("RequantShift", "x m a", div=2)], {"x": (2,)}, known))
    with pytest.raises(DeeployError, match="'add' is missing"):
        imported(ctx, model([node("RequantShift", "x m", div=2, n_levels=256)], {"x": (2,)}, known))
    with pytest.raises(DeeployError, match="'mul' must be a constant"):
        imported(ctx, model([requant()], {"x": (2,), "m": ()}, {"a": known["a"]}))
