"""What npu.conv means: on whole tensors, and tile by tile."""

from __future__ import annotations

import numpy as np
from graph_helpers import parse_op
from hypothesis import given, settings
from hypothesis import strategies as st
from npu_helpers import Case, convolve, draw_case, random_operands

from deeploy.dialects.npu import ConvOp
from deeploy.engines.neureka.packing import pack
from deeploy.interfaces.tiling import Range, operand_tiles, result_tiles
from deeploy.interpreters.graph import evaluate, evaluate_whole
from deeploy.resources import Array


def make_op(case: Case) -> ConvOp:
    arguments = ", ".join(f"%{name}: {type}" for name, type in case.types().items() if name != "y")
    op = parse_op(f"{arguments}\n%0 = {case.op()}")
    assert isinstance(op, ConvOp)
    return op


def arrays(case: Case, operands: dict[str, Array]) -> list[Array]:
    operands["w"] = pack(operands["weights"], case.mode, case.bits)
    return [operands[name] for name in case.operands()]


def cut(array: Array, ranges: list[Range]) -> Array:
    return array[tuple(slice(r.start, r.start + r.size) for r in ranges)]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.data())
def test_whole_and_tiles(data: st.DataObject) -> None:
    case = draw_case(data.draw)
    op = make_op(case)
    operands = random_operands(case, np.random.default_rng(data.draw(st.integers(0, 99))))
    inputs = arrays(case, operands)
    whole = evaluate_whole(op, inputs)
    np.testing.assert_array_equal(whole, convolve(case, operands))
    assert whole.dtype == convolve(case, operands).dtype
    box = []
    for it in op.iterators():
        start, size = 0, it.extent
        if it.parallel and it.tileable:
            start = data.draw(st.integers(0, it.extent - 1), it.name)
            size = data.draw(st.integers(1, it.extent - start), it.name)
        box.append(Range(start, size))
    tiles = operand_tiles(op, box)
    parts = [cut(array, ranges) for array, (ranges, _) in zip(inputs, tiles, strict=True)]
    actual = evaluate(op, parts, [overhangs for _, overhangs in tiles])
    np.testing.assert_array_equal(actual, cut(whole, result_tiles(op, box)[0]))
