"""The mixed-integer program: candidates, homes and addresses together.

For step n and candidate k, `x[n,k]` is 1 for the candidate chosen; for tensor t and memory m,
`r[t,m]` is 1 for its home. A candidate can be chosen only if it agrees with the homes. At each
step what is live in a memory fits into it. Bytes alone are a relaxation of the whole problem, so
as soon as addresses are found for its optimum, that is the optimum of the whole. Only where first
fit finds none, address variables are added and everything is solved again, together.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import accumulate, combinations
from typing import Literal, TypeAlias

import mip

from deeploy.planner.addresses import Selection, assign
from deeploy.planner.dominance import without_beaten
from deeploy.planner.greedy import greedy_choices
from deeploy.planner.presolve import presolve
from deeploy.planner.problem import Candidate, Plan, Problem, Space, Step, Tensor

Objective: TypeAlias = Literal["latency", "memory"]
Solver: TypeAlias = Literal["highs", "cbc"]
Expression: TypeAlias = mip.Var | mip.LinExpr


@dataclass(frozen=True)
class Options:
    """What the solver optimises, which one it is, and how long it may take (seconds)."""

    objective: Objective = "latency"
    solver: Solver = "highs"
    max_seconds: float = 60.0


class NoPlan(Exception):
    """No plan exists, or none was found in time."""


class OutOfTime(NoPlan):
    """The solver found nothing in time; there may be a plan all the same."""


SHARES = (95, 90, 85, 80, 70, 60, 50)
"""Percent of the memories to plan with, where addresses for all of them are not found in time."""


def solve(problem: Problem, options: Options) -> Plan:
    """The best plan, with its proved gap.

    Raises:
        NoPlan: if the tensors do not fit into the memories.
    """
    start = time.perf_counter()
    if options.objective == "latency":
        problem = without_beaten(problem)
    try:
        selection = select(problem, options)
    except OutOfTime:
        raise
    except NoPlan:
        # a slow plan is better than none
        selection = select(replace(problem, leaves_room=False), options)
    offsets, scratch, _ = assign(problem, selection)
    return Plan(
        choices=selection.choices,
        homes=selection.homes,
        offsets=offsets,
        scratch=scratch,
        cycles=sum(c.cycles for c in selection.choices),
        gap=selection.gap,
        status=selection.status,
        seconds=time.perf_counter() - start,
    )


def select(problem: Problem, options: Options) -> Selection:
    """Choices and homes for which there are addresses."""
    addressed: list[Space] = []
    relaxed: Selection | None = None
    while True:
        # bytes in use are all that counts there: with addresses everything may matter
        smaller = options.objective == "latency" and not addressed
        try:
            selection = run(presolve(problem) if smaller else problem, options, addressed)
        except OutOfTime:
            if relaxed is None:
                raise
            return select_with_reserve(problem, options, relaxed)
        overfull = assign(problem, selection)[2]
        if not overfull:
            return selection
        relaxed = relaxed or selection
        # other homes may fill other memories, so this can take a turn for each of them
        addressed = addressed + overfull


def run(problem: Problem, options: Options, addressed: list[Space]) -> Selection:
    """What the solver decides. That nothing fits, both have to say: HiGHS 1.15 finds no plan for
    some small problems that have one.

    Raises:
        NoPlan: if there is no plan.
    """
    try:
        return Program(problem, options, addressed).solve()
    except OutOfTime:
        raise
    except NoPlan:
        if options.solver == "cbc":
            raise
        return Program(problem, replace(options, solver="cbc"), addressed).solve()


def select_with_reserve(problem: Problem, options: Options, relaxed: Selection) -> Selection:
    """Choices for smaller memories, so that first fit finds addresses in those there are.

    Raises:
        NoPlan: if even half of each memory is not enough room to spare.
    """
    best = sum(c.cycles for c in relaxed.choices)
    for share in SHARES:
        spaces = [
            replace(s, size=s.size * share // 100 // s.align * s.align) for s in problem.spaces
        ]
        try:
            selection = Program(replace(problem, spaces=tuple(spaces)), options).solve()
        except NoPlan:
            continue
        if not assign(problem, selection)[2]:
            cycles = sum(c.cycles for c in selection.choices)
            return replace(selection, gap=relaxed.gap + (cycles - best) / cycles, status="reserve")
    raise OutOfTime("no addresses were found in time; give the solver more seconds")


@dataclass(frozen=True)
class Span:
    """A block that may need an address: `size` in units of the alignment, both over variables.

    `present` is 1 if the block lies in the memory; it is in use from step `first` to `last`.
    """

    name: str
    size: Expression
    present: Expression
    first: int
    last: int


class Program:
    """One mixed-integer program; with address variables for the memories in `addressed`."""

    def __init__(
        self, problem: Problem, options: Options, addressed: list[Space] | None = None
    ) -> None:
        self.problem = problem
        self.options = options
        self.addressed = addressed or []
        name = mip.HIGHS if options.solver == "highs" else mip.CBC
        with quiet():
            self.model = mip.Model(sense=mip.MINIMIZE, solver_name=name)
            self.model.verbose = 0
            self.model.threads = 1
            self.model.seed = 0
            self.model.max_mip_gap = 0
            self.choose = [
                [
                    self.model.add_var(f"x_{n}_{k}", var_type=mip.BINARY)
                    for k in range(len(s.candidates))
                ]
                for n, s in enumerate(problem.steps)
            ]
            self.home = [self._homes(i) for i in range(len(problem.tensors))]
            self.address: dict[tuple[str, str], mip.Var] = {}
            self.whole: dict[str, mip.Var] = {}
            self._constrain()

    def _homes(self, i: int) -> dict[str, Expression]:
        """For each home that a tensor may have, whether it is the one."""
        tensor = self.problem.tensors[i]
        if is_fixed(tensor):
            return {tensor.homes[0]: mip.LinExpr(const=1)}
        return {m: self.model.add_var(f"r_{i}_{m}", var_type=mip.BINARY) for m in tensor.homes}

    def _constrain(self) -> None:
        model, problem = self.model, self.problem
        for choose in self.choose:
            model += mip.xsum(choose) == 1
        for tensor, home in zip(problem.tensors, self.home, strict=True):
            if tensor.optional:
                model += mip.xsum(home.values()) <= 1
            elif not is_fixed(tensor):
                model += mip.xsum(home.values()) == 1
        for step, choose in zip(problem.steps, self.choose, strict=True):
            for i in sorted(step.tensors):
                self._agree(step, choose, i)
        usage = [self._usage(space) for space in problem.spaces]
        for space, steps in zip(problem.spaces, usage, strict=True):
            for used in steps:
                model += used <= space.size
            if space in self.addressed:
                self._separate(space)
        model.objective = self._objective(usage)

    def _agree(self, step: Step, choose: list[mip.Var], i: int) -> None:
        """A candidate that uses a tensor is only chosen if the tensor lies where it expects it."""
        compute, near = self.problem.compute.name, self.problem.tensors[i].near
        home = self.home[i]
        elsewhere = [r for m, r in home.items() if m not in (compute, near)] or list(home.values())
        users: dict[str, list[mip.Var]] = {}
        for x, c in zip(choose, step.candidates, strict=True):
            if i in step.uses(c):
                memory = compute if i in c.resident else near if i in c.direct else ""
                users.setdefault(memory, []).append(x)
        for memory, chosen in users.items():
            homes = [home[memory]] if memory else elsewhere
            self.model += mip.xsum(chosen) <= mip.xsum(homes)

    def _usage(self, space: Space) -> list[mip.LinExpr]:
        """The bytes in use in a memory at each step."""
        fixed, always, live = self._lives(space)
        # what is there all the time is added up once
        whole = self.whole[space.name] = self.model.add_var(f"always_{space.name}")
        self.model += whole == mip.xsum(always)
        if space == self.problem.compute:
            self.model += whole <= self.problem.most_lasting()
        expressions: list[mip.LinExpr] = []
        for n, (step, choose) in enumerate(zip(self.problem.steps, self.choose, strict=True)):
            terms = [*live[n], whole]
            if space == self.problem.compute:
                terms += [c.scratch * x for c, x in zip(step.candidates, choose, strict=True)]
            expressions.append(mip.xsum(terms) + fixed[n])
        return expressions

    def _lives(self, space: Space) -> tuple[list[int], list[Expression], list[list[Expression]]]:
        """At each step the bytes of tensors that must lie in a memory; those of tensors that may,
        from the first step to the last one; and those of others that may, at each step."""
        steps = len(self.problem.steps)
        changes, always = [0] * (steps + 2), list[Expression]()
        live: list[list[Expression]] = [[] for _ in range(steps)]
        for t, home in zip(self.problem.tensors, self.home, strict=True):
            if space.name not in t.homes:
                continue
            size = t.size * home[space.name]
            if is_fixed(t):
                changes[t.first] += t.size
                changes[t.last + 1] -= t.size
            elif self.problem.is_permanent(t):
                always.append(size)
            else:
                for n in range(t.first, t.last + 1):
                    live[n].append(size)
        return list(accumulate(changes))[:steps], always, live

    def _objective(self, usage: list[list[mip.LinExpr]]) -> mip.LinExpr:
        cycles = mip.xsum(
            c.cycles * x
            for step, choose in zip(self.problem.steps, self.choose, strict=True)
            for c, x in zip(step.candidates, choose, strict=True)
        ) + mip.xsum(self._detours())
        if self.options.objective == "latency":
            return cycles
        peaks: list[mip.Var] = []
        for space, steps in zip(self.problem.spaces, usage, strict=True):
            peak = self.model.add_var(f"peak_{space.name}", lb=0, ub=space.size)
            for used in steps:
                self.model += used <= peak
            peaks.append(peak)
        # cycles only decide between plans of equal bytes
        slowest = sum(max(c.cycles for c in s.candidates) for s in self.problem.steps)
        return mip.xsum(peaks) + cycles * (0.5 / max(slowest, 1))

    def _detours(self) -> Iterator[mip.LinExpr]:
        """Cycles that a tensor in a slower memory costs beyond the candidates' estimate."""
        far = self.problem.spaces[1:]
        fastest = max((s.bytes_per_cycle for s in far), default=1.0)
        users = Counter(i for step in self.problem.steps for i in step.operands)
        for i, tensor in enumerate(self.problem.tensors):
            for space in far:
                if not space.bytes_per_cycle:
                    continue
                extra = tensor.size * users[i] * (1 / space.bytes_per_cycle - 1 / fastest)
                if space.name in tensor.homes and extra > 0:
                    yield extra * self.home[i][space.name]

    def _separate(self, space: Space) -> None:
        """No overlap of blocks in use at the same time, in units of the alignment."""
        units = space.size // space.align
        # what is there all the time lies below everything else
        floor = self.model.add_var(f"floor_{space.name}", lb=0, ub=units)
        self.model += floor == mip.xsum(
            (t.size // space.align) * home[space.name]
            for t, home in zip(self.problem.tensors, self.home, strict=True)
            if space.name in t.homes and self.problem.is_permanent(t)
        )
        spans = self._spans(space)
        for span in spans:
            offset = self.model.add_var(
                f"{span.name}_{space.name}", lb=0, ub=units, var_type=mip.INTEGER
            )
            self.address[span.name, space.name] = offset
            self.model += floor <= offset
            self.model += offset + span.size <= units
        for a, b in combinations(spans, 2):
            if a.first <= b.last and b.first <= a.last:
                self._before_or_after(a, b, space)

    def _spans(self, space: Space) -> list[Span]:
        """What may lie in a memory for some steps: tensors, and the scratch of steps in the
        compute memory."""
        spans: list[Span] = []
        for i, t in enumerate(self.problem.tensors):
            if space.name in t.homes and not self.problem.is_permanent(t):
                present = self.home[i][space.name]
                size = (t.size // space.align) * present
                spans.append(Span(f"t_{i}", size, present, t.first, t.last))
        if space == self.problem.compute:
            for n, (step, choose) in enumerate(zip(self.problem.steps, self.choose, strict=True)):
                size = mip.xsum(
                    (c.scratch // space.align) * x
                    for c, x in zip(step.candidates, choose, strict=True)
                )
                spans.append(Span(f"s_{n}", size, mip.LinExpr(const=1), n, n))
        return spans

    def _before_or_after(self, a: Span, b: Span, space: Space) -> None:
        units = space.size // space.align
        below = self.model.add_var(f"below_{a.name}_{b.name}_{space.name}", var_type=mip.BINARY)
        first, second = self.address[a.name, space.name], self.address[b.name, space.name]
        absent = 2 - a.present - b.present
        self.model += first + a.size <= second + units * (1 - below) + units * absent
        self.model += second + b.size <= first + units * below + units * absent

    def solve(self) -> Selection:
        """Run the solver; the greedy plan where it finds nothing in time.

        Raises:
            NoPlan: if there is no plan.
        """
        greedy = greedy_choices(self.problem)
        if greedy is not None:
            self.model.start = self._start(greedy)
        with quiet():
            status = self.model.optimize(max_seconds=self.options.max_seconds)
        if self.model.num_solutions:
            return self._selection(status)
        if status is mip.OptimizationStatus.INFEASIBLE or greedy is None:
            raise NoPlan("the network does not fit into the memories of the target")
        if self.addressed:
            raise OutOfTime("no addresses were found in time")
        return self._from_greedy(greedy)

    def _start(self, choices: tuple[Candidate, ...]) -> list[tuple[mip.Var, float]]:
        """Greedy choices as values of all variables but addresses: what is left out is 0."""
        start = [
            (self.choose[n][self.problem.steps[n].candidates.index(c)], 1.0)
            for n, c in enumerate(choices)
        ]
        homes = self._homes_for(choices)
        start += [
            (variable, 1.0)
            for home, variables in zip(homes, self.home, strict=True)
            if isinstance(variable := variables.get(home), mip.Var)
        ]
        for name, whole in self.whole.items():
            tensors = zip(self.problem.tensors, homes, strict=True)
            bytes = sum(
                t.size
                for t, home in tensors
                if home == name and self.problem.is_permanent(t) and not is_fixed(t)
            )
            start.append((whole, float(bytes)))
        return start

    def _selection(self, status: mip.OptimizationStatus) -> Selection:
        choices = tuple(
            max(zip(choose, step.candidates, strict=True), key=lambda pair: value(pair[0]))[1]
            for choose, step in zip(self.choose, self.problem.steps, strict=True)
        )
        needed = self._needed(choices)
        homes = tuple(
            max(home, key=lambda m: value(home[m])) if i in needed else ""
            for i, home in enumerate(self.home)
        )
        align = {s.name: s.align for s in self.addressed}
        addresses = {key: round(value(v)) * align[key[1]] for key, v in self.address.items()}
        addresses.update(self._permanent(homes))
        return Selection(choices, homes, self._gap(), status.name.lower(), addresses)

    def _permanent(self, homes: Sequence[str]) -> dict[tuple[str, str], int]:
        """Addresses of what is there all the time, one behind the other."""
        ends = {space.name: 0 for space in self.addressed}
        addresses: dict[tuple[str, str], int] = {}
        for i, (tensor, home) in enumerate(zip(self.problem.tensors, homes, strict=True)):
            if home in ends and self.problem.is_permanent(tensor):
                addresses[f"t_{i}", home] = ends[home]
                ends[home] += tensor.size
        return addresses

    def _gap(self) -> float:
        """How far the plan may be from the best one."""
        found, bound = self.model.objective_value, self.model.objective_bound
        if found is None or bound is None or not found:
            return 0.0
        return max(0.0, (float(found) - float(bound)) / abs(float(found)))

    def _from_greedy(self, choices: tuple[Candidate, ...]) -> Selection:
        bound = self.model.objective_bound
        cycles = sum(c.cycles for c in choices)
        gap = (cycles - bound) / cycles if bound is not None and cycles else 1.0
        return Selection(choices, self._homes_for(choices), gap, "greedy")

    def _homes_for(self, choices: tuple[Candidate, ...]) -> tuple[str, ...]:
        """Homes that agree with choices; elsewhere the first one that is far from all cores."""
        resident = frozenset[int]().union(*(c.resident for c in choices))
        direct = frozenset[int]().union(*(c.direct for c in choices))
        needed = self._needed(choices)
        homes: list[str] = []
        for i, tensor in enumerate(self.problem.tensors):
            near, compute = tensor.near, self.problem.compute.name
            far = next((m for m in tensor.homes if m not in (compute, near)), tensor.homes[0])
            home = compute if i in resident else near if i in direct else far
            homes.append(home if i in needed else "")
        return tuple(homes)

    def _needed(self, choices: tuple[Candidate, ...]) -> set[int]:
        """The tensors that must lie somewhere: all but optional ones that no choice uses."""
        pairs = zip(self.problem.steps, choices, strict=True)
        used = frozenset[int]().union(*(step.uses(choice) for step, choice in pairs))
        return {i for i, t in enumerate(self.problem.tensors) if i in used or not t.optional}


def is_fixed(tensor: Tensor) -> bool:
    """Whether there is nothing to decide about a tensor's home."""
    return len(tensor.homes) == 1 and not tensor.optional


def value(variable: Expression) -> float:
    """What the solver chose for a variable."""
    assert variable.x is not None, "only asked for after a solution"
    return variable.x


@contextmanager
def quiet() -> Generator[None]:
    """Keep the native text of solvers off stdout, where IR goes."""
    saved = os.dup(1)
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 1)
        yield
    finally:
        os.dup2(saved, 1)
        os.close(saved)
        os.close(null)
