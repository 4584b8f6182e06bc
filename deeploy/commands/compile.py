"""`deeploy compile`: writes the C of a network."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from deeploy.commands.options import (
    add_compile_options,
    print_spec,
    read_options,
)
from deeploy.diagnostics import UsageError

if TYPE_CHECKING:
    from deeploy.commands.driver import Compilation
    from deeploy.commands.options import CompileOptions, Subparsers


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Declare the command."""
    parser = commands.add_parser(
        "compile",
        help="write the C of a network, a main program and a Makefile",
        description="Compiles an ONNX network to C. OUT gets network.c, network.h, "
        "network_kernels.c, weights.c, main.c, test_vectors.h, a Makefile and plan.json. With "
        "--inputs, the program compares its outputs with --expect, or with what numpy computes.",
        allow_abbrev=False,
    )
    add_compile_options(parser)
    return parser


def run(args: argparse.Namespace) -> int:
    """Compile a network, or print the passes that would."""
    if args.print_pipeline:
        print(print_spec(args))
        return 0
    options = read_options(args)
    if options.output is None:
        raise UsageError("the option -o OUT is missing", "it names the folder of the project")
    return _compile(options)


def _compile(options: CompileOptions) -> int:
    from deeploy.commands.driver import Compiler, progress, write_output

    assert options.output is not None
    with progress() as shown:
        compiler = Compiler(options, None, shown)
        try:
            compilation = compiler.run()
            shown.show("writing C")
            with compiler.timing.measure("(emit)"):
                write_output(compilation, options.output, options.atol)
        finally:
            if options.timing:
                compiler.timing.report()
    if options.report:
        compilation.summary.print_report()
    _print_result(options, compilation)
    return 0


def _print_result(options: CompileOptions, compilation: Compilation) -> None:
    summary = compilation.summary
    if options.json:
        seconds = {"compile": compilation.seconds, "solve": compilation.solve_seconds}
        print(json.dumps({**summary.as_json(), "seconds": seconds}))
        return
    print(f"{options.output}: {summary.as_line()}", file=sys.stderr)
