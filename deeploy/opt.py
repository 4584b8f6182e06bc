"""`deeploy-opt`: runs passes on IR files, and shows what they do."""

from __future__ import annotations

import argparse
import dataclasses
import inspect
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import IO, Any, ClassVar, NoReturn, get_type_hints

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass, PassPipeline
from xdsl.targets.mlir import MLIRTarget
from xdsl.universe import XDSL_UNIVERSE
from xdsl.utils.hints import type_repr
from xdsl.xdsl_opt_main import xDSLOptMain

from deeploy.commands.options import position_count
from deeploy.context import register_dialects
from deeploy.diagnostics import UsageError, did_you_mean, parsing, run_main
from deeploy.instrumentation.pipeline import (
    Instrument,
    PassFactories,
    parse_passes,
    run_pipeline,
)
from deeploy.instrumentation.printing import ElidedMLIRTarget, IRPrinter, IRTree
from deeploy.instrumentation.reproducer import Reproducer
from deeploy.instrumentation.semantics import SemanticsChecker
from deeploy.instrumentation.timing import Timing


def _option_line(pass_type: type[ModulePass], option: dataclasses.Field[Any]) -> str:
    text = f"{option.name}: {type_repr(get_type_hints(pass_type)[option.name])}"
    if option.default is not dataclasses.MISSING:
        text += f" = {str(option.default).lower()}"
    return text


def _first_line(pass_type: type[ModulePass]) -> str:
    lines = (inspect.getdoc(pass_type) or "").splitlines()
    # Where there is no docstring, `dataclass` makes one out of the signature.
    made_up = not lines or lines[0].startswith(f"{pass_type.__name__}(")
    return "" if made_up else lines[0]


def describe_passes(passes: PassFactories) -> str:
    """A list of `passes`: name, first line of the docstring, options with types and defaults."""
    lines: list[str] = []
    for name in sorted(passes):
        pass_type = passes[name]()
        lines.append(f"{name:28} {_first_line(pass_type)}".rstrip())
        for option in dataclasses.fields(pass_type):
            if option.init:
                lines.append(f"    {_option_line(pass_type, option)}")
    return "\n".join(lines)


def _input_type(text: str) -> tuple[str, str]:
    # An input's name may have a `=` in it, a type has none.
    name, _, type = text.rpartition("=")
    if not name or not type:
        raise argparse.ArgumentTypeError(f"'{text}' is not of the form NAME=TYPE")
    return name, type


def _names(text: str) -> list[str]:
    return [name for name in text.split(",") if name]


class DeeployOptMain(xDSLOptMain):
    """xDSL's optimizer driver, with a frontend for ONNX and instruments around the passes."""

    version_format: ClassVar[str] = "deeploy-opt, with xDSL {xdsl_version}"

    def __init__(self, args: Sequence[str] | None = None) -> None:
        self.timing = Timing()
        super().__init__("Runs Deeploy's passes on IR or ONNX files", args)

    # --- What there is ---------------------------------------------------------------------------

    def register_all_dialects(self) -> None:
        register_dialects(self.ctx)

    def register_all_frontends(self) -> None:
        super().register_all_frontends()

        def import_onnx(stream: IO[bytes]) -> ModuleOp:
            from deeploy.frontend import import_growing, import_model

            # By path where there is one: weights may be in files next to the model.
            path = self.args.input_file
            source = Path(path) if path else stream.read()
            types, positions = dict(self.args.input_type), self.args.stateful
            if positions is None:
                return import_model(source, self.ctx, types)
            return import_growing(source, self.ctx, positions, types)

        self.available_frontends["onnx"] = import_onnx

    def register_all_targets(self) -> None:
        super().register_all_targets()

        def mlir() -> type[MLIRTarget]:
            return ElidedMLIRTarget if self.args.elide_resources else MLIRTarget

        self.available_targets["mlir"] = mlir

    def register_all_arguments(self, arg_parser: argparse.ArgumentParser) -> None:
        super().register_all_arguments(arg_parser)
        arg_parser.error = _usage_error
        arg_parser.add_argument(
            "--list-passes",
            nargs="?",
            const="deeploy",
            choices=["deeploy", "all"],
            action=_list_passes_action(lambda: self.available_passes),
            help="list passes with their options, and exit; =all adds those of xDSL",
        )
        arg_parser.add_argument(
            "--input-type",
            metavar="NAME=TYPE",
            type=_input_type,
            action="append",
            default=[],
            help="element type of an ONNX input, for instance input=ui8 (repeatable)",
        )
        arg_parser.add_argument(
            "--stateful",
            metavar="N",
            type=position_count,
            help="import ONNX with caches whose length is dynamic, for positions 0 to N-1",
        )
        _add_instrument_options(arg_parser)
        # `run_main` looks for it; it is here for --help, and so that argparse accepts it.
        arg_parser.add_argument(
            "--debug", action="store_true", help="show a traceback for every error"
        )

    # --- What is asked for -----------------------------------------------------------------------

    def setup_pipeline(self) -> None:
        # Without a callback: `apply_passes` verifies and calls the instruments.
        self.pipeline = PassPipeline(parse_passes(self.available_passes, self.args.passes))
        self.instruments = self._make_instruments()

    def _known_passes(self, text: str | None) -> list[str]:
        names = _names(text or "")
        for name in names:
            if name not in self.available_passes:
                raise UsageError(
                    f"unknown pass '{name}'", did_you_mean(name, self.available_passes)
                )
        return names

    def _make_instruments(self) -> list[Instrument]:
        args, elide = self.args, self.args.elide_resources
        printer = IRPrinter(
            before=self._known_passes(args.print_ir_before),
            after=self._known_passes(args.print_ir_after),
            before_all=args.print_ir_before_all,
            # xDSL's own option, which without us skips the last pass and prints to stdout.
            after_all=args.print_ir_after_all or args.print_between_passes,
            elide_resources=elide,
        )
        instruments: list[Instrument] = [self.timing, printer]
        if args.print_ir_tree_dir:
            instruments.append(IRTree(Path(args.print_ir_tree_dir), elide))
        if args.check_semantics:
            instruments.append(SemanticsChecker())
        if args.reproducer:
            instruments.append(Reproducer(Path(args.reproducer)))
        return instruments

    # --- Running ---------------------------------------------------------------------------------

    def get_input_stream(self) -> tuple[IO[bytes], str]:
        if self.args.input_file == "-":
            self.args.input_file = None
        return super().get_input_stream()

    def prepare_input(self) -> tuple[list[tuple[IO[bytes], int]], str]:
        try:
            return super().prepare_input()
        except ValueError as error:
            # The file name has an extension that no frontend knows.
            hint = f"choose one with -f: {', '.join(self.available_frontends)}"
            raise UsageError(str(error), hint) from error

    def parse_chunk(
        self, chunk: IO[bytes], file_extension: str, start_offset: int = 0
    ) -> ModuleOp | None:
        # A new context for each chunk: they may use the same resource keys.
        self.ctx = Context(self.args.allow_unregistered_dialect)
        self.register_all_dialects()
        is_text = file_extension == "mlir"
        diagnosed = parsing(self.get_input_name()) if is_text else nullcontext()
        with self.timing.measure("(parse)"), diagnosed:
            return super().parse_chunk(chunk, file_extension, start_offset)

    def apply_passes(self, prog: ModuleOp) -> None:
        run_pipeline(
            self.ctx,
            prog,
            self.pipeline.passes,
            self.instruments,
            verification="none" if self.args.disable_verify else "each",
        )

    def output_resulting_program(self, prog: ModuleOp) -> str:
        with self.timing.measure("(print)"):
            return super().output_resulting_program(prog)

    def run(self) -> None:
        try:
            super().run()
        finally:
            if self.args.timing or self.args.time_passes:
                self.timing.report()


def _add_instrument_options(parser: argparse.ArgumentParser) -> None:
    def flag(name: str, help: str) -> None:
        parser.add_argument(name, action="store_true", help=help)

    def value(name: str, metavar: str, help: str) -> None:
        parser.add_argument(name, metavar=metavar, help=help)

    value("--print-ir-before", "PASS[,..]", "print the IR before PASS")
    value("--print-ir-after", "PASS[,..]", "print the IR after PASS")
    flag("--print-ir-before-all", "print the IR before each pass")
    flag("--print-ir-after-all", "print the IR after each pass")
    value("--print-ir-tree-dir", "DIR", "write the IR after each pass to numbered files in DIR")
    flag("--elide-resources", "leave out the data of resources in all output")
    flag("--timing", "print a table of times to stderr")
    flag("--check-semantics", "run the module before and after each pass, and compare")
    value("--reproducer", "FILE", "if a pass fails, write IR and command line to FILE")


def _usage_error(message: str) -> NoReturn:
    raise UsageError(message, "see --help")


def _list_passes_action(available: Callable[[], PassFactories]) -> type[argparse.Action]:
    """An argparse action that lists the passes and exits, as `--help` does."""

    class ListPasses(argparse.Action):
        def __call__(
            self,
            parser: argparse.ArgumentParser,
            namespace: argparse.Namespace,
            values: object,
            option_string: str | None = None,
        ) -> None:
            hidden = {} if values == "all" else XDSL_UNIVERSE.all_passes
            passes = {name: f for name, f in available().items() if name not in hidden}
            print(describe_passes(passes))
            parser.exit()

    return ListPasses


def _main(argv: Sequence[str]) -> None:
    DeeployOptMain(argv).run()


def main() -> int:
    """Entry point of `deeploy-opt`; returns its exit status."""
    return run_main(_main)


if __name__ == "__main__":
    raise SystemExit(main())
