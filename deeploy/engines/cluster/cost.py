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

import numpy as np

from deeploy.dialects.graph import Requantised
from deeploy.engines import Sizes, ceil_div

MULTIPLY_HIGH = 5
"""Cycles of the upper half of a product (CV32E40P user manual)."""
DIVISION = 20
"""Cycles of a 32-bit division, which takes 3 to 35 (CV32E40P user manual)."""
LONG_DIVISION = 200
"""Cycles of a 64-bit division in software."""
CALL = 80
"""Entering a kernel, reading its arguments, two divisions to divide the work."""
WALK_CALL = 180
"""The same for kernels that walk over six dimensions (`deeploy/nd.h`): in addition to the above,
strides of up to four operands are copied and dimensions merged."""
FAR_LOAD = 15
"""Cycles of a word that a core loads from outside of the compute memory, assumed: the way from a
cluster to L2 and back."""
ROW = 12
"""From one row of the innermost dimension to the next one."""

REQUANTISATION = 5
"""addend to the accumulator, p.mac, p.sra, p.max, p.min"""
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


def share(count: Sizes, unit: int, cores: int) -> Sizes:
    """Of `count` elements, divided in units, those of the core that has most: `dpl_share`."""
    return np.minimum(ceil_div(ceil_div(count, unit), cores) * unit, count)


def walk(sizes: Sequence[Sizes], instructions: float, cores: int) -> Sizes:
    """Cycles of a kernel that does the same to all elements: `dpl_nd_split`.

    Rows are taken to be contiguous, so that they merge into one.
    """
    columns = sizes[-1] if sizes else 1
    rows = math.prod(sizes[:-1])
    elements = rows * columns
    # the cores share one long row in units of 16, a short one in units of 4
    merged = np.where(elements >= 32 * cores, share(elements, 16, cores), share(elements, 4, cores))
    # rows that do not merge are begun one after the other
    begun = ceil_div(rows, cores) * ROW
    return np.ceil(merged * instructions).astype(np.int64) + begun + WALK_CALL


def output_cost(op: Requantised) -> int:
    """Instructions for an output of a product once it is summed."""
    if op.requant is None:
        return OUTPUT
    vectors = op.mul is not None or op.add is not None
    return OUTPUT + REQUANTISATION + (VECTORS if vectors else 0)


def dot_products(pairs: Sizes, singles: Sizes, channels: Sizes, k: Sizes, output: int) -> Sizes:
    """Cycles of one core for vectors of length `k`, by twos and alone, times rows of weights.

    Four channels make a step (`deeploy/rows.h`), one that is left over takes as long as four.
    """
    steps, words = channels // 4 + channels % 4, ceil_div(k, 4)
    pair = steps * (words * PAIR_STEP + 8 * output) + LOCATE
    single = steps * (words * SINGLE_STEP + 4 * output) + LOCATE
    return pairs * pair + singles * single
