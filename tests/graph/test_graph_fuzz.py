"""Random networks: every order of passes keeps every bit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from graph_helpers import GRAPH_PASSES, parse, random_arrays, run_pass
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deeploy.interpreters import run_module

Shape = tuple[int, ...]
ELEMENTS = {"si8": (-128, 127), "ui8": (0, 255), "si32": (-(1 << 31), (1 << 31) - 1)}


@dataclass
class Value:
    """A value in the text of a module."""

    name: str
    shape: Shape
    elements: str

    @property
    def type(self) -> str:
        return f"tensor<{''.join(f'{e}x' for e in self.shape)}{self.elements}>"


@dataclass
class Writer:
    """Writes random ops; each method returns its result, or None if it does not apply."""

    data: st.DataObject
    lines: list[str] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)
    count: int = 0

    def number(self, low: int, high: int) -> int:
        return self.data.draw(st.integers(low, high))

    def pick(self, *choices):
        return self.data.draw(st.sampled_from(choices))

    def value(self, shape: Shape, elements: str) -> Value:
        self.count += 1
        return Value(f"%v{self.count}", shape, elements)

    def constant(self, shape: Shape, elements: str) -> Value:
        low, high = ELEMENTS[elements]
        rng = np.random.default_rng(self.number(0, 1000))
        array = rng.integers(max(low, -9), min(high, 9), shape, endpoint=True)
        if self.pick(True, False, False):
            array = np.full(shape, array.flat[0])
        result = self.value(shape, elements)
        self.lines.append(f"{result.name} = graph.constant dense<{array.tolist()}> : {result.type}")
        return result

    def op(
        self, kind: str, operands: list[Value], attributes: str, shape: Shape, elements: str
    ) -> Value:
        result = self.value(shape, elements)
        names = ", ".join(v.name for v in operands)
        types = ", ".join(v.type for v in operands)
        self.lines.append(
            f"{result.name} = graph.{kind} {names} {{{attributes}}} : {types} -> {result.type}"
        )
        return result

    def requant_attribute(self, elements: str) -> str:
        low, high = ELEMENTS[elements]
        if self.pick(True, False):
            low, high = max(low, -50), min(high, 60)
        shift = self.number(0, 8)
        mul = self.pick(1 << shift, self.number(-9, 9), 1 << 24)
        add = self.pick(0, (1 << shift) >> 1, self.number(-99, 99))
        return (
            f"#graph.requant<mul = {mul}, add = {add}, shift = {shift}, min = {low}, max = {high}>"
        )

    # --- Kinds ------------------------------------------------------------------------------------

    def conv(self, x: Value) -> Value | None:
        if len(x.shape) != 4:
            return None
        n, c, h, w = x.shape
        groups = self.pick(1, c)
        out = groups * self.number(1, 2)
        kernel = (self.number(1, 2), self.number(1, 2))
        weight = self.constant((out, c // groups, *kernel), "si8")
        stride, pad = self.number(1, 2), self.number(0, 1)
        rows, columns = (
            (e + 2 * pad - k) // stride + 1 for e, k in zip((h, w), kernel, strict=True)
        )
        if rows < 1 or columns < 1:
            return None
        attributes = (
            f"strides = {array([stride] * 2)}, pads = {array([pad] * 4)},"
            f" dilations = array<i64: 1, 1>, groups = {groups}"
        )
        return self.op("conv", [x, weight], attributes, (n, out, rows, columns), "si32")

    def pool(self, x: Value) -> Value | None:
        if len(x.shape) != 4 or min(x.shape[2:]) < 2:
            return None
        attributes = (
            "strides = array<i64: 1, 1>, pads = array<i64: 0, 1, 0, 0>,"
            " dilations = array<i64: 1, 1>, kernel = array<i64: 2, 2>"
        )
        kind = self.pick("max_pool", "average_pool")
        return self.op(
            kind, [x], attributes, (*x.shape[:2], x.shape[2] - 1, x.shape[3]), x.elements
        )

    def matmul(self, x: Value) -> Value | None:
        if len(x.shape) < 2:
            return None
        n, k = self.number(1, 3), x.shape[-1]
        transposed = self.pick(True, False)
        weight = self.constant((n, k) if transposed else (k, n), "si8")
        attributes = "transpose_rhs" if transposed else ""
        return self.op("matmul", [x, weight], attributes, (*x.shape[:-1], n), "si32")

    def requant(self, x: Value) -> Value:
        elements = self.pick("si8", "ui8", "si32")
        attributes = f"requant = {self.requant_attribute(elements)}"
        result = self.value(x.shape, elements)
        factors = ""
        for name in ("mul", "add"):
            if x.shape and self.pick(True, False):
                axis = self.number(0, len(x.shape) - 1)
                shape = tuple(e if i == axis else 1 for i, e in enumerate(x.shape))
                factor = self.constant(shape[self.pick(0, axis) :], "si32")
                factors += f" {name} {factor.name} : {factor.type}"
        self.lines.append(
            f"{result.name} = graph.requant {x.name}{factors} {{{attributes}}}"
            f" : {x.type} -> {result.type}"
        )
        return result

    def clip(self, x: Value) -> Value:
        elements = self.pick("si8", "ui8", "si32")
        low, high = ELEMENTS[elements]
        attributes = f"min = {self.pick(low, 0, 5)}, max = {self.pick(high, 100)}"
        return self.op("clip", [x], attributes, x.shape, elements)

    def binary(self, x: Value) -> Value:
        others = [v for v in self.values if v.shape == x.shape]
        y = self.pick(*others)
        if self.pick(True, False):
            axis = self.number(0, len(x.shape) - 1) if x.shape else 0
            y = self.constant(tuple(e if i == axis else 1 for i, e in enumerate(x.shape)), "si32")
        operands = [x, y] if self.pick(True, False) else [y, x]
        attributes = []
        if self.pick(True, False, False):
            attributes.append(f"lhs_requant = {self.requant_attribute('si8')}")
        elements = "si32"
        if self.pick(True, False):
            elements = self.pick("si8", "ui8", "si32")
            attributes.append(f"requant = {self.requant_attribute(elements)}")
        kind = self.pick("add", "sub", "mul")
        return self.op(kind, operands, ", ".join(attributes), x.shape, elements)

    def transpose(self, x: Value) -> Value:
        order = self.data.draw(st.permutations(range(len(x.shape))))
        attributes = f"permutation = array<i64{': ' if order else ''}{', '.join(map(str, order))}>"
        return self.op("transpose", [x], attributes, tuple(x.shape[p] for p in order), x.elements)

    def reshape(self, x: Value) -> Value:
        shape = list(x.shape)
        kind = self.pick("flatten", "squeeze", "unsqueeze", "images")
        if kind == "flatten" and len(shape) > 1:
            shape = [shape[0], int(np.prod(shape[1:]))]
        elif kind == "squeeze":
            shape = [e for e in shape if e != 1]
        elif kind == "unsqueeze" and len(shape) < 5:
            shape.insert(self.number(0, len(shape)), 1)
        elif kind == "images" and len(shape) < 4:
            shape = [*shape, *[1] * (4 - len(shape))]
        result = self.value(tuple(shape), x.elements)
        self.lines.append(f"{result.name} = graph.reshape {x.name} : {x.type} -> {result.type}")
        return result

    def slice(self, x: Value) -> Value:
        starts = [self.number(0, e - 1) for e in x.shape]
        steps = [self.number(1, 2) for _ in x.shape]
        shape = tuple((e - a + s - 1) // s for e, a, s in zip(x.shape, starts, steps, strict=True))
        attributes = f"starts = {array(starts)}, steps = {array(steps)}"
        return self.op("slice", [x], attributes, shape, x.elements)

    def pad(self, x: Value) -> Value:
        low, high = ([self.number(0, 1) for _ in x.shape] for _ in "ab")
        shape = tuple(a + e + b for a, e, b in zip(low, x.shape, high, strict=True))
        attributes = f"low = {array(low)}, high = {array(high)}, value = 3"
        return self.op("pad", [x], attributes, shape, x.elements)

    def concat(self, x: Value) -> Value | None:
        if not x.shape:
            return None
        axis = self.number(0, len(x.shape) - 1)
        others = [
            v
            for v in self.values
            if v.elements == x.elements
            and len(v.shape) == len(x.shape)
            and all(
                a == b or i == axis for i, (a, b) in enumerate(zip(v.shape, x.shape, strict=True))
            )
        ]
        y = self.pick(*others)
        shape = tuple(
            a + b if i == axis else a for i, (a, b) in enumerate(zip(x.shape, y.shape, strict=True))
        )
        return self.op("concat", [x, y], f"axis = {axis}", shape, x.elements)

    def copy(self, x: Value) -> Value:
        return self.op("copy", [x], "", x.shape, x.elements)


def array(values: list[int]) -> str:
    return f"array<i64{': ' if values else ''}{', '.join(map(str, values))}>"


KINDS: tuple[Callable[[Writer, Value], Value | None], ...] = (
    Writer.conv,
    Writer.conv,
    Writer.pool,
    Writer.matmul,
    Writer.requant,
    Writer.requant,
    Writer.clip,
    Writer.binary,
    Writer.binary,
    Writer.transpose,
    Writer.transpose,
    Writer.reshape,
    Writer.slice,
    Writer.pad,
    Writer.concat,
    Writer.copy,
)


def random_network(data: st.DataObject) -> str:
    """A function of one or two inputs and some results."""
    writer = Writer(data)
    shape = writer.pick((1, 2, 4, 5), (1, 3, 3, 3), (2, 1, 3, 2))
    inputs = [Value(f"%x{i}", shape, writer.pick("si8", "ui8")) for i in range(2)]
    writer.values += inputs
    for _ in range(writer.number(2, 8)):
        # mostly go on from the last value, so that chains get long
        x = writer.values[-writer.pick(1, 1, 1, 2, min(3, len(writer.values)))]
        result = writer.pick(*KINDS)(writer, x)
        if result is not None and np.prod(result.shape) < 2000:
            writer.values.append(result)
    results = writer.values[-writer.number(1, 2) :]
    arguments = ", ".join(f"{v.name}: {v.type}" for v in inputs)
    types, names = ", ".join(v.type for v in results), ", ".join(v.name for v in results)
    body = "\n  ".join(writer.lines)
    return (
        f"func.func @network({arguments}) -> ({types}) {{\n  {body}\n"
        f"  func.return {names} : {types}\n}}"
    )


@settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
@given(st.data())
def test_random_networks(data: st.DataObject) -> None:
    text = random_network(data)
    ctx, module = parse(text)
    (function,) = module.body.block.ops
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    inputs = random_arrays(rng, function.regions[0].block.args)
    expected = run_module(ctx, module, inputs)
    for name in data.draw(st.lists(st.sampled_from(GRAPH_PASSES), min_size=1, max_size=8)):
        run_pass(ctx, module, name)
        actual = run_module(ctx, module, inputs)
        assert all(map(np.array_equal, actual, expected)), f"{name} broke\n{text}"
