"""Counts the bytes that a lowered program moves between memories, exactly.

A small interpreter of the index arithmetic: loops run, tiles at borders have the sizes that they
have, and no data is touched.
"""

from __future__ import annotations

import math
import operator
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from xdsl.dialects import arith, memref, scf
from xdsl.dialects.builtin import DYNAMIC_INDEX, IntegerAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation, SSAValue

from deeploy.diagnostics import fail
from deeploy.dialects.dma import StartOp
from deeploy.dialects.mem import element_bytes, level_of
from deeploy.functions import position_of, positions_in
from deeploy.report.nests import NestInfo, assign_nests, memref_of


@dataclass(frozen=True)
class Traffic:
    """Bytes that went from one memory to another, in a number of transfers."""

    source: str
    destination: str
    bytes: int
    transfers: int


_BINARY: dict[type[Operation], Callable[[int, int], int]] = {
    arith.AddiOp: int.__add__,
    arith.SubiOp: int.__sub__,
    arith.MuliOp: int.__mul__,
    arith.DivUIOp: int.__floordiv__,
    arith.RemUIOp: int.__mod__,
    arith.DivSIOp: lambda a, b: abs(a) // abs(b) * (1 if a * b >= 0 else -1),
    arith.RemSIOp: lambda a, b: int(math.fmod(a, b)),
    arith.FloorDivSIOp: int.__floordiv__,
    arith.CeilDivSIOp: lambda a, b: -(-a // b),
    arith.MinSIOp: min,
    arith.MaxSIOp: max,
    arith.MinUIOp: min,
    arith.MaxUIOp: max,
    arith.AndIOp: int.__and__,
    arith.OrIOp: int.__or__,
    arith.XOrIOp: int.__xor__,
}

# In the order of the predicates of `arith.cmpi`; indices are never negative where unsigned.
_COMPARISONS: tuple[Callable[[int, int], bool], ...] = (
    operator.eq, operator.ne,
    operator.lt, operator.le, operator.gt, operator.ge,
    operator.lt, operator.le, operator.gt, operator.ge,
)  # fmt: skip


def count_transfers(function: FuncOp) -> dict[StartOp, Traffic]:
    """Bytes and number of transfers of each `dma.start`, over the whole run of `function`.

    Raises:
        PassFailedException: the sizes depend on something that is no index arithmetic.
    """
    counter = _Counter(_needed(function), set(filter(_moves, function.walk())))
    position = position_of(function)
    if position is not None:  # the last one, at which most is moved
        counter.values[position] = positions_in(function) - 1
    counter.block(function.body.block, 1)
    return {
        op: Traffic(_level(op.source), _level(op.destination), counter.bytes[op], counter.times[op])
        for op in function.walk()
        if isinstance(op, StartOp)
    }


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


def _moves(op: Operation) -> bool:
    return any(isinstance(inner, StartOp) for inner in op.walk())


def _shape(op: StartOp) -> list[int | SSAValue]:
    """The extents of a transfer: numbers, or the values that tell them."""
    shapes = [_extents(value) for value in (op.destination, op.source)]
    extents: list[int | SSAValue] = []
    for pair in zip(*shapes, strict=True):
        known = [extent for extent in pair if extent is not None]
        if not known:
            fail(op, "the size of the transfer is not known")
        extents.append(min(known, key=lambda extent: not isinstance(extent, int)))
    return extents


def _extents(value: SSAValue) -> list[int | SSAValue | None]:
    """The extents of a buffer; None where only its producer knows them."""
    shape = memref_of(value).get_shape()
    if DYNAMIC_INDEX not in shape:
        return list(shape)
    if not isinstance(value.owner, memref.SubviewOp):
        return [None if extent == DYNAMIC_INDEX else extent for extent in shape]
    dynamic = iter(value.owner.sizes)
    sizes = [
        next(dynamic) if size == DYNAMIC_INDEX else int(size)
        for size in value.owner.static_sizes.get_values()
    ]
    # Leading dimensions of extent 1 may have been dropped.
    return list(sizes[len(sizes) - len(shape) :])


def _roots(op: Operation) -> Iterator[SSAValue]:
    """The values that decide how much an op moves."""
    match op:
        case StartOp():
            yield from (extent for extent in _shape(op) if not isinstance(extent, int))
        case scf.ForOp() if _moves(op):
            yield from (op.lb, op.ub, op.step)
        case scf.IfOp() if _moves(op):
            yield op.cond
        case _:
            pass


def _needed(function: FuncOp) -> set[SSAValue]:
    """All values that transfers, loops and conditions depend on."""
    work = [value for op in function.walk() for value in _roots(op)]
    needed: set[SSAValue] = set()
    while work:
        value = work.pop()
        if value in needed:
            continue
        needed.add(value)
        if isinstance(value.owner, Operation):
            work += value.owner.operands
    return needed


# --- Counting -------------------------------------------------------------------------------------


@dataclass
class _Counter:
    """Runs index arithmetic and adds up transfers."""

    needed: set[SSAValue]
    moving: set[Operation]
    values: dict[SSAValue, int] = field(default_factory=dict[SSAValue, int])
    bytes: Counter[StartOp] = field(default_factory=Counter[StartOp])
    times: Counter[StartOp] = field(default_factory=Counter[StartOp])

    def block(self, block: Block, times: int) -> None:
        """Run a block that is executed `times` times in the same way."""
        for op in block.ops:
            match op:
                case StartOp():
                    self.start(op, times)
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
        """Run a loop; once for all where every turn moves the same."""
        if op not in self.moving:
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
        if op not in self.moving:
            return
        region = op.true_region if self.values[op.cond] else op.false_region
        if region.blocks:
            self.block(region.block, times)

    def compute(self, op: Operation) -> None:
        """Compute the results of an op if they are needed."""
        if not any(result in self.needed for result in op.results):
            return
        operands = [self.values[operand] for operand in op.operands]
        if type(op) in _BINARY:
            result = _BINARY[type(op)](*operands)
        elif isinstance(op, arith.ConstantOp) and isinstance(op.value, IntegerAttr):
            result = op.value.value.data
        elif isinstance(op, arith.CmpiOp):
            result = int(_COMPARISONS[op.predicate.value.data](*operands))
        elif isinstance(op, arith.SelectOp):
            result = operands[1] if operands[0] else operands[2]
        elif isinstance(op, arith.IndexCastOp):
            result = operands[0]
        else:
            fail(op, "the size of a transfer depends on this op, which cannot be counted")
        self.values[op.results[0]] = result
