"""The runs of a network whose caches grow: positions, inputs and what is expected of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.universe import Universe

from deeploy.commands.options import CompileOptions, pipeline_spec
from deeploy.commands.vectors import input_arrays, load_arrays, output_arrays
from deeploy.context import make_context
from deeploy.diagnostics import DeeployError
from deeploy.dialects.graph import State, symbol_of
from deeploy.emit.project import Inference, argument_names
from deeploy.frontend import import_model
from deeploy.frontend.inputs import InputValues
from deeploy.functions import (
    argument_attributes,
    argument_states,
    positions_in,
    result_states,
    returned_values,
    tensor_arguments,
)
from deeploy.instrumentation.pipeline import parse_passes, run_pipeline
from deeploy.instrumentation.semantics import entry_function
from deeploy.interpreters import run_module
from deeploy.passes.approximation import ApproximatePass
from deeploy.resources import Array

FIRST = 4
"""How many positions are run one after the other from an empty cache, unless the user says else."""


def default_positions(count: int, step: int) -> list[int]:
    """The first positions, and the last one that there is room for."""
    first = range(0, count, step)[:FIRST]
    return sorted({*first, count - 1})


@dataclass(frozen=True)
class Caches:
    """The caches of a lowered function: the index of each one's output by that of its input."""

    outputs: Mapping[int, int]
    states: Sequence[State | None]
    step: int
    """Rows that each run adds."""

    @staticmethod
    def of(function: FuncOp) -> Caches:
        """Find the caches, whose outputs are the memory of their inputs."""
        arguments, results = tensor_arguments(function), list(returned_values(function))
        grown = result_states(function)
        outputs = {
            arguments.index(value): i
            for i, (value, state) in enumerate(zip(results, grown, strict=True))
            if state is not None and state.grows and value in arguments
        }
        step = max(state.rows for i in outputs.values() if (state := grown[i]) is not None)
        return Caches(outputs, argument_states(function), step)


def make_inferences(
    options: CompileOptions, function: FuncOp, sample: Callable[[int], Sequence[Array]]
) -> list[Inference]:
    """Runs at the positions that the user asks for: with the caches that the last one left where
    it leads there, and random ones where not.

    Args:
        options: what the user asks for.
        function: the lowered network.
        sample: random inputs for a seed, with caches of the greatest length.
    """
    count, caches = positions_in(function), Caches.of(function)
    runs: list[Inference] = []
    for number, position in enumerate(options.positions or default_positions(count, caches.step)):
        samples = zip(sample(number), caches.states, strict=False)
        inputs = [first_rows(array, state, position) for array, state in samples]
        left: Mapping[int, Array] = left_by(runs[-1], caches, position) if runs else {}
        inputs = [left.get(i, array) for i, array in enumerate(inputs)]
        expected = reference(options, inputs, position)
        given: list[Array | None] = [None if i in left else array for i, array in enumerate(inputs)]
        runs.append(Inference(given, expected, position))
    return runs


def left_by(before: Inference, caches: Caches, position: int) -> Mapping[int, Array]:
    """By input, the caches that a run leaves, if it leads to a position."""
    if before.expected is None or before.position + caches.step != position:
        return {}
    return {i: before.expected[output] for i, output in caches.outputs.items()}


def first_rows(array: Array, state: State | None, position: int) -> Array:
    """As many rows of an input of run-time extent as it has at a position."""
    if state is None or not state.grows:
        return array
    return array[tuple(slice(0, extent) for extent in state.shape(array.shape, position))]


def given_inference(options: CompileOptions, path: Path, imported: ModuleOp) -> Inference:
    """The run on the values of a file, whose caches tell the position.

    Raises:
        DeeployError: the values do not fit.
    """
    given = load_arrays(path)
    function = entry_function(imported)
    names = argument_names(function)
    index, symbol = next(
        (i, symbol)
        for i in range(len(names))
        if (symbol := symbol_of(argument_attributes(function, i))) is not None
    )
    array = given[names[index]] if names[index] in given else list(given.values())[index]
    position = array.shape[symbol.axis] - symbol.plus
    assert options.stateful is not None
    if not 0 <= position < options.stateful:
        raise DeeployError(
            f"{path}: the caches hold {position} rows",
            f"with --stateful {options.stateful} they may hold 0 to {options.stateful - 1}",
        )
    ctx, module = import_at(options, given, position)
    function = entry_function(module)
    inputs = input_arrays(path, given, function, options.model)
    if options.expect is not None:
        expected = output_arrays(options.expect, load_arrays(options.expect), function)
    else:
        expected = run_module(ctx, module, [np.copy(array) for array in inputs])
    return Inference(inputs, expected, position)


def import_at(
    options: CompileOptions, values: InputValues, length: int
) -> tuple[Context, ModuleOp]:
    """The network with caches of so many rows and no other length, as it is to be computed."""
    ctx = make_context()
    with redirect_stderr(StringIO()):  # it has been said
        module = import_model(options.model, ctx, options.input_types, values, length)
    return ctx, as_rounded(ctx, module, options)


def as_rounded(ctx: Context, module: ModuleOp, options: CompileOptions) -> ModuleOp:
    """An imported network after the last approximate pass: what every later pass has to keep."""
    passes = parse_passes(Universe.get_multiverse().all_passes, pipeline_spec(options))
    approximate = [i for i, p in enumerate(passes) if isinstance(p, ApproximatePass)]
    needed = passes[: approximate[-1] + 1] if approximate else ()
    run_pipeline(ctx, module, needed, verification="ends")
    return module


def reference(options: CompileOptions, inputs: Sequence[Array], length: int) -> list[Array]:
    """What numpy makes of the network with caches of so many rows."""
    ctx, module = import_at(options, inputs, length)
    return run_module(ctx, module, [np.copy(array) for array in inputs])
