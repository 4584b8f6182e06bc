"""`deeploy run`: compiles a network, builds and runs it here, and compares its outputs."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deeploy.commands.options import (
    TOLERANCE,
    add_compile_options,
    position_list,
    print_spec,
    read_options,
    seconds,
    tolerance,
)
from deeploy.diagnostics import DeeployError, UsageError

if TYPE_CHECKING:
    from deeploy.commands.build import Outcome
    from deeploy.commands.driver import Compilation, Compiler
    from deeploy.commands.options import CompileOptions, Subparsers

SANITIZERS = ("address", "undefined", "thread", "leak")


@dataclass(frozen=True)
class RunOptions:
    """How to run what was compiled.

    Attributes:
        sanitize: sanitizers of gcc, with commas between them, or None.
        dma: how the DMA engine of the host behaves, or None for its default.
        timeout: seconds after which the program is taken to hang.
        seed: of the inputs that are made up.
    """

    sanitize: str | None
    dma: str | None
    timeout: float
    seed: int


@dataclass(frozen=True)
class RunResult:
    """A compiled network and what came out when it ran."""

    compilation: Compilation
    outcome: Outcome
    build_seconds: float
    run_seconds: float

    def as_json(self) -> dict[str, object]:
        """The result as a JSON object."""
        outcome = self.outcome
        return {
            "match": outcome.problem() is None,
            "mismatches": outcome.mismatches,
            "guards": outcome.guards,
            "outputs": outcome.outputs,
            "moved": outcome.dma,
            **self.compilation.summary.as_json(),
            "seconds": {
                "compile": self.compilation.seconds,
                "solve": self.compilation.solve_seconds,
                "build": self.build_seconds,
                "run": self.run_seconds,
            },
        }

    def as_text(self) -> str:
        """The result in one line."""
        count = sum(output["elements"] for output in self.outcome.outputs)
        times = f"compiled in {self.compilation.seconds:.1f} s, built in {self.build_seconds:.1f} s"
        return f"all {count} output values match; {self.compilation.summary.as_line()}; {times}"


def _sanitizers(text: str) -> str:
    for name in text.split(","):
        if name not in SANITIZERS:
            raise argparse.ArgumentTypeError(f"unknown sanitizer '{name}'")
    if "thread" in text and "," in text:
        raise argparse.ArgumentTypeError("'thread' goes with no other sanitizer")
    return text


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Declare the command."""
    parser = commands.add_parser(
        "run",
        help="compile a network, run it on this machine and compare its outputs",
        description="Compiles an ONNX network, builds the C with gcc, runs it on this machine "
        "(threads are the cores) and compares every output value with --expect, or with what "
        "numpy computes from --inputs. Without --inputs these are random.",
        allow_abbrev=False,
    )
    add_compile_options(parser)
    group = parser.add_argument_group("run")
    group.add_argument(
        "--sanitize",
        metavar="NAMES",
        type=_sanitizers,
        help="build with sanitizers: address,undefined or thread",
    )
    group.add_argument(
        "--atol",
        metavar="F",
        type=tolerance,
        default=TOLERANCE,
        help=f"tolerance on float outputs, relative above 1 (default {TOLERANCE})",
    )
    group.add_argument(
        "--seed", metavar="N", type=int, default=0, help="of random inputs (default 0)"
    )
    group.add_argument(
        "--positions",
        metavar="P,P,...",
        type=position_list,
        default=(),
        help="of a stateful network, those to run (default: the first ones and the last)",
    )
    group.add_argument(
        "--dma",
        choices=["thread", "deferred", "immediate"],
        help="when transfers happen: in a thread, at their wait, or at their start",
    )
    group.add_argument(
        "--timeout",
        metavar="S",
        type=seconds,
        default=600.0,
        help="seconds after which the program is taken to hang (default 600)",
    )
    return parser


def run(args: argparse.Namespace) -> int:
    """Compile, build, run and compare; fail if anything differs."""
    if args.print_pipeline:
        print(print_spec(args))
        return 0
    if args.seed < 0:
        raise UsageError(f"argument --seed: the seed must be ≥ 0, not {args.seed}")
    if args.positions and (args.stateful is None or args.inputs is not None):
        raise UsageError("--positions needs --stateful, and goes with no --inputs")
    if args.positions and max(args.positions) >= args.stateful:
        raise UsageError(
            f"argument --positions: there is no position {max(args.positions)}",
            f"with --stateful {args.stateful} they are 0 to {args.stateful - 1}",
        )
    options = read_options(args, atol=args.atol, positions=args.positions)
    how = RunOptions(args.sanitize, args.dma, args.timeout, args.seed)
    result = run_network(options, how)
    if options.report:
        result.compilation.summary.print_report()
    if options.json:
        print(json.dumps(result.as_json()))
    problem = result.outcome.problem()
    if problem is not None:
        raise DeeployError(problem)
    print(result.as_text(), file=sys.stderr)
    return 0


def run_network(options: CompileOptions, how: RunOptions) -> RunResult:
    """Compile a network into `options.output` (or a folder that is removed), build and run it.

    Raises:
        DeeployError: it cannot be compiled, built or run. Outputs that differ are no error here.
    """
    from deeploy.commands.driver import Compiler, progress

    with ExitStack() as stack:
        folder = options.output
        if folder is None:
            temporary = tempfile.TemporaryDirectory(prefix="deeploy-")
            folder = Path(stack.enter_context(temporary))
        compiler = Compiler(options, how.seed, stack.enter_context(progress()))
        if options.timing:
            stack.callback(compiler.timing.report)
        return _run_in(folder, compiler, how)


def _run_in(folder: Path, compiler: Compiler, how: RunOptions) -> RunResult:
    from deeploy.commands.build import build, check_tools, run_program
    from deeploy.commands.driver import write_output

    check_tools()
    compilation = compiler.run()
    with compiler.timing.measure("(emit)"):
        write_output(compilation, folder, compiler.options.atol)
    compiler.progress.show("building")
    start = time.perf_counter()
    with compiler.timing.measure("(build)"):
        program = build(folder, how.sanitize)
    built = time.perf_counter()
    compiler.progress.show("running")
    with compiler.timing.measure("(run)"):
        outcome = run_program(program, how.dma, how.timeout)
    return RunResult(compilation, outcome, built - start, time.perf_counter() - built)
