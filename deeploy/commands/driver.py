"""Compiles a network as the command line asks for it."""

from __future__ import annotations

import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.status import Status
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.universe import Universe

from deeploy.commands.inferences import as_rounded, given_inference, make_inferences
from deeploy.commands.options import CompileOptions, pipeline_spec, resolve_target
from deeploy.commands.vectors import input_arrays, load_arrays, output_arrays
from deeploy.context import make_context
from deeploy.diagnostics import fail
from deeploy.emit.project import Inference, write_project
from deeploy.frontend import import_growing, import_model
from deeploy.functions import position_of
from deeploy.instrumentation.pipeline import (
    Instrument,
    Step,
    Verification,
    parse_passes,
    run_pipeline,
)
from deeploy.instrumentation.printing import IRTree
from deeploy.instrumentation.semantics import SemanticsChecker, entry_function, random_inputs
from deeploy.instrumentation.timing import Timing
from deeploy.interpreters import run_module
from deeploy.report.nests import NestRecorder
from deeploy.report.summary import Summary, summarise
from deeploy.resources import Array
from deeploy.targets import Target, target_of


@dataclass
class Progress(Instrument):
    """Shows on a terminal what is going on; silent elsewhere."""

    status: Status | None = None

    def show(self, text: str) -> None:
        """Show `text` until something else is shown."""
        if self.status is not None:
            self.status.update(text)

    def before_pass(self, step: Step) -> None:
        self.show(f"pass {step.current.name}")


@contextmanager
def progress() -> Generator[Progress]:
    """A line on stderr for as long as the body runs, if stderr is a terminal."""
    if not sys.stderr.isatty():
        yield Progress()
        return
    with Console(stderr=True).status("starting") as status:
        yield Progress(status)


@dataclass(frozen=True)
class Compilation:
    """A compiled network.

    Attributes:
        module: fully lowered.
        seconds: wall time of import, passes and reference; `solve_seconds` is the planner's share.
    """

    ctx: Context
    module: ModuleOp
    target: Target
    spec: str
    inferences: list[Inference]
    summary: Summary
    seconds: float
    solve_seconds: float


@dataclass
class Compiler:
    """One compilation.

    Attributes:
        options: what to do.
        seed: of random inputs, where the options name no file; None makes up none.
    """

    options: CompileOptions
    seed: int | None
    progress: Progress
    timing: Timing = field(default_factory=Timing)
    notes: StringIO = field(default_factory=StringIO)
    """What the frontend has to say; held back, so that an error stands alone."""

    def run(self) -> Compilation:
        """Import, lower and summarise the network.

        Raises:
            UsageError: the options do not fit the target, or name an unknown pass.
            DeeployError: the model or the data cannot be used.
            PassFailedException: the network does not fit the target.
        """
        start = time.perf_counter()
        options = self.options
        target = resolve_target(options)
        spec = pipeline_spec(options)
        passes = parse_passes(Universe.get_multiverse().all_passes, spec)
        ctx = make_context()
        module = self.load(ctx)
        imported = module.clone()
        inferences = [self.single(ctx, module)] if options.stateful is None else []
        recorder = NestRecorder()
        run_pipeline(
            ctx, module, passes, self.instruments(recorder), verification=self.verification()
        )
        if options.stateful is not None:
            inferences = self.several(imported, module)
        if options.pipeline is not None:
            target = target_of(module)
        summary = summarise(entry_function(module), recorder, target, spec)
        seconds = time.perf_counter() - start
        sys.stderr.write(self.notes.getvalue())
        return Compilation(
            ctx, module, target, spec, inferences, summary, seconds, recorder.solve_seconds
        )

    def instruments(self, recorder: NestRecorder) -> list[Instrument]:
        """What watches the passes."""
        instruments: list[Instrument] = [self.progress, self.timing, recorder]
        if self.options.dump_ir is not None:
            instruments.append(IRTree(self.options.dump_ir))
        if self.options.check_semantics:
            instruments.append(SemanticsChecker())
        return instruments

    def verification(self) -> Verification:
        """After each pass where somebody looks at what it leaves."""
        options = self.options
        watched = options.dump_ir is not None or options.check_semantics
        return "each" if options.verify_each or watched else "ends"

    def load(self, ctx: Context) -> ModuleOp:
        """The imported network."""
        options = self.options
        self.progress.show(f"reading {options.model}")
        given = load_arrays(options.inputs) if options.inputs is not None else None
        with self.timing.measure("(import)"), redirect_stderr(self.notes):
            if options.stateful is None:
                return import_model(options.model, ctx, options.input_types, given)
            return import_growing(options.model, ctx, options.stateful, options.input_types, given)

    def single(self, ctx: Context, module: ModuleOp) -> Inference:
        """The one run of a network of static shapes."""
        options, function = self.options, entry_function(module)
        inputs: list[Array] | None = None
        if options.inputs is not None:
            given = load_arrays(options.inputs)
            inputs = input_arrays(options.inputs, given, function, options.model)
        elif self.seed is not None:
            inputs = random_inputs(module, self.seed)
        expected: list[Array] | None = None
        if options.expect is not None:
            expected = output_arrays(options.expect, load_arrays(options.expect), function)
        elif inputs is not None:
            self.progress.show("running the network in numpy")
            with self.timing.measure("(reference)"):
                copies = [array.copy() for array in inputs]
                rounded = as_rounded(ctx, module.clone(), options)
                expected = run_module(ctx, rounded, copies, function.sym_name.data)
        return Inference(inputs, expected)

    def several(self, imported: ModuleOp, module: ModuleOp) -> list[Inference]:
        """The runs of a network whose caches grow, once it is lowered."""
        options, function = self.options, entry_function(module)
        if position_of(function) is None:
            fail(function, "no cache grows", "the pipeline needs 'share-caches'")
        self.progress.show("running the network in numpy")
        with self.timing.measure("(reference)"):
            if options.inputs is not None:
                return [given_inference(options, options.inputs, imported)]
            if self.seed is None:
                return [Inference(None, None)]
            seed = self.seed
            return make_inferences(options, function, lambda n: random_inputs(imported, seed + n))


def write_output(compilation: Compilation, folder: Path, atol: float) -> None:
    """Write the project and `plan.json`. The same network and options give the same bytes."""
    write_project(
        compilation.ctx,
        compilation.module,
        folder,
        compilation.inferences,
        compilation.target.platform,
        atol,
    )
    (folder / "plan.json").write_text(compilation.summary.to_text())
