"""Run-time extents: from the caches of a function to everything that is computed from them."""

from __future__ import annotations

from xdsl.dialects import func
from xdsl.dialects.builtin import TensorType
from xdsl.rewriter import Rewriter
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.hints import isa

from deeploy.diagnostics import fail, summary
from deeploy.dialects.graph import GraphOp, ReshapeOp, with_extent

HINT = "masks and other values that depend on the length of the caches are not supported"


def propagate_extents(function: func.FuncOp) -> None:
    """Give the result of each op the run-time extent that follows from its operands.

    Raises:
        PassFailedException: naming an op that does not work on a part of its operands.
    """
    for op in function.body.block.ops:
        if not isinstance(op, GraphOp | ReshapeOp):
            continue
        result = op.results[0]
        assert isa(result.type, TensorType)
        try:
            type = with_extent(result.type, op.infer_extent())
        except VerifyException as error:
            fail(op, summary(error), HINT)
        if type != result.type:
            Rewriter.replace_value_with_new_type(result, type)
