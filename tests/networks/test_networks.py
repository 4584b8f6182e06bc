"""The networks of the bar: every bit, on many chips; sanitizers; traffic."""

from __future__ import annotations

from itertools import product

import pytest
from pairwise import pairs, pairwise
from zoo import L1_SIZES, NETWORKS, Network, network

CORES, BUFFERS, DMA = (1, 8), (1, 2), ("immediate", "deferred", "thread")
ENGINES = ("cluster", "cluster,neureka")
COLUMNS = (tuple(NETWORKS), L1_SIZES, CORES, BUFFERS, DMA, ENGINES)
CHOSEN = pairwise(*COLUMNS)
MOST_OF_COMPULSORY = 1.15


def configurations() -> list:
    """All configurations; those beyond the choice are slow together."""
    chosen = set(CHOSEN)
    return [
        pytest.param(*row, marks=() if row in chosen else pytest.mark.slow)
        for row in product(*COLUMNS)
    ]


def available(name: str) -> Network:
    """The network of that name, if it is here."""
    found = network(name)
    if not found.available:
        pytest.skip(f"{found.model} is not here")
    return found


def test_choice_has_all_pairs() -> None:
    everything = set().union(*map(pairs, product(*COLUMNS)))
    assert set().union(*map(pairs, CHOSEN)) == everything
    assert len(CHOSEN) < 40


@pytest.mark.parametrize(("name", "l1", "cores", "buffers", "dma", "engines"), configurations())
def test_every_bit(
    deeploy, name: str, l1: int, cores: int, buffers: int, dma: str, engines: str
) -> None:
    net = available(name)
    chip = ["--target", "siracusa", "--l1", l1, "--cores", cores, "--buffers", buffers]
    chip += ["--engines", engines]
    done = deeploy("run", net.model, *chip, "--dma", dma, *net.data, "--json")
    assert done.status == 0, done.err
    result = done.json
    assert result["match"] and result["mismatches"] == 0 and result["guards"]
    assert sum(output["elements"] for output in result["outputs"]) > 0
    assert result["solver"]["status"] == "optimal" and result["solver"]["gap"] == 0
    for memory in result["memories"]:
        assert memory["peak"] <= memory["size"]
    # what the compiler counted is what the DMA engine moved
    counted = {(e["from"], e["to"]): e["bytes"] for e in result["dma"]}
    assert {(e["from"], e["to"]): e["bytes"] for e in result["moved"]} == counted


@pytest.mark.parametrize("name", NETWORKS)
def test_address_and_undefined_sanitizer(deeploy, name: str) -> None:
    net = available(name)
    options = ["--l1", 16_000, "--sanitize", "address,undefined", "--json"]
    done = deeploy("run", net.model, "--target", "siracusa", *net.data, *options)
    assert done.status == 0, done.err
    assert done.json["match"]


@pytest.mark.parametrize("name", ["KeywordSpotting", "CNN_Linear2"])
def test_thread_sanitizer(deeploy, name: str) -> None:
    net = available(name)
    options = ["--l1", 16_000, "--dma", "thread", "--sanitize", "thread", "--json"]
    done = deeploy("run", net.model, "--target", "siracusa", *net.data, *options)
    assert done.status == 0, done.err
    assert done.json["match"]


def test_traffic_is_near_what_is_compulsory(deeploy) -> None:
    net = available("ImageClassification")
    chip = ["--target", "siracusa", "--engines", "cluster", "--l1", 64_000]
    done = deeploy("run", net.model, *chip, *net.data, "--json")
    assert done.status == 0, done.err
    moved = sum(entry["bytes"] for entry in done.json["moved"])
    assert moved <= MOST_OF_COMPULSORY * net.compulsory_bytes()
    # of the residual network's 16 tensors between nests, none leaves L1
    assert {entry["to"]: entry["bytes"] for entry in done.json["moved"]}["L2"] == 10


def test_multiply_accumulates_of_the_benchmark() -> None:
    """By hand: 32x32 pixels by 16x27 weights, two 16x144, then the stacks of 32 and 64."""
    stacks = [(16, 32, 16, 1), (32, 16, 16, 2), (64, 8, 32, 2)]
    total = 32 * 32 * 16 * 27
    for channels, size, before, stride in stacks:
        total += size * size * channels * 9 * (before + channels)
        total += size * size * channels * before * (stride == 2)
    assert available("ImageClassification").macs() == total + 640
