"""Matrix products."""

from __future__ import annotations

from xdsl.dialects.builtin import TensorType, UnitAttr
from xdsl.ir.affine import AffineDimExpr, AffineExpr, AffineMap
from xdsl.irdl import (
    irdl_op_definition,
    operand_def,
    opt_prop_def,
    prop_def,
)
from xdsl.utils.exceptions import VerifyException

from deeploy.dialects.graph.attributes import RequantAttr
from deeploy.dialects.graph.base import (
    BINARY_FORMAT,
    Requantised,
    broadcast_map,
    broadcast_shape,
    verify_integers,
)
from deeploy.interfaces.tiling import Iterator, shape_of

__all__ = ["MatmulAddOp", "MatmulOp", "ProductOp"]


class ProductOp(Requantised):
    """`lhs[…, m, k] @ rhs[…, k, n]`, or with `transpose_rhs` `rhs[…, n, k]`; the leading
    dimensions broadcast. The channels of the epilogue are the columns n."""

    lhs = operand_def(TensorType)
    rhs = operand_def(TensorType)
    transpose_rhs = opt_prop_def(UnitAttr)

    def sizes(self) -> tuple[int, int, int]:
        """`(m, n, k)`."""
        lhs, rhs = shape_of(self.lhs), shape_of(self.rhs)
        if len(lhs) < 2 or len(rhs) < 2:
            raise VerifyException(f"'{self.name}' needs operands of rank 2 or more")
        n, k = rhs[-2:] if self.transpose_rhs else (rhs[-1], rhs[-2])
        if lhs[-1] != k:
            raise VerifyException(f"'{self.name}' contracts {lhs[-1]} columns with {k} rows")
        return lhs[-2], n, k

    def batch(self) -> tuple[int, ...]:
        """The leading dimensions of the result."""
        return broadcast_shape(self, shape_of(self.lhs)[:-2], shape_of(self.rhs)[:-2])

    def infer_shape(self) -> tuple[int, ...]:
        m, n, _ = self.sizes()
        return (*self.batch(), m, n)

    def iterators(self) -> tuple[Iterator, ...]:
        m, n, k = self.sizes()
        batch = [Iterator(f"b{i}", extent) for i, extent in enumerate(self.batch())]
        return (*batch, Iterator("m", m), Iterator("n", n), Iterator("k", k, parallel=False))

    def _map(self, shape: tuple[int, ...], *matrix: int) -> AffineMap:
        """The map of an operand: leading dims that broadcast, then iterators from the end."""
        rank = len(self.batch())
        lead = shape[: len(shape) - len(matrix)]
        exprs: list[AffineExpr] = [
            AffineExpr.constant(0) if e == 1 else AffineDimExpr(i + rank - len(lead))
            for i, e in enumerate(lead)
        ]
        exprs += [AffineDimExpr(rank + i) for i in matrix]
        return AffineMap(rank + 3, 0, tuple(exprs))

    def channel_map(self) -> AffineMap:
        return self._map((1,), 1)

    def operand_maps(self) -> tuple[AffineMap, ...]:
        rhs = (1, 2) if self.transpose_rhs else (2, 1)
        return (
            self._map(shape_of(self.lhs), 0, 2),
            self._map(shape_of(self.rhs), *rhs),
            *self.epilogue_maps(),
        )

    def result_maps(self) -> tuple[AffineMap, ...]:
        return (self._map(shape_of(self.result), 0, 1),)


@irdl_op_definition
class MatmulOp(ProductOp):
    """A matrix product."""

    name = "graph.matmul"
    assembly_format = BINARY_FORMAT


@irdl_op_definition
class MatmulAddOp(ProductOp):
    """A matrix product and `addend`, which broadcasts to the result: scores and their mask.

    The product is requantised with `product_requant`, the sum with `requant`; in between, the
    product is requantised with `scale`, if there is one."""

    name = "graph.matmul_add"
    lhs = operand_def(TensorType)
    rhs = operand_def(TensorType)
    addend = operand_def(TensorType)
    product_requant = prop_def(RequantAttr)
    scale = opt_prop_def(RequantAttr)
    assembly_format = (
        "$lhs `,` $rhs `,` $addend "
        "(`mul` $mul^ `:` type($mul))? (`add` $add^ `:` type($add))? "
        "attr-dict `:` type($lhs) `,` type($rhs) `,` type($addend) `->` type($result)"
    )

    def infer_shape(self) -> tuple[int, ...]:
        shape = super().infer_shape()
        if broadcast_shape(self, shape, shape_of(self.addend)) != shape:
            raise VerifyException(f"'{self.name}' has an addend larger than its product")
        return shape

    def operand_maps(self) -> tuple[AffineMap, ...]:
        lhs, rhs, *vectors = super().operand_maps()
        shape = super().infer_shape()
        addend = broadcast_map(shape_of(self.addend), shape)
        # one iterator more: that of the sums
        return lhs, rhs, AffineMap(len(shape) + 1, 0, addend.results), *vectors

    def verify_(self) -> None:
        super().verify_()
        verify_integers(self)
