"""tabulate: an integer softmax looks up exponentials and results, other functions results."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

import numpy as np
from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from deeploy.dialects.graph import (
    BYTE_VALUES,
    IntGeluOp,
    IntHardswishOp,
    IntSoftmaxOp,
    LookupOp,
    element_type,
    si8,
    si32,
    ui8,
)
from deeploy.functions import functions_of
from deeploy.interfaces.tiling import shape_of
from deeploy.interpreters.graph import evaluate, requantise
from deeploy.passes.graph.rewriting import make_constant
from deeploy.resources import Array, numpy_dtype

Key: TypeAlias = tuple[str, str, bytes]
"""Name, type and entries of a table."""
Activation: TypeAlias = IntHardswishOp | IntGeluOp
ACTIVATIONS = (IntHardswishOp, IntGeluOp)


@dataclass(frozen=True)
class TabulatePass(ModulePass):
    """Give each integer softmax the table of its exponentials, and that of its results if they are
    requantised to 8 bits with one factor, where that saves work. Integer activations from 8 bits to
    8 bits become look-ups of their results.

    Ops with the same numbers share tables. An op with fewer elements than a table would compute
    less than what it takes to fetch it.
    """

    name: ClassVar[str] = "tabulate"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions_of(op):
            tables = Tables(ctx, function)
            for inner in list(function.body.block.ops):
                if isinstance(inner, IntSoftmaxOp) and inner.table is None and is_large(inner):
                    use_tables(inner, tables)
                if isinstance(inner, ACTIVATIONS) and is_of_bytes(inner) and is_large(inner):
                    look_up(inner, tables)


def is_large(op: IntSoftmaxOp | Activation) -> bool:
    """Whether an op has enough elements for a table."""
    return math.prod(shape_of(op.input)) >= BYTE_VALUES


def is_of_bytes(op: Activation) -> bool:
    """Whether an op makes one byte of another, the same in all columns."""
    types = element_type(op.input), element_type(op.result)
    return op.mul is None and op.add is None and all(type in (si8, ui8) for type in types)


@dataclass
class Tables:
    """The tables of a function, constants at its start."""

    ctx: Context
    function: func.FuncOp
    made: dict[Key, SSAValue] = field(default_factory=dict[Key, SSAValue])

    def get(self, name: str, entries: Array, elements: Attribute, op: Operation) -> SSAValue:
        """The constant with some entries, which `op` is the first to need if it is new."""
        key = (name, str(elements), entries.tobytes())
        if key not in self.made:
            number = sum(other == name for other, _, _ in self.made)
            constant = make_constant(self.ctx, f"{name}{number}", entries, elements)
            constant.result.name_hint = name
            constant.location = op.location
            Rewriter.insert_op(constant, InsertPoint.at_start(self.function.body.block))
            self.made[key] = constant.result
        return self.made[key]


def is_mappable(op: IntSoftmaxOp) -> bool:
    """Whether the result of an op is one of 256 bytes in all columns."""
    is_uniform = op.mul is None and op.add is None
    return op.requant is not None and is_uniform and element_type(op.result) in (si8, ui8)


def look_up(op: Activation, tables: Tables) -> None:
    """Replace an op by the look-up of its results."""
    values = np.arange(BYTE_VALUES, dtype=np.uint8).view(numpy_dtype(element_type(op.input)))
    results = evaluate(op, [values], [()])
    table = tables.get("results", results, element_type(op.result), op)
    new = LookupOp(operands=[op.input, table], result_types=[op.result.type])
    new.attributes.update(op.attributes)
    new.location = op.location
    Rewriter.replace_op(op, new)


def use_tables(op: IntSoftmaxOp, tables: Tables) -> None:
    """Replace an op by one that looks up its exponentials, and its results if possible."""
    terms = np.array(op.terms(), np.int64) * (255 * op.scale())
    table = tables.get("exponentials", terms, si32, op)
    factors = [[] if v is None else [v] for v in (op.mul, op.add)]
    mapping: list[SSAValue] = []
    properties = {k: v for k, v in op.properties.items() if k != "operandSegmentSizes"}
    if op.requant is not None and is_mappable(op):
        values = requantise(np.arange(BYTE_VALUES), op.requant)
        mapping = [tables.get("results", values, element_type(op.result), op)]
        del properties["requant"]
    new = IntSoftmaxOp.build(
        operands=[[op.input], [table], mapping, *factors],
        properties=properties,
        attributes=op.attributes,
        result_types=[op.result.type],
    )
    new.location = op.location
    Rewriter.replace_op(op, new)
