"""How long compilation takes, and how good the plan is proved to be.

Seconds are wall time on this machine: import, all passes and the numpy reference; those of the
solver are part of it. Modules are loaded before the first measurement.

    python benchmarks/compile_time.py [NETWORK ...]
"""

from __future__ import annotations

import argparse
import tempfile

from command import deeploy_json
from report import table
from zoo import L1_SIZES, NETWORKS, network


def measure(name: str, l1: int) -> tuple[object, ...]:
    """A row of the table."""
    net = network(name)
    with tempfile.TemporaryDirectory(prefix="deeploy-") as folder:
        options = ["--target", "siracusa", "--l1", l1, *net.data, "-o", folder]
        result = deeploy_json("compile", net.model, *options)
    seconds, solver = result["seconds"], result["solver"]
    compute = result["memories"][0]
    return (
        name,
        f"{l1:,}",
        f"{seconds['compile']:.2f}",
        f"{seconds['solve']:.2f}",
        f"{solver['gap']:.2%}",
        solver["status"],
        f"{result['cycles']:,}",
        f"{compute['peak']:,}",
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", metavar="NETWORK", help=", ".join(NETWORKS))
    args = parser.parse_args()
    measure(next(iter(NETWORKS)), max(L1_SIZES))
    rows = [measure(name, l1) for name in args.networks or NETWORKS for l1 in L1_SIZES]
    headers = ("network", "L1", "compile s", "solve s", "gap", "status", "cycles", "L1 peak")
    print(table(headers, rows))


if __name__ == "__main__":
    main()
