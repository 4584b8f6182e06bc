"""`deeploy explain`: which engine runs each node, why, and what the others would take."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from typing import TYPE_CHECKING

from deeploy.commands.options import add_compile_options, print_spec, read_options
from deeploy.diagnostics import UsageError

if TYPE_CHECKING:
    from deeploy.commands.options import Subparsers
    from deeploy.report.explain import Explanation


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Declare the command."""
    parser = commands.add_parser(
        "explain",
        help="tell why each node runs on its engine",
        description="Plans an ONNX network and prints, for each nest, the engine that runs it, "
        "what the other engines would take, or why they decline.",
        allow_abbrev=False,
    )
    add_compile_options(parser, output=False)
    return parser


def run(args: argparse.Namespace) -> int:
    """Print the explanation of a network, or the passes that would compile it."""
    if args.print_pipeline:
        print(print_spec(args))
        return 0
    rows = _explain(args)
    if args.json:
        print(json.dumps([row.as_json() for row in rows]))
        return 0
    from deeploy.report.console import make_console
    from deeploy.report.explain import explanation_table

    make_console().print(explanation_table(rows))
    print("Cycles of cluster kernels are derived from their inner loops, not measured on a core.")
    return 0


def _explain(args: argparse.Namespace) -> list[Explanation]:
    """Explain in front of the plan; then plan, and note what was taken."""
    from xdsl.universe import Universe

    from deeploy.commands.driver import Compiler, progress
    from deeploy.commands.options import pipeline_spec
    from deeploy.context import make_context
    from deeploy.functions import functions_of
    from deeploy.instrumentation.pipeline import parse_passes, run_pipeline
    from deeploy.passes.tiled.plan import PlanPass
    from deeploy.planner.extract import nests_of
    from deeploy.report.explain import explain
    from deeploy.report.nests import engines_of

    options = read_options(args)
    passes = parse_passes(Universe.get_multiverse().all_passes, pipeline_spec(options))
    at = next((i for i, p in enumerate(passes) if isinstance(p, PlanPass)), None)
    if at is None:
        raise UsageError("the pipeline has no pass 'plan'", "there is nothing to explain")
    plan = passes[at]
    assert isinstance(plan, PlanPass)
    with progress() as shown:
        compiler = Compiler(options, None, shown)
        ctx = make_context()
        module = compiler.load(ctx)
        run_pipeline(ctx, module, passes[:at], [shown], verification="ends")
        rows = explain(module, plan.buffers)
        run_pipeline(ctx, module, [plan], [shown])
    nests = [nest for function in functions_of(module) for nest in nests_of(function)]
    taken: list[Explanation] = []
    for row, nest in zip(rows, nests, strict=True):
        ops = tuple(op.name for op in nest.body_ops())
        way = next(
            i for i, w in enumerate(row.ways) if (w.engines, w.ops) == (engines_of(nest), ops)
        )
        cycles = None if nest.cycles is None else nest.cycles.value.data
        taken.append(replace(row, taken=way, cycles=cycles))
    return taken
