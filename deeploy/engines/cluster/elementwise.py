"""Element-wise arithmetic on the cluster."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from deeploy.dialects.graph import (
    AddOp,
    BinaryOp,
    ClipOp,
    DivOp,
    GraphOp,
    IntDivOp,
    MaxOp,
    MinOp,
    MulOp,
    PowOp,
    RequantAttr,
    RequantOp,
    SubOp,
    element_type,
)
from deeploy.engines import Fields, Instance, Kernel, KernelCall, Sizes, View
from deeploy.engines.cluster.common import (
    FLOATS,
    INTEGERS,
    ByElementType,
    decline_rank,
    decline_types,
    float_instance,
    instance,
    is_scaled,
    requant_suffix,
    rescaled,
    scale_fields,
)
from deeploy.engines.cluster.cost import (
    LONG_DIVISION,
    MULTIPLY_HIGH,
    requantisation,
    scaling,
    walk,
)
from deeploy.engines.cluster.walk import WalkingKernel
from deeploy.interfaces.bounds import Bounds, before_requantisation, range_of


def vectors(op: GraphOp) -> dict[str, int]:
    """The factors of an op that are operands, and where they are among its operands."""
    given = [name for name in ("mul", "add") if getattr(op, name, None) is not None]
    return {name: len(op.operands) - len(given) + i for i, name in enumerate(given)}


def result_bounds(op: GraphOp) -> Bounds | None:
    """Between what values the result of an op lies before it is requantised with numbers."""
    if not isinstance(op, BinaryOp | RequantOp) or vectors(op):
        return None
    return before_requantisation(op)


def vector_letters(op: GraphOp) -> str:
    """What tells instances apart that requantise a result: factors that are operands."""
    return "".join(name[0] for name in vectors(op)) + "y"


@dataclass(frozen=True)
class Function:
    """A function of one integer: its part of the C symbol, its expression of `x` and the arguments
    `p`, the arguments it reads, and its instructions."""

    stem: str
    expression: str
    parameters: Fields
    instructions: int


class IntegerKernel(WalkingKernel):
    """`unary`: a function of each element, and its requantisation."""

    family = "unary"

    @abstractmethod
    def function(self, op: GraphOp) -> Function:
        """The function of an op."""

    @abstractmethod
    def requant(self, op: GraphOp) -> RequantAttr | None:
        """What is done to its value."""

    def declines(self, op: GraphOp) -> str | None:
        return decline_types(op, {"input": INTEGERS, "result": INTEGERS}) or decline_rank(op)

    def template(self, op: GraphOp) -> Instance:
        function, requant = self.function(op), self.requant(op)
        x, y = element_type(op.operands[0]), element_type(op.results[0])
        made = instance(self.family, function.stem, x=x, y=y)
        bounds = result_bounds(op)
        symbol = made.symbol + requant_suffix(vector_letters(op), requant, bounds)
        # factors that are no operands are read from the scale
        factors = ("mul", "add") if vectors(op) else ("", "")
        macros = (
            ("DPL_NAME", symbol),
            *made.macros[1:],
            ("DPL_OP(x, p)", function.expression),
            ("DPL_STORE(v, mul, add, p)", rescaled(requant, "scale", *factors, bounds=bounds)),
        )
        return replace(made, symbol=symbol, macros=macros)

    def operands(self, call: KernelCall) -> Mapping[str, View]:
        factors = {name: call.inputs[i] for name, i in vectors(call.op).items()}
        return {"x": call.inputs[0], "y": call.output, **factors}

    def parameters(self, op: GraphOp) -> Fields:
        requant, fields = self.requant(op), self.function(op).parameters
        if requant is not None and (vectors(op) or is_scaled(requant)):
            return {**fields, "scale": scale_fields(requant)}
        return fields

    def arguments(self, call: KernelCall) -> Sequence[Fields]:
        [fields] = super().arguments(call)
        return [{**fields, **vector_fields(call)}]

    def cycles(self, op: GraphOp, sizes: Sequence[Sizes], cores: int) -> Sizes:
        # load, the function, store
        instructions = 2 + self.function(op).instructions
        instructions += scaling(op, self.requant(op), result_bounds(op))
        return walk(op, sizes, instructions, cores)


def vector_fields(call: KernelCall) -> Fields:
    """The pointers to factors that are operands."""
    return {k: f"(const int32_t *){call.inputs[i].pointer}" for k, i in vectors(call.op).items()}


class BinaryKernel(WalkingKernel):
    """`binary`: one operation, operands requantised as they are read."""

    family = "binary"

    def __init__(self, stem: str, operation: str) -> None:
        self.stem = stem
        self.operation = operation
        """A C expression of `a` and `b`, which are of type uint32_t."""

    def declines(self, op: GraphOp) -> str | None:
        types = {"lhs": INTEGERS, "rhs": INTEGERS, "result": INTEGERS}
        return decline_types(op, types) or decline_rank(op)

    def named(self, op: BinaryOp) -> tuple[str, str]:
        """The operation's part of the C symbol, and its expression."""
        return self.stem, f"({self.operation})"

    def template(self, op: GraphOp) -> Instance:
        assert isinstance(op, BinaryOp)
        a, b, y = (element_type(v) for v in (op.lhs, op.rhs, op.results[0]))
        stem, operation = self.named(op)
        factors = "(p)->mul[c]" if op.mul else "", "(p)->add[c]" if op.add else ""
        made = instance(self.family, stem, a=a, b=b, y=y)
        symbol = made.symbol + "".join(
            requant_suffix(letter, requant, range_of(value))
            for letter, requant, value in (
                ("a", op.lhs_requant, op.lhs),
                ("b", op.rhs_requant, op.rhs),
            )
        )
        bounds = result_bounds(op)
        symbol += requant_suffix(vector_letters(op), op.requant, bounds)
        macros = (
            ("DPL_NAME", symbol),
            *made.macros[1:],
            ("DPL_READ_A(v, p)", rescaled(op.lhs_requant, "a_scale", bounds=range_of(op.lhs))),
            ("DPL_READ_B(v, p)", rescaled(op.rhs_requant, "b_scale", bounds=range_of(op.rhs))),
            ("DPL_OP(a, b)", operation),
            ("DPL_STORE(v, c, p)", rescaled(op.requant, "scale", *factors, bounds=bounds)),
        )
        return replace(made, symbol=symbol, macros=macros)

    def operands(self, call: KernelCall) -> Mapping[str, View]:
        return {"a": call.inputs[0], "b": call.inputs[1], "y": call.output}

    def keeps_channels(self, op: GraphOp) -> bool:
        return bool(vectors(op))

    def parameters(self, op: GraphOp) -> Fields:
        assert isinstance(op, BinaryOp)
        requants = {"a_scale": op.lhs_requant, "b_scale": op.rhs_requant, "scale": op.requant}
        return {k: scale_fields(v) for k, v in requants.items() if v is not None}

    def arguments(self, call: KernelCall) -> Sequence[Fields]:
        [fields] = super().arguments(call)
        return [{**fields, **vector_fields(call)}]

    def cycles(self, op: GraphOp, sizes: Sequence[Sizes], cores: int) -> Sizes:
        assert isinstance(op, BinaryOp)
        # two loads, the operation, a store
        instructions = 4 + requantisation(op.lhs_requant, range_of(op.lhs))
        instructions += requantisation(op.rhs_requant, range_of(op.rhs))
        instructions += scaling(op, op.requant, result_bounds(op))
        return walk(op, sizes, instructions, cores)


class IntDivKernel(BinaryKernel):
    """`binary` with the numbers of a division in its operation."""

    def __init__(self) -> None:
        super().__init__("int_div", "")

    def named(self, op: BinaryOp) -> tuple[str, str]:
        assert isinstance(op, IntDivOp)
        numbers = [v.value.data for v in (op.delta, op.eta, op.eps)]
        stem = "_".join(["int_div", *(str(v).replace("-", "m") for v in numbers)])
        arguments = ", ".join(["(int32_t)(a)", "(int32_t)(b)", *(str(v) for v in numbers)])
        return stem, f"dpl_int_div({arguments})"

    def cycles(self, op: GraphOp, sizes: Sequence[Sizes], cores: int) -> Sizes:
        # two loads, two 64-bit products, a 64-bit division, a store
        return walk(op, sizes, 3 + 2 * (MULTIPLY_HIGH + 2) + LONG_DIVISION, cores)


class BinaryFloatKernel(WalkingKernel):
    """`binary_f32`: one operation."""

    family = "binary_f32"
    names = "ab"

    def __init__(self, stem: str, operation: str, per_element: int = 5) -> None:
        self.stem = stem
        self.operation = operation
        """A C expression of the floats `a` and `b`."""
        self.per_element = per_element
        """Instructions: two loads, the operation, a store, the loop."""

    def declines(self, op: GraphOp) -> str | None:
        assert isinstance(op, BinaryOp)
        if op.add is not None:
            return "a bias, which the kernel lacks"
        types = {"lhs": FLOATS, "rhs": FLOATS, "result": FLOATS}
        return decline_types(op, types) or decline_rank(op)

    def template(self, op: GraphOp) -> Instance:
        made = float_instance(self.family, f"{self.stem}_f32")
        return replace(made, macros=(*made.macros, ("DPL_OP(a, b)", self.operation)))

    def cycles(self, op: GraphOp, sizes: Sequence[Sizes], cores: int) -> Sizes:
        return walk(op, sizes, self.per_element, cores)


class RequantKernel(IntegerKernel):
    """`unary` without a function: requantisation by itself, clipping, conversion."""

    def requant(self, op: GraphOp) -> RequantAttr | None:
        if isinstance(op, ClipOp):
            return RequantAttr.of(min=op.min.value.data, max=op.max.value.data)
        assert isinstance(op, RequantOp)
        return op.requant

    def function(self, op: GraphOp) -> Function:
        return Function("requant", "(x)", {}, 0)


KERNELS: dict[type[GraphOp], Kernel] = {
    AddOp: ByElementType(
        BinaryKernel("add", "(a) + (b)"),
        BinaryFloatKernel("add", "(a) + (b)"),
    ),
    SubOp: ByElementType(
        BinaryKernel("sub", "(a) - (b)"),
        BinaryFloatKernel("sub", "(a) - (b)"),
    ),
    MulOp: ByElementType(
        BinaryKernel("mul", "(a) * (b)"),
        BinaryFloatKernel("mul", "(a) * (b)"),
    ),
    MaxOp: ByElementType(
        BinaryKernel("max", "(int32_t)(a) > (int32_t)(b) ? (a) : (b)"),
        BinaryFloatKernel("max", "dpl_fmax(a, b)"),
    ),
    MinOp: ByElementType(
        BinaryKernel("min", "(int32_t)(a) < (int32_t)(b) ? (a) : (b)"),
        BinaryFloatKernel("min", "dpl_fmin(a, b)"),
    ),
    DivOp: BinaryFloatKernel("div", "(a) / (b)", 16),  # the division takes 12
    PowOp: BinaryFloatKernel("pow", "dpl_pow(a, b)", 80),  # a logarithm and an exponential
    IntDivOp: IntDivKernel(),
    RequantOp: RequantKernel(),
    ClipOp: RequantKernel(),
}
