"""Matrix products on the cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from xdsl.ir import SSAValue

from deeploy.dialects.graph import GraphOp, MatmulOp, ProductOp, element_type
from deeploy.engines import Fields, Instance, Kernel, KernelCall, Sizes, View, ceil_div
from deeploy.engines.cluster.common import (
    BYTES,
    FLOATS,
    INTEGERS,
    ByElementType,
    bias_field,
    decline_types,
    float_instance,
    has_whole_rows,
    instance,
    requant_fields,
)
from deeploy.engines.cluster.cost import CALL, LOCATE, OUTPUT, dot_products, scaling, share

HELD = 16
"""Terms of products for which four columns stay in registers: `DPL_HELD_K` in `deeploy/simd.h`."""
STORE = 1
"""Instructions for an output of such a product beside its requantisation."""
PRODUCT = 20
"""From one product of a batch to the next: pointers and extents."""


class MatmulKernel(Kernel):
    """`matmul`: dot products of rows, four columns by two rows at a time."""

    family = "matmul"

    def declines(self, op: GraphOp) -> str | None:
        return decline_types(op, {"lhs": BYTES, "rhs": BYTES, "result": INTEGERS})

    def instance(self, op: GraphOp) -> Instance:
        assert isinstance(op, MatmulOp)
        a, b, y = (element_type(v) for v in (op.lhs, op.rhs, op.result))
        return instance(self.family, "matmul", a=a, b=b, y=y)

    def tile_limits(self, op: GraphOp) -> Mapping[str, int]:
        # the kernel knows one batch dimension
        assert isinstance(op, ProductOp)
        return {f"b{i}": 1 for i in range(len(op.batch()) - 1)}

    def takes_strides(self, op: GraphOp, value: SSAValue, strides: Sequence[int]) -> bool:
        return value in (*op.operands[:2], op.results[0]) and has_whole_rows(value, strides)

    def arguments(self, call: KernelCall) -> Sequence[Fields]:
        return [{**matrices(call), "rq": requant_fields(call)}]

    def output(self, op: ProductOp) -> int:
        """Instructions that requantise a product."""
        return scaling(op, op.requant)

    def cycles(self, op: GraphOp, sizes: Sequence[Sizes], cores: int) -> Sizes:
        assert isinstance(op, ProductOp)
        *batches, m, n, k = sizes
        batch = batches[-1] if batches else 1
        long = self.long_cycles(op, batch, m, n, k, cores)
        return np.where(np.less_equal(k, HELD), self.short_cycles(op, batch, m, n, k, cores), long)

    def short_cycles(
        self, op: ProductOp, batch: Sizes, m: Sizes, n: Sizes, k: Sizes, cores: int
    ) -> Sizes:
        """Of products with few terms: four columns at a time are held for all rows of a product."""
        rows, columns = divided(batch * m, n, 4, cores)
        words = ceil_div(k, 4)
        # loads, or 4 x 4 values: 4 loads and 8 shuffles; pointers and the loop, which is that of
        # rows where they are single
        single = op.transpose_rhs is not None and np.equal(m, 1)
        hold = words * (4 if op.transpose_rhs else 12) + np.where(single, 1, 6)
        # a load and 4 pv.dotsp.b, which clear accumulators, or pv.sdotsp.b; the pointers
        row = words * 5 + 4 * (self.output(op) + STORE) + 2
        begun = products(rows, m)
        steps = np.where(single, columns // 4 + columns % 4, ceil_div(columns, 4))
        inner = steps * (begun * hold + rows * row)
        return inner + begun * PRODUCT + np.where(np.greater(batch, 1), LOCATE, 0) + CALL

    def long_cycles(
        self, op: ProductOp, batch: Sizes, m: Sizes, n: Sizes, k: Sizes, cores: int
    ) -> Sizes:
        """Of products with many terms: two rows, or four by four columns, at a time."""
        rows, columns = divided(batch * m, n, 4 if op.transpose_rhs else 8, cores)
        output = OUTPUT + self.output(op)
        if op.transpose_rhs:
            pairs = together(rows, m, 2)
            return dot_products(pairs, rows - 2 * pairs, columns, k, output) + CALL
        # 4 x 4 values of the right side: 4 loads and 8 shuffles; then for each row a load and 4
        # pv.sdotsp.b, with a load for 8 columns
        steps, words = ceil_div(columns, 4), ceil_div(k, 4)
        groups = together(rows, m, 4) + (rows - 4 * together(rows, m, 4))
        inner = words * (groups * 12 + rows * 5) + rows * 4 * output
        return steps * inner + groups * LOCATE + CALL


def divided(rows: Sizes, columns: Sizes, unit: int, cores: int) -> tuple[Sizes, Sizes]:
    """Rows and columns of the core that has most, as `dpl_matmul_split` decides."""
    own_rows, own_columns = share(rows, 1, cores), share(columns, unit, cores)
    by_columns = own_columns * rows < own_rows * columns
    return np.where(by_columns, rows, own_rows), np.where(by_columns, own_columns, columns)


def products(rows: Sizes, m: Sizes) -> Sizes:
    """In how many products a core has rows, of which each has m."""
    whole, part = np.equal(rows % m, 0), np.equal(m % rows, 0)
    return np.where(whole, rows // m, np.where(part, 1, ceil_div(rows, m) + 1))


def together(rows: Sizes, m: Sizes, count: int) -> Sizes:
    """How often `count` of a core's rows are in the same product, of which each has m."""
    return rows // m * (m // count) + rows % m // count


class MatmulFloatKernel(MatmulKernel):
    """`matmul_f32`: dot products of rows, or sums of rows, four columns by two rows at a time."""

    family = "matmul_f32"

    def declines(self, op: GraphOp) -> str | None:
        return decline_types(op, {"lhs": FLOATS, "rhs": FLOATS, "result": FLOATS})

    def instance(self, op: GraphOp) -> Instance:
        return float_instance(self.family)

    def arguments(self, call: KernelCall) -> Sequence[Fields]:
        return [{**matrices(call), **bias_field(call)}]

    def cycles(self, op: GraphOp, sizes: Sequence[Sizes], cores: int) -> Sizes:
        assert isinstance(op, MatmulOp)
        *batches, m, n, k = sizes
        batch = batches[-1] if batches else 1
        rows, columns = divided(batch * m, n, 4 if op.transpose_rhs else 16, cores)
        # 4 columns x 2 rows: 6 loads and 8 multiply-adds for each k, 8 stores; one row: 5 and 4
        pairs = together(rows, m, 2)
        work = pairs * (k * 14 + 40) + (rows - 2 * pairs) * (k * 9 + 30)
        return ceil_div(columns, 4) * work + rows * LOCATE + CALL


def matrices(call: KernelCall) -> dict[str, str | int | Fields]:
    """Pointers, sizes and strides of a product."""
    op = call.op
    assert isinstance(op, ProductOp)
    a, b = call.inputs[:2]
    y = call.output
    *batches, rows, columns = y.shape
    return {
        "a": a.pointer, "b": b.pointer, "y": y.pointer,
        "batch": batches[-1] if batches else 1,
        "m": rows, "k": a.shape[-1], "n": columns,
        "a_batch": batch_stride(a), "a_row": a.strides[-2],
        "b_batch": batch_stride(b), "b_row": b.strides[-2],
        "y_batch": batch_stride(y), "y_row": y.strides[-2],
        "b_transposed": int(op.transpose_rhs is not None),
    }  # fmt: skip


def batch_stride(view: View) -> int:
    """The stride of the last batch dimension; 0 where there is none or it broadcasts."""
    if len(view.shape) < 3 or view.shape[-3] == 1:
        return 0
    return view.strides[-3]


KERNELS: dict[type[GraphOp], Kernel] = {
    MatmulOp: ByElementType(MatmulKernel(), MatmulFloatKernel()),
}
