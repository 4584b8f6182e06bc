"""Convolutions and linear layers on the accelerator: jobs, and what they cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from xdsl.ir import Operation, SSAValue

from deeploy.dialects.graph import GraphOp, element_type, tuple_of
from deeploy.dialects.mem import element_bytes
from deeploy.dialects.npu import DEPTHWISE, POINTWISE, ConvOp, QueueOp, StartOp, WaitOp, YieldOp
from deeploy.engines import Implementation, Launch, Sizes
from deeploy.engines.neureka.timing import Format, tile_cycles


class ConvJobs(Implementation):
    """`npu.conv`: one job for each tile and image, or several where tokens are laid out so."""

    family = "jobs"

    def declines(self, op: GraphOp) -> str | None:
        return None

    def direct_operands(self, op: GraphOp) -> Sequence[int]:
        # the weights
        return (1,)

    def cycles(self, op: GraphOp, sizes: Sequence[Sizes], cores: int) -> Sizes:
        return self.estimate(op, sizes, weights_in_l1=True)

    def direct_cycles(self, op: GraphOp, sizes: Sequence[Sizes], cores: int) -> Sizes:
        return self.estimate(op, sizes, weights_in_l1=False)

    def estimate(self, op: GraphOp, sizes: Sequence[Sizes], *, weights_in_l1: bool) -> Sizes:
        """Cycles of the jobs of one tile, by the published model."""
        assert isinstance(op, ConvOp)
        images, rows, columns, outputs, _, _, groups, *_ = sizes
        mode = op.geometry()
        inputs = np.minimum(groups * mode.channels, op.image()[3])
        # all parts of sums but the first
        adds = np.less(groups, mode.steps(op.image()[3])).astype(np.int64)
        if mode is DEPTHWISE:
            outputs, adds = inputs, 0
        job = Format(
            mode=mode,
            inputs=inputs,
            bits=op.bits(),
            scale_bits=None if op.mul is None else 8 * element_bytes(element_type(op.mul)),
            output_bits=8 * element_bytes(element_type(op.result)),
            weights_in_l1=weights_in_l1,
            adds=adds,
        )
        one = tile_cycles(job, rows, columns, outputs, flat=False)
        if mode is POINTWISE and set(tuple_of(op.strides)) == {1}:
            in_a_row = np.equal(rows, 1) | np.equal(columns, op.image()[2])
            flat = tile_cycles(job, rows, columns, outputs, flat=True)
            one = np.where(in_a_row, flat, one)
        return one * images

    def takes_strides(self, op: GraphOp, value: SSAValue, strides: Sequence[int]) -> bool:
        # channels lie next to each other
        return value in (op.operands[0], op.results[0]) and strides[-1] == 1

    def tile_limits(self, op: GraphOp) -> Mapping[str, int]:
        return {"n": 1}

    def lower(self, op: GraphOp, launch: Launch) -> Sequence[Operation]:
        block = launch.body.block
        assert block.last_op is not None
        block.add_op(YieldOp(operands=[block.last_op.results[0]]))
        queue = QueueOp(launch.engine)
        start = StartOp.of(
            launch.inputs, launch.output, launch.overhang, queue.results[0], launch.body
        )
        return [queue, start, WaitOp(queue.results[0])]
