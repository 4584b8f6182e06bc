"""The options that `deeploy compile` and `deeploy run` share."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from deeploy.diagnostics import DeeployError, UsageError, summary

if TYPE_CHECKING:
    from deeploy.targets import Target

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # pyright: ignore[reportPrivateUsage]

Value = TypeVar("Value")


TOLERANCE = 1e-4
"""On float outputs: kernels sum in another order than the reference. Integers must be equal."""


@dataclass(frozen=True)
class CompileOptions:
    """What to compile, and for what.

    Attributes:
        sizes: bytes of memories, by name, that differ from the target's own.
        residents: whether constants and states may stay in the compute memory between inferences.
        pipeline: passes instead of the standard pipeline, or None.
        input_types: element types of inputs, by name.
        stateful: positions of a network whose caches grow, or None for one of static shapes.
        positions: those to run; none means a choice of them.
        atol: tolerance on float outputs, absolute for small values and relative for large ones.
    """

    model: Path
    target: str
    cores: int | None
    engines: tuple[str, ...]
    sizes: Mapping[str, int]
    residents: bool
    buffers: str
    objective: str
    policy: str
    solver: str
    max_seconds: float
    pipeline: str | None
    input_types: Mapping[str, str]
    inputs: Path | None
    expect: Path | None
    dump_ir: Path | None
    check_semantics: bool
    verify_each: bool
    timing: bool
    report: bool
    json: bool
    output: Path | None
    stateful: int | None = None
    positions: tuple[int, ...] = ()
    atol: float = TOLERANCE


# --- Values on the command line -------------------------------------------------------------------


def byte_count(text: str) -> int:
    """A number of bytes > 0."""
    return _positive(text, "number of bytes")


def _positive(text: str, what: str = "whole number") -> int:
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not a {what}") from None
    if value <= 0:
        raise argparse.ArgumentTypeError(f"the {what} must be > 0, not {value}")
    return value


def position_count(text: str) -> int:
    """A number of positions, ≥ 2."""
    count = _positive(text)
    if count < 2:
        raise argparse.ArgumentTypeError("a cache that grows needs 2 positions or more")
    return count


def position_list(text: str) -> tuple[int, ...]:
    """Positions with commas between them, each ≥ 0."""
    parts = text.split(",")
    if not all(part.isdecimal() for part in parts):
        raise argparse.ArgumentTypeError(f"'{text}' is not of the form P,P,...")
    return tuple(int(part) for part in parts)


def seconds(text: str) -> float:
    """A time in seconds, > 0."""
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of seconds") from None
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"the number of seconds must be > 0, not {text}")
    return value


def tolerance(text: str) -> float:
    """A tolerance, ≥ 0."""
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number") from None
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"the tolerance must be ≥ 0, not {text}")
    return value


def _memory_size(text: str) -> tuple[str, int]:
    name, _, size = text.rpartition("=")
    if not name:
        raise argparse.ArgumentTypeError(f"'{text}' is not of the form NAME=BYTES")
    return name, byte_count(size)


def _input_type(text: str) -> tuple[str, str]:
    # An input's name may have a `=` in it, a type has none.
    name, _, type = text.rpartition("=")
    if not name or not type:
        raise argparse.ArgumentTypeError(f"'{text}' is not of the form NAME=TYPE")
    return name, type


# --- Declaring and reading ------------------------------------------------------------------------


def add_compile_options(parser: argparse.ArgumentParser, output: bool = True) -> None:
    """Declare everything that `read_options` reads, the folder of the project only if wanted."""
    parser.add_argument("model", metavar="MODEL.onnx", nargs="?", help="the network")
    parser.add_argument(
        "--stateful",
        metavar="N",
        type=position_count,
        help="the network has caches whose length is dynamic: compile it for positions 0 to N-1",
    )
    _add_target_options(parser)
    _add_plan_options(parser)
    _add_data_options(parser)
    _add_insight_options(parser)
    if output:
        parser.add_argument(
            "-o", "--output", metavar="OUT", type=Path, help="folder of the project"
        )
    else:
        parser.set_defaults(output=None)


def _add_target_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("target")
    group.add_argument("--target", metavar="NAME", help="the chip; `deeploy targets` lists them")
    group.add_argument("--cores", metavar="N", type=_positive, help="use N cores")
    group.add_argument(
        "--engines", metavar="NAMES", help="use these engines of the chip only, such as cluster"
    )
    group.add_argument("--l1", metavar="BYTES", type=byte_count, help="size of memory L1")
    group.add_argument("--l2", metavar="BYTES", type=byte_count, help="size of memory L2")
    group.add_argument(
        "--memory",
        metavar="NAME=BYTES",
        type=_memory_size,
        action="append",
        default=[],
        help="size of another memory (repeatable)",
    )
    group.add_argument(
        "--no-residents",
        dest="residents",
        action="store_false",
        help="keep no constants and no caches in L1 from one inference to the next",
    )


def _add_plan_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("plan")
    group.add_argument(
        "--buffers",
        choices=["1", "2", "auto"],
        default="auto",
        help="buffers for each tile that moves: 2 overlap transfers with computation",
    )
    group.add_argument(
        "--objective",
        choices=["latency", "memory"],
        default="latency",
        help="what to minimise: cycles, or bytes at the peak",
    )
    group.add_argument(
        "--policy",
        choices=["best", "accelerated", "layerwise"],
        default="best",
        help="plan as simpler compilers do, to compare: accelerators wherever they can, or "
        "nothing kept in L1 from layer to layer",
    )
    group.add_argument("--solver", choices=["highs", "cbc"], default="highs")
    group.add_argument(
        "--max-seconds",
        metavar="S",
        type=seconds,
        default=60.0,
        help="stop the solver after S seconds (default 60)",
    )
    group.add_argument(
        "-p",
        "--pipeline",
        metavar="PASSES",
        help="run these passes instead of the standard pipeline, as in deeploy-opt",
    )


def _add_data_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("data")
    group.add_argument(
        "--input-type",
        metavar="NAME=TYPE",
        type=_input_type,
        action="append",
        default=[],
        help="element type of an input, for instance input=ui8 (repeatable)",
    )
    group.add_argument("--inputs", metavar="X.npz", type=Path, help="values of the inputs")
    group.add_argument("--expect", metavar="Y.npz", type=Path, help="values of the outputs")


def _add_insight_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("insight")
    group.add_argument(
        "--dump-ir", metavar="DIR", type=Path, help="write the IR after each pass to DIR"
    )
    group.add_argument(
        "--check-semantics",
        action="store_true",
        help="run the module before and after each pass, and compare",
    )
    group.add_argument(
        "--verify-each",
        action="store_true",
        help="verify the IR after each pass, instead of before the first and after the last one",
    )
    group.add_argument("--timing", action="store_true", help="print a table of times to stderr")
    group.add_argument(
        "--report", action="store_true", help="print nests and a map of the memories to stderr"
    )
    group.add_argument("--json", action="store_true", help="print one JSON object to stdout")
    group.add_argument(
        "--print-pipeline",
        action="store_true",
        help="print the passes, for deeploy-opt -p, and exit",
    )


def read_options(
    args: argparse.Namespace, atol: float = TOLERANCE, positions: tuple[int, ...] = ()
) -> CompileOptions:
    """The options of a command line.

    Raises:
        UsageError: something is missing, or is said twice.
    """
    if args.model is None:
        raise UsageError("the argument MODEL.onnx is missing", "see --help")
    if args.expect is not None and args.inputs is None:
        raise UsageError("--expect needs --inputs")
    if args.output is not None and args.output.exists() and not args.output.is_dir():
        raise UsageError(f"argument -o: '{args.output}' is there and is no folder")
    return CompileOptions(
        model=Path(args.model),
        target=_required_target(args),
        cores=args.cores,
        engines=tuple(args.engines.split(",")) if args.engines else (),
        sizes=memory_sizes(args),
        residents=args.residents,
        buffers=args.buffers,
        objective=args.objective,
        policy=args.policy,
        solver=args.solver,
        max_seconds=args.max_seconds,
        pipeline=args.pipeline,
        input_types=_unique("--input-type", args.input_type),
        inputs=args.inputs,
        expect=args.expect,
        dump_ir=args.dump_ir,
        check_semantics=args.check_semantics,
        verify_each=args.verify_each,
        timing=args.timing,
        report=args.report,
        json=args.json,
        output=args.output,
        stateful=args.stateful,
        positions=positions,
        atol=atol,
    )


def _required_target(args: argparse.Namespace) -> str:
    from deeploy import registry

    if args.target is None:
        known = ", ".join(registry.names(registry.TARGETS))
        raise UsageError("the option --target is missing", f"known targets: {known}")
    return args.target


def _unique(option: str, pairs: Iterable[tuple[str, Value]]) -> dict[str, Value]:
    """The pairs of an option that may be repeated, but not for the same name."""
    found: dict[str, Value] = {}
    for name, value in pairs:
        if name in found:
            raise UsageError(f"{option} is given twice for '{name}'")
        found[name] = value
    return found


def memory_sizes(args: argparse.Namespace) -> dict[str, int]:
    """The sizes from `--l1`, `--l2` and `--memory`, in bytes by name of the memory."""
    short = [(name, size) for name, size in (("L1", args.l1), ("L2", args.l2)) if size is not None]
    return _unique("--memory", [*short, *args.memory])


def resolve_target(options: CompileOptions) -> Target:
    """The target with the sizes and cores of the command line.

    Raises:
        UsageError: there is no such target or memory, or it cannot have so many cores.
    """
    from xdsl.utils.exceptions import PassFailedException

    from deeploy.passes.graph.set_target import SetTargetPass

    sizes = tuple(f"{name}={size}" for name, size in options.sizes.items())
    try:
        return SetTargetPass(
            options.target, options.cores, options.engines, sizes, options.residents
        ).resolve()
    except (DeeployError, PassFailedException) as error:
        raise UsageError(summary(error)) from None


def pipeline_spec(options: CompileOptions) -> str:
    """The passes to run, as text."""
    from deeploy.pipelines import standard_pipeline

    if options.pipeline is not None:
        return options.pipeline
    return standard_pipeline(
        options.target,
        cores=options.cores,
        engines=options.engines,
        sizes=options.sizes,
        residents=options.residents,
        buffers=options.buffers,
        objective=options.objective,
        policy=options.policy,
        solver=options.solver,
        max_seconds=options.max_seconds,
    )


def print_spec(args: argparse.Namespace) -> str:
    """The passes of a command line that need not name a model.

    Raises:
        UsageError: there is no such target or memory.
    """
    options = read_options(argparse.Namespace(**{**vars(args), "model": args.model or ""}))
    resolve_target(options)
    return pipeline_spec(options)
