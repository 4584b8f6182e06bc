"""offer-engines: what other engines can run becomes an alternative for the plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import DictionaryAttr, ModuleOp, StringAttr
from xdsl.ir import Attribute, Block, BlockArgument, Operation, Region, SSAValue
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint, Rewriter

from deeploy.dialects.graph import ConstantOp, GraphOp, extent_of
from deeploy.dialects.tiled import AlternativesOp, NestOp, YieldOp
from deeploy.engines import DECLINED, ENGINE, Conversion, Engine, find_engine, takes_views
from deeploy.functions import functions_of
from deeploy.passes.graph.rewriting import constant_of, make_constant
from deeploy.resources import Array
from deeploy.targets import target_of

MOST_SHARED = 4
"""The most ops of a nest for which all ways to share them are offered."""


@dataclass(frozen=True)
class OfferEnginesPass(ModulePass):
    """Add alternatives to nests whose ops another engine of the target runs as ops of its own.

    What that engine has no use for stays where it is. Where its kernels do not take the strides of
    views, there is no alternative. Why it declines an op is kept in the op's
    attribute `declined`.
    """

    name: ClassVar[str] = "offer-engines"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        engines = [find_engine(name) for name in target_of(op).engines]
        for function in functions_of(op):
            for nest in list(function.body.block.ops):
                if isinstance(nest, NestOp) and not nest.is_planned():
                    offer(ctx, nest, [e for e in engines if e.conversions])


def offer(ctx: Context, nest: NestOp, engines: Sequence[Engine]) -> None:
    """Replace a nest by alternatives, if there are any."""
    if nest.tied_input() is not None:
        for op in nest.body_ops():
            for engine in engines:
                note(op, engine.name, ["a nest that extends a cache in place"])
        return
    constants = NestConstants(ctx, nest)
    others = [way for engine in engines for way in ways(nest, engine, constants)]
    for way in [way for way in others if not takes_views(way)]:
        others.remove(way)
        way.erase()
    if not others:
        return
    nest_copy = nest.clone()
    for old, new in zip(nest.walk(), nest_copy.walk(), strict=True):
        new.location = old.location
    Rewriter.replace_op(nest, AlternativesOp.of([nest_copy, *others]))


@dataclass
class NestConstants:
    """Constants that a nest reads, and new ones in front of it."""

    ctx: Context
    nest: NestOp
    made: dict[tuple[str, str], SSAValue] = field(default_factory=dict[tuple[str, str], SSAValue])

    def get(self, value: SSAValue) -> Array | None:
        """The elements of a value of the nest's body that is a constant, else None."""
        if not isinstance(value, BlockArgument):
            return None
        return constant_of(self.ctx, self.nest.inputs[value.index])

    def make(self, hint: str, array: Array, type: Attribute) -> SSAValue:
        """A new constant with elements of some type."""
        constant = make_constant(self.ctx, hint, array, type)
        constant.location = self.nest.location
        constant.result.name_hint = hint
        Rewriter.insert_op(constant, InsertPoint.before(self.nest))
        return constant.result


def ways(nest: NestOp, engine: Engine, constants: NestConstants) -> Iterator[NestOp]:
    """The nests that an engine takes part in: one for each conversion that takes an op, and one for
    each choice of ops that leaves work which can be done beside them where it was."""
    found = {op: conversions_of(op, engine, constants) for op in nest.computing_ops()}
    accepted = {op: own for op, own in found.items() if own}
    for i in range(max(map(len, accepted.values()), default=0)):
        chosen = {op: own[min(i, len(own) - 1)] for op, own in accepted.items()}
        yield converted(nest, engine, chosen, constants)
    for some in shares(list(accepted)):
        yield converted(nest, engine, {op: accepted[op][0] for op in some}, constants)


def shares(ops: Sequence[GraphOp]) -> Iterator[Sequence[GraphOp]]:
    """Some of the ops that an engine takes, where one of the others needs none of them nor the
    other way round."""
    if len(ops) > MOST_SHARED:
        return
    before = {op: ancestors(op) for op in ops}
    for count in range(1, len(ops)):
        for some in combinations(ops, count):
            others = [op for op in ops if op not in some]
            if any(x not in before[y] and y not in before[x] for x in some for y in others):
                yield some


def ancestors(op: GraphOp) -> set[Operation]:
    """The ops of a nest that an op needs the results of."""
    found: set[Operation] = set()
    work: list[Operation] = [op]
    while work:
        owners = {v.owner for v in work.pop().operands if isinstance(v.owner, Operation)}
        work += owners - found
        found |= owners
    return found


def conversions_of(op: GraphOp, engine: Engine, constants: NestConstants) -> list[Conversion]:
    """The conversions of an engine that take an op; notes why none does."""
    if any(map(extent_of, (*op.operands, *op.results))):
        note(op, engine.name, ["rows whose number is known at run time"])
        return []
    reasons: list[str] = []
    found: list[Conversion] = []
    for conversion in engine.conversions.get(type(op), ()):
        reason = conversion.declines(op, constants)
        if reason is None:
            found.append(conversion)
        else:
            reasons.append(reason)
    if not found:
        note(op, engine.name, reasons or [f"it has no use for {op.name}"])
    return found


def note(op: GraphOp, engine: str, reasons: Sequence[str]) -> None:
    """Keep why an engine declined an op."""
    known = op.attributes.get(DECLINED)
    declined = dict(known.data) if isinstance(known, DictionaryAttr) else {}
    declined[engine] = StringAttr("; ".join(dict.fromkeys(reasons)))
    op.attributes[DECLINED] = DictionaryAttr(declined)


def converted(
    nest: NestOp,
    engine: Engine,
    chosen: dict[GraphOp, Conversion],
    constants: NestConstants,
) -> NestOp:
    """The nest with some ops converted. It belongs to the engine if they are all it has."""
    all_of_it = len(chosen) == len(nest.computing_ops())
    body = Body(nest)
    for op in nest.body_ops():
        if op not in chosen:
            body.add(op.clone(), op)
            continue
        for inner in chosen[op].convert(op, constants):
            if type(inner) in engine.kernels and not all_of_it:
                inner.attributes[ENGINE] = StringAttr(engine.name)
            elif type(inner) not in engine.kernels and all_of_it and nest.engine is not None:
                inner.attributes[ENGINE] = nest.engine
            body.add(inner, op)
    return body.finish(engine.name if all_of_it else None)


class Body:
    """The body of a new nest, which takes what it needs from outside as inputs."""

    def __init__(self, nest: NestOp) -> None:
        self.nest = nest
        self.block = Block()
        self.inputs: list[SSAValue] = []
        self.values: dict[SSAValue, SSAValue] = {}

    def add(self, op: GraphOp, origin: GraphOp) -> None:
        """Append an op whose operands are values of the old body, of the new one, or constants."""
        op.location = origin.location
        for i, operand in enumerate(op.operands):
            op.operands[i] = self.value(operand)
        for new, old in zip(op.results, origin.results, strict=True):
            new.name_hint = old.name_hint
        self.block.add_op(op)
        self.values[origin.results[0]] = op.results[0]

    def value(self, operand: SSAValue) -> SSAValue:
        """The value in the new body; each use of one from outside is an argument of its own."""
        if operand in self.values:
            return self.values[operand]
        if isinstance(operand, BlockArgument):
            outer = self.nest.inputs[operand.index]
        elif isinstance(operand.owner, ConstantOp):
            outer = operand
        else:
            return operand
        argument = self.block.insert_arg(outer.type, len(self.block.args))
        argument.name_hint = operand.name_hint
        self.inputs.append(outer)
        return argument

    def finish(self, engine: str | None) -> NestOp:
        """The nest."""
        last = self.block.last_op
        assert last is not None
        self.block.add_op(YieldOp(operands=[last.results]))
        properties = {} if self.nest.engine is None else {"engine": self.nest.engine}
        if engine is not None:
            properties["engine"] = StringAttr(engine)
        position = [] if self.nest.position is None else [self.nest.position]
        new = NestOp(
            operands=[self.inputs, [], position],
            result_types=[[r.type for r in self.nest.results]],
            properties=properties,
            regions=[Region(self.block)],
        )
        new.location = self.nest.location
        return new
