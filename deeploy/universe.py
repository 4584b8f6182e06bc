"""What Deeploy adds to xDSL, published as an `xdsl.universe` entry point.

Every xDSL tool imports this module at start, so it imports nothing heavy: dialects, passes and the
C target load when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdsl.universe import Universe

from deeploy.passes import get_all_passes

if TYPE_CHECKING:
    from xdsl.ir import Dialect
    from xdsl.utils.target import Target


def _graph() -> Dialect:
    from deeploy.dialects.graph import Graph

    return Graph


def _tiled() -> Dialect:
    from deeploy.dialects.tiled import Tiled

    return Tiled


def _mem() -> Dialect:
    from deeploy.dialects.mem import Mem

    return Mem


def _dma() -> Dialect:
    from deeploy.dialects.dma import Dma

    return Dma


def _cluster() -> Dialect:
    from deeploy.dialects.cluster import Cluster

    return Cluster


def _npu() -> Dialect:
    from deeploy.dialects.npu import Npu

    return Npu


def _c_target() -> type[Target]:
    from deeploy.emit.c_target import CTarget

    return CTarget


DEEPLOY = Universe(
    all_dialects={
        "graph": _graph,
        "tiled": _tiled,
        "mem": _mem,
        "dma": _dma,
        "cluster": _cluster,
        "npu": _npu,
    },
    all_passes=get_all_passes(),
    all_targets={"c": _c_target},
)
