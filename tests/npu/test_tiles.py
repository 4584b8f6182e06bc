"""Jobs on tiles whose sizes, and overhangs, are known at run time only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from graph_helpers import run_pass
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from npu_helpers import Case, draw_case
from test_jobs import MODES, prepare, same, tokens, values
from xdsl.builder import Builder
from xdsl.context import Context
from xdsl.dialects import memref, scf
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    IndexType,
    MemRefType,
    ModuleOp,
    StridedLayoutAttr,
)
from xdsl.ir import Block, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from deeploy.commands.build import build, run_program
from deeploy.dialects.mem import memref_of, strides_of
from deeploy.dialects.npu import StartOp, TriggerOp, WaitOp
from deeploy.emit.project import Inference, write_project
from deeploy.engines.neureka.grids import pixel_grids, whole
from deeploy.interfaces.footprint import Span, op_tile
from deeploy.interfaces.index import Index, IndexBuilder
from deeploy.interpreters import run_module


def cut(start: StartOp, sizes: Sequence[int]) -> None:
    """Replace a job by a loop over tiles, given the tile size of each iterator."""
    iterators = start.op.iterators()
    counts = [-(-it.extent // size) for it, size in zip(iterators, sizes, strict=True)]
    total = int(np.prod(counts))
    builder = Builder(InsertPoint.before(start))
    b = IndexBuilder(builder)
    bounds = [b.value(Index.of(v)) for v in (0, total, 1)]
    body = Block(arg_types=[IndexType()])
    builder.insert(scf.ForOp(bounds[0], bounds[1], bounds[2], [], body))
    builder.insertion_point = InsertPoint.at_end(body)
    tile, inner, box = Index(body.args[0], 0, total - 1), 1, []
    for it, size, count in reversed(list(zip(iterators, sizes, counts, strict=True))):
        first = b.mul(b.rem(b.div(tile, inner), count), size)
        rest = b.sub(Index.of(it.extent), first)
        rest = Index(rest.value, it.extent - size * (count - 1), rest.high)
        whole = it.extent % size == 0
        box.insert(0, Span(first, Index.of(size) if whole else b.min(rest, Index.of(size))))
        inner *= count
    tiles = op_tile(start.op, box, b)
    pairs = zip(start.inputs, tiles.operands, strict=True)
    inputs = [view(builder, value, spans) for value, spans in pairs]
    output = view(builder, start.output, tiles.results[0])
    overhang = [side.value for pair in tiles.overhangs[0] for side in pair]
    region = start.detach_region(start.body)
    builder.insert(StartOp.of(inputs, output, overhang, start.queue, region))
    builder.insert(WaitOp(start.queue))
    builder.insert(scf.YieldOp())
    Rewriter.erase_op(start)


def view(builder: Builder, source: SSAValue, spans: Sequence[Span]) -> SSAValue:
    type = memref_of(source)
    sizes = [DYNAMIC_INDEX if s.size.constant is None else s.size.constant for s in spans]
    layout = StridedLayoutAttr(strides_of(type), None)
    result = MemRefType(type.element_type, sizes, layout, type.memory_space)
    ones = [1] * len(spans)
    op = memref.SubviewOp.get(
        source, [s.start.value for s in spans], [s.size.value for s in spans], ones, result
    )
    return builder.insert(op).result


def cut_all(data: st.DataObject, module: ModuleOp) -> None:
    for start in [op for op in module.walk() if isinstance(op, StartOp)]:
        sizes = []
        for it in start.op.iterators():
            size = it.extent
            if it.parallel and it.tileable:
                # output channels are cut where a subtile ends
                step = 32 if it.name == "co" else 1
                size = min(it.extent, step * data.draw(st.integers(1, -(-it.extent // step))))
            sizes.append(size)
        cut(start, sizes)


def lower(ctx: Context, module: ModuleOp) -> None:
    run_pass(ctx, module, "assign-addresses", "lower-npu")


@settings(max_examples=30, deadline=None, derandomize=True)
@given(data=st.data())
def test_numpy(data: st.DataObject) -> None:
    cases = [draw_case(data.draw) for _ in range(2)]
    ctx, module = prepare(cases, ["L1", "WMEM"])
    inputs, expected = values(cases, data.draw(st.integers(0, 99)))
    cut_all(data, module)
    module.verify()
    same(run_module(ctx, module, inputs), expected)
    lower(ctx, module)
    same(run_module(ctx, module, inputs), expected)


@pytest.mark.parametrize("count, tile", [(100, 36), (50, 45), (10, 7), (13, 7), (12, 5), (40, 36)])
def test_tokens(count: int, tile: int) -> None:
    """Tiles at the border have grids of their own."""
    ctx, module = prepare([tokens(count)], ["L1"])
    inputs, expected = values([tokens(count)], 0)
    (start,) = [op for op in module.walk() if isinstance(op, StartOp)]
    cut(start, [tile if it.name == "ow" else it.extent for it in start.op.iterators()])
    lower(ctx, module)
    same(run_module(ctx, module, inputs), expected)
    layouts = {size: pixel_grids(1, size) for size in (tile, count % tile) if size}
    as_they_are = all(grids == whole(1, size) for size, grids in layouts.items())
    triggers = sum(isinstance(op, TriggerOp) for op in module.walk())
    assert triggers == (1 if as_they_are else sum(map(len, layouts.values())))


def test_host(tmp_path_factory: pytest.TempPathFactory) -> None:
    @settings(
        max_examples=2,  # the first one is the smallest
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data())
    def check(data: st.DataObject) -> None:
        cases: list[Case] = [*(draw_case(data.draw) for _ in range(12)), tokens(40), tokens(11)]
        ctx, module = prepare(cases, ["WMEM", "L1"] * 7)
        inputs, expected = values(cases, 0)
        cut_all(data, module)
        lower(ctx, module)
        folder: Path = tmp_path_factory.mktemp("tiles")
        write_project(ctx, module, folder, [Inference(inputs, expected)], "host", 0.0)
        program = build(folder, "address,undefined")
        for mode in MODES:
            assert run_program(program, mode, 60).problem() is None

    check()
