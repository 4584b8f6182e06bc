"""Counts the bytes that a lowered program moves between memories, and its barriers, exactly.

A small interpreter of the index arithmetic: loops run, tiles at borders have the sizes that they
have, and no data is touched.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

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


@dataclass(frozen=True)
class Counts:
    """What happens over the whole run of a function: transfers of each `dma.start`, and how often
    all cores meet."""

    transfers: dict[StartOp, Traffic]
    barriers: int


def count(function: FuncOp) -> Counts:
    """Transfers and barriers of a function.

    Raises:
        PassFailedException: they depend on something that is no index arithmetic.
    """
    counter = _Counter(function)
    position = position_of(function)
    if position is not None:  # the last one, at which most is moved
        counter.values[position] = positions_in(function) - 1
    counter.block(function.body.block)(1)
    transfers = {
        op: Traffic(_level(op.source), _level(op.destination), counter.bytes[op], counter.times[op])
        for op in function.walk()
        if isinstance(op, StartOp)
    }
    return Counts(transfers, counter.barriers)


def traffic_by_nest(
    function: FuncOp, transfers: Mapping[StartOp, Traffic], nests: Sequence[NestInfo], compute: str
) -> list[list[Traffic]]:
    """For each nest, what it moves, one entry for each pair of memories."""
    owners = assign_nests(function, nests, compute)
    moved: list[list[Traffic]] = [[] for _ in nests]
    for op, traffic in transfers.items():
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


# --- Counting -------------------------------------------------------------------------------------


Step: TypeAlias = Callable[[int], None]
"""What an op does, given how many times it does the same."""


class _Counter:
    """Runs index arithmetic and adds up transfers and barriers.

    The function is read once and becomes steps, which loops then take turn by turn.
    """

    def __init__(self, function: FuncOp) -> None:
        self.needed = closure(value for op in function.walk() for value in _roots(op))
        self.values: dict[SSAValue, int] = {}
        self.bytes: Counter[StartOp] = Counter()
        self.times: Counter[StartOp] = Counter()
        self.barriers = 0

    def block(self, block: Block) -> Step:
        """All that matters in a block."""
        steps = [step for step in map(self.step, block.ops) if step is not None]

        def run(times: int) -> None:
            for step in steps:
                step(times)

        return run

    def step(self, op: Operation) -> Step | None:
        """What an op does, if that matters."""
        match op:
            case StartOp():
                return self.start(op)
            case BarrierOp():
                return self.meet
            case scf.ForOp():
                return self.loop(op) if _matters(op) else None
            case scf.IfOp():
                return self.branch(op) if _matters(op) else None
            case _:
                return self.compute(op) if self.needed.intersection(op.results) else None

    def meet(self, times: int) -> None:
        """A barrier."""
        self.barriers += times

    def start(self, op: StartOp) -> Step:
        """Count a transfer."""
        shape, values = _shape(op), self.values
        fixed = math.prod(e for e in shape if isinstance(e, int))
        element = element_bytes(memref_of(op.source).element_type)
        unknown = [extent for extent in shape if not isinstance(extent, int)]

        def transfer(times: int) -> None:
            size = math.prod((values[extent] for extent in unknown), start=fixed * element)
            if size > 0:
                self.bytes[op] += times * size
                self.times[op] += times

        return transfer

    def loop(self, op: scf.ForOp) -> Step:
        """A loop; its body runs once for all where every turn does the same."""
        body, values = op.body.block, self.values
        if len(body.args) > 1:
            fail(op, "a loop that carries values cannot be counted")
        counter: SSAValue = next(iter(body.args))
        run = self.block(body)

        def at_once(times: int) -> None:
            turns = range(values[op.lb], values[op.ub], values[op.step])
            if turns:
                run(times * len(turns))

        def in_turns(times: int) -> None:
            for turn in range(values[op.lb], values[op.ub], values[op.step]):
                values[counter] = turn
                run(times)

        return in_turns if counter in self.needed else at_once

    def branch(self, op: scf.IfOp) -> Step:
        """The branch that the condition selects."""
        no, yes = (
            self.block(region.block) if region.blocks else None
            for region in (op.false_region, op.true_region)
        )

        def select(times: int) -> None:
            run = yes if self.values[op.cond] else no
            if run is not None:
                run(times)

        return select

    def compute(self, op: Operation) -> Step:
        """Index arithmetic."""
        values, result, operands = self.values, op.results[0], tuple(op.operands)
        function = function_of(op)

        def evaluate(times: int) -> None:
            values[result] = function(*[values[operand] for operand in operands])

        return evaluate
