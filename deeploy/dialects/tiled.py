"""The tiled dialect: nests, the unit of planning.

A nest is a graph op, or a fused group of them, with the decisions about its execution. Its body
holds the ops on whole tensors. The iteration domain is that of the last op; the tiles of all other
values follow from the tiling interface, from the last op backwards.

Where there are several ways to run a nest (on another engine, say), `tiled.alternatives` holds a
nest for each of them, until the plan takes one.

Before buffers are introduced a nest has tensor operands and results. Afterwards inputs and outputs
are memrefs, and there are no results.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from xdsl.dialects.builtin import (
    I64,
    ArrayAttr,
    DenseArrayBase,
    IndexType,
    IntegerAttr,
    MemRefType,
    StringAttr,
    TensorType,
    i64,
)
from xdsl.ir import Block, BlockArgument, Dialect, Region, SSAValue
from xdsl.irdl import (
    AnyOf,
    AttrSizedOperandSegments,
    BaseAttr,
    IRDLOperation,
    ParsePropInAttrDict,
    irdl_op_definition,
    opt_operand_def,
    opt_prop_def,
    region_def,
    traits_def,
    var_operand_def,
    var_region_def,
    var_result_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import IsolatedFromAbove, IsTerminator, Pure, SingleBlockImplicitTerminator
from xdsl.utils.exceptions import VerifyException

from deeploy.dialects.graph import GraphOp, RequantAttr, element_type, extent_of, tuple_of
from deeploy.interfaces.nest_space import NestSpace
from deeploy.interfaces.tiling import Iterator, shape_of
from deeploy.interfaces.views import can_be_read_through, can_be_written_through, is_view


@irdl_op_definition
class YieldOp(IRDLOperation):
    """The results of a nest's body."""

    name = "tiled.yield"
    values = var_operand_def(TensorType)
    traits = traits_def(IsTerminator(), Pure())
    assembly_format = "$values attr-dict `:` type($values)"


@irdl_op_definition
class NestOp(IRDLOperation):
    """A group of graph ops that is tiled as one.

    `at` is the position, where a value of the body has a run-time extent.

    - `engine`: who runs it.
    - `tile`: the tile size of each iterator (its extent where it is not cut).
    - `order`: the iterators that are cut, outermost loop first.
    - `buffers`: 1 or 2 for each operand tile that moves in the loops.
    - `homes`, `offsets`: memory and byte address of each result.
    - `scratch`: byte address, in the memory of the cores, of all buffers that live only here.
    - `cycles`: what the cost model expects.
    """

    name = "tiled.nest"
    inputs = var_operand_def(AnyOf((BaseAttr(TensorType), BaseAttr(MemRefType))))
    outputs = var_operand_def(MemRefType)
    position = opt_operand_def(IndexType)
    outs = var_result_def(TensorType)
    engine = opt_prop_def(StringAttr)
    tile = opt_prop_def(DenseArrayBase.constr(i64))
    order = opt_prop_def(DenseArrayBase.constr(i64))
    buffers = opt_prop_def(IntegerAttr[I64])
    homes = opt_prop_def(ArrayAttr[StringAttr])
    offsets = opt_prop_def(DenseArrayBase.constr(i64))
    scratch = opt_prop_def(IntegerAttr[I64])
    cycles = opt_prop_def(IntegerAttr[I64])
    body = region_def("single_block")
    irdl_options = (AttrSizedOperandSegments(as_property=True), ParsePropInAttrDict())
    traits = traits_def(IsolatedFromAbove(), SingleBlockImplicitTerminator(YieldOp))
    assembly_format = (
        "`ins` `(` $inputs `:` type($inputs) `)` (`at` $position^)? "
        "(`outs` `(` $outputs^ `:` type($outputs) `)`)? (`->` type($outs)^)? "
        "attr-dict-with-keyword $body"
    )

    def body_ops(self) -> list[GraphOp]:
        """The graph ops of the body, in order."""
        return [op for op in self.body.block.ops if isinstance(op, GraphOp)]

    def computing_ops(self) -> list[GraphOp]:
        """The graph ops of the body that are no views, in order."""
        return [op for op in self.body_ops() if not is_view(op)]

    def root(self) -> GraphOp:
        """The last op, whose iterators are those of the nest."""
        return self.body_ops()[-1]

    def tied_input(self) -> int | None:
        """The input whose memory the result is, where the last op works in place."""
        index = self.root().tied()
        if index is None:
            return None
        operand = self.root().operands[index]
        return operand.index if isinstance(operand, BlockArgument) else None

    def iterators(self) -> tuple[Iterator, ...]:
        """The iteration domain: that of the last op, and the parts of sums that another adds up."""
        own, partial = self.root().domain(), self.partial()
        if partial is None or partial[0] is self.root():
            return own
        op, index = partial
        return (*own, op.iterators()[index])

    def partial(self) -> tuple[GraphOp, int] | None:
        """The op that can add up parts of sums, and the iterator over them. As it runs again for
        each part, it is the first one that computes."""
        op = self.computing_ops()[0]
        found = (i for i, it in enumerate(op.iterators()) if it.partial)
        return next(((op, i) for i in found), None)

    def parts(self) -> int | None:
        """The iterator of the nest over parts of sums."""
        partial = self.partial()
        if partial is None:
            return None
        return partial[1] if partial[0] is self.root() else len(self.root().domain())

    def tile_sizes(self) -> tuple[int, ...]:
        """The tile size of each iterator; the extents where there is no plan yet."""
        if self.tile is None:
            return tuple(it.extent for it in self.iterators())
        return tuple_of(self.tile)

    def loop_order(self) -> tuple[int, ...]:
        """The iterators that are cut, outermost loop first."""
        return () if self.order is None else tuple_of(self.order)

    def structure(self) -> Hashable:
        """Equal for nests whose bodies are the same but for names, locations, operands, and numbers
        that kernels only compute with."""
        values: dict[SSAValue, int] = {arg: i for i, arg in enumerate(self.body.block.args)}
        ops: list[Hashable] = []
        for op in self.body_ops():
            operands = tuple(values[operand] for operand in op.operands)
            values.update((result, len(values)) for result in op.results)
            attributes = frozenset(
                (name, value.kind() if isinstance(value, RequantAttr) else value)
                for name, value in (op.attributes | op.properties).items()
                if name not in op.NUMBERS
            )
            ops.append((op.name, operands, attributes, op.result_types))
        return self.engine, self.body.block.arg_types, tuple(ops)

    def is_planned(self) -> bool:
        """Whether tile sizes, homes and addresses are set."""
        return None not in (self.tile, self.order, self.buffers, self.scratch)

    def verify_(self) -> None:
        ops = self.body_ops()
        if not ops or len(ops) + 1 != len(list(self.body.block.ops)):
            raise VerifyException("'tiled.nest' needs a body of graph ops and a tiled.yield")
        self._verify_views()
        terminator = self.body.block.last_op
        assert isinstance(terminator, YieldOp), "its trait checks that"
        if list(terminator.values) != list(ops[-1].results):
            raise VerifyException("'tiled.nest' must yield the results of its last op")
        inner = (*self.body.block.args, *(r for op in ops[:-1] for r in op.results))
        if any(len(list(value.uses)) != 1 for value in inner):
            raise VerifyException("'tiled.nest' needs a body in which each value is read once")
        grows = any(extent_of(value) for op in ops for value in (*op.operands, *op.results))
        if grows != (self.position is not None):
            raise VerifyException("'tiled.nest' needs a position where it has run-time extents")
        if bool(self.outputs) == bool(self.outs):
            raise VerifyException("'tiled.nest' needs either results or outputs")
        self._verify_shapes()
        self._verify_tiles()

    def _verify_views(self) -> None:
        """What a kernel reads through views must be in their operands, and what it writes through
        them all of the result."""
        read = [op for op in self.body_ops() if is_view(op)]
        op = root = self.root()
        while is_view(op):
            producer = op.operands[0].owner
            inserts = op.tied() is not None and op is not root
            if not can_be_written_through(op) or inserts or not isinstance(producer, GraphOp):
                raise VerifyException("'tiled.nest' must compute its result, and all of it")
            read.remove(op)
            op = producer
        if not all(can_be_read_through(op) for op in read):
            raise VerifyException("'tiled.nest' can see data through transposes and slices only")

    def _verify_shapes(self) -> None:
        outer = [*self.inputs, *self.outs, *self.outputs]
        inner = [*self.body.block.args, *self.root().results]
        if len(outer) != len(inner):
            raise VerifyException("'tiled.nest' needs one body argument for each input")
        for a, b in zip(outer, inner, strict=True):
            if shape_of(a) != shape_of(b) or element_type(a) != element_type(b):
                raise VerifyException("'tiled.nest' has a body of other types than its operands")

    def _verify_tiles(self) -> None:
        iterators = self.iterators()
        if self.tile is not None:
            sizes = tuple_of(self.tile)
            if len(sizes) != len(iterators):
                raise VerifyException(f"'tiled.nest' needs {len(iterators)} tile sizes")
            whole = NestSpace.of(self).whole
            for i, (it, size) in enumerate(zip(iterators, sizes, strict=True)):
                if not 1 <= size <= it.extent:
                    raise VerifyException(
                        f"tile size {size} of '{it.name}' is not 1 to {it.extent}"
                    )
                if size < it.extent and i in whole:
                    raise VerifyException(f"iterator '{it.name}' cannot be tiled")
            cut = [i for i, it in enumerate(iterators) if sizes[i] < it.extent]
            if sorted(self.loop_order()) != cut:
                raise VerifyException(
                    f"loop order must be a permutation of the cut iterators {cut}"
                )
            self._verify_parts(sizes)
        if self.buffers is not None and self.buffers.value.data not in (1, 2):
            raise VerifyException("'tiled.nest' needs 1 or 2 buffers")

    def _verify_parts(self, sizes: Sequence[int]) -> None:
        parts = self.parts()
        if parts not in self.loop_order():
            return
        if self.loop_order()[-1] != parts:
            raise VerifyException("'tiled.nest' adds up parts of sums in its innermost loop")
        it = self.iterators()[parts]
        if it.extent % sizes[parts]:
            raise VerifyException(f"'tiled.nest' needs equal parts of '{it.name}'")


@irdl_op_definition
class AlternativesOp(IRDLOperation):
    """Several nests that compute the same; the plan takes one of them.

    Each region holds one nest and yields its results.
    """

    name = "tiled.alternatives"
    outs = var_result_def(TensorType)
    ways = var_region_def("single_block")
    traits = traits_def(SingleBlockImplicitTerminator(YieldOp))

    @staticmethod
    def of(nests: Sequence[NestOp]) -> AlternativesOp:
        """Alternatives from detached nests."""
        regions: list[Region] = []
        for nest in nests:
            block = Block([nest, YieldOp(operands=[nest.results])])
            regions.append(Region(block))
        types = [[result.type for result in nests[0].results]]
        op = AlternativesOp(result_types=types, regions=[regions])
        op.location = nests[0].location
        for old, new in zip(nests[0].results, op.results, strict=True):
            new.name_hint = old.name_hint
        return op

    def nests(self) -> list[NestOp]:
        """The nest of each way."""
        return [op for way in self.ways for op in way.block.ops if isinstance(op, NestOp)]

    @classmethod
    def parse(cls, parser: Parser) -> AlternativesOp:
        parser.parse_punctuation("->")
        types = parser.parse_comma_separated_list(parser.Delimiter.NONE, parser.parse_type)
        attributes = parser.parse_optional_attr_dict_with_keyword()
        regions = [parser.parse_region()]
        while parser.parse_optional_keyword("or"):
            regions.append(parser.parse_region())
        return cls.create(
            result_types=types,
            regions=regions,
            attributes=attributes.data if attributes is not None else {},
        )

    def print(self, printer: Printer) -> None:
        printer.print_string(" -> ")
        printer.print_list(self.result_types, printer.print_attribute)
        printer.print_op_attributes(self.attributes, print_keyword=True)
        for i, way in enumerate(self.ways):
            printer.print_string(" or " if i else " ")
            printer.print_region(way)

    def verify_(self) -> None:
        if not self.ways:
            raise VerifyException("'tiled.alternatives' needs at least one region")
        for way in self.ways:
            ops = list(way.block.ops)
            if len(ops) != 2 or not isinstance(ops[0], NestOp) or not isinstance(ops[1], YieldOp):
                raise VerifyException(
                    "'tiled.alternatives' needs regions of one tiled.nest and a tiled.yield"
                )
            if list(ops[1].values) != list(ops[0].results):
                raise VerifyException("'tiled.alternatives' must yield the results of its nests")
            if [v.type for v in ops[1].values] != list(self.result_types):
                raise VerifyException("'tiled.alternatives' has nests of other types than results")
            if ops[0].tied_input() is not None:
                raise VerifyException("'tiled.alternatives' cannot hold a nest that works in place")


Tiled = Dialect("tiled", [NestOp, AlternativesOp, YieldOp], [])
