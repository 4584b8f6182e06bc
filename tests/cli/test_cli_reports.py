"""Traffic and memory maps of hand-written lowered programs."""

from __future__ import annotations

import pytest
from xdsl.context import Context
from xdsl.dialects.func import FuncOp
from xdsl.parser import Parser
from xdsl.utils.exceptions import PassFailedException

from deeploy.report.memory import Buffer, find_buffers, memory_map, memory_uses
from deeploy.report.traffic import Traffic, count, total_traffic
from deeploy.targets import Link, Memory, Target

TARGET = Target(
    name="test",
    cores=1,
    compute="near",
    io="far",
    memories=(Memory("near", 1000), Memory("far", 4000, persistent=True), Memory("unused", 1)),
    links=(Link("near", "far", 8.0, 10),),
)

HEAD = """
    func.func @network(%x: memref<100x4xsi32, #mem.level<"far">> {mem.offset = 64 : i64}) {
      %zero = arith.constant 0 : index
      %one = arith.constant 1 : index
      %end = arith.constant 7 : index
      %size = arith.constant 16 : index
      %rows = arith.constant 100 : index
      %near = mem.buffer at 32 : memref<16x4xsi32, #mem.level<"near">>
      %channel = dma.channel
"""


def lowered(ctx: Context, body: str) -> FuncOp:
    module = Parser(ctx, HEAD + body + "func.return }").parse_module()
    (function,) = module.ops
    assert isinstance(function, FuncOp)
    return function


def transfer(rows: str, start: str = "%zero") -> str:
    """A transfer of some rows of `%x`."""
    far = '#mem.level<"far">'
    near = '#mem.level<"near">'
    return f"""
      %from = memref.subview %x[{start}, 0] [{rows}, 4] [1, 1] : memref<100x4xsi32, {far}>
        to memref<?x4xsi32, strided<[4, 1], offset: ?>, {far}>
      %to = memref.subview %near[0, 0] [{rows}, 4] [1, 1] : memref<16x4xsi32, {near}>
        to memref<?x4xsi32, strided<[4, 1]>, {near}>
      dma.start %from to %to on %channel : memref<?x4xsi32, strided<[4, 1], offset: ?>, {far}>
        to memref<?x4xsi32, strided<[4, 1]>, {near}>
    """


def test_border_tiles_are_counted_as_they_are(ctx: Context) -> None:
    body = f"""
      scf.for %i = %zero to %end step %one {{
        %start = arith.muli %i, %size : index
        %rest = arith.subi %rows, %start : index
        %count = arith.minsi %rest, %size : index
        {transfer("%count", "%start")}
      }}
    """
    entries = list(count(lowered(ctx, body)).transfers.values())
    assert entries == [Traffic("far", "near", 100 * 4 * 4, 7)]


def test_conditions(ctx: Context) -> None:
    body = f"""
      %two = arith.constant 2 : index
      scf.for %i = %zero to %end step %one {{
        %phase = arith.remui %i, %two : index
        %even = arith.cmpi eq, %phase, %zero : index
        scf.if %even {{ {transfer("%size")} }} else {{ {transfer("%i")} }}
      }}
    """
    even, odd = count(lowered(ctx, body)).transfers.values()
    assert even == Traffic("far", "near", 4 * 16 * 16, 4)
    assert odd == Traffic("far", "near", (1 + 3 + 5) * 16, 3)
    assert total_traffic([even, odd]) == [Traffic("far", "near", 1024 + 144, 7)]


def test_barriers(ctx: Context) -> None:
    """One in front, one in each of seven turns, and one in four of them."""
    body = """
      cluster.barrier
      %two = arith.constant 2 : index
      scf.for %i = %zero to %end step %one {
        cluster.barrier
        %phase = arith.remui %i, %two : index
        %even = arith.cmpi eq, %phase, %zero : index
        scf.if %even { cluster.barrier }
      }
    """
    assert count(lowered(ctx, body)).barriers == 1 + 7 + 4


def test_empty_loops_and_transfers(ctx: Context) -> None:
    body = f"""
      scf.for %i = %end to %zero step %one {{ {transfer("%size")} }}
      {transfer("%zero")}
    """
    entries = count(lowered(ctx, body)).transfers.values()
    assert [(e.bytes, e.transfers) for e in entries] == [(0, 0), (0, 0)]
    assert total_traffic(list(entries)) == []


def test_what_cannot_be_counted(ctx: Context) -> None:
    body = f"""
      %n = "test.op"() : () -> index
      {transfer("%n")}
    """
    with pytest.raises(PassFailedException, match=r"test.op: .*no index arithmetic"):
        count(lowered(ctx, body))


def test_buffers(ctx: Context) -> None:
    found = find_buffers(lowered(ctx, transfer("%size")), [], TARGET)
    assert found == [
        Buffer("x", "far", 64, 1600, 0, 0, False),
        Buffer("near", "near", 32, 256, 0, 0, False),
    ]
    near, far, unused = memory_uses(found, TARGET)
    assert (near.peak, near.size, far.peak, unused.peak) == (288, 1000, 1664, 0)


def test_map() -> None:
    buffers = [
        Buffer("weights", "near", 0, 96, 0, 2, True),
        Buffer("first", "near", 96, 64, 0, 1, False),
        Buffer("second", "near", 160, 32, 1, 2, False),
        Buffer("third", "near", 96, 48, 2, 2, False),
    ]
    assert memory_map(buffers, TARGET, 3).splitlines() == [
        "near: 192 of 1,000 bytes used (19.2 %), 96 of them constants; "
        "address downwards, nests to the right",
        "  0 |###|",
        "... |###|",
        " 96 |aab|",
        "112 |aab|",
        "128 |aab|",
        "144 |aa.|",
        "160 |.cc|",
        "176 |.cc|",
        "  a first: 64 bytes at 96, nests 0 to 1",
        "  b third: 48 bytes at 96, nest 2",
        "  c second: 32 bytes at 160, nests 1 to 2",
    ]
