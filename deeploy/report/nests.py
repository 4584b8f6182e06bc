"""What the plan decided for each nest, and where it is found in the lowered program.

A lowered program has no nests any more: what it does carries the names of the ONNX nodes, in the
order of the nests of one name.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from xdsl.context import Context
from xdsl.dialects import arith, memref
from xdsl.dialects.builtin import (
    DictionaryAttr,
    FloatAttr,
    IntegerAttr,
    ModuleOp,
    StringAttr,
)
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue

from deeploy.diagnostics import node_name
from deeploy.dialects import npu
from deeploy.dialects.cluster import CallOp
from deeploy.dialects.dma import StartOp
from deeploy.dialects.mem import ReshapeOp, ViewOp, level_of
from deeploy.dialects.tiled import NestOp
from deeploy.engines import engine_of
from deeploy.instrumentation.pipeline import Cost, Instrument, Step

JOBS = (npu.StartOp, npu.AcquireOp, npu.WriteOp, npu.TriggerOp)
"""What drives the accelerator."""
PARTS = (memref.SubviewOp, ReshapeOp, ViewOp, npu.AddressOp, arith.AddiOp, arith.SubiOp)
"""What gives a part of a buffer, or an address in it."""
JOB = "npu."
"""How the names of ops begin that the accelerator runs."""
PLAN_PASS = "plan"
PLAN_ATTRIBUTE = "tiled.plan"


@dataclass(frozen=True)
class NestInfo:
    """A nest as it was planned.

    Attributes:
        name: the ONNX node or nodes, or None.
        ops: the graph ops of the body, without the dialect.
        engines: that run them, each once.
        iterators: names, in the order of `extents` and `tile`.
        order: the names of the iterators that are cut, outermost loop first.
        buffers: 1 or 2 for each tile that moves; 0 where there is no plan.
        cycles: estimated, for all tiles.
    """

    name: str | None
    ops: tuple[str, ...]
    engines: tuple[str, ...]
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


def engines_of(nest: NestOp) -> tuple[str, ...]:
    """The engines that run the ops of a nest, each once."""
    return tuple(dict.fromkeys(engine_of(op).name for op in nest.computing_ops()))


def nest_info(nest: NestOp) -> NestInfo:
    """The facts about a nest."""
    iterators = nest.iterators()
    names = tuple(iterator.name for iterator in iterators)
    return NestInfo(
        name=node_name(nest),
        ops=tuple(op.name.removeprefix("graph.") for op in nest.computing_ops()),
        engines=engines_of(nest),
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

    Everything belongs to a nest of its name. Where several have that name, kernel calls are
    counted; a load into the memory `compute` belongs to the next one that has not begun to work,
    what drives the accelerator to the next one that has jobs, a store to the last one.
    """
    everything, named = _Group(), dict[str | None, _Group]()
    for i, nest in enumerate(nests):
        everything.add(i, nest)
        named.setdefault(nest.name, _Group()).add(i, nest)
    found: dict[Operation, int] = {}
    if not nests:
        return found
    for op in function.walk():
        group = named.get(node_name(op), everything)
        if isinstance(op, CallOp):
            found[op] = group.call()
        elif isinstance(op, JOBS):
            found[op] = group.job()
        elif isinstance(op, StartOp):
            found[op] = group.load() if level_of(op.destination) == compute else group.store()
    return found


@dataclass
class _Group:
    """Nests in order, by index, and how far a program has got with them.

    Attributes:
        ends: for each nest, the kernel calls of it and of all before it.
        with_jobs: which of them have jobs.
        calls: how many were counted.
        front: which of the nests something was last assigned to.
        works: whether that one has begun to work.
    """

    nests: list[int] = field(default_factory=list[int])
    ends: list[int] = field(default_factory=list[int])
    with_jobs: list[int] = field(default_factory=list[int])
    calls: int = 0
    front: int = 0
    works: bool = False

    def add(self, index: int, nest: NestInfo) -> None:
        """Append a nest."""
        calls = sum(not op.startswith(JOB) for op in nest.ops)
        if calls < len(nest.ops):
            self.with_jobs.append(len(self.nests))
        self.ends.append(calls + (self.ends[-1] if self.ends else 0))
        self.nests.append(index)

    def call(self) -> int:
        """The nest of the next kernel call."""
        self.calls += 1
        return self.advance(bisect_left(self.ends, self.calls), True)

    def job(self) -> int:
        """The nest of what drives the accelerator."""
        own = self.with_jobs or [self.front]
        return self.advance(own[min(bisect_left(own, self.front), len(own) - 1)], True)

    def load(self) -> int:
        """The nest of the next load."""
        front = min(self.front + self.works, len(self.nests) - 1)
        return self.advance(front, self.works and front == self.front)

    def store(self) -> int:
        """The nest of a store."""
        return self.nests[self.front]

    def advance(self, front: int, works: bool) -> int:
        """Go on to a nest."""
        self.front, self.works = min(front, len(self.nests) - 1), works
        return self.nests[self.front]


def uses_of(value: SSAValue) -> Iterator[Operation]:
    """All ops that use a buffer, a part of it or its address."""
    for use in value.uses:
        yield use.operation
        if isinstance(use.operation, PARTS):
            yield from uses_of(use.operation.results[0])
