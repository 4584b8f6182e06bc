"""Instructions per token of a story, counted by valgrind.

The program of examples/tinystories tells a story of STEPS tokens, drawn greedily, under callgrind,
which counts what the steps of the network execute: embedding, rotary embedding, kernels, copies by
the DMA model, loops over tiles. Tokenizer and sampler are left out. The story is built with CFLAGS
(-O3 -std=c99 by default); some kernels choose AVX2 when they run, unless -DDPL_F32_NARROW is given.

    python benchmarks/story.py CHECKPOINT TOKENIZER [--steps STEPS]
        [--yardstick COMMAND --function NAME]

With a yardstick, a command that takes as many steps of the same network, what happens inside one of
its functions is counted as well.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from report import table

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "examples" / "tinystories"))

from checkpoint import read_checkpoint  # noqa: E402
from network import decode_network  # noqa: E402
from program import build_programs  # noqa: E402

FLAGS = "-O3 -std=c99"


def instructions(command: list[str], function: str) -> int:
    """Instructions executed inside a function and what it calls."""
    with tempfile.TemporaryDirectory(prefix="deeploy-") as folder:
        file = f"--callgrind-out-file={folder}/callgrind.out"
        valgrind = ["valgrind", "--tool=callgrind", f"--toggle-collect={function}", file]
        done = subprocess.run(valgrind + command, capture_output=True, text=True, check=True)
    found = re.search(r"Collected : (\d+)", done.stderr)
    assert found is not None, done.stderr
    return int(found[1])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("tokenizer", type=Path)
    parser.add_argument("--steps", type=int, default=200, help="default 200")
    parser.add_argument("--yardstick", metavar="COMMAND", help="takes as many steps")
    parser.add_argument("--function", metavar="NAME", help="of the yardstick: one step")
    args = parser.parse_args()
    if (args.yardstick is None) != (args.function is None):
        parser.error("--yardstick and --function go together")
    os.environ.setdefault("CFLAGS", FLAGS)
    checkpoint = read_checkpoint(args.checkpoint)
    with tempfile.TemporaryDirectory(prefix="deeploy-") as folder:
        tokenizer, network = args.tokenizer.read_bytes(), decode_network(checkpoint)
        programs = build_programs(checkpoint, tokenizer, network, Path(folder))
        command = [str(programs / "story"), "-n", str(args.steps)]
        ours = instructions(command, "decoder_step") / args.steps
        copies = instructions(command, "dpl_dma_start_2d") / args.steps
    rows = [("compiled", f"{ours:,.0f}"), ("copies of the DMA model in it", f"{copies:,.0f}")]
    if args.yardstick is not None:
        theirs = instructions(shlex.split(args.yardstick), args.function) / args.steps
        rows += [("yardstick", f"{theirs:,.0f}"), ("compiled / yardstick", f"{ours / theirs:.2f}")]
    print(table(("program", "instructions per token"), rows))


if __name__ == "__main__":
    main()
