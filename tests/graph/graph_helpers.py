"""Building single ops, and random values for them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.parser import Parser

from deeploy.context import make_context
from deeploy.dialects.graph import integer_range
from deeploy.passes import get_all_passes
from deeploy.resources import Array, numpy_dtype

GRAPH_PASSES = (
    "fold-constants",
    "simplify",
    "fuse-requant",
    "convert-to-channels-last",
    "cancel-transposes",
)
PIPELINE = (*GRAPH_PASSES, "fold-constants", "simplify", "fuse-requant", "reduce-factors")


def parse(text: str) -> tuple[Context, ModuleOp]:
    """A verified module and its context."""
    ctx = make_context()
    module = Parser(ctx, text).parse_module()
    module.verify()
    return ctx, module


def parse_op(text: str) -> Operation:
    """The last op before the terminator of a function written as `(arguments) ops`."""
    arguments, body = re.split(r"\n(?=\s*%0 =)", text, maxsplit=1)
    _, module = parse(f"func.func @network({arguments}) {{\n{body}\nfunc.return\n}}")
    (function,) = module.body.block.ops
    terminator = function.regions[0].block.last_op
    assert terminator is not None and terminator.prev_op is not None
    return terminator.prev_op


def run_pass(ctx: Context, module: ModuleOp, *names: str) -> None:
    """Run passes by name, and verify after each."""
    passes = get_all_passes()
    for name in names:
        passes[name]()().apply(ctx, module)
        module.verify()


def count(module: ModuleOp) -> dict[str, int]:
    """The number of ops of each kind, without constants; names without `graph.`."""
    counts: dict[str, int] = {}
    for op in module.walk():
        if op.name.startswith("graph.") and op.name != "graph.constant":
            name = op.name.removeprefix("graph.")
            counts[name] = counts.get(name, 0) + 1
    return counts


def random_array(rng: np.random.Generator, type: Attribute, limit: int = 1 << 40) -> Array:
    """Random elements of a tensor type, with the borders of its range among them."""
    assert isinstance(type, TensorType)
    elements: Any = type.element_type
    dtype = numpy_dtype(elements)
    if dtype.kind == "f":
        return rng.normal(size=type.get_shape()).astype(dtype)
    low, high = integer_range(elements)
    low, high = max(low, -limit), min(high, limit)
    values = rng.integers(low, high, type.get_shape(), np.int64, endpoint=True)
    extreme = rng.random(type.get_shape())
    values = np.where(extreme < 0.05, low, np.where(extreme > 0.95, high, values))
    return values.astype(dtype)


def random_arrays(
    rng: np.random.Generator, values: Sequence[SSAValue | Attribute], limit: int = 1 << 40
) -> list[Array]:
    """Random elements for each value or type."""
    types = [v.type if isinstance(v, SSAValue) else v for v in values]
    return [random_array(rng, type, limit) for type in types]
