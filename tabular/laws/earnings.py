"""What a row earns: moments of the rewards before a step and of those from it on, under the policy that samples.

R_t = r_t + gamma R_{t+1} is the return to go, X_t = X_0 + sum_{k<t} gamma^k r_k what was earned before, so that the whole is R = X_t + gamma^t R_t.

    backwards   E[R_t^i | s, a] = sum_j C(i, j) gamma^j (P o E[r^(i-j)]) E[R_{t+1}^j | next state],                       i <= 2
    forwards    F^i_t(s) = E[X_t^i; s_t = s],   F^i_{t+1} = sum_j C(i, j) gamma^(tj) (E_b P o E[r^j])' F^(i-j)_t

Without a horizon the sums over t of gamma^(mt) F^i, i + m <= 2, solve systems in (I - gamma^m P_b'), and the moments of R_0 systems in (I - gamma^i P_b); m = 0 needs episodes
that end. A random reward enters through E[r^2] alone, and the end of an episode is a transition with a reward of its own. E_b averages over the actions of the data.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import comb
from typing import NamedTuple, Self

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float

from pgtheory.tabular.laws.transitions import Kernel, Rewards
from pgtheory.tabular.models.mdp import nonzeros
from pgtheory.tabular.solve.chain import Chain
from pgtheory.tabular.solve.structure import UNIT


class Past(NamedTuple):
    """E[w X^i; s], w = 1, gamma^t, gamma^2t, of one step t or summed over all steps: all that a step needs to know of the rewards before it."""

    F0: Float[np.ndarray, "S"]
    F1: Float[np.ndarray, "S"]
    F2: Float[np.ndarray, "S"]
    wF0: Float[np.ndarray, "S"]
    wF1: Float[np.ndarray, "S"]
    wwF0: Float[np.ndarray, "S"]

    @classmethod
    def at(cls, F: Float[np.ndarray, "3 S"], w: float) -> Self:
        """Of one step, w = gamma^t."""
        F0, F1, F2 = F
        return cls(F0, F1, F2, w * F0, w * F1, w * w * F0)

    def advantage(self, b: np.ndarray | float) -> tuple[np.ndarray, ...]:
        """Factors of R_t^i, i = 0, 1, in E[R - b]."""
        return self.F1 - b * self.F0, self.wF0

    def square(self, b: np.ndarray | float) -> tuple[np.ndarray, ...]:
        """Factors of R_t^i, i = 0, 1, 2, in E[(R - b)^2]."""
        return self.F2 - 2 * b * self.F1 + b * b * self.F0, 2 * (self.wF1 - b * self.wF0), self.wwF0

    def scores(self, b: np.ndarray | float) -> tuple[np.ndarray, ...]:
        """Factors of R_t^i Psi_{t+1}, i = 0, 1, 2, in E[(R - b) (R Psi - Z)]."""
        return self.F2 - b * self.F1, 2 * self.wF1 - b * self.wF0, self.wwF0

    def baselines(self, b: np.ndarray | float) -> tuple[np.ndarray, ...]:
        """Factors of R_t^i Z_{t+1}, i = 0, 1, in the same."""
        return b * self.F0 - self.F1, -self.wF0


@dataclass(frozen=True, eq=False, kw_only=True)
class Earnings:
    """The rewards of a model under a policy.

    Attributes:
        rewards: those of the model.
        actions: probability of each action in the data; zero in states that they never enter.
        gamma: discount of the return, whatever that of the model is.
    """

    rewards: Rewards
    actions: Float[np.ndarray, "S A"]
    gamma: float

    @cached_property
    def moves(self) -> tuple[Kernel, ...]:
        """P o E[r^i], i = 0, 1, 2, as (S*A, S)."""
        found = self.rewards.transitions()
        return found.P, found.first, found.second

    @cached_property
    def own(self) -> tuple[Float[np.ndarray, "S A"], ...]:
        """E[r^i | s, a], i = 0, 1, 2, the end of the episode included."""
        found = self.rewards.transitions()
        return np.ones_like(self.actions), found.mean, found.square

    @cached_property
    def kernels(self) -> tuple[Kernel, ...]:
        """E_b P o E[r^i], (S, S); the first is P_b."""
        S, A = self.actions.shape
        average = sp.csr_array((self.actions.ravel(), np.arange(S * A), np.arange(0, S * A + 1, A)), shape=(S, S * A))
        return tuple(average @ kernel for kernel in self.moves)

    @cached_property
    def ahead(self) -> list[list[Kernel]]:
        """C(i, j) gamma^j P o E[r^(i-j)], j <= i: what leads from E[R^j x | next state] to E[R^i x | s, a]."""
        return [[comb(i, j) * self.gamma**j * self.moves[i - j] for j in range(i + 1)] for i in range(3)]

    @cached_property
    def back(self) -> list[list[Kernel]]:
        """The same to E[R^i x | s], (S, S)."""
        return [[comb(i, j) * self.gamma**j * self.kernels[i - j] for j in range(i + 1)] for i in range(3)]

    def returns(self, R: Sequence[Float[np.ndarray, "S"]]) -> list[Float[np.ndarray, "S A"]]:
        """E[R_t^i | s, a] from E[R_{t+1}^i | s], for the orders i = 0, 1, ... of R. Cost O(nnz)."""
        table = lambda i, j: np.asarray(self.ahead[i][j] @ R[j]).reshape(self.actions.shape)
        return [self.own[0], *(self.own[i] + sum(table(i, j) for j in range(1, i + 1)) for i in range(1, len(R)))]

    def averaged(self, q: Sequence[Float[np.ndarray, "S A"]]) -> list[Float[np.ndarray, "S"]]:
        """E[R_t^i | s]."""
        return [(self.actions * x).sum(axis=1) for x in q]

    def pasts(self, start: Float[np.ndarray, "3 S"], horizon: int) -> list[Float[np.ndarray, "3 S"]]:
        """F_t for all t, from F_0. Cost O(T nnz) time, O(T S) memory."""
        found, w, forth = [start], 1.0, [kernel.T for kernel in self.kernels]
        for _ in range(horizon - 1):
            found.append(np.array([sum(comb(i, j) * w**j * (forth[j] @ found[-1][i - j]) for j in range(i + 1)) for i in range(3)]))
            w *= self.gamma
        return found


@dataclass(frozen=True, eq=False)
class UntilTheEnd:
    """The same without a horizon. Cost: a factorisation for each of the discounts 1, gamma and gamma^2 that differ."""

    earnings: Earnings

    @cached_property
    def _chains(self) -> dict[float, Chain]:
        return {}

    def chain(self, power: int) -> Chain:
        """The chain of the policy with discount gamma^power."""
        c = self.earnings.gamma**power
        return self._chains.setdefault(c, Chain(K=self.earnings.kernels[0], gamma=c))

    @cached_property
    def returns(self) -> list[Float[np.ndarray, "S"]]:
        """E[R_0^i | s], i = 0, 1, 2."""
        R = [np.ones(len(self.earnings.actions))]
        for i in (1, 2):
            R.append(self.chain(i).solve(self.earnings.averaged(self.earnings.returns([*R, np.zeros_like(R[0])]))[i]))
        return R

    def past(self, start: Float[np.ndarray, "3 S"]) -> Past:
        """Sums over all steps, from F_0."""
        (_, forth1, forth2), gamma = (kernel.T for kernel in self.earnings.kernels), self.earnings.gamma
        F0, wF0, wwF0 = (self.chain(power).solve_transposed(start[0]) for power in range(3))
        F1 = self.chain(0).solve_transposed(start[1] + forth1 @ wF0)
        wF1 = self.chain(1).solve_transposed(start[1] + gamma * (forth1 @ wwF0))
        F2 = self.chain(0).solve_transposed(start[2] + 2 * (forth1 @ wF1) + forth2 @ wwF0)
        return Past(F0, F1, F2, wF0, wF1, wwF0)

    def weight_error(self, start: Float[np.ndarray, "3 S"], b: Float[np.ndarray, "S"] | float, roundings: float) -> Float[np.ndarray, "S A"]:
        """Bound of the error of F1 - b F0 + wF0 E[R_0 | s, a], from the residuals of the solves: nothing is assumed of these.

        With c = gamma^m, |(I - c P_b)^-1|_inf bounds the error of R in the sup norm and that of F in the 1-norm, each times its residual. The rounding of the residual is
        added, and so is that of P_b, whose entries carry `roundings`, A and those of P.
        """
        earnings, A, R = self.earnings, self.earnings.actions.shape[1], self.returns[1]
        unit = (roundings + 2 * A + longest_sum(earnings) + 16) * UNIT
        size = earnings.rewards.size
        largest = size + earnings.gamma * np.asarray(earnings.moves[0] @ abs(R)).reshape(size.shape)
        (mean_size,) = earnings.averaged([size])
        past, q = self.past(start), earnings.returns([np.ones_like(R), R])[1]

        def error(power: int, x: np.ndarray, right: np.ndarray, scale: float, *, transposed: bool) -> float:
            chain = self.chain(power)
            return chain.inverse_norm * (float(chain.judged(x, right, transposed, "", 1).residual) + unit * scale)

        own = earnings.averaged([earnings.own[1]])[0]
        error_q = earnings.gamma * error(1, R, own, 2 * float((earnings.averaged([largest])[0] + abs(R)).max()), transposed=False) + unit * largest
        mass = lambda *tables: 2 * float(sum(abs(x).sum() for x in tables))
        error_F0 = error(0, past.F0, start[0], mass(start[0], past.F0), transposed=True)
        error_wF0 = error(1, past.wF0, start[0], mass(start[0], past.wF0), transposed=True)
        right = start[1] + earnings.kernels[1].T @ past.wF0
        inherited = self.chain(0).inverse_norm * float(mean_size.max()) * error_wF0
        error_F1 = error(0, past.F1, right, mass(start[1], past.wF0 * mean_size, past.F1), transposed=True) + inherited
        column = lambda x: np.reshape(x, (-1, 1))
        terms = abs(column(past.F1)) + column(b * past.F0) + column(past.wF0) * abs(q)
        return 2 * (error_F1 + column(b) * error_F0 + error_wF0 * (abs(q) + error_q) + column(past.wF0) * error_q + unit * terms)


def weight_error(
    earnings: Earnings, start: Float[np.ndarray, "3 S"], horizon: int, b: Float[np.ndarray, "S"] | float, roundings: float
) -> Float[np.ndarray, "S A"]:
    """Bound of the rounding error of sum_t [F1_t - b_t F0_t + gamma^t F0_t E[R_t | s, a]], |b_t| <= b: the same recursions with absolute values, times the number of roundings
    that a term meets: n roundings err by n u / (1 - n u) (Higham 2002, Section 3.1). A step, forwards or backwards, sums a row or a column of P and A actions.
    """
    size, S, A = earnings.rewards.size, *earnings.actions.shape
    P, first = earnings.kernels[0].T, abs(earnings.kernels[1].T)
    F0, F1, w, forwards = start[0], abs(start[1]), 1.0, []
    for _ in range(horizon):
        forwards.append((F0, F1, w))
        F0, F1, w = P @ F0, P @ F1 + w * (first @ F0), w * earnings.gamma
    R, total = np.zeros(S), np.zeros((S, A))
    for F0, F1, w in reversed(forwards):
        q = size + earnings.gamma * np.asarray(earnings.moves[0] @ R).reshape(S, A)
        total += (F1 + b * F0)[:, None] + w * F0[:, None] * q
        (R,) = earnings.averaged([q])
    n = (horizon + 1) * (longest_sum(earnings) + 2 * A + roundings + 16) * UNIT
    return n / (1 - n) * total


def longest_sum(earnings: Earnings) -> int:
    """Number of terms of the longest sum in a product with P, or with the transpose of P_b."""
    return max(int(nonzeros(kernel).max(initial=0)) for kernel in (sp.csr_array(earnings.moves[0]), sp.csr_array(earnings.kernels[0].T)))
