"""Prints the IR between passes: to stderr, or as a folder of numbered files."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, UnknownLoc
from xdsl.ir import Dialect, Operation
from xdsl.passes import ModulePass
from xdsl.printer import Printer
from xdsl.targets.mlir import MLIRTarget

from deeploy.instrumentation.pipeline import Cost, Instrument, Step, spec_of


@dataclass(eq=False, repr=False)
class DumpPrinter(Printer):
    """A printer that shows the locations that say something, and can leave out the blobs."""

    elide_resources: bool = False
    """Leave out the data of `dense_resource`. The text still parses, but no longer has weights."""
    locations: bool = True
    """Print known locations. (xDSL's `print_debuginfo` prints `loc(unknown)` for all others.)"""

    def print_op(self, op: Operation) -> None:
        outer = self.print_debuginfo
        self.print_debuginfo = self.locations and not isinstance(op.location, UnknownLoc)
        super().print_op(op)
        # `print_op` of the op around this one reads it after its body is printed.
        self.print_debuginfo = outer

    def print_metadata(self, dialects: Iterable[Dialect]) -> None:
        if not self.elide_resources:
            super().print_metadata(dialects)


def print_module(
    ctx: Context, module: ModuleOp, stream: IO[str], *, elide_resources: bool = False
) -> None:
    """Print `module` with node names and (unless elided) resources, so that it can be read back."""
    printer = DumpPrinter(stream=stream, elide_resources=elide_resources)
    printer.print_op(module)
    printer.print_metadata(ctx.loaded_dialects)
    stream.write("\n")


@dataclass(frozen=True)
class ElidedMLIRTarget(MLIRTarget):
    """The target `mlir` without the data of resources."""

    def emit(self, ctx: Context, module: ModuleOp, output: IO[str]) -> None:
        printer = DumpPrinter(
            stream=output,
            print_generic_format=self.print_generic_format,
            print_properties_as_attributes=self.print_properties_as_attributes,
            elide_resources=True,
            locations=self.print_debuginfo,
        )
        printer.print_op(module)
        output.write("\n")


@dataclass
class IRPrinter(Instrument):
    """Prints the module before or after chosen passes, each time under a banner."""

    before: Collection[str] = ()
    """Names of passes before which to print."""
    after: Collection[str] = ()
    """Names of passes after which to print."""
    before_all: bool = False
    after_all: bool = False
    elide_resources: bool = False
    stream: IO[str] = field(default_factory=lambda: sys.stderr)

    def _dump(self, step: Step, when: str) -> None:
        self.stream.write(f"// -----// IR Dump {when} {step.current.name} //----- //\n")
        print_module(step.ctx, step.module, self.stream, elide_resources=self.elide_resources)

    def before_pass(self, step: Step) -> None:
        if self.before_all or step.current.name in self.before:
            self._dump(step, "Before")

    def after_pass(self, step: Step, cost: Cost) -> None:
        if self.after_all or step.current.name in self.after:
            self._dump(step, "After")


def write_dump(
    path: Path,
    ctx: Context,
    module: ModuleOp,
    rest: Sequence[ModulePass],
    *,
    elide_resources: bool = False,
    title: str = "",
) -> None:
    """Write `module` to `path`, under a comment with the command that carries on with `rest`."""
    pipeline = f" -p {shlex.quote(spec_of(rest))}" if rest else ""
    with path.open("w") as file:
        if title:
            file.write(f"// {title}\n")
        file.write(f"// deeploy-opt {shlex.quote(str(path))}{pipeline}\n")
        print_module(ctx, module, file, elide_resources=elide_resources)


@dataclass
class IRTree(Instrument):
    """Writes the module to numbered files: `00_input.mlir`, then one file after each pass.

    Each file can be given back to `deeploy-opt`; its first line shows how.
    """

    folder: Path
    elide_resources: bool = False
    _count: int = field(default=0, init=False)

    def _write(self, name: str, ctx: Context, module: ModuleOp, rest: Sequence[ModulePass]) -> None:
        path = self.folder / f"{self._count:02}_{name}.mlir"
        write_dump(path, ctx, module, rest, elide_resources=self.elide_resources)
        self._count += 1

    def begin(self, ctx: Context, module: ModuleOp, passes: tuple[ModulePass, ...]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._write("input", ctx, module, passes)

    def after_pass(self, step: Step, cost: Cost) -> None:
        self._write(step.current.name, step.ctx, step.module, step.rest)
