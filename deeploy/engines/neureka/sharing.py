"""Products of which the accelerator computes some outputs, and the cores the others meanwhile."""

from __future__ import annotations

import math

from xdsl.dialects.builtin import IntegerAttr, ModuleOp, TensorType, i64
from xdsl.ir import BlockArgument, SSAValue

from deeploy.dialects.graph import (
    ConcatOp,
    GraphOp,
    MatmulOp,
    element_type,
    integer_range,
)
from deeploy.dialects.npu import POINTWISE
from deeploy.engines import Constants
from deeploy.engines.neureka.conversions import ConvertLinear, npu_conv, weights_of
from deeploy.engines.neureka.timing import OUTPUT_CHANNELS, Format, tile_cycles
from deeploy.interfaces.tiling import shape_of
from deeploy.targets import target_of

CORE_PRODUCTS = 10
"""Multiplications that the cores are expected to do in a cycle. It decides how a product is divided
and offered to the plan, which decides with what both really take."""
JOINING_CYCLES = 150
"""What it is expected to take to put the outputs of both side by side, barriers included."""
LEAST_GAIN = 0.1
"""The part of the accelerator's cycles that must be saved for an offer: each makes plans harder."""


class ShareLinear(ConvertLinear):
    """A product with constant weights whose last outputs the cores compute."""

    def declines(self, op: GraphOp, constants: Constants) -> str | None:
        assert isinstance(op, MatmulOp)
        reason = super().declines(op, constants)
        if reason is not None:
            return reason
        result = element_type(op.result)
        if op.requant is not None and op.requant.values()[3:] != integer_range(result):
            return "a clamp that the cores would do behind it"
        if not isinstance(op.lhs, BlockArgument):
            return "an operand that its nest computes, which one op alone may read"
        if first_outputs(op) is None:
            return "too few outputs to share them with the cores"
        return None

    def convert(self, op: GraphOp, constants: Constants) -> list[GraphOp]:
        assert isinstance(op, MatmulOp)
        first = first_outputs(op)
        assert first is not None
        shape = shape_of(op.result)[:-1]
        rows = weights_of(op, constants)[:, None, None, :]
        conv = npu_conv(op, constants, POINTWISE, rows, shape=(*shape, first), outputs=first)
        others = last_outputs(op, constants, first)
        both = ConcatOp(
            operands=[[conv.result, others.result]],
            properties={"axis": IntegerAttr(len(shape), i64)},
            result_types=[op.result.type],
        )
        return [conv, others, both]


def first_outputs(op: MatmulOp) -> int | None:
    """The outputs for the accelerator, whole subtiles, with which both are done soonest; None where
    that is not much sooner than it is on its own.

    The cores' weights may take half of the compute memory: they are there in one piece, and should
    be loaded while earlier steps compute.
    """
    m, n, k = op.sizes()
    module = op.get_toplevel_object()
    assert isinstance(module, ModuleOp)
    target = target_of(module)
    room = target.memory(target.compute).size // 2
    tokens = m * math.prod(op.batch())
    job = Format(mode=POINTWISE, inputs=k, bits=8, scale_bits=8)

    def fits(outputs: int) -> bool:
        return (n - outputs) * k <= room

    def cycles(outputs: int) -> float:
        alone = int(tile_cycles(job, 1, tokens, outputs, flat=True))
        return max(alone, tokens * (n - outputs) * k / CORE_PRODUCTS)

    best = min(filter(fits, range(OUTPUT_CHANNELS, n, OUTPUT_CHANNELS)), key=cycles, default=n)
    return best if cycles(best) + JOINING_CYCLES <= (1 - LEAST_GAIN) * cycles(n) else None


def last_outputs(op: MatmulOp, constants: Constants, first: int) -> MatmulOp:
    """The product for the outputs from `first` on."""
    axis = -2 if op.transpose_rhs else -1

    def rest(value: SSAValue | None, axis: int) -> list[SSAValue]:
        if value is None:
            return []
        array = constants.get(value)
        assert array is not None
        part = array.take(range(first, array.shape[axis]), axis)
        return [constants.make(value.name_hint or "rest", part, element_type(value))]

    *shape, outputs = shape_of(op.result)
    return MatmulOp(
        operands=[op.lhs, *rest(op.rhs, axis), rest(op.mul, 0), rest(op.add, 0)],
        properties={
            key: value
            for key, value in op.properties.items()
            if key in ("transpose_rhs", "requant")
        },
        result_types=[TensorType(element_type(op.result), [*shape, outputs - first])],
    )
