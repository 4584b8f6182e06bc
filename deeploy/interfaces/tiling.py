"""The tiling interface: iterators and affine maps from which every tile shape follows.

An op that can be tiled names its iterators (as a `linalg.generic` would) and gives, for each
operand and result, an affine map from iterators to the dimensions of that tensor. A *box* is a
range for each iterator; the part of a tensor that a box touches is its *footprint*. A footprint
may reach over the border of the tensor: the overhang is what the op sees as padding. Nothing
else is needed to tile, so no operator has a tiler of its own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from xdsl.dialects.builtin import ShapedType
from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import (
    AffineBinaryOpExpr,
    AffineBinaryOpKind,
    AffineConstantExpr,
    AffineDimExpr,
    AffineExpr,
    AffineMap,
    AffineSymExpr,
)


@dataclass(frozen=True)
class Iterator:
    """One loop of an op's iteration domain.

    `parallel` iterators may be cut and reordered freely. A reduction may be cut if it is `partial`,
    into equal parts: the op can add to the sums of the parts before (`GraphOp.continued`).
    `tileable` is false where cutting would make footprints overlap or leave holes.
    `plus` is set where the extent is `position + plus`, known at run time; `extent` is its bound.
    """

    name: str
    extent: int
    parallel: bool = True
    tileable: bool = True
    partial: bool = False
    plus: int | None = None


class Range(NamedTuple):
    """The half-open range `[start, start + size)`."""

    start: int
    size: int


class LinearForm(NamedTuple):
    """`sum(coefficients[i] * iterator[i]) + offset + moving * position`, with coefficients ≥ 0.

    The position is the symbol of the affine maps: an argument of the function.
    """

    coefficients: tuple[int, ...]
    offset: int
    moving: int = 0

    def used(self) -> tuple[int, ...]:
        """The iterators with a coefficient other than 0."""
        return tuple(i for i, c in enumerate(self.coefficients) if c)

    def is_constant(self) -> bool:
        """Whether neither iterators nor the position matter."""
        return not any(self.coefficients) and not self.moving

    def times(self, factor: int) -> LinearForm:
        """The form multiplied by a number."""
        scaled = tuple(c * factor for c in self.coefficients)
        return LinearForm(scaled, self.offset * factor, self.moving * factor)

    def extent(self, sizes: Sequence[int]) -> int:
        """The number of positions spanned while iterator i runs over `sizes[i]` values."""
        return sum(c * (s - 1) for c, s in zip(self.coefficients, sizes, strict=True)) + 1

    def footprint(self, box: Sequence[Range]) -> Range:
        """What a box touches at position 0; it may lie outside the tensor."""
        start = sum(c * r.start for c, r in zip(self.coefficients, box, strict=True))
        return Range(start + self.offset, self.extent([r.size for r in box]))


class Overhang(NamedTuple):
    """How far a footprint reaches over the lower and the upper border of a dimension."""

    low: int
    high: int


def linear_forms(map: AffineMap) -> tuple[LinearForm, ...]:
    """One linear form for each result of `map`.

    Raises:
        ValueError: if an expression is not linear (a floor division, say).
    """
    return tuple(_linear(expr, map.num_dims) for expr in map.results)


def _linear(expr: AffineExpr, rank: int) -> LinearForm:
    if isinstance(expr, AffineConstantExpr):
        return LinearForm((0,) * rank, expr.value)
    if isinstance(expr, AffineSymExpr) and expr.position == 0:
        return LinearForm((0,) * rank, 0, moving=1)
    if isinstance(expr, AffineDimExpr):
        return LinearForm(tuple(int(i == expr.position) for i in range(rank)), 0)
    if isinstance(expr, AffineBinaryOpExpr):
        lhs, rhs = _linear(expr.lhs, rank), _linear(expr.rhs, rank)
        if expr.kind is AffineBinaryOpKind.Add:
            return LinearForm(
                tuple(a + b for a, b in zip(lhs.coefficients, rhs.coefficients, strict=True)),
                lhs.offset + rhs.offset,
                lhs.moving + rhs.moving,
            )
        if expr.kind is AffineBinaryOpKind.Mul and rhs.is_constant():
            return lhs.times(rhs.offset)
        if expr.kind is AffineBinaryOpKind.Mul and lhs.is_constant():
            return rhs.times(lhs.offset)
    raise ValueError(f"'{expr}' is not a linear expression of the iterators")


def clamp(footprint: Range, extent: int) -> tuple[Range, Overhang]:
    """Cut a footprint to the tensor's `[0, extent)`; also say how much was cut on each side.

    Size and overhangs add up to the footprint's size, also where all of it is outside.
    """
    low = min(max(0, -footprint.start), footprint.size)
    high = min(max(0, footprint.start + footprint.size - extent), footprint.size)
    start = min(max(0, footprint.start), extent)
    return Range(start, footprint.size - low - high), Overhang(low, high)


class TilingInterface(Operation, ABC):
    """What an op gives so that it can be tiled. Maps are in the order of operands and results."""

    @abstractmethod
    def iterators(self) -> tuple[Iterator, ...]:
        """The iteration domain, outermost first."""

    @abstractmethod
    def operand_maps(self) -> tuple[AffineMap, ...]:
        """One map for each operand that is present."""

    @abstractmethod
    def result_maps(self) -> tuple[AffineMap, ...]:
        """One map for each result."""

    def domain(self) -> tuple[Iterator, ...]:
        """The iterators, with what is known about their extents at run time."""
        return self.iterators()

    def full_box(self) -> tuple[Range, ...]:
        """The whole iteration domain."""
        return tuple(Range(0, it.extent) for it in self.iterators())


def shape_of(value: SSAValue) -> tuple[int, ...]:
    """The static shape of a tensor or memref value."""
    assert isinstance(value.type, ShapedType)
    return tuple(value.type.get_shape())


def operand_tiles(
    op: TilingInterface, box: Sequence[Range]
) -> list[tuple[list[Range], list[Overhang]]]:
    """For each operand the ranges that a box reads, cut to the tensor, and the overhangs."""
    return [
        _tile(map, box, shape_of(operand))
        for map, operand in zip(op.operand_maps(), op.operands, strict=True)
    ]


def result_tiles(op: TilingInterface, box: Sequence[Range]) -> list[list[Range]]:
    """For each result the ranges that a box writes."""
    return [
        _tile(map, box, shape_of(result))[0]
        for map, result in zip(op.result_maps(), op.results, strict=True)
    ]


def _tile(
    map: AffineMap, box: Sequence[Range], shape: Sequence[int]
) -> tuple[list[Range], list[Overhang]]:
    tiles = [
        clamp(form.footprint(box), extent)
        for form, extent in zip(linear_forms(map), shape, strict=True)
    ]
    return [r for r, _ in tiles], [o for _, o in tiles]
