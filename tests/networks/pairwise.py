"""A small choice of configurations in which every pair of values occurs together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product


def pairs(row: Sequence[object]) -> set[tuple[int, object, int, object]]:
    """The pairs of values, with their columns, in one configuration."""
    return {(i, row[i], j, row[j]) for i, j in combinations(range(len(row)), 2)}


def pairwise(*columns: Sequence[object]) -> list[tuple[object, ...]]:
    """Configurations with one value of each column: always the one with most new pairs."""
    rows = list(product(*columns))
    missing = set().union(*map(pairs, rows))
    chosen: list[tuple[object, ...]] = []
    while missing:
        best = max(rows, key=lambda row: len(pairs(row) & missing))
        missing -= pairs(best)
        chosen.append(best)
    return sorted(chosen, key=rows.index)
