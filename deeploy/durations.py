"""How long kernels, transfers and jobs of a lowered program take, given the extents of buffers.

Formulas are those of `deeploy/costs.py` and of the engines; the simulator plays them back.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from deeploy.costs import transfer_cycles
from deeploy.dialects import dma, npu
from deeploy.dialects.cluster import CallOp
from deeploy.dialects.graph import GraphOp
from deeploy.dialects.mem import element_bytes, level_of, memref_of, strides_of
from deeploy.engines import driver_of, find_engine
from deeploy.interfaces.tiling import linear_forms
from deeploy.targets import Target


def call_cycles(call: CallOp, sizes: Sequence[int], target: Target) -> int:
    """Cycles of a kernel, given the extent of each iterator."""
    kernel = find_engine(call.engine.data).kernel(call.op)
    read = [call.inputs[i] for i in kernel.in_place_operands(call.op)]
    is_far = any(level_of(value) != target.compute for value in read)
    cycles = kernel.far_cycles if is_far else kernel.cycles
    return int(cycles(call.op, sizes, target.cores))


def job_cycles(start: npu.StartOp, sizes: Sequence[int], target: Target) -> int:
    """Cycles of the jobs of a tile, without dispatch, given the extent of each iterator."""
    kernel = find_engine(start.engine).kernel(start.op)
    direct = [start.inputs[i] for i in kernel.direct_operands(start.op)]
    is_direct = any(level_of(value) != target.compute for value in direct)
    cycles = kernel.direct_cycles if is_direct else kernel.cycles
    return int(cycles(start.op, sizes, target.cores)) - dispatch_cycles(start, target)


def dispatch_cycles(start: npu.StartOp, target: Target) -> int:
    """Cycles in which a core writes one job."""
    return driver_of(start).accesses * target.register_cycles


def iterator_sizes(
    op: GraphOp, extents: Sequence[int], position: int | None = 0
) -> tuple[int, ...]:
    """The extent of each iterator for a tile of the result, at a position or, without, at most.

    Where several iterators share a dimension (groups and the channels in a group), the one with the
    largest coefficient takes as much as it can.
    """
    iterators = op.domain()
    sizes = [
        it.extent if it.plus is None or position is None else position + it.plus for it in iterators
    ]
    for form, extent in zip(linear_forms(op.result_maps()[0]), extents, strict=True):
        rest = extent - 1
        for i in sorted(form.used(), key=lambda i: -form.coefficients[i]):
            if iterators[i].parallel:
                sizes[i] = min(iterators[i].extent, rest // form.coefficients[i] + 1)
                rest -= (sizes[i] - 1) * form.coefficients[i]
    return tuple(sizes)


def transfer_cost(
    start: dma.StartOp, extents: Sequence[int], target: Target
) -> tuple[int, int, int]:
    """Bytes, two-dimensional pieces and cycles of a transfer."""
    source, destination = memref_of(start.source), memref_of(start.destination)
    ends = level_of(start.source), level_of(start.destination)
    assert ends[0] is not None and ends[1] is not None, "its verifier checks that"
    element = element_bytes(source.element_type)
    size = math.prod(extents) * element
    if size == 0:
        return 0, 0, 0
    strides = list(zip(strides_of(source), strides_of(destination), strict=True))
    row, *outer = collapse(extents, strides)
    rows = outer[0] if outer else 1
    pieces = math.prod(outer[1:])
    link = target.link(ends[0], ends[1])
    return size, pieces, pieces * math.ceil(transfer_cycles(link, rows, row * element))


def collapse(extents: Sequence[int], strides: Sequence[tuple[int, int]]) -> list[int]:
    """Elements of a contiguous row, rows of a transfer, and how often that is repeated.

    From the inside out; dimensions that lie without a gap in both buffers become one.
    """
    found: list[tuple[int, tuple[int, int]]] = [(1, (1, 1))]
    for extent, stride in reversed(list(zip(extents, strides, strict=True))):
        inner, step = found[-1]
        if extent == 1:
            continue
        if stride == (inner * step[0], inner * step[1]):
            found[-1] = (inner * extent, step)
        else:
            found.append((extent, stride))
    return [extent for extent, _ in found]
