"""Transposes, slices, concatenations, pads and copies on the cluster."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
from xdsl.dialects.builtin import FixedBitwidthType, FloatAttr
from xdsl.ir import SSAValue

from deeploy.dialects.graph import (
    ConcatOp,
    CopyOp,
    GraphOp,
    InsertOp,
    PadOp,
    SliceOp,
    TransposeOp,
    element_type,
    tuple_of,
)
from deeploy.dialects.mem import element_bytes
from deeploy.engines import Fields, Instance, Kernel, KernelCall, Sizes
from deeploy.engines.cluster.common import decline_rank, dimensions, strides
from deeploy.engines.cluster.cost import walk
from deeploy.engines.cluster.walk import (
    DIMENSIONS,
    ROWS,
    Walk,
    braces,
    strides_of,
    with_rank,
)
from deeploy.interfaces.tiling import linear_forms, shape_of

WORD = 4
"""Bytes that are moved together where they lie next to each other."""


def by_size(op: GraphOp, family: str, count: int = 1) -> Instance:
    """An instance that only depends on the size of the elements, or of `count` of them."""
    bits = 8 * count * element_bytes(element_type(op.results[0]))
    symbol = f"dpl_{family}_{bits}"
    macros = (("DPL_NAME", symbol), ("DPL_T", f"uint{bits}_t"))
    return Instance(family, symbol, macros, f"dpl_{family}_args")


def group_sizes(op: GraphOp) -> list[int]:
    """How many elements may be moved together, most first."""
    size = element_bytes(element_type(op.results[0]))
    return [bytes // size for bytes in (WORD, WORD // 2) if bytes > size]


def lies_in_groups(op: GraphOp, count: int) -> bool:
    """Whether groups of elements lie next to each other in all tensors of an op."""
    last = len(op.iterators()) - 1
    if last < 0:
        return False
    operands = zip(op.operands, op.operand_maps(), strict=True)
    for value, map in [*operands, (op.results[0], op.result_maps()[0])]:
        *_, form = linear_forms(map)
        follows = form.used() == (last,) and form.coefficients[last] == 1
        if not follows or shape_of(value)[-1] % count:
            return False
    return True


class CopyKernel(Kernel):
    """`copy`: any order of reading, the order of the result in writing."""

    family = "copy"

    def declines(self, op: GraphOp) -> str | None:
        type = element_type(op.results[0])
        if not isinstance(type, FixedBitwidthType) or type.size not in (1, 2, 4):
            return f"elements of type {type}, the kernel takes 1, 2 or 4 bytes"
        return decline_rank(op)

    def instance(self, op: GraphOp) -> Instance:
        return with_rank(by_size(op, self.family), ROWS)

    def variant(self, call: KernelCall) -> Instance:
        count, walks = self.grouped(call)
        rank = max(walk.rank for walk in walks)
        return with_rank(by_size(call.op, self.family, count), rank)

    def grouped(self, call: KernelCall) -> tuple[int, Sequence[Walk]]:
        """Elements that are moved together, and where each copy walks in units of so many."""
        walks = self.walks(call)
        for count in group_sizes(call.op):
            groups = [walk.grouped(count) for walk in walks]
            found = [walk for walk in groups if walk is not None]
            if len(found) == len(walks):
                return count, found
        return 1, walks

    def walks(self, call: KernelCall) -> Sequence[Walk]:
        """Where each copy of a call walks."""
        y = call.output
        return [Walk.over(y.shape, (self.read_strides(call), strides_of(y, len(y.shape))))]

    def pointers(self, call: KernelCall) -> Sequence[tuple[str, str]]:
        """Input and output of each copy."""
        return [(call.inputs[0].pointer, call.output.pointer)]

    def takes_strides(self, op: GraphOp, value: SSAValue, strides: Sequence[int]) -> bool:
        return True

    def read_strides(self, call: KernelCall) -> Sequence[int]:
        """The strides of the input in the order of the result's dimensions."""
        op, own = call.op, call.inputs[0].strides
        if isinstance(op, TransposeOp):
            return [own[p] for p in tuple_of(op.permutation)]
        if isinstance(op, SliceOp):
            return [s * step for s, step in zip(own, tuple_of(op.steps), strict=True)]
        return own

    def arguments(self, call: KernelCall) -> Sequence[Fields]:
        _, walks = self.grouped(call)
        rank = max(walk.rank for walk in walks)
        return [
            {"x": x, "y": y, **walk.fields(("x", "y"), call.cores, rank)}
            for (x, y), walk in zip(self.pointers(call), walks, strict=True)
        ]

    def cycles(self, op: GraphOp, sizes: Sequence[Sizes], cores: int) -> Sizes:
        # load and store with strides, one element or word at a time
        cycles = walk(op, sizes, 2, cores)
        for count in group_sizes(op):
            if lies_in_groups(op, count):
                grouped = walk(op, sizes, 2, cores, count)
                return np.where(np.equal(sizes[-1] % count, 0), grouped, cycles)
        return cycles


class PadKernel(CopyKernel):
    """`pad`: the input in the middle, a value around it."""

    family = "pad"

    def instance(self, op: GraphOp) -> Instance:
        return by_size(op, self.family)

    def variant(self, call: KernelCall) -> Instance:
        return self.instance(call.op)

    def arguments(self, call: KernelCall) -> Sequence[Fields]:
        op, x, y = call.op, call.inputs[0], call.output
        assert isinstance(op, PadOp)
        low = [0] * (DIMENSIONS - len(y.shape)) + [low for low, _ in call.overhang]
        fields: Fields = {
            "x": x.pointer, "y": y.pointer,
            "dim": dimensions(y), "in_dim": dimensions(x),
            "x_stride": strides(x), "y_stride": strides(y),
            "lo": braces(low), "value": f"{pattern(op)}u",
        }  # fmt: skip
        return [fields]

    def cycles(self, op: GraphOp, sizes: Sequence[Sizes], cores: int) -> Sizes:
        return walk(op, sizes, 2, cores)


def pattern(op: PadOp) -> int:
    """The bits of the value around the input."""
    size = element_bytes(element_type(op.result))
    if isinstance(op.value, FloatAttr):
        return int.from_bytes(struct.pack("<f", op.value.value.data), "little")
    return op.value.value.data & ((1 << (8 * size)) - 1)


class ConcatKernel(CopyKernel):
    """One `copy` for each operand."""

    def walks(self, call: KernelCall) -> Sequence[Walk]:
        rank = len(call.output.shape)
        own = strides_of(call.output, rank)
        return [Walk.over(x.shape, (strides_of(x, rank), own)) for x in call.inputs]

    def pointers(self, call: KernelCall) -> Sequence[tuple[str, str]]:
        op, y = call.op, call.output
        assert isinstance(op, ConcatOp)
        axis, size = op.axis.value.data, element_bytes(element_type(op.result))
        found: list[tuple[str, str]] = []
        offset = 0
        for x in call.inputs:
            found.append((x.pointer, f"{y.pointer} + {offset * y.strides[axis] * size}"))
            extent = x.shape[axis]
            assert isinstance(extent, int), "the axis is not tiled"
            offset += extent
        return found


KERNELS: dict[type[GraphOp], Kernel] = {
    TransposeOp: CopyKernel(),
    SliceOp: CopyKernel(),
    CopyOp: CopyKernel(),
    InsertOp: CopyKernel(),
    PadOp: PadKernel(),
    ConcatOp: ConcatKernel(),
}
