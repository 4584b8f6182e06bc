"""Matrix products and a sum with them on the cluster."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from xdsl.ir import SSAValue

from deeploy.dialects.graph import (
    GraphOp,
    MatmulAddOp,
    ProductOp,
    element_type,
    integer_range,
)
from deeploy.engines import Fields, Instance, Kernel, KernelCall, Sizes, View, ceil_div
from deeploy.engines.cluster.common import (
    BYTES,
    INTEGERS,
    decline_types,
    has_whole_rows,
    instance,
    requant_suffix,
    rescaled,
    scalar_requant,
    scale_fields,
    with_macros,
)
from deeploy.engines.cluster.cost import CALL, LOCATE, ROW, requantisation
from deeploy.engines.cluster.matmul import (
    HELD,
    PRODUCT,
    STORE,
    MatmulKernel,
    batch_stride,
    divided,
    matrices,
    products,
)
from deeploy.interfaces.bounds import Bounds

ADDEND = 2
"""Instructions: p.lb, add."""


class MatmulAddKernel(MatmulKernel):
    """`matmul_add`: products with few terms add as they store, others go over their rows again."""

    family = "matmul_add"

    def declines(self, op: GraphOp) -> str | None:
        assert isinstance(op, MatmulAddOp)
        if op.mul is not None or op.add is not None:
            return "factors that are operands, the kernel takes numbers"
        low, high = integer_range(element_type(op.result))
        if min(product_bounds(op)) < low or max(product_bounds(op)) > high:
            return f"a product beyond {element_type(op.result)}"
        types = {"lhs": BYTES, "rhs": BYTES, "addend": INTEGERS, "result": BYTES}
        return decline_types(op, types)

    def instance(self, op: GraphOp) -> Instance:
        assert isinstance(op, MatmulAddOp)
        a, b, d, y = (element_type(v) for v in (op.lhs, op.rhs, op.addend, op.result))
        made = instance(self.family, self.family, a=a, b=b, d=d, y=y)
        terms = op.sizes()[2]
        bounds = product_bounds(op)
        few = terms if terms <= HELD else 0
        symbol = (
            made.symbol + requant_suffix("a", op.scale, bounds) + requant_suffix("y", op.requant)
        )
        return with_macros(
            made,
            **{
                "DPL_NAME": f"{symbol}_{few}" if few else symbol,
                "DPL_K": str(few),
                "DPL_SCALE(v, p)": rescaled(op.scale, "scale", bounds=bounds),
                "DPL_STORE(v, p)": rescaled(op.requant, "sum"),
            },
        )

    def takes_strides(self, op: GraphOp, value: SSAValue, strides: Sequence[int]) -> bool:
        return value in (*op.operands[:3], op.results[0]) and has_whole_rows(value, strides)

    def arguments(self, call: KernelCall) -> Sequence[Fields]:
        op, addend = call.op, call.inputs[2]
        assert isinstance(op, MatmulAddOp)
        numbers = scalar_requant(op.product_requant)
        fields: dict[str, str | int | Fields] = {
            "product": {**matrices(call), "rq": numbers},
            "addend": addend.pointer,
            "addend_batch": batch_stride(addend),
            "addend_row": row_stride(addend),
        }
        requants = {"scale": op.scale, "sum": op.requant}
        return [fields | {k: scale_fields(v) for k, v in requants.items() if v is not None}]

    def output(self, op: ProductOp) -> int:
        assert isinstance(op, MatmulAddOp)
        return requantisation(op.product_requant)

    def sum(self, op: ProductOp) -> int:
        """Instructions that scale a product, add to it and requantise the sum."""
        assert isinstance(op, MatmulAddOp)
        scale = requantisation(op.scale, product_bounds(op))
        return scale + ADDEND + requantisation(op.requant)

    def short_cycles(
        self, op: ProductOp, batch: Sizes, m: Sizes, n: Sizes, k: Sizes, cores: int
    ) -> Sizes:
        """As for `matmul`, but the number of terms is known: where rows are single, theirs stay in
        registers, and all pointers move with loads and stores."""
        rows, columns = divided(batch * m, n, 4, cores)
        words, single = ceil_div(k, 4), np.equal(m, 1)
        hold = words * (4 if op.transpose_rhs else 12) + np.where(single, 1, 6)
        row = words * 4 + np.where(single, 0, words + 3)
        begun, output = products(rows, m), self.output(op) + self.sum(op) + STORE
        inner = ceil_div(columns, 4) * (begun * hold + rows * row) + rows * columns * output
        return inner + begun * PRODUCT + LOCATE + CALL

    def long_cycles(
        self, op: ProductOp, batch: Sizes, m: Sizes, n: Sizes, k: Sizes, cores: int
    ) -> Sizes:
        """As for `matmul`, and over the results again: a load and a store."""
        rows, columns = divided(batch * m, n, 4 if op.transpose_rhs else 8, cores)
        again = rows * (columns * (2 + self.sum(op)) + ROW)
        return super().long_cycles(op, batch, m, n, k, cores) + again


def product_bounds(op: MatmulAddOp) -> Bounds:
    """Between what values products lie once they are requantised."""
    return op.product_requant.min.data, op.product_requant.max.data


def row_stride(view: View) -> int:
    """The stride of rows; 0 where there is one."""
    return 0 if len(view.shape) < 2 or view.shape[-2] == 1 else view.strides[-2]


KERNELS: dict[type[GraphOp], Kernel] = {MatmulAddOp: MatmulAddKernel()}
