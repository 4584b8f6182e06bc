"""Compiles a ResNet-8 for Siracusa, runs it on this machine and compares it with numpy.

    python examples/resnet8/demo.py [options of `deeploy run`]

What is written stays in deeploy-out/resnet8: the model, the C project and the IR after each pass.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from build import build_model
from deeploy import cli
from deeploy.diagnostics import run_main

OUT = Path(__file__).parents[2] / "deeploy-out" / "resnet8"


def demo(argv: Sequence[str]) -> int | None:
    """Build the model and run it; `argv` are more options of `deeploy run`."""
    OUT.mkdir(parents=True, exist_ok=True)
    model = OUT / "resnet8.onnx"
    model.write_bytes(build_model().SerializeToString(deterministic=True))
    arguments = [
        *("run", str(model), "--target", "siracusa", "--input-type", "input=ui8"),
        *("--seed", "1", "--report", "--dump-ir", str(OUT / "ir"), "-o", str(OUT / "c")),
    ]
    status = cli.execute([*arguments, *argv])
    print(f"The C is in {OUT / 'c'}, the IR after each pass in {OUT / 'ir'}.", file=sys.stderr)
    return status


if __name__ == "__main__":
    raise SystemExit(run_main(demo))
