"""`deeploy ops`: the ONNX operators that can be imported, and who can run what they become."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from deeploy.commands.options import Subparsers
    from deeploy.engines import Engine
    from deeploy.frontend import OperatorInfo


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Declare the command."""
    parser = commands.add_parser(
        "ops",
        help="list the supported operators",
        description="Lists the ONNX operators that can be imported, and the engines that run the "
        "ops of the graph dialect which they become.",
        allow_abbrev=False,
    )
    parser.add_argument("--json", action="store_true", help="print a JSON object to stdout")
    return parser


def run(args: argparse.Namespace) -> int:
    """Print operators and engines."""
    from deeploy import registry
    from deeploy.engines import find_engine
    from deeploy.frontend import supported_operators
    from deeploy.report.console import make_console

    operators = supported_operators()
    engines = [find_engine(name) for name in registry.names(registry.ENGINES)]
    if args.json:
        content = {
            "operators": [asdict(operator) for operator in operators],
            "engines": [_engine_json(engine) for engine in engines],
        }
        print(json.dumps(content))
        return 0
    console = make_console()
    console.print(_operator_table(operators))
    console.print(_engine_table(engines))
    return 0


def _kernels(engine: Engine) -> list[tuple[str, str]]:
    """The graph ops of an engine, each with the C kernel that runs it, sorted."""
    return sorted((op.name, kernel.family) for op, kernel in engine.kernels.items())


def _engine_json(engine: Engine) -> dict[str, object]:
    kernels = [{"op": op, "kernel": kernel} for op, kernel in _kernels(engine)]
    return {"name": engine.name, "summary": engine.summary, "kernels": kernels}


def _operator_table(operators: Sequence[OperatorInfo]) -> Table:
    from deeploy.report.tables import make_table

    table = make_table("ONNX operators", "operator", "types", "supported")
    for operator in operators:
        table.add_row(operator.onnx_name, " ".join(operator.types), operator.summary)
    return table


def _engine_table(engines: Sequence[Engine]) -> Table:
    from deeploy.report.tables import make_table

    table = make_table("Ops of the graph dialect", "op", "engine", "C kernel")
    for engine in engines:
        for op, kernel in _kernels(engine):
            table.add_row(op, engine.name, kernel)
    return table
