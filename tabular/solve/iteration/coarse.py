"""A start in single precision: half of the bytes, for the sweeps whose digits the later ones replace."""

from typing import Any

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.solve.compiled import compiled, on_threads, ranges
from pgtheory.tabular.solve.play import Play, largest

LEAST = 10_000_000
"""Entries from which on the memory, and not the arithmetic, limits a sweep: below, everything stays in the cache."""

FALL = 0.1
"""The sweeps of one policy end when the span of the residual has fallen by this factor."""

SWEEPS = 20
"""Largest number of sweeps of one policy."""

FLOOR = 64 * 2.0**-24
"""Residuals below this share of the span of V are rounding in single precision."""


def coarse_start(play: Play) -> tuple[Float[np.ndarray, "S"], int]:
    """A value V, up to a constant, whose residual has a span of about 1e-6 of that of V, and the number of sweeps.

    Modified policy iteration for a sparse model in which no action ends the episode. Constants are taken out of V and of the rewards, so that the digits of
    float32 go to the differences, which are all that decides. Nothing is proven here: what follows starts from V, and the certificate judges the end.
    Cost: compiled loops over the entries, all of them for the best actions and a share of 1 / A for a sweep; one copy of the entries in float32.
    """
    mdp, P = play.mdp, play.transition
    parts = ranges(mdp.S)
    starts, stops = [i for i, _ in parts], [j for _, j in parts]
    entries: Any = (P.indptr, P.indices.view(np.uint32), P.data.astype(np.float32))  # type: ignore[union-attr]
    r, gamma = (mdp.mean_reward - mdp.mean_reward.mean()).astype(np.float32), np.float32(mdp.gamma)
    V = largest(r)
    V -= V.mean()
    policy, steps, before = np.zeros(mdp.S, dtype=np.int32), 0, np.inf
    best, sweep = compiled(best_rows), compiled(policy_rows)
    while True:
        after = np.empty_like(V)
        span = spread(on_threads(lambda i, j, V=V, after=after: best(i, j, *entries, r, gamma, V, after, policy), starts, stops))
        after -= after.mean()
        V, steps = after, steps + 1
        if not FLOOR * np.ptp(V) < span < before:
            return V.astype(np.float64), steps
        before, last, sweeps = span, span, 0
        while last > FALL * span and sweeps < SWEEPS:
            after = np.empty_like(V)
            last = spread(on_threads(lambda i, j, V=V, after=after: sweep(i, j, *entries, r, gamma, V, after, policy), starts, stops))
            after -= after.mean()
            V, sweeps = after, sweeps + 1
        steps += sweeps


def spread(changes: list[tuple[float, float]]) -> float:
    """Largest minus smallest change, from those of the ranges."""
    return max(high for _, high in changes) - min(low for low, _ in changes)


# The loops that are compiled: rows start..stop of `after` from V, and the smallest and largest change.


def best_rows(start, stop, indptr, indices, data, r, gamma, V, after, policy):
    low, high, A = np.inf, -np.inf, r.shape[1]
    for s in range(start, stop):
        best, action = -np.inf, 0
        for a in range(A):
            total = np.float32(0.0)
            for j in range(indptr[s * A + a], indptr[s * A + a + 1]):
                total += data[j] * V[indices[j]]
            value = r[s, a] + gamma * total
            if value > best:
                best, action = value, a
        after[s], policy[s] = best, action
        low, high = min(low, best - V[s]), max(high, best - V[s])
    return low, high


def policy_rows(start, stop, indptr, indices, data, r, gamma, V, after, policy):
    low, high, A = np.inf, -np.inf, r.shape[1]
    for s in range(start, stop):
        total = np.float32(0.0)
        row = s * A + policy[s]
        for j in range(indptr[row], indptr[row + 1]):
            total += data[j] * V[indices[j]]
        value = r[s, policy[s]] + gamma * total
        after[s] = value
        low, high = min(low, value - V[s]), max(high, value - V[s])
    return low, high
