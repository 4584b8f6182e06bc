"""Small planning problems, and their best plans by trying everything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, permutations, product

from hypothesis import strategies as st

from deeploy.planner.packing import Block
from deeploy.planner.problem import Candidate, Plan, Problem, Space, Step, Tensor, align_up

ALIGN = 4


def blocks_in(plan: Plan, problem: Problem, space: Space) -> list[tuple[Block, int]]:
    """The blocks that a plan puts into a memory, with their addresses."""
    found = [
        (Block(tensor.size, tensor.first, tensor.last), offset)
        for tensor, home, offset in zip(problem.tensors, plan.homes, plan.offsets, strict=True)
        if home == space.name
    ]
    if space is problem.compute:
        choices = zip(plan.choices, plan.scratch, strict=True)
        found += [(Block(c.scratch, n, n), offset) for n, (c, offset) in enumerate(choices)]
    return found


def assert_apart(blocks: Sequence[tuple[Block, int]], align: int) -> None:
    """Blocks in use at the same time do not overlap, and all are aligned."""
    assert all(offset >= 0 and offset % align == 0 for _, offset in blocks)
    for (a, at), (b, bt) in combinations(blocks, 2):
        if a.overlaps(b) and a.size and b.size:
            assert at + a.size <= bt or bt + b.size <= at, (a, at, b, bt)


def assert_valid(plan: Plan, problem: Problem) -> None:
    """A plan keeps every promise: homes, capacity, addresses, and its own number of cycles."""
    compute = problem.compute.name
    for tensor, home in zip(problem.tensors, plan.homes, strict=True):
        assert home in tensor.homes
    for step, choice in zip(problem.steps, plan.choices, strict=True):
        assert choice in step.candidates
        assert choice.resident == {i for i in step.tensors if plan.homes[i] == compute}
    for space in problem.spaces:
        blocks = blocks_in(plan, problem, space)
        assert_apart(blocks, space.align)
        assert all(offset + block.size <= space.size for block, offset in blocks)
    assert plan.cycles == sum(c.cycles for c in plan.choices)


def smallest_height(blocks: Sequence[Block], align: int) -> int:
    """The bytes that the best packing needs: of all orders, one makes first fit optimal."""
    best = None
    for order in permutations(blocks):
        placed: list[tuple[Block, int]] = []
        for block in order:
            busy = sorted((o, o + b.size) for b, o in placed if b.overlaps(block))
            offset = 0
            for start, end in busy:
                if offset + block.size <= start:
                    break
                offset = max(offset, align_up(end, align))
            placed.append((block, offset))
        height = max((o + b.size for b, o in placed), default=0)
        best = height if best is None else min(best, height)
    return best or 0


def selections(problem: Problem) -> Iterator[tuple[int, tuple[str, ...], tuple[Candidate, ...]]]:
    """All homes with the candidates that agree with them, and the cycles of each."""
    compute = problem.compute.name
    for homes in product(*(t.homes for t in problem.tensors)):
        fitting = [
            [c for c in s.candidates if c.resident == {i for i in s.tensors if homes[i] == compute}]
            for s in problem.steps
        ]
        for choices in product(*fitting):
            yield sum(c.cycles for c in choices), homes, choices


def fits(problem: Problem, homes: Sequence[str], choices: Sequence[Candidate]) -> bool:
    """Whether addresses exist in all memories."""
    for space in problem.spaces:
        blocks = [
            Block(t.size, t.first, t.last)
            for t, home in zip(problem.tensors, homes, strict=True)
            if home == space.name and t.size
        ]
        if space is problem.compute:
            blocks += [Block(c.scratch, n, n) for n, c in enumerate(choices) if c.scratch]
        if smallest_height(blocks, space.align) > space.size:
            return False
    return True


def fewest_cycles(problem: Problem) -> int | None:
    """The cycles of the best plan, or None if there is no plan."""
    for cycles, homes, choices in sorted(selections(problem), key=lambda s: s[0]):
        if fits(problem, homes, choices):
            return cycles
    return None


@st.composite
def problems(draw: st.DrawFn, steps: int = 3, tensors: int = 3) -> Problem:
    """Problems with a near memory that is too small for everything, and a far one that may be."""
    count = draw(st.integers(1, steps))

    def size() -> int:
        return ALIGN * draw(st.integers(1, 4))

    made: list[Tensor] = []
    for i in range(draw(st.integers(1, tensors))):
        first = draw(st.integers(0, count - 1))
        last = draw(st.integers(first, count - 1))
        homes = draw(st.sampled_from([("L1", "L2"), ("L1", "L2"), ("L2",)]))
        made.append(Tensor(f"t{i}", size(), first, last, homes))
    return Problem(
        tuple(made),
        tuple(_step(draw, n, made) for n in range(count)),
        (
            Space("L1", ALIGN * draw(st.integers(2, 9)), ALIGN),
            Space("L2", ALIGN * draw(st.sampled_from([4, 8, 100])), ALIGN, 8.0),
        ),
    )


def _step(draw: st.DrawFn, n: int, tensors: Sequence[Tensor]) -> Step:
    used = [
        i
        for i, t in enumerate(tensors)
        if "L1" in t.homes and t.first <= n <= t.last and draw(st.booleans())
    ]
    candidates: list[Candidate] = []
    for count in range(len(used) + 1):
        for resident in combinations(used, count):
            for k in range(draw(st.integers(1, 2))):
                cycles = draw(st.integers(1, 60))
                scratch = ALIGN * draw(st.integers(0, 5))
                candidates.append(Candidate(cycles, scratch, frozenset(resident), (k,), (), 1))
    return Step(f"s{n}", frozenset(used), tuple(candidates))
