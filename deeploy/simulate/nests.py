"""Which nest each op of a lowered program belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from xdsl.dialects import scf
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation

from deeploy.diagnostics import node_name
from deeploy.dialects import npu
from deeploy.dialects.cluster import BarrierOp, CallOp
from deeploy.dialects.dma import WaitOp
from deeploy.report.nests import NestInfo, assign_nests

OTHERS = (WaitOp, npu.WaitOp, BarrierOp, scf.ForOp)
"""What takes time beside calls, transfers and jobs."""


def nests_in(function: FuncOp) -> list[NestInfo]:
    """The nests of a program that nobody has watched being lowered, without their plan.

    Kernel calls and jobs in a row that carry the same ONNX node, in the same loop, are one nest.
    """
    found = [op for op in function.walk() if isinstance(op, CallOp | npu.TriggerOp)]
    groups = groupby(found, lambda op: (node_name(op), loop_around(op)))
    return [_nest_of(list(group)) for _, group in groups]


def engine_of(op: CallOp | npu.TriggerOp) -> str:
    """The engine that runs a kernel call or a job."""
    return op.engine.data if isinstance(op, CallOp) else op.engine


def loop_around(op: Operation) -> Operation | None:
    """The loop that an op is in, or the function."""
    parent = op.parent_op()
    while isinstance(parent, scf.IfOp):
        parent = parent.parent_op()
    return parent


def _nest_of(ops: Sequence[CallOp | npu.TriggerOp]) -> NestInfo:
    calls = [op for op in ops if isinstance(op, CallOp)]
    names = [call.op.name.removeprefix("graph.") for call in calls]
    has_jobs = len(calls) < len(ops)
    iterators = () if has_jobs else calls[-1].op.iterators()
    extents = tuple(iterator.extent for iterator in iterators)
    return NestInfo(
        name=node_name(ops[-1]),
        ops=(*names, *(["npu.conv"] if has_jobs else [])),
        engines=tuple(dict.fromkeys(map(engine_of, ops))),
        iterators=tuple(iterator.name for iterator in iterators),
        extents=extents,
        tile=extents,
        order=(),
        buffers=0,
        cycles=0,
    )


def owners(function: FuncOp, nests: Sequence[NestInfo], compute: str) -> dict[Operation, int]:
    """The nest of each call, transfer, job, wait, barrier and loop.

    Waits, barriers and loops belong to the same nest as the one before it, if they carry the
    same ONNX node, or else to that of the next one that does.
    """
    found = assign_nests(function, nests, compute)
    ops = list(function.walk())
    following: dict[Operation, int] = {}
    near: dict[str | None, int] = {}
    for op in reversed(ops):
        if op in found:
            near[node_name(op)] = found[op]
        elif isinstance(op, OTHERS):
            following[op] = near.get(node_name(op), 0)
    before: tuple[str | None, int] | None = None
    for op in ops:
        if op in following:
            same = before is not None and before[0] == node_name(op)
            found[op] = before[1] if before is not None and same else following[op]
        elif op in found:
            before = node_name(op), found[op]
    return found
