"""Energy: what each part of the chip takes in each state, times how long it is in that state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from deeploy.simulate.machine import Track
from deeploy.targets import Target


@dataclass(frozen=True)
class Energy:
    """Microjoules of one inference by part; `uncertainty` is a share of the whole."""

    parts: Mapping[str, float]
    seconds: float
    uncertainty: float

    @property
    def total(self) -> float:
        """Microjoules."""
        return sum(self.parts.values())

    @property
    def power(self) -> float:
        """Milliwatts on average."""
        return self.total / self.seconds / 1e3 if self.seconds else 0.0

    def as_json(self) -> dict[str, object]:
        """The energy as a JSON object."""
        return {
            "microjoules": self.total,
            "milliwatts": self.power,
            "uncertainty": self.uncertainty,
            "parts": dict(self.parts),
        }


def energy_of(target: Target, cycles: int, busy: Mapping[Track, int]) -> Energy | None:
    """The energy of an inference, or None where the target does not say what its parts take.

    Args:
        target: the chip, with its clock.
        cycles: of the whole inference.
        busy: cycles for which each track is at work.
    """
    power = target.power
    if not power.base or not target.clock_hz:
        return None
    computing, idle = busy[Track.CORES], cycles - busy[Track.CORES]
    # milliwatts times cycles
    parts = {
        "base": power.base * cycles,
        "cores": target.cores * (power.core * computing + power.idle_core * idle),
        "DMA": power.dma * (busy[Track.LOAD] + busy[Track.STORE]),
        "NPU": power.npu * busy[Track.NPU],
    }
    microjoules = {name: value * 1e3 / target.clock_hz for name, value in parts.items()}
    return Energy(microjoules, cycles / target.clock_hz, power.uncertainty)
