"""What the plan decided for each nest, and where it is found in the lowered program.

A lowered program has no nests any more: its kernel calls come in the order of the nests, and its
transfers carry the names of the ONNX nodes.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

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

    Kernel calls are counted. Everything else belongs to a nest of its name: a load into the memory
    `compute` to the next one that has not begun to work, what drives the accelerator to the next
    one that has jobs, a store to the last one.
    """
    assignment = _Assignment(nests)
    for op in function.walk():
        if isinstance(op, CallOp):
            assignment.call(op)
        elif isinstance(op, JOBS):
            assignment.job(op)
        elif isinstance(op, StartOp) and level_of(op.destination) == compute:
            assignment.load(op)
        elif isinstance(op, StartOp):
            assignment.store(op)
    return assignment.found


class _Assignment:
    """Goes through a program; `front` is the last nest that anything was assigned to."""

    def __init__(self, nests: Sequence[NestInfo]) -> None:
        jobs = [[op.startswith("npu.") for op in nest.ops] for nest in nests]
        self.ends = list(accumulate(len(own) - sum(own) for own in jobs))
        self.named: dict[str | None, list[int]] = {}
        for i, nest in enumerate(nests):
            self.named.setdefault(nest.name, []).append(i)
        self.with_jobs = {n: [i for i in own if any(jobs[i])] for n, own in self.named.items()}
        self.found: dict[Operation, int] = {}
        self.calls = 0
        self.front = 0
        self.works = False
        """Whether the nest at the front has begun to work."""

    def call(self, op: CallOp) -> None:
        """Count a kernel call."""
        nest = min(bisect_right(self.ends, self.calls), len(self.ends) - 1)
        self.calls += 1
        self.assign(op, nest, True)

    def job(self, op: Operation) -> None:
        """Assign what drives the accelerator."""
        self.assign(op, self.next(self.with_jobs, op, self.front), True)

    def load(self, op: StartOp) -> None:
        """Assign a load."""
        nest = self.next(self.named, op, self.front + self.works)
        self.assign(op, nest, self.works and nest == self.front)

    def store(self, op: StartOp) -> None:
        """Assign a store."""
        named = self.named.get(node_name(op), [self.front])
        self.found[op] = named[max(bisect_right(named, self.front) - 1, 0)]

    def next(self, named: Mapping[str | None, list[int]], op: Operation, first: int) -> int:
        """The first nest of an op's name from `first` on, or else the last one."""
        own = named.get(node_name(op)) or [self.front]
        return own[min(bisect_left(own, first), len(own) - 1)]

    def assign(self, op: Operation, nest: int, works: bool) -> None:
        """Note the nest of an op."""
        self.found[op] = nest
        self.front, self.works = nest, works


def uses_of(value: SSAValue) -> Iterator[Operation]:
    """All ops that use a buffer, a part of it or its address."""
    for use in value.uses:
        yield use.operation
        if isinstance(use.operation, PARTS):
            yield from uses_of(use.operation.results[0])
