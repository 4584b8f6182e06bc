"""Index arithmetic: built as IR and run, it gives what Python computes, inside its interval."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st
from xdsl.builder import Builder
from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import IndexType, ModuleOp
from xdsl.ir import Block, Region
from xdsl.rewriter import InsertPoint

from deeploy.interfaces.index import Index, IndexBuilder
from deeploy.interpreters import make_interpreter

# an expression over named variables: how to build it, and how Python computes it
Expression = tuple[Callable[[IndexBuilder, dict[str, Index]], Index], Callable[[dict], int]]

RANGES = {"a": (0, 7), "b": (3, 3), "c": (-6, 9), "d": (2, 20)}
"""Variables and the intervals in which they lie."""


def leaf(draw: st.DrawFn) -> Expression:
    name = draw(st.sampled_from([*RANGES, None]))
    if name is None:
        value = draw(st.integers(-5, 12))
        return (lambda b, v: Index.of(value)), (lambda v: value)
    return (lambda b, v: v[name]), (lambda v: v[name])


@st.composite
def expressions(draw: st.DrawFn, depth: int = 4) -> Expression:
    if depth == 0 or draw(st.integers(0, 4)) == 0:
        return leaf(draw)
    build, compute = draw(expressions(depth=depth - 1))
    kind = draw(st.sampled_from(["add", "sub", "min", "max", "mul", "div", "rem"]))
    if kind in ("add", "sub", "min", "max"):
        build_2, compute_2 = draw(expressions(depth=depth - 1))
        plain = {"add": int.__add__, "sub": int.__sub__, "min": min, "max": max}[kind]
        return (
            lambda b, v: getattr(b, kind)(build(b, v), build_2(b, v)),
            lambda v: plain(compute(v), compute_2(v)),
        )
    if kind == "mul":
        factor = draw(st.integers(0, 5))
        return (lambda b, v: b.mul(build(b, v), factor)), (lambda v: compute(v) * factor)
    # quotients are for numbers that are not negative
    divisor = draw(st.integers(1, 9))
    plain = {"div": int.__floordiv__, "rem": int.__mod__}[kind]
    return (
        lambda b, v: getattr(b, kind)(b.max(build(b, v), Index.of(0)), divisor),
        lambda v: plain(max(compute(v), 0), divisor),
    )


def run_built(expression: Expression, values: dict[str, int]) -> tuple[Index, int]:
    """Build an expression over function arguments, and interpret it."""
    block = Block(arg_types=[IndexType()] * len(RANGES))
    variables = {
        name: Index(argument, *RANGES[name])
        for name, argument in zip(RANGES, block.args, strict=True)
    }
    builder = IndexBuilder(Builder(InsertPoint.at_end(block)))
    index = expression[0](builder, variables)
    result = builder.value(index)
    block.add_op(func.ReturnOp(result))
    function = func.FuncOp("f", ([IndexType()] * len(RANGES), [IndexType()]), Region(block))
    module = ModuleOp([function])
    module.verify()
    (value,) = make_interpreter(Context(), module).call_op(
        function, tuple(values[name] for name in RANGES)
    )
    return index, value


@settings(max_examples=150, deadline=None)
@given(expressions(), st.fixed_dictionaries({k: st.integers(*r) for k, r in RANGES.items()}))
def test_ir_and_integers_agree(expression: Expression, values: dict[str, int]) -> None:
    expected = expression[1](values)
    index, value = run_built(expression, values)
    assert value == expected
    assert index.low <= expected <= index.high
    if index.constant is not None:
        assert (index.low, index.high) == (expected, expected)
    # the same code on numbers builds nothing
    folded = expression[0](IndexBuilder(), {k: Index.of(v) for k, v in values.items()})
    assert folded == Index.of(expected)


def test_nothing_is_built_where_the_interval_decides() -> None:
    block = Block(arg_types=[IndexType()])
    x = Index(block.args[0], 0, 7)
    b = IndexBuilder(Builder(InsertPoint.at_end(block)))
    assert b.min(x, Index.of(7)) is x and b.max(x, Index.of(0)) is x
    assert b.min(x, Index.of(-1)) == Index.of(-1) and b.max(x, Index.of(9)) == Index.of(9)
    assert b.add(x, Index.of(0)) is x and b.sub(x, Index.of(0)) is x
    assert b.mul(x, 1) is x and b.mul(x, 0) == Index.of(0)
    assert b.div(x, 1) is x and b.div(x, 8) == Index.of(0)
    assert b.rem(x, 8) is x and b.rem(x, 1) == Index.of(0)
    assert not list(block.ops)
    assert b.min(x, Index.of(6)).value is not x.value
    assert len(list(block.ops)) == 2


def test_the_first_name_stays() -> None:
    block = Block(arg_types=[IndexType()])
    b = IndexBuilder(Builder(InsertPoint.at_end(block)))
    total = b.add(Index(block.args[0], 0, 3), Index.of(4))
    assert b.name(b.name(total, "row"), "column") is total
    assert block.last_op is not None and block.last_op.results[0].name_hint == "row"
    assert b.name(Index.of(3), "three") == Index.of(3)
