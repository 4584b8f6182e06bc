"""Why each nest runs where it does: what every engine would take, or why it declines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from rich.table import Table
from xdsl.dialects.builtin import DictionaryAttr, ModuleOp, StringAttr

from deeploy.dialects.graph import GraphOp
from deeploy.dialects.tiled import NestOp
from deeploy.engines import DECLINED
from deeploy.functions import functions_of
from deeploy.planner.extract import extract, ways_of
from deeploy.planner.policy import restrict
from deeploy.planner.problem import Problem, Step
from deeploy.report.console import number
from deeploy.report.nests import engines_of
from deeploy.report.tables import make_table
from deeploy.targets import target_of


@dataclass(frozen=True)
class Way:
    """One way to run a nest: its engines, its ops, and the fewest estimated cycles; None where no
    tile fits into the compute memory."""

    engines: tuple[str, ...]
    ops: tuple[str, ...]
    cycles: int | None


@dataclass(frozen=True)
class Explanation:
    """The ways of one nest, why other engines decline its ops, and, behind the plan, which way was
    taken and what it costs there."""

    node: str
    ways: tuple[Way, ...]
    declined: Mapping[str, str]
    taken: int | None = None
    cycles: int | None = None

    def as_json(self) -> dict[str, object]:
        """The row as a JSON object."""
        return asdict(self)


def way_of(nest: NestOp, index: int, problem: Problem, step: Step) -> Way:
    """What a nest costs at best, whatever else lies in memory."""
    fitting = [
        c.cycles for c in step.candidates if c.way == index and c.scratch <= problem.compute.size
    ]
    ops = tuple(op.name for op in nest.body_ops())
    return Way(engines_of(nest), ops, min(fitting, default=None))


def declined_of(ops: Sequence[GraphOp]) -> dict[str, str]:
    """Why engines decline ops: by engine, reasons in order, each once."""
    reasons: dict[str, dict[str, None]] = {}
    for op in ops:
        attr = op.attributes.get(DECLINED)
        for engine, reason in attr.data.items() if isinstance(attr, DictionaryAttr) else ():
            assert isinstance(reason, StringAttr)
            reasons.setdefault(engine, {})[reason.data] = None
    return {engine: "; ".join(texts) for engine, texts in reasons.items()}


def explain(module: ModuleOp, buffers: int | None) -> list[Explanation]:
    """Explain a module whose nests are not planned yet.

    Raises:
        PassFailedException: it has no target, or ops outside of nests.
    """
    rows: list[Explanation] = []
    for function in functions_of(module):
        extracted = extract(function, target_of(module))
        problem = restrict(extracted.problem, "best", buffers)
        for op, step in zip(extracted.steps, problem.steps, strict=True):
            nests = ways_of(op)
            ways = [way_of(nest, i, problem, step) for i, nest in enumerate(nests)]
            rows.append(Explanation(step.name, tuple(ways), declined_of(nests[0].body_ops())))
    return rows


def explanation_table(rows: Sequence[Explanation]) -> Table:
    """One line for each way of each nest; the one taken is marked."""
    table = make_table(None, "", "node", "engine", "ops", "cycles", "why not", right=("", "cycles"))
    for index, row in enumerate(rows):
        for i, way in enumerate(row.ways):
            taken = i == row.taken
            cycles = row.cycles if taken else way.cycles
            table.add_row(
                "" if i else str(index),
                "" if i else row.node,
                f"{'▸' if taken else ' '} {'+'.join(way.engines)}",
                "+".join(name.removeprefix("graph.") for name in way.ops),
                "does not fit" if cycles is None else number(cycles),
                "" if i else "; ".join(f"{k}: {v}" for k, v in row.declined.items()),
            )
    return table
