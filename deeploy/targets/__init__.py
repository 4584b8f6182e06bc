"""Chips: memories, links between them, cores and engines.

A target is data. It travels in the IR as an attribute of the module, so that a pass needs nothing
but the module, and a file can be picked up again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeAlias

from xdsl.dialects.builtin import (
    ArrayAttr,
    DictionaryAttr,
    Float64Type,
    FloatAttr,
    IntegerAttr,
    ModuleOp,
    StringAttr,
    i64,
)
from xdsl.ir import Attribute
from xdsl.utils.exceptions import PassFailedException
from xdsl.utils.hints import isa

from deeploy import registry
from deeploy.diagnostics import DeeployError
from deeploy.dialects.mem import TARGET

Data: TypeAlias = "int | float | str | Mapping[str, Data] | Sequence[Data]"
"""What the fields of a target consist of."""


@dataclass(frozen=True)
class Memory:
    """A memory: `size` in bytes, `align` of every block in it in bytes.

    `persistent`: it keeps its content from one inference to the next, so that constants, which are
    there when the program starts, may have their home there, and states where tensors may be
    written. `activations`: tensors may be written there. The order in a target is from near to
    far. `engine` is the one that reads from it directly, where it serves that engine alone; no
    tiles are moved from there. `address` is where accelerators find it.
    """

    name: str
    size: int
    align: int = 4
    persistent: bool = False
    activations: bool = True
    engine: str = ""
    address: int = 0


@dataclass(frozen=True)
class Link:
    """A way between two memories: bytes per cycle in each direction, at the same time.

    A transfer takes `setup_cycles` more than its bytes, and `least_cycles` at least.
    """

    near: str
    far: str
    bytes_per_cycle: float
    setup_cycles: int
    least_cycles: int = 0


@dataclass(frozen=True)
class Power:
    """What parts of a chip take, in milliwatts at its clock; all 0 where nothing is known.

    `base` is always there: leakage, clocks, memories, controller. Each core takes `core` while it
    computes and `idle_core` while it waits, each direction of the DMA `dma` while it moves, the
    accelerator `npu` while it computes. The whole is known to about a share of `uncertainty`.
    """

    base: float = 0.0
    core: float = 0.0
    idle_core: float = 0.0
    dma: float = 0.0
    npu: float = 0.0
    uncertainty: float = 0.0


@dataclass(frozen=True)
class Target:
    """A chip.

    `compute` is the memory on which the cores work, `io` the one where inputs and outputs of the
    network lie. `platform` is the folder of the runtime that runs it by default.

    What the program costs beside kernels and transfers: `barrier_cycles` for a barrier of all
    cores, `register_cycles` for an access to a register of DMA or accelerator, `tile_cycles` for
    what each core does around the kernels of a tile (loop, index arithmetic). `clock_hz` turns
    cycles into time; 0 where that means nothing.
    """

    name: str
    cores: int
    compute: str
    io: str
    memories: tuple[Memory, ...]
    links: tuple[Link, ...]
    engines: tuple[str, ...] = ("cluster",)
    platform: str = "host"
    barrier_cycles: int = 15
    register_cycles: int = 3
    tile_cycles: int = 20
    clock_hz: int = 0
    power: Power = Power()
    summary: str = ""

    def memory(self, name: str) -> Memory:
        """The memory of that name.

        Raises:
            DeeployError: there is none.
        """
        for memory in self.memories:
            if memory.name == name:
                return memory
        raise DeeployError(
            f"target '{self.name}' has no memory '{name}'",
            f"it has {', '.join(m.name for m in self.memories)}",
        )

    def link(self, a: str, b: str) -> Link:
        """The link between two memories.

        Raises:
            DeeployError: there is none.
        """
        for link in self.links:
            if {link.near, link.far} == {a, b}:
                return link
        raise DeeployError(f"target '{self.name}' has no link between '{a}' and '{b}'")

    def with_engines(self, names: Sequence[str]) -> Target:
        """The same chip with some of its engines, and without memories that serve others only."""
        engines = tuple(name for name in self.engines if name in names)
        memories = tuple(m for m in self.memories if not m.engine or m.engine in engines)
        return replace(self, engines=engines, memories=memories)

    def is_direct(self, name: str) -> bool:
        """Whether what lies in a memory is used there, instead of moving through tiles."""
        return name == self.compute or bool(self.memory(name).engine)

    def without_residents(self) -> Target:
        """The same chip, with a compute memory that is switched off between inferences.

        Raises:
            DeeployError: there is no other memory for constants, inputs and outputs.
        """
        if self.io == self.compute:
            raise DeeployError(
                f"target '{self.name}' has no other memory than {self.compute} to keep anything in"
            )
        memories = tuple(
            replace(m, persistent=m.persistent and m.name != self.compute) for m in self.memories
        )
        return replace(self, memories=memories)

    def with_sizes(self, **sizes: int) -> Target:
        """The same chip with other sizes of some memories, in bytes."""
        for name in sizes:
            self.memory(name)
        memories = tuple(replace(m, size=sizes.get(m.name, m.size)) for m in self.memories)
        return replace(self, memories=memories)


def find_target(name: str) -> Target:
    """The installed target of that name.

    Raises:
        DeeployError: there is none.
    """
    return registry.load(registry.TARGETS, name, Target)


def target_of(module: ModuleOp) -> Target:
    """The target that a module is compiled for.

    Raises:
        PassFailedException: `set-target` has not run, or the attribute is malformed.
    """
    attr = module.attributes.get(TARGET)
    if not isinstance(attr, DictionaryAttr):
        raise PassFailedException("the module has no target; run 'set-target{target=…}' first")
    try:
        fields = _from_attr(attr)
        fields["memories"] = tuple(Memory(**m) for m in fields["memories"])
        fields["links"] = tuple(Link(**link) for link in fields["links"])
        fields["power"] = Power(**fields.get("power", {}))
        return Target(**fields)
    except (TypeError, KeyError) as error:
        raise PassFailedException(f"malformed '{TARGET}': {error}") from None


def target_attr(target: Target) -> DictionaryAttr:
    """A target as an attribute."""
    attr = _to_attr(asdict(target))
    assert isinstance(attr, DictionaryAttr)
    return attr


def _to_attr(value: Data) -> Attribute:
    match value:
        case bool() | int():
            return IntegerAttr(int(value), i64)
        case float():
            return FloatAttr(value, Float64Type())
        case str():
            return StringAttr(value)
        case Mapping():
            return DictionaryAttr({k: _to_attr(v) for k, v in value.items()})
        case _:
            return ArrayAttr([_to_attr(v) for v in value])


def _from_attr(attr: Attribute) -> Any:
    """The opposite of `_to_attr`; whether the fields fit, the constructors have to say."""
    match attr:
        case IntegerAttr():
            return attr.value.data
        case FloatAttr():
            return attr.value.data
        case StringAttr():
            return attr.data
        case DictionaryAttr():
            return {k: _from_attr(v) for k, v in attr.data.items()}
        case _ if isa(attr, ArrayAttr):
            return tuple(_from_attr(v) for v in attr.data)
        case _:
            raise TypeError(f"unexpected {attr}")
