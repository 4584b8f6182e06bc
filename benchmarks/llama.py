"""A decoded token of a Llama of 4,194,304 weights (examples/llama) on Siracusa.

The network is compiled, run on this machine, compared bit for bit with numpy, and simulated. A
small language model on the chip is published with 340 tokens/s at 490 µJ (arXiv 2408.04413).

    python benchmarks/llama.py [--cached POSITIONS]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from command import deeploy_json
from report import table

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "examples" / "llama"))

from integer_llama import Shape, build_llama, write_llama  # noqa: E402

PUBLISHED_RATE, PUBLISHED_ENERGY, CLOCK = 340, 490, 360e6
"""Tokens per second, microjoules per token, and hertz."""


def totals(simulated: dict[str, Any]) -> str:
    """Time and energy beside the published ones."""
    rows = [
        (
            "compiled",
            f"{simulated['cycles']:,}",
            f"{simulated['per_second']:.0f}",
            f"{simulated['energy']['microjoules']:.0f}",
        ),
        ("published", f"{CLOCK / PUBLISHED_RATE:,.0f}", PUBLISHED_RATE, PUBLISHED_ENERGY),
    ]
    return table(("token", "cycles", "tokens/s", "µJ"), rows)


def memories(run: dict[str, Any]) -> str:
    """Bytes of each memory, and how many of them are constants."""
    rows = [
        (m["name"], f"{m['size']:,}", f"{m['peak']:,}", f"{m['constants']:,}")
        for m in run["memories"]
    ]
    return table(("memory", "bytes", "used", "constants"), rows)


def causes(simulated: dict[str, Any]) -> str:
    """Where the cycles of a layer go: its nests, and what core 0 does in each.

    The first layer stands for the others.
    """
    names = sorted(simulated["causes"])
    nests = [nest for nest in simulated["nests"] if nest["node"].startswith("layers.0.")]
    rows = [
        (
            nest["node"].replace("layers.0.", ""),
            f"{nest['cycles']:,}",
            *(f"{nest['causes'].get(name, 0):,}" for name in names),
        )
        for nest in nests
    ]
    whole = simulated["causes"]
    all_layers = f"{simulated['cycles']:,}", *(f"{whole[name]:,}" for name in names)
    return table(("nest", "cycles", *names), [*rows, ("all layers", *all_layers)])


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cached", type=int, default=128, help="positions in the caches (128)")
    shape = Shape(cached=parser.parse_args().cached)
    with tempfile.TemporaryDirectory(prefix="deeploy-") as name:
        folder = Path(name)
        network = write_llama(build_llama(shape), folder)
        command = (network, "--inputs", folder / "inputs.npz", "--target", "siracusa")
        expected = ("--expect", folder / "outputs.npz", "-o", folder / "out")
        run = deeploy_json("run", *command, *expected)
        simulated = deeploy_json("simulate", *command)
    values = sum(output["elements"] for output in run["outputs"])
    print(f"{shape.linear_weights:,} weights; {run['mismatches']} of {values:,} values differ\n")
    print(totals(simulated), memories(run), causes(simulated), sep="\n\n")


if __name__ == "__main__":
    main()
