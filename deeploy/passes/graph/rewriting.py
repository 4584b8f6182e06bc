"""Helpers for the patterns of this folder: constants, types and the walk over a function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import DenseResourceAttr, ModuleOp, TensorType
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.pattern_rewriter import (
    GreedyRewritePatternApplier,
    PatternRewriter,
    PatternRewriteWalker,
    RewritePattern,
)
from xdsl.transforms.dead_code_elimination import region_dce

from deeploy.dialects.graph import (
    ConstantOp,
    ReshapeOp,
    TransposeOp,
    element_type,
    ints,
)
from deeploy.functions import functions_of, position_of
from deeploy.interfaces.tiling import shape_of
from deeploy.passes.graph.extents import propagate_extents
from deeploy.resources import Array, array_of, constant_attr


@dataclass
class InFunctionBody(RewritePattern):
    """Applies a pattern to the ops of functions, not to the bodies of nests inside them.

    Ops on tiles look like ops on tensors, but their attributes speak of the whole tensor.
    """

    pattern: RewritePattern

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if isinstance(op.parent_op(), FuncOp):
            self.pattern.match_and_rewrite(op, rewriter)


def rewrite_functions(module: ModuleOp, patterns: Sequence[RewritePattern]) -> None:
    """Apply `patterns` greedily until none matches, then drop what is unused."""
    pattern = InFunctionBody(GreedyRewritePatternApplier(list(patterns)))
    PatternRewriteWalker(pattern).rewrite_module(module)
    region_dce(module.body)
    for function in functions_of(module):
        if position_of(function) is not None:
            propagate_extents(function)


# --- Types ----------------------------------------------------------------------------------------


def tensor(shape: Sequence[int], elements: Attribute) -> TensorType[Attribute]:
    """The tensor type of a shape and an element type."""
    return TensorType(elements, list(shape))


def with_shape(value: SSAValue, shape: Sequence[int]) -> TensorType[Attribute]:
    """The type of `value` with another shape."""
    return tensor(shape, element_type(value))


def squeeze_leading(shape: Sequence[int]) -> tuple[int, ...]:
    """`shape` without leading extents of 1, which broadcasting adds by itself."""
    first = next((i for i, extent in enumerate(shape) if extent != 1), len(shape))
    return tuple(shape[first:])


# --- Constants ------------------------------------------------------------------------------------


def constant_of(ctx: Context, value: SSAValue) -> Array | None:
    """The array behind `value`, if it is a constant."""
    owner = value.owner
    return array_of(ctx, owner.value) if isinstance(owner, ConstantOp) else None


def constant_key(value: SSAValue, default: str = "constant") -> str:
    """A readable name for a constant made from `value`."""
    owner = value.owner
    if isinstance(owner, ConstantOp) and isinstance(owner.value, DenseResourceAttr):
        return owner.value.resource_handle.data
    return value.name_hint or default


def make_constant(ctx: Context, key: str, array: Array, elements: Attribute) -> ConstantOp:
    """A constant with the values of `array`; `key` names its resource."""
    type = tensor(array.shape, elements)
    attr = constant_attr(ctx, key, np.ascontiguousarray(array).reshape(array.shape), type)
    return ConstantOp.create(properties={"value": attr}, result_types=[type])


def changed_constant(ctx: Context, value: SSAValue, array: Array) -> ConstantOp:
    """A constant with other values than the constant `value`, and the same name and elements."""
    constant = make_constant(ctx, constant_key(value), array, element_type(value))
    constant.result.name_hint = value.name_hint
    return constant


# --- Movement -------------------------------------------------------------------------------------


def make_transpose(value: SSAValue, permutation: Sequence[int]) -> TransposeOp:
    """`graph.transpose` of `value`."""
    shape = shape_of(value)
    return TransposeOp.create(
        operands=[value],
        properties={"permutation": ints(permutation)},
        result_types=[with_shape(value, [shape[p] for p in permutation])],
    )


def make_reshape(value: SSAValue, shape: Sequence[int]) -> ReshapeOp:
    """`graph.reshape` of `value`."""
    return ReshapeOp.create(operands=[value], result_types=[with_shape(value, shape)])


def inverse(permutation: Sequence[int]) -> tuple[int, ...]:
    """The permutation that undoes `permutation`."""
    return tuple(permutation.index(i) for i in range(len(permutation)))
