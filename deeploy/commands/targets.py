"""`deeploy targets`: the chips that networks can be compiled for."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from deeploy.commands.options import Subparsers
    from deeploy.targets import Target


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Declare the command."""
    parser = commands.add_parser(
        "targets",
        help="list the targets",
        description="Lists the chips that networks can be compiled for.",
        allow_abbrev=False,
    )
    parser.add_argument("--json", action="store_true", help="print a JSON list to stdout")
    return parser


def run(args: argparse.Namespace) -> int:
    """Print the installed targets."""
    from deeploy import registry
    from deeploy.report.console import make_console
    from deeploy.targets import find_target

    targets = [find_target(name) for name in registry.names(registry.TARGETS)]
    if args.json:
        print(json.dumps([asdict(target) for target in targets]))
    else:
        make_console().print(_table(targets))
    return 0


def _table(targets: list[Target]) -> Table:
    from deeploy.report.console import number
    from deeploy.report.tables import make_table

    headers = ("target", "cores", "memories", "links", "engines", "summary")
    table = make_table(None, *headers, right=("cores",))
    for target in targets:
        memories = (f"{m.name}: {number(m.size)} bytes" for m in target.memories)
        links = (
            f"{k.near}-{k.far}: {k.bytes_per_cycle:g} bytes/cycle, {k.setup_cycles} cycles setup"
            for k in target.links
        )
        table.add_row(
            target.name,
            str(target.cores),
            "\n".join(memories),
            "\n".join(links),
            "\n".join(target.engines),
            target.summary,
        )
    return table
