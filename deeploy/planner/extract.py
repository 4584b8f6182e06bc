"""From IR to a planning problem: tensors with lifetimes, nests with candidates."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from xdsl.dialects import func
from xdsl.ir import Operation, SSAValue

from deeploy.diagnostics import describe, fail, node_name
from deeploy.dialects.graph import ConstantOp, GraphOp, ReshapeOp, element_type
from deeploy.dialects.mem import element_bytes
from deeploy.dialects.tiled import AlternativesOp, NestOp
from deeploy.engines import engine_of, kernel_of
from deeploy.functions import returned_values, tensor_arguments
from deeploy.interfaces.nest_space import NestSpace
from deeploy.interfaces.tiling import shape_of
from deeploy.planner.candidates import Operand, enumerate_candidates
from deeploy.planner.layout import in_place_values
from deeploy.planner.problem import Candidate, Problem, Space, Step, Tensor, align_up
from deeploy.targets import Link, Target

StepOp: TypeAlias = NestOp | AlternativesOp
"""What is one step of the schedule."""


@dataclass(frozen=True)
class Extracted:
    """A problem and what its numbers stand for: `values[i]` is tensor i, `steps[n]` is step n."""

    problem: Problem
    values: tuple[SSAValue, ...]
    steps: tuple[StepOp, ...]


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


def steps_of(function: func.FuncOp) -> list[StepOp]:
    """What a function runs, in order; checks that there is nothing else.

    Raises:
        PassFailedException: for an op that is not in a nest.
    """
    steps: list[StepOp] = []
    for op in function.body.block.ops:
        if isinstance(op, StepOp):
            steps.append(op)
        elif not isinstance(op, ConstantOp | ReshapeOp | func.ReturnOp):
            fail(op, "the op is in no nest", "run 'place' and 'form-nests' first")
    return steps


def nests_of(function: func.FuncOp) -> list[NestOp]:
    """The nests of a function; checks that there is nothing else to run.

    Raises:
        PassFailedException: for an op that is not in a nest, and for alternatives.
    """
    nests: list[NestOp] = []
    for step in steps_of(function):
        if not isinstance(step, NestOp):
            fail(step, "none of the alternatives has been taken", "run 'plan' first")
        nests.append(step)
    return nests


def ways_of(step: StepOp) -> list[NestOp]:
    """The nests of which a step runs one."""
    return [step] if isinstance(step, NestOp) else step.nests()


def extract(function: func.FuncOp, target: Target, buffers: int | None) -> Extracted:
    """The planning problem of a function whose ops are nests.

    Raises:
        PassFailedException: if it has other ops, or a nest that cannot be planned.
    """
    ops = steps_of(function)
    values, tensors = find_tensors(function, ops, target)
    indices = {value: i for i, value in enumerate(values)}
    builder = StepBuilder(indices, tensors, target, buffers)
    steps = [builder.step(op) for op in ops]
    compute = target.memory(target.compute)
    others = [m for m in target.memories if m.name != target.compute]
    spaces = [
        Space(m.name, m.size // m.align * m.align, m.align, rate(target, m.name))
        for m in (compute, *others)
    ]
    problem = Problem(tuple(tensors), tuple(steps), tuple(spaces))
    return Extracted(problem, tuple(values), tuple(ops))


def rate(target: Target, memory: str) -> float:
    """Bytes per cycle between a memory and the compute memory; 0 where nothing moves."""
    if target.is_direct(memory):
        return 0.0
    return target.link(target.compute, memory).bytes_per_cycle


def find_tensors(
    function: func.FuncOp, steps: Sequence[StepOp], target: Target
) -> tuple[list[SSAValue], list[Tensor]]:
    """All tensors with lifetimes, in order of definition."""
    end = len(steps) - 1
    returned = {root_of(v) for v in returned_values(function)}
    last_use: dict[SSAValue, int] = {}
    for n, step in enumerate(steps):
        for operand in (v for nest in ways_of(step) for v in nest.inputs):
            last_use[root_of(operand)] = n
    writable = [m.name for m in target.memories if m.activations]
    values: list[SSAValue] = []
    tensors: list[Tensor] = []

    def add(value: SSAValue, first: int, last: int, homes: list[str]) -> None:
        align = max(target.memory(m).align for m in homes)
        name = value.name_hint or f"t{len(values)}"
        size = align_up(tensor_bytes(value), align)
        near = next((m for m in homes if target.memory(m).engine), "")
        values.append(value)
        tensors.append(Tensor(name, size, first, last, tuple(homes), near, is_optional(value)))

    for arg in tensor_arguments(function):
        last = end if arg in returned else last_use.get(arg, 0)
        add(arg, 0, max(0, last), [target.io])
    constants = [op for op in function.body.block.ops if isinstance(op, ConstantOp)]
    for op in constants:
        reader = direct_reader(op.result)
        homes = [m.name for m in target.memories if m.constants and m.engine in ("", reader)]
        add(op.result, 0, max(0, end), homes)
    for n, step in enumerate(steps):
        for result in step.results:
            if root_of(result) is not result:
                continue
            homes = [target.io] if result in returned else writable
            last = end if result in returned else last_use.get(result, n)
            add(result, n, last, homes)
    return values, tensors


def is_optional(value: SSAValue) -> bool:
    """Whether a constant is only used by alternatives, so that none may need it."""
    return isinstance(value.owner, ConstantOp) and all(
        isinstance(use.operation.parent_op(), AlternativesOp) for use in value.uses
    )


def direct_reader(constant: SSAValue) -> str:
    """The engine that can read a constant from a memory of its own; "" if there is none."""
    readers = {
        reader_of(use.operation, use.index)
        for use in constant.uses
        if not isinstance(use.operation, func.ReturnOp)
    }
    return readers.pop() if len(readers) == 1 else ""


def reader_of(nest: Operation, index: int) -> str:
    """The engine that reads an input of a nest directly; "" if it moves through tiles."""
    if not isinstance(nest, NestOp):
        return ""
    use = next(iter(nest.body.block.args[index].uses))
    op = use.operation
    assert isinstance(op, GraphOp), "its verifier checks that"
    return engine_of(op).name if use.index in kernel_of(op).direct_operands(op) else ""


def tensor_bytes(value: SSAValue) -> int:
    """Bytes of a tensor value."""
    return math.prod(shape_of(value)) * element_bytes(element_type(value))


@dataclass(frozen=True)
class Role:
    """How an operand of a nest takes part in the plan, in terms of the nest alone.

    `position` counts inputs and results. `tensor` is the first position at which the same tensor
    stands, where its home may be the one where it is used, else None. `link` is the one over which
    its tiles move; `is_direct` if an engine reads it from a memory of its own instead, `in_place`
    if it is read wherever it lies.
    """

    position: int
    tensor: int | None
    link: Link
    is_direct: bool
    in_place: bool


class StepBuilder:
    """Makes steps; nests of one structure and equal roles share the search for candidates."""

    def __init__(
        self,
        indices: dict[SSAValue, int],
        tensors: list[Tensor],
        target: Target,
        buffers: int | None,
    ) -> None:
        self.indices = indices
        self.tensors = tensors
        self.target = target
        self.buffers = buffers
        self.known: dict[Hashable, tuple[Candidate, ...]] = {}
        """Candidates by structure and roles; their tensors are positions."""

    def step(self, op: StepOp) -> Step:
        """A step with the candidates of all its ways."""
        candidates: list[Candidate] = []
        ways: list[frozenset[int]] = []
        operands: dict[int, int] = {}
        for way, nest in enumerate(ways_of(op)):
            users = [self.indices[root_of(v)] for v in outer_values(nest)]
            roles = self.roles(nest, users)
            candidates += [
                replace(c, way=way, resident=frozenset(users[p] for p in c.resident))
                for c in self.candidates(nest, roles)
            ]
            optional = {i for i in users if self.tensors[i].optional}
            free = {users[role.tensor] for role in roles if role.tensor is not None}
            ways.append(frozenset(optional | free))
            operands.update({i: users.count(i) for i in users})
        first = ways_of(op)[0]
        name = node_name(op) or node_name(first) or describe(first.root())
        counted = tuple(i for i, count in operands.items() for _ in range(count))
        return Step(name, frozenset[int]().union(*ways), tuple(candidates), counted, tuple(ways))

    def roles(self, nest: NestOp, operands: list[int]) -> tuple[Role, ...]:
        """The roles of all operands with tiles of their own."""
        target, tied = self.target, nest.tied_input()
        in_place = [nest.body.block.args.index(v) for v in in_place_values(nest)]
        roles: list[Role] = []
        for position, index in enumerate(operands):
            if position == tied:
                continue
            homes = self.tensors[index].homes
            far = next((m for m in homes if not target.is_direct(m)), target.compute)
            free = far != target.compute and any(target.is_direct(m) for m in homes)
            tensor = operands.index(index) if free else None
            link, is_direct = target.link(target.compute, far), bool(self.tensors[index].near)
            roles.append(Role(position, tensor, link, is_direct, position in in_place))
        return tuple(roles)

    def candidates(self, nest: NestOp, roles: tuple[Role, ...]) -> tuple[Candidate, ...]:
        """The candidates of a nest; their tensors are positions."""
        key = nest.structure(), roles
        if key not in self.known:
            space = NestSpace.of(nest)
            inner = (*nest.body.block.args, *nest.root().results)
            operands = [
                Operand(value, space.values[value], r.tensor, r.link, r.is_direct, r.in_place)
                for r in roles
                for value in [inner[r.position]]
            ]
            self.known[key] = enumerate_candidates(nest, operands, self.target, self.buffers)
        return self.known[key]


def outer_values(nest: NestOp) -> list[SSAValue]:
    """What a nest reads and computes, outside of it."""
    step = nest.parent_op()
    results = step.results if isinstance(step, AlternativesOp) else nest.results
    return [*nest.inputs, *results]
