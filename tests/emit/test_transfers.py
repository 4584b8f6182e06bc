"""A transfer in C copies every element once, from its place to its place."""

from __future__ import annotations

import math
import re
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lowering_helpers import HOST, parse
from xdsl.dialects import func

from deeploy.dialects.mem import TARGET
from deeploy.emit.body import BodyPrinter
from deeploy.targets import target_attr

Transfers = list[tuple[int, int, int]]
"""Destination, source and number of bytes of contiguous copies."""

SIZES = {"si8": 1, "si32": 4}


def dense(shape: list[int]) -> list[int]:
    """The strides of a contiguous buffer."""
    return [math.prod(shape[i + 1 :]) for i in range(len(shape))]


def view(name: str, shape: list[int], part: list[int], elements: str, level: str) -> list[str]:
    """Lines that cut `part` out of the upper left of a buffer at address 64."""
    whole = f"memref<{'x'.join(map(str, shape))}x{elements}, #mem.level<{level!r}>>".replace(
        "'", '"'
    )
    cut = (
        f"memref<{'x'.join(map(str, part))}x{elements}, strided<{dense(shape)}>, "
        f'#mem.level<"{level}">>'
    )
    zeros, ones = [0] * len(shape), [1] * len(shape)
    return [
        f"%{name} = mem.buffer at 64 : {whole}",
        f"%{name}_part = memref.subview %{name}{zeros} {part} {ones} : {whole} to {cut}",
        cut,
    ]


def printed(shapes: tuple[list[int], list[int]], part: list[int], elements: str) -> list[str]:
    """The C lines of a transfer of `part` from the one buffer to the other."""
    *source, source_type = view("x", shapes[0], part, elements, "L2")
    *destination, destination_type = view("y", shapes[1], part, elements, "L1")
    body = "\n".join(
        [
            "%load = dma.channel",
            *source,
            *destination,
            f"dma.start %x_part to %y_part on %load : {source_type} to {destination_type}",
            "func.return",
        ]
    )
    _, module = parse(f"func.func @network() {{\n{body}\n}}")
    module.attributes[TARGET] = target_attr(HOST)
    printer = BodyPrinter(cores=1)
    (function,) = module.body.block.ops
    assert isinstance(function, func.FuncOp)
    printer.function(function)
    lines = [line.strip() for line in printer.lines]
    return lines[lines.index("if (core == 0) {") + 1 : -1]


def play(lines: list[str]) -> Transfers:
    """Run printed lines: loops around one transfer."""
    *loops, call = lines
    ranges = []
    for line in loops:
        match = re.fullmatch(r"for \(int32_t (\w+) = 0; \1 < (\d+); \1\+\+\)", line)
        assert match, line
        ranges.append([(match[1], i) for i in range(int(match[2]))])
    match = re.fullmatch(r"dpl_dma_start(_2d)?\((.*)\);", call)
    assert match, call
    done: Transfers = []
    for indices in product(*ranges):
        values = {"network_L1": 0, "network_L2": 0, "load": 0, **dict(indices)}
        channel, to, of, run, *rest = eval(f"[{match[2]}]", values)
        assert channel == 0
        rows, to_stride, of_stride = rest if match[1] else (1, 0, 0)
        done += [(to + r * to_stride, of + r * of_stride, run) for r in range(rows)]
    return done


def copied(transfers: Transfers) -> list[tuple[int, int]]:
    return [(to + i, of + i) for to, of, run in transfers for i in range(run)]


@st.composite
def parts(draw: st.DrawFn) -> tuple[list[int], list[int], list[int]]:
    """Shapes of two buffers, and a part that is inside both; often whole dimensions."""
    shapes: tuple[list[int], list[int], list[int]] = ([], [], [])
    for _ in range(draw(st.integers(1, 5))):
        extent = draw(st.integers(1, 4))
        shapes[0].append(extent + draw(st.sampled_from([0, 0, 2])))
        shapes[1].append(extent + draw(st.sampled_from([0, 0, 1])))
        shapes[2].append(extent)
    return shapes


@settings(max_examples=60, deadline=None)
@given(parts(), st.sampled_from(["si8", "si32"]))
def test_every_byte_once(shapes: tuple[list[int], list[int], list[int]], elements: str) -> None:
    source, destination, part = shapes
    size = SIZES[elements]
    expected = []
    for index in product(*(range(extent) for extent in part)):
        to, of = (
            64 + size * sum(i * s for i, s in zip(index, dense(shape), strict=True))
            for shape in (destination, source)
        )
        expected += [(to + b, of + b) for b in range(size)]
    actual = copied(play(printed((source, destination), part, elements)))
    assert sorted(actual) == sorted(expected)


@pytest.mark.parametrize(
    ("source", "destination", "part", "expected"),
    [
        # contiguous on both sides: one run, however many dimensions there are
        ([4, 6], [4, 6], [4, 6], ["dpl_dma_start(load, network_L1 + 64, network_L2 + 64, 24);"]),
        ([1, 9], [1, 5], [1, 5], ["dpl_dma_start(load, network_L1 + 64, network_L2 + 64, 5);"]),
        # rows of a wider image
        (
            [4, 9],
            [4, 6],
            [4, 6],
            ["dpl_dma_start_2d(load, network_L1 + 64, network_L2 + 64, 6, 4, 6, 9);"],
        ),
        # columns of several whole rows: rows and images are one dimension
        (
            [2, 4, 9],
            [2, 4, 6],
            [2, 4, 6],
            ["dpl_dma_start_2d(load, network_L1 + 64, network_L2 + 64, 6, 8, 6, 9);"],
        ),
        # part of the rows of several images: a loop around
        (
            [3, 5, 9],
            [3, 4, 6],
            [3, 4, 6],
            [
                "for (int32_t i0 = 0; i0 < 3; i0++)",
                "dpl_dma_start_2d(load, network_L1 + 64 + i0 * 24, network_L2 + 64 + i0 * 45, "
                "6, 4, 6, 9);",
            ],
        ),
    ],
)
def test_dimensions_collapse(
    source: list[int], destination: list[int], part: list[int], expected: list[str]
) -> None:
    assert printed((source, destination), part, "si8") == expected


def test_bytes_of_wide_elements() -> None:
    lines = printed(([4, 9], [4, 6]), [4, 6], "si32")
    assert lines == ["dpl_dma_start_2d(load, network_L1 + 64, network_L2 + 64, 24, 4, 24, 36);"]
