"""The target `c`: prints `network.c` of a lowered module."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.utils.target import Target

from deeploy.emit.network import emit_network


@dataclass(frozen=True)
class CTarget(Target):
    """Print a lowered module as C."""

    name: ClassVar[str] = "c"

    def emit(self, ctx: Context, module: ModuleOp, output: IO[str]) -> None:
        output.write(emit_network(ctx, module).source)
