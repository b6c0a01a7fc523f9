"""The definitions of the theorems as programs, line by line as the Coq files have them, over any commutative ring.

They run on fractions (exact instances), on dual numbers (a fraction and its derivative: the product rule does the differentiating) and on symbols. Nothing is
assumed: rows need not sum to one, numbers need not be positive, so that an assumption can be dropped and the failure computed.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from pgtheory.proofs.claim import Case
from pgtheory.tabular.exact.jets import Jet, solve_in_order
from pgtheory.tabular.exact.rational import Move, RationalMDP

Number = Any
Vector = Sequence[Number]
Table = Sequence[Sequence[Number]]
Path = tuple[tuple[int, int], ...]
"""(action, next state), step by step, from a start that is given apart."""


@dataclass(frozen=True, eq=False)
class Process:
    """P[s][a][t], r[s][a], gamma; `n` is always the number of steps to go."""

    P: Sequence[Table]
    r: Table
    gamma: Number

    @property
    def states(self) -> range:
        """0 to S - 1."""
        return range(len(self.r))

    @property
    def actions(self) -> range:
        """0 to A - 1."""
        return range(len(self.r[0]))

    def kernel(self, pi: Table) -> list[list[Number]]:
        """P_pi(s, t) = sum_a pi(a|s) P(s, a, t)."""
        return [[sum(pi[s][a] * self.P[s][a][t] for a in self.actions) for t in self.states] for s in self.states]

    def reach(self, pi: Table, k: int) -> list[list[Number]]:
        """Pr_k(s -> t), the k-th power of P_pi."""
        if k == 0:
            return [[Fraction(s == t) for t in self.states] for s in self.states]
        first, rest = self.kernel(pi), self.reach(pi, k - 1)
        return [[sum(first[s][x] * rest[x][t] for x in self.states) for t in self.states] for s in self.states]

    def V(self, pi: Table, n: int) -> list[Number]:
        """V_0 = 0, V_{n+1}(s) = sum_a pi(a|s) Q_n(s, a)."""
        return [dot(pi[s], row) for s, row in enumerate(self.Q(pi, n - 1))] if n else [Fraction(0)] * len(self.r)

    def Q(self, pi: Table, n: int) -> list[list[Number]]:
        """Q_n(s, a) = r(s, a) + gamma sum_t P(s, a, t) V_n(t)."""
        return self.backup(self.V(pi, n))

    def backup(self, V: Vector) -> list[list[Number]]:
        """r + gamma P V."""
        return [[self.r[s][a] + self.gamma * dot(self.P[s][a], V) for a in self.actions] for s in self.states]

    def unroll(self, pi: Table, n: int, c: Callable[[int], Vector], start: int) -> Number:
        """sum_{k<n} gamma^k sum_x Pr_k(start -> x) c_{n-k-1}(x): the right side of half of the theorems (T01)."""
        return sum(self.gamma**k * dot(self.reach(pi, k)[start], c(n - k - 1)) for k in range(n))

    def paths(self, n: int) -> Iterator[Path]:
        """All paths of n steps."""
        return product(product(self.actions, self.states), repeat=n)

    def visited(self, s: int, path: Path) -> list[tuple[int, int, int]]:
        """(state, action, next state), step by step."""
        return [(before, a, t) for before, (a, t) in zip([s, *(t for _, t in path)], path, strict=False)]

    def prob(self, pi: Table, s: int, path: Path) -> Number:
        """Product of pi(a|s) P(s, a, t)."""
        p = Fraction(1)
        for x, a, t in self.visited(s, path):
            p = p * (pi[x][a] * self.P[x][a][t])
        return p

    def ret(self, s: int, path: Path) -> Number:
        """sum_k gamma^k r_k."""
        return sum(self.gamma**k * self.r[x][a] for k, (x, a, _) in enumerate(self.visited(s, path)))

    def mean(self, pi: Table, n: int, s: int, f: Callable[[Path], Number]) -> Number:
        """Sum over all paths of n steps from s of prob times f."""
        return sum(self.prob(pi, s, path) * f(path) for path in self.paths(n))

    def solve(self, pi: Table, c: Vector) -> list[Number]:
        """(I - gamma P_pi)^-1 c."""
        return solve_in_order(self.bellman(pi), c)

    def bellman(self, pi: Table) -> list[list[Number]]:
        """I - gamma P_pi."""
        return [[(s == t) - self.gamma * x for t, x in enumerate(row)] for s, row in enumerate(self.kernel(pi))]

    def value(self, pi: Table) -> list[Number]:
        """Discounted V = (I - gamma P_pi)^-1 r_pi."""
        return self.solve(pi, [dot(pi[s], self.r[s]) for s in self.states])

    def action_value(self, pi: Table) -> list[list[Number]]:
        """Discounted Q = r + gamma P V."""
        return self.backup(self.value(pi))

    def occupancy(self, mu: Vector, pi: Table) -> list[Number]:
        """d = mu (I - gamma P_pi)^-1."""
        return solve_in_order([*zip(*self.bellman(pi), strict=True)], mu)

    def model(self, mu: Vector, horizon: int | None = None) -> RationalMDP:
        """The same problem as the library's model in fractions."""
        moves = tuple(tuple(tuple(Move(p, t, self.r[s][a]) for t, p in enumerate(self.P[s][a])) for a in self.actions) for s in self.states)
        return RationalMDP(moves=moves, mu=tuple(mu), gamma=self.gamma, horizon=horizon)


def dot(x: Vector, y: Vector) -> Number:
    """sum_i x_i y_i."""
    return sum((a * b for a, b in zip(x, y, strict=True)), Fraction(0))


def mean(p: Vector, x: Vector) -> Number:
    """E x under the law p."""
    return dot(p, x)


def variance(p: Vector, x: Vector) -> Number:
    """E (x - E x)^2 under the law p."""
    m = mean(p, x)
    return mean(p, [(a - m) * (a - m) for a in x])


# Dual numbers: a value and its derivative along one direction


def dual(value: Number, derivative: Number) -> Jet:
    """The number value + derivative eps, eps^2 = 0."""
    return Jet(value, (derivative,), ((Fraction(0),),))


def D(x: Number) -> Number:
    """The derivative of a dual number; that of a constant is 0."""
    return x.gradient[0] if isinstance(x, Jet) else Fraction(0)


def moving(table: Table, derivative: Table) -> list[list[Jet]]:
    """A table with its derivative, entry by entry."""
    return [[dual(x, y) for x, y in zip(row, other, strict=True)] for row, other in zip(table, derivative, strict=True)]


# Random instances in fractions of small numbers


def fractions(rng: np.random.Generator, n: int, *, low: int = -9, high: int = 9, over: int = 4) -> list[Fraction]:
    """n numbers."""
    return [Fraction(int(x), over) for x in rng.integers(low, high + 1, n)]


def distribution(rng: np.random.Generator, n: int) -> list[Fraction]:
    """A distribution on n points, all of them possible."""
    weights = [int(x) for x in rng.integers(1, 8, n)]
    return [Fraction(x, sum(weights)) for x in weights]


def policy(rng: np.random.Generator, S: int, A: int) -> list[list[Fraction]]:
    """pi(a|s)."""
    return [distribution(rng, A) for _ in range(S)]


def tangent(rng: np.random.Generator, S: int, A: int) -> list[list[Fraction]]:
    """A derivative of a policy: rows that sum to zero."""
    rows = [fractions(rng, A - 1) for _ in range(S)]
    return [[*row, -sum(row, Fraction(0))] for row in rows]


def process(rng: np.random.Generator, S: int, A: int, gamma: Fraction | None = None) -> Process:
    """A model with stochastic rows; gamma in [0, 9/10] unless given."""
    P = [[distribution(rng, S) for _ in range(A)] for _ in range(S)]
    return Process(P, [fractions(rng, A) for _ in range(S)], Fraction(int(rng.integers(0, 10)), 10) if gamma is None else gamma)


SHAPES = ((1, 2, 3), (2, 2, 2), (2, 3, 2), (3, 2, 3))
"""(states, actions, steps) of the instances."""


def cases(seed: int, shapes: Sequence[tuple[int, int, int]] = SHAPES, each: int = 2) -> Iterator[Case]:
    """Random problems, some of each shape: `process`, steps `n`, start law `mu`, policies `pi` and `other`, derivative `dpi`, baseline `b[k][s]`."""
    rng = np.random.default_rng(seed)
    for number, (S, A, n) in enumerate(shape for shape in shapes for _ in range(each)):
        yield Case(
            f"problem {number + 1}: {S} states, {A} actions, {n} steps",
            process=process(rng, S, A), n=n, mu=distribution(rng, S), pi=policy(rng, S, A), other=policy(rng, S, A), dpi=tangent(rng, S, A),
            b=[fractions(rng, S) for _ in range(n)],
        )  # fmt: skip


def small(label: str = "two states, two steps", **changes: Any) -> Case:
    """A problem with two states and two actions by hand, in which an assumption is dropped by changing what is named."""
    half, third = Fraction(1, 2), Fraction(1, 3)
    model = Process([[[half, half], [Fraction(1), Fraction(0)]], [[Fraction(0), Fraction(1)], [third, 2 * third]]], [[1, 0], [0, 2]], half)
    parts = {
        "process": model, "n": 2, "mu": [third, 2 * third], "pi": [[third, 2 * third], [half, half]], "other": [[half, half], [2 * third, third]],
        "dpi": [[1, -1], [2, -2]], "b": [[1, 3], [2, -1]],
    }  # fmt: skip
    inside = {name: as_fractions(changes.pop(name)) for name in ("P", "r", "gamma") if name in changes}
    return Case(label, **{name: as_fractions(part) for name, part in {**parts, "process": replace(model, **inside), **changes}.items()})


def steered(label: str = "two states that the actions choose", **changes: Any) -> Case:
    """The problem on which Coq refutes false variants (mutants/Instances.v): action a leads to state a, and pi(1|1) = 1/3 + eps."""
    parts = {
        "P": [[[1, 0], [0, 1]], [[1, 0], [0, 1]]], "r": [[0, 1], [2, 0]], "mu": ["1/4", "3/4"], "pi": [["1/2", "1/2"], ["2/3", "1/3"]],
        "dpi": [[0, 0], [-1, 1]], "other": [["3/4", "1/4"], ["3/4", "1/4"]],
    }  # fmt: skip
    return small(label, **{**parts, **changes})


def as_fractions(part: Any) -> Any:
    """Integers and texts such as "1/3" as fractions in nested lists, so that a quotient is exact; outside lists, texts alone."""
    if isinstance(part, list | tuple):
        return [Fraction(x) if isinstance(x, int | str) else as_fractions(x) for x in part]
    return Fraction(part) if isinstance(part, str) and part[-1:].isdigit() else part


MOVING_MODEL = [[[dual(Fraction(1, 2), -1), dual(Fraction(1, 2), 1)]] * 2] * 2
"""Every action leads to state 1 with probability 1/2 + eps."""

MOVING = {
    "P does not move": lambda: steered("moves to state 1 of probability 1/2 + eps", P=MOVING_MODEL),
    "r does not move": lambda: steered("an action 1 that pays 1 + eps", r=[[0, dual(1, 1)]] * 2),
    "gamma does not move": lambda: steered("the discount 1/2 + eps", gamma=dual(Fraction(1, 2), 1)),
}
"""A model that depends on theta: what drops the three assumptions D P = D r = D gamma = 0."""

LOOSE_POLICY = [[Fraction(1), Fraction(1)], [Fraction(1), Fraction(0)]]
"""A row that sums to two."""

LOOSE_MODEL = [[[1, 1], [1, 0]], [[0, 1], [1, 0]]]
"""The same for P."""


UNNORMALISED_POLICY = [[Fraction(1), Fraction(1, 2)]] * 2
"""Rows that sum to 3/2, of which the second entry moves in `UNNORMALISED_SLOPE`: pi_unnormalised in Coq."""

UNNORMALISED_SLOPE = [[0, 1]] * 2

UNNORMALISED_MODEL = [[[1, 1]] * 2] * 2
"""Rows that sum to two: P_unnormalised in Coq."""


def plain(table: Any) -> Any:
    """Nested lists, or a process, without their derivatives."""
    if isinstance(table, Process):
        return Process(plain(table.P), plain(table.r), plain(table.gamma))
    return [plain(part) for part in table] if isinstance(table, list | tuple) else getattr(table, "value", table)


def moving_policy(case: Case) -> list[list[Jet]]:
    """pi with its derivative."""
    return moving(case.pi, case.dpi)


def value_derivative(case: Case) -> list[Number]:
    """D V_n in every state, by the product rule along the recursion."""
    return [D(v) for v in case.process.V(moving_policy(case), case.n)]


def score(case: Case) -> list[list[Number]]:
    """sc with D pi = pi sc, unless the case brings its own."""
    return (
        case.sc if hasattr(case, "sc") else [[d / p for d, p in zip(row, other, strict=True)] for row, other in zip(case.dpi, case.pi, strict=True)]
    )


def every_start(case: Case, f: Callable[[int], Number]) -> list[Number]:
    """f of every first state."""
    return [f(s) for s in case.process.states]


# Along a path


def path_score(case: Case, s: int, path: Path) -> Number:
    """sum_k sc(s_k, a_k)."""
    sc = score(case)
    return sum((sc[x][a] for x, a, _ in case.process.visited(s, path)), Fraction(0))


def some(path: Path) -> Number:
    """Some function of the path: no return, no sum over steps."""
    return 1 + sum((i + 2) * (a + 3 * t) ** 2 for i, (a, t) in enumerate(path))


def taken(step: int, action: int) -> Callable[[Path], int]:
    """Whether the action of that step is that one."""
    return lambda path: int(path[step][0] == action)


def reward_to_go(case: Case, s: int, path: Path, weight: Callable[[Number, int], Number] = lambda gamma, k: gamma**k) -> Number:
    """sum_k gamma^k sc(s_k, a_k) (G_k - b_k(s_k)), G_k the return from step k."""
    steps, p, sc = case.process.visited(s, path), case.process, score(case)
    to_go = lambda k: p.ret(steps[k][0], path[k:])
    return sum((weight(p.gamma, k) * sc[x][a] * (to_go(k) - case.b[k][x]) for k, (x, a, _) in enumerate(steps)), Fraction(0))


SHORT = ((1, 2, 2), (2, 2, 2), (1, 3, 3), (3, 2, 2))
"""Shapes with few paths."""
