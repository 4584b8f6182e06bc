"""Transformers that others made: integers bit for bit, floats within 1e-4."""

from __future__ import annotations

import pytest
from zoo import MODELS, Network

# name, bytes of L1, cores, further options
RUNS = [
    ("microLlama/INT8/microLlama1", 16_000, 1, []),
    ("microLlama/INT8/microLlama8", 16_000, 8, ["--dma", "deferred"]),
    ("microLlama/INT8/microLlama128", 64_000, 8, ["--sanitize", "address,undefined"]),
    ("microLlama/INT8/microLlama8_parallel", 64_000, 1, []),
    ("microLlama/INT8/microLlama16_parallel", 16_000, 8, []),
    # 2.1 MB of weights, more than the chip has
    ("microLlama/FP32/microLlama1", 64_000, 8, ["--l2", 4_000_000]),
    ("CCT/Int/ICCT", 16_000, 8, ["--sanitize", "address,undefined"]),
    ("CCT/FP32/CCT_1_16_16_8", 16_000, 8, ["--sanitize", "thread"]),
    ("CCT/FP32/CCT_2_32_32_128", 64_000, 8, []),
    ("TinyViT/Demo", 16_000, 8, []),
    ("Transformer_DeepQuant", 16_000, 1, []),
]


@pytest.mark.parametrize(("name", "l1", "cores", "options"), RUNS, ids=[run[0] for run in RUNS])
def test_every_value(deeploy, name: str, l1: int, cores: int, options: list[object]) -> None:
    net = Network(MODELS / "networks" / name)
    if not net.available:
        pytest.skip(f"{net.model} is not here")
    size = ["--l1", l1, "--cores", cores]
    run = ["run", net.model, "--target", "siracusa", *size, *options, *net.data, "--json"]
    done = deeploy(*run)
    assert done.status == 0, done.err
    assert done.json["match"]


def test_schedule_of_a_decode_step(deeploy) -> None:
    """505 nodes become at most 100 nests, and nothing moves twice."""
    net = Network(MODELS / "networks" / "microLlama" / "INT8" / "microLlama128")
    if not net.available:
        pytest.skip(f"{net.model} is not here")
    size = ["--target", "siracusa", "--l1", 64_000]
    done = deeploy("run", net.model, *size, *net.data, "--json")
    assert done.status == 0, done.err
    assert len(done.json["nests"]) <= 100
    moved = sum(link["bytes"] for link in done.json["dma"])
    layers, width, cached = 8, 64, 128
    # what the accelerator reads from its own memory, or the cores in L1, does not move at all
    (constants,) = (m["constants"] for m in done.json["memories"] if m["name"] == "L2")
    caches = 2 * layers * cached * width
    rows = 2 * layers * width
    assert moved <= 1.05 * (constants + caches + rows)
