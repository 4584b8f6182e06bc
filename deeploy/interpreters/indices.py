"""Index arithmetic of lowered programs on plain integers, and the extents that it decides.

For whoever walks a program without its data: traffic reports and the simulator.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from xdsl.dialects import arith, memref, scf
from xdsl.dialects.builtin import DYNAMIC_INDEX, IntegerAttr
from xdsl.ir import Block, Operation, SSAValue

from deeploy.diagnostics import fail
from deeploy.dialects.mem import ViewOp, memref_of

Extent: TypeAlias = int | SSAValue
"""A number, or the value that tells it."""

BINARY: dict[type[Operation], Callable[[int, int], int]] = {
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
COMPARISONS: tuple[Callable[[int, int], bool], ...] = (
    operator.eq, operator.ne,
    operator.lt, operator.le, operator.gt, operator.ge,
    operator.lt, operator.le, operator.gt, operator.ge,
)  # fmt: skip


def function_of(op: Operation) -> Callable[..., int]:
    """What an op computes from its operands.

    Raises:
        PassFailedException: it is no index arithmetic.
    """
    match op:
        case arith.ConstantOp(value=IntegerAttr() as number):
            value = number.value.data
            return lambda: value
        case arith.CmpiOp():
            return COMPARISONS[op.predicate.value.data]
        case arith.SelectOp():
            return _select
        case arith.IndexCastOp():
            return int
        case _ if type(op) in BINARY:
            return BINARY[type(op)]
        case _:
            fail(op, "a size depends on this op, which is no index arithmetic")


def _select(condition: int, yes: int, no: int) -> int:
    return yes if condition else no


def extents_of(value: SSAValue) -> list[Extent | None]:
    """The extents of a buffer; None where only its producer knows them."""
    shape = memref_of(value).get_shape()
    if DYNAMIC_INDEX not in shape:
        return list(shape)
    match value.owner:
        case memref.SubviewOp(static_sizes=static, sizes=operands):
            sizes = _filled(static.get_values(), operands)
            # leading dimensions of extent 1 may have been dropped
            return list(sizes[len(sizes) - len(shape) :])
        case ViewOp(sizes=operands):
            return list(_filled(shape, operands))
        case _:
            return [None if extent == DYNAMIC_INDEX else extent for extent in shape]


def _filled(sizes: Iterable[int], operands: Iterable[SSAValue]) -> list[Extent]:
    """Sizes, with an operand for each that is not known."""
    dynamic = iter(operands)
    return [next(dynamic) if size == DYNAMIC_INDEX else int(size) for size in sizes]


def known_extents(op: Operation, values: Sequence[SSAValue]) -> list[Extent]:
    """The extents that buffers of one shape have, numbers where one of them knows.

    Raises:
        PassFailedException: none knows; the message names `op`.
    """
    extents: list[Extent] = []
    for same in zip(*map(extents_of, values), strict=True):
        known = [extent for extent in same if extent is not None]
        if not known:
            fail(op, "the size of a buffer is not known")
        extents.append(min(known, key=lambda extent: not isinstance(extent, int)))
    return extents


def closure(roots: Iterable[SSAValue]) -> set[SSAValue]:
    """`roots` and all values that they are computed from."""
    work = list(roots)
    needed: set[SSAValue] = set()
    while work:
        value = work.pop()
        if value in needed:
            continue
        needed.add(value)
        if isinstance(value.owner, Operation):
            work += value.owner.operands
    return needed


def values_taken(extents: Sequence[Extent]) -> set[tuple[int, ...]]:
    """All that some extents are together in the turns of the loop around them.

    Nothing where they depend on more than one loop, or on the arguments of a function.
    """
    needed = closure(extent for extent in extents if isinstance(extent, SSAValue))
    arguments = [value for value in needed if isinstance(value.owner, Block)]
    if not arguments:
        return {tuple(evaluate(extent, {}) for extent in extents)}
    loop = arguments[0].owner.parent_op()
    if len(arguments) > 1 or not isinstance(loop, scf.ForOp):
        return set()
    limits = (loop.lb, loop.ub, loop.step)
    if not all(isinstance(limit.owner, arith.ConstantOp) for limit in limits):
        return set()
    turns = range(*(evaluate(limit, {}) for limit in limits))
    return {
        tuple(evaluate(extent, known) for extent in extents)
        for known in ({arguments[0]: turn} for turn in turns)
    }


def evaluate(extent: Extent, known: dict[SSAValue, int]) -> int:
    """An extent, given what it depends on; `known` gets what lies between.

    Raises:
        PassFailedException: it is more than index arithmetic.
    """
    if isinstance(extent, int):
        return extent
    if extent not in known:
        assert isinstance(extent.owner, Operation)
        operands = [evaluate(operand, known) for operand in extent.owner.operands]
        known[extent] = function_of(extent.owner)(*operands)
    return known[extent]
