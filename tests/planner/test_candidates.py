"""Candidates say what the lowered nest then does: bytes that it keeps and bytes that it moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from unittest import mock

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lowering_helpers import (
    HOST,
    KINDS,
    OTHERS,
    THREE_LEVELS,
    WINDOWS,
    Writer,
    draw_network,
    function_of,
    nests_in,
    nests_on,
    run_pass,
)
from xdsl.dialects import memref
from xdsl.dialects.builtin import ArrayAttr, IntegerAttr, ModuleOp, StringAttr
from xdsl.ir import SSAValue

from deeploy import costs
from deeploy.dialects.graph import ints
from deeploy.dialects.mem import allocated_bytes, level_of
from deeploy.dialects.tiled import NestOp
from deeploy.interfaces.nest_space import NestSpace
from deeploy.interfaces.tiling import Iterator
from deeploy.planner.candidates import tile_choices
from deeploy.planner.estimate import Way, compute_cycles, dispatch_cycles, kernel_cycles
from deeploy.planner.extract import Extracted, extract, root_of
from deeploy.planner.layout import NestLayout
from deeploy.planner.policy import restrict
from deeploy.planner.problem import Candidate, align_up
from deeploy.planner.traffic import Operand, tile_extent, traffic
from deeploy.report.traffic import count
from deeploy.targets import Link, Target, find_target

CONV_JOB, MATMUL = "npu.conv", "graph.matmul"

# what one layer with everything looks like: halos, borders that are cut, two kinds of weights
CONV = """func.func @network(%x: tensor<1x13x11x8xsi8>) -> tensor<1x13x11x20xsi8> {
  %w = graph.constant dense<1> : tensor<20x3x3x8xsi8>
  %m = graph.constant dense<2> : tensor<20xsi32>
  %0 = graph.conv %x, %w mul %m : tensor<20xsi32> {strides = array<i64: 1, 1>,
    pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, groups = 1, channels_last,
    requant = #graph.requant<mul = 1, add = 0, shift = 4, min = -128, max = 127>}
    : tensor<1x13x11x8xsi8>, tensor<20x3x3x8xsi8> -> tensor<1x13x11x20xsi8>
  func.return %0 : tensor<1x13x11x20xsi8>
}"""


def choose(nest: NestOp, candidate: Candidate) -> None:
    """Give a nest what a candidate says."""
    nest.tile = ints(candidate.tile)
    nest.order = ints(candidate.order)
    nest.buffers = IntegerAttr(candidate.buffers, 64)
    nest.verify()


def resident_values(nest: NestOp, extracted: Extracted, candidate: Candidate) -> set[SSAValue]:
    """The values in the body whose tensors stay in the compute memory."""
    indices = {v: i for i, values in enumerate(extracted.values) for v in values}
    inner = [*nest.body.block.args, *nest.root().results]
    outer = [*nest.inputs, *nest.results]
    return {
        a for a, b in zip(inner, outer, strict=True) if indices[root_of(b)] in candidate.resident
    }


def check_scratch(module: ModuleOp, target: Target) -> int:
    """Compare the bytes of each candidate of each nest; returns how many there were."""
    extracted = extract(function_of(module), target)
    compared = 0
    for nest, step in zip(extracted.steps, extracted.problem.steps, strict=True):
        for candidate in step.candidates:
            choose(nest, candidate)
            layout = NestLayout(nest, target)
            resident = resident_values(nest, extracted, candidate)
            assert candidate.scratch == layout.scratch_size(resident), candidate
            compared += 1
    return compared


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.__name__)
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_scratch_is_that_of_the_layout(kind, data: st.DataObject) -> None:
    text = draw_network(data.draw, ops=2, first=kind)
    target = data.draw(st.sampled_from([HOST, THREE_LEVELS]))
    _, module = nests_on(text, target)
    assert check_scratch(module, target) > 0 or not nests_in(module)


def test_scratch_of_a_convolution() -> None:
    _, module = nests_on(CONV, HOST)
    assert check_scratch(module, HOST) > 10


@pytest.mark.parametrize("buffers", [None, 1, 2])
def test_buffers_are_those_asked_for(buffers: int | None) -> None:
    # a link on which it pays to hide transfers
    target = replace(HOST, links=(Link("L1", "L2", bytes_per_cycle=2.0, setup_cycles=10),))
    _, module = nests_on(CONV, target)
    problem = extract(function_of(module), target).problem
    (step,) = restrict(problem, "best", buffers).steps
    cut = {c.buffers for c in step.candidates if c.order}
    assert cut == ({1, 2} if buffers is None else {buffers})
    # one tile needs no second buffer
    assert {c.buffers for c in step.candidates if not c.order} == {1}


def test_no_candidate_is_beaten() -> None:
    _, module = nests_on(CONV, HOST)
    (step,) = extract(function_of(module), HOST).problem.steps
    for a in step.candidates:
        for b in step.candidates:
            if a != b and (a.resident, a.buffers) == (b.resident, b.buffers):
                assert a.scratch < b.scratch or a.cycles < b.cycles


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 300), st.integers(1, 300), st.booleans())
def test_tile_choices(extent: int, limit: int, tileable: bool) -> None:
    sizes = tile_choices(Iterator("i", extent, tileable=tileable), limit)
    if not tileable:
        assert sizes == [extent]
        return
    assert sizes == sorted(set(sizes), reverse=True)
    assert sizes[0] == min(extent, limit) or sizes[0] < limit
    assert sizes[-1] == 1


# --- What the lowering makes of a candidate -------------------------------------------------------


def lowered(text: str, candidate: Candidate) -> ModuleOp:
    """A network of one nest after the passes that decide about buffers and transfers."""
    ctx, module = nests_on(text, HOST)
    (nest,) = nests_in(module)
    choose(nest, candidate)
    nest.homes = ArrayAttr([StringAttr(HOST.io)])
    for name in ("bufferize", "tile", "insert-dma"):
        run_pass(ctx, module, name)
    return module


def spread(found: Sequence[Candidate], most: int) -> list[Candidate]:
    """Some of the candidates in which nothing stays, evenly."""
    moving = [c for c in found if not c.resident]
    return moving[:: -(-len(moving) // most)]


def candidates_of(text: str) -> tuple[Candidate, ...]:
    _, module = nests_on(text, HOST)
    (step,) = extract(function_of(module), HOST).problem.steps
    return step.candidates


def test_scratch_is_what_the_lowered_program_allocates() -> None:
    for candidate in spread(candidates_of(CONV), 6):
        allocs = [op for op in lowered(CONV, candidate).walk() if isinstance(op, memref.AllocOp)]
        near = [a.memref.type for a in allocs if level_of(a.memref) == HOST.compute]
        # the gap behind the last of two slots is part of the reservation
        allocated = sum(align_up(allocated_bytes(type), 16) for type in near)  # pyright: ignore
        assert allocated == candidate.scratch


HOLES = (*WINDOWS, Writer.slice)
"""Ops whose tiles overlap, reach over the border or leave something out."""
DENSE = [kind for kind in OTHERS if kind not in (Writer.slice, Writer.reshape)]


def exact_bytes(module: ModuleOp) -> int:
    return sum(t.bytes for t in count(function_of(module)).transfers.values())


def estimated_bytes(text: str, candidate: Candidate) -> int:
    """What the cost model takes the traffic to be: its cycles over a link of a byte per cycle."""
    _, module = nests_on(text, HOST)
    (nest,) = nests_in(module)
    sizes = [np.array([size]) for size in candidate.tile]
    extents = [it.extent for it in nest.iterators()]
    counts = [-(-extent // size) for extent, size in zip(extents, sizes, strict=True)]
    link = Link("L1", "L2", bytes_per_cycle=1.0, setup_cycles=0)
    values = NestSpace.of(nest).values
    total = 0
    with mock.patch.object(costs, "MIN_ROW", 0):
        for value in (*nest.body.block.args, *nest.root().results):
            operand = Operand(value, values[value], None, link)
            total += int(traffic(operand, sizes, counts, candidate.order).cycles[0])
    return total


@pytest.mark.parametrize("kind", DENSE, ids=lambda k: k.__name__)
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_estimated_traffic_is_exact(kind, data: st.DataObject) -> None:
    text = draw_network(data.draw, ops=1, first=kind)
    candidate = data.draw(st.sampled_from(candidates_of(text)))
    assert exact_bytes(lowered(text, candidate)) == estimated_bytes(text, candidate), candidate


@pytest.mark.parametrize("kind", HOLES, ids=lambda k: k.__name__)
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_estimated_traffic_is_no_less(kind, data: st.DataObject) -> None:
    text = draw_network(data.draw, ops=1, first=kind)
    candidate = data.draw(st.sampled_from(candidates_of(text)))
    exact, estimated = exact_bytes(lowered(text, candidate)), estimated_bytes(text, candidate)
    # padding, and what a smaller tile at the border does not read, are not known to the estimate
    assert exact <= estimated <= 4 * exact, candidate


def test_estimated_traffic_of_a_convolution_is_exact() -> None:
    for candidate in spread(candidates_of(CONV), 6):
        assert exact_bytes(lowered(CONV, candidate)) == estimated_bytes(CONV, candidate), candidate


GATED = """func.func @network(%x: tensor<4x64xsi8>) -> tensor<4x32xsi8> {
  %v = graph.constant dense<-3> : tensor<32x64xsi8>
  %w = graph.constant dense<100> : tensor<32x64xsi8>
  %a = graph.matmul %x, %v {transpose_rhs, requant = #graph.requant<mul = 5, add = 16, shift = 5,
    min = -128, max = 127>} : tensor<4x64xsi8>, tensor<32x64xsi8> -> tensor<4x32xsi8>
  %b = graph.matmul %x, %w {transpose_rhs, requant = #graph.requant<mul = 3, add = 16, shift = 5,
    min = -128, max = 127>} : tensor<4x64xsi8>, tensor<32x64xsi8> -> tensor<4x32xsi8>
  %z = graph.mul %a, %b {requant = #graph.requant<mul = 1, add = 0, shift = 7, min = -128,
    max = 127>} : tensor<4x32xsi8>, tensor<4x32xsi8> -> tensor<4x32xsi8>
  func.return %z : tensor<4x32xsi8>
}"""


def test_engines_work_side_by_side_in_a_single_tile() -> None:
    """One product on each engine: the longer one counts. In a loop they take turns."""
    target = find_target("siracusa")
    ctx, module = nests_on(GATED, target)
    run_pass(ctx, module, "fuse-nests")
    run_pass(ctx, module, "offer-engines")
    nest = next(
        n for n in nests_in(module) if [op.name for op in n.body_ops()][:2] == [CONV_JOB, MATMUL]
    )
    space = NestSpace.of(nest)
    sizes = [np.array([4, 2]), np.array([32, 32])]
    sizes += [np.array([it.extent] * 2) for it in space.iterators[2:]]
    single = np.array([True, False])
    found = compute_cycles(nest, space, sizes, target, Way.DIRECT, single)
    job, product, gate = (
        kernel_cycles(op, [tile_extent(f, sizes) for f in space.ops[op]], 8, Way.DIRECT)
        for op in nest.body_ops()
    )
    dispatch = dispatch_cycles(nest.body_ops()[0], target)
    assert found[0] == max(job[0], dispatch + product[0]) + gate[0]
    assert found[1] == job[1] + product[1] + gate[1]
