"""Runs a list of passes under instruments."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.utils import arg_spec
from xdsl.utils.exceptions import (
    DiagnosticException,
    PassFailedException,
    VerifyException,
)

from deeploy.diagnostics import UsageError, did_you_mean, summary
from deeploy.instrumentation.verification import verify_module

PassFactories = Mapping[str, Callable[[], type[ModulePass]]]

Verification: TypeAlias = Literal["each", "ends", "none"]
"""When to verify: the input and after each pass; the input and after the last pass; never."""


@dataclass(frozen=True)
class Step:
    """A pass at its place in a running pipeline."""

    ctx: Context
    module: ModuleOp
    passes: tuple[ModulePass, ...]
    """The whole pipeline."""
    index: int
    """The position of this pass in `passes`, from 0."""

    @property
    def current(self) -> ModulePass:
        """The pass of this step."""
        return self.passes[self.index]

    @property
    def rest(self) -> tuple[ModulePass, ...]:
        """The passes after this one."""
        return self.passes[self.index + 1 :]


@dataclass(frozen=True)
class Cost:
    """What a step took, in seconds of wall time."""

    apply: float
    verify: float


class Instrument:
    """Watches a pipeline; every hook does nothing unless it is overridden."""

    def begin(self, ctx: Context, module: ModuleOp, passes: tuple[ModulePass, ...]) -> None:
        """Called once the input is verified, before the first pass."""

    def before_pass(self, step: Step) -> None:
        """Called before the pass runs."""

    def after_pass(self, step: Step, cost: Cost) -> None:
        """Called when the pass has run, and the module has been verified if it is."""

    def on_failure(self, step: Step, error: Exception) -> str | None:
        """Called when the pass, the verification or an `after_pass` raised `error`.

        Returns:
            Something to add to the message that the user reads, or None.
        """

    def end(self, ctx: Context, module: ModuleOp) -> None:
        """Called after the last pass."""


def spec_of(passes: Sequence[ModulePass]) -> str:
    """`passes` as a pipeline on the command line (the argument of `-p`), not shell-quoted."""
    return ",".join(str(pass_.spec()) for pass_ in passes)


def _instantiate(available: PassFactories, spec: arg_spec.ArgSpec) -> ModulePass:
    if spec.name not in available:
        raise UsageError(f"unknown pass '{spec.name}'", did_you_mean(spec.name, available))
    pass_type = available[spec.name]()
    options = [field.name for field in dataclasses.fields(pass_type)]
    for option in spec.normalize_parameter_names().parameters:
        if option not in options:
            hint = did_you_mean(option, options) or "it takes none"
            raise UsageError(f"pass '{spec.name}' has no option '{option}'", hint)
    try:
        return pass_type.from_spec(spec)
    except ValueError as error:
        raise UsageError(f"pass '{spec.name}': {error}") from error


def parse_passes(available: PassFactories, spec: str) -> tuple[ModulePass, ...]:
    """The passes that `spec` names, for instance `fold-constants,plan{solver="cbc"}`.

    Raises:
        UsageError: an unknown pass, or a wrong option.
        ArgSpecParseError: the syntax is wrong. (A `BaseException`; `run_main` knows it.)
    """
    return tuple(_instantiate(available, item) for item in arg_spec.parse_pipeline(spec))


def _apply(step: Step, verify: bool) -> Cost:
    start = time.perf_counter()
    step.current.apply(step.ctx, step.module)
    applied = time.perf_counter()
    if verify:
        verify_module(step.module)
    return Cost(applied - start, time.perf_counter() - applied)


def _run_step(step: Step, instruments: Sequence[Instrument], verification: Verification) -> None:
    for instrument in instruments:
        instrument.before_pass(step)
    verify = verification == "each" or (verification == "ends" and not step.rest)
    try:
        cost = _apply(step, verify)
        for instrument in instruments:
            instrument.after_pass(step, cost)
    except Exception as error:
        notes = [note for i in instruments if (note := i.on_failure(step, error))]
        where = f"pass '{step.current.name}'"
        expected = isinstance(error, DiagnosticException)
        if verification == "ends" and (not expected or isinstance(error, VerifyException)):
            # what is wrong may come from a pass before this one
            notes.append("--verify-each looks for it after each pass")
        if expected:
            text = "; ".join([f"{where}: {summary(error)}", *notes])
            raise PassFailedException(text) from error
        # Not the user's fault: keep the traceback, and say where it happened.
        error.add_note("; ".join([f"in {where}", *notes]))
        raise


def run_pipeline(
    ctx: Context,
    module: ModuleOp,
    passes: Sequence[ModulePass],
    instruments: Sequence[Instrument] = (),
    *,
    verification: Verification = "each",
) -> None:
    """Apply `passes` to `module` in order, and verify it before the first and after each of them.

    Args:
        ctx: the context that `module` was made with.
        module: changed in place.
        passes: the pipeline.
        instruments: called in this order at every event.
        verification: "ends" saves time and trusts the passes in between; "none" lets a wrong
            module go unnoticed.

    Raises:
        VerifyException: the input does not verify.
        PassFailedException: a pass failed, left a module that does not verify, or an instrument
            objected to what it did; the message names the pass.
    """
    pipeline = tuple(passes)
    if verification != "none":
        verify_module(module)
    for instrument in instruments:
        instrument.begin(ctx, module, pipeline)
    for index in range(len(pipeline)):
        _run_step(Step(ctx, module, pipeline, index), instruments, verification)
    for instrument in instruments:
        instrument.end(ctx, module)
