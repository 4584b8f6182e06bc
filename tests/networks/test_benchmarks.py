"""The bars of docs/performance.md that do not depend on the speed of the machine."""

from __future__ import annotations

import shutil

import compile_time
import dma_bytes
import host_instructions
import pytest
from report import table
from test_networks import available

INSTRUCTIONS_PER_MAC = {"ImageClassification": 1.5, "KeywordSpotting": 3.0}


@pytest.mark.skipif(
    not shutil.which("valgrind") or not shutil.which("gcc"), reason="needs valgrind"
)
@pytest.mark.parametrize("name", INSTRUCTIONS_PER_MAC)
def test_instructions_per_mac(name: str) -> None:
    available(name)
    macs, instructions = host_instructions.measure(name)
    assert instructions / macs <= INSTRUCTIONS_PER_MAC[name]


def test_tables() -> None:
    available("miniMobileNet")
    name, l1, _, _, gap, status, *_ = compile_time.measure("miniMobileNet", 8_000)
    assert (name, l1, gap, status) == ("miniMobileNet", "8,000", "0.00%", "optimal")
    row = dma_bytes.measure("miniMobileNet", 8_000)
    assert (
        table(("network", *"abcde"), [row]).splitlines()[2].startswith("| miniMobileNet | 8,000 |")
    )
