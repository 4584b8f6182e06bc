"""place: choose an engine for every graph op."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import DictionaryAttr, ModuleOp, StringAttr
from xdsl.passes import ModulePass

from deeploy.diagnostics import fail
from deeploy.dialects.graph import GraphOp
from deeploy.dialects.tiled import NestOp
from deeploy.engines import DECLINED, ENGINE, find_engine
from deeploy.targets import target_of


@dataclass(frozen=True)
class PlacePass(ModulePass):
    """Give each op the first engine of the target that takes it; keep why the others declined."""

    name: ClassVar[str] = "place"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        engines = [find_engine(name) for name in target_of(op).engines]
        for graph_op in op.walk():
            if not isinstance(graph_op, GraphOp) or isinstance(graph_op.parent_op(), NestOp):
                continue
            reasons: dict[str, str] = {}
            for engine in engines:
                reason = engine.declines(graph_op)
                if reason is None:
                    graph_op.attributes[ENGINE] = StringAttr(engine.name)
                    break
                reasons[engine.name] = reason
            else:
                listed = ", ".join(f"{name}: {why}" for name, why in reasons.items())
                fail(graph_op, f"no engine of the target takes this op ({listed})")
            if reasons:
                graph_op.attributes[DECLINED] = DictionaryAttr(
                    {name: StringAttr(why) for name, why in reasons.items()}
                )
