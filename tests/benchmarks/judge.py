"""Is an answer right? Decided from the model and the answer alone, whoever gave it; nothing of the library's certificates is used.

A best policy (a solver that knows no end has one more state instead, whose value is part of its answer): |V - V*| <= (max |T V - V| + rho) / (1 - gamma), rho the rounding of one backup; the policy loses at most (max (T V - V)^+ + max (V - T_pi V)^+ + 2 rho) / (1 - gamma).

A gradient: its largest difference from a reference, whose own error is bounded. The reference comes from residuals in long double with a solver of
double precision inside. With M = I - gamma K and a residual e of V, |error of V| <= max |e| / (1 - gamma); with a residual |f| <= c mu of d,
|error of d| <= c d entry by entry, for M' has an inverse without negative entries.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.linalg import lu_factor, lu_solve
from scipy.sparse.linalg import splu

from tests.benchmarks.by_hand import TOLERANCE

UNIT = 2.0**-53
WIDE = np.longdouble


@dataclass(frozen=True)
class Judgement:
    """Proven bounds of the error of an answer, absolute for a policy, relative to the largest entry for a gradient; whether they are what was asked for."""

    bound: float
    gap: float
    right: bool


def judge_policy(mdp, answer) -> Judgement:
    """Asked for is |V - V*| <= 1e-8; a policy that is greedy for such a value is within twice that."""
    V, policy, end = np.asarray(answer[0]), np.asarray(answer[1]), float(answer[2]) if len(answer) > 2 else 0.0
    P, r, gamma = mdp.transition, mdp.mean_reward, mdp.gamma
    if V.shape != (mdp.S,) or policy.shape != (mdp.S,) or not np.isfinite([*V, end]).all():
        return Judgement(np.inf, np.inf, False)
    Q = r + gamma * ((P @ V).reshape(r.shape) + mdp.ends * end)
    change = np.append(Q.max(axis=1) - V, gamma * end - end)
    own = np.append(Q[np.arange(mdp.S), policy] - V, change[-1])
    longest = np.diff(P.indptr).max() if sp.issparse(P) else mdp.S
    rho = 2 * (longest + 5) * UNIT * (abs(r).max() + 2 * max(abs(V).max(), abs(end)))
    bound = (abs(change).max() + rho) / (1 - gamma)
    gap = (max(change.max(), 0) + max(-own.min(), 0) + 2 * rho) / (1 - gamma)
    return Judgement(float(bound), float(gap), bool(bound <= TOLERANCE and gap <= 2 * TOLERANCE))


@dataclass(frozen=True)
class Reference:
    """A gradient (S, A) and a proven bound of the error of its entries."""

    gradient: np.ndarray
    bound: float


def reference(mdp, policy) -> Reference:
    """See the top of the file. Cost: a few solves in double and a few products in long double."""
    S, A, gamma = mdp.S, mdp.A, WIDE(mdp.gamma)
    theta = policy.theta.astype(WIDE)
    pi = np.exp(theta - theta.max(axis=1, keepdims=True))
    pi /= pi.sum(axis=1, keepdims=True)
    P, r, mu = mdp.transition, mdp.mean_reward.astype(WIDE), mdp.mu.astype(WIDE)
    if sp.issparse(P):
        P = sp.csr_array((P.data.astype(WIDE), P.indices, P.indptr), shape=P.shape)
        K = sp.csr_array((pi.ravel(), np.arange(S * A), np.arange(0, S * A + 1, A)), shape=(S, S * A)) @ P
    else:
        K = sum(pi[:, a, None] * P[a::A] for a in range(A))
    r_pi = (pi * r).sum(axis=1)
    forwards, backwards = solvers(mdp, K.astype(float))
    V, d, best = np.zeros(S, dtype=WIDE), np.zeros(S, dtype=WIDE), np.inf
    while True:
        e, f = r_pi + gamma * (K @ V) - V, mu + gamma * (K.T @ d) - d
        error_V, error_d = float(abs(e).max() / (1 - gamma)), float((abs(f) / mu).max())
        if max(error_V, error_d) > best / 4:
            break
        best = max(error_V, error_d)
        V, d = V + forwards(e.astype(float)), d + backwards(f.astype(float))
    advantage = r + gamma * (P @ V).reshape(S, A) - V[:, None]
    g = d[:, None] * pi * advantage
    bound = (error_d * abs(g) + (1 + error_d) * d[:, None] * pi * 2 * error_V).max()
    return Reference(g.astype(float), float(bound))


def solvers(mdp, K):
    """Approximate solvers of M x = b and M' y = c: sweeps where chains mix within a few steps, else a factorisation, which is cheap where states have few
    neighbours. The residuals above judge them."""
    S, gamma = mdp.S, mdp.gamma
    if not sp.issparse(K):
        factors = lu_factor(np.eye(S) - gamma * K)
        return (lambda b: lu_solve(factors, b)), (lambda c: lu_solve(factors, c, trans=1))
    if mdp.ends.any() or K.nnz <= 6 * S or abs(np.repeat(np.arange(S), np.diff(K.indptr)) - K.indices).max() < 10:
        factors = splu(sp.csc_array(sp.eye_array(S) - gamma * K))
        return factors.solve, lambda c: factors.solve(c, trans="T")

    # Nothing ends: a vector is its mean, which M divides by 1 - gamma exactly, and a rest, of which sweeps forget a part each time.
    transposed = sp.csr_array(K.T)

    def forwards(b):
        x = np.zeros(S)
        for _ in range(40):
            change = b + gamma * (K @ x) - x
            x = x + change + gamma / (1 - gamma) * (change.max() + change.min()) / 2
        return x

    def backwards(c):
        y = np.full(S, c.sum() / (1 - gamma) / S)
        for _ in range(40):
            y = c + gamma * (transposed @ y)
        return y

    return forwards, backwards


def judge_gradient(found: Reference, answer) -> Judgement:
    """Asked for are eight digits of the largest entry. Where the reference itself is known to seven only, an answer is right within eight of it."""
    answer = np.asarray(answer)
    if answer.shape != found.gradient.shape or not np.isfinite(answer).all():
        return Judgement(np.inf, np.inf, False)
    largest, distance = abs(found.gradient).max(), abs(answer - found.gradient).max()
    known = found.bound <= 10 * TOLERANCE * largest
    right = known and distance + (found.bound if found.bound <= TOLERANCE * largest else 0) <= TOLERANCE * largest
    return Judgement(float((distance + found.bound) / largest), 0.0, bool(right))
