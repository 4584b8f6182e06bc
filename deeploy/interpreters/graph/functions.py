"""The xDSL interpreter of the graph dialect."""

from __future__ import annotations

from collections.abc import Iterable

from xdsl.context import Context
from xdsl.interpreter import (
    Interpreter,
    InterpreterFunctions,
    OpImpl,
    OpImplResult,
    PythonValues,
    impl,
    register_impls,
)
from xdsl.ir import Operation

from deeploy.dialects.graph import ConstantOp, ReshapeOp
from deeploy.interfaces.tiling import TilingInterface
from deeploy.interpreters.graph.evaluation import evaluate_whole
from deeploy.interpreters.graph.registry import ops_with_meaning
from deeploy.resources import array_of


def _run_graph_op(
    _: InterpreterFunctions, interpreter: Interpreter, op: Operation, args: PythonValues
) -> OpImplResult:
    return OpImplResult((evaluate_whole(op, args),), None)


@register_impls
class GraphFunctions(InterpreterFunctions):
    """Runs graph ops on whole tensors; a value is a numpy array.

    Every op with a registered meaning is run, those that other packages add included.
    """

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx

    @classmethod
    def _impls(
        cls,
    ) -> Iterable[tuple[type[Operation], OpImpl[InterpreterFunctions, Operation]]]:
        yield from super()._impls()
        for op_type in ops_with_meaning():
            if issubclass(op_type, TilingInterface):
                yield op_type, _run_graph_op

    @impl(ConstantOp)
    def run_constant(
        self, interpreter: Interpreter, op: ConstantOp, args: PythonValues
    ) -> PythonValues:
        return (array_of(self.ctx, op.value),)

    @impl(ReshapeOp)
    def run_reshape(
        self, interpreter: Interpreter, op: ReshapeOp, args: PythonValues
    ) -> PythonValues:
        return (evaluate_whole(op, args),)
