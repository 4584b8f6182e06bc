"""Softmax and normalisation of rows on the cluster."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from xdsl.ir import SSAValue

from deeploy.dialects.graph import (
    DISTANCES,
    GraphOp,
    IntLayerNormOp,
    IntRMSNormOp,
    IntSoftmaxOp,
    ItaMaxOp,
    ItaPartialMaxOp,
    LayerNormOp,
    Requantised,
    RMSNormOp,
    RowOp,
    SoftmaxOp,
    element_type,
    extent_of,
    integer_range,
    si8,
)
from deeploy.engines import Fields, Instance, Kernel, KernelCall, Sizes, ceil_div
from deeploy.engines.cluster.common import (
    BYTES,
    FLOATS,
    INTEGERS,
    decline_rank,
    decline_types,
    float_instance,
    float_literal,
    has_whole_rows,
    instance,
    literal,
    requant_fields,
    with_macros,
    wrapped,
)
from deeploy.engines.cluster.cost import (
    CALL,
    DIVISION,
    MULTIPLY_HIGH,
    division,
    scaling,
    share,
)
from deeploy.engines.cluster.walk import DIMENSIONS, Walk, braces
from deeploy.interfaces.tiling import shape_of

MOST_COLUMNS = 1 << 16
"""Of rows whose squares are summed in 32 bits."""
SHORT_COLUMNS = 16
"""Of rows whose terms are kept in registers."""
SMALL_DIVIDEND = (1 << 14) - 128
"""`DPL_SMALL_DIVIDEND`, up to which a division takes two instructions."""


@dataclass(frozen=True)
class RowCost:
    """Instructions on a row: for what has to be known of it and for its results, per element; in
    between; and more in a row that does not begin and end at words. Those of a call. Whether the
    cores divide the columns of few rows."""

    statistics: float
    results: float
    row: int
    edges: int = 0
    call: int = CALL
    by_columns: bool = True


class RowKernel(Kernel):
    """A kernel that divides rows among the cores, or the columns of few rows."""

    def __init__(self, family: str, cost: RowCost) -> None:
        self.family = family
        self.cost = cost

    def columns(self, op: GraphOp) -> int:
        """The length of a row."""
        assert isinstance(op, RowOp)
        return op.infer_shape()[-1]

    def row_cost(self, op: GraphOp) -> RowCost:
        """Instructions on a row of an op."""
        return self.cost

    def whole_row_cost(self, op: GraphOp) -> RowCost:
        """The same where cores have whole rows."""
        return self.row_cost(op)

    @abstractmethod
    def parameters(self, call: KernelCall) -> Fields:
        """The arguments beside x and y."""

    def takes_strides(self, op: GraphOp, value: SSAValue, strides: Sequence[int]) -> bool:
        return value in (op.operands[0], op.results[0]) and has_whole_rows(value, strides)

    def arguments(self, call: KernelCall) -> Sequence[Fields]:
        x, y = call.inputs[0].pointer, call.output.pointer
        rows = rows_of(call, self.row_cost(call.op).by_columns)
        return [{"x": x, "y": y, "rows": rows, **self.parameters(call)}]

    def cycles(self, op: GraphOp, sizes: Sequence[Sizes], cores: int) -> Sizes:
        *outer, columns = sizes[: len(shape_of(op.results[0]))]
        rows, cost, whole = math.prod(outer), self.row_cost(op), self.whole_row_cost(op)
        own_rows, own_columns = share(rows, 1, cores), share(columns, 4, cores)
        edges = np.where(columns % 4, cost.edges, 0)
        by_rows = columns * (whole.statistics + whole.results) + whole.row + edges
        by_columns = columns * cost.statistics + own_columns * cost.results + cost.row + edges
        # as `dpl_rowwise_columns` decides
        columns_first = rows * (columns + own_columns) < 2 * own_rows * columns
        columns_first = columns_first & cost.by_columns
        cycles = np.where(
            columns_first, cost.call + rows * by_columns, whole.call + own_rows * by_rows
        )
        return np.ceil(cycles).astype(np.int64)


def rows_of(call: KernelCall, by_columns: bool) -> Fields:
    """The `dpl_rowwise` of x and y, whose columns the cores may divide."""
    x, y = call.inputs[0], call.output
    outer = Walk.over(y.shape[:-1], (x.strides[:-1], y.strides[:-1]))
    count, columns = outer.count(), y.shape[-1]
    # one column is never divided
    shares = braces(row_shares(count, columns if by_columns else 1, call.cores))
    fields: Fields = {"count": count, "columns": columns, "share": shares}
    if len(outer.extents) > 1:
        rank = DIMENSIONS - 1
        steps = ", ".join(outer.stride(i, rank) for i in range(2))
        walk = f"&(const dpl_rowwise_walk){{.dim = {outer.dim(rank)}, .stride = {{{steps}}}}}"
        return {**fields, "walk": walk}
    return {**fields, "stride": braces([own[0] if own else 0 for own in outer.strides])}


def row_shares(count: int | str, columns: int | str, cores: int) -> tuple[int | str, int | str]:
    """Rows of a core, or 0 and columns: `dpl_rowwise_rows`, `dpl_rowwise_columns`."""
    if isinstance(count, str) or isinstance(columns, str):
        arguments = f"{count}, {columns}, {cores}"
        return f"dpl_rowwise_rows({arguments})", f"dpl_rowwise_columns({arguments})"
    rows, own = ceil_div(count, cores), ceil_div(ceil_div(columns, 4), cores) * 4
    assert isinstance(rows, int) and isinstance(own, int)
    return (0, own) if count * (columns + own) < 2 * rows * columns else (rows, 0)


class IntRowKernel(RowKernel):
    """A kernel on rows of bytes."""

    struct = ""

    def declines(self, op: GraphOp) -> str | None:
        return decline_types(op, {"input": BYTES, "result": INTEGERS}) or decline_rank(op)

    def instance(self, op: GraphOp) -> Instance:
        x, y = element_type(op.operands[0]), element_type(op.results[0])
        return instance(self.family, self.family, self.struct, x=x, y=y)

    def epilogue(self, call: KernelCall) -> Fields:
        """The requantisation, if the op has one."""
        assert isinstance(call.op, Requantised)
        return {"has_rq": 1, "rq": requant_fields(call)} if call.op.requant is not None else {}

    def row_cost(self, op: GraphOp) -> RowCost:
        if not isinstance(op, Requantised):
            return self.cost
        return replace(self.cost, results=self.cost.results + scaling(op, op.requant))


class IntSoftmaxKernel(IntRowKernel):
    """`int_softmax`; `cost` is that with a table, without one for the results."""

    def instance(self, op: GraphOp) -> Instance:
        return with_macros(super().instance(op), DPL_COLUMNS="0")

    def variant(self, call: KernelCall) -> Instance:
        made, columns = super().variant(call), call.output.shape[-1]
        if not is_short(call.op):
            return made
        symbol = f"{made.symbol}_{columns}"
        return with_macros(made, DPL_NAME=symbol, DPL_COLUMNS=str(columns))

    def row_cost(self, op: GraphOp) -> RowCost:
        assert isinstance(op, IntSoftmaxOp)
        results, exponential = result_cost(op), exponential_cost(op)
        cost = SHORT_SOFTMAX if is_short(op) else self.cost
        return replace(
            cost,
            statistics=cost.statistics + exponential,
            results=cost.results + results + (0 if is_short(op) else exponential),
            row=cost.row + division(least_sum(op) >> 2),
        )

    def whole_row_cost(self, op: GraphOp) -> RowCost:
        assert isinstance(op, IntSoftmaxOp)
        cost = self.row_cost(op)
        if not looks_up(op):
            return cost
        return replace(
            cost,
            results=LOOKUP,
            row=cost.row + LOOKUP_ROW + op.reach() * entry_cost(op),
            call=cost.call + FILL,
        )

    def parameters(self, call: KernelCall) -> Fields:
        op, fields = call.op, dict(self.epilogue(call))
        assert isinstance(op, IntSoftmaxOp)
        if op.mapping is not None:
            fields["mapping"] = call.inputs[len(op.tables())].pointer
        if looks_up(op):
            fields["reach"] = op.reach()
        if op.table is not None:
            return {"table": f"(const uint32_t *){call.inputs[1].pointer}", **fields}
        a, b, c = (wrapped(v.value.data) for v in (op.a, op.b, op.c))
        log2 = min(op.log2.value.data, DISTANCES)  # bytes differ by less
        return {"a": a, "b": b, "c": c, "log2": log2, "scale": op.scale(), **fields}


def least_sum(op: IntSoftmaxOp) -> int:
    """The least of scaled sums: the term of the maximum."""
    return op.scale() * op.term(0)


def exponential_cost(op: IntSoftmaxOp) -> int:
    """Instructions for a term beside its look-up."""
    return 0 if op.table is not None else EXPONENTIAL


def result_cost(op: IntSoftmaxOp) -> int:
    """Instructions for a result once its term is known."""
    least = least_sum(op)
    quotient = QUOTIENT if least >= LEAST_DIVISOR else division(least)
    return quotient + scaling(op, op.requant) + (0 if op.mapping is None else 1)  # p.lbu


def entry_cost(op: IntSoftmaxOp) -> int:
    """Instructions for the result at one distance: p.lw of the term and p.sb beside it."""
    return 2 + exponential_cost(op) + result_cost(op)


def looks_up(op: IntSoftmaxOp) -> bool:
    """Whether it is less work to find the results of a row at all distances that matter first."""
    is_mapped = element_type(op.result) in BYTES and op.mul is None and op.add is None
    if is_short(op) or not is_mapped:
        return False
    columns, distances = shape_of(op.result)[-1], op.reach()
    saved = RESULT + exponential_cost(op) + result_cost(op) - LOOKUP
    return distances * entry_cost(op) + FILL < columns * saved


def is_short(op: GraphOp) -> bool:
    """Whether the terms of a softmax fit into registers: rows of a length that is known."""
    columns = shape_of(op.results[0])[-1]
    return columns <= SHORT_COLUMNS and extent_of(op.results[0]) is None


class ItaMaxKernel(IntRowKernel):
    """`ita_max`: one group of all columns, or several."""

    def declines(self, op: GraphOp) -> str | None:
        assert isinstance(op, ItaMaxOp | ItaPartialMaxOp)
        if op.levels.value.data > 1 << 23:
            return "more than 2^23 levels"
        return super().declines(op)

    def parameters(self, call: KernelCall) -> Fields:
        op = call.op
        assert isinstance(op, ItaMaxOp | ItaPartialMaxOp)
        columns = self.columns(op)
        group = min(op.group.value.data, columns) if isinstance(op, ItaPartialMaxOp) else columns
        return {"group": group, "levels": op.levels.value.data, **self.epilogue(call)}


class IntNormKernel(IntRowKernel):
    """`int_rms_norm` and `int_layer_norm`; `cost` is that of narrow instances."""

    struct = "int_norm"

    def __init__(self, family: str, cost: RowCost, wide: RowCost) -> None:
        super().__init__(family, cost)
        self.wide = wide

    def instance(self, op: GraphOp) -> Instance:
        made, narrow = super().instance(op), is_narrow(op)
        symbol = made.symbol if narrow else f"{made.symbol}_wide"
        return with_macros(made, DPL_NAME=symbol, DPL_NARROW=str(int(narrow)))

    def row_cost(self, op: GraphOp) -> RowCost:
        assert isinstance(op, IntRMSNormOp | IntLayerNormOp)
        if not is_narrow(op):
            return self.wide
        # p.mulhhsRN takes what is above 16 bits
        shifted = 0 if op.shift.value.data == 16 else 1
        return replace(self.cost, results=self.cost.results + shifted)

    def declines(self, op: GraphOp) -> str | None:
        if self.columns(op) > MOST_COLUMNS:
            return f"{self.columns(op)} columns, the kernel takes up to {MOST_COLUMNS}"
        return super().declines(op)

    def parameters(self, call: KernelCall) -> Fields:
        op = call.op
        assert isinstance(op, IntRMSNormOp | IntLayerNormOp)
        low, high = integer_range(element_type(op.result))
        vectors = zip(("weight", "bias"), call.inputs[1:], strict=False)
        return {
            **{name: f"(const int32_t *){view.pointer}" for name, view in vectors},
            "shift": op.shift.value.data, "lo": literal(low), "hi": literal(high),
        }  # fmt: skip


def is_narrow(op: GraphOp) -> bool:
    """Whether a normalisation can do with 32 bits: the conditions of `int_norm.h`."""
    assert isinstance(op, IntRMSNormOp | IntLayerNormOp)
    if isinstance(op, IntLayerNormOp):
        limits = ((255, op.weight_limit), (128, op.bias_limit))
    elif element_type(op.input) == si8:
        limits = ((128, op.weight_limit),)
    else:
        return False
    known = [factor * limit.value.data for factor, limit in limits if limit is not None]
    reach = sum(known) + 128
    is_known = len(known) == len(limits)
    return is_known and reach < 1 << 31 and reach >> op.shift.value.data < SMALL_DIVIDEND


class FloatRowKernel(RowKernel):
    """A kernel on rows of floats."""

    struct = ""

    def declines(self, op: GraphOp) -> str | None:
        return decline_types(op, {"input": FLOATS, "result": FLOATS}) or decline_rank(op)

    def instance(self, op: GraphOp) -> Instance:
        return float_instance(self.family, struct=self.struct)

    def parameters(self, call: KernelCall) -> Fields:
        return {}


class FloatNormKernel(FloatRowKernel):
    """`rms_norm_f32` and `layer_norm_f32`."""

    struct = "norm_f32"

    def parameters(self, call: KernelCall) -> Fields:
        op = call.op
        assert isinstance(op, RMSNormOp | LayerNormOp)
        vectors = zip(("weight", "bias"), call.inputs[1:], strict=False)
        return {
            **{name: f"(const float *){view.pointer}" for name, view in vectors},
            "epsilon": float_literal(op.epsilon.value.data),
        }


EXPONENTIAL = 13
"""Where it is computed instead of looked up: p.lbu and sub instead of pv.dotsp.b and a quarter of a
load; product with an inverse, srl, p.min; p.mac, sum; square, product, sum, srl; scaled; 2
constants."""
QUOTIENT = 3
"""`dpl_quotient_at`: p.mulhhuRN, p.mac, srl."""
RESULT = 3
"""A result that is computed, beside that: of four p.lw, pv.packlo.b, pv.packhi.b, p.sw, and for
each pv.dotsp.b, p.lw of the term."""
LOOKUP = 3
"""A result that is looked up by distance: p.lb, p.lbu of its place from that of the maximum, p.sb.
"""
LOOKUP_ROW = 6
"""One more loop in a row, its pointers, and the place of the maximum."""
FILL = 80
"""Results of all other distances, once in a call: 64 words."""
SHORT_SOFTMAX = RowCost(3.5, 0.75, 26, edges=40, by_columns=False)
"""As below, but all words and terms stay in registers: one p.lw instead of three, no second
pv.dotsp.b and p.lw, and no loop in a row. Selectors of bytes are set in each row 8; next row 2."""
LEAST_DIVISOR = 1 << 18
"""For which it has an inverse."""
DEVIATION = 67
"""Of a row: a root of eight steps (a bit more, two products, branch, move), half of whose branches
are taken, 44; the inverse beside its division 7, std - 1; sum cleared, n added 2; pointers and two
hardware loops 9; next row 4."""

KERNELS: dict[type[GraphOp], Kernel] = {
    # of four: p.lw, pv.max.b; p.lw, and for each pv.dotsp.b (its place in the table, from there to
    # that of the maximum), p.lw of the term, add. Largest of four 5, place of the maximum 2, three
    # loops and their pointers 8, sum, divisor 1, inverse 4, complement and shift 4; next row 4
    IntSoftmaxOp: IntSoftmaxKernel("int_softmax", RowCost(3.75, RESULT, 29, edges=40)),
    # maximum 1; load, distance and shift 3, term, sum; load, distance and shift 3, shift, store
    ItaMaxOp: ItaMaxKernel("ita_max", RowCost(7, 6, DIVISION + 20)),
    ItaPartialMaxOp: ItaMaxKernel("ita_max", RowCost(8, 6, DIVISION + 20)),
    # of four: p.lw, pv.sdotsp.b. Two loads, product, two to make it truncate, p.mulhhsRN; of two:
    # pv.pack.h, pv.sra.h, pv.max.h, pv.min.h; of four: pv.shuffle2.b, p.sw. Wide: three more for
    # products of 64 bits that fit 32, p.abs, shift, two for the sign, shift, p.max, p.min, p.sb
    IntRMSNormOp: IntNormKernel(
        "int_rms_norm",
        RowCost(0.5, 8.5, DIVISION + DEVIATION, edges=20),
        wide=RowCost(0.5, 14 + 2 * MULTIPLY_HIGH, 2 * DIVISION + DEVIATION, edges=20),
    ),
    # one pv.sdotsp.b more. Three loads, difference, product, truncates 2, p.mac, p.mulhhsRN; of
    # two: pv.pack.h, pv.sra.h; of four: pv.shuffle2.b, p.sw. Wide as above, with a sum instead of
    # p.max, p.min. Mean and its squares in a row
    IntLayerNormOp: IntNormKernel(
        "int_layer_norm",
        RowCost(0.75, 10.5, 2 * DIVISION + DEVIATION + 6, edges=20),
        wide=RowCost(0.75, 15 + 2 * MULTIPLY_HIGH, 3 * DIVISION + DEVIATION + 6, edges=20),
    ),
    # maximum 2; load, difference, exponential 26, sum; load, product, store
    SoftmaxOp: FloatRowKernel("softmax_f32", RowCost(31, 3, 60)),
    # square and add 2; two loads, two products, store; root and division
    RMSNormOp: FloatNormKernel("rms_norm_f32", RowCost(2, 5, 80)),
    # sum 2, squares 3; three loads, difference, product, multiply-add, store
    LayerNormOp: FloatNormKernel("layer_norm_f32", RowCost(5, 7, 100)),
}
