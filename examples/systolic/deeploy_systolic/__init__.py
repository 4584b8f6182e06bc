"""A systolic matrix unit: an engine for Deeploy."""

from __future__ import annotations

from pathlib import Path

from deeploy.dialects.graph import MatmulOp
from deeploy.engines import Engine
from deeploy_systolic.matmul import SIDE, OfferMatmul, SystolicMatmul

ENGINE = Engine(
    name="systolic",
    summary="16x16 weight-stationary matrix unit: products of 8-bit matrices",
    kernels={MatmulOp: SystolicMatmul()},
    conversions={MatmulOp: (OfferMatmul(),)},
    # a multiplication and an addition in every cell
    peak_operations=2 * SIDE * SIDE,
    on_cores=False,
    include_dirs=(Path(__file__).parent / "include",),
)
