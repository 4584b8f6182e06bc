"""Where constants and states may lie: in any memory that keeps its content between inferences."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from xdsl.dialects import func
from xdsl.ir import Operation, SSAValue

from deeploy.dialects.graph import ConstantOp, GraphOp, element_type
from deeploy.dialects.mem import element_bytes
from deeploy.dialects.tiled import NestOp
from deeploy.engines import engine_of, kernel_of
from deeploy.interfaces.tiling import shape_of
from deeploy.planner.problem import align_up
from deeploy.targets import Target

MOST_IN_GROUP = 1024
"""Bytes of a constant that is grouped with others: one choice for each would gain nothing."""


def tensor_bytes(value: SSAValue) -> int:
    """Bytes of a tensor value."""
    return math.prod(shape_of(value)) * element_bytes(element_type(value))


def padded_bytes(value: SSAValue, homes: Sequence[str], target: Target) -> int:
    """Bytes that a tensor takes in any of its homes."""
    return align_up(tensor_bytes(value), max(target.memory(m).align for m in homes))


def constant_groups(function: func.FuncOp) -> list[list[SSAValue]]:
    """The constants; small ones of the same nest, such as scale and bias, lie together."""
    groups: list[list[SSAValue]] = []
    small: dict[NestOp, list[SSAValue]] = {}
    for op in function.body.block.ops:
        if not isinstance(op, ConstantOp):
            continue
        nest = only_reader(op.result)
        if nest is None or tensor_bytes(op.result) > MOST_IN_GROUP or direct_reader(op.result):
            groups.append([op.result])
        elif nest in small:
            small[nest].append(op.result)
        else:
            small[nest] = [op.result]
            groups.append(small[nest])
    return groups


def homes_of_constants(groups: Sequence[Sequence[SSAValue]], target: Target) -> list[list[str]]:
    """For each group the memories in which it may lie."""
    readers = [direct_reader(group[0]) for group in groups]
    needed = Counter[str]()
    for group, reader in zip(groups, readers, strict=True):
        needed[reader] += sum(map(tensor_bytes, group))
    # what an engine finds in a memory of its own is nowhere better than there
    roomy = {m.engine for m in target.memories if m.engine and needed[m.engine] <= m.size}
    found: list[list[str]] = []
    for group, reader in zip(groups, readers, strict=True):
        homes = [m.name for m in target.memories if m.persistent and m.engine in ("", reader)]
        if reader in roomy:
            homes = without_compute(homes, target)
        found.append(with_room(group, homes, target))
    return found


def homes_of_state(state: SSAValue, target: Target) -> list[str]:
    """The memories in which a state may lie: that of inputs and outputs, and others like it."""
    homes = [
        m.name
        for m in target.memories
        if m.name == target.io or (m.persistent and m.activations and not m.engine)
    ]
    return with_room([state], homes, target)


def with_room(group: Sequence[SSAValue], homes: list[str], target: Target) -> list[str]:
    """The memories without the compute memory, where it is too small."""
    size = sum(padded_bytes(value, homes, target) for value in group)
    return homes if size <= target.memory(target.compute).size else without_compute(homes, target)


def without_compute(homes: list[str], target: Target) -> list[str]:
    """The memories without the compute memory, unless there is no other one."""
    return [m for m in homes if m != target.compute] or homes


def only_reader(constant: SSAValue) -> NestOp | None:
    """The nest that reads a constant, if there is no other one."""
    readers = {use.operation for use in constant.uses}
    reader = readers.pop() if len(readers) == 1 else None
    return reader if isinstance(reader, NestOp) else None


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
