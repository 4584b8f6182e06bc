"""Compiles a llama2.c checkpoint and lets the C program tell a story.

    python examples/tinystories/story.py stories260K.bin tok512.bin [OPTION ...] [PROMPT]

What is written stays in deeploy-out/tinystories: the ONNX network, the C of the network (c), the
embedding and the tokenizer (c/model.c) and the program (c/story).
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from checkpoint import read_checkpoint
from deeploy.diagnostics import run_main
from network import decode_network
from program import HERE, build_programs
from tokenizer import read_tokenizer

OUT = HERE.parents[1] / "deeploy-out" / "tinystories"


def main(argv: Sequence[str]) -> None:
    """Compile, then become the program."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("tokenizer", type=Path)
    parser.add_argument("options", nargs=argparse.REMAINDER, help="of the program; -h shows them")
    args = parser.parse_args(argv)
    checkpoint = read_checkpoint(args.checkpoint)
    read_tokenizer(args.tokenizer, checkpoint.config.vocab_size)
    network, tokenizer = decode_network(checkpoint), args.tokenizer.read_bytes()
    program = build_programs(checkpoint, tokenizer, network, OUT) / "story"
    os.execv(program, [str(program), *args.options])


if __name__ == "__main__":
    raise SystemExit(run_main(main))
