"""The planning problem, free of IR: tensors, steps and what each step may do.

Sizes are bytes, times are cycles. Steps are the nests in the order in which they run.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tensor:
    """A tensor that the plan places.

    It is live from step `first` to step `last`, both included; `homes` are the memories in which
    it may lie, in order of preference. `near` is the memory of an engine among them, from which it
    is read directly. An `optional` tensor only needs a home if a step that is chosen uses it. A
    `lasting` one stays from one inference to the next.
    """

    name: str
    size: int
    first: int
    last: int
    homes: tuple[str, ...]
    near: str = ""
    optional: bool = False
    lasting: bool = False


LOOKAHEAD = 4
"""Steps by which the memory of a step may be reserved before it runs, where there is room: its
loads and jobs can then start while earlier steps compute (see the pass `overlap`)."""


@dataclass(frozen=True)
class Candidate:
    """One way to run a step.

    `resident` are the tensors (by index) that lie in the compute memory, `direct` those that an
    engine reads from a memory of its own; all other operands move through tiles. `scratch` is the
    bytes of tiles and kernel scratch together. `way` is the nest, where a step has alternatives.
    `cycles` leaves out `early` cycles of loads that are done while earlier steps compute; in `busy`
    cycles of them the DMA has nothing to do for this step.
    """

    cycles: int
    scratch: int
    resident: frozenset[int]
    tile: tuple[int, ...]
    order: tuple[int, ...]
    buffers: int
    way: int = 0
    direct: frozenset[int] = frozenset()
    early: int = 0
    busy: int = 0


@dataclass(frozen=True)
class Step:
    """One nest: its name for the user, its tensors (by index), and its candidates.

    `tensors` are those about whose home it matters which candidate is chosen, `operands` are all
    that it reads and writes. Where it has alternatives, `ways` are the `tensors` of each of them.
    """

    name: str
    tensors: frozenset[int]
    candidates: tuple[Candidate, ...]
    operands: tuple[int, ...] = ()
    ways: tuple[frozenset[int], ...] = ()

    def uses(self, candidate: Candidate) -> frozenset[int]:
        """Those of `tensors` that a candidate uses."""
        return self.ways[candidate.way] if self.ways else self.tensors

    def smallest(self) -> int:
        """The least scratch with which the step runs when as few tensors stay as can be."""
        fewest = min(len(c.resident) + len(c.direct) for c in self.candidates)
        return min(c.scratch for c in self.candidates if len(c.resident) + len(c.direct) == fewest)


@dataclass(frozen=True)
class Space:
    """A memory to plan: name, bytes, alignment of blocks, and bytes per cycle to the cores (0 for
    the one on which they compute, and for one that they do not read)."""

    name: str
    size: int
    align: int
    bytes_per_cycle: float = 0.0


@dataclass(frozen=True)
class Problem:
    """What the planner decides about. `spaces[0]` is the memory in which kernels compute; what
    stays there for good `leaves_room` for loads ahead."""

    tensors: tuple[Tensor, ...]
    steps: tuple[Step, ...]
    spaces: tuple[Space, ...]
    leaves_room: bool = True

    @property
    def compute(self) -> Space:
        """The memory in which kernels compute."""
        return self.spaces[0]

    def most_lasting(self) -> int:
        """Bytes of the compute memory that tensors may have for good, if they need not lie there.

        What is left has room for the tiles of as many steps as may be loaded ahead, where the plan
        counts on that, and a quarter more for what else lies there: without it nothing could be
        loaded while another step computes.
        """
        if not self.leaves_room:
            return self.compute.size
        tiles = [max((c.scratch for c in s.candidates if c.early), default=0) for s in self.steps]
        windows = (sum(tiles[n : n + LOOKAHEAD + 1]) for n in range(len(tiles)))
        return max(self.compute.size - max(windows, default=0) * 5 // 4, 0)

    def is_permanent(self, tensor: Tensor) -> bool:
        """Whether a tensor is live at all steps, as constants and states are."""
        return tensor.first == 0 and tensor.last >= len(self.steps) - 1


@dataclass(frozen=True)
class Plan:
    """A solution: a candidate for each step, a home and an address for each tensor (no home, "",
    for an optional one that no step uses).

    `scratch` is the address of each step's tiles. `gap` is the proved relative distance to the best
    plan, `status` what the solver said, `seconds` how long it took.
    """

    choices: tuple[Candidate, ...]
    homes: tuple[str, ...]
    offsets: tuple[int, ...]
    scratch: tuple[int, ...]
    cycles: int
    gap: float
    status: str
    seconds: float


def align_up(size: int, align: int) -> int:
    """`size` rounded up to a multiple of `align`."""
    return -(-size // align) * align
