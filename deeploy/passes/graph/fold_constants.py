"""`fold-constants`: compute at compile time what does not depend on the inputs."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern

from deeploy.diagnostics import replace_op
from deeploy.dialects.graph import ConstantOp, CopyOp, element_type
from deeploy.interpreters.graph import can_evaluate, evaluate_whole
from deeploy.passes.graph.rewriting import (
    constant_key,
    constant_of,
    make_constant,
    rewrite_functions,
)


@dataclass
class FoldConstantOperands(RewritePattern):
    """`op(constants)` → a constant."""

    ctx: Context

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        # a copy is there to make a constant an output of its own; elsewhere `simplify` removes it
        if not op.operands or not can_evaluate(op) or isinstance(op, CopyOp):
            return
        if not all(isinstance(v.owner, ConstantOp) for v in op.operands):
            return
        arrays = [array for v in op.operands if (array := constant_of(self.ctx, v)) is not None]
        (result,) = op.results
        key = constant_key(op.operands[0])
        constant = make_constant(self.ctx, key, evaluate_whole(op, arrays), element_type(result))
        replace_op(rewriter, op, constant)


@dataclass(frozen=True)
class FoldConstantsPass(ModulePass):
    """Compute ops on constants at compile time, and drop unused ops.

    Each op whose operands are all `graph.constant` is evaluated with the numpy meaning of the
    dialect, reshapes and transposes of weights included.
    """

    name = "fold-constants"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite_functions(op, [FoldConstantOperands(ctx)])
