"""Random networks under random tilings: every pass of the lowering keeps every bit."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lowering_helpers import (
    HOST,
    KINDS,
    draw_homes,
    draw_network,
    draw_tiles,
    lower_and_compare,
    nests_in,
    nests_on,
    parse,
    run,
)

COMMON = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.__name__)
@settings(COMMON, max_examples=8)
@given(data=st.data())
def test_one_op(kind, data: st.DataObject) -> None:
    check(data, draw_network(data.draw, ops=1, first=kind))


@settings(COMMON, max_examples=15)
@given(st.data())
def test_several_ops(data: st.DataObject) -> None:
    check(data, draw_network(data.draw, ops=4))


def check(data: st.DataObject, text: str) -> None:
    expected = run(*parse(text))
    ctx, module = nests_on(text, HOST)
    for nest in nests_in(module):
        draw_tiles(data.draw, nest)
    draw_homes(data.draw, module, HOST)
    lower_and_compare(ctx, module, expected)
