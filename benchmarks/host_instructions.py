"""Instructions per multiply-accumulate on this machine, counted by valgrind.

Each network is compiled for one core, built as by default (-O3, SSE2), and run under callgrind,
which counts what `network_cluster` executes: kernels, copies by the DMA model, loops over tiles.

    python benchmarks/host_instructions.py [NETWORK ...]
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import tempfile
from pathlib import Path

from command import deeploy
from report import table
from zoo import NETWORKS, Network, network

L1 = 64_000


def build(net: Network, folder: Path, l1: int) -> Path:
    """Compile for one core and build; returns the program."""
    # the cores alone: the host's model of an accelerator says nothing about kernels
    chip = ["--target", "siracusa", "--engines", "cluster", "--cores", 1, "--l1", l1]
    deeploy("compile", net.model, *chip, *net.data, "-o", folder)
    subprocess.run(["make", "-s", "-j2"], cwd=folder, check=True)
    (program,) = folder.glob("build/*/network")
    return program


def instructions(program: Path) -> int:
    """Instructions executed inside `network_cluster`."""
    output = program.parent / "callgrind.out"
    command = ["valgrind", "--tool=callgrind", "--toggle-collect=network_cluster"]
    done = subprocess.run(
        [*command, f"--callgrind-out-file={output}", str(program)],
        env={**os.environ, "DEEPLOY_DMA": "immediate"},
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"Collected : (\d+)", done.stderr)
    assert found is not None, done.stderr
    return int(found[1])


def measure(name: str, l1: int = L1) -> tuple[int, int]:
    """Multiply-accumulates and instructions of a network."""
    net = network(name)
    with tempfile.TemporaryDirectory(prefix="deeploy-") as folder:
        return net.macs(), instructions(build(net, Path(folder), l1))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", metavar="NETWORK", help=", ".join(NETWORKS))
    parser.add_argument("--l1", type=int, default=L1, help=f"bytes of L1 (default {L1})")
    args = parser.parse_args()
    rows: list[tuple[object, ...]] = []
    for name in args.networks or NETWORKS:
        macs, count = measure(name, args.l1)
        rows.append((name, f"{macs:,}", f"{count:,}", f"{count / macs:.2f}"))
    print(table(("network", "MACs", "instructions", "instructions per MAC"), rows))


if __name__ == "__main__":
    main()
