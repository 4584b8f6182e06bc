"""Walks over operands: dimensions that lie one after the other are merged when C is printed.

Kernels on tensors of any rank have two forms, for rows of the same length and for six dimensions.
"""

from __future__ import annotations

import functools
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from xdsl.ir import SSAValue

from deeploy.dialects.graph import GraphOp
from deeploy.engines import Fields, Instance, Kernel, KernelCall, View, ceil_div
from deeploy.interfaces.tiling import shape_of

DIMENSIONS = 6
"""Of the general form."""
ROWS = 2
"""Of the frequent one: rows, and the elements of a row."""

Number = int | str
"""A literal, or a C expression."""


def times(a: Number, b: Number) -> Number:
    """A product of extents."""
    if isinstance(a, int) and isinstance(b, int):
        return a * b
    if a == 1 or b == 1:
        return b if a == 1 else a
    return f"({a}) * ({b})"


def product(extents: Sequence[Number]) -> Number:
    """The product of all extents."""
    return functools.reduce(times, extents, 1)


def strides_of(view: View, rank: int) -> tuple[int, ...]:
    """The strides of an operand among `rank` dimensions; 0 where it broadcasts."""
    pairs = zip(view.shape, view.strides, strict=True)
    return (0,) * (rank - len(view.shape)) + tuple(0 if e == 1 else s for e, s in pairs)


@dataclass(frozen=True)
class Walk:
    """Extents, outermost first, and the strides of each operand in elements."""

    extents: tuple[Number, ...]
    strides: tuple[tuple[int, ...], ...]

    @staticmethod
    def over(
        extents: Sequence[Number], strides: Sequence[Sequence[int]], *, keep_last: bool = False
    ) -> Walk:
        """The walk with the fewest dimensions that visits the same elements in the same order.

        Two dimensions become one where a step in the outer one is as far as the inner one is long,
        for all operands. With `keep_last` the last dimension stays what it is.
        """
        dimensions = list(zip(extents, zip(*strides, strict=True), strict=True))
        last = [dimensions.pop()] if keep_last else []
        merged: list[tuple[Number, tuple[int, ...]]] = []
        for extent, steps in dimensions:
            if extent == 1:
                continue
            if merged and follows(merged[-1][1], extent, steps):
                extent = times(merged.pop()[0], extent)
            merged.append((extent, steps))
        merged += last
        return Walk(
            tuple(extent for extent, _ in merged),
            tuple(tuple(s[i] for _, s in merged) for i in range(len(strides))),
        )

    def grouped(self, count: int) -> Walk | None:
        """The walk over groups of `count` elements that lie next to each other in all operands, in
        units of a group; None where they do not."""
        if not self.extents:
            return None
        *extents, last = self.extents
        steps = [s for own in self.strides for s in own[:-1]]
        together = all(own[-1] == 1 for own in self.strides)
        if not isinstance(last, int) or not together or any(s % count for s in (last, *steps)):
            return None
        strides = [(*(s // count for s in own[:-1]), 1) for own in self.strides]
        return Walk.over((*extents, last // count), strides)

    @property
    def rank(self) -> int:
        """The dimensions of the form of the kernel that is needed."""
        return ROWS if len(self.extents) <= ROWS else DIMENSIONS

    def dim(self, rank: int) -> str:
        """The extents as a C initialiser."""
        return braces([1] * (rank - len(self.extents)) + list(self.extents))

    def stride(self, operand: int, rank: int) -> str:
        """The strides of an operand as a C initialiser."""
        own = list(self.strides[operand])
        return braces([0] * (rank - len(own)) + own)

    def count(self) -> Number:
        """The elements that it visits."""
        return product(self.extents)

    def share(self, cores: int) -> str:
        """What a core takes of all rows, and of the last dimension, as a C initialiser."""
        columns = self.extents[-1] if self.extents else 1
        rows = product(self.extents[:-1])
        if isinstance(rows, int) and isinstance(columns, int):
            return braces(shares(rows, columns, cores))
        arguments = f"{rows}, {columns}, {cores}"
        return braces([f"dpl_row_share({arguments})", f"dpl_column_share({arguments})"])

    def fields(self, names: Sequence[str], cores: int, rank: int | None = None) -> Fields:
        """The arguments of a kernel that say where it walks; `names` are those of the operands."""
        rank = self.rank if rank is None else rank
        strides = {f"{name}_stride": self.stride(i, rank) for i, name in enumerate(names)}
        return {"dim": self.dim(rank), "share": self.share(cores), **strides}


def follows(outer: tuple[int, ...], extent: Number, inner: tuple[int, ...]) -> bool:
    """Whether each operand lies at the next step of an outer dimension where an inner one ends."""
    if not isinstance(extent, int):
        return not any(outer) and not any(inner)
    return all(o == i * extent for o, i in zip(outer, inner, strict=True))


def shares(rows: int, columns: int, cores: int) -> tuple[int, int]:
    """Rows or else columns of a core, 0 for the others: `dpl_row_share`, `dpl_column_share`."""
    unit = 16 if columns >= 32 * cores else 4
    own = ceil_div(ceil_div(columns, unit), cores) * unit
    each = ceil_div(rows, cores)
    assert isinstance(own, int) and isinstance(each, int)
    return (0, own) if own * rows < each * columns else (each, 0)


def braces(values: Sequence[Number]) -> str:
    """A C initialiser list."""
    return "{" + ", ".join(str(v) for v in values) + "}"


def with_rank(made: Instance, rank: int) -> Instance:
    """The form of a kernel for a number of dimensions, given one without a number."""
    symbol, struct = made.symbol, made.struct
    if rank == DIMENSIONS:
        symbol, struct = f"{symbol}_nd", f"{struct.removesuffix('_args')}_nd_args"
    changed = {"DPL_NAME": symbol, "DPL_RANK": str(rank), "DPL_ARGS": struct}
    macros = tuple({**dict(made.macros), **changed}.items())
    return replace(made, symbol=symbol, struct=struct, macros=macros)


class WalkingKernel(Kernel):
    """A kernel that does the same to all elements of a few operands."""

    names = ""
    """Of the inputs in C, a letter each."""

    @abstractmethod
    def template(self, op: GraphOp) -> Instance:
        """The instance, with the number of dimensions left open."""

    def parameters(self, op: GraphOp) -> Fields:
        """The numbers in the kernel's arguments."""
        return {}

    def operands(self, call: KernelCall) -> Mapping[str, View]:
        """What a call walks over, with the names in C."""
        return dict(zip((*self.names, "y"), (*call.inputs, call.output), strict=True))

    def keeps_channels(self, op: GraphOp) -> bool:
        """Whether the kernel has to know the place in the last dimension."""
        return False

    def walk(self, call: KernelCall) -> Walk:
        """Where a call walks."""
        shape, operands = call.output.shape, self.operands(call).values()
        strides = [strides_of(view, len(shape)) for view in operands]
        return Walk.over(shape, strides, keep_last=self.keeps_channels(call.op))

    def takes_strides(self, op: GraphOp, value: SSAValue, strides: Sequence[int]) -> bool:
        # six dimensions take longer than moving the data before
        return Walk.over(shape_of(value), [strides]).rank == ROWS

    def instance(self, op: GraphOp) -> Instance:
        return with_rank(self.template(op), ROWS)

    def variant(self, call: KernelCall) -> Instance:
        return with_rank(self.template(call.op), self.walk(call).rank)

    def arguments(self, call: KernelCall) -> Sequence[Fields]:
        operands = self.operands(call)
        pointers = {name: view.pointer for name, view in operands.items()}
        walk = self.walk(call).fields(tuple(operands), call.cores)
        return [{**pointers, **walk, **self.parameters(call.op)}]
