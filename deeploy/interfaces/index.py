"""Index arithmetic that folds: the same code computes with integers and builds IR.

An `Index` is an integer or an SSA value of type `index`, together with the interval in which it
lies. Where the interval decides a minimum or a maximum, nothing is emitted.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass

from xdsl.builder import Builder
from xdsl.dialects import arith
from xdsl.dialects.builtin import IndexType, IntegerAttr
from xdsl.ir import Block, Operation, SSAValue
from xdsl.rewriter import InsertPoint


@dataclass(frozen=True)
class Index:
    """An index value that lies in `[low, high]`."""

    value: int | SSAValue
    low: int
    high: int

    @staticmethod
    def of(value: int) -> Index:
        """A constant."""
        return Index(value, value, value)

    @property
    def constant(self) -> int | None:
        """The value where it is known."""
        return self.value if isinstance(self.value, int) else None


@contextmanager
def inside(builder: Builder, block: Block) -> Generator[None]:
    """Build at the end of a block, and afterwards where the builder was."""
    saved = builder.insertion_point
    builder.insertion_point = InsertPoint.at_end(block)
    yield
    builder.insertion_point = saved


class IndexBuilder:
    """Builds index arithmetic with a builder, or computes on integers without one."""

    def __init__(self, builder: Builder | None = None) -> None:
        self.builder = builder

    def value(self, index: Index) -> SSAValue:
        """The SSA value of an index; constants are materialised."""
        if isinstance(index.value, SSAValue):
            return index.value
        assert self.builder is not None
        op = arith.ConstantOp(IntegerAttr(index.value, IndexType()))
        return self.builder.insert(op).result

    def name(self, index: Index, hint: str) -> Index:
        """Give the SSA value a name, which becomes that of the C variable."""
        if isinstance(index.value, SSAValue) and index.value.name_hint is None:
            index.value.name_hint = hint
        return index

    def add(self, a: Index, b: Index) -> Index:
        """`a + b`."""
        if a.constant == 0:
            return b
        if b.constant == 0:
            return a
        return self._build(arith.AddiOp, a, b, a.low + b.low, a.high + b.high)

    def sub(self, a: Index, b: Index) -> Index:
        """`a - b`."""
        if b.constant == 0:
            return a
        return self._build(arith.SubiOp, a, b, a.low - b.high, a.high - b.low)

    def mul(self, a: Index, factor: int) -> Index:
        """`a * factor` for a factor ≥ 0."""
        if factor == 1:
            return a
        if factor == 0:
            return Index.of(0)
        return self._build(arith.MuliOp, a, Index.of(factor), a.low * factor, a.high * factor)

    def min(self, a: Index, b: Index) -> Index:
        """The smaller of both."""
        if a.high <= b.low:
            return a
        if b.high <= a.low:
            return b
        return self._build(arith.MinSIOp, a, b, min(a.low, b.low), min(a.high, b.high))

    def max(self, a: Index, b: Index) -> Index:
        """The larger of both."""
        if a.low >= b.high:
            return a
        if b.low >= a.high:
            return b
        return self._build(arith.MaxSIOp, a, b, max(a.low, b.low), max(a.high, b.high))

    def div(self, a: Index, divisor: int) -> Index:
        """`a / divisor` for a ≥ 0, truncating."""
        if divisor == 1:
            return a
        low, high = a.low // divisor, a.high // divisor
        if low == high:
            return Index.of(low)
        return self._build(arith.DivUIOp, a, Index.of(divisor), low, high)

    def rem(self, a: Index, divisor: int) -> Index:
        """`a % divisor` for a ≥ 0."""
        if a.constant is not None:
            return Index.of(a.constant % divisor)
        if a.high < divisor:
            return a
        if divisor == 1:
            return Index.of(0)
        return self._build(arith.RemUIOp, a, Index.of(divisor), 0, divisor - 1)

    def _build(
        self, op: Callable[..., Operation], a: Index, b: Index, low: int, high: int
    ) -> Index:
        if low == high:
            return Index.of(low)
        assert self.builder is not None, "integers always fold"
        built = self.builder.insert(op(self.value(a), self.value(b)))
        return Index(built.results[0], low, high)
