"""Public runs of a Llama on Siracusa, as far as they are described, against the simulator.

microLlama has 8 layers, width 64, 16 heads and a feed-forward network of 256. The public runs
(github.com/pulp-platform/Deeploy, docs/tutorials/introduction.md and CHANGELOG.md) go layer by
layer with one buffer for each tile, on GVSoC. Here a network of these sizes (examples/llama) is
planned that way and simulated, with eight cores and with one: in the public kernels a single row
keeps one core busy.

    python benchmarks/reference_runs.py
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from command import deeploy_json
from report import table

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "examples" / "llama"))

from integer_llama import Shape, build_llama, write_llama  # noqa: E402

DECODE = Shape(layers=8, width=64, heads=16, ffn=256, cached=64, tokens=1)
DECODE_128 = Shape(layers=8, width=64, heads=16, ffn=256, cached=128, tokens=1)
PREFILL = Shape(layers=8, width=64, heads=16, ffn=256, cached=0, tokens=64)
AS_DESCRIBED = ("--policy", "layerwise", "--no-residents", "--buffers", "1")


@dataclass(frozen=True)
class Run:
    """A public run: what it computes with which options, and its cycles."""

    name: str
    shape: Shape
    options: tuple[str, ...]
    published: int


CORES, TILED = ("--engines", "cluster"), ("--l1", "64000")
RUNS = (
    Run("decode, 128 cached, cores, all in L2", DECODE_128, CORES, 3_100_000),
    Run("decode, 64 cached, NPU", DECODE, (*TILED, "--memory", "WMEM=32"), 857_000),
    Run("decode, 64 cached, NPU and weight memory", DECODE, TILED, 780_000),
    Run("prefill of 64, cores, L1 8 kB", PREFILL, (*CORES, "--l1", "8000"), 47_500_000),
    Run("prefill of 64, cores, L1 64 kB", PREFILL, (*CORES, *TILED), 35_300_000),
    Run("prefill of 64, NPU and weight memory", PREFILL, TILED, 28_300_000),
)


def row(run: Run, folder: Path) -> tuple[object, ...]:
    """Cycles of a run as it is described, with eight cores and with one, and of the best plan."""
    write_llama(build_llama(run.shape), folder)
    network = folder / "network.onnx"

    def cycles(*options: str) -> int:
        simulated = deeploy_json("simulate", network, "--target", "siracusa", *options)
        return int(simulated["cycles"])

    eight = cycles(*AS_DESCRIBED, *run.options)
    one = cycles(*AS_DESCRIBED, *run.options, "--cores", "1")
    best = cycles(*run.options)
    numbers = (best, eight, one, run.published)
    return run.name, *(f"{n:,}" for n in numbers), f"{one / run.published:.2f}"


def main() -> None:
    """Print a row for each run."""
    headers = ("run", "best plan", "8 cores", "1 core", "published", "1 core/published")
    with tempfile.TemporaryDirectory(prefix="deeploy-") as folder:
        print(table(headers, [row(run, Path(folder)) for run in RUNS]))


if __name__ == "__main__":
    main()
