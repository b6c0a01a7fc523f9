"""Sweeps over the rows of all actions, compiled: no chain is formed, and nothing but V is read at random."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float, Int

from pgtheory.tabular.solve.compiled import LEAST, compiled, on_threads, ranges, unsigned


@dataclass(frozen=True, eq=False)
class Rows:
    """A sparse kernel of all actions (S*A, S), the rewards (S, A) and the discount, in double or in single precision.

    Cost of a step: one pass over the entries for the best actions, over 1 / A of them for those of a policy; on threads where the kernel is large.
    """

    entries: tuple[Any, Any, Any]
    r: Float[np.ndarray, "S A"]
    gamma: np.floating
    starts: list[int]
    stops: list[int]

    @classmethod
    def of(cls, P: sp.csr_array, r: Float[np.ndarray, "S A"], gamma: float, kind: type[np.floating] = np.float64) -> "Rows":
        """In the precision `kind`: single precision copies the entries."""
        spans = ranges(len(r)) if P.nnz >= LEAST else [(0, len(r))]
        entries = (P.indptr, unsigned(P.indices), P.data.astype(kind, copy=False))
        return cls(entries, r.astype(kind, copy=False), kind(gamma), [i for i, _ in spans], [j for _, j in spans])

    def paying(self, r: Float[np.ndarray, "S A"]) -> "Rows":
        """The same kernel with other rewards, in its precision."""
        return replace(self, r=r)

    def best(self, V: Float[np.ndarray, "S"], policy: Int[np.ndarray, "S"]) -> tuple[Float[np.ndarray, "S"], float, float]:
        """T V, the smallest and the largest change T V - V; the best actions are written into `policy`."""
        return self._step(best_rows, V, policy)

    def own(self, V: Float[np.ndarray, "S"], policy: Int[np.ndarray, "S"]) -> tuple[Float[np.ndarray, "S"], float, float]:
        """The same for the operator of the policy."""
        return self._step(policy_rows, V, policy)

    def _step(self, loop: Any, V: np.ndarray, policy: np.ndarray) -> tuple[np.ndarray, float, float]:
        after, run = np.empty_like(V), compiled(loop)
        call = lambda i, j: run(i, j, *self.entries, self.r, self.gamma, V, after, policy)
        changes = on_threads(call, self.starts, self.stops) if len(self.starts) > 1 else [call(self.starts[0], self.stops[0])]
        return after, min(low for low, _ in changes), max(high for _, high in changes)


# The loops that are compiled: rows start..stop of `after` from V, and the smallest and largest change. `gamma * 0` is zero in the precision of the entries: a sum
# that begins with 0.0 would be in double precision, 6% slower.


def best_rows(start, stop, indptr, indices, data, r, gamma, V, after, policy):
    low, high, A = np.inf, -np.inf, r.shape[1]
    for s in range(start, stop):
        best, action = -np.inf, 0
        for a in range(A):
            total = gamma * 0
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
        total = gamma * 0
        row = s * A + policy[s]
        for j in range(indptr[row], indptr[row + 1]):
            total += data[j] * V[indices[j]]
        value = r[s, policy[s]] + gamma * total
        after[s] = value
        low, high = min(low, value - V[s]), max(high, value - V[s])
    return low, high
