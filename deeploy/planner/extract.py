"""From IR to a planning problem: tensors with lifetimes, nests with candidates."""

from __future__ import annotations

import math
from dataclasses import dataclass

from xdsl.dialects import func
from xdsl.ir import SSAValue

from deeploy.diagnostics import describe, fail, node_name
from deeploy.dialects.graph import ConstantOp, ReshapeOp, element_type
from deeploy.dialects.mem import element_bytes
from deeploy.dialects.tiled import NestOp
from deeploy.functions import returned_values
from deeploy.interfaces.nest_space import NestSpace
from deeploy.interfaces.tiling import shape_of
from deeploy.planner.candidates import Operand, enumerate_candidates
from deeploy.planner.problem import Problem, Space, Step, Tensor, align_up
from deeploy.targets import Target


@dataclass(frozen=True)
class Extracted:
    """A problem and what its numbers stand for: `values[i]` is tensor i, `nests[n]` is step n."""

    problem: Problem
    values: tuple[SSAValue, ...]
    nests: tuple[NestOp, ...]


def root_of(value: SSAValue) -> SSAValue:
    """The value whose bytes a value shares: reshapes move nothing, some nests work in place."""
    while True:
        match value.owner:
            case ReshapeOp(input=source):
                value = source
            case NestOp() as nest if (index := nest.tied_input()) is not None:
                value = nest.inputs[index]
            case _:
                return value


def nests_of(function: func.FuncOp) -> list[NestOp]:
    """The nests of a function; checks that there is nothing else to run.

    Raises:
        PassFailedException: for an op that is not in a nest.
    """
    nests: list[NestOp] = []
    for op in function.body.block.ops:
        if isinstance(op, NestOp):
            nests.append(op)
        elif not isinstance(op, ConstantOp | ReshapeOp | func.ReturnOp):
            fail(op, "the op is in no nest", "run 'place' and 'form-nests' first")
    return nests


def extract(function: func.FuncOp, target: Target, buffers: int | None) -> Extracted:
    """The planning problem of a function whose ops are nests.

    Raises:
        PassFailedException: if it has other ops, or a nest that cannot be planned.
    """
    nests = nests_of(function)
    values, tensors = find_tensors(function, nests, target)
    indices = {value: i for i, value in enumerate(values)}
    steps = [step_of(nest, indices, tensors, target, buffers) for nest in nests]
    compute = target.memory(target.compute)
    others = [m for m in target.memories if m.name != target.compute]
    spaces = [
        Space(m.name, m.size // m.align * m.align, m.align, rate(target, m.name))
        for m in (compute, *others)
    ]
    problem = Problem(tuple(tensors), tuple(steps), tuple(spaces))
    return Extracted(problem, tuple(values), tuple(nests))


def rate(target: Target, memory: str) -> float:
    """Bytes per cycle between a memory and the compute memory."""
    return 0.0 if memory == target.compute else target.link(target.compute, memory).bytes_per_cycle


def find_tensors(
    function: func.FuncOp, nests: list[NestOp], target: Target
) -> tuple[list[SSAValue], list[Tensor]]:
    """All tensors with lifetimes, in order of definition."""
    end = len(nests) - 1
    returned = {root_of(v) for v in returned_values(function)}
    last_use: dict[SSAValue, int] = {}
    for n, nest in enumerate(nests):
        for operand in nest.inputs:
            last_use[root_of(operand)] = n
    writable = [m.name for m in target.memories if m.activations]
    values: list[SSAValue] = []
    tensors: list[Tensor] = []

    def add(value: SSAValue, first: int, last: int, homes: list[str]) -> None:
        align = max(target.memory(m).align for m in homes)
        name = value.name_hint or f"t{len(values)}"
        values.append(value)
        tensors.append(
            Tensor(name, align_up(tensor_bytes(value), align), first, last, tuple(homes))
        )

    for arg in function.body.block.args:
        last = end if arg in returned else last_use.get(arg, 0)
        add(arg, 0, max(0, last), [target.io])
    constants = [op for op in function.body.block.ops if isinstance(op, ConstantOp)]
    for op in constants:
        add(op.result, 0, max(0, end), [m.name for m in target.memories if m.constants])
    for n, nest in enumerate(nests):
        for result in nest.results:
            if root_of(result) is not result:
                continue
            homes = [target.io] if result in returned else writable
            last = end if result in returned else last_use.get(result, n)
            add(result, n, last, homes)
    return values, tensors


def tensor_bytes(value: SSAValue) -> int:
    """Bytes of a tensor value."""
    return math.prod(shape_of(value)) * element_bytes(element_type(value))


def step_of(
    nest: NestOp,
    indices: dict[SSAValue, int],
    tensors: list[Tensor],
    target: Target,
    buffers: int | None,
) -> Step:
    """A nest with its candidates."""
    space = NestSpace.of(nest)
    inner = (*nest.body.block.args, *nest.root().results)
    outer = [root_of(v) for v in (*nest.inputs, *nest.results)]
    operands: list[Operand] = []
    for i, (value, tensor) in enumerate(zip(inner, outer, strict=True)):
        if i == nest.tied_input():
            continue
        homes = tensors[indices[tensor]].homes
        far = next((m for m in homes if m != target.compute), target.compute)
        free = target.compute in homes and len(homes) > 1
        index = indices[tensor] if free else None
        link = target.link(target.compute, far)
        operands.append(Operand(value, space.values[value], index, link))
    candidates = enumerate_candidates(nest, operands, target, buffers)
    used = frozenset(o.index for o in operands if o.index is not None)
    name = node_name(nest) or describe(nest.root())
    return Step(name, used, candidates, tuple(indices[tensor] for tensor in outer))
