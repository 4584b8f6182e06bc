"""Matrix products on the systolic unit: what it takes, its kernel in C, its cycles."""

from __future__ import annotations

from collections.abc import Sequence

from deeploy.dialects.graph import GraphOp, MatmulOp, element_type
from deeploy.dialects.mem import element_bytes
from deeploy.engines import Constants, Conversion, Instance, Sizes, ceil_div
from deeploy.engines.cluster.common import instance
from deeploy.engines.cluster.matmul import MatmulKernel

# `deeploy_systolic/unit.h` describes the unit, with the same numbers.
SIDE = 16
"""Cells in a row and in a column of the grid."""
SUM_ROWS = 64
"""Rows of sums that the unit holds."""
PASS = SIDE + 2 * SIDE - 2
"""Cycles of a pass beside its rows: weights go in, the last row crosses the grid."""

CALL = 80
"""Entering the kernel and reading its arguments."""
JOB = 20 * 3 + 15
"""One product: core 0 writes 20 registers of 3 cycles each, and wakes up at the end."""


class SystolicMatmul(MatmulKernel):
    """`matmul` with the types and arguments of the cluster's kernel; core 0 drives the unit."""

    family = "systolic_matmul"

    def instance(self, op: GraphOp) -> Instance:
        assert isinstance(op, MatmulOp)
        a, b, y = (element_type(v) for v in (op.lhs, op.rhs, op.result))
        return instance(self.family, self.family, "matmul", a=a, b=b, y=y)

    def cycles(self, op: GraphOp, sizes: Sequence[Sizes], cores: int) -> Sizes:
        *batches, m, n, k = sizes
        batch = batches[-1] if batches else 1
        product = unit_cycles(m, n, k, element_bytes(element_type(op.results[0])))
        return CALL + batch * (JOB + product)


def unit_cycles(m: Sizes, n: Sizes, k: Sizes, result_bytes: int) -> Sizes:
    """Cycles of the unit for a product `[m, k] x [k, n]`.

    For each block of SIDE columns: a pass for each SIDE values of k and SUM_ROWS rows, in which
    every row takes a cycle; then the rows of results leave through a port of SIDE bytes.
    """
    passes = ceil_div(k, SIDE) * (ceil_div(m, SUM_ROWS) * PASS + m)
    return ceil_div(n, SIDE) * (passes + m * result_bytes)


class OfferMatmul(Conversion):
    """The product as it is: the unit needs no op of its own."""

    def declines(self, op: GraphOp, constants: Constants) -> str | None:
        return SystolicMatmul().declines(op)

    def convert(self, op: GraphOp, constants: Constants) -> list[GraphOp]:
        return [op.clone()]
