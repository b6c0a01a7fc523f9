"""Finite models in rational numbers: the exact value of a policy, its gradient, and the best policy.

V = r_pi + gamma P_pi V,   d = mu + gamma P_pi' d,   J = mu . V, with a horizon T the recursions V_t = r_pi + gamma P_pi V_{t+1} (V_T = 0),
d_{t+1} = gamma P_pi' d_t (d_0 = mu). Every sum is a Python loop and every number a Fraction: slow, without rounding, and without a line of the float64 engines.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple, Self

import scipy.sparse as sp

from pgtheory.tabular.arrays import ROUNDING
from pgtheory.tabular.errors import InvalidArgument, InvalidModel, InvalidPolicy, NonTerminating
from pgtheory.tabular.exact.arithmetic import Number, exact, exact_distribution, solve_exactly
from pgtheory.tabular.models.mdp import as_mdp

Table = Sequence[Sequence[Number]]


class Move(NamedTuple):
    """One outcome of an action: with probability `chance` the next state is `following` (-1: the episode ends) and the reward is `reward`."""

    chance: Number
    following: int
    reward: Number


@dataclass(frozen=True, eq=False, kw_only=True)
class RationalMDP:
    """A finite decision process as the law of (next state, reward) of every pair (s, a).

    Attributes:
        moves: `moves[s][a]` is the tuple of Moves; their chances sum to one.
        mu: distribution of the first state.
        gamma: discount.
        horizon: the episode ends after this many steps; None: no limit.

    Theorem: T05.
    """

    moves: tuple[tuple[tuple[Move, ...], ...], ...]
    mu: tuple[Number, ...]
    gamma: Number
    horizon: int | None = None

    @classmethod
    def of(cls, model: object) -> Self:
        """The rational model that an MDP, Bandit or TokenTree stands for, number by number (`arithmetic.exact`).

        Mass of a row of P that misses one by at most 1e-12 is rounding: the row is divided by its sum. More than that ends the episode.

        Raises:
            InvalidModel: the reward is random (r2 is given) but its law is not.
        """
        mdp = as_mdp(model)
        if mdp.r2 is not None and mdp.outcomes is None:
            raise InvalidModel(
                "the reward is random (r2 is given) but its law is not, so that it is no rational model. Give `outcomes` instead of r2."
            )
        dense = lambda table, shape: (table.toarray() if sp.issparse(table) else table).reshape(shape)
        P = dense(mdp.P, (mdp.S, mdp.A, mdp.S))
        own_end = not mdp.by_pair
        r = dense(mdp.r, (mdp.S, mdp.A, -1))

        def reward(s: int, a: int, following: int) -> Fraction:
            if not own_end:
                return exact("r", r[s, a, 0])
            if following >= 0:
                return exact("r", r[s, a, following])
            return Fraction(0) if mdp.r_end is None else exact("r_end", mdp.r_end[s, a])

        def law(s: int, a: int) -> tuple[Move, ...]:
            chances = {following: exact("P", P[s, a, following]) for following in range(mdp.S) if P[s, a, following] > 0}
            rest = 1 - sum(chances.values(), Fraction(0))
            if abs(rest) <= Fraction(ROUNDING):
                chances = {following: chance / (1 - rest) for following, chance in chances.items()}
            else:
                chances[-1] = rest
            if mdp.outcomes is None:
                return tuple(Move(chance, following, reward(s, a, following)) for following, chance in chances.items())
            noise = exact_distribution("outcomes.chance", mdp.outcomes.chance[s, a].tolist(), error=InvalidModel)
            values = [exact("outcomes.values", x) for x in mdp.outcomes.values]
            return tuple(Move(c * n, following, x) for following, c in chances.items() for n, x in zip(noise, values, strict=True) if n)

        moves = tuple(tuple(law(s, a) for a in range(mdp.A)) for s in range(mdp.S))
        return cls(moves=moves, mu=exact_distribution("mu", mdp.mu.tolist()), gamma=exact("gamma", mdp.gamma), horizon=mdp.horizon)

    def over(self, number: Callable[[Fraction], Number]) -> Self:
        """The same model with its numbers in another field: `number` maps a Fraction into it (balls, fmpq)."""
        moves = tuple(tuple(tuple(Move(number(m.chance), m.following, number(m.reward)) for m in law) for law in row) for row in self.moves)
        return type(self)(moves=moves, mu=tuple(map(number, self.mu)), gamma=number(self.gamma), horizon=self.horizon)

    @property
    def S(self) -> int:
        """Number of states."""
        return len(self.mu)

    @property
    def A(self) -> int:
        """Number of actions."""
        return len(self.moves[0])

    @cached_property
    def mean_reward(self) -> tuple[tuple[Number, ...], ...]:
        """E[reward | s, a]."""
        return tuple(tuple(sum(m.chance * m.reward for m in law) for law in row) for row in self.moves)

    def backup(self, V: Sequence[Number]) -> list[list[Number]]:
        """Q[s][a] = E[reward + gamma V[next]], V = 0 after the end."""
        return [
            [sum(m.chance * (m.reward + (self.gamma * V[m.following] if m.following >= 0 else 0)) for m in law) for law in row] for row in self.moves
        ]

    def kernel(self, pi: Table) -> list[list[Number]]:
        """P_pi[s][t]."""
        P = [[0 * self.gamma] * self.S for _ in range(self.S)]
        for s, row in enumerate(self.moves):
            for a, law in enumerate(row):
                for m in law:
                    if m.following >= 0:
                        P[s][m.following] = P[s][m.following] + pi[s][a] * m.chance
        return P


@dataclass(frozen=True, eq=False, kw_only=True)
class RationalEvaluation:
    """V, Q, advantage, occupancy and J as Fractions; with a horizon V, Q, advantage and occupancy are lists over its steps.

    Theorem: T16.
    """

    V: list
    Q: list
    advantage: list
    occupancy: list
    J: Fraction


def evaluate_exactly(mdp: RationalMDP, pi: Table) -> RationalEvaluation:
    """The value of a policy: two exact linear systems of size S, or two recursions of `horizon` steps.

    Raises:
        InvalidPolicy: pi is not one row of A probabilities a state.
        NonTerminating: gamma is 1 and from some state, reached or not, the episode never ends.

    Theorem: T01.
    """
    if len(pi) != mdp.S or any(len(row) != mdp.A for row in pi):
        raise InvalidPolicy(f"pi has {len(pi)} rows of {sorted({len(row) for row in pi})} actions, the model needs (S, A) = {(mdp.S, mdp.A)}.")
    return _stationary(mdp, pi) if mdp.horizon is None else _finite(mdp, pi, mdp.horizon)


def _stationary(mdp: RationalMDP, pi: Table) -> RationalEvaluation:
    P, states = mdp.kernel(pi), range(mdp.S)
    system = [[int(s == t) - mdp.gamma * P[s][t] for t in states] for s in states]
    try:
        V = [x for (x,) in solve_exactly(system, [[x] for x in _average(pi, mdp.mean_reward)])]
        d = [x for (x,) in solve_exactly(list(zip(*system, strict=True)), [[x] for x in mdp.mu])]
    except ZeroDivisionError:
        raise NonTerminating(
            "gamma is 1 and from some state the episode never ends under pi. Give gamma < 1, a horizon, or rows of P below one."
        ) from None
    Q = mdp.backup(V)
    return RationalEvaluation(V=V, Q=Q, advantage=_above(Q, V), occupancy=d, J=_dot(mdp.mu, V))


def _finite(mdp: RationalMDP, pi: Table, steps: int) -> RationalEvaluation:
    P, states = mdp.kernel(pi), range(mdp.S)
    V, Q, d = [[Fraction(0)] * mdp.S], [], [list(mdp.mu)]
    for _ in range(steps):
        Q.insert(0, mdp.backup(V[0]))
        V.insert(0, _average(pi, Q[0]))
    for _ in range(steps - 1):
        d.append([mdp.gamma * sum(d[-1][s] * P[s][t] for s in states) for t in states])
    return RationalEvaluation(V=V[:-1], Q=Q, advantage=[_above(q, v) for q, v in zip(Q, V, strict=False)], occupancy=d, J=_dot(mdp.mu, V[0]))


def _dot(x: Sequence[Fraction], y: Sequence[Fraction]) -> Fraction:
    return sum((a * b for a, b in zip(x, y, strict=True)), Fraction(0))


def _average(pi: Table, Q: Table) -> list[Fraction]:
    return [_dot(p, q) for p, q in zip(pi, Q, strict=True)]


def _above(Q: Table, V: Sequence[Fraction]) -> list[list[Fraction]]:
    return [[q - v for q in row] for row, v in zip(Q, V, strict=True)]


def policy_gradient(mdp: RationalMDP, pi: Table, *, coordinates: str = "logits") -> list[list[Fraction]]:
    """grad J by the policy gradient theorem, (S, A).

    "logits": d(s) pi(a|s) A(s, a), since d log pi(a|s) / d theta[s, b] = 1{a=b} - pi(b|s). "direct": the plain partial derivative d(s) Q(s, a), in which pi
    is moved off the simplex. With a horizon both are summed over the steps. Source: Sutton, McAllester, Singh, Mansour (1999), Theorem 1.

    Raises:
        InvalidArgument: unknown coordinates.

    Theorem: T02, T15.
    """
    if coordinates not in ("logits", "direct"):
        raise InvalidArgument(f"coordinates are {coordinates!r}; known are 'logits' and 'direct'.")
    found = evaluate_exactly(mdp, pi)
    steps = (
        [(found.occupancy, found.Q, found.advantage)] if mdp.horizon is None else list(zip(found.occupancy, found.Q, found.advantage, strict=True))
    )
    term = lambda d, Q, A, s, a: d[s] * (pi[s][a] * A[s][a] if coordinates == "logits" else Q[s][a])
    return [[sum((term(*step, s, a) for step in steps), Fraction(0)) for a in range(mdp.A)] for s in range(mdp.S)]


def optimal_value(mdp: RationalMDP, *, start: Sequence[int] | None = None) -> tuple[list[Fraction], list[int] | list[list[int]]]:
    """(V*, best actions), at step 0 and for every step if there is a horizon: backward induction, else Howard's policy iteration.

    An action is changed only for one that is strictly better, so that the values rise and the iteration ends: there are A^S policies. With gamma = 1 the
    first policy `start` must end the episode from every state. Source: Howard (1960); Puterman (1994), Theorem 6.4.2.

    Raises:
        NonTerminating: gamma is 1 and a policy met on the way never ends.

    Theorem: T56.
    """
    best = lambda row: max(range(mdp.A), key=row.__getitem__)
    if mdp.horizon is not None:
        V, plan = [Fraction(0)] * mdp.S, []
        for _ in range(mdp.horizon):
            Q = mdp.backup(V)
            plan.insert(0, [best(row) for row in Q])
            V = [max(row) for row in Q]
        return V, plan
    actions = list(start) if start is not None else [best(row) for row in mdp.mean_reward]
    while True:
        found = evaluate_exactly(mdp, [[Fraction(a == actions[s]) for a in range(mdp.A)] for s in range(mdp.S)])
        better = [best(row) if max(row) > row[actions[s]] else actions[s] for s, row in enumerate(found.Q)]
        if better == actions:
            return found.V, actions
        actions = better
