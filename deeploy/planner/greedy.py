"""A quick plan: the warm start of the solver, and what is left when it finds nothing in time."""

from __future__ import annotations

from deeploy.planner.problem import Candidate, Problem, Step


def greedy_choices(problem: Problem) -> tuple[Candidate, ...] | None:
    """Candidates that fit step by step, with tensors kept in the compute memory one by one.

    None if some step does not fit even when nothing stays. Addresses are not looked at.
    """
    direct = _readable_in_place(problem)
    resident = set[int]()
    rooms = [problem.compute.size for _ in problem.steps]
    lasting = problem.most_lasting()
    choices: list[Candidate] = []
    for step, room in zip(problem.steps, rooms, strict=True):
        choice = _choose(step, resident, direct, room)
        if choice is None:
            return None
        choices.append(choice)
    for i in _by_lifetime(problem, direct):
        tensor = problem.tensors[i]
        life = range(tensor.first, tensor.last + 1)
        if problem.is_permanent(tensor) and tensor.size > lasting:
            continue
        resident.add(i)
        attempt = [
            choices[n]
            if i not in problem.steps[n].tensors and choices[n].scratch <= rooms[n] - tensor.size
            else _choose(problem.steps[n], resident, direct, rooms[n] - tensor.size)
            for n in life
        ]
        fitting = [choice for choice in attempt if choice is not None]
        gained = sum(choices[n].cycles - c.cycles for n, c in zip(life, fitting, strict=False))
        if len(fitting) < len(attempt) or gained <= 0:
            resident.remove(i)
            continue
        for n, choice in zip(life, fitting, strict=True):
            choices[n] = choice
            rooms[n] -= tensor.size
        lasting -= tensor.size if problem.is_permanent(tensor) else 0
    return tuple(choices)


def _by_lifetime(problem: Problem, direct: set[int]) -> list[int]:
    """Tensors that may stay in the compute memory, those for the fewest steps first; small ones
    before large ones, as candidates have them."""
    compute = problem.compute.name
    may_stay = [
        i
        for i, t in enumerate(problem.tensors)
        if compute in t.homes and len(t.homes) > 1 and i not in direct
    ]

    def key(i: int) -> tuple[int, int, int]:
        tensor = problem.tensors[i]
        return tensor.last - tensor.first, tensor.size, i

    return sorted(may_stay, key=key)


def _readable_in_place(problem: Problem) -> set[int]:
    """Tensors that engines read from memories of their own, as far as these have room."""
    room = {space.name: space.size for space in problem.spaces[1:]}
    chosen: set[int] = set()
    for i, tensor in enumerate(problem.tensors):
        if tensor.near and tensor.size <= room[tensor.near]:
            room[tensor.near] -= tensor.size
            chosen.add(i)
    return chosen


def _choose(step: Step, resident: set[int], direct: set[int], room: int) -> Candidate | None:
    """The fastest candidate that fits, when exactly these tensors are used where they lie."""
    fitting = [
        c
        for c in step.candidates
        if c.scratch <= room
        and c.resident == step.uses(c) & resident
        and c.direct == step.uses(c) & direct
    ]
    return min(fitting, key=lambda c: (c.cycles, c.scratch), default=None)
