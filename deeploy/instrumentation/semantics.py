"""Checks that passes keep the meaning of a program, by running it.

The module is interpreted on the same random inputs before the first pass and after each pass, so
that a pass which breaks it is caught at that pass. An `ApproximatePass` may change it a little, and
what it made is what the passes after it have to keep.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import IO, Any

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import (
    DictionaryAttr,
    FloatAttr,
    IntegerAttr,
    IntegerType,
    MemRefType,
    ModuleOp,
    TensorType,
)
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute
from xdsl.passes import ModulePass
from xdsl.utils.hints import isa

from deeploy.diagnostics import DeeployError
from deeploy.dialects.graph import State
from deeploy.functions import argument_states, position_of, positions_in, tensor_arguments
from deeploy.instrumentation.pipeline import Cost, Instrument, Step
from deeploy.passes.approximation import ApproximatePass
from deeploy.resources import Array, numpy_dtype

TOLERANCE = 1e-4
"""Relative and absolute tolerance on floats, as passes may reorder sums. Integers must be equal."""

RANGE_ATTRIBUTES = ("deeploy.min", "deeploy.max")
"""Argument attributes with the smallest and largest value that an input takes, both included."""


def entry_function(module: ModuleOp) -> FuncOp:
    """The function to run: the first public one that has a body.

    Raises:
        DeeployError: there is none.
    """
    for op in module.ops:
        private = isinstance(op, FuncOp) and op.sym_visibility is not None
        if isinstance(op, FuncOp) and not op.is_declaration and not private:
            return op
    raise DeeployError("the module has no public function to run")


def _bound(attributes: DictionaryAttr | None, name: str) -> float | None:
    value = attributes.data.get(name) if attributes else None
    if isa(value, IntegerAttr):
        return value.value.data
    return value.value.data if isa(value, FloatAttr) else None


def _random_array(
    rng: np.random.Generator,
    type: Attribute,
    attributes: DictionaryAttr | None,
    state: State | None,
    position: int,
) -> Array:
    """Values that cover the element type, or the range in `attributes`; floats are normal.

    Of a state that grows there are as many rows as are in use at the position.
    """
    if not isa(type, TensorType) and not isa(type, MemRefType):
        raise DeeployError(f"cannot make up an input of type {type}")
    shape, elements = type.get_shape(), type.get_element_type()
    if any(size < 0 for size in shape):
        raise DeeployError(f"cannot make up an input of dynamic type {type}")
    if state is not None and state.grows:
        shape = state.shape(shape, position)
    dtype = numpy_dtype(elements)
    low, high = (_bound(attributes, name) for name in RANGE_ATTRIBUTES)
    if dtype.kind == "b":
        return rng.integers(0, 2, shape).astype(dtype)
    if dtype.kind == "f":
        if low is None or high is None:
            return rng.standard_normal(shape).astype(dtype)
        return rng.uniform(low, high, shape).astype(dtype)
    # Narrower than the container for `si4` and the like.
    limits = np.iinfo(dtype)
    ends = (limits.min, limits.max + 1)
    if isinstance(elements, IntegerType) and elements.bitwidth < limits.bits:
        ends = elements.value_range()
    first = ends[0] if low is None else int(low)
    last = ends[1] - 1 if high is None else int(high)
    return rng.integers(first, last, shape, dtype=dtype, endpoint=True)


def random_inputs(module: ModuleOp, seed: int = 0) -> list[Array]:
    """One array for each argument of the entry function of `module`.

    Caches that grow have the rows of one of the positions, which is no argument itself.

    Raises:
        DeeployError: there is no entry function, or an argument is no tensor of static shape.
    """
    function = entry_function(module)
    rng = np.random.default_rng(seed)
    arguments, states = tensor_arguments(function), argument_states(function)
    attributes: Sequence[DictionaryAttr | None] = [None] * len(arguments)
    if function.arg_attrs is not None:
        attributes = list(function.arg_attrs)[: len(arguments)]
    grows = position_of(function) is not None
    position = int(rng.integers(positions_in(function))) if grows else 0
    return [
        _random_array(rng, argument.type, known, state, position)
        for argument, known, state in zip(arguments, attributes, states, strict=True)
    ]


def _run(ctx: Context, module: ModuleOp, inputs: Sequence[Array]) -> list[Array]:
    # Here, not above: interpreters are heavy, and only this instrument needs them.
    from deeploy.interpreters import run_module

    name = entry_function(module).sym_name.data
    # Copies, as lowered programs write to their buffers.
    return run_module(ctx, module, [array.copy() for array in inputs], name)


def _grows(module: ModuleOp) -> bool:
    """Whether the program has a position."""
    return position_of(entry_function(module)) is not None


def _differs(expected: Array, actual: Array) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Where the two arrays of equal shape differ."""
    if expected.dtype.kind == "f":
        return ~np.isclose(actual, expected, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
    return actual != expected


def first_difference(expected: Sequence[Array], actual: Sequence[Array]) -> str | None:
    """Where and how `actual` first differs from the outputs `expected`; None if nowhere."""
    if len(expected) != len(actual):
        return f"{len(actual)} outputs instead of {len(expected)}"
    for number, (old, new) in enumerate(zip(expected, actual, strict=True)):
        if (old.shape, old.dtype) != (new.shape, new.dtype):
            return (
                f"output {number} is {new.dtype} of shape {new.shape}, "
                f"not {old.dtype} of shape {old.shape}"
            )
        places = np.argwhere(_differs(old, new))
        if len(places):
            index = tuple(int(i) for i in places[0])
            return (
                f"output {number} differs at {list(index)}: {new[index]} instead of {old[index]} "
                f"({len(places)} of {old.size} elements differ)"
            )
    return None


def excess(expected: Sequence[Array], actual: Sequence[Array], tolerance: float) -> str | None:
    """Which output differs by more than an approximate pass may change it, and how; None if none
    does. See `ApproximatePass`."""
    for number, (old, new) in enumerate(zip(expected, actual, strict=True)):
        if (old.shape, old.dtype) != (new.shape, new.dtype):
            return first_difference(expected, actual)
        error = _root_mean_square(new.astype(np.float64) - old.astype(np.float64))
        spread = float(np.std(old.astype(np.float64))) if old.size else 0.0
        allowed = tolerance * spread + (TOLERANCE if old.dtype.kind == "f" else 1)
        # a comparison with NaN is false
        if not error <= allowed:
            return f"output {number} is off by {error:.3g} (root mean square), not {allowed:.3g}"
    return None


def _root_mean_square(array: Array) -> float:
    return float(np.sqrt(np.mean(array**2))) if array.size else 0.0


@dataclass
class SemanticsChecker(Instrument):
    """Stops at the first pass that changes what the module computes.

    Attributes:
        seed: of the random inputs.
        stream: gets one line about how much was checked.
    """

    seed: int = 0
    stream: IO[str] = field(default_factory=lambda: sys.stderr)
    _inputs: list[Array] = field(default_factory=list[Array], init=False)
    _expected: list[Array] = field(default_factory=list[Array], init=False)
    _checked: int = field(default=0, init=False)
    _grows: bool = field(default=False, init=False)

    def begin(self, ctx: Context, module: ModuleOp, passes: tuple[ModulePass, ...]) -> None:
        self._checked = 0
        self._grows = _grows(module)
        self._inputs = random_inputs(module, self.seed)
        self._expected = _run(ctx, module, self._inputs)

    def after_pass(self, step: Step, cost: Cost) -> None:
        try:
            actual = _run(step.ctx, step.module, self._inputs)
        except Exception as error:
            # Any exception: what a broken program does to its interpreter cannot be foreseen.
            raise DeeployError(
                f"the program no longer runs: {type(error).__name__}: {error}"
            ) from error
        difference = first_difference(self._expected, actual)
        if difference and isinstance(step.current, ApproximatePass):
            difference = excess(self._expected, actual, step.current.tolerance)
            # what follows has to keep what this pass made
            self._expected = actual
        if difference:
            raise DeeployError(f"the program changed: {difference}")
        self._checked += 1
        if self._grows != (grows := _grows(step.module)):
            # a pass has found caches that grow: so far they were full, from now on at any position
            self._grows = grows
            self._inputs = random_inputs(step.module, self.seed)
            self._expected = _run(step.ctx, step.module, self._inputs)

    def end(self, ctx: Context, module: ModuleOp) -> None:
        self.stream.write(f"semantics: {self._checked} passes checked, outputs unchanged\n")
