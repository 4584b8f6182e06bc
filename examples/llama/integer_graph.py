"""Builds an ONNX graph of integers, and computes its values beside it.

All values are integers carried in float32, and `RequantShift` nodes bring them back to 8 bits, as
exporters of quantised networks write it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import integer_ops
from integer_ops import Integers

OPSET = 13
DOMAIN = "PACTOps"
"""Of operators that ONNX does not have."""
LEVELS = 256
MUL_LIMIT = 255
"""Factors have 8 bits, which accelerators read faster than 32."""
SHIFT_LIMIT = 24
ACCUMULATOR = (1 << 31) - 1
NORM_SHIFT = 16

Factor = tuple[int, int]
"""Multiplier and shift of a requantisation."""


def fitting_factor(ratio: float, bound: int) -> Factor:
    """The most precise `(mul, shift)` near `ratio` for values up to `bound`.

    `mul` has 8 bits, and 32 bits hold `bound * mul` and the rounding.
    """
    for shift in range(SHIFT_LIMIT, 0, -1):
        mul = max(1, round(ratio * (1 << shift)))
        if mul <= MUL_LIMIT and bound * mul + (1 << shift) <= ACCUMULATOR:
            return mul, shift
    raise ValueError(f"no factor of 8 bits is near {ratio:g} for values up to {bound}")


@dataclass
class IntegerGraph:
    """Appends nodes and computes, for the inputs that it is given, what they give.

    Attributes:
        factors: of requantisations by name. What is not there is measured on the values at hand,
            so that results use the range of 8 bits, and kept.
        values: integers by name of the tensor.
    """

    factors: dict[str, Factor] = field(default_factory=dict)
    values: dict[str, Integers] = field(default_factory=dict)
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: dict[str, onnx.TensorProto] = field(default_factory=dict)

    def input(self, name: str, value: Integers) -> str:
        """An input of the graph, and its value."""
        self.inputs.append(name)
        self.values[name] = value
        return name

    def output(self, name: str) -> None:
        """Make a value an output of the graph."""
        self.outputs.append(name)

    def constant(self, name: str, value: Integers, dtype: type = np.float32) -> str:
        """A constant, by a name of its own."""
        self.constants[name] = numpy_helper.from_array(value.astype(dtype), name)
        return name

    def node(
        self, op: str, name: str, operands: list[str], value: Integers, **attributes: object
    ) -> str:
        """Append a node whose result has its name."""
        domain = "" if onnx.defs.has(op) else DOMAIN
        node = helper.make_node(op, operands, [name], name, domain=domain, **attributes)
        self.nodes.append(node)
        self.values[name] = value
        return name

    def matmul(self, name: str, a: str, b: str) -> str:
        """The product of two values."""
        return self.node(
            "MatMul", name, [a, b], integer_ops.product(self.values[a], self.values[b])
        )

    def linear(self, name: str, x: str, weight: Integers, limit: int = 127) -> str:
        """The product with a constant `[inputs, outputs]`, in 8 bits up to about `limit`."""
        y = self.node(
            "MatMul",
            f"{name}.product",
            [x, self.constant(f"{name}.weight", weight)],
            integer_ops.product(self.values[x], weight),
        )
        return self.requant(name, y, limit, bound=128 * int(np.abs(weight).sum(axis=0).max()))

    def requant(self, name: str, x: str, limit: int = 127, *, bound: int) -> str:
        """Back to 8 bits.

        Args:
            limit: the largest absolute value that the result has, on the values at hand.
            bound: absolute value that `x` cannot exceed, whatever the inputs.
        """
        if name not in self.factors:
            ratio = limit / max(1, int(np.abs(self.values[x]).max()))
            self.factors[name] = fitting_factor(ratio, bound)
        return self.scaled(name, x, self.factors[name])

    def clip(self, name: str, x: str) -> str:
        """Cut a value to 8 bits, as it is."""
        return self.scaled(name, x, (1, 0))

    def scaled(self, name: str, x: str, factor: Factor) -> str:
        """The requantisation with a factor."""
        mul, shift = factor
        return self.node(
            "RequantShift",
            name,
            [
                x,
                *(self.constant(f"{name}.{k}", np.array(v)) for k, v in (("mul", mul), ("add", 0))),
            ],
            integer_ops.requant(self.values[x], mul, shift),
            div=number(1 << shift),
            n_levels_out=number(LEVELS),
            signed=number(1),
        )

    def elementwise(
        self, op: str, name: str, a: str, b: str, function: Callable[..., Integers]
    ) -> str:
        """A sum or product of two values."""
        return self.node(op, name, [a, b], function(self.values[a], self.values[b]))

    def reshape(self, name: str, x: str, shape: tuple[int, ...]) -> str:
        """The same elements in another shape."""
        target = self.constant(f"{name}.shape", np.array(shape), np.int64)
        return self.node("Reshape", name, [x, target], self.values[x].reshape(shape))

    def transpose(self, name: str, x: str, permutation: tuple[int, ...]) -> str:
        """Dimensions in another order."""
        value = self.values[x].transpose(permutation)
        return self.node("Transpose", name, [x], value, perm=permutation)

    def concat(self, name: str, a: str, b: str, axis: int) -> str:
        """One value behind the other."""
        value = np.concatenate((self.values[a], self.values[b]), axis=axis)
        return self.node("Concat", name, [a, b], value, axis=axis)

    def rms_norm(self, name: str, x: str, weight: Integers) -> str:
        """Normalisation along the last axis; factors are multiples of 2^-16."""
        return self.node(
            "iRMSNorm",
            name,
            [x, self.constant(f"{name}.weight", weight)],
            integer_ops.rms_norm(self.values[x], weight, NORM_SHIFT),
            D=1 << NORM_SHIFT,
            n_levels=LEVELS,
        )

    def softmax(self, name: str, x: str, unit: int) -> str:
        """Softmax along the last axis of multiples of `1 / unit`, as multiples of 1/255.

        The polynomial is that of I-BERT (arXiv 2101.01321): exp(p) = 0.3585 (p + 1.353)^2 + 0.344
        for p in (-ln 2, 0].
        """
        b, log2 = round(1.353 * unit), round(np.log(2) * unit)
        c = round(0.344 / 0.3585 * unit**2)
        return self.node(
            "iSoftmax",
            name,
            [x],
            integer_ops.softmax(self.values[x], b, c, log2),
            coeffA=number(1),
            coeffB=number(b),
            coeffC=number(c),
            log2=number(log2),
            n_levels=number(LEVELS),
        )

    def hardswish(self, name: str, x: str, unit: int) -> str:
        """`x * relu6(x + 3) / 6` of multiples of `1 / unit`, in 8 bits."""
        three, six, sixth = 3 * unit, 6 * unit, round(LEVELS / 6)
        y = self.node(
            "iHardswish",
            f"{name}.product",
            [x],
            integer_ops.hardswish(self.values[x], three, six, sixth),
            three=three,
            six=six,
            one_over_six=sixth,
        )
        return self.requant(name, y, bound=128 * six * sixth)

    def model(self, name: str) -> onnx.ModelProto:
        """The graph with its inputs, outputs and constants."""
        graph = helper.make_graph(
            self.nodes,
            name,
            [self.value_info(value) for value in self.inputs],
            [self.value_info(value) for value in self.outputs],
            list(self.constants.values()),
        )
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(DOMAIN, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)

    def value_info(self, name: str) -> onnx.ValueInfoProto:
        """Type and shape of a value."""
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, self.values[name].shape)

    def save(self, file: Path, names: list[str]) -> None:
        """Write some values to an `.npz` file."""
        np.savez(file, **{name: self.values[name] for name in names})


def number(value: int) -> onnx.TensorProto:
    """An attribute that exporters write as a tensor of one element."""
    return numpy_helper.from_array(np.array([value], np.float32))
