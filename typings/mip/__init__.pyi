"""The part of python-mip that the planner uses.

The library's own annotations take and give `numbers.Real`, which is neither `int` nor `float` to a
type checker.
"""

from collections.abc import Iterable
from enum import Enum
from typing import Literal

BINARY: Literal["B"]
INTEGER: Literal["I"]
CONTINUOUS: Literal["C"]
MINIMIZE: Literal["MIN"]
CBC: Literal["CBC"]
HIGHS: Literal["HiGHS"]
INF: float

class _Term:
    def __add__(self, other: _Term | float) -> LinExpr: ...
    def __radd__(self, other: float) -> LinExpr: ...
    def __sub__(self, other: _Term | float) -> LinExpr: ...
    def __rsub__(self, other: float) -> LinExpr: ...
    def __mul__(self, other: float) -> LinExpr: ...
    def __rmul__(self, other: float) -> LinExpr: ...
    def __le__(self, other: _Term | float) -> LinExpr: ...
    def __ge__(self, other: _Term | float) -> LinExpr: ...
    def __eq__(self, other: _Term | float) -> LinExpr: ...  # pyright: ignore[reportIncompatibleMethodOverride]
    def __hash__(self) -> int: ...
    @property
    def x(self) -> float | None: ...

class LinExpr(_Term):
    def __init__(self, *, const: float = 0) -> None: ...

class Var(_Term):
    @property
    def name(self) -> str: ...

class OptimizationStatus(Enum):
    OPTIMAL = 0
    INFEASIBLE = 1

class Model:
    verbose: int
    threads: int
    seed: int
    max_mip_gap: float
    objective: LinExpr
    start: list[tuple[Var, float]] | None
    def __init__(
        self,
        *,
        sense: Literal["MIN"] = "MIN",
        solver_name: Literal["", "CBC", "HiGHS"] = "",
    ) -> None: ...
    def __iadd__(self, other: LinExpr) -> Model: ...
    def add_var(
        self,
        name: str = "",
        lb: float = 0,
        ub: float = ...,
        *,
        var_type: Literal["B", "C", "I"] = "C",
    ) -> Var: ...
    def optimize(self, max_seconds: float = ...) -> OptimizationStatus: ...
    @property
    def num_solutions(self) -> int: ...
    @property
    def gap(self) -> float: ...
    @property
    def objective_bound(self) -> float | None: ...
    @property
    def objective_value(self) -> float | None: ...

def xsum(terms: Iterable[Var | LinExpr]) -> LinExpr: ...
