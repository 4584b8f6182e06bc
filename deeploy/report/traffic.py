"""Counts the bytes that a lowered program moves between memories, and its barriers, exactly.

A small interpreter of the index arithmetic: loops run, tiles at borders have the sizes that they
have, and no data is touched.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from xdsl.dialects import scf
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation, SSAValue

from deeploy.diagnostics import fail
from deeploy.dialects.cluster import BarrierOp
from deeploy.dialects.dma import StartOp
from deeploy.dialects.mem import element_bytes, level_of, memref_of
from deeploy.functions import position_of, positions_in
from deeploy.interpreters.indices import Extent, closure, function_of, known_extents
from deeploy.report.nests import NestInfo, assign_nests


@dataclass(frozen=True)
class Traffic:
    """Bytes that went from one memory to another, in a number of transfers."""

    source: str
    destination: str
    bytes: int
    transfers: int


def count_transfers(function: FuncOp) -> dict[StartOp, Traffic]:
    """Bytes and number of transfers of each `dma.start`, over the whole run of `function`.

    Raises:
        PassFailedException: the sizes depend on something that is no index arithmetic.
    """
    counter = _count(function)
    return {
        op: Traffic(_level(op.source), _level(op.destination), counter.bytes[op], counter.times[op])
        for op in function.walk()
        if isinstance(op, StartOp)
    }


def count_barriers(function: FuncOp) -> int:
    """How often all cores meet in the whole run of `function`.

    Raises:
        PassFailedException: that depends on something that is no index arithmetic.
    """
    return _count(function).barriers


def traffic_by_nest(
    function: FuncOp, nests: Sequence[NestInfo], compute: str
) -> list[list[Traffic]]:
    """For each nest, what it moves, one entry for each pair of memories."""
    owners = assign_nests(function, nests, compute)
    moved: list[list[Traffic]] = [[] for _ in nests]
    for op, traffic in count_transfers(function).items():
        if nests:
            moved[owners[op]].append(traffic)
    return [total_traffic(entries) for entries in moved]


def total_traffic(entries: Sequence[Traffic]) -> list[Traffic]:
    """One entry for each pair of memories between which something moves, sorted."""
    size: Counter[tuple[str, str]] = Counter()
    times: Counter[tuple[str, str]] = Counter()
    for entry in entries:
        size[entry.source, entry.destination] += entry.bytes
        times[entry.source, entry.destination] += entry.transfers
    return [Traffic(*pair, size[pair], times[pair]) for pair in sorted(size) if size[pair]]


def _level(value: SSAValue) -> str:
    return level_of(value) or "?"


# --- What has to be computed ----------------------------------------------------------------------


def _matters(op: Operation) -> bool:
    return any(isinstance(inner, StartOp | BarrierOp) for inner in op.walk())


def _shape(op: StartOp) -> list[Extent]:
    """The extents of a transfer: numbers, or the values that tell them."""
    return known_extents(op, (op.destination, op.source))


def _roots(op: Operation) -> Iterator[SSAValue]:
    """The values that decide how much an op moves."""
    match op:
        case StartOp():
            yield from (extent for extent in _shape(op) if not isinstance(extent, int))
        case scf.ForOp() if _matters(op):
            yield from (op.lb, op.ub, op.step)
        case scf.IfOp() if _matters(op):
            yield op.cond
        case _:
            pass


def _needed(function: FuncOp) -> set[SSAValue]:
    """All values that transfers, loops and conditions depend on."""
    return closure(value for op in function.walk() for value in _roots(op))


# --- Counting -------------------------------------------------------------------------------------


def _count(function: FuncOp) -> _Counter:
    """Run a function."""
    counter = _Counter(_needed(function), set(filter(_matters, function.walk())))
    position = position_of(function)
    if position is not None:  # the last one, at which most is moved
        counter.values[position] = positions_in(function) - 1
    counter.block(function.body.block, 1)
    return counter


@dataclass
class _Counter:
    """Runs index arithmetic and adds up transfers and barriers."""

    needed: set[SSAValue]
    counted: set[Operation]
    values: dict[SSAValue, int] = field(default_factory=dict[SSAValue, int])
    bytes: Counter[StartOp] = field(default_factory=Counter[StartOp])
    times: Counter[StartOp] = field(default_factory=Counter[StartOp])
    barriers: int = 0

    def block(self, block: Block, times: int) -> None:
        """Run a block that is executed `times` times in the same way."""
        for op in block.ops:
            match op:
                case StartOp():
                    self.start(op, times)
                case BarrierOp():
                    self.barriers += times
                case scf.ForOp():
                    self.loop(op, times)
                case scf.IfOp():
                    self.branch(op, times)
                case _:
                    self.compute(op)

    def start(self, op: StartOp, times: int) -> None:
        """Count a transfer."""
        extents = [e if isinstance(e, int) else self.values[e] for e in _shape(op)]
        size = math.prod(extents) * element_bytes(memref_of(op.source).element_type)
        if size > 0:
            self.bytes[op] += times * size
            self.times[op] += times

    def loop(self, op: scf.ForOp, times: int) -> None:
        """Run a loop; once for all where every turn does the same."""
        if op not in self.counted:
            return
        body = op.body.block
        if len(body.args) > 1:
            fail(op, "a loop that carries values cannot be counted")
        turns = range(self.values[op.lb], self.values[op.ub], self.values[op.step])
        counter: SSAValue = next(iter(body.args))
        if counter not in self.needed:
            if turns:
                self.block(body, times * len(turns))
            return
        for turn in turns:
            self.values[counter] = turn
            self.block(body, times)

    def branch(self, op: scf.IfOp, times: int) -> None:
        """Run the branch that the condition selects."""
        if op not in self.counted:
            return
        region = op.true_region if self.values[op.cond] else op.false_region
        if region.blocks:
            self.block(region.block, times)

    def compute(self, op: Operation) -> None:
        """Compute the results of an op if they are needed."""
        if not any(result in self.needed for result in op.results):
            return
        operands = [self.values[operand] for operand in op.operands]
        self.values[op.results[0]] = function_of(op)(*operands)
