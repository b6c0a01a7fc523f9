"""Sweeps over the rows of all actions, compiled: no chain is formed, and nothing but V is read at random."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float, Int

from pgtheory.tabular.solve.compiled import LEAST, compiled, on_threads, ranges, unsigned

FALL = 0.1
"""The sweeps of one policy end when the residual has fallen by this factor. A best-action step that does as well alone needs none."""

SWEEPS = 20
"""Largest number of sweeps of one policy; ten times as many of a settled one."""

GROWTH = 2.0
"""Sweeps whose residual has grown by this factor diverge."""


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
        spans = ranges(len(r)) if len(P.data) >= LEAST else [(0, len(r))]
        entries = (unsigned(P.indptr), unsigned(P.indices), P.data.astype(kind, copy=False))
        return cls(entries, r.astype(kind, copy=False), kind(gamma), [i for i, _ in spans], [j for _, j in spans])

    def paying(self, r: Float[np.ndarray, "S A"]) -> "Rows":
        """The same kernel with other rewards, in its precision."""
        return replace(self, r=r)

    def best(self, V: Float[np.ndarray, "S"], policy: Int[np.ndarray, "S"]) -> tuple[Float[np.ndarray, "S"], float, float]:
        """T V, the smallest and the largest change T V - V; the best actions are written into `policy`."""
        return self._step(best_rows, V, policy)

    def own(self, V: Float[np.ndarray, "S"], policy: Int[np.ndarray, "S"]) -> tuple[Float[np.ndarray, "S"], float, float]:
        """The same for the operator of the policy."""
        after, low, high, _, _ = self._step(policy_rows, V, policy, np.inf, 1)
        return after, low, high

    def repeated(
        self, V: Float[np.ndarray, "S"], policy: Int[np.ndarray, "S"], aim: float, limit: int
    ) -> tuple[np.ndarray, float, float, float, int]:
        """`own` up to `limit` times in one call, each time after the constant is taken away (`sweeps.middle`): until the size of the residual is at most `aim`
        or has grown by GROWTH. The last T V and its smallest and largest change, the size of the first residual, the number of sweeps. On one thread only."""
        return self._step(policy_rows, V.copy(), policy, aim, limit)

    def modified(self, V: Float[np.ndarray, "S"], goal: float, limit: int) -> tuple[Float[np.ndarray, "S"], Float[np.ndarray, "S A"], int]:
        """Modified policy iteration from V in one call of compiled code, on one thread: until half the span of T V - V is at most `goal`, or does not fall, or there
        were `limit` sweeps. The value, the constant included, its Q, and the number of sweeps."""
        V, spare, policy, Q = V.copy(), np.empty_like(V), np.empty(len(V), dtype=np.uint64), np.empty_like(self.r)
        steps = compiled(modified_rows, best_rows, policy_rows)(*self.entries, self.r, self.gamma, V, spare, policy, Q, goal, limit)
        return V, Q, steps

    def _step(self, loop: Any, V: np.ndarray, policy: np.ndarray, *until: Any) -> Any:
        after, run, actions = np.empty_like(V), compiled(loop), unsigned(policy)
        if len(self.starts) == 1:
            return after, *run(self.starts[0], self.stops[0], *self.entries, self.r, self.gamma, V, after, actions, *until)
        found = on_threads(lambda i, j: run(i, j, *self.entries, self.r, self.gamma, V, after, actions, *until), self.starts, self.stops)
        return after, min(part[0] for part in found), max(part[1] for part in found), *found[0][2:]


# The loops that are compiled: rows start..stop of `after` from V, and the smallest and largest change. `gamma * 0` is zero in the precision of the entries: a sum
# that begins with 0.0 would be in double precision, 6% slower.


def best_rows(start, stop, indptr, indices, data, r, gamma, V, after, policy):
    low, high, A, one = np.inf, -np.inf, np.uint64(r.shape[1]), np.uint64(1)
    for s in range(np.uint64(start), np.uint64(stop)):
        best, action = -np.inf, np.uint64(0)
        for a in range(A):
            row, total = s * A + a, gamma * 0
            for j in range(indptr[row], indptr[row + one]):
                total += data[j] * V[indices[j]]
            value = r[s, a] + gamma * total
            if value > best:
                best, action = value, a
        after[s], policy[s] = best, action
        low, high = min(low, best - V[s]), max(high, best - V[s])
    return low, high


def policy_rows(start, stop, indptr, indices, data, r, gamma, V, after, policy, aim, limit):
    A, one, first, n = np.uint64(r.shape[1]), np.uint64(1), np.inf, 0
    while True:
        low, high = np.inf, -np.inf
        for s in range(np.uint64(start), np.uint64(stop)):
            a = policy[s]
            row, total = s * A + a, gamma * 0
            for j in range(indptr[row], indptr[row + one]):
                total += data[j] * V[indices[j]]
            value = r[s, a] + gamma * total
            after[s] = value
            low, high = min(low, value - V[s]), max(high, value - V[s])
        size, n = (high - low) / 2, n + 1
        if n == 1:
            first = size
        if n == limit or not aim < size <= GROWTH * first < np.inf:
            return low, high, first, n
        constant = gamma * ((high + low) / 2 / (1 - gamma))
        for s in range(np.uint64(start), np.uint64(stop)):
            V[s] = after[s] + constant


def modified_rows(indptr, indices, data, r, gamma, V, after, policy, Q, goal, limit):
    steps, before, A, one = 0, np.inf, np.uint64(r.shape[1]), np.uint64(1)
    while True:
        low, high = best_rows(0, len(V), indptr, indices, data, r, gamma, V, after, policy)
        V[:] = after + gamma * ((high + low) / 2 / (1 - gamma))
        size, steps = (high - low) / 2, steps + 1
        if not goal < size < before or steps >= limit:
            break
        before = size
        low, high, _, n = policy_rows(0, len(V), indptr, indices, data, r, gamma, V, after, policy, max(FALL * size, 0.3 * goal), SWEEPS)
        V[:] = after + gamma * ((high + low) / 2 / (1 - gamma))
        steps += n
    for s in range(np.uint64(len(V))):
        for a in range(A):
            row, total = s * A + a, gamma * 0
            for j in range(indptr[row], indptr[row + one]):
                total += data[j] * V[indices[j]]
            Q[s, a] = r[s, a] + gamma * total
    return steps
