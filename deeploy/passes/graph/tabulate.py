"""tabulate: an integer softmax looks up exponentials and requantised results."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

import numpy as np
from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Attribute, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from deeploy.dialects.graph import DISTANCES, IntSoftmaxOp, element_type, si8, si32, ui8
from deeploy.functions import functions_of
from deeploy.interfaces.tiling import shape_of
from deeploy.interpreters.graph import requantise
from deeploy.passes.graph.rewriting import make_constant
from deeploy.resources import Array

Key: TypeAlias = tuple[str, str, bytes]
"""Name, type and entries of a table."""


@dataclass(frozen=True)
class TabulatePass(ModulePass):
    """Give each integer softmax the table of its exponentials, and that of its results if they are
    requantised to 8 bits with one factor, where that saves work.

    Ops with the same numbers share tables. An op with fewer elements than a table would compute
    less than what it takes to fetch it.
    """

    name: ClassVar[str] = "tabulate"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions_of(op):
            tables = Tables(ctx, function)
            for softmax in list(function.body.block.ops):
                if isinstance(softmax, IntSoftmaxOp) and is_worthwhile(softmax):
                    use_tables(softmax, tables)


def is_worthwhile(op: IntSoftmaxOp) -> bool:
    """Whether an op has no table yet, and enough elements for one."""
    return op.table is None and int(np.prod(shape_of(op.input))) >= DISTANCES


@dataclass
class Tables:
    """The tables of a function, constants at its start."""

    ctx: Context
    function: func.FuncOp
    made: dict[Key, SSAValue] = field(default_factory=dict[Key, SSAValue])

    def get(self, name: str, entries: Array, elements: Attribute, op: IntSoftmaxOp) -> SSAValue:
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


def use_tables(op: IntSoftmaxOp, tables: Tables) -> None:
    """Replace an op by one that looks up its exponentials, and its results if possible."""
    terms = np.array(op.terms(), np.int64) * (255 * op.scale())
    table = tables.get("exponentials", terms, si32, op)
    factors = [[] if v is None else [v] for v in (op.mul, op.add)]
    mapping: list[SSAValue] = []
    properties = {k: v for k, v in op.properties.items() if k != "operandSegmentSizes"}
    if op.requant is not None and is_mappable(op):
        values = requantise(np.arange(DISTANCES), op.requant)
        mapping = [tables.get("results", values, element_type(op.result), op)]
        del properties["requant"]
    new = IntSoftmaxOp.build(
        operands=[[op.input], [table], mapping, *factors],
        properties=properties,
        attributes=op.attributes,
        result_types=[op.result.type],
    )
    new.location = op.location
    new.result.name_hint = op.result.name_hint
    Rewriter.replace_op(op, new)
