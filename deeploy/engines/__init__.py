"""Engines: who can run a graph op, with which kernel, at what price.

An engine is an object with a table: how it runs each kind of graph op, what it declines, how much
scratch it needs and what it costs. Most are kernels in C; an accelerator may have ops of its own,
and conversions to them.

Another package adds an engine through the entry point group `deeploy.engines`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
from xdsl.dialects.builtin import Float32Type, IntegerType, Signedness, StringAttr
from xdsl.ir import Attribute, Operation, Region, SSAValue
from xdsl.utils.hints import isa

from deeploy import registry
from deeploy.diagnostics import fail
from deeploy.dialects.cluster import CallOp, YieldOp
from deeploy.dialects.graph import GraphOp
from deeploy.dialects.npu import QueueUser, StartOp
from deeploy.dialects.tiled import NestOp
from deeploy.interfaces.views import is_view, storage_of, strides_in_nest
from deeploy.resources import Array
from deeploy.targets import Target

DECLINED = "declined"
"""Attribute of an op: why engines do not run it."""
ENGINE = "engine"
"""Attribute of a placed op: the engine that runs it."""

Sizes: TypeAlias = np.ndarray[Any, np.dtype[np.int64]] | int
"""A tile size, or an array of them: costs are computed for many tiles at once."""


@dataclass(frozen=True)
class View:
    """A tile as C sees it: pointer to its first element, extents and strides in elements.

    Extents that differ at the border are C expressions.
    """

    pointer: str
    shape: tuple[int | str, ...]
    strides: tuple[int, ...]
    type: Attribute


@dataclass(frozen=True)
class KernelCall:
    """One call of a kernel: what the C arguments are made from.

    `overhang` is (low, high) for each dimension of the first input, and all zero where nothing
    reaches over a border. `scratch` is the pointer to the kernel's scratch memory and its bytes.
    """

    op: GraphOp
    inputs: tuple[View, ...]
    output: View
    scratch: tuple[str, int] | None
    overhang: tuple[tuple[int | str, int | str], ...]
    cores: int


Fields: TypeAlias = Mapping[str, "str | int | Fields"]
"""The fields of a C struct; nested for structs in structs."""


@dataclass(frozen=True)
class Instance:
    """A kernel template with its types: `#define`s before `#include "deeploy/kernels/….inc"`."""

    family: str
    symbol: str
    macros: tuple[tuple[str, str], ...]
    struct: str
    """The type of the kernel's arguments."""


@dataclass(frozen=True)
class Launch:
    """What runs on one tile: buffers, how far the first input's window lies over the borders (low
    and high for each dimension; empty for nowhere), and a block with the graph op for the body."""

    engine: str
    inputs: Sequence[SSAValue]
    output: SSAValue
    scratch: SSAValue | None
    overhang: Sequence[SSAValue | int]
    body: Region


class Implementation(ABC):
    """How an engine runs one kind of graph op."""

    family: str
    """What runs it, for the user: the template in `deeploy/kernels`, or a unit of the engine."""

    @abstractmethod
    def declines(self, op: GraphOp) -> str | None:
        """Why the engine cannot run an op, or None."""

    @abstractmethod
    def cycles(self, op: GraphOp, sizes: Sequence[Sizes], cores: int) -> Sizes:
        """Estimated cycles of one tile, given the size of each iterator."""

    def direct_cycles(self, op: GraphOp, sizes: Sequence[Sizes], cores: int) -> Sizes:
        """The same where `direct_operands` lie in a memory of the engine's own."""
        return self.cycles(op, sizes, cores)

    @abstractmethod
    def lower(self, op: GraphOp, launch: Launch) -> Sequence[Operation]:
        """What runs an op on one tile."""

    def tile_limits(self, op: GraphOp) -> Mapping[str, int]:
        """The largest tile size of iterators that the engine cannot take whole."""
        return {}

    def direct_operands(self, op: GraphOp) -> Sequence[int]:
        """The operands that the engine can read from a memory of its own."""
        return ()

    def in_place_operands(self, op: GraphOp) -> Sequence[int]:
        """The operands that are read where they lie, whichever memory that is: no tiles of them are
        moved, as what is read is known at run time only."""
        return ()

    def far_cycles(self, op: GraphOp, sizes: Sequence[Sizes], cores: int) -> Sizes:
        """The same as `cycles` where `in_place_operands` are outside of the compute memory."""
        return self.cycles(op, sizes, cores)

    def scratch_bytes(self, op: GraphOp, cores: int, memory: int) -> int:
        """Bytes of scratch for all cores together, in a compute memory of `memory` bytes."""
        return 0

    def takes_strides(self, op: GraphOp, value: SSAValue, strides: Sequence[int]) -> bool:
        """Whether the elements of an operand or of the result may lie in memory as a view has them:
        any number of elements apart along each dimension."""
        return False


class Nothing(Implementation):
    """How all engines run a view: not at all."""

    family = "view"

    def declines(self, op: GraphOp) -> str | None:
        return None

    def cycles(self, op: GraphOp, sizes: Sequence[Sizes], cores: int) -> Sizes:
        return 0

    def lower(self, op: GraphOp, launch: Launch) -> Sequence[Operation]:
        return ()


class Kernel(Implementation):
    """One C kernel family for one kind of graph op, which all cores run together."""

    @abstractmethod
    def instance(self, op: GraphOp) -> Instance:
        """The template instance that runs an op."""

    def variant(self, call: KernelCall) -> Instance:
        """The instance that a call runs: that of the op, or one for where its operands lie."""
        return self.instance(call.op)

    @abstractmethod
    def arguments(self, call: KernelCall) -> Sequence[Fields]:
        """The argument struct of each C call: most ops take one."""

    def lower(self, op: GraphOp, launch: Launch) -> Sequence[Operation]:
        block = launch.body.block
        assert block.last_op is not None
        block.add_op(YieldOp(operands=[block.last_op.results[0]]))
        call = CallOp.of(
            launch.engine,
            self.instance(op).symbol,
            launch.inputs,
            launch.output,
            launch.scratch,
            launch.overhang,
            launch.body,
        )
        return [call]


class Constants(Protocol):
    """The constants around a nest, for conversions."""

    def get(self, value: SSAValue) -> Array | None:
        """The elements of a value of the nest's body that is a constant, else None."""

    def make(self, hint: str, array: Array, type: Attribute) -> SSAValue:
        """A new constant with elements of some type."""
        ...


class Conversion(ABC):
    """Turns a graph op into one of an engine's own, which computes the same."""

    @abstractmethod
    def declines(self, op: GraphOp, constants: Constants) -> str | None:
        """Why an op cannot be converted, or None."""

    @abstractmethod
    def convert(self, op: GraphOp, constants: Constants) -> list[GraphOp]:
        """Detached ops, in order; the last one has the op's result. They may use the operands of
        the op and new constants."""


class Driver(ABC):
    """Drives an accelerator that takes jobs from a queue (`npu.start`)."""

    registers: Sequence[str]
    """The registers that decide how long a job takes."""
    accesses: int
    """Accesses to registers that dispatch a job."""

    @abstractmethod
    def lower(self, start: StartOp, target: Target) -> None:
        """Replace a start by jobs: contexts, registers, triggers."""

    @abstractmethod
    def job_cost(self, values: Mapping[str, int]) -> tuple[int, int]:
        """Cycles of a job, and operations, given the values of `registers`."""


@dataclass(frozen=True)
class Engine:
    """A named set of implementations, and of conversions to the ops that they run.

    `peak_operations` is what it does in a cycle at best, each core of it if it runs `on_cores`; 0
    where that is not known. A multiplication and an addition are two. An accelerator with a queue
    of jobs has a `driver`. The generated Makefile looks for C templates in `include_dirs` too:
    `deeploy/kernels/FAMILY.inc`.
    """

    name: str
    summary: str
    kernels: Mapping[type[GraphOp], Implementation] = field(hash=False)
    conversions: Mapping[type[GraphOp], Sequence[Conversion]] = field(
        default_factory=dict[type[GraphOp], Sequence[Conversion]], hash=False
    )
    peak_operations: float = 0.0
    on_cores: bool = True
    driver: Driver | None = None
    include_dirs: tuple[Path, ...] = ()

    def declines(self, op: GraphOp) -> str | None:
        """Why the engine cannot run an op, or None."""
        kernel = self.kernels.get(type(op))
        if kernel is None:
            return f"no kernel for {op.name}"
        return kernel.declines(op)

    def kernel(self, op: GraphOp) -> Implementation:
        """What runs an op that the engine took."""
        return self.kernels[type(op)]


@cache
def find_engine(name: str) -> Engine:
    """The installed engine of that name.

    Raises:
        DeeployError: there is none.
    """
    return registry.load(registry.ENGINES, name, Engine)


def engine_of(op: GraphOp) -> Engine:
    """The engine that runs an op of a nest: its own, or else that of the nest.

    Raises:
        PassFailedException: neither has one.
    """
    nest = op.parent_op()
    own = op.attributes.get(ENGINE)
    if isinstance(own, StringAttr):
        return find_engine(own.data)
    if isinstance(nest, NestOp) and nest.engine is not None:
        return find_engine(nest.engine.data)
    fail(nest or op, "the nest has no engine", "run 'place' and 'form-nests' first")


def driver_of(op: QueueUser) -> Driver:
    """What drives the engine whose queue an op uses.

    Raises:
        PassFailedException: it has no queue.
    """
    driver = find_engine(op.engine).driver
    if driver is None:
        fail(op, f"engine '{op.engine}' has no queue of jobs")
    return driver


def occupies_cores(op: GraphOp) -> bool:
    """Whether the cores are busy with an op: they run its kernel, or call a unit and wait for it.
    Other engines work on jobs of their own."""
    return isinstance(kernel_of(op), Kernel)


def kernel_of(op: GraphOp) -> Implementation:
    """What runs an op of a nest.

    Raises:
        PassFailedException: the op has no engine, or the engine no kernel for it.
    """
    if is_view(op):
        return Nothing()
    engine = engine_of(op)
    kernel = engine.kernels.get(type(op))
    if kernel is None:
        fail(op, f"engine '{engine.name}' has no kernel for {op.name}")
    return kernel


def takes_views(nest: NestOp) -> bool:
    """Whether the kernels of a nest take the strides of what they see through views."""
    strides, storage = strides_in_nest(nest), storage_of(nest)
    return all(
        kernel_of(op).takes_strides(op, value, strides[value])
        for op in nest.computing_ops()
        for value in (*op.operands, op.results[0])
        if storage[value] is not value
    )


def short_name(type: Attribute) -> str:
    """An element type as part of a C symbol: `s8`, `u8`, `s32`, `f32`."""
    if isinstance(type, Float32Type):
        return "f32"
    assert isa(type, IntegerType)
    sign = "u" if type.signedness.data is Signedness.UNSIGNED else "s"
    return f"{sign}{type.width.data}"


def c_type(type: Attribute) -> str:
    """An element type in C."""
    if isinstance(type, Float32Type):
        return "float"
    assert isa(type, IntegerType)
    sign = "u" if type.signedness.data is Signedness.UNSIGNED else ""
    return f"{sign}int{type.width.data}_t"


def ceil_div(a: Sizes, b: Sizes) -> Sizes:
    """`a / b` rounded up."""
    return -(-a // b)
