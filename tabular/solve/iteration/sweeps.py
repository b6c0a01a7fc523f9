"""Sweeps: steps of an iteration towards the value of one policy, V = b + gamma K V, or of the best one, and how far there still is to go."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float, Int
from scipy.sparse.linalg import SuperLU, splu

from pgtheory.tabular.arrays import largest
from pgtheory.tabular.solve.compiled import compiled, unsigned
from pgtheory.tabular.solve.play import Play
from pgtheory.tabular.solve.rows import GROWTH, Rows
from pgtheory.tabular.solve.structure import Structure


class Sweep(ABC):
    """A step of an iteration."""

    @abstractmethod
    def __call__(self, V: Float[np.ndarray, "S"]) -> tuple[Float[np.ndarray, "S"], float]:
        """The next V, and the size of the residual or of the change."""

    def until(self, V: Float[np.ndarray, "S"], aim: float, limit: int) -> tuple[Float[np.ndarray, "S"], float, float, int]:
        """Steps until the size is at most `aim`, or has grown by GROWTH, or there were `limit`: V, the first and the last size, the number of steps."""
        V, first = self(V)
        last, n = first, 1
        while aim < last <= GROWTH * first < np.inf and n < limit:
            V, last = self(V)
            n += 1
        return V, first, last, n


@dataclass(frozen=True, eq=False)
class Shifted(Sweep):
    """V <- b + gamma K V, and where all rows of K sum to one the constant that leaves the residual without a middle: see `middle`.

    Cost: one product with K. The size is that of the residual before the sweep.
    """

    K: np.ndarray | sp.csr_array
    gamma: float
    b: Float[np.ndarray, "S"]
    stochastic: bool

    @cached_property
    def structure(self) -> Structure:
        """K, for its product with a vector."""
        return Structure(self.K, self.gamma)

    def __call__(self, V: Float[np.ndarray, "S"]) -> tuple[Float[np.ndarray, "S"], float]:
        """The next V, and the size of the residual."""
        after = self.structure.product(V, False)
        after *= self.gamma
        after += self.b
        size, constant = middle(*extremes(after - V), self.gamma, self.stochastic)
        if constant:
            after += self.gamma * constant
        return after, size


@dataclass(frozen=True, eq=False)
class Compiled(Sweep):
    """The same for a policy, compiled, where all rows sum to one."""

    rows: Rows
    policy: Int[np.ndarray, "S"]

    def __call__(self, V: Float[np.ndarray, "S"]) -> tuple[Float[np.ndarray, "S"], float]:
        """The next V, and the size of the residual."""
        after, low, high = self.rows.own(V, self.policy)
        size, constant = middle(low, high, float(self.rows.gamma), True)
        after += self.rows.gamma * constant
        return after, size

    def until(self, V: Float[np.ndarray, "S"], aim: float, limit: int) -> tuple[Float[np.ndarray, "S"], float, float, int]:
        """In one call of compiled code, unless the sweeps are worth threads."""
        if len(self.rows.starts) > 1:
            return super().until(V, aim, limit)
        after, low, high, first, n = self.rows.repeated(V, self.policy, aim, limit)
        size, constant = middle(low, high, float(self.rows.gamma), True)
        after += self.rows.gamma * constant
        return after, first, size, n


@dataclass(frozen=True, eq=False)
class Directed(Sweep):
    """Gauss-Seidel: V(s) <- (b(s) + gamma sum_{t != s} K(s, t) V(t)) / (1 - gamma K(s, s)), state by state, each with the newest values of the others.

    Forward or backward in the order of the states: against the flow of the chain, one sweep carries a value along a whole path. With a relaxation w each
    value moves by w times as much; on grids w > 1 saves a third of the sweeps and more, elsewhere it may diverge. Without numba the same step is a triangular
    solve, (D / w - gamma L) V' = b + (gamma U + (1 / w - 1) D) V with the diagonal D of I - gamma K.
    Cost: one pass over the entries. The size is that of the change.
    Source: Golub and Van Loan (2013), Section 11.2; for optimal values Puterman (1994), Section 6.3.3.
    """

    K: sp.csr_array
    gamma: float
    b: Float[np.ndarray, "S"]
    backward: bool
    compile: bool
    relaxation: float = 1.0

    @cached_property
    def triangle(self) -> tuple[SuperLU, sp.csr_array]:
        """Factors of D / w - gamma L, which is triangular and fills nowhere, and the rest of the splitting."""
        side, other = (sp.triu, sp.tril) if self.backward else (sp.tril, sp.triu)
        diagonal = 1 - self.gamma * self.K.diagonal()
        D = sp.diags_array(np.where(diagonal > 0, diagonal, 1.0))
        near = D / self.relaxation - self.gamma * side(self.K, 1 if self.backward else -1)
        factors = splu(near.tocsc(), permc_spec="NATURAL", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
        return factors, sp.csr_array(self.gamma * other(self.K, -1 if self.backward else 1) + D / self.relaxation - sp.diags_array(diagonal))

    def __call__(self, V: Float[np.ndarray, "S"]) -> tuple[Float[np.ndarray, "S"], float]:
        """The next V (in the place of the old one), and the size of the change."""
        if self.compile:
            K = self.K
            return V, compiled(gauss_seidel_rows)(
                unsigned(K.indptr), unsigned(K.indices), K.data, self.gamma, self.b, V, self.backward, self.relaxation
            )
        factors, rest = self.triangle
        after = factors.solve(self.b + rest @ V)
        size = float(abs(after - V).max())
        V[:] = after
        return V, size


def best_actions(play: Play, V: Float[np.ndarray, "S"], backward: bool | None) -> tuple[Float[np.ndarray, "S"], float, Int[np.ndarray, "S"]]:
    """V <- T V, or the Gauss-Seidel form of it in one direction; a bound of |T V - V|, before the step or after it; the actions taken.

    The first form takes the constant vector away if it may. In the second each V(s) becomes its best value at once, so that a better action is felt along a
    whole path; a change of at most d leaves |T V - V| <= gamma d; without a compiler the step is that of the first. No constant is taken away there:
    Gauss-Seidel sweeps do not carry it on as a constant, and what one that is far from the mean leaves may grow by 1 / (1 - gamma) from policy to policy.
    Cost: one pass over the entries.
    """
    mdp = play.mdp
    P: Any = play.transition
    if backward is not None and play.worth_compiling:
        policy = play.first.copy()
        change = compiled(best_rows)(
            unsigned(P.indptr), unsigned(P.indices), P.data, mdp.gamma, mdp.mean_reward, play.kept, V, unsigned(policy), backward
        )
        return V, mdp.gamma * change, policy
    if play.compiled:
        policy = np.empty(mdp.S, dtype=np.intp)
        best, low, high = play.compiled.best(V, policy)
    else:
        Q = play.backup(V)
        best = largest(Q) if play.everything else np.where(play.inside, largest(Q), 0.0)
        policy, (low, high) = Q.argmax(axis=1), extremes(best - V)
    size, constant = middle(low, high, mdp.gamma, play.stochastic and backward is None)
    return best + mdp.gamma * constant, size, policy


def extremes(residual: Float[np.ndarray, "S"]) -> tuple[float, float]:
    """Smallest and largest entry."""
    return float(residual.min()), float(residual.max())


def middle(low: float, high: float, gamma: float, stochastic: bool) -> tuple[float, float]:
    """Size of a residual T V - V in [low, high], and the constant c for which that of V + c is smallest, c = middle / (1 - gamma); 0 unless all rows sum to one.

    With it the size is half of the span: what is left after the slowest mode, the constant vector, is taken away. Source: Puterman (1994), Section 6.6.
    """
    if not stochastic:
        return max(high, -low), 0.0
    return (high - low) / 2, (high + low) / 2 / (1 - gamma)


# The loops that are compiled


def gauss_seidel_rows(indptr, indices, data, gamma, b, x, backward, relaxation):
    S, one, size = np.uint64(len(b)), np.uint64(1), 0.0
    for k in range(S):
        s = S - one - k if backward else k
        total, own = 0.0, 0.0
        for j in range(indptr[s], indptr[s + one]):
            if indices[j] == s:
                own += data[j]
            else:
                total += data[j] * x[indices[j]]
        rest = 1.0 - gamma * own
        change = relaxation * (b[s] + gamma * total - rest * x[s]) / (rest if rest > 0.0 else 1.0)
        size = max(size, abs(change))
        x[s] += change
    return size


def best_rows(indptr, indices, data, gamma, reward, kept, x, policy, backward):
    S, A, one, size = np.uint64(reward.shape[0]), np.uint64(reward.shape[1]), np.uint64(1), 0.0
    for k in range(S):
        s = S - one - k if backward else k
        best, which, found = -np.inf, np.uint64(0), False
        for a in range(A):
            if kept[s, a]:
                row, total = s * A + a, 0.0
                for j in range(indptr[row], indptr[row + one]):
                    total += data[j] * x[indices[j]]
                value = reward[s, a] + gamma * total
                if not found or value > best:
                    best, which, found = value, a, True
        if found:
            size = max(size, abs(best - x[s]))
            x[s], policy[s] = best, which
    return size
