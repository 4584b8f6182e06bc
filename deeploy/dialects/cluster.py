"""The cluster dialect: kernels that all cores of a cluster run together, and barriers.

All cores run the same program. A kernel splits its work among them and has no barrier inside:
what one core wrote, another may read only behind a `cluster.barrier`.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import MemRefType, StringAttr
from xdsl.ir import Dialect, Region, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    opt_operand_def,
    prop_def,
    traits_def,
)
from xdsl.traits import (
    MemoryReadEffect,
    MemoryWriteEffect,
    SingleBlockImplicitTerminator,
)

from deeploy.dialects.computation import ComputationYieldOp, ComputeOp, split_overhang


@irdl_op_definition
class YieldOp(ComputationYieldOp):
    """The result of a call's body."""

    name = "cluster.yield"


@irdl_op_definition
class CallOp(ComputeOp):
    """Run a kernel of an engine on tiles; all cores do."""

    name = "cluster.call"
    engine = prop_def(StringAttr)
    kernel = prop_def(StringAttr)
    scratch = opt_operand_def(MemRefType)
    traits = traits_def(SingleBlockImplicitTerminator(YieldOp))
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
        static, dynamic = split_overhang(overhang)
        return CallOp(
            operands=[scratch, inputs, output, dynamic],
            properties={
                "engine": StringAttr(engine),
                "kernel": StringAttr(kernel),
                "static_overhang": static,
            },
            regions=[body],
        )

    def verify_(self) -> None:
        self.verify_body(YieldOp)


@irdl_op_definition
class BarrierOp(IRDLOperation):
    """No core goes on before all have come here."""

    name = "cluster.barrier"
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())
    assembly_format = "attr-dict"


Cluster = Dialect("cluster", [CallOp, BarrierOp, YieldOp], [])
