"""Chooses a token by its logit; sampler.c does the same in C."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from checkpoint import Array

_MASK = (1 << 64) - 1


@dataclass
class Sampler:
    """Draws tokens.

    Attributes:
        temperature: logits are divided by it; 0 takes the largest logit and draws nothing.
        top_p: draws from the most probable tokens whose probabilities reach this sum.
        state: of the random numbers; the seed, not 0.
    """

    temperature: float
    top_p: float
    state: int

    def random(self) -> np.float32:
        """A fraction of 1 with 24 bits, from xorshift64* (S. Vigna, arXiv 1402.6246)."""
        x = self.state
        x ^= x >> 12
        x ^= x << 25 & _MASK
        x ^= x >> 27
        self.state = x
        return np.float32((x * 0x2545F4914F6CDD1D & _MASK) >> 40) / np.float32(1 << 24)

    def next(self, logits: Array) -> int:
        """The next token; of equal logits the first counts as more probable."""
        if self.temperature <= 0:
            return int(logits.argmax())
        weights = np.exp((logits - logits.max()) / np.float32(self.temperature))
        order = np.argsort(-weights, kind="stable")
        sums = np.cumsum(weights[order])
        last = int(np.searchsorted(sums, np.float32(self.top_p) * sums[-1]))
        last = min(last, len(order) - 1)
        drawn = int(np.searchsorted(sums, self.random() * sums[last], side="right"))
        return int(order[min(drawn, last)])
