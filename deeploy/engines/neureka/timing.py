"""Cycles of the accelerator, after its public simulator model.

Source: the state machine of gvsoc/gvsoc-pulp, `pulp/neureka/src/neureka_fsm.cpp`, with activation
prefetch, weights from the weight memory, and one cycle for each access to L1. Against RTL
regressions of a smaller sibling it is 12 to 30 % optimistic. For each output subtile (6 x 6 pixels,
32 output channels, 28 for depthwise) and each step over the input channels the accelerator

- loads pixels: 6 cycles and one for each pixel (1x1: always 36 and 6 more);
- multiplies: a start and one cycle for each row of weights. That is hidden behind the next load,
  except in the last step of the last pixels, after which other weights are needed;

and then normalises and stores the subtile. Two things differ here: the model forgets the rows of
depthwise weights that it hides, and how activations and weights share the port to L1 is not
published, so nothing is hidden where weights lie in L1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from deeploy.dialects.npu import DENSE, DEPTHWISE, POINTWISE, Mode
from deeploy.engines import Sizes, ceil_div
from deeploy.engines.neureka.grids import SUBTILE, pixel_grids

OUTPUT_CHANNELS = 32
"""Output channels of a subtile; depthwise, as many as input channels of a step."""

DISPATCH_CYCLES = 78
"""To acquire a context, write 24 registers and trigger: 26 accesses of about 3 instructions
(derived). Jobs after the first are dispatched while another one runs."""

_LOAD, _HIDDEN_LOAD = 6, 3
_POINTWISE_LOAD = 36 + 6
_NORM_START, _STORE_POINTWISE, _STREAM_IN, _END = 21, 3, 10, 1


@dataclass(frozen=True)
class Format:
    """What does not change from tile to tile of a convolution.

    `bits` are those of a weight, `scale_bits` 8 or 32, or None where sums are not requantised.
    Where it `adds`, sums are read first.
    """

    mode: Mode
    inputs: Sizes
    bits: int
    scale_bits: int | None
    output_bits: int = 8
    weights_in_l1: bool = False
    adds: Sizes | bool = False

    @property
    def steps(self) -> Sizes:
        """Steps over the input channels."""
        return 1 if self.mode is DEPTHWISE else ceil_div(self.inputs, self.mode.channels)

    @property
    def start(self) -> int:
        """Cycles before the first row of weights."""
        return {"pointwise": 3, "dense": 6, "depthwise": 34}[self.mode.name]

    def rows(self, outputs: Sizes) -> Sizes:
        """Cycles of one step that read rows of weights; each depthwise channel reads its own."""
        return outputs if self.mode is POINTWISE else outputs * self.bits

    @property
    def tail(self) -> int:
        """Cycles after the last row of weights."""
        return 8 if self.mode is DENSE else 0

    @property
    def last_tail(self) -> int:
        """The same in a step that is not hidden."""
        return 10 if self.mode is POINTWISE else self.tail

    def load(self, rows: Sizes, columns: Sizes) -> Sizes:
        """Cycles that read the pixels of a subtile; pads are counted as if they were read."""
        if self.mode is POINTWISE:
            return _POINTWISE_LOAD
        return (rows + 2) * (columns + 2)

    def wait(self, load: Sizes, outputs: Sizes) -> Sizes:
        """Cycles of a multiplication that the next load does not hide."""
        if self.weights_in_l1:
            return self.rows(outputs) + self.tail
        hidden = self.start + self.rows(outputs) + self.tail
        return np.maximum(hidden - (_HIDDEN_LOAD + load), 0)

    def store(self, rows: Sizes, columns: Sizes, outputs: Sizes) -> Sizes:
        """Cycles that normalise and store a subtile."""
        # a store goes over all columns of every row but the last
        pixels = (rows - 1) * SUBTILE + columns
        words = 1 if self.output_bits == 8 else ceil_div(outputs, 8)
        cycles = pixels * words + (_STORE_POINTWISE if self.mode is POINTWISE else 0)
        cycles = cycles + (pixels * words + _STREAM_IN) * np.asarray(self.adds, np.int64)
        if self.scale_bits is None:
            return cycles
        return cycles + ceil_div(outputs * self.scale_bits, 32) + _NORM_START


def job_cycles(format: Format, rows: Sizes, columns: Sizes, outputs: Sizes) -> Sizes:
    """Cycles of one job from its start to its end.

    Args:
        format: what is computed.
        rows: output pixels; arrays broadcast.
        columns: likewise.
        outputs: output channels.
    """
    size = format.mode.channels if format.mode is DEPTHWISE else OUTPUT_CHANNELS
    first_load = format.load(np.minimum(rows, SUBTILE), np.minimum(columns, SUBTILE))
    total: Sizes = _END
    for blocks, channels in _blocks(outputs, size):
        # the first load after other weights has nothing to wait for
        block = format.rows(channels) + format.last_tail - format.wait(first_load, channels)
        for vertical, height in _blocks(rows, SUBTILE):
            for horizontal, width in _blocks(columns, SUBTILE):
                load = format.load(height, width)
                step = _LOAD + load + format.start + format.wait(load, channels)
                subtile = format.steps * step + format.store(height, width, channels)
                block = block + vertical * horizontal * subtile
        total = total + blocks * block
    return total


def tile_cycles(format: Format, rows: Sizes, columns: Sizes, outputs: Sizes, flat: bool) -> Sizes:
    """Cycles of all jobs of a tile, dispatch of the first one included.

    `flat`: the pixels of the tile lie in a row in input and output, so that a pointwise
    convolution may lay them out otherwise.
    """
    if format.mode is not POINTWISE or not flat:
        return DISPATCH_CYCLES + job_cycles(format, rows, columns, outputs)
    sizes = (rows, columns, outputs, format.inputs, format.adds)
    arrays = np.broadcast_arrays(*(np.asarray(a, np.int64) for a in sizes))
    heights, widths, channels, inputs, adds = (a.ravel() for a in arrays)
    total = np.full(channels.shape, DISPATCH_CYCLES, np.int64)
    for height, width in set(zip(heights.tolist(), widths.tolist(), strict=True)):
        here = (heights == height) & (widths == width)
        own = replace(format, inputs=inputs[here], adds=adds[here])
        for grid in pixel_grids(height, width):
            total[here] += job_cycles(own, grid.rows, grid.columns, channels[here])
    return total.reshape(arrays[0].shape)


def _blocks(total: Sizes, size: int) -> Iterator[tuple[Sizes, Sizes]]:
    """How many blocks there are of the full size and of the last one's, and these sizes."""
    whole = ceil_div(total, size) - 1
    yield whole, size
    yield 1, total - whole * size
