"""`fuse-addends`: what is added to a product becomes part of it, as masks to scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import IntegerType, ModuleOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from deeploy.diagnostics import replace_op
from deeploy.dialects.graph import (
    AddOp,
    ConstantOp,
    MatmulAddOp,
    MatmulOp,
    RequantAttr,
    Requantised,
    element_type,
    si8,
    ui8,
)
from deeploy.interfaces.tiling import shape_of
from deeploy.passes.graph.rewriting import rewrite_functions


class FuseAddend(RewritePattern):
    """`add(matmul(x, y), mask)` → `matmul_add(x, y, mask)`, where the product is requantised and
    has no other use, and the mask is added as it is, column by column.

    Products with constants stay, as accelerators take them; so do factors that are operands.
    """

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: AddOp, rewriter: PatternRewriter) -> None:
        sides = (
            (op.lhs, op.lhs_requant, op.rhs, op.rhs_requant),
            (op.rhs, op.rhs_requant, op.lhs, op.lhs_requant),
        )
        for value, scale, addend, addend_requant in sides:
            product = value.owner
            if not isinstance(product, MatmulOp) or addend_requant is not None:
                continue
            if is_fusible(product) and has_numbers(op) and fits(op, product, addend):
                replace_op(rewriter, op, fused(op, product, addend, scale))
                rewriter.erase(product)
                return


def has_numbers(op: Requantised) -> bool:
    """Whether an op on integers has no factors for each channel."""
    is_integer = isinstance(element_type(op.results[0]), IntegerType)
    return is_integer and op.mul is None and op.add is None


def is_fusible(product: MatmulOp) -> bool:
    """Whether a product is one of activations, requantised with numbers and used once."""
    if product.requant is None or not has_numbers(product) or not product.result.has_one_use():
        return False
    return not isinstance(product.rhs.owner, ConstantOp)


def fits(op: AddOp, product: MatmulOp, addend: SSAValue) -> bool:
    """Whether a sum has the shape and the byte type of its product, which may lie where the sum
    will, and the addend all columns of it."""
    shape, type = shape_of(product.result), element_type(product.result)
    is_byte = type in (si8, ui8) and element_type(op.result) == type
    return is_byte and shape_of(op.result) == shape and shape_of(addend)[-1:] == shape[-1:]


def fused(op: AddOp, product: MatmulOp, addend: SSAValue, scale: RequantAttr | None) -> MatmulAddOp:
    """The op that computes a product and the sum."""
    new = MatmulAddOp.build(
        operands=[[product.lhs], [product.rhs], [addend], [], []],
        properties={
            "transpose_rhs": product.transpose_rhs,
            "product_requant": product.requant,
            "scale": scale,
            "requant": op.requant,
        },
        result_types=[op.result.type],
    )
    new.location = product.location
    return new


@dataclass(frozen=True)
class FuseAddendsPass(ModulePass):
    """Let products of activations add what is added to them, before they are stored."""

    name: ClassVar[str] = "fuse-addends"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite_functions(op, [FuseAddend()])
