"""The tokenizer and the sampler in C do what those in Python do."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sampler import Sampler
from tokenizer import Tokenizer, read_tokenizer

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")

EXAMPLE = Path(__file__).parents[2] / "examples" / "tinystories"
CFLAGS = ["-O1", "-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-shared", "-fPIC"]


class Entry(ctypes.Structure):
    """`token_entry`."""

    _fields_ = [
        ("text", ctypes.c_void_p),
        ("length", ctypes.c_uint32),
        ("score", ctypes.c_float),
        ("id", ctypes.c_int32),
    ]


class CTokenizer:
    """The interface of `Tokenizer` around tokenizer.c."""

    class Struct(ctypes.Structure):
        """`tokenizer`."""

        _fields_ = [
            ("by_id", ctypes.c_void_p),
            ("by_text", ctypes.c_void_p),
            ("count", ctypes.c_uint32),
        ]

    def __init__(self, library: ctypes.CDLL, file: bytes, count: int) -> None:
        self.library = library
        self.file = file
        self.tables = (Entry * count)(), (Entry * count)()
        self.struct = self.Struct()
        arguments = (*self.tables, count, file, ctypes.c_size_t(len(file)))
        self.status = library.tokenizer_open(ctypes.byref(self.struct), *arguments)
        library.tokenizer_piece.restype = ctypes.c_void_p

    def encode(self, text: str, room: int = 1000) -> list[int]:
        """The tokens of a text; none if there is no room."""
        tokens = (ctypes.c_int32 * room)()
        arguments = (text.encode(), tokens, room)
        count = self.library.tokenizer_encode(ctypes.byref(self.struct), *arguments)
        return list(tokens[:count])

    def piece(self, previous: int, token: int) -> bytes:
        """The text of a token."""
        byte, length = ctypes.c_uint8(), ctypes.c_uint32()
        arguments = (previous, token, ctypes.byref(byte), ctypes.byref(length))
        address = self.library.tokenizer_piece(ctypes.byref(self.struct), *arguments)
        return ctypes.string_at(address, length.value)


class CSamplerStruct(ctypes.Structure):
    """`sampler`."""

    _fields_ = [
        ("temperature", ctypes.c_float),
        ("top_p", ctypes.c_float),
        ("state", ctypes.c_uint64),
    ]


def compiled(folder: Path, name: str) -> ctypes.CDLL:
    """A C file of the example as a library."""
    library = folder / f"{name}.so"
    source = EXAMPLE / "c" / f"{name}.c"
    subprocess.run(["gcc", *CFLAGS, "-o", library, source, "-lm"], check=True)
    return ctypes.CDLL(str(library))


@pytest.fixture(scope="module")
def tokenizer_library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """tokenizer.c."""
    return compiled(tmp_path_factory.mktemp("tokenizer"), "tokenizer")


@pytest.fixture(scope="module")
def draw(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Sampler, np.ndarray], int]:
    """`sampler_next` of sampler.c, with the state in a `Sampler`."""
    library = compiled(tmp_path_factory.mktemp("sampler"), "sampler")

    def call(sampler: Sampler, logits: np.ndarray) -> int:
        struct = CSamplerStruct(sampler.temperature, sampler.top_p, sampler.state)
        room = (ctypes.c_uint64 * len(logits))()
        arguments = (logits.ctypes.data_as(ctypes.c_void_p), room, len(logits))
        token = library.sampler_next(ctypes.byref(struct), *arguments)
        sampler.state = struct.state
        return token

    return call


def check_tokenizer(ours: CTokenizer, expected: Tokenizer, text: str) -> None:
    tokens = expected.encode(text)
    assert ours.encode(text) == tokens
    for previous in (1, tokens[0], 2):
        assert [ours.piece(previous, token) for token in tokens] == [
            expected.piece(previous, token) for token in tokens
        ]


@settings(deadline=None, max_examples=200)
@given(data=st.data())
def test_tokenizer(data: st.DataObject, tokenizer_library: ctypes.CDLL) -> None:
    """Any vocabulary of short words with equal scores and equal texts among them, any text."""
    alphabet = "ab é€𝄞"
    words = data.draw(st.lists(st.text(alphabet, min_size=1, max_size=4), max_size=25))
    special = [b"<unk>", b"\n<s>\n", b"\n</s>\n", *(b"<0x%02X>" % i for i in range(256))]
    tokens = (*special, *(word.encode() for word in words))
    numbers = st.integers(-4, 1).map(float)
    scores = data.draw(st.lists(numbers, min_size=len(words), max_size=len(words)))
    expected = Tokenizer(tokens, (*(0.0 for _ in special), *scores))
    ours = CTokenizer(tokenizer_library, expected.to_bytes(), len(tokens))
    assert ours.status == 0
    check_tokenizer(ours, expected, data.draw(st.text(alphabet + "xß", max_size=30)))


def test_tokenizer_of_stories(tokenizer_library: ctypes.CDLL, tinystories: Path) -> None:
    expected = read_tokenizer(tinystories / "tok512.bin", 512)
    ours = CTokenizer(tokenizer_library, (tinystories / "tok512.bin").read_bytes(), 512)
    check_tokenizer(ours, expected, "Once upon a time, Lily's café\nwas closed. 🎈")
    story = (tinystories / "reference_greedy_200.txt").read_text()
    check_tokenizer(ours, expected, story)


def test_tokenizer_refuses(tokenizer_library: ctypes.CDLL, small_tokenizer: Tokenizer) -> None:
    file, count = small_tokenizer.to_bytes(), len(small_tokenizer.tokens)
    for wrong in (file[:-1], file + b"\0", file[:2], b""):
        assert CTokenizer(tokenizer_library, wrong, count).status == -1
    assert CTokenizer(tokenizer_library, file, count - 1).status == -1
    assert CTokenizer(tokenizer_library, file[:2600], 200).status == -1
    ours = CTokenizer(tokenizer_library, file, count)
    assert ours.encode("zzzz", room=5) == []
    assert len(ours.encode("zzzz", room=6)) == 6


@settings(deadline=None, max_examples=200)
@given(
    seed=st.integers(1, 2**64 - 1),
    temperature=st.sampled_from([0.0, 0.5, 1.0, 3.0]),
    top_p=st.sampled_from([0.0, 0.3, 0.9, 1.0]),
    count=st.integers(1, 70),
)
def test_sampler(
    seed: int,
    temperature: float,
    top_p: float,
    count: int,
    draw: Callable[[Sampler, np.ndarray], int],
) -> None:
    """Multiples of 1/4 as logits: many are equal."""
    rng = np.random.default_rng(seed)
    ours, expected = (Sampler(temperature, top_p, seed) for _ in range(2))
    for _ in range(5):
        logits = (rng.integers(-12, 12, count) / 4).astype(np.float32)
        assert draw(ours, logits) == expected.next(logits)
        assert ours.state == expected.state


def test_frequencies(draw: Callable[[Sampler, np.ndarray], int]) -> None:
    """Tokens come as often as softmax says; what is not in the nucleus never comes."""
    shares = np.array([0.05, 0.4, 0.25, 0.3])
    sampler = Sampler(0.5, 0.9, 7)
    logits = (np.log(shares) * 0.5).astype(np.float32)
    counts = np.bincount([draw(sampler, logits) for _ in range(4000)], minlength=4)
    assert counts[0] == 0
    np.testing.assert_allclose(counts[1:] / 4000, shares[1:] / shares[1:].sum(), atol=0.03)


def test_random_numbers() -> None:
    """The first number of xorshift64* from 1 is 5180492295206395165; it has 24 bits here."""
    assert Sampler(1.0, 1.0, 1).random() == (5180492295206395165 >> 40) / 2**24
