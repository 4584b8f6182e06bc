"""Which numpy function is the meaning of which op."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias, TypeVar

from xdsl.ir import Operation

from deeploy.diagnostics import fail
from deeploy.interfaces.tiling import Overhang
from deeploy.resources import Array

Overhangs: TypeAlias = Sequence[Sequence[Overhang]]
Meaning: TypeAlias = Callable[[Any, Sequence[Array], Overhangs], Array]

OpT = TypeVar("OpT", bound=Operation)

_MEANINGS: dict[type[Operation], Meaning] = {}


def numpy_meaning(
    op_type: type[OpT],
) -> Callable[
    [Callable[[OpT, Sequence[Array], Overhangs], Array]],
    Callable[[OpT, Sequence[Array], Overhangs], Array],
]:
    """Register a function as the meaning of `op_type`.

    It gets the op, the arrays of its operands and their overhangs. It may return wider integers
    than the result type, and leaves the epilogue of a `Requantised` op to `evaluate`.
    """

    def register(
        function: Callable[[OpT, Sequence[Array], Overhangs], Array],
    ) -> Callable[[OpT, Sequence[Array], Overhangs], Array]:
        _MEANINGS[op_type] = function
        return function

    return register


def meaning(op: Operation) -> Meaning:
    """The numpy function registered for the class of `op`."""
    function = _MEANINGS.get(type(op))
    if function is None:
        fail(op, "has no numpy meaning", "register one with @numpy_meaning")
    return function


def has_meaning(op: Operation) -> bool:
    """Whether a numpy function is registered for the class of `op`."""
    return type(op) in _MEANINGS


def ops_with_meaning() -> Iterable[type[Operation]]:
    """All classes for which a numpy function is registered."""
    return _MEANINGS.keys()
