"""lower-npu: jobs of an accelerator become what a driver does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.transforms.common_subexpression_elimination import cse

from deeploy.dialects.npu import StartOp
from deeploy.engines import driver_of
from deeploy.targets import target_of


@dataclass(frozen=True)
class LowerNpuPass(ModulePass):
    """Acquire a context, write its registers and trigger, for each job of each `npu.start`."""

    name: ClassVar[str] = "lower-npu"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        starts = [start for start in op.walk() if isinstance(start, StartOp)]
        if not starts:
            return
        target = target_of(op)
        for start in starts:
            driver_of(start).lower(start, target)
        cse(op)
