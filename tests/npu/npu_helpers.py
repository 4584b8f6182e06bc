"""Random convolutions for the accelerator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from deeploy.dialects.npu import DEPTHWISE, MODES, POINTWISE, Mode
from deeploy.resources import Array

RANGES = {"ui8": (0, 255), "si8": (-128, 127), "si32": (-(2**31), 2**31 - 1)}
DTYPES = {"ui8": np.uint8, "si8": np.int8, "si32": np.int32, "ui32": np.uint32}


@dataclass(frozen=True)
class Case:
    """One `npu.conv`; see the op for what the fields mean."""

    mode: Mode
    image: tuple[int, int, int, int]
    outputs: int
    strides: tuple[int, int]
    pads: tuple[int, int, int, int]
    bits: int
    offset: int
    input: str
    result: str
    scale: str | None
    shift: int

    @property
    def weight_shape(self) -> tuple[int, int, int, int]:
        """`[co, kh, kw, ci]`."""
        inputs = 1 if self.mode is DEPTHWISE else self.image[3]
        return self.outputs, self.mode.window, self.mode.window, inputs

    @property
    def result_shape(self) -> tuple[int, int, int, int]:
        n, h, w, _ = self.image
        top, left, bottom, right = self.pads
        rows = (h + top + bottom - self.mode.window) // self.strides[0] + 1
        columns = (w + left + right - self.mode.window) // self.strides[1] + 1
        return n, rows, columns, self.outputs

    @property
    def packed_shape(self) -> tuple[int, int]:
        return self.mode.packed_shape(self.outputs, self.image[3], self.bits)

    def types(self) -> dict[str, str]:
        """The tensor type of each operand, and of the result."""
        types = {
            "x": tensor(self.image, self.input),
            "w": tensor(self.packed_shape, "ui8"),
            "y": tensor(self.result_shape, self.result),
        }
        if self.scale is not None:
            types["m"] = tensor((self.outputs,), self.scale)
            types["a"] = tensor((self.outputs,), "si32")
        return types

    def op(self) -> str:
        """The op on `%x`, `%w`, `%m` and `%a`."""
        types = self.types()
        vectors, requant = "", ""
        if self.scale is not None:
            vectors = f" mul %m : {types['m']} add %a : {types['a']}"
            low, high = RANGES[self.result]
            numbers = f"mul = 1, add = 0, shift = {self.shift}, min = {low}, max = {high}"
            requant = f", requant = #graph.requant<{numbers}>"
        return (
            f'npu.conv %x, %w{vectors} {{mode = "{self.mode.name}", '
            f"strides = array<i64: {', '.join(map(str, self.strides))}>, "
            f"pads = array<i64: {', '.join(map(str, self.pads))}>, weight_bits = {self.bits}, "
            f"weight_offset = {self.offset}{requant}}} : {types['x']}, {types['w']} -> {types['y']}"
        )

    def operands(self) -> list[str]:
        """The names of the operands in order."""
        return [name for name in self.types() if name != "y"]


def tensor(shape: tuple[int, ...], element: str) -> str:
    return f"tensor<{'x'.join(map(str, shape))}x{element}>"


def draw_case(draw: Callable[[st.SearchStrategy[Any]], Any], largest: int = 14) -> Case:
    """A convolution of any mode, with sizes around those of subtiles."""
    mode = draw(st.sampled_from(list(MODES.values())))
    sizes = st.sampled_from([1, 2, 5, 6, 7, 12, 13, largest])
    channels = st.sampled_from([1, 3, 27, 28, 29, 31, 32, 33, 56, 64, 70])
    pads = (0, 0, 0, 0)
    if mode is not POINTWISE:
        pads = draw(st.tuples(*[st.integers(0, 1)] * 4))
    low = [max(1, mode.window - a - b) for a, b in (pads[::2], pads[1::2])]
    rows, columns = (max(draw(sizes), least) for least in low)
    inputs = draw(channels)
    strides = draw(st.tuples(*[st.integers(1, 2)] * 2)) if mode is POINTWISE else (1, 1)
    bits = draw(st.integers(2, 8))
    result = draw(st.sampled_from(["ui8", "si8", "si32"]))
    scale = draw(st.sampled_from(["ui8", "ui32"]))
    if result == "si32":
        scale = draw(st.sampled_from([scale, None]))
    return Case(
        mode,
        (1, rows, columns, inputs),
        inputs if mode is DEPTHWISE else draw(channels),
        strides,
        pads,
        bits,
        draw(st.sampled_from([-(1 << (bits - 1)), 0, -3])),
        draw(st.sampled_from(["ui8", "si8"])),
        result,
        scale,
        draw(st.integers(0, 20)),
    )


def random_operands(case: Case, rng: np.random.Generator) -> dict[str, Array]:
    """Operands by name; `weights` is the unpacked form of `w`, unsigned."""
    low, high = RANGES[case.input]
    values = {
        "x": rng.integers(low, high + 1, case.image).astype(DTYPES[case.input]),
        "weights": rng.integers(0, 1 << case.bits, case.weight_shape).astype(np.uint8),
    }
    if case.scale is not None:
        most = 256 if case.scale == "ui8" else 1 << int(rng.integers(1, 33))
        values["m"] = rng.integers(0, most, case.outputs).astype(DTYPES[case.scale])
        values["a"] = rng.integers(-(1 << 20), 1 << 20, case.outputs).astype(np.int32)
    return values


def convolve(case: Case, operands: dict[str, Array]) -> Array:
    """What a convolution computes, from its definition: one output pixel after the other."""
    x, weights = operands["x"].astype(np.int64), operands["weights"].astype(np.int64) + case.offset
    top, left, bottom, right = case.pads
    x = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)))
    result = np.zeros(case.result_shape, np.int64)
    for n, row, column in np.ndindex(*case.result_shape[:3]):
        first_row, first_column = row * case.strides[0], column * case.strides[1]
        side = case.mode.window
        window = x[n, first_row : first_row + side, first_column : first_column + side]
        if case.mode is DEPTHWISE:
            result[n, row, column] = (window.transpose(2, 0, 1) * weights[..., 0]).sum(axis=(1, 2))
        else:
            result[n, row, column] = (window * weights).sum(axis=(1, 2, 3))
    if case.scale is None:
        return result.astype(np.int32)
    scaled = result * operands["m"].astype(np.int64) + operands["a"]
    low, high = RANGES[case.result]
    shifted = scaled.astype(np.int32) >> case.shift
    return np.clip(shifted, low, high).astype(DTYPES[case.result])
