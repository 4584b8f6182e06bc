"""Random small networks as IR, random plans for them, and running passes with a check after each.

Everything is drawn through `draw`, so hypothesis shrinks networks and plans alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st
from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import ArrayAttr, IntegerAttr, ModuleOp, StringAttr
from xdsl.parser import Parser

from deeploy.context import make_context
from deeploy.dialects.graph import ints
from deeploy.dialects.mem import TARGET
from deeploy.dialects.tiled import NestOp
from deeploy.engines import find_engine
from deeploy.instrumentation.semantics import random_inputs
from deeploy.interpreters import run_module
from deeploy.passes import get_all_passes
from deeploy.resources import Array
from deeploy.targets import Link, Memory, Target, find_target, target_attr

Draw = Callable[[st.SearchStrategy[Any]], Any]
Shape = tuple[int, ...]

MEMORY_PASSES = (
    "bufferize",
    "tile",
    "insert-dma",
    "pipeline",
    "assign-addresses",
    "overlap",
    "insert-barriers",
)
HOST = find_target("host")
THREE_LEVELS = Target(
    name="three",
    cores=2,
    compute="L1",
    io="L2",
    memories=(
        Memory("L1", size=4096, align=8),
        Memory("L2", size=4096, align=8, persistent=True),
        Memory("L3", size=1 << 20, align=8, persistent=True),
    ),
    links=(
        Link("L1", "L2", bytes_per_cycle=8.0, setup_cycles=10),
        Link("L1", "L3", bytes_per_cycle=0.5, setup_cycles=100),
    ),
)
"""A chip whose weights go to a slow third memory when the second one is full."""

LIMITS = {"si8": (-128, 127), "ui8": (0, 255), "si32": (-(1 << 31), (1 << 31) - 1)}


@dataclass(frozen=True)
class Value:
    """A value in the text of a network."""

    name: str
    shape: Shape
    elements: str

    @property
    def type(self) -> str:
        return f"tensor<{''.join(f'{e}x' for e in self.shape)}{self.elements}>"


def numbers(values: Sequence[int]) -> str:
    """An integer array attribute."""
    return f"array<i64: {', '.join(map(str, values))}>"


@dataclass
class Writer:
    """Writes a random network of ops that the cluster runs; `values` are what ops may read."""

    draw: Draw
    inputs: list[Value] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)
    count: int = 0

    def number(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, high))

    def pick(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def input(self, shape: Shape, elements: str = "si8") -> Value:
        value = Value(f"%x{len(self.inputs)}", shape, elements)
        self.inputs.append(value)
        self.values.append(value)
        return value

    def fresh(self, shape: Shape, elements: str) -> Value:
        self.count += 1
        return Value(f"%v{self.count}", shape, elements)

    def constant(self, shape: Shape, elements: str = "si8") -> Value:
        low, high = (-99, 99) if elements == "si8" else (-999, 999)
        array = np.random.default_rng(self.count).integers(low, high, shape, endpoint=True)
        value = self.fresh(shape, elements)
        self.lines.append(f"{value.name} = graph.constant dense<{array.tolist()}> : {value.type}")
        return value

    def requant(self, elements: str, inside: str = "") -> str:
        low, high = LIMITS[elements]
        mul, add, shift = self.pick(1, 77), self.pick(0, 1000), self.pick(0, 4, 9)
        name = f"{inside}requant"
        return (
            f"{name} = #graph.requant<mul = {mul}, add = {add}, shift = {shift}, "
            f"min = {low}, max = {high}>"
        )

    def op(
        self,
        kind: str,
        operands: Sequence[Value],
        attributes: Sequence[str],
        shape: Shape,
        elements: str,
        channels: int | None = None,
    ) -> Value:
        """Write an op; with `channels` it may be requantised, also by factors per channel."""
        attributes = [a for a in attributes if a]
        vectors = ""
        if channels is not None and self.pick(True, False):
            elements = self.pick("si8", "ui8", "si32")
            attributes.append(self.requant(elements))
            for name in ("mul", "add"):
                if self.pick(True, False):
                    vector = self.constant((channels,), "si32")
                    vectors += f" {name} {vector.name} : {vector.type}"
        result = self.fresh(shape, elements)
        names = ", ".join(v.name for v in operands)
        types = ", ".join(v.type for v in operands)
        inner = f" {{{', '.join(attributes)}}}" if attributes else ""
        self.lines.append(
            f"{result.name} = graph.{kind} {names}{vectors}{inner} : {types} -> {result.type}"
        )
        self.values.append(result)
        return result

    # windows on images [n, rows, columns, channels]

    def window(self, shape: Shape, kernel: Shape) -> tuple[list[str], Shape]:
        """Attributes of a window, and rows and columns of what comes out."""
        strides = (self.number(1, 3), self.number(1, 2))
        dilations = (self.number(1, 2), self.number(1, 2))
        spans = [d * (k - 1) + 1 for d, k in zip(dilations, kernel, strict=True)]
        pads = [self.number(0, spans[0] - 1), self.number(0, spans[1] - 1)]
        pads += [self.number(0, spans[0] - 1), self.number(0, spans[1] - 1)]
        padded = (shape[1] + pads[0] + pads[2], shape[2] + pads[1] + pads[3])
        out = tuple((p - s) // t + 1 for p, s, t in zip(padded, spans, strides, strict=True))
        assume(min(out) >= 1)
        lists = {"strides": strides, "pads": pads, "dilations": dilations}
        return [*(f"{k} = {numbers(v)}" for k, v in lists.items()), "channels_last"], out

    def conv(self, x: Value) -> Value:
        c = x.shape[3]
        groups = self.pick(*[g for g in (1, 2, c) if c % g == 0])
        out = groups * self.number(1, 3)
        kernel = (self.number(1, 3), self.number(1, 3))
        attributes, rows_columns = self.window(x.shape, kernel)
        weight = self.constant((out, *kernel, c // groups))
        shape = (x.shape[0], *rows_columns, out)
        return self.op("conv", [x, weight], [*attributes, f"groups = {groups}"], shape, "si32", out)

    def depthwise(self, x: Value) -> Value:
        kernel = (self.number(1, 3), self.number(1, 3))
        attributes, rows_columns = self.window(x.shape, kernel)
        weight = self.constant((*kernel, x.shape[3]))
        shape = (x.shape[0], *rows_columns, x.shape[3])
        return self.op("depthwise_conv", [x, weight], attributes, shape, "si32", x.shape[3])

    def pool(self, x: Value) -> Value:
        kernel = (self.number(1, 3), self.number(1, 3))
        attributes, rows_columns = self.window(x.shape, kernel)
        # a window that sees nothing but pads has no mean
        assume("dilations = array<i64: 1, 1>" in attributes)
        kind = self.pick("max_pool", "average_pool")
        count = "count_include_pad" if kind == "average_pool" and self.pick(True, False) else ""
        attributes += [f"kernel = {numbers(kernel)}", count]
        return self.op(kind, [x], attributes, (x.shape[0], *rows_columns, x.shape[3]), x.elements)

    # matrices

    def matmul(self, x: Value) -> Value:
        *batch, m, k = x.shape
        n = self.number(1, 6)
        transposed = self.pick(True, False)
        lead = self.pick((), tuple(batch), tuple(self.pick(1, b) for b in batch))
        weight = self.constant((*lead, *((n, k) if transposed else (k, n))))
        attributes = ["transpose_rhs"] if transposed else []
        return self.op("matmul", [x, weight], attributes, (*batch, m, n), "si32", n)

    # element by element

    def binary(self, x: Value) -> Value:
        same = [v for v in self.values if v.shape == x.shape]
        if self.pick(True, False):
            y = self.pick(*same)
        else:
            rank = self.number(0, len(x.shape))
            extents = (self.pick(1, e) for e in x.shape[len(x.shape) - rank :])
            y = self.constant(tuple(extents), self.pick("si8", "si32"))
        operands = [x, y] if self.pick(True, False) else [y, x]
        attributes = [
            self.requant("si8", side) if self.pick(True, False) else "" for side in ("lhs_", "rhs_")
        ]
        kind = self.pick("add", "sub", "mul")
        return self.op(kind, operands, attributes, x.shape, "si32", (*x.shape, 1)[len(x.shape) - 1])

    def requantise(self, x: Value) -> Value:
        elements = self.pick("si8", "ui8", "si32")
        rank = self.number(0, len(x.shape))
        vector = self.constant(
            tuple(self.pick(1, e) for e in x.shape[len(x.shape) - rank :]), "si32"
        )
        result = self.fresh(x.shape, elements)
        name = self.pick("mul", "add")
        self.lines.append(
            f"{result.name} = graph.requant {x.name} {name} {vector.name} : {vector.type} "
            f"{{{self.requant(elements)}}} : {x.type} -> {result.type}"
        )
        self.values.append(result)
        return result

    def clip(self, x: Value) -> Value:
        return self.op("clip", [x], ["min = 0", "max = 100"], x.shape, self.pick("si8", "ui8"))

    # movement

    def concat(self, x: Value) -> Value:
        axis = self.number(0, len(x.shape) - 1)
        beside = lambda s: (*s[:axis], *s[axis + 1 :])  # noqa: E731
        fitting = [
            v
            for v in self.values
            if v.elements == x.elements
            and len(v.shape) == len(x.shape)
            and beside(v.shape) == beside(x.shape)
        ]
        operands = [x, *(self.pick(*fitting) for _ in range(self.number(0, 2)))]
        total = sum(v.shape[axis] for v in operands)
        shape = (*x.shape[:axis], total, *x.shape[axis + 1 :])
        return self.op("concat", operands, [f"axis = {axis}"], shape, x.elements)

    def slice(self, x: Value) -> Value:
        starts, steps, shape = [], [], []
        for extent in x.shape:
            start, step = self.number(0, extent - 1), self.number(1, 3)
            starts.append(start)
            steps.append(step)
            shape.append(self.number(1, (extent - start - 1) // step + 1))
        attributes = [f"starts = {numbers(starts)}", f"steps = {numbers(steps)}"]
        return self.op("slice", [x], attributes, tuple(shape), x.elements)

    def pad(self, x: Value) -> Value:
        low = [self.number(0, 3) for _ in x.shape]
        high = [self.number(0, 3) for _ in x.shape]
        shape = tuple(a + e + b for a, e, b in zip(low, x.shape, high, strict=True))
        attributes = [f"low = {numbers(low)}", f"high = {numbers(high)}", "value = -5"]
        return self.op("pad", [x], attributes, shape, x.elements)

    def transpose(self, x: Value) -> Value:
        permutation = self.draw(st.permutations(range(len(x.shape))))
        shape = tuple(x.shape[p] for p in permutation)
        return self.op(
            "transpose", [x], [f"permutation = {numbers(permutation)}"], shape, x.elements
        )

    def reshape(self, x: Value) -> Value:
        """Not an op of its own in the plan: the same bytes under another name."""
        shape = (math.prod(x.shape[:-1]), x.shape[-1])
        return self.op("reshape", [x], [], shape, x.elements)

    def text(self, results: Sequence[Value]) -> str:
        arguments = ", ".join(f"{v.name}: {v.type}" for v in self.inputs)
        types = ", ".join(v.type for v in results)
        names = ", ".join(v.name for v in results)
        body = "\n  ".join(self.lines)
        return (
            f"func.func @network({arguments}) -> ({types}) {{\n  {body}\n"
            f"  func.return {names} : {types}\n}}\n"
        )


WINDOWS = (Writer.conv, Writer.depthwise, Writer.pool)
OTHERS = (
    Writer.matmul,
    Writer.binary,
    Writer.requantise,
    Writer.clip,
    Writer.concat,
    Writer.slice,
    Writer.pad,
    Writer.transpose,
    Writer.reshape,
)
KINDS = (*WINDOWS, *OTHERS)


def applies(kind: Callable[[Writer, Value], Value], x: Value) -> bool:
    """Whether an op of this kind can read a value."""
    if kind in (Writer.conv, Writer.depthwise):
        return len(x.shape) == 4 and x.elements != "si32"
    if kind is Writer.pool:
        return len(x.shape) == 4
    if kind is Writer.matmul:
        return len(x.shape) >= 2 and x.elements != "si32"
    return math.prod(x.shape) < 2000


def draw_network(draw: Draw, ops: int = 3, first: Any = None) -> str:
    """The text of a network of up to `ops` ops; the first one of a given kind."""
    writer = Writer(draw)
    shape = (writer.number(1, 2), *(writer.number(1, 7) for _ in range(2)), writer.pick(1, 2, 4, 6))
    x = writer.input(shape, writer.pick("si8", "ui8"))
    for i in range(writer.number(1, ops)):
        if i or first is None:
            x = writer.pick(*writer.values[-2:])
            kind = writer.pick(*[k for k in KINDS if applies(k, x)])
        else:
            kind = first
        x = kind(writer, x)
        assume(math.prod(x.shape) < 3000)
    # every op with a result that nothing reads gives an output
    text = "\n".join(writer.lines)
    last = [
        v
        for v in writer.values[1:]
        if f"{v.name} " not in text.split(f"{v.name} = ")[1]
        and f"{v.name}," not in text.split(f"{v.name} = ")[1]
    ]
    return writer.text(last)


# --- Modules and passes ---------------------------------------------------------------------------


def parse(text: str) -> tuple[Context, ModuleOp]:
    """A verified module and its context."""
    ctx = make_context()
    module = Parser(ctx, text).parse_module()
    module.verify()
    return ctx, module


def run_pass(ctx: Context, module: ModuleOp, name: str, **options: Any) -> None:
    """Run a pass, and verify what it leaves."""
    get_all_passes()[name]()(**options).apply(ctx, module)
    module.verify()


def nests_on(text: str, target: Target) -> tuple[Context, ModuleOp]:
    """A module of unplanned nests for a target."""
    ctx, module = parse(text)
    module.attributes[TARGET] = target_attr(target)
    run_pass(ctx, module, "place")
    run_pass(ctx, module, "form-nests")
    return ctx, module


def function_of(module: ModuleOp) -> func.FuncOp:
    """The only function."""
    (function,) = module.body.block.ops
    assert isinstance(function, func.FuncOp)
    return function


def nests_in(module: ModuleOp) -> list[NestOp]:
    """All nests, in order."""
    return [op for op in module.walk() if isinstance(op, NestOp)]


def draw_tiles(draw: Draw, nest: NestOp, most: int = 40, limited: bool = False) -> None:
    """Give a nest tile sizes, a loop order and buffers; no more than about `most` tiles.

    `limited`: keep to what the kernel can take, as code that runs has to.
    """
    root = nest.root()
    limits = find_engine("cluster").kernel(root).tile_limits(root) if limited else {}
    sizes: list[int] = []
    tiles = 1
    for it in nest.iterators():
        limit = min(it.extent, limits.get(it.name, it.extent))
        least = max(1, -(-it.extent * tiles // most))
        size = it.extent
        if it.parallel and it.tileable:
            size = draw(st.integers(min(least, limit), limit))
        tiles *= -(-it.extent // size)
        sizes.append(size)
    cut = [i for i, it in enumerate(nest.iterators()) if sizes[i] < it.extent]
    nest.tile = ints(sizes)
    nest.order = ints(draw(st.permutations(cut)))
    nest.buffers = IntegerAttr(draw(st.sampled_from((1, 2))), 64)
    nest.verify()


def draw_homes(draw: Draw, module: ModuleOp, target: Target) -> None:
    """Give every result a home: any memory, but outputs where outputs lie."""
    returned = set(function_of(module).body.block.last_op.operands)  # pyright: ignore
    for nest in nests_in(module):
        (result,) = nest.results
        forced = result in returned or any(u.operation.name == "graph.reshape" for u in result.uses)
        home = target.io if forced else draw(st.sampled_from([target.compute, target.io]))
        nest.homes = ArrayAttr([StringAttr(home)])


def run(ctx: Context, module: ModuleOp, seed: int = 0) -> list[Array]:
    """What the network computes from random inputs; the inputs stay as they are."""
    return run_module(ctx, module, random_inputs(module, seed))


def assert_same(expected: Sequence[Array], actual: Sequence[Array], what: str) -> None:
    """Compare bit for bit."""
    assert len(expected) == len(actual)
    for a, b in zip(expected, actual, strict=True):
        np.testing.assert_array_equal(a, b, err_msg=what)


def lower_and_compare(ctx: Context, module: ModuleOp, expected: Sequence[Array]) -> None:
    """Run the passes from nests to addresses; the program computes the same after each of them."""
    assert_same(expected, run(ctx, module), "nests")
    for name in MEMORY_PASSES:
        run_pass(ctx, module, name)
        assert_same(expected, run(ctx, module), name)
