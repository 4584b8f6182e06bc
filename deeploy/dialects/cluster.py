"""The cluster dialect: kernels that all cores of a cluster run together, and barriers.

All cores run the same program. A kernel splits its work among them and has no barrier inside:
what one core wrote, another may read only behind a `cluster.barrier`.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    DenseArrayBase,
    IndexType,
    MemRefType,
    StringAttr,
    TensorType,
    i64,
)
from xdsl.dialects.utils import DynamicIndexList, split_dynamic_index_list
from xdsl.ir import Dialect, Region, SSAValue
from xdsl.irdl import (
    AttrSizedOperandSegments,
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    opt_operand_def,
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
    SingleBlockImplicitTerminator,
)
from xdsl.utils.exceptions import VerifyException

from deeploy.dialects.graph import GraphOp
from deeploy.interfaces.tiling import shape_of


@irdl_op_definition
class YieldOp(IRDLOperation):
    """The result of a call's body."""

    name = "cluster.yield"
    value = operand_def(TensorType)
    traits = traits_def(IsTerminator(), Pure())
    assembly_format = "$value attr-dict `:` type($value)"


@irdl_op_definition
class CallOp(IRDLOperation):
    """Run a kernel of an engine on tiles.

    The body holds one graph op on whole tensors: it tells what the kernel computes and with which
    attributes. Shapes are those of the tiles, and `overhang` says how far the first tile reaches
    over the lower and upper border of its tensor in each dimension (nothing: not at all).
    """

    name = "cluster.call"
    engine = prop_def(StringAttr)
    kernel = prop_def(StringAttr)
    inputs = var_operand_def(MemRefType)
    output = operand_def(MemRefType)
    scratch = opt_operand_def(MemRefType)
    overhang = var_operand_def(IndexType)
    static_overhang = prop_def(DenseArrayBase.constr(i64))
    body = region_def("single_block")
    irdl_options = (AttrSizedOperandSegments(as_property=True),)
    traits = traits_def(
        MemoryReadEffect(),
        MemoryWriteEffect(),
        IsolatedFromAbove(),
        SingleBlockImplicitTerminator(YieldOp),
    )
    custom_directives = (DynamicIndexList,)
    assembly_format = (
        "$kernel `of` $engine `ins` `(` $inputs `:` type($inputs) `)` "
        "`outs` `(` $output `:` type($output) `)` "
        "(`scratch` `(` $scratch^ `:` type($scratch) `)`)? "
        "`overhang` custom<DynamicIndexList>($overhang, $static_overhang) "
        "attr-dict-with-keyword $body"
    )

    @staticmethod
    def of(
        engine: str,
        kernel: str,
        inputs: Sequence[SSAValue],
        output: SSAValue,
        scratch: SSAValue | None,
        overhang: Sequence[SSAValue | int],
        body: Region,
    ) -> CallOp:
        """Build a call; the body is a block with one graph op, its arguments the operands."""
        static, dynamic = split_dynamic_index_list(overhang, DYNAMIC_INDEX)
        return CallOp(
            operands=[inputs, output, scratch, dynamic],
            properties={
                "engine": StringAttr(engine),
                "kernel": StringAttr(kernel),
                "static_overhang": DenseArrayBase.from_list(i64, static),
            },
            regions=[body],
        )

    @property
    def op(self) -> GraphOp:
        """The graph op that the kernel computes."""
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

    def verify_(self) -> None:
        ops = list(self.body.block.ops)
        if len(ops) != 2 or not isinstance(ops[0], GraphOp) or not isinstance(ops[1], YieldOp):
            raise VerifyException("'cluster.call' needs a body of one graph op and a cluster.yield")
        if len(ops[0].operands) != len(self.inputs):
            raise VerifyException("'cluster.call' needs one input for each operand of its body")
        rank = len(shape_of(self.inputs[0])) if self.inputs else 0
        if len(self.static_overhang) not in (0, 2 * rank):
            raise VerifyException(f"'cluster.call' needs no overhang or {2 * rank} numbers")


@irdl_op_definition
class BarrierOp(IRDLOperation):
    """No core goes on before all have come here."""

    name = "cluster.barrier"
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())
    assembly_format = "attr-dict"


Cluster = Dialect("cluster", [CallOp, BarrierOp, YieldOp], [])
