"""Functions of one operand and conversions between element types on the cluster."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace

from xdsl.dialects.builtin import AnyFloat
from xdsl.ir import SSAValue

from deeploy.dialects.graph import (
    CastOp,
    DequantizeOp,
    GraphOp,
    IntGeluOp,
    IntHardswishOp,
    LookupOp,
    QuantizeOp,
    RequantAttr,
    Requantised,
    UnaryOp,
    element_type,
    integer_range,
)
from deeploy.engines import Fields, Instance, Kernel, KernelCall, Sizes, c_type
from deeploy.engines.cluster.common import (
    BYTES,
    FLOATS,
    INTEGERS,
    decline_rank,
    decline_types,
    float_literal,
    instance,
    literal,
)
from deeploy.engines.cluster.cost import walk
from deeploy.engines.cluster.elementwise import Function, IntegerKernel
from deeploy.engines.cluster.walk import WalkingKernel, braces


class MapKernel(WalkingKernel):
    """`map`: a C expression of each element."""

    family = "map"
    names = "x"

    @abstractmethod
    def stem(self, op: GraphOp) -> str:
        """The function's part of the C symbol."""

    @abstractmethod
    def expression(self, op: GraphOp) -> str:
        """The function of an element `x` with the kernel's arguments `p`, in C."""

    @abstractmethod
    def per_element(self, op: GraphOp) -> int:
        """Instructions for an element."""

    def template(self, op: GraphOp) -> Instance:
        x, y = element_type(op.operands[0]), element_type(op.results[0])
        made = instance(self.family, self.stem(op), x=x, y=y)
        return replace(made, macros=(*made.macros, ("DPL_OP(x, p)", self.expression(op))))

    def cycles(self, op: GraphOp, sizes: Sequence[Sizes], cores: int) -> Sizes:
        return walk(op, sizes, self.per_element(op), cores)


# Expression, and instructions for an element with load, store and loop: 12 for a division or a
# root, 25 for an exponential.
FUNCTIONS = {
    "abs": ("dpl_abs(x)", 4),
    "ceil": ("dpl_ceil(x)", 12),
    "clip": ("dpl_clip(x, p->alpha, p->beta)", 5),
    "erf": ("dpl_erf(x)", 50),
    "exp": ("dpl_exp(x)", 28),
    "floor": ("dpl_floor(x)", 12),
    "gelu": ("dpl_gelu(x)", 55),
    "gelu_tanh": ("dpl_gelu_tanh(x)", 60),
    "hard_sigmoid": ("dpl_hard_sigmoid(x, p->alpha, p->beta)", 6),
    "hard_swish": ("(x) * dpl_hard_sigmoid(x, 1.0f / 6.0f, 0.5f)", 7),
    "log": ("dpl_log(x)", 35),
    "neg": ("-(x)", 4),
    "reciprocal": ("1.0f / (x)", 15),
    "relu": ("dpl_fmax(x, 0.0f)", 4),
    "round": ("dpl_round(x)", 10),
    "sigmoid": ("dpl_sigmoid(x)", 42),
    "sqrt": ("dpl_sqrt(x)", 15),
    "swish": ("(x) * dpl_sigmoid(p->alpha * (x))", 45),
    "tanh": ("dpl_tanh(x)", 55),
}
DEFAULTS = (float("-inf"), float("inf"))
"""Of `alpha` and `beta`: bounds that nothing reaches."""


class UnaryKernel(MapKernel):
    """`map` with a function of floats."""

    def declines(self, op: GraphOp) -> str | None:
        return decline_types(op, {"input": FLOATS, "result": FLOATS}) or decline_rank(op)

    def stem(self, op: GraphOp) -> str:
        assert isinstance(op, UnaryOp)
        return op.function.data

    def expression(self, op: GraphOp) -> str:
        assert isinstance(op, UnaryOp)
        return FUNCTIONS[op.function.data][0]

    def parameters(self, op: GraphOp) -> Fields:
        assert isinstance(op, UnaryOp)
        used = self.expression(op)
        fields: dict[str, str] = {}
        given = zip(("alpha", "beta"), (op.alpha, op.beta), DEFAULTS, strict=True)
        for name, attribute, default in given:
            if f"p->{name}" in used:
                fields[name] = float_literal(default if attribute is None else attribute.value.data)
        return fields

    def per_element(self, op: GraphOp) -> int:
        assert isinstance(op, UnaryOp)
        return FUNCTIONS[op.function.data][1]


class CastKernel(MapKernel):
    """`map` with a conversion; floats saturate."""

    def declines(self, op: GraphOp) -> str | None:
        types = {"input": INTEGERS + FLOATS, "result": INTEGERS + FLOATS}
        return decline_types(op, types) or decline_rank(op)

    def stem(self, op: GraphOp) -> str:
        return "cast"

    def saturates(self, op: GraphOp) -> bool:
        """Whether an op makes integers of floats."""
        return isinstance(element_type(op.operands[0]), AnyFloat) and not isinstance(
            element_type(op.results[0]), AnyFloat
        )

    def expression(self, op: GraphOp) -> str:
        return "dpl_clamp(dpl_float_to_int(x), p->lo, p->hi)" if self.saturates(op) else "(x)"

    def parameters(self, op: GraphOp) -> Fields:
        if not self.saturates(op):
            return {}
        low, high = integer_range(element_type(op.results[0]))
        return {"lo": literal(low), "hi": literal(high)}

    def per_element(self, op: GraphOp) -> int:
        # load, convert, store; two comparisons and a clip of floats
        return 10 if self.saturates(op) else 4


class QuantizeKernel(MapKernel):
    """`map` with a rounding and clipping conversion."""

    def declines(self, op: GraphOp) -> str | None:
        return decline_types(op, {"input": FLOATS, "result": INTEGERS}) or decline_rank(op)

    def stem(self, op: GraphOp) -> str:
        assert isinstance(op, QuantizeOp)
        return "quantize" if op.half_even is None else "quantize_even"

    def expression(self, op: GraphOp) -> str:
        return f"dpl_{self.stem(op)}(x, p->alpha, p->beta, p->lo, p->hi)"

    def parameters(self, op: GraphOp) -> Fields:
        assert isinstance(op, QuantizeOp)
        return {
            "alpha": float_literal(op.scale.value.data),
            "beta": float_literal(op.zero_point.value.data),
            "lo": literal(op.min.value.data), "hi": literal(op.max.value.data),
        }  # fmt: skip

    def per_element(self, op: GraphOp) -> int:
        # load, scale, truncate and back, compare, round, convert, clip, store
        return 22


class DequantizeKernel(MapKernel):
    """`map` with a scaling conversion."""

    def declines(self, op: GraphOp) -> str | None:
        if len(op.operands) > 1:
            return "a scale for each channel; run 'quantize-to-requant' first"
        return decline_types(op, {"input": INTEGERS, "result": FLOATS}) or decline_rank(op)

    def stem(self, op: GraphOp) -> str:
        return "dequantize"

    def expression(self, op: GraphOp) -> str:
        return "((float)(x) - p->beta) * p->alpha"

    def parameters(self, op: GraphOp) -> Fields:
        assert isinstance(op, DequantizeOp)
        return {
            "alpha": float_literal(op.scale.value.data),
            "beta": float_literal(op.zero_point.value.data),
        }

    def per_element(self, op: GraphOp) -> int:
        # load, convert, subtract, multiply, store
        return 6


class ActivationKernel(IntegerKernel):
    """`unary` with an integer activation."""

    def __init__(self, stem: str, parameters: tuple[str, ...], instructions: int) -> None:
        self.stem = stem
        self.attributes = parameters
        self.instructions = instructions
        """Of the function, between load and requantisation."""

    def numbers(self, op: GraphOp) -> list[int]:
        """The numbers of the function."""
        return [getattr(op, name).value.data for name in self.attributes]

    def declines(self, op: GraphOp) -> str | None:
        if any(abs(v) >= 1 << 28 for v in self.numbers(op)):
            return "parameters of more than 28 bits"
        return decline_types(op, {"input": BYTES, "result": INTEGERS}) or decline_rank(op)

    def function(self, op: GraphOp) -> Function:
        expression, numbers = f"dpl_{self.stem}(x, (p)->p)", braces(self.numbers(op))
        return Function(self.stem, expression, {"p": numbers}, self.instructions)

    def requant(self, op: GraphOp) -> RequantAttr | None:
        assert isinstance(op, Requantised)
        return op.requant


class LookupKernel(IntegerKernel):
    """`unary` with a table."""

    def declines(self, op: GraphOp) -> str | None:
        return decline_types(op, {"input": BYTES, "result": BYTES}) or decline_rank(op)

    def function(self, op: GraphOp) -> Function:
        # a load from the sum of two registers
        result = c_type(element_type(op.results[0]))
        return Function("lookup", f"(({result})(p)->table[(uint8_t)(x)])", {}, 1)

    def requant(self, op: GraphOp) -> RequantAttr | None:
        return None

    def takes_strides(self, op: GraphOp, value: SSAValue, strides: Sequence[int]) -> bool:
        # the entries of the table lie next to each other
        return value is not op.operands[1] and super().takes_strides(op, value, strides)

    def arguments(self, call: KernelCall) -> Sequence[Fields]:
        [fields] = super().arguments(call)
        return [{**fields, "table": f"(const uint8_t *){call.inputs[1].pointer}"}]


KERNELS: dict[type[GraphOp], Kernel] = {
    # sum, p.clipur, two products
    IntHardswishOp: ActivationKernel("int_hardswish", ("one_over_six", "three", "six"), 4),
    # p.abs, p.min, sum; mv and p.msu; p.slet, p.slet and difference for the sign, product; sum with
    # shift, product
    IntGeluOp: ActivationKernel("int_gelu", ("b", "one"), 11),
    LookupOp: LookupKernel(),
    UnaryOp: UnaryKernel(),
    CastOp: CastKernel(),
    QuantizeOp: QuantizeKernel(),
    DequantizeOp: DequantizeKernel(),
}
