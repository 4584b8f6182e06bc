"""Passes whose result is not the same in every bit, and how far it may be off."""

from __future__ import annotations

from typing import ClassVar

from xdsl.passes import ModulePass


class ApproximatePass(ModulePass):
    """A pass that changes where numbers are rounded.

    Attributes:
        tolerance: how large the differences of an output of the network may be, as the root of
            their mean square over that of the output around its mean. One unit is always allowed on
            integers. `--check-semantics` holds the pass to it, and what runs afterwards is compared
            with what this pass made.
    """

    tolerance: ClassVar[float]
