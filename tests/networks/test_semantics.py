"""`--check-semantics` over the standard pipeline, and bugs that it has to find; determinism."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from test_networks import available
from zoo import MODELS, NETWORKS, Network

from deeploy.interfaces.index import Index
from deeploy.passes.graph import fuse_requant
from deeploy.passes.memory import tile
from deeploy.pipelines import standard_pipeline

CHIP = ("--target", "siracusa", "--l1", 16_000)
PASSES = len(standard_pipeline("siracusa").split(","))


@pytest.mark.parametrize("name", NETWORKS)
def test_standard_pipeline_keeps_the_meaning(deeploy, name: str) -> None:
    net = available(name)
    done = deeploy("compile", net.model, *CHIP, "--check-semantics", "-o", "out")
    assert done.status == 0, done.err
    assert f"semantics: {PASSES} passes checked, outputs unchanged" in done.err


@pytest.mark.parametrize(
    "name", ["microLlama/INT8/microLlama8", "CCT/Int/ICCT", "CCT/FP32/CCT_1_16_16_8"]
)
def test_standard_pipeline_keeps_the_meaning_of_transformers(deeploy, name: str) -> None:
    net = Network(MODELS / "networks" / name)
    if not net.available:
        pytest.skip(f"{net.model} is not here")
    done = deeploy("compile", net.model, *CHIP, *net.data, "--check-semantics", "-o", "out")
    assert done.status == 0, done.err
    assert f"semantics: {PASSES} passes checked, outputs unchanged" in done.err


def test_wrong_rounding_is_found(deeploy, monkeypatch: pytest.MonkeyPatch) -> None:
    """fuse-requant that loses the half which it should add before the shift."""
    with_epilogue = fuse_requant.with_epilogue

    def without_rounding(ctx, op, epilogue, elements, key):
        half = 1 << epilogue.shift >> 1
        return with_epilogue(ctx, op, replace(epilogue, add=epilogue.add - half), elements, key)

    monkeypatch.setattr(fuse_requant, "with_epilogue", without_rounding)
    net = available("KeywordSpotting")
    done = deeploy("compile", net.model, *CHIP, "--check-semantics", "-o", "out")
    assert done.status == 1
    assert done.err.startswith("error: pass 'fuse-requant': the program changed: output 0"), (
        done.err
    )


def test_dropped_halo_is_found(deeploy, monkeypatch: pytest.MonkeyPatch) -> None:
    """tile that pads at the lower end of an image what belongs to its upper end."""
    nest_tiles = tile.nest_tiles

    def without_halo(nest, box, b, *position):
        return {
            op: replace(
                found,
                overhangs=tuple(
                    tuple((Index.of(0), b.add(low, high)) for low, high in sides)
                    for sides in found.overhangs
                ),
            )
            for op, found in nest_tiles(nest, box, b, *position).items()
        }

    monkeypatch.setattr(tile, "nest_tiles", without_halo)
    # not in KeywordSpotting, where a maximum over the image hides that it has moved
    net = available("ImageClassification")
    done = deeploy("compile", net.model, *CHIP, "--check-semantics", "-o", "out")
    assert done.status == 1
    assert done.err.startswith("error: pass 'tile': the program changed: output 0 differs at"), (
        done.err
    )


def test_other_process_gives_the_same_bytes(tmp_path: Path) -> None:
    """Also where sets are iterated in another order."""
    net = available("ImageClassification")
    for seed in ("1", "2"):
        command = [sys.executable, "-m", "deeploy.cli", "compile", str(net.model), *net.data]
        subprocess.run(
            [*command, *map(str, CHIP), "-o", seed],
            cwd=tmp_path,
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
        )
    first, second = (
        {path.name: path.read_bytes() for path in (tmp_path / seed).iterdir()} for seed in "12"
    )
    assert "network.c" in first
    assert first == second
