"""The average reward of a policy on a model that never ends: gain, bias, stationary law, deviation matrix, with proven error bounds.

    d = d P_pi, sum d = 1;    gain J = d . r_pi;    bias h + J = r_pi + P_pi h, d . h = 0;    h = D r_pi,  D = (I - P_pi + 1 d)^-1 - 1 d.

The policy must have one closed class (unichain): then J is the same from every start. Chains may be periodic, and may have transient states.

Take a state z of the class away. The chain on the others ends surely, by reaching z, so that M = I - P_pi on them is a system of `chain.py`:
    visits between two visits to z:  y = M^-T P_pi(z, .),   d = (1, y) / (1 + sum y);
    D f:                             x = M^-1 (f - d . f), x(z) = 0,   D f = x - d . x.

Bounds. Let N >= |M^-1|_inf, the largest expected time to reach z. If |f| <= 1, then x(s) lies between -(1 + d.f) N and (1 - d.f) N: hence |D|_inf <= 2 N.
For any h whatever, w = r_pi + P_pi h - h has d . w = J and D w = (h_pi - h) + d . h, so that
    min w <= J <= max w                              (Puterman 1994, Theorem 8.5.5, for one policy)
    |h_pi - h| <= N (max w - min w) + |d . h|        (D ignores constants)
and for any law v, q = v - v P_pi has q D = v - d: |v - d|_1 <= 2 N |q|_1. The rounding of w, q and of the entries of P_pi is added.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from jaxtyping import Bool, Float, Int

from pgtheory.tabular.errors import Multichain, NonTerminating
from pgtheory.tabular.models.mdp import MDP, as_mdp, nonzeros
from pgtheory.tabular.policies.policy import Policy
from pgtheory.tabular.solve.chain import UNIT, Chain
from pgtheory.tabular.solve.continuing import Continuing, the_closed_class
from pgtheory.tabular.solve.evaluation import Evaluation, policy_table
from pgtheory.tabular.solve.linear.solver import Aim
from pgtheory.tabular.solve.reachability import edges_of

RARE = 16.0
"""A state z is taken away as it is found if no other is visited more than this many times as often; else the most visited one takes its place."""

TO_ROUNDING = Aim()
"""Every answer is as good as float64 allows, and nothing is asked of the norm of the inverse: policies on the way to the best one may have next to none."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Unichain:
    """A chain with one closed class, solved: what the fundamental matrix is asked for, without the matrix.

    Attributes:
        K: its moves (S, S), dense or sparse.
        d: stationary law; zero exactly at transient states.
        rest: numbers of all states but one of the closed class.
        chain: the system of the rest.
    """

    K: np.ndarray | sp.csr_array
    d: Float[np.ndarray, "S"]
    rest: Int[np.ndarray, "S-1"]
    chain: Chain

    def deviation(self, f: Float[np.ndarray, "S *k"]) -> Float[np.ndarray, "S *k"]:
        """D f = sum_t (P^t f - d.f) (for a periodic chain the mean of its partial sums): the bias of the rewards f; `deviation(np.eye(S))` is D itself.

        Cost: one solve a column with the factors at hand.
        """
        x = np.zeros(np.shape(f))
        if len(self.rest):
            x[self.rest] = self.chain.find((f - self.d @ f)[self.rest], aim=TO_ROUNDING).x
        return x - self.d @ x

    def hitting_time(self, branching: int, A: int) -> float:
        """N at the top of this file, for the exact moves: the entries of K carry their roundings, branching + 2 A + 6 of them.

        Raises:
            Multichain: float64 cannot tell the chain from one with two closed classes.
        """
        try:
            norm = self.chain.inverse_norm
        except NonTerminating:
            raise nearly_apart() from None
        lost = norm * (branching + 2 * A + 6) * UNIT
        if lost >= 0.5:
            raise nearly_apart()
        return norm / (1 - lost) * (1 + 8 * UNIT)

    def law_error(self, N: float, branching: int, A: int) -> float:
        """Bound of |d - stationary law|_1."""
        column = nonzeros(sp.csr_array(self.K.T) if sp.issparse(self.K) else self.K.T).max()
        terms = int(column) + branching + 2 * A + 12
        q = float(abs(self.d - self.d @ self.K).sum())
        return (2 * N * (q + 4 * terms * UNIT) + abs(float(self.d.sum()) - 1) + 2 * len(self.d) * UNIT) * (1 + 8 * UNIT)


def unichain(model: object, policy: Policy) -> Unichain:
    """The chain of a policy on a model that never ends. Cost: one factorisation of S - 1 states, a second if the first state taken away is rarely visited.

    Raises:
        InvalidArgument: the model ends or has a horizon.
        InvalidPolicy: the policy does not fit the model.
        Multichain: the policy has two closed classes, in the graph of its moves or as far as float64 can tell.
    """
    mdp = as_mdp(model)
    return solved(Continuing.of(mdp), normalised(policy_table(mdp, policy)))


def normalised(pi: Float[np.ndarray, "S A"]) -> Float[np.ndarray, "S A"]:
    """The table divided by the sums of its rows, which miss one by rounding."""
    return pi / pi.sum(axis=1, keepdims=True)


def solved(model: Continuing, pi: Float[np.ndarray, "S A"]) -> Unichain:
    """The chain of a table whose rows sum to one.

    The state that is taken away should be visited often, for that bounds the condition of what is left. The first guess is where the chain is after a
    few steps. If that leaves a system that float64 cannot solve, where it is after 2^30; if another state is visited much more often, that one.
    """
    K = model.kernel(pi)
    closed = the_closed_class(edges_of(model.mdp, pi > 0), "the policy")
    z = soon(K, closed)
    found = without(K, closed, z)
    if found is None or RARE * found.d[z] < found.d.max():
        found = without(K, closed, late(K, closed) if found is None else int(found.d.argmax()))
    if found is None:
        raise nearly_apart()
    return found


def without(K: np.ndarray | sp.csr_array, closed: Bool[np.ndarray, "S"], z: int) -> Unichain | None:
    """The chain by way of its visits between two visits to z; None if float64 cannot solve for them."""
    visits = np.eye(1, len(closed), z)[0]
    rest = np.flatnonzero(visits == 0)
    chain = Chain(K=K[np.ix_(rest, rest)], gamma=1.0)
    if len(rest):
        try:
            visits[rest] = chain.find((visits @ K)[rest], transposed=True, aim=TO_ROUNDING).x
        except NonTerminating:
            return None
    visits[~closed] = 0
    if not (np.isfinite(visits).all() and (visits >= 0).all()):
        return None
    return Unichain(K=K, d=visits / visits.sum(), rest=rest, chain=chain)


def soon(K: np.ndarray | sp.csr_array, closed: Bool[np.ndarray, "S"]) -> int:
    """The likeliest state of the closed class after up to 16 steps from a uniform start in it; each step is taken with probability 1/2, against periods."""
    law = closed / closed.sum()
    for _ in range(16):
        law = (law + law @ K) / 2
    return int(law.argmax())


def late(K: np.ndarray | sp.csr_array, closed: Bool[np.ndarray, "S"]) -> int:
    """The same after a geometric number of steps of mean 2^30: a linear system that float64 always solves."""
    inside = np.flatnonzero(closed)
    law = Chain(K=K[np.ix_(inside, inside)], gamma=1 - 2.0**-30).find(np.ones(len(inside)), transposed=True, aim=TO_ROUNDING)
    return int(inside[law.x.argmax()])


def average_evaluation(mdp: MDP, pi: Float[np.ndarray, "S A"]) -> Evaluation:
    """What `evaluate(model, policy, criterion="average")` returns: V the bias, J the gain, occupancy the stationary law, Q = r - J + P V.

    The bound is the larger of those of V and J, by the top of this file. Cost: that of `unichain`, three solves and two backups.
    """
    model, pi = Continuing.of(mdp), normalised(pi)
    chain = solved(model, pi)
    J = float(chain.d @ (pi * mdp.mean_reward).sum(axis=1))
    h = chain.deviation((pi * mdp.mean_reward).sum(axis=1))
    low, high = gain_bounds(model, h, pi)
    N, size = chain.hitting_time(mdp.branching, mdp.A), float(abs(h).max())
    law_error = chain.law_error(N, mdp.branching, mdp.A)
    mean = abs(float(chain.d @ h)) + size * (law_error + 2 * mdp.S * UNIT)
    bound = max(N * (high - low) + mean, J - low, high - J) * (1 + 64 * UNIT)
    Q = model.backup(h) - J
    return Evaluation(
        V=h,
        Q=Q,
        advantage=Q - h[:, None],
        occupancy=chain.d,
        J=J,
        bound=float(bound),
        occupancy_bound=np.array(law_error),
        method="one-state-apart",
        steps=1,
        ends=np.ones(mdp.S, dtype=bool),
    )


def gain_bounds(model: Continuing, h: Float[np.ndarray, "S"], pi: Float[np.ndarray, "S A"]) -> tuple[float, float]:
    """min w <= gain <= max w for w = r_pi + P_pi h - h, whatever h is, with the rounding of w: proven from every start, for chains of any structure.

    d w = d r_pi for every stationary law d. Source: Puterman (1994), Theorem 8.5.5.
    """
    w = (pi * (model.backup(h) - h[:, None])).sum(axis=1)
    rho = model.rounding(h)
    return float(w.min()) - rho, float(w.max()) + rho


def nearly_apart() -> Multichain:
    """The error of a chain with one closed class that float64 cannot tell from two."""
    return Multichain(
        "the policy has one closed class, but moves between two parts of it so rarely (expected time of order 1e15 or more) that float64 cannot solve for "
        'its average reward. Take a policy that is less extreme, or gamma < 1 with criterion="return".'
    )
