"""The modules of the examples, and a small checkpoint."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "tinystories"
sys.path[:0] = [str(EXAMPLE), str(ROOT / "examples" / "llama")]

from checkpoint import Checkpoint, Config, random_checkpoint  # noqa: E402
from tokenizer import Tokenizer  # noqa: E402

TINYSTORIES = ROOT.parent / "shared" / "models" / "tinystories"
SMALL = Config(
    dim=24, hidden_dim=20, n_layers=2, n_heads=6, n_kv_heads=2, vocab_size=300, seq_len=12
)


@pytest.fixture
def small() -> Checkpoint:
    """Random weights; three query heads share keys and values."""
    return random_checkpoint(SMALL, seed=1)


@pytest.fixture
def tinystories() -> Path:
    """The folder with stories260K.bin."""
    if not TINYSTORIES.is_dir():
        pytest.skip(f"{TINYSTORIES} is not here")
    return TINYSTORIES


@pytest.fixture
def small_tokenizer() -> Tokenizer:
    """As many tokens as `small` has: three special ones, all bytes, letters, and what they merge
    to. The scores are out of order, and some are equal."""
    words = ["a", "b", "c", " ", "é", "ab", "bc", "abc", " a", " ab", "ca", "é ", "cab", "aa", "bb"]
    tokens = [b"<unk>", b"\n<s>\n", b"\n</s>\n", *(b"<0x%02X>" % i for i in range(256))]
    tokens += [word.encode() for word in words]
    tokens += [b"unused%d" % i for i in range(SMALL.vocab_size - len(tokens))]
    scores = [0.0] * 259 + [-float(i * 7 % 5) for i in range(SMALL.vocab_size - 259)]
    return Tokenizer(tuple(tokens), tuple(scores))
