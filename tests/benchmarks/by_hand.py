"""The best that one writes by hand with scipy and numba for one structure: the competitors of the solvers. Nothing here uses the library.

Each takes P (S*A, S) dense or CSR, r (S, A) and gamma. A best policy is `(V, policy)` with |V - V*| <= 1e-8; a gradient is that of the return with
respect to the logits of a softmax policy, (S, A), to eight digits of its largest entry.
"""

import numpy as np
import scipy.sparse as sp
from numba import njit, prange
from scipy.linalg import lu_factor, lu_solve, solve_banded
from scipy.sparse.linalg import bicgstab, splu

TOLERANCE = 1e-8
MARGIN = 1e-13
"""Values lie between -1 and 1; a smaller gain may be rounding, and switching for it may cycle."""


# The value of a policy: (K, r_pi, gamma) -> V


def by_dense(K, r, gamma):
    K = K.toarray() if sp.issparse(K) else K
    return np.linalg.solve(np.eye(len(r)) - gamma * K, r)


def by_lu(K, r, gamma):
    return splu(sp.csc_array(sp.eye_array(len(r)) - gamma * K)).solve(r)


def bands(K, gamma):
    """I - gamma K as `solve_banded` takes it, with its numbers of lower and upper diagonals."""
    row = np.repeat(np.arange(K.shape[0]), np.diff(K.indptr))
    low, up = max(0, (row - K.indices).max()), max(0, (K.indices - row).max())
    table = np.zeros((low + up + 1, K.shape[0]))
    table[up + row - K.indices, K.indices] = -gamma * K.data
    table[up] += 1
    return (low, up), table


def by_bands(K, r, gamma):
    return solve_banded(*bands(K, gamma), r, overwrite_ab=True, check_finite=False)


# The best policy


def policy_iteration(P, r, gamma, evaluate):
    """Howard's, with a margin against ties. `evaluate` is one of the above."""
    S, A = r.shape
    s = np.arange(S)
    policy = r.argmax(axis=1)
    while True:
        V = evaluate(P[s * A + policy], r[s, policy], gamma)
        Q = r + gamma * (P @ V).reshape(S, A)
        best = Q.argmax(axis=1)
        better = Q[s, best] > Q[s, policy] + MARGIN
        if not better.any():
            return V, policy
        policy = np.where(better, best, policy)


def inexact_policy_iteration(P, r, gamma):
    """Policy iteration with BiCGSTAB: each policy is evaluated to a hundredth of what is left of the Bellman residual."""
    S, A = r.shape
    s, V = np.arange(S), np.full(S, r.max() / (1 - gamma))
    eye = sp.eye_array(S, format="csr")
    while True:
        Q = r + gamma * (P @ V).reshape(S, A)
        policy, left = Q.argmax(axis=1), Q.max(axis=1) - V
        if abs(left).max() <= 0.5 * TOLERANCE * (1 - gamma):
            return V, policy
        M = eye - gamma * P[s * A + policy]
        V = V + bicgstab(M, left, rtol=1e-2, atol=0.0, maxiter=200)[0]


def matrix_sweeps(P, r, gamma, k=20):
    """Modified policy iteration on a dense P, one BLAS call a sweep, stopped by the span; for rows that sum to one."""
    S, A = r.shape
    s, V = np.arange(S), np.zeros(S)
    while True:
        Q = r + gamma * (P @ V).reshape(S, A)
        policy, T = Q.argmax(axis=1), Q.max(axis=1)
        low, high = (T - V).min(), (T - V).max()
        if (high - low) * gamma / (1 - gamma) / 2 <= TOLERANCE:
            return T + gamma / (1 - gamma) * (low + high) / 2, policy
        K, r_pi, V = P[s * A + policy], r[s, policy], T
        for _ in range(k):
            V = r_pi + gamma * (K @ V)


def improved(indptr, indices, data, r, gamma, V, T, policy):
    S, A = r.shape
    for s in prange(S):
        best, action = -np.inf, 0
        for a in range(A):
            total = 0.0
            for i in range(indptr[s * A + a], indptr[s * A + a + 1]):
                total += data[i] * V[indices[i]]
            total = r[s, a] + gamma * total
            if total > best:
                best, action = total, a
        T[s], policy[s] = best, action


def swept(indptr, indices, data, r, gamma, V, T, policy):
    S, A = r.shape
    for s in prange(S):
        total = 0.0
        for i in range(indptr[s * A + policy[s]], indptr[s * A + policy[s] + 1]):
            total += data[i] * V[indices[i]]
        T[s] = r[s, policy[s]] + gamma * total


ALONE = tuple(njit(cache=True)(f) for f in (improved, swept))
TOGETHER = tuple(njit(cache=True, parallel=True)(f) for f in (improved, swept))
"""On one core, and on all: below some size the barrier costs more than the sweep."""


def span_sweeps(P, r, gamma, k=5):
    """Modified policy iteration compiled by numba, stopped by the span; for rows that sum to one."""
    improved, swept = TOGETHER if P.nnz > 200_000 else ALONE
    kernel = (P.indptr, P.indices, P.data, r, gamma)
    V, T, policy = np.zeros(len(r)), np.empty(len(r)), np.zeros(len(r), dtype=np.int64)
    while True:
        improved(*kernel, V, T, policy)
        change = T - V
        low, high = change.min(), change.max()
        if (high - low) * gamma / (1 - gamma) / 2 <= TOLERANCE:
            return T + gamma / (1 - gamma) * (low + high) / 2, policy
        V, T = T, V
        for _ in range(k):
            swept(*kernel, V, T, policy)
            V, T = T, V


@njit(cache=True)
def seidel(indptr, indices, data, r, gamma, V, policy, limit, k):
    """Sweeps in place, forwards and backwards in turns; every (k + 1)-th looks at all actions, until such a one changes no state by more than `limit`."""
    S, A = r.shape
    number = 0
    while True:
        largest, improve = 0.0, number % (k + 1) == 0
        for j in range(S):
            s = j if number % 2 == 0 else S - 1 - j
            best, action = -np.inf, policy[s]
            first, last = (0, A) if improve else (action, action + 1)
            for a in range(first, last):
                total = 0.0
                for i in range(indptr[s * A + a], indptr[s * A + a + 1]):
                    total += data[i] * V[indices[i]]
                total = r[s, a] + gamma * total
                if total > best:
                    best, action = total, a
            largest = max(largest, abs(best - V[s]))
            V[s], policy[s] = best, action
        number += 1
        if improve and largest <= limit:
            return


def gauss_seidel(P, r, gamma, k=10):
    """Value iteration in place (k = 0), or modified policy iteration. A full sweep that changes nothing by more than c is at most gamma c / (1 - gamma) away."""
    V, policy = np.zeros(len(r)), np.zeros(len(r), dtype=np.int64)
    seidel(P.indptr, P.indices, P.data, r, gamma, V, policy, 0.5 * TOLERANCE * (1 - gamma) / gamma, k)
    return V, policy


# The gradient of a softmax policy


def gradient(P, r, mu, gamma, pi, systems):
    """d(s) pi(a|s) (Q(s, a) - V(s)); `systems` solves (I - gamma K) V = r_pi and (I - gamma K') d = mu."""
    S, A = r.shape
    if sp.issparse(P):
        K = sp.csr_array((pi.ravel(), np.arange(S * A), np.arange(0, S * A + 1, A)), shape=(S, S * A)) @ P
    else:
        K = (pi[:, None] @ P.reshape(S, A, S))[:, 0]
    V, d = systems(K, (pi * r).sum(axis=1), mu, gamma)
    return d[:, None] * pi * (r + gamma * (P @ V).reshape(S, A) - V[:, None])


def dense_systems(K, r, mu, gamma):
    factors = lu_factor(np.eye(len(r)) - gamma * (K.toarray() if sp.issparse(K) else K), check_finite=False)
    return lu_solve(factors, r), lu_solve(factors, mu, trans=1)


def lu_systems(K, r, mu, gamma):
    factors = splu(sp.csc_array(sp.eye_array(len(r)) - gamma * K))
    return factors.solve(r), factors.solve(mu, trans="T")


def band_systems(K, r, mu, gamma):
    solve = lambda matrix, b: solve_banded(*bands(matrix, gamma), b, overwrite_ab=True, check_finite=False)
    return solve(sp.csr_array(K), r), solve(sp.csr_array(K.T), mu)


def krylov_systems(K, r, mu, gamma):
    M = (sp.eye_array(len(r), format="csr") if sp.issparse(K) else np.eye(len(r))) - gamma * K
    solve = lambda matrix, b: bicgstab(matrix, b, rtol=1e-11, atol=0.0, maxiter=2000)[0]
    return solve(M, r), solve(M.T, mu)


def sweep_systems(K, r, mu, gamma):
    """Sweeps without the constant mode: V is shifted by the middle of its change, and d keeps its mass 1 / (1 - gamma). For rows that sum to one."""
    V, scale = np.zeros(len(r)), gamma / (1 - gamma)
    while True:
        T = r + gamma * (K @ V)
        low, high = (T - V).min(), (T - V).max()
        V = T + scale * (low + high) / 2
        if (high - low) * scale <= 1e-3 * TOLERANCE * max(abs(V).max(), 1):
            break
    transposed, d = sp.csr_array(K.T) if sp.issparse(K) else K.T, mu / (1 - gamma)
    while True:
        after = mu + gamma * (transposed @ d)
        change, d = abs(after - d).sum(), after
        if change <= 0.1 * TOLERANCE:
            return V, d
