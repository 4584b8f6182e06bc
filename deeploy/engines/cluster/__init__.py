"""The cluster: all cores run one portable C kernel, each on its share."""

from deeploy.engines import Engine
from deeploy.engines.cluster import (
    activation,
    elementwise,
    indexing,
    matmul,
    matmul_add,
    movement,
    reduction,
    rows,
    selection,
    window,
)

ENGINE = Engine(
    name="cluster",
    summary="portable C kernels that all cores of the cluster share",
    kernels={
        **window.KERNELS,
        **matmul.KERNELS,
        **matmul_add.KERNELS,
        **elementwise.KERNELS,
        **activation.KERNELS,
        **rows.KERNELS,
        **reduction.KERNELS,
        **movement.KERNELS,
        **indexing.KERNELS,
        **selection.KERNELS,
    },
    # one dot product of four bytes (Xpulp)
    peak_operations=8.0,
)
