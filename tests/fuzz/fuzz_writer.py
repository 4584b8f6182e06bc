"""Writes ONNX networks node by node; how floats and integers differ is in two subclasses.

Everything is drawn through `draw`, so that hypothesis can shrink a network.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

Draw = Callable[[st.SearchStrategy[Any]], Any]
Shape = tuple[int, ...]

OPSET = 23
INT32 = (1 << 31) - 1


@dataclass(frozen=True)
class Value:
    """A value of the network.

    Attributes:
        bound: the largest magnitude of its elements; floats have 0.
        negative: whether elements may be negative; of integers.
        type: what ONNX calls it, of an input.
    """

    name: str
    shape: Shape
    bound: int = 0
    negative: bool = True
    type: int = TensorProto.FLOAT


@dataclass
class Writer(ABC):
    """Writes a network of one arithmetic.

    Attributes:
        arrays: random values of the inputs, by name.
        types: what `--input-type` says about the inputs, by name.
    """

    draw: Draw
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)
    inputs: list[Value] = field(default_factory=list)
    outputs: list[Value] = field(default_factory=list)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.number(0, 1000))

    def number(self, low: int, high: int) -> int:
        """A number, both ends included."""
        return self.draw(st.integers(low, high))

    def pick(self, *choices: Any) -> Any:
        """One of several choices."""
        return self.draw(st.sampled_from(choices))

    def maybe(self) -> bool:
        """A coin."""
        return self.draw(st.booleans())

    def constant(self, array: np.ndarray) -> Value:
        """A constant of floats, also where they stand for integers."""
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(array.astype(np.float32), name))
        return Value(name, array.shape, int(np.abs(array).max()))

    def indices(self, values: int | Sequence[int]) -> Value:
        """A shape, axes or sizes."""
        array = np.array(values, np.int64)
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(array, name))
        return Value(name, array.shape)

    def node(
        self,
        op: str,
        operands: Sequence[Value],
        shape: Shape,
        bound: int = 0,
        negative: bool = True,
        **attributes: Any,
    ) -> Value:
        """A node with one result."""
        (result,) = self.split_node(op, operands, [shape], bound, negative, **attributes)
        return result

    def split_node(
        self,
        op: str,
        operands: Sequence[Value],
        shapes: Sequence[Shape],
        bound: int = 0,
        negative: bool = True,
        **attributes: Any,
    ) -> list[Value]:
        """A node with several results."""
        number = len(self.nodes)
        results = [Value(f"v{number}_{i}", s, bound, negative) for i, s in enumerate(shapes)]
        names = [value.name for value in operands]
        self.nodes.append(
            helper.make_node(op, names, [r.name for r in results], f"{op}_{number}", **attributes)
        )
        return results

    def model(self) -> onnx.ModelProto:
        """The network; every value that nothing reads is an output."""
        read = {name for node in self.nodes for name in node.input}
        shapes: dict[str, Shape] = {v.name: v.shape for v in self.outputs}
        outputs = [n for node in self.nodes for n in node.output if n not in read or n in shapes]
        graph = helper.make_graph(
            self.nodes,
            "fuzz",
            [tensor(v.name, v.shape, v.type) for v in self.inputs],
            [tensor(name, shapes.get(name)) for name in outputs],
            self.constants,
        )
        return helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10
        )

    # movement, the same for all arithmetics

    def reshape(self, x: Value, *shape: int) -> Value:
        """The same elements in another shape."""
        assert math.prod(shape) == math.prod(x.shape)
        return self.node("Reshape", [x, self.indices(shape)], shape, x.bound, x.negative)

    def transpose(self, x: Value, *order: int) -> Value:
        """Dimensions in another order."""
        shape = tuple(x.shape[i] for i in order)
        return self.node("Transpose", [x], shape, x.bound, x.negative, perm=order)

    def concat(self, values: Sequence[Value], axis: int) -> Value:
        """Values side by side."""
        shape = list(values[0].shape)
        shape[axis] = sum(v.shape[axis] for v in values)
        bound, signed = max(v.bound for v in values), any(v.negative for v in values)
        return self.node("Concat", values, tuple(shape), bound, signed, axis=axis)

    def cut(self, x: Value, axis: int, *sizes: int) -> list[Value]:
        """Parts along an axis."""
        shapes = [(*x.shape[:axis], s, *x.shape[axis + 1 :]) for s in sizes]
        operands = [x, self.indices(sizes)]
        return self.split_node("Split", operands, shapes, x.bound, x.negative, axis=axis)

    # arithmetic

    @abstractmethod
    def input(self, shape: Shape) -> Value:
        """An input of activations."""

    def index_input(self, shape: Shape, extent: int) -> Value:
        """An input of indices, some of which count from the end."""
        value = Value(f"x{len(self.inputs)}", shape, type=TensorProto.INT64)
        self.inputs.append(value)
        self.arrays[value.name] = self.rng.integers(-extent, extent, shape)
        return value

    @abstractmethod
    def weight(self, shape: Shape, terms: int) -> Value:
        """Constant weights of sums with so many terms."""

    @abstractmethod
    def accumulated(
        self, op: str, x: Value, y: Value, terms: int, shape: Shape, **kw: Any
    ) -> Value:
        """A node that sums products of x and y, as it leaves the operator."""

    @abstractmethod
    def finish(self, x: Value, channels: int | None = None, activate: bool = True) -> Value:
        """What follows a sum: bias, activation, requantisation; `channels` is their axis."""

    @abstractmethod
    def add(self, x: Value, y: Value) -> Value:
        """A sum of two activations that broadcast."""

    @abstractmethod
    def mul(self, x: Value, y: Value) -> Value:
        """A product of two activations that broadcast."""

    @abstractmethod
    def mean(
        self, op: str, x: Value, shape: Shape, more: Sequence[Value] = (), **attributes: Any
    ) -> Value:
        """A pool or reduction that averages."""

    @abstractmethod
    def softmax(self, x: Value) -> Value:
        """Along the last axis."""

    @abstractmethod
    def norm(self, x: Value) -> Value:
        """Along the last axis."""

    def matmul(self, x: Value, y: Value, activate: bool = True) -> Value:
        """A product of matrices with what follows it."""
        shape = (*np.broadcast_shapes(x.shape[:-2], y.shape[:-2]), x.shape[-2], y.shape[-1])
        out = self.accumulated("MatMul", x, y, x.shape[-1], shape)
        return self.finish(out, len(shape) - 1, activate)

    def mean_over(self, x: Value, axes: Sequence[int]) -> Value:
        """The mean over some dimensions, which vanish."""
        shape = tuple(e for i, e in enumerate(x.shape) if i not in axes)
        return self.mean("ReduceMean", x, shape, [self.indices(axes)], keepdims=0)

    def dense(self, x: Value, columns: int, activate: bool = True) -> Value:
        """A product with constant weights."""
        rows = x.shape[-1]
        if len(x.shape) == 2 and self.maybe():
            weight = self.weight((columns, rows), rows)
            shape = (x.shape[0], columns)
            out = self.accumulated("Gemm", x, weight, rows, shape, transB=1)
            return self.finish(out, 1, activate)
        return self.matmul(x, self.weight((rows, columns), rows), activate)


def tensor(name: str, shape: Shape | None, type: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    """An input or output of the network."""
    return helper.make_tensor_value_info(name, type, shape)


class FloatWriter(Writer):
    """Float networks, as PyTorch exports them."""

    def input(self, shape: Shape) -> Value:
        value = Value(f"x{len(self.inputs)}", shape)
        self.inputs.append(value)
        self.arrays[value.name] = self.rng.normal(size=shape).astype(np.float32)
        self.types[value.name] = "f32"
        return value

    def weight(self, shape: Shape, terms: int) -> Value:
        return self.constant(self.rng.normal(size=shape) / math.sqrt(terms))

    def vector(self, x: Value, axis: int, spread: float, middle: float = 0) -> Value:
        """One constant for each position of an axis, which broadcasts to x."""
        return self.constant(self.rng.normal(middle, spread, along(x, axis)))

    def accumulated(
        self, op: str, x: Value, y: Value, terms: int, shape: Shape, **kw: Any
    ) -> Value:
        operands = [x, y]
        if op in ("Conv", "Gemm") and self.maybe():
            operands.append(self.constant(self.rng.normal(size=shape[1])))
        return self.node(op, operands, shape, **kw)

    def finish(self, x: Value, channels: int | None = None, activate: bool = True) -> Value:
        if channels is not None and self.maybe():
            bias = self.vector(x, channels, 0.5)
            x = self.node("Add", [x, bias] if self.maybe() else [bias, x], x.shape)
        if not activate:
            return x
        kind = self.pick("", "Relu", "LeakyRelu", "Clip", "SiLU", "Erf", "Gelu", "one")
        match kind:
            case "":
                return x
            case "Clip":
                limits = [self.constant(np.array(v)) for v in (-0.5, 1.5)]
                return self.node("Clip", [x, *limits], x.shape)
            case "SiLU":
                return self.node("Mul", [x, self.node("Sigmoid", [x], x.shape)], x.shape)
            case "Erf":
                return self.gelu(x)
            case "one":
                one = self.pick("Sigmoid", "Tanh", "HardSwish", "HardSigmoid", "Elu", "Softplus")
                return self.node(one, [x], x.shape)
            case _:
                return self.node(kind, [x], x.shape)

    def gelu(self, x: Value) -> Value:
        """The exact GELU in the operators of older exporters."""
        half, one, root = (self.constant(np.array(v)) for v in (0.5, 1, math.sqrt(2)))
        inner = self.node("Erf", [self.node("Div", [x, root], x.shape)], x.shape)
        inner = self.node("Mul", [x, self.node("Add", [inner, one], x.shape)], x.shape)
        return self.node("Mul", [inner, half], x.shape)

    def add(self, x: Value, y: Value) -> Value:
        return self.node(self.pick("Add", "Add", "Sub"), [x, y], broadcast(x, y))

    def mul(self, x: Value, y: Value) -> Value:
        return self.node("Mul", [x, y], broadcast(x, y))

    def mean(
        self, op: str, x: Value, shape: Shape, more: Sequence[Value] = (), **attributes: Any
    ) -> Value:
        return self.node(op, [x, *more], shape, **attributes)

    def softmax(self, x: Value) -> Value:
        return self.node("Softmax", [x], x.shape, axis=-1)

    def norm(self, x: Value) -> Value:
        weight = self.vector(x, -1, 0.3, 1)
        match self.pick("layer", "layer without bias", "RMSNormalization", "by hand"):
            case "layer":
                operands = [x, weight, self.vector(x, -1, 0.3)]
                return self.node("LayerNormalization", operands, x.shape, epsilon=1e-5)
            case "layer without bias":
                return self.node("LayerNormalization", [x, weight], x.shape, epsilon=1e-5)
            case "RMSNormalization":
                return self.node("RMSNormalization", [x, weight], x.shape, epsilon=1e-5)
        rows = (*x.shape[:-1], 1)
        two, epsilon = self.constant(np.array(2)), self.constant(np.array(1e-5))
        squares = self.node("Pow", [x, two], x.shape)
        mean = self.node("ReduceMean", [squares, self.indices([-1])], rows, keepdims=1)
        root = self.node("Sqrt", [self.node("Add", [mean, epsilon], rows)], rows)
        return self.node("Mul", [self.node("Div", [x, root], x.shape), weight], x.shape)


def along(x: Value, axis: int) -> Shape:
    """The shape of a vector with an element for each position of an axis."""
    axis %= len(x.shape)
    return (x.shape[axis], *(1 for _ in x.shape[axis + 1 :]))


def broadcast(x: Value, y: Value) -> Shape:
    """The shape of both together."""
    return tuple(np.broadcast_shapes(x.shape, y.shape))


class IntegerWriter(Writer):
    """Quantised networks with eight-bit activations and `RequantShift` after every sum."""

    def input(self, shape: Shape) -> Value:
        signed = self.pick(True, True, False)
        value = Value(f"x{len(self.inputs)}", shape, 128 if signed else 255, signed)
        low, high = (-128, 127) if signed else (0, 255)
        self.inputs.append(value)
        self.arrays[value.name] = self.rng.integers(low, high, shape, endpoint=True)
        self.types[value.name] = "si8" if signed else "ui8"
        return value

    def weight(self, shape: Shape, terms: int) -> Value:
        return self.constant(self.rng.integers(-128, 127, shape, endpoint=True))

    def accumulated(
        self, op: str, x: Value, y: Value, terms: int, shape: Shape, **kw: Any
    ) -> Value:
        operands, bound = [x, y], terms * x.bound * y.bound
        if op in ("Conv", "Gemm") and self.maybe():
            bias = self.constant(self.rng.integers(-999, 999, shape[1]))
            operands.append(bias)
            bound += bias.bound
        return self.node(op, operands, shape, bound, **kw)

    def finish(self, x: Value, channels: int | None = None, activate: bool = True) -> Value:
        if channels is not None and self.pick(True, False, False):
            bias = self.constant(self.rng.integers(-999, 999, along(x, channels)))
            operands = [x, bias] if self.maybe() else [bias, x]
            x = self.node("Add", operands, x.shape, x.bound + bias.bound)
        if activate and self.pick(True, False, False):
            x = self.node("Relu", [x], x.shape, x.bound, False)
        x = self.requantise(x, channels)
        if not activate:
            return x
        match self.pick("", "", "iGELU", "iHardswish"):
            case "iGELU" if x.negative:
                y = self.node("iGELU", [x], x.shape, x.bound * 1743, b=-40, one=1743)
            case "iHardswish":
                numbers = {"one_over_six": 42, "three": 122, "six": 244}
                y = self.node("iHardswish", [x], x.shape, x.bound * 244 * 42, **numbers)
            case _:
                return x
        return self.requantise(y)

    def concat(self, values: Sequence[Value], axis: int) -> Value:
        if len({value.negative for value in values}) > 1:
            values = [v if v.negative else self.requantise(v, signed=True) for v in values]
        return super().concat(values, axis)

    def requantise(
        self, x: Value, channels: int | None = None, signed: bool | None = None
    ) -> Value:
        """Numbers with which most results use the range well, and some do not."""
        if signed is None:
            signed = self.pick(True, True, False)
        levels = self.pick(256, 256, 256, 16)
        # sums of random numbers are far below their bound
        scale = levels / 4 / max(1, math.sqrt(x.bound) * 8)
        most = INT32 // 2 // max(1, x.bound)
        shift = max(0, min(20, int(math.log2(max(1, most) / scale)) - 2, self.number(0, 20)))
        mul = max(1, min(most, round(scale * (1 << shift))))
        shape: Shape = ()
        if channels is not None and self.maybe():
            shape = along(x, channels)
        middle = 0 if signed else levels // 2
        muls = self.rng.integers(max(1, mul // 2), mul, shape, endpoint=True)
        adds = self.rng.integers(-9, 9, shape, endpoint=True) + (middle << shift)
        return self.node(
            "RequantShift",
            [x, self.constant(muls), self.constant(adds)],
            x.shape,
            levels // 2 if signed else levels - 1,
            signed,
            div=numpy_helper.from_array(np.array([1 << shift], np.float32)),
            n_levels=numpy_helper.from_array(np.array([levels], np.float32)),
            signed=numpy_helper.from_array(np.array([signed], np.float32)),
        )

    def add(self, x: Value, y: Value) -> Value:
        x, y = (self.requantise(v) if self.maybe() else v for v in (x, y))
        out = self.node("Add", [x, y], broadcast(x, y), x.bound + y.bound, x.negative or y.negative)
        return self.requantise(out)

    def mul(self, x: Value, y: Value) -> Value:
        out = self.node("Mul", [x, y], broadcast(x, y), x.bound * y.bound, x.negative or y.negative)
        return self.requantise(out)

    def mean(
        self, op: str, x: Value, shape: Shape, more: Sequence[Value] = (), **attributes: Any
    ) -> Value:
        out = self.node(op, [x, *more], shape, x.bound, x.negative, **attributes)
        return self.requantise(out) if self.maybe() else out

    def softmax(self, x: Value) -> Value:
        def number(value: int) -> onnx.TensorProto:
            return numpy_helper.from_array(np.array([value], np.float32))

        match self.pick("iSoftmax", "ITAMax", "ITAPartialMax"):
            case "iSoftmax":
                coefficients = {"coeffA": 1, "coeffB": 84, "coeffC": 3735, "log2": 62}
                attributes = {k: number(v) for k, v in coefficients.items()}
                y = self.node("iSoftmax", [x], x.shape, 255, False, n_levels=256, **attributes)
            case "ITAMax":
                y = self.node("ITAMax", [x], x.shape, 255, False, n_levels=number(256))
            case _:
                group = self.pick(4, 16)
                attributes = {"n_levels": number(256), "group_width": group}
                y = self.node("ITAPartialMax", [x], x.shape, 255, False, **attributes)
        return self.requantise(y) if self.maybe() else y

    def norm(self, x: Value) -> Value:
        columns = x.shape[-1]
        shift = self.number(8, 14)
        # a normalised value is about one
        weight = self.constant(self.rng.integers(10, 60, columns) << shift)
        if self.maybe():
            levels = {"n_levels": 256} if self.maybe() else {}
            return self.node("iRMSNorm", [x, weight], x.shape, 128, D=1 << shift, **levels)
        bias = self.constant(self.rng.integers(-20, 20, columns) << shift)
        return self.node("iLayerNorm", [x, weight, bias], x.shape, 128, D=1 << shift)
