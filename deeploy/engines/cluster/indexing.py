"""Rows of tables, and positions of the largest values, on the cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from xdsl.dialects.builtin import AnyFloat

from deeploy.dialects.graph import ArgReduceOp, GatherOp, GraphOp, element_type
from deeploy.dialects.mem import element_bytes
from deeploy.engines import (
    Fields,
    Instance,
    Kernel,
    KernelCall,
    Sizes,
    c_type,
    ceil_div,
    short_name,
)
from deeploy.engines.cluster.common import (
    FLOATS,
    INTEGERS,
    decline_rank,
    decline_types,
    instance,
)
from deeploy.engines.cluster.cost import DIVISION, FAR_LOAD, ROW, WALK_CALL, share
from deeploy.engines.cluster.movement import by_size
from deeploy.engines.cluster.reduction import places


class GatherKernel(Kernel):
    """`gather`: the cores copy rows from where the table lies; it need not be in L1."""

    family = "gather"

    def declines(self, op: GraphOp) -> str | None:
        return decline_types(op, {"indices": INTEGERS, "result": INTEGERS + FLOATS})

    def instance(self, op: GraphOp) -> Instance:
        assert isinstance(op, GatherOp)
        made, type = by_size(op, self.family), element_type(op.indices)
        symbol = f"{made.symbol}_{short_name(type)}"
        macros = (("DPL_NAME", symbol), *made.macros[1:], ("DPL_INDEX_T", c_type(type)))
        return replace(made, symbol=symbol, macros=macros)

    def arguments(self, call: KernelCall) -> Sequence[Fields]:
        (x, index), y = call.inputs, call.output
        fields: Fields = {
            "x": x.pointer, "index": index.pointer, "y": y.pointer,
            "outer": y.shape[0], "count": y.shape[1], "columns": y.shape[2], "rows": x.shape[1],
            "x_outer": x.strides[0], "x_row": x.strides[1],
            "y_outer": y.strides[0], "y_row": y.strides[1],
        }  # fmt: skip
        return [fields]

    def in_place_operands(self, op: GraphOp) -> Sequence[int]:
        return (0,)

    def cycles(self, op: GraphOp, sizes: Sequence[Sizes], cores: int) -> Sizes:
        # a load and a store
        return self.copying(op, sizes, cores, 2)

    def far_cycles(self, op: GraphOp, sizes: Sequence[Sizes], cores: int) -> Sizes:
        return self.copying(op, sizes, cores, FAR_LOAD + 1)

    def copying(self, op: GraphOp, sizes: Sequence[Sizes], cores: int, step: int) -> Sizes:
        """Cycles if a word takes `step` of them: cores share the rows, or each row."""
        outer, count, columns, _ = sizes
        size = columns * element_bytes(element_type(op.results[0]))
        # rows that do not begin at words are copied byte by byte
        words = np.where(size % 4 == 0, size // 4, size)
        rows = outer * count
        own_rows, own_words = ceil_div(rows, cores), ceil_div(words, cores)
        begin = ROW + DIVISION + 5  # the index is loaded, and its remainder taken
        shared = np.minimum(own_rows * (words * step + begin), rows * (own_words * step + begin))
        return shared + WALK_CALL


class ArgReduceKernel(Kernel):
    """`arg_reduce`: one result after the other, each by one core."""

    family = "arg_reduce"

    def declines(self, op: GraphOp) -> str | None:
        return decline_types(op, {"input": INTEGERS + FLOATS}) or decline_rank(op)

    def instance(self, op: GraphOp) -> Instance:
        assert isinstance(op, ArgReduceOp)
        type, is_max = element_type(op.input), op.kind.data == "max"
        worst = "INT32_MIN" if is_max else "INT32_MAX"
        if isinstance(type, AnyFloat):
            worst = "-DPL_INFINITY" if is_max else "DPL_INFINITY"
        sign = (">" if is_max else "<") + ("=" if op.last is not None else "")
        stem = f"arg_{op.kind.data}" + ("_last" if op.last is not None else "")
        made = instance(self.family, stem, x=type)
        accumulator = "float" if isinstance(type, AnyFloat) else "int32_t"
        macros = (
            ("DPL_BEST_T", accumulator),
            ("DPL_WORST", f"({worst})"),
            ("DPL_BETTER(a, b)", f"((a) {sign} (b))"),
        )
        return replace(made, macros=(*made.macros, *macros))

    def arguments(self, call: KernelCall) -> Sequence[Fields]:
        op, x = call.op, call.inputs[0]
        assert isinstance(op, ArgReduceOp)
        axis = op.axis.value.data
        return [{**places(call), "n": x.shape[axis], "step": x.strides[axis]}]

    def cycles(self, op: GraphOp, sizes: Sequence[Sizes], cores: int) -> Sizes:
        assert isinstance(op, ArgReduceOp)
        results: Sizes = 1
        for i, size in enumerate(sizes):
            results = results * (1 if i == op.axis.value.data else size)
        # load, compare, and keep value and position
        return share(results, 1, cores) * (sizes[op.axis.value.data] * 4 + 40) + WALK_CALL


KERNELS: dict[type[GraphOp], Kernel] = {
    GatherOp: GatherKernel(),
    ArgReduceOp: ArgReduceKernel(),
}
