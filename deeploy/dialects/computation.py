"""What the ops have in common that compute tiles of buffers, whichever engine does it."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    DenseArrayBase,
    IndexType,
    MemRefType,
    TensorType,
    i64,
)
from xdsl.dialects.utils import DynamicIndexList, split_dynamic_index_list
from xdsl.ir import Operation, SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    operand_def,
    prop_def,
    region_def,
    traits_def,
    var_operand_def,
)
from xdsl.traits import (
    IsolatedFromAbove,
    IsTerminator,
    MemoryReadEffect,
    MemoryWriteEffect,
    Pure,
)
from xdsl.utils.exceptions import VerifyException

from deeploy.dialects.graph import GraphOp
from deeploy.interfaces.tiling import shape_of


class ComputeOp(IRDLOperation):
    """An op that computes a tile of a result from tiles of operands.

    The body holds one graph op on whole tensors: it tells what is computed and with which
    attributes. Shapes are those of the tiles, and `overhang` says how far the first tile reaches
    over the lower and upper border of its tensor in each dimension (nothing: not at all).
    """

    inputs = var_operand_def(MemRefType)
    output = operand_def(MemRefType)
    overhang = var_operand_def(IndexType)
    static_overhang = prop_def(DenseArrayBase.constr(i64))
    body = region_def("single_block")
    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect(), IsolatedFromAbove())
    custom_directives = (DynamicIndexList,)

    @property
    def op(self) -> GraphOp:
        """The graph op that is computed."""
        op = self.body.block.first_op
        assert isinstance(op, GraphOp)
        return op

    def overhangs(self) -> list[SSAValue | int]:
        """Low and high overhang of each dimension of the first input; empty for none."""
        dynamic = iter(self.overhang)
        return [
            next(dynamic) if v == DYNAMIC_INDEX else int(v)
            for v in self.static_overhang.get_values()
        ]

    def verify_body(self, terminator: type[Operation]) -> None:
        """Check the body and the number of overhangs."""
        name = self.name
        ops = list(self.body.block.ops)
        if len(ops) != 2 or not isinstance(ops[0], GraphOp) or not isinstance(ops[1], terminator):
            raise VerifyException(f"'{name}' needs a body of one graph op and a {terminator.name}")
        if len(ops[0].operands) != len(self.inputs):
            raise VerifyException(f"'{name}' needs one input for each operand of its body")
        rank = len(shape_of(self.inputs[0])) if self.inputs else 0
        if len(self.static_overhang) not in (0, 2 * rank):
            raise VerifyException(f"'{name}' needs no overhang or {2 * rank} numbers")


class ComputationYieldOp(IRDLOperation):
    """The result of a computation's body."""

    value = operand_def(TensorType)
    traits = traits_def(IsTerminator(), Pure())
    assembly_format = "$value attr-dict `:` type($value)"


def split_overhang(
    overhang: Sequence[SSAValue | int],
) -> tuple[DenseArrayBase, Sequence[SSAValue]]:
    """The property and the operands that hold overhangs."""
    static, dynamic = split_dynamic_index_list(overhang, DYNAMIC_INDEX)
    return DenseArrayBase.from_list(i64, static), dynamic
