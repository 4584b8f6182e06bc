"""Verification of a whole module, with the op to blame in the message."""

from __future__ import annotations

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.traits import IsolatedFromAbove
from xdsl.utils.exceptions import VerifyException

from deeploy.diagnostics import describe


def _culprit(module: ModuleOp) -> Operation:
    """The first innermost op that does not verify; the module if each of them does."""
    # Ops inside others first, since some ops verify their bodies as part of themselves.
    for op in module.walk(region_first=True):
        try:
            op.verify(verify_nested_ops=False)
        except (VerifyException, ValueError):
            return op
    return module


def _check_region(region: Region, visible: set[SSAValue]) -> None:
    # With several blocks an order would need the control flow; we generate structured code only.
    if len(region.blocks) == 1:
        _check_block(region.block, visible)


def _check_block(block: Block, visible: set[SSAValue]) -> None:
    defined: list[SSAValue] = list(block.args)
    visible.update(defined)
    for op in block.ops:
        for index, operand in enumerate(op.operands):
            if operand not in visible:
                raise VerifyException(
                    f"{describe(op)}: operand {index} is used before it is defined"
                )
        for region in op.regions:
            _check_region(region, set() if op.has_trait(IsolatedFromAbove) else visible)
        defined.extend(op.results)
        visible.update(op.results)
    visible.difference_update(defined)


def verify_module(module: ModuleOp) -> None:
    """Check every op of `module`, and that values are defined before they are used.

    xDSL itself accepts a use before the definition, and reports an op that still uses an erased
    value as a `ValueError`.

    Raises:
        VerifyException: one line that names the op and its ONNX node.
    """
    try:
        module.verify()
    except (VerifyException, ValueError) as error:
        reason = str(error).strip().split("\n", 1)[0]
        raise VerifyException(f"{describe(_culprit(module))}: {reason}") from error
    for region in module.regions:
        _check_region(region, set())
