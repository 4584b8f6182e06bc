"""What the plan decided for each nest, and where it is found in the lowered program.

A lowered program has no nests any more: its kernel calls come in the order of the nests, and its
transfers carry the names of the ONNX nodes.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import cast

from xdsl.context import Context
from xdsl.dialects import arith, memref
from xdsl.dialects.builtin import (
    DictionaryAttr,
    FloatAttr,
    IntegerAttr,
    MemRefType,
    ModuleOp,
    StringAttr,
)
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue

from deeploy.diagnostics import node_name
from deeploy.dialects import npu
from deeploy.dialects.cluster import CallOp
from deeploy.dialects.dma import StartOp
from deeploy.dialects.mem import ReshapeOp, level_of
from deeploy.dialects.tiled import NestOp
from deeploy.instrumentation.pipeline import Cost, Instrument, Step

JOBS = (npu.StartOp, npu.AcquireOp, npu.WriteOp, npu.TriggerOp, npu.WaitOp)
"""What drives the accelerator."""
PARTS = (memref.SubviewOp, ReshapeOp, npu.AddressOp, arith.AddiOp, arith.SubiOp)
"""What gives a part of a buffer, or an address in it."""
PLAN_PASS = "plan"
PLAN_ATTRIBUTE = "tiled.plan"


@dataclass(frozen=True)
class NestInfo:
    """A nest as it was planned.

    Attributes:
        name: the ONNX node or nodes, or None.
        ops: the graph ops of the body, without the dialect.
        iterators: names, in the order of `extents` and `tile`.
        order: the names of the iterators that are cut, outermost loop first.
        buffers: 1 or 2 for each tile that moves; 0 where there is no plan.
        cycles: estimated, for all tiles.
    """

    name: str | None
    ops: tuple[str, ...]
    engine: str
    iterators: tuple[str, ...]
    extents: tuple[int, ...]
    tile: tuple[int, ...]
    order: tuple[str, ...]
    buffers: int
    cycles: int

    @property
    def label(self) -> str:
        """How to call the nest."""
        return self.name or "+".join(self.ops)

    @property
    def tiles(self) -> int:
        """The number of tiles."""
        count = 1
        for extent, size in zip(self.extents, self.tile, strict=True):
            count *= -(-extent // size)
        return count


@dataclass(frozen=True)
class PlanInfo:
    """What the planner says about its solution; `gap` is relative, `cycles` are estimated."""

    status: str
    gap: float
    cycles: int


def _integer(attr: object) -> int:
    return attr.value.data if isinstance(attr, IntegerAttr) else 0


def nest_info(nest: NestOp) -> NestInfo:
    """The facts about a nest."""
    iterators = nest.iterators()
    names = tuple(iterator.name for iterator in iterators)
    return NestInfo(
        name=node_name(nest),
        ops=tuple(op.name.removeprefix("graph.") for op in nest.body_ops()),
        engine=nest.engine.data if nest.engine is not None else "",
        iterators=names,
        extents=tuple(iterator.extent for iterator in iterators),
        tile=nest.tile_sizes(),
        order=tuple(names[i] for i in nest.loop_order()),
        buffers=_integer(nest.buffers),
        cycles=_integer(nest.cycles),
    )


def plan_info(module: ModuleOp) -> PlanInfo | None:
    """The planner's summary, or None where no planner has run."""
    for op in module.body.block.ops:
        attr = op.attributes.get(PLAN_ATTRIBUTE)
        if isinstance(attr, DictionaryAttr):
            status, gap = attr.data.get("status"), attr.data.get("gap")
            return PlanInfo(
                status.data if isinstance(status, StringAttr) else "unknown",
                gap.value.data if isinstance(gap, FloatAttr) else 0.0,
                _integer(attr.data.get("cycles")),
            )
    return None


@dataclass
class NestRecorder(Instrument):
    """Keeps the facts about the nests, as they are before they become loops.

    Attributes:
        nests: in the order in which they run.
        plan: the planner's summary.
        solve_seconds: wall time of the planner.
    """

    nests: list[NestInfo] = field(default_factory=list[NestInfo], init=False)
    plan: PlanInfo | None = field(default=None, init=False)
    solve_seconds: float = field(default=0.0, init=False)

    def begin(self, ctx: Context, module: ModuleOp, passes: tuple[object, ...]) -> None:
        self._record(module)

    def after_pass(self, step: Step, cost: Cost) -> None:
        if step.current.name == PLAN_PASS:
            self.solve_seconds += cost.apply
        self._record(step.module)

    def _record(self, module: ModuleOp) -> None:
        nests = [op for op in module.walk() if isinstance(op, NestOp)]
        if nests:
            self.nests = [nest_info(nest) for nest in nests]
        self.plan = plan_info(module) or self.plan


# --- The lowered program --------------------------------------------------------------------------


def assign_nests(function: FuncOp, nests: Sequence[NestInfo], compute: str) -> dict[Operation, int]:
    """The nest (by index) of each kernel call, transfer and job of a lowered function.

    Kernel calls are counted. A transfer belongs to a nest of its name: the next one for a load into
    the memory `compute`, the last one for a store. What drives the accelerator belongs to a nest of
    its name that has jobs.
    """
    jobs = [[op.startswith("npu.") for op in nest.ops] for nest in nests]
    ends = list(accumulate(len(own) - sum(own) for own in jobs))
    named: dict[str | None, list[int]] = {}
    for i, nest in enumerate(nests):
        named.setdefault(nest.name, []).append(i)
    working = {name: [i for i in own if any(jobs[i])] for name, own in named.items()}
    found: dict[Operation, int] = {}
    calls = 0
    for op in function.walk():
        if isinstance(op, CallOp):
            found[op] = _nest_of_call(calls, ends)
            calls += 1
        elif isinstance(op, StartOp):
            load = level_of(op.destination) == compute
            current = _nest_of_call(calls - (not load), ends)
            found[op] = _nearest(named.get(node_name(op), []), current, load)
        elif isinstance(op, JOBS):
            last = _nest_of_call(calls - 1, ends)
            found[op] = _nearest(working.get(node_name(op), []), last, True)
    return found


def _nest_of_call(call: int, ends: Sequence[int]) -> int:
    return max(0, min(bisect_right(ends, call), len(ends) - 1))


def _nearest(named: Sequence[int], current: int, load: bool) -> int:
    """Of the nests of a name the first from `current` on, or, for a store, the last up to it."""
    if not named:
        return current
    if load:
        return named[min(bisect_left(named, current), len(named) - 1)]
    return named[max(bisect_right(named, current) - 1, 0)]


def uses_of(value: SSAValue) -> Iterator[Operation]:
    """All ops that use a buffer, a part of it or its address."""
    for use in value.uses:
        yield use.operation
        if isinstance(use.operation, PARTS):
            yield from uses_of(use.operation.results[0])


def memref_of(value: SSAValue) -> MemRefType:
    """The type of a buffer."""
    return cast(MemRefType, value.type)
