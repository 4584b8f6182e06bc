"""Bytes that a network moves between memories, against those that it must move.

It must move every weight once, its inputs and its outputs; constants of the epilogues (four bytes
a channel) and activations that do not fit come on top. The numbers are counted in the lowered
program; `deeploy run` counts the same ones in the DMA model of the host.

    python benchmarks/dma_bytes.py [NETWORK ...]
"""

from __future__ import annotations

import argparse
import tempfile

from command import deeploy_json, moved_bytes
from report import table
from zoo import L1_SIZES, NETWORKS, network


def measure(name: str, l1: int) -> tuple[object, ...]:
    """A row of the table."""
    net = network(name)
    with tempfile.TemporaryDirectory(prefix="deeploy-") as folder:
        options = ["--target", "siracusa", "--engines", "cluster", "--l1", l1, "-o", folder]
        result = deeploy_json("compile", net.model, *options)
    moved, compulsory = moved_bytes(result["dma"]), net.compulsory_bytes()
    transfers = sum(entry["transfers"] for entry in result["dma"])
    ratio = f"{moved / compulsory:.2f}"
    return name, f"{l1:,}", f"{compulsory:,}", f"{moved:,}", ratio, f"{transfers:,}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", metavar="NETWORK", help=", ".join(NETWORKS))
    args = parser.parse_args()
    rows = [measure(name, l1) for name in args.networks or NETWORKS for l1 in L1_SIZES]
    print(table(("network", "L1", "compulsory", "moved", "ratio", "transfers"), rows))


if __name__ == "__main__":
    main()
