"""Plays a lowered program as discrete events: how long it takes, who works and who waits.

Kernels cost what their engine says, transfers what `deeploy/costs.py` says. Nothing is executed, so
a network takes about as long to simulate as it has tiles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp

from deeploy.diagnostics import DeeployError, fail
from deeploy.dialects.graph import GraphOp
from deeploy.dialects.tiled import NestOp
from deeploy.functions import position_of, positions_in
from deeploy.instrumentation.semantics import entry_function
from deeploy.report.memory import find_buffers
from deeploy.report.nests import NestInfo
from deeploy.simulate.machine import Machine, Tally
from deeploy.simulate.nests import nests_in, owners
from deeploy.simulate.program import run
from deeploy.simulate.result import NestResult, Simulation
from deeploy.targets import target_of


def simulate(
    module: ModuleOp, nests: Sequence[NestInfo] | None = None, position: int | None = None
) -> Simulation:
    """Play the network of a module once.

    Args:
        module: after the standard pipeline.
        nests: as they were planned, in order; without them they are found by their ONNX nodes, and
            nothing is known about the plan.
        position: how many rows the caches hold, if they grow; the most without it.

    Raises:
        PassFailedException: the module has no target or is not lowered, or a size in it is no index
            arithmetic.
        DeeployError: it has no function, or not such a position.
    """
    target, function = target_of(module), entry_function(module)
    for op in function.body.block.ops:
        if isinstance(op, NestOp | GraphOp):
            fail(op, "the program is not lowered", "run the standard pipeline first")
    known = nests_in(function) if nests is None else nests
    machine = Machine(target, [Tally() for _ in known])
    run(function, machine, owners(function, known, target.compute), _checked(function, position))
    if nests is None:
        pairs = zip(known, machine.tallies, strict=True)
        known = [replace(info, tile=tally.sizes if info.extents else ()) for info, tally in pairs]
    results = map(NestResult, known, machine.tallies)
    buffers = find_buffers(function, known, target)
    return Simulation(target, tuple(results), tuple(machine.events), machine.now, tuple(buffers))


def _checked(function: FuncOp, position: int | None) -> int:
    """The position at which a function is played."""
    count = 1 if position_of(function) is None else positions_in(function)
    if position is None:
        return count - 1
    if not 0 <= position < count:
        raise DeeployError(f"there is no position {position}", f"0 to {count - 1} are possible")
    return position
