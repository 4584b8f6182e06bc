"""What kernels cost on the cluster: one scheme for all of them.

    cycles = call + steps of the core that has most × instructions of a step

Instructions are those of the kernel's inner loop written with Xpulp, as its C would be with
intrinsics: a hardware loop costs nothing per turn, a load or store moves its pointer on, a dot
product takes four bytes of each side. The steps are divided as `deeploy/split.h` does it: where a
kernel divides badly, its cost says so. An instruction takes one cycle but for those named below
(CV32E40P user manual, which describes the pipeline of RI5CY); conflicts of the cores in L1 and
misses of the instruction cache are not counted.

Rates that follow, for 8 cores, are compared with published ones by `benchmarks/calibration.py`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from xdsl.ir import SSAValue
from xdsl.ir.affine import AffineMap

from deeploy.dialects.graph import GraphOp, RequantAttr, Requantised, integer_range, si32
from deeploy.engines import Sizes, ceil_div
from deeploy.interfaces.bounds import Bounds
from deeploy.interfaces.tiling import linear_forms, shape_of

MULTIPLY_HIGH = 5
"""Cycles of the upper half of a product (CV32E40P user manual)."""
DIVISION = 20
"""Cycles of a 32-bit division, of which `division` knows more."""
LONG_DIVISION = 200
"""Cycles of a 64-bit division in software."""
CALL = 80
"""Entering a kernel, reading its arguments, two divisions to divide the work."""
WALK_CALL = 180
"""The same for kernels that walk over six dimensions (`deeploy/nd.h`): in addition to the above,
strides of up to four operands are copied and the first row is found, with a division for each
dimension."""
FAR_LOAD = 15
"""Cycles of a word that a core loads from outside of the compute memory, assumed: the way from a
cluster to L2 and back."""
ROW = 12
"""From one row to the next: pointers of three operands, the hardware loop, the end of the loop."""
WALK_ROW = 40
"""The same over six dimensions: a call, the index, and for each operand its offset in memory."""

SCALING = 2
"""mul, then p.addNr: the sum with the addend and its arithmetic shift"""
VECTORS = 2
"""Loads of the factors of a channel, where they differ."""
OUTPUT = 3
"""An output of a product beside its requantisation: its accumulator is cleared, the result stored;
a share of the loop."""
PAIR_STEP = 14
"""Four channels of two vectors for four values of k: 6 loads, 8 pv.sdotsp.b. 2.3 MAC a cycle, as
the 4x2 kernel of PULP-NN (arXiv 1908.11263)."""
SINGLE_STEP = 9
"""Four channels of one vector for four values of k: 5 loads, 4 pv.sdotsp.b."""
LOCATE = 40
"""Finding the vectors and the output of the next step, with two divisions."""


def division(least: int) -> int:
    """Cycles of a 32-bit division by a number that is at least `least`: 3, and 1 for each leading
    zero of the divisor (CV32E40P user manual)."""
    return 3 + 32 - least.bit_length()


def share(count: Sizes, unit: int, cores: int) -> Sizes:
    """Of `count` elements, divided in units, those of the core that has most: `dpl_share`."""
    return np.minimum(ceil_div(ceil_div(count, unit), cores) * unit, count)


def walk(
    op: GraphOp, sizes: Sequence[Sizes], instructions: float, cores: int, width: int = 1
) -> Sizes:
    """Cycles of a kernel that does the same to all elements of an op, or to all groups of `width`
    that follow each other in the last dimension.

    Dimensions count as merged (`walk.py`) where tiles are whole in the inner one and all tensors
    have both or none. Cores divide rows or columns as `dpl_column_share` decides.
    """
    # others belong to tables
    extents = [it.extent for it in op.iterators() if it.parallel]
    counts, own = list(extents), list(sizes[: len(extents)])
    if width > 1:
        counts[-1], own[-1] = counts[-1] // width, np.maximum(own[-1] // width, 1)
    tensors = [
        *zip(op.operands, op.operand_maps(), strict=True),
        (op.results[0], op.result_maps()[0]),
    ]
    inner: int | None = None
    columns: Sizes = 1
    runs: Sizes = 0
    for d in reversed([d for d, count in enumerate(counts) if count > 1]):
        merges = np.equal(own[d], 1)
        if inner is not None and all(follows(*t, d, inner, extents[inner]) for t in tensors):
            merges = merges | np.equal(own[inner], counts[inner])
        runs = runs + np.where(merges, 0, 1)
        columns = columns * np.where(runs <= 1, own[d], 1)
        inner = d
    rows = math.prod(own) // columns
    own_rows = share(rows, 1, cores)
    own_columns = np.where(
        columns >= 32 * cores, share(columns, 16, cores), share(columns, 4, cores)
    )
    by_columns = own_columns * rows < own_rows * columns
    row = np.where(runs <= 2, ROW, WALK_ROW)
    work = np.where(
        by_columns,
        rows * (own_columns * instructions + row),
        own_rows * (columns * instructions + row),
    )
    return np.ceil(work).astype(np.int64) + np.where(runs <= 2, CALL, WALK_CALL)


def follows(value: SSAValue, map: AffineMap, outer: int, inner: int, extent: int) -> bool:
    """Whether the dimensions of two iterators lie one after the other in a tensor, the inner one
    with its whole extent, or it has neither."""
    forms = zip(linear_forms(map), shape_of(value), strict=True)
    used = [(form, whole) for form, whole in forms if whole > 1]
    for (before, _), (after, whole) in pairwise(used):
        if before.used() == (outer,) and after.used() == (inner,):
            return before.coefficients[outer] == after.coefficients[inner] == 1 and whole == extent
    return not any(outer in form.used() or inner in form.used() for form, _ in used)


def clamping(low: int, high: int) -> int:
    """Instructions of a clamp: p.clipr has the bounds -n - 1 and n, p.clipur 0 and n; others take
    p.max and p.min, where there is something to cut off."""
    least, most = integer_range(si32)
    if low in (0, -high - 1) and (low, high) != (least, most):
        return 1
    return (low > least) + (high < most)


def is_short(requant: RequantAttr, bounds: Bounds | None) -> bool:
    """Whether one instruction scales values within `bounds`: p.mulsN multiplies 16 bits and shifts,
    p.mulsRN rounds in between."""
    mul, add, shift, *_ = requant.values()
    if bounds is None or min(bounds) < -1 << 15 or max(bounds) >= 1 << 15:
        return False
    return abs(mul) < 1 << 15 and add in (0, 1 << shift >> 1)


def requantisation(requant: RequantAttr | None, bounds: Bounds | None = None) -> int:
    """Instructions of a requantisation with numbers, of values within `bounds` if these are
    known."""
    if requant is None:
        return 0
    *factors, low, high = requant.values()
    scale = 1 if is_short(requant, bounds) else SCALING
    return (0 if factors == [1, 0, 0] else scale) + clamping(low, high)


def scaling(op: GraphOp, requant: RequantAttr | None, bounds: Bounds | None = None) -> int:
    """Instructions of a requantisation where an op may have operands `mul` and `add`."""
    if getattr(op, "mul", None) is None and getattr(op, "add", None) is None:
        return requantisation(requant, bounds)
    assert requant is not None
    return VECTORS + SCALING + clamping(requant.min.data, requant.max.data)


def output_cost(op: Requantised) -> int:
    """Instructions for an output of a product once it is summed."""
    return OUTPUT + scaling(op, op.requant)


def dot_products(pairs: Sizes, singles: Sizes, channels: Sizes, k: Sizes, output: int) -> Sizes:
    """Cycles of one core for vectors of length `k`, by twos and alone, times rows of weights.

    Four channels make a step (`deeploy/rows.h`), one that is left over takes as long as four.
    """
    steps, words = channels // 4 + channels % 4, ceil_div(k, 4)
    pair = steps * (words * PAIR_STEP + 8 * output) + LOCATE
    single = steps * (words * SINGLE_STEP + 4 * output) + LOCATE
    return pairs * pair + singles * single
