"""`deeploy`: compiles ONNX networks to C, runs them, and tells what there is."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib.metadata import version
from typing import NoReturn

from deeploy.commands import compile, explain, ops, run, simulate, targets
from deeploy.diagnostics import UsageError, run_main

COMMANDS = (compile, run, simulate, explain, targets, ops)
INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it."""


class Parser(argparse.ArgumentParser):
    """A parser that reports wrong usage as every other user error."""

    def error(self, message: str) -> NoReturn:
        """Stop with a diagnostic.

        Raises:
            UsageError: always.
        """
        raise UsageError(message, f"see {self.prog} --help")


def make_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = Parser(
        prog="deeploy",
        description="Compiles ONNX networks to C for microcontrollers with several cores and "
        "software-managed memories.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"deeploy {version('deeploy')}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, title="commands")
    for command in COMMANDS:
        subparser = command.add_parser(commands)
        subparser.set_defaults(run=command.run)
        # `run_main` looks for it; it is here for --help, and so that argparse accepts it.
        subparser.add_argument(
            "--debug", action="store_true", help="show a traceback for every error"
        )
    return parser


def execute(argv: Sequence[str]) -> int | None:
    """Run the command line `argv` and return its exit status; user errors are raised."""
    args = make_parser().parse_args(argv)
    try:
        return args.run(args)
    except KeyboardInterrupt:
        return INTERRUPTED


def main() -> int:
    """Entry point of `deeploy`; returns its exit status."""
    return run_main(execute)


if __name__ == "__main__":
    raise SystemExit(main())
