"""From IR to a planning problem: tensors with lifetimes, nests with candidates."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from math import ceil
from typing import TypeAlias

from xdsl.dialects import func
from xdsl.ir import SSAValue

from deeploy.costs import transfer_cycles
from deeploy.diagnostics import describe, fail, node_name
from deeploy.dialects.graph import STATE, ConstantOp, ReshapeOp
from deeploy.dialects.tiled import AlternativesOp, NestOp
from deeploy.functions import argument_attributes, returned_values, tensor_arguments
from deeploy.interfaces.nest_space import NestSpace
from deeploy.planner.candidates import enumerate_candidates
from deeploy.planner.concurrency import Schedule, hide_jobs
from deeploy.planner.estimate import Surroundings, shortest_cycles, whole_cycles
from deeploy.planner.homes import (
    constant_groups,
    homes_of_constants,
    homes_of_state,
    padded_bytes,
    tensor_bytes,
)
from deeploy.planner.layout import in_place_values
from deeploy.planner.problem import LOOKAHEAD, Candidate, Problem, Space, Step, Tensor
from deeploy.planner.traffic import Operand
from deeploy.targets import Link, Target

StepOp: TypeAlias = NestOp | AlternativesOp
"""What is one step of the schedule."""


@dataclass(frozen=True)
class Extracted:
    """A problem and what its numbers stand for: `values[i]` are what lies one behind the other in
    tensor i, usually a single one, and `steps[n]` is step n."""

    problem: Problem
    values: tuple[tuple[SSAValue, ...], ...]
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


def extract(function: func.FuncOp, target: Target) -> Extracted:
    """The planning problem of a function whose ops are nests.

    Raises:
        PassFailedException: if it has other ops, or a nest that cannot be planned.
    """
    ops = steps_of(function)
    values, tensors = find_tensors(function, ops, target)
    indices = {value: i for i, group in enumerate(values) for value in group}
    schedule = Schedule(
        ways=[ways_of(op) for op in ops],
        reads=[frozenset(root_of(v) for n in ways_of(op) for v in n.inputs) for op in ops],
        writes=[frozenset(map(root_of, op.results)) for op in ops],
    )
    builder = StepBuilder(indices, tensors, target, schedule)
    steps = hide_jobs([builder.step(n, op) for n, op in enumerate(ops)], schedule, target)
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
) -> tuple[list[tuple[SSAValue, ...]], list[Tensor]]:
    """All tensors with lifetimes, in order of definition, and the values that each stands for."""
    end = max(0, len(steps) - 1)
    returned = {root_of(v) for v in returned_values(function)}
    last_use: dict[SSAValue, int] = {}
    for n, step in enumerate(steps):
        for operand in (v for nest in ways_of(step) for v in nest.inputs):
            last_use[root_of(operand)] = n
    writable = [m.name for m in target.memories if m.activations]
    values: list[tuple[SSAValue, ...]] = []
    tensors: list[Tensor] = []

    def add(
        group: Sequence[SSAValue], first: int, last: int, homes: list[str], lasting: bool = False
    ) -> None:
        name = group[0].name_hint or f"t{len(values)}"
        size = sum(padded_bytes(value, homes, target) for value in group)
        near = next((m for m in homes if target.memory(m).engine), "")
        optional = is_optional(group[0])
        values.append(tuple(group))
        tensors.append(Tensor(name, size, first, last, tuple(homes), near, optional, lasting))

    for arg in tensor_arguments(function):
        if arg in returned and STATE in argument_attributes(function, arg.index):
            add([arg], 0, end, homes_of_state(arg, target), lasting=True)
        else:
            last = end if arg in returned else last_use.get(arg, 0)
            add([arg], 0, last, [target.io])
    groups = constant_groups(function)
    for group, homes in zip(groups, homes_of_constants(groups, target), strict=True):
        add(group, 0, end, homes, lasting=True)
    for n, step in enumerate(steps):
        for result in step.results:
            if root_of(result) is not result:
                continue
            homes = [target.io] if result in returned else writable
            last = end if result in returned else last_use.get(result, n)
            add([result], n, last, homes)
    return values, tensors


def is_optional(value: SSAValue) -> bool:
    """Whether a constant is only used by alternatives, so that none may need it."""
    return isinstance(value.owner, ConstantOp) and all(
        isinstance(use.operation.parent_op(), AlternativesOp) for use in value.uses
    )


@dataclass(frozen=True)
class Role:
    """How an operand of a nest takes part in the plan, in terms of the nest alone.

    `position` counts inputs and results. `tensor` is the first position at which the same tensor
    stands, where its home may be the one where it is used, else None. The others are those of
    `Operand`.
    """

    position: int
    tensor: int | None
    link: Link | None
    stays: bool
    is_direct: bool
    in_place: bool
    rank: int | None
    apart: int


class StepBuilder:
    """Makes steps; nests of one structure and equal roles share the search for candidates."""

    def __init__(
        self,
        indices: dict[SSAValue, int],
        tensors: list[Tensor],
        target: Target,
        schedule: Schedule,
    ) -> None:
        self.indices = indices
        self.tensors = tensors
        self.target = target
        self.schedule = schedule
        self.known: dict[Hashable, tuple[Candidate, ...]] = {}
        """Candidates by structure and roles; their tensors are positions."""
        self.computing = [
            min(shortest_cycles(nest, target.cores) for nest in nests) for nests in schedule.ways
        ]
        """For each step, cycles in which something computes whatever is chosen."""
        self.room = target.memory(target.compute).size
        self.whole: list[int] = []
        """For each step so far, the fewest bytes of its tiles if they are not cut."""
        self.idle = list(self.computing)
        """Those of them in which the DMA can still load something for later steps."""

    def step(self, n: int, op: StepOp) -> Step:
        """Step n with the candidates of all its ways."""
        candidates: list[Candidate] = []
        ways: list[frozenset[int]] = []
        operands: dict[int, int] = {}
        for way, nest in enumerate(ways_of(op)):
            roots = [root_of(v) for v in outer_values(nest)]
            users = [self.indices[v] for v in roots]
            roles = self.roles(n, nest, users)
            candidates += [
                replace(
                    c,
                    way=way,
                    resident=frozenset(users[p] for p in c.resident),
                    direct=frozenset(users[p] for p in c.direct),
                )
                for c in self.candidates(nest, roles, self.around(n, nest, roles))
            ]
            optional = {i for i in users if self.tensors[i].optional}
            free = {users[role.tensor] for role in roles if role.tensor is not None}
            ways.append(frozenset(optional | free))
            # constants that lie together are read once each
            operands.update({self.indices[v]: roots.count(v) for v in roots})
        candidates = [self.in_time(n, c) for c in candidates]
        self.whole.append(
            min((c.scratch for c in candidates if not c.order), default=self.room + 1)
        )
        self.reserve(n, candidates)
        first = ways_of(op)[0]
        name = node_name(op) or node_name(first) or describe(first.root())
        counted = tuple(i for i, count in operands.items() for _ in range(count))
        return Step(name, frozenset[int]().union(*ways), tuple(candidates), counted, tuple(ways))

    def around(self, n: int, nest: NestOp, roles: Sequence[Role]) -> Surroundings:
        """What the steps around step n hide; no more than a nest may need."""
        needed = sum(
            ceil(transfer_cycles(role.link, 1, tensor_bytes(outer_values(nest)[role.position])))
            for role in roles
            if role.link is not None
        )
        before, behind = reversed(self.idle[max(n - LOOKAHEAD, 0) : n]), self.computing[n + 1 :]
        return Surroundings(
            tuple(min(needed, c) for c in accumulate(before, initial=0)),
            tuple(min(needed, c) for c in accumulate(behind[:LOOKAHEAD], initial=0)),
        )

    def in_time(self, n: int, candidate: Candidate) -> Candidate:
        """A candidate of step n, without early loads if these can have no room: a step during which
        they go on has its own tiles in the same memory, and is no loop, which would wait for them.
        """
        early = candidate.early
        for m in reversed(range(max(n - LOOKAHEAD, 0), n)):
            if early > 0 and candidate.scratch + self.whole[m] > self.room:
                return replace(candidate, cycles=candidate.cycles + candidate.early, early=0)
            early -= self.idle[m]
        return candidate

    def reserve(self, n: int, candidates: Sequence[Candidate]) -> None:
        """Take what step n may load early from the steps before it, the nearest first, so that
        later ones do not count on the same cycles."""
        early = max(c.early for c in candidates)
        for i in reversed(range(max(n - LOOKAHEAD, 0), n)):
            taken = min(early, self.idle[i])
            self.idle[i] -= taken
            early -= taken

    def roles(self, n: int, nest: NestOp, operands: list[int]) -> tuple[Role, ...]:
        """The roles of all operands with tiles of their own, or with a choice of homes."""
        target, tied = self.target, nest.tied_input()
        lasting = {operands.index(i): self.tensors[i] for i in operands if self.tensors[i].lasting}
        ranks = sorted(lasting, key=lambda position: (lasting[position].size, position))
        in_place = [nest.body.block.args.index(v) for v in in_place_values(nest)]
        roles: list[Role] = []
        for position, index in enumerate(operands):
            tensor, first = self.tensors[index], operands.index(index)
            if position == tied or tensor.homes == (target.compute,):
                continue
            far = next((m for m in tensor.homes if not target.is_direct(m)), None)
            link = None if far is None else target.link(target.compute, far)
            stays, is_direct = target.compute in tensor.homes, bool(tensor.near)
            free = first if stays or is_direct else None
            rank = ranks.index(first) if first in lasting else None
            value, is_input = root_of(outer_values(nest)[position]), position < len(nest.inputs)
            apart = (self.schedule.since_written if is_input else self.schedule.until_used)(
                n, value
            )
            roles.append(
                Role(position, free, link, stays, is_direct, position in in_place, rank, apart)
            )
        return tuple(roles)

    def candidates(
        self, nest: NestOp, roles: tuple[Role, ...], around: Surroundings
    ) -> tuple[Candidate, ...]:
        """The candidates of a nest; their tensors are positions."""
        # numbers are no part of the structure, yet a kernel may need longer for larger ones
        whole = tuple(whole_cycles(op, self.target.cores) for op in nest.computing_ops())
        key = nest.structure(), whole, roles, around
        if key not in self.known:
            space = NestSpace.of(nest)
            inner = (*nest.body.block.args, *nest.root().results)
            operands = [
                Operand(
                    value,
                    space.values[value],
                    r.tensor,
                    r.link,
                    r.stays,
                    r.is_direct,
                    r.in_place,
                    r.rank,
                    r.apart,
                )
                for r in roles
                for value in [inner[r.position]]
            ]
            self.known[key] = enumerate_candidates(nest, space, operands, self.target, around)
        return self.known[key]


def outer_values(nest: NestOp) -> list[SSAValue]:
    """What a nest reads and computes, outside of it."""
    step = nest.parent_op()
    results = step.results if isinstance(step, AlternativesOp) else nest.results
    return [*nest.inputs, *results]
