"""check-plan: verify a plan, whoever made it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, StringAttr
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.passes import ModulePass

from deeploy.diagnostics import fail
from deeploy.dialects.graph import STATE, ConstantOp, tuple_of
from deeploy.dialects.mem import HOME, OFFSET
from deeploy.dialects.tiled import NestOp
from deeploy.functions import (
    argument_attributes,
    functions_of,
    owner_of,
    returned_values,
    tensor_arguments,
)
from deeploy.planner.extract import nests_of, root_of
from deeploy.planner.homes import homes_of_state, tensor_bytes
from deeploy.planner.layout import NestLayout
from deeploy.planner.packing import Block, Occupancy
from deeploy.targets import Target, target_of


@dataclass(frozen=True)
class CheckPlanPass(ModulePass):
    """Check that a plan is complete, that everything fits and that nothing overlaps."""

    name: ClassVar[str] = "check-plan"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        target = target_of(op)
        for function in functions_of(op):
            Checker(function, target).run()


@dataclass(frozen=True)
class Placed:
    """Bytes in a memory: what they hold, who made them, where, and from which to which step."""

    what: str
    owner: Operation
    memory: str
    offset: int
    block: Block


class Checker:
    """Checks the plan of one function."""

    def __init__(self, function: func.FuncOp, target: Target) -> None:
        self.function = function
        self.target = target
        self.nests = nests_of(function)
        self.homes: dict[SSAValue, str] = {}
        self.last_use: dict[SSAValue, int] = {}

    def run(self) -> None:
        """Check everything.

        Raises:
            PassFailedException: naming the first op whose plan is wrong.
        """
        for n, nest in enumerate(self.nests):
            for operand in nest.inputs:
                self.last_use[root_of(operand)] = n
        placed = [*self.arguments(), *self.constants(), *self.results()]
        placed += [self.scratch(n, nest) for n, nest in enumerate(self.nests)]
        for item in placed:
            self.check_bounds(item)
        for memory in self.target.memories:
            check_apart([item for item in placed if item.memory == memory.name])

    def arguments(self) -> Iterator[Placed]:
        """The inputs of the network."""
        returned = {root_of(v) for v in returned_values(self.function)}
        for arg in tensor_arguments(self.function):
            data = argument_attributes(self.function, arg.index)
            last = self.last_use.get(arg, 0)
            if arg in returned:
                last = max(0, len(self.nests) - 1)
            yield self.tensor(arg, data.get(HOME), data.get(OFFSET), 0, last)
            allowed = [self.target.io]
            if arg in returned and STATE in data:
                allowed = homes_of_state(arg, self.target)
            if self.homes[arg] not in allowed:
                fail(self.function, f"input {arg.index} must lie in {' or '.join(allowed)}")

    def constants(self) -> Iterator[Placed]:
        """The constants, which are always there."""
        for op in self.function.body.block.ops:
            if not isinstance(op, ConstantOp):
                continue
            home, offset = op.attributes.get(HOME), op.attributes.get(OFFSET)
            yield self.tensor(op.result, home, offset, 0, max(0, len(self.nests) - 1))
            if not self.target.memory(self.homes[op.result]).persistent:
                fail(op, f"{self.homes[op.result]} cannot hold constants")

    def results(self) -> Iterator[Placed]:
        """What the nests compute."""
        returned = {root_of(v) for v in returned_values(self.function)}
        for n, nest in enumerate(self.nests):
            offsets = tuple_of(nest.offsets) if nest.offsets else ()
            homes = tuple(nest.homes) if nest.homes else ()
            if not nest.is_planned() or not len(offsets) == len(homes) == len(nest.results):
                fail(nest, "the nest has no complete plan", "run 'plan' first")
            for result, home, offset in zip(nest.results, homes, offsets, strict=True):
                if root_of(result) is not result:
                    continue
                last = self.last_use.get(result, n)
                if result in returned:
                    last = len(self.nests) - 1
                yield self.tensor(result, home, IntegerAttr(offset, 64), n, last)
                if result in returned and self.homes[result] != self.target.io:
                    fail(nest, f"an output of the network must lie in {self.target.io}")
                if not self.target.memory(self.homes[result]).activations:
                    fail(nest, f"{self.homes[result]} cannot hold what a nest computes")

    def tensor(
        self,
        value: SSAValue,
        home: Attribute | None,
        offset: Attribute | None,
        first: int,
        last: int,
    ) -> Placed:
        """A tensor with its place."""
        owner = owner_of(value)
        name = value.name_hint or "a tensor"
        if not isinstance(home, StringAttr) or not isinstance(offset, IntegerAttr):
            fail(owner, f"'{name}' has no home and address", "run 'plan' first")
        self.homes[value] = home.data
        block = Block(tensor_bytes(value), first, last)
        return Placed(f"'{name}'", owner, home.data, offset.value.data, block)

    def scratch(self, n: int, nest: NestOp) -> Placed:
        """The tiles and kernel scratch of a nest."""
        assert nest.scratch is not None
        compute = self.target.compute
        inner = [*nest.body.block.args, *nest.root().results]
        resident: set[SSAValue] = set()
        for value, outer in zip(inner, [*nest.inputs, *nest.results], strict=True):
            home = self.homes[root_of(outer)]
            if self.target.is_direct(home):
                resident.add(value)
            else:
                self.target.link(compute, home)
        layout = NestLayout(nest, self.target)
        block = Block(layout.scratch_size(resident), n, n)
        return Placed("its tiles", nest, compute, nest.scratch.value.data, block)

    def check_bounds(self, item: Placed) -> None:
        """Check that something lies inside its memory, aligned."""
        memory = self.target.memory(item.memory)
        end = item.offset + item.block.size
        if item.offset < 0 or end > memory.size:
            fail(
                item.owner,
                f"{item.what} at {item.offset} to {end} of {memory.name} exceeds its "
                f"{memory.size} bytes",
            )
        if item.offset % memory.align:
            fail(item.owner, f"{item.what} at {item.offset} is not aligned to {memory.align}")


def check_apart(items: Sequence[Placed]) -> None:
    """Check that nothing overlaps what is in the same memory at the same time."""
    layout = Occupancy(len(items))
    for item in items:
        clash = layout.clash(item.block, item.offset)
        if clash is not None:
            other = items[clash]
            fail(
                item.owner,
                f"{item.what} at {item.offset} of {item.memory} overlaps {other.what} at "
                f"{other.offset}, which is in use at the same time",
            )
        layout.add(item.block, item.offset)
