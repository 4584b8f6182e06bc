"""All values of a nest as functions of the nest's own iterators.

From the last op backwards, the maps of operands are composed with the maps of the results that they
read. What an inner op iterates over beyond the tile that is asked of it (the columns of a row that
a softmax needs whole, say) becomes a further iterator, which is never cut.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from xdsl.ir import BlockArgument, SSAValue

from deeploy.dialects.graph import ConcatOp, GraphOp
from deeploy.interfaces.tiling import Iterator, LinearForm, linear_forms, shape_of
from deeploy.interfaces.views import is_view

if TYPE_CHECKING:
    from deeploy.dialects.tiled import NestOp

Terms = Mapping[int, int]
"""Coefficients by iterator."""


@dataclass(frozen=True)
class NestSpace:
    """The iterators of a nest, first those of its last op, and linear forms over them.

    `values` has one form for each dimension of every value in the body, `ops` one for each iterator
    of every op: its extent under tile sizes is the extent of the form. `whole` are the iterators
    that cannot be cut, as some op needs all of their values; others that are not `tileable` would
    make an inner op run again for the same values.
    """

    iterators: tuple[Iterator, ...]
    whole: frozenset[int]
    values: Mapping[SSAValue, tuple[LinearForm, ...]]
    ops: Mapping[GraphOp, tuple[LinearForm, ...]]

    @staticmethod
    def of(nest: NestOp) -> NestSpace:
        """Compose the maps of a nest's body."""
        return _Composer(nest).run()


class _Composer:
    """Builds a nest space; forms are dictionaries until the number of iterators is known."""

    def __init__(self, nest: NestOp) -> None:
        self.nest = nest
        self.iterators = list(nest.iterators())
        self.values: dict[SSAValue, list[tuple[Terms, int]]] = {}
        self.ops: dict[GraphOp, list[tuple[Terms, int]]] = {}
        self.undivided: set[int] = set()
        self.partial, self.parts = nest.partial(), nest.parts()

    def run(self) -> NestSpace:
        root = self.nest.root()
        self.ops[root] = [({i: 1}, 0) for i in range(len(root.iterators()))]
        for op in reversed(self.nest.body_ops()):
            if op not in self.ops:
                self.ops[op] = self.produced(op)
            for map, value in zip(op.operand_maps(), op.operands, strict=True):
                self.values[value] = [self.compose(op, form) for form in linear_forms(map)]
            if isinstance(op, ConcatOp):
                self.separate(op)
        for map, value in zip(root.result_maps(), root.results, strict=True):
            self.values[value] = [self.compose(root, form) for form in linear_forms(map)]
        whole = self.whole_iterators()
        return NestSpace(
            tuple(self.restricted(whole)),
            whole,
            {value: self.finished(forms) for value, forms in self.values.items()},
            {op: self.finished(forms) for op, forms in self.ops.items()},
        )

    def produced(self, op: GraphOp) -> list[tuple[Terms, int]]:
        """The iterators of an op from the tile of its result that is asked for."""
        forms: list[tuple[Terms, int] | None] = [None] * len(op.iterators())
        asked = self.values[op.results[0]]
        for form, dimension in zip(linear_forms(op.result_maps()[0]), asked, strict=True):
            moving = [i for i in form.used() if op.iterators()[i].extent > 1]
            if len(moving) == 1:
                assert form.coefficients[moving[0]] == 1 and form.offset == 0
                forms[moving[0]] = dimension
            elif moving:
                # as of groups and channels in them: what is asked along it cannot be divided
                self.undivided |= set(dimension[0])
        if self.partial is not None and self.partial[0] is op and self.parts is not None:
            forms[self.partial[1]] = {self.parts: 1}, 0
        return [
            self.whole(it) if form is None else form
            for it, form in zip(op.domain(), forms, strict=True)
        ]

    def separate(self, op: ConcatOp) -> None:
        """What the nest computes of a concatenation has an extent of its own along the axis."""
        axis = op.axis.value.data
        for value in op.operands:
            if isinstance(value, BlockArgument):
                continue
            iterator = Iterator(f"d{axis}", shape_of(value)[axis], tileable=False)
            self.values[value][axis] = self.whole(iterator)

    def whole(self, iterator: Iterator) -> tuple[Terms, int]:
        """A further iterator for one that runs over all its values in every tile."""
        self.iterators.append(replace(iterator, tileable=False))
        return {len(self.iterators) - 1: 1}, 0

    def compose(self, op: GraphOp, form: LinearForm) -> tuple[Terms, int]:
        """A form over an op's iterators as one over the nest's."""
        terms: dict[int, int] = {}
        offset = form.offset
        for coefficient, (inner, inner_offset) in zip(form.coefficients, self.ops[op], strict=True):
            offset += coefficient * inner_offset
            for i, factor in inner.items():
                if coefficient:
                    terms[i] = terms.get(i, 0) + coefficient * factor
        return terms, offset

    def whole_iterators(self) -> frozenset[int]:
        """The iterators that some op needs whole."""
        return frozenset(self.undivided).union(
            i
            for op, forms in self.ops.items()
            for iterator, (terms, _) in zip(op.iterators(), forms, strict=True)
            if not (iterator.parallel and iterator.tileable)
            for i in terms
            if i != self.parts
        )

    def restricted(self, whole: frozenset[int]) -> list[Iterator]:
        """Iterators are not cut either if an inner op would run again for the same values."""
        free = set(range(len(self.nest.iterators()))) - whole
        for op in self.nest.body_ops()[:-1]:
            if is_view(op):
                continue
            forms = self.values[op.results[0]]
            free &= {i for terms, _ in forms for i in terms} | {self.parts}
        return [
            it if i in free else replace(it, tileable=False, partial=False)
            for i, it in enumerate(self.iterators)
        ]

    def finished(self, forms: list[tuple[Terms, int]]) -> tuple[LinearForm, ...]:
        """Forms over all iterators."""
        count = range(len(self.iterators))
        return tuple(
            LinearForm(tuple(terms.get(i, 0) for i in count), offset) for terms, offset in forms
        )
