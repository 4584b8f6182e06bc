"""Checks that a function is at the level that a pass works on."""

from __future__ import annotations

from xdsl.dialects import func, memref, scf
from xdsl.ir import Block, Operation

from deeploy.diagnostics import fail
from deeploy.dialects.graph import GraphOp
from deeploy.dialects.tiled import NestOp

_NEEDED: dict[type[Operation], tuple[str, str]] = {
    GraphOp: ("the op is in no nest", "run 'place' and 'form-nests' first"),
    NestOp: ("the nest has not been tiled", "run 'tile' first"),
    memref.CopyOp: ("the copy is no transfer", "run 'insert-dma' first"),
}


def check_lowered(function: func.FuncOp, *kinds: type[Operation]) -> None:
    """Check that there are no ops of these kinds; in the bodies of nests and calls there may be.

    Raises:
        PassFailedException: naming the op, and the pass that has to run before.
    """
    _check_block(function.body.block, kinds)


def _check_block(block: Block, kinds: tuple[type[Operation], ...]) -> None:
    for op in block.ops:
        for kind in kinds:
            if isinstance(op, kind):
                fail(op, *_NEEDED[kind])
        if isinstance(op, scf.ForOp | scf.IfOp):
            for region in op.regions:
                for inner in region.blocks:
                    _check_block(inner, kinds)
