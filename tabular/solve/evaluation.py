"""Exact evaluation of a policy: values, advantages, occupancy and J, with a proven bound of the error."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as sla
from jaxtyping import Float
from scipy.linalg import lu_factor, lu_solve

from pgtheory.tabular.errors import InvalidPolicy, NonTerminating
from pgtheory.tabular.models.mdp import MDP, as_mdp
from pgtheory.tabular.policies.policy import Policy

UNIT_ROUNDOFF = 2.0**-53


@dataclass(frozen=True, eq=False, kw_only=True)
class Evaluation:
    """What a policy is worth.

    Without a horizon V and occupancy are (S,), Q and advantage (S, A); with horizon T they carry a leading time axis: (T, S), (T, S, A).

    Attributes:
        V: expected discounted return from a state.
        Q: the same after one action, r + gamma P V.
        advantage: Q - V.
        occupancy: sum_t gamma^t Pr(s_t = s), not normalised; with a horizon gamma^t Pr(s_t = s) for each t.
        J: mu V.
        bound: proven bound of |V - exact V| in the sup norm.
    """

    V: np.ndarray
    Q: np.ndarray
    advantage: np.ndarray
    occupancy: np.ndarray
    J: float
    bound: float


class Resolvent:
    """(I - gamma P_pi)^-1 as a factorisation: LAPACK for dense models, SuperLU for sparse ones. States that are unreachable and never end
    are left out when gamma is 1 (their value is set to zero and they carry no occupancy).

    Raises:
        NonTerminating: gamma is 1 and a reachable state never ends under the policy.
    """

    def __init__(self, mdp: MDP, pi: Float[np.ndarray, "S A"]) -> None:
        self.kernel = mdp.kernel(pi)
        self.keep = np.ones(mdp.S, dtype=bool) if mdp.gamma < 1 else ending_states(mdp, self.kernel)
        inner = self.kernel if self.keep.all() else self.kernel[self.keep][:, self.keep]
        if sp.issparse(self.kernel):
            self.matrix = sp.eye_array(inner.shape[0], format="csc") - mdp.gamma * sp.csc_array(inner)
            self._solve = sla.splu(sp.csc_matrix(self.matrix)).solve
        else:
            self.matrix = np.eye(len(inner)) - mdp.gamma * inner
            factors = lu_factor(self.matrix)
            self._solve = lambda b, trans="N": lu_solve(factors, b, trans=int(trans == "T"))

    def __call__(self, b: np.ndarray, *, transposed: bool = False) -> np.ndarray:
        """Solution x of (I - gamma P_pi) x = b, or of the transposed system; b is (S,) or (S, k)."""
        x = np.zeros(np.shape(b))
        x[self.keep] = self._solve(np.ascontiguousarray(b[self.keep], dtype=float), "T" if transposed else "N")
        return x

    def inverse_norm(self) -> float:
        """Bound of the sup norm of the inverse. The inverse is nonnegative, so that its norm is the largest entry of x = (I - gamma P)^-1 1;
        if the computed x has residual e < 1, the exact one is at most x / (1 - e)."""
        ones = np.ones(self.matrix.shape[0])
        x = self._solve(ones, "N")
        residual = float(abs(self.matrix @ x - ones).max(initial=0)) + 8 * UNIT_ROUNDOFF * float(abs(x).max(initial=0)) * self._row_terms()
        return float("inf") if residual >= 1 else float(abs(x).max(initial=0)) / (1 - residual)

    def bound(self, x: np.ndarray, b: np.ndarray) -> float:
        """Proven sup-norm error of a computed solution x: |inverse| times (|b - M x| + rounding of the residual itself)."""
        x, b = x[self.keep], b[self.keep]
        rounding = 4 * UNIT_ROUNDOFF * self._row_terms() * (2 * float(abs(x).max(initial=0)) + float(abs(b).max(initial=0)))
        return self.inverse_norm() * (float(abs(b - self.matrix @ x).max(initial=0)) + rounding)

    def _row_terms(self) -> int:
        return int(np.diff(self.kernel.indptr).max(initial=0)) + 4 if sp.issparse(self.kernel) else self.kernel.shape[0] + 4


def ending_states(mdp: MDP, kernel: np.ndarray | sp.csr_array) -> np.ndarray:
    """States from which the episode ends with probability one: those that can reach an ending state from everywhere they can go.

    Decided on the graph of positive entries, not on a nearly singular matrix. Cost O(nnz).

    Raises:
        NonTerminating: a state that is reachable from mu never ends.
    """
    graph = sp.csr_array(kernel)
    leaving = np.asarray(1 - graph.sum(axis=1)).ravel() > 1e-12  # row sums are exact to a few roundings, and a leak below that would take 10^12 steps
    can_end = reached(sp.csr_array(graph.T), leaving)
    trapped = ~can_end
    reachable = reached(graph, mdp.mu > 0)
    if (trapped & reachable).any():
        s = int(np.flatnonzero(trapped & reachable)[0])
        raise NonTerminating(
            f"gamma is 1 and state {s}, which can be reached from mu, never ends under this policy: its return does not exist. "
            "Take gamma < 1, a horizon, or transitions into s whose rows sum to less than one (the rest ends the episode)."
        )
    return ~reached(sp.csr_array(graph.T), trapped)


def reached(graph: sp.csr_array, start: np.ndarray) -> np.ndarray:
    """States that can be reached along positive entries from those in `start`, themselves included. Cost O(nnz) a layer."""
    pattern = sp.csr_array((np.ones(len(graph.data)) * (graph.data > 0), graph.indices, graph.indptr), shape=graph.shape).T.tocsr()
    seen = start.copy()
    frontier = start.astype(float)
    while frontier.any():
        frontier = ((pattern @ frontier) > 0) & ~seen
        seen |= frontier.astype(bool)
        frontier = frontier.astype(float)
    return seen


def evaluate(model: object, policy: Policy) -> Evaluation:
    """V, Q, advantage, occupancy and J of a policy.

    V = r_pi + gamma P_pi V, d = mu + gamma P_pi' d, J = mu V; with a horizon the backward and forward recursions.
    Cost: two solves with one factorisation, O(S^3 + S^2 A) dense; sparse by fill-in; with a horizon O(T nnz).

    Raises:
        NonTerminating: gamma is 1 and a reachable state never ends under the policy.
        InvalidPolicy: the policy's table does not fit the model.
    """
    mdp, pi = as_mdp(model), policy.probabilities
    if pi.shape != (mdp.S, mdp.A):
        raise InvalidPolicy(f"the policy has probabilities of shape {pi.shape}, the model has (S, A) = {(mdp.S, mdp.A)}.")
    if mdp.horizon is not None:
        return _finite(mdp, pi)
    resolvent = Resolvent(mdp, pi)
    reward = (pi * mdp.mean_reward).sum(axis=1)
    V = resolvent(reward)
    Q = mdp.backup(V)
    d = resolvent(mdp.mu, transposed=True)
    return Evaluation(V=V, Q=Q, advantage=Q - V[:, None], occupancy=d, J=float(mdp.mu @ V), bound=resolvent.bound(V, reward))


def _finite(mdp: MDP, pi: np.ndarray) -> Evaluation:
    T, S, A = mdp.horizon or 0, mdp.S, mdp.A
    V, Q, d = np.zeros((T + 1, S)), np.zeros((T, S, A)), np.zeros((T, S))
    for t in range(T - 1, -1, -1):
        Q[t] = mdp.backup(V[t + 1])
        V[t] = (pi * Q[t]).sum(axis=1)
    kernel = mdp.kernel(pi)
    d[0] = mdp.mu
    for t in range(1, T):
        d[t] = mdp.gamma * (kernel.T @ d[t - 1])
    terms = 2 * (A + 4) + (int(np.diff(mdp.transition.indptr).max(initial=0)) if sp.issparse(mdp.transition) else S)
    size = float(abs(mdp.mean_reward).max(initial=0))
    bound = UNIT_ROUNDOFF * terms * size * T * (T + 1) / 2  # each step adds `terms` roundings of a value of at most (T - t) |r|
    return Evaluation(V=V[:-1], Q=Q, advantage=Q - V[:-1, :, None], occupancy=d, J=float(mdp.mu @ V[0]), bound=bound)
