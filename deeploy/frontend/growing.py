"""Networks whose caches grow: imported once, for every length that the caches may have."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import zip_longest
from pathlib import Path

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation

from deeploy.context import make_context
from deeploy.diagnostics import DeeployError, describe
from deeploy.dialects.graph import ConstantOp
from deeploy.frontend.importer import import_model
from deeploy.frontend.inputs import InputValues
from deeploy.functions import functions_of, symbols_of
from deeploy.resources import Array, array_of

HINT = "masks and other values that depend on the length of the caches are not supported"


def import_growing(
    source: str | Path | bytes,
    ctx: Context,
    positions: int,
    input_types: Mapping[str, str] | None = None,
    input_values: InputValues | None = None,
) -> ModuleOp:
    """Import a model with one dynamic dimension: the length of its caches.

    The module has the longest caches with which it is called, `positions - 1` rows. It is the same
    for all shorter ones but for this number: the model is imported with two lengths and compared.

    Args:
        source, ctx, input_types, input_values: as for `import_model`.
        positions: the network can be called with 0 to `positions - 1` rows; at least 2.

    Raises:
        DeeployError: the model cannot be imported, has no dynamic dimension, or does something else
            for caches of another length.
    """
    module = import_model(source, ctx, input_types, input_values, positions - 1)
    if not any(symbols_of(function) for function in functions_of(module)):
        raise DeeployError(
            "no dimension of the inputs is dynamic",
            "a network is stateful if it has caches whose length has a name instead of a number",
        )
    other_ctx = make_context()
    other = import_model(source, other_ctx, input_types, input_values, positions)
    for a, b in zip_longest(module.walk(), other.walk()):
        if a is None or b is None:
            raise DeeployError("the number of operations depends on the length of the caches", HINT)
        if not _same(ctx, a, other_ctx, b):
            raise DeeployError(f"{describe(a)}: it depends on the length of the caches", HINT)
    return module


def _same(ctx: Context, a: Operation, other_ctx: Context, b: Operation) -> bool:
    """Whether two ops are the same but for their types."""
    if isinstance(a, ConstantOp) and isinstance(b, ConstantOp):
        return _same_numbers(array_of(ctx, a.value), array_of(other_ctx, b.value))
    if a.name != b.name or a.location != b.location:
        return False
    return a.name == "func.func" or a.properties == b.properties


def _same_numbers(a: Array, b: Array) -> bool:
    """Whether two constants are the same, or one number everywhere, which broadcasts."""
    if a.shape == b.shape:
        return np.array_equal(a, b)
    return a.size > 0 and b.size > 0 and bool(np.all(a == a.flat[0]) and np.all(b == a.flat[0]))
