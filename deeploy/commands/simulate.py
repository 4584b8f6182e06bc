"""`deeploy simulate`: how long a network takes on a chip, and where the time goes."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from deeploy.commands.options import add_compile_options, print_spec, read_options
from deeploy.diagnostics import UsageError, parsing

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

    from deeploy.commands.options import Subparsers
    from deeploy.simulate.result import Simulation


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Declare the command."""
    parser = commands.add_parser(
        "simulate",
        help="play a compiled network on a model of the chip",
        description="Compiles an ONNX network, or takes a lowered program (.mlir), and plays it "
        "on a model of the chip: cycles, use of each engine, stalls, energy.",
        allow_abbrev=False,
    )
    add_compile_options(parser, output=False)
    group = parser.add_argument_group("simulation")
    group.add_argument(
        "--trace", metavar="T.json", type=Path, help="write a trace for ui.perfetto.dev"
    )
    group.add_argument("--html", metavar="R.html", type=Path, help="write a report, one page")
    group.add_argument(
        "--position",
        metavar="N",
        type=int,
        help="with --stateful: how many rows the caches hold (default: the most)",
    )
    return parser


def run(args: argparse.Namespace) -> int:
    """Simulate a network, or print the passes that would compile it."""
    if args.print_pipeline:
        print(print_spec(args))
        return 0
    simulation = _simulate(args)
    if args.trace is not None:
        from deeploy.simulate.trace import trace_json

        args.trace.write_text(trace_json(simulation))
    if args.html is not None:
        from deeploy.simulate.page import page

        args.html.write_text(page(simulation, "/".join(Path(args.model).parts[-2:])))
    if args.json:
        print(json.dumps(simulation.as_json()))
    else:
        from deeploy.report.console import make_console
        from deeploy.simulate.tables import print_simulation

        print_simulation(simulation, make_console())
    return 0


def _simulate(args: argparse.Namespace) -> Simulation:
    from deeploy.simulate import simulate

    if args.model is not None and Path(args.model).suffix == ".mlir":
        return simulate(_read(args), position=args.position)
    from deeploy.commands.driver import Compiler, progress

    options = read_options(args)
    with progress() as shown:
        compiler = Compiler(options, None, shown)
        compilation = compiler.run()
        shown.show("simulating")
        nests = [row.nest for row in compilation.summary.nests]
        simulation = simulate(compilation.module, nests, args.position)
    if options.timing:
        compiler.timing.report()
    if options.report:
        compilation.summary.print_report()
    return simulation


def _read(args: argparse.Namespace) -> ModuleOp:
    """A lowered program. It knows its target, and whoever lowered it has chosen the rest."""
    from xdsl.parser import Parser

    from deeploy.context import make_context

    for name in ("target", "cores", "engines", "l1", "l2", "memory"):
        if getattr(args, name):
            raise UsageError(f"--{name} is for ONNX files", "a lowered program knows its target")
    path = Path(args.model)
    with parsing(args.model):
        return Parser(make_context(), path.read_text(), args.model).parse_module()
