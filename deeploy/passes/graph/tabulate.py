"""tabulate: exponentials of an integer softmax are looked up instead of computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from deeploy.dialects.graph import DISTANCES, IntSoftmaxOp, si32
from deeploy.functions import functions_of
from deeploy.interfaces.tiling import shape_of
from deeploy.passes.graph.rewriting import make_constant


@dataclass(frozen=True)
class TabulatePass(ModulePass):
    """Give each integer softmax the table of its exponentials, where that saves work.

    Ops with the same numbers share a table. An op with fewer elements than the table would compute
    less than what it takes to fetch it.
    """

    name: ClassVar[str] = "tabulate"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions_of(op):
            tables: dict[tuple[int, ...], SSAValue] = {}
            for softmax in list(function.body.block.ops):
                if isinstance(softmax, IntSoftmaxOp) and is_worthwhile(softmax):
                    numbers = tuple(
                        v.value.data for v in (softmax.a, softmax.b, softmax.c, softmax.log2)
                    )
                    if numbers not in tables:
                        tables[numbers] = insert_table(ctx, softmax, function, len(tables))
                    use_table(softmax, tables[numbers])


def is_worthwhile(op: IntSoftmaxOp) -> bool:
    """Whether an op has no table yet, and enough elements for one."""
    return op.table is None and int(np.prod(shape_of(op.input))) >= DISTANCES


def insert_table(ctx: Context, op: IntSoftmaxOp, function: func.FuncOp, number: int) -> SSAValue:
    """The constant with the exponentials of an op, at the start of the function."""
    terms = np.array([op.term(distance) for distance in range(DISTANCES)], np.int64)
    constant = make_constant(ctx, f"exponentials{number}", terms, si32)
    constant.result.name_hint = "exponentials"
    constant.location = op.location
    Rewriter.insert_op(constant, InsertPoint.at_start(function.body.block))
    return constant.result


def use_table(op: IntSoftmaxOp, table: SSAValue) -> None:
    """Replace an op by one that looks up its exponentials."""
    factors = [[] if v is None else [v] for v in (op.mul, op.add)]
    properties = {k: v for k, v in op.properties.items() if k != "operandSegmentSizes"}
    new = IntSoftmaxOp.build(
        operands=[[op.input], [table], *factors],
        properties=properties,
        attributes=op.attributes,
        result_types=[op.result.type],
    )
    new.location = op.location
    new.result.name_hint = op.result.name_hint
    Rewriter.replace_op(op, new)
