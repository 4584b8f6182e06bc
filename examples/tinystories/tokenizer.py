"""Byte pair encoding with a tokenizer file of llama2.c; tokenizer.c does the same in C.

The file has the length of the longest token (int32), then for each token its score (float32), its
length (int32) and its bytes. Tokens 0, 1 and 2 are <unk>, <s> and </s>; the 256 tokens from 3 on
stand for single bytes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from deeploy.diagnostics import DeeployError

BEGIN = 1
"""The token that begins a text, and ends the one before."""

FIRST_BYTE = 3
BYTES = 256

_ENTRY = struct.Struct("<fi")


@dataclass(frozen=True)
class Tokenizer:
    """The tokens in order, and how eagerly each is merged."""

    tokens: tuple[bytes, ...]
    scores: tuple[float, ...]

    def encode(self, text: str) -> list[int]:
        """The tokens of a text: BEGIN, a space if there is text, and the text.

        Characters without a token become their UTF-8 bytes. Then the neighbours whose
        concatenation has the highest score are merged, the first of equals, until none is a token.
        """
        ids = {token: i for i, token in reversed(list(enumerate(self.tokens)))}
        found = [BEGIN]
        for character in f" {text}" if text else "":
            data = character.encode()
            found += [ids[data]] if data in ids else [FIRST_BYTE + byte for byte in data]
        while True:
            merged = [ids.get(self.tokens[a] + self.tokens[b], -1) for a, b in pairwise(found)]
            known = [i for i, token in enumerate(merged) if token >= 0]
            if not known:
                return found
            best = max(known, key=lambda i: self.scores[merged[i]])
            found[best : best + 2] = [merged[best]]

    def piece(self, previous: int, token: int) -> bytes:
        """The text of a token. The space that begins a text is not part of it."""
        if FIRST_BYTE <= token < FIRST_BYTE + BYTES:
            return bytes([token - FIRST_BYTE])
        data = self.tokens[token]
        return data[1:] if previous == BEGIN and data[:1] == b" " else data

    def decode(self, tokens: list[int]) -> bytes:
        """The text of all tokens after the first."""
        return b"".join(self.piece(a, b) for a, b in pairwise(tokens))

    def to_bytes(self) -> bytes:
        """The content of the file."""
        entries = zip(self.tokens, self.scores, strict=True)
        longest = max(map(len, self.tokens))
        return struct.pack("<i", longest) + b"".join(
            _ENTRY.pack(score, len(token)) + token for token, score in entries
        )


def read_tokenizer(path: Path, vocab_size: int) -> Tokenizer:
    """Read a tokenizer file.

    Raises:
        DeeployError: the file has fewer or more tokens, or is none.
        OSError: the file cannot be read.
    """
    data = path.read_bytes()
    tokens: list[bytes] = []
    scores: list[float] = []
    at = 4
    while at + _ENTRY.size <= len(data) and len(tokens) < vocab_size:
        score, length = _ENTRY.unpack_from(data, at)
        begin, at = at + _ENTRY.size, at + _ENTRY.size + max(length, 0)
        tokens.append(data[begin:at])
        scores.append(score)
    if at != len(data) or len(tokens) != vocab_size or vocab_size < FIRST_BYTE + BYTES:
        raise DeeployError(f"{path}: not a tokenizer with {vocab_size} tokens")
    return Tokenizer(tuple(tokens), tuple(scores))
