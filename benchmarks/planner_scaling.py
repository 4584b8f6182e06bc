"""How compilation time grows with the number of layers, phase by phase.

The networks are generated: a chain of quantised convolutions in a few shapes, as deep networks
repeat them. Seconds are wall time on this machine.

    python benchmarks/planner_scaling.py [LAYERS ...]
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from command import deeploy_times
from onnx import TensorProto, helper, numpy_helper
from report import table

from deeploy.pipelines import GRAPH, MEMORY

LAYERS = (100, 300, 1000)
SIDE = 16
"""Rows and columns of all images."""
SHAPES = ((16, 16, 3, 1), (16, 32, 1, 1), (32, 32, 3, 32), (32, 16, 1, 1))
"""Input channels, output channels, window and groups of one layer after the other, repeated."""
PHASES = {
    "import": ("(import)",),
    "graph passes": GRAPH,
    "nests": ("set-target", "place", "form-nests", "fuse-nests"),
    "plan": ("plan", "check-plan"),
    "lowering": MEMORY,
    "verification": ("(verification)",),
    "C, reports": ("(emit)", "(start, instruments)"),
    "all": ("total",),
}
"""What the columns add up, in names of `deeploy compile --timing`."""


def requant(name: str, x: str, y: str) -> onnx.NodeProto:
    """`clip((x * mul + add) >> 8)` to unsigned eight bits."""
    scalars = {"div": 256.0, "n_levels_out": 256.0, "signed": 0.0}
    attributes = {k: numpy_helper.from_array(np.array(v, np.float32)) for k, v in scalars.items()}
    inputs = [x, f"{name}.mul", f"{name}.add"]
    return helper.make_node("RequantShift", inputs, [y], name, domain="PACTOps", **attributes)


def chain(layers: int) -> onnx.ModelProto:
    """A network of that many convolutions, each with weights of its own."""
    rng = np.random.default_rng(layers)
    nodes: list[onnx.NodeProto] = []
    constants: list[onnx.TensorProto] = []

    def constant(name: str, values: np.ndarray[Any, Any]) -> str:
        constants.append(numpy_helper.from_array(values.astype(np.float32), name))
        return name

    for i in range(layers):
        channels, filters, window, groups = SHAPES[i % len(SHAPES)]
        shape = (filters, channels // groups, window, window)
        weight = constant(f"conv{i}.weight", rng.integers(-99, 99, shape))
        pads = [window // 2] * 4
        inputs = [f"x{i}", weight]
        nodes.append(
            helper.make_node("Conv", inputs, [f"a{i}"], f"conv{i}", pads=pads, group=groups)
        )
        constant(f"requant{i}.mul", rng.integers(1, 9, (filters, 1, 1)))
        constant(f"requant{i}.add", rng.integers(-999, 999, (filters, 1, 1)))
        nodes.append(requant(f"requant{i}", f"a{i}", f"x{i + 1}"))
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, (1, channels, SIDE, SIDE))
        for name, channels in (("x0", SHAPES[0][0]), (f"x{layers}", filters))
    ]
    graph = helper.make_graph(nodes, f"chain{layers}", ends[:1], ends[1:], constants)
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid("PACTOps", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def measure(layers: int, l1: int, engines: str | None = None) -> tuple[object, ...]:
    """A row of the table."""
    with tempfile.TemporaryDirectory(prefix="deeploy-") as folder:
        model = Path(folder) / "chain.onnx"
        model.write_bytes(chain(layers).SerializeToString())
        options: list[object] = [
            "--target",
            "siracusa",
            "--l1",
            l1,
            "--input-type",
            "x0=ui8",
            "-o",
            folder,
        ]
        if engines is not None:
            options += ["--engines", engines]
        seconds = deeploy_times("compile", model, *options)
        plan = json.loads((Path(folder) / "plan.json").read_text())
    phases = [sum(seconds[name] for name in set(names)) for names in PHASES.values()]
    gap = f"{plan['solver']['gap']:.2%}"
    return layers, f"{l1:,}", *(f"{s:.1f}" for s in phases), plan["solver"]["status"], gap


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("layers", nargs="*", type=int, default=LAYERS, metavar="LAYERS")
    parser.add_argument("--l1", type=int, default=64_000, help="bytes of L1 (default 64,000)")
    parser.add_argument("--engines", help="engines of the chip to use (default: all)")
    args = parser.parse_args()
    measure(1, args.l1, args.engines)
    rows = [measure(layers, args.l1, args.engines) for layers in args.layers]
    print(table(("layers", "L1", *PHASES, "status", "gap"), rows))


if __name__ == "__main__":
    main()
