"""Element-wise arithmetic on the cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

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
from deeploy.engines import Fields, Instance, Kernel, KernelCall, Sizes
from deeploy.engines.cluster.common import (
    FLOATS,
    INTEGERS,
    ByElementType,
    decline_rank,
    decline_types,
    dimensions,
    float_instance,
    instance,
    requant_fields,
    scalar_requant,
    strides,
)
from deeploy.engines.cluster.cost import (
    LONG_DIVISION,
    MULTIPLY_HIGH,
    REQUANTISATION,
    VECTORS,
    walk,
)


class BinaryKernel(Kernel):
    """`binary`: one operation, operands requantised as they are read."""

    family = "binary"

    def __init__(self, stem: str, operation: str) -> None:
        self.stem = stem
        self.operation = operation
        """A C expression of `a` and `b`, which are of type uint32_t."""

    def declines(self, op: GraphOp) -> str | None:
        types = {"lhs": INTEGERS, "rhs": INTEGERS, "result": INTEGERS}
        return decline_types(op, types) or decline_rank(op)

    def instance(self, op: GraphOp) -> Instance:
        assert isinstance(op, BinaryOp)
        a, b, y = (element_type(v) for v in (op.lhs, op.rhs, op.results[0]))
        made = instance(self.family, self.stem, a=a, b=b, y=y)
        operation = ("DPL_OP(a, b)", f"({self.operation})")
        return replace(made, macros=(*made.macros, operation))

    def arguments(self, call: KernelCall) -> Sequence[Fields]:
        op = call.op
        assert isinstance(op, BinaryOp)
        a, b = call.inputs[:2]
        y = call.output
        fields: dict[str, str | int | Fields] = {
            "a": a.pointer, "b": b.pointer, "y": y.pointer,
            "dim": dimensions(y),
            "a_stride": strides(a), "b_stride": strides(b), "y_stride": strides(y),
        }  # fmt: skip
        for name, requant in (("a", op.lhs_requant), ("b", op.rhs_requant)):
            if requant is not None:
                fields |= {f"has_r{name}": 1, f"r{name}": scalar_requant(requant)}
        if op.requant is not None:
            fields |= {"has_ry": 1, "ry": requant_fields(call)}
        return [fields]

    def cycles(self, op: GraphOp, sizes: Sequence[Sizes], cores: int) -> Sizes:
        assert isinstance(op, BinaryOp)
        # two loads, the operation, a store
        instructions = 4
        if op.lhs_requant is not None or op.rhs_requant is not None:
            instructions += 2 * REQUANTISATION  # the kernel does both or none
        if op.requant is not None:
            instructions += REQUANTISATION
        if op.mul is not None or op.add is not None:
            instructions += VECTORS
        return walk(sizes, instructions, cores)


class IntDivKernel(BinaryKernel):
    """`binary` with the numbers of a division in its operation."""

    def __init__(self) -> None:
        super().__init__("int_div", "")

    def instance(self, op: GraphOp) -> Instance:
        assert isinstance(op, IntDivOp)
        a, b, y = (element_type(v) for v in (op.lhs, op.rhs, op.result))
        numbers = [v.value.data for v in (op.delta, op.eta, op.eps)]
        stem = "_".join(["int_div", *(str(v).replace("-", "m") for v in numbers)])
        made = instance(self.family, stem, a=a, b=b, y=y)
        arguments = ", ".join(["(int32_t)(a)", "(int32_t)(b)", *(str(v) for v in numbers)])
        return replace(made, macros=(*made.macros, ("DPL_OP(a, b)", f"dpl_int_div({arguments})")))

    def cycles(self, op: GraphOp, sizes: Sequence[Sizes], cores: int) -> Sizes:
        # two loads, two 64-bit products, a 64-bit division, a store
        return walk(sizes, 3 + 2 * (MULTIPLY_HIGH + 2) + LONG_DIVISION, cores)


class BinaryFloatKernel(Kernel):
    """`binary_f32`: one operation."""

    family = "binary_f32"

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

    def instance(self, op: GraphOp) -> Instance:
        made = float_instance(self.family, f"{self.stem}_f32")
        return replace(made, macros=(*made.macros, ("DPL_OP(a, b)", self.operation)))

    def arguments(self, call: KernelCall) -> Sequence[Fields]:
        a, b = call.inputs
        y = call.output
        fields: Fields = {
            "a": a.pointer, "b": b.pointer, "y": y.pointer,
            "dim": dimensions(y),
            "a_stride": strides(a), "b_stride": strides(b), "y_stride": strides(y),
        }  # fmt: skip
        return [fields]

    def cycles(self, op: GraphOp, sizes: Sequence[Sizes], cores: int) -> Sizes:
        return walk(sizes, self.per_element, cores)


class RequantKernel(Kernel):
    """`unary`: requantisation by itself, clipping, conversion."""

    family = "unary"

    def declines(self, op: GraphOp) -> str | None:
        return decline_types(op, {"input": INTEGERS, "result": INTEGERS}) or decline_rank(op)

    def instance(self, op: GraphOp) -> Instance:
        x, y = element_type(op.operands[0]), element_type(op.results[0])
        return instance(self.family, "requant", x=x, y=y)

    def arguments(self, call: KernelCall) -> Sequence[Fields]:
        op, x, y = call.op, call.inputs[0], call.output
        fields: dict[str, str | int | Fields] = {
            "x": x.pointer, "y": y.pointer,
            "dim": dimensions(y), "x_stride": strides(x), "y_stride": strides(y),
        }  # fmt: skip
        if isinstance(op, ClipOp):
            bounds = RequantAttr.of(min=op.min.value.data, max=op.max.value.data)
            return [fields | scalar_requant(bounds)]
        assert isinstance(op, RequantOp)
        vectors = iter(call.inputs[1:])
        for name, operand in (("mul", op.mul), ("add", op.add)):
            if operand is not None:
                view = next(vectors)
                pointer = f"(const int32_t *){view.pointer}"
                fields |= {name: pointer, f"{name}_stride": strides(view)}
        return [fields | scalar_requant(op.requant)]

    def cycles(self, op: GraphOp, sizes: Sequence[Sizes], cores: int) -> Sizes:
        # load, requantise, store
        vectors = 0 if isinstance(op, ClipOp) or len(op.operands) == 1 else VECTORS
        return walk(sizes, REQUANTISATION + vectors + 2, cores)


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
