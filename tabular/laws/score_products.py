"""Products of the return to go with the sums of scores and of baselines to come, for a block of columns.

Psi_t = psi_t + Psi_{t+1} is the sum of the scores from step t on, Z_t = psi_t b_t + Z_{t+1} that of scores times baselines.

    Y^i(s) = E[R_t^i Psi_t | s],  i = 0, 1, 2,      Z^i(s) = E[R_t^i Z_t | s],  i = 0, 1,
    u_i(s, a) = E[R_t^i Psi_{t+1} | s, a] = sum_j C(i, j) gamma^j (P o E[r^(i-j)]) Y^j',      Y^i = E_b[u_i + psi E[R_t^i | s, a]],      z_i and Z^i likewise.

If psi has mean zero under the data, Y^0, Z^0, u_0 and z_0 vanish and are not carried; nor is Z without a baseline.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float

from pgtheory.tabular.laws.columns import Columns
from pgtheory.tabular.laws.compiled import compiled_products_back
from pgtheory.tabular.laws.earnings import Earnings, Past, UntilTheEnd
from pgtheory.tabular.laws.transitions import Kernel


@dataclass(frozen=True, eq=False, kw_only=True)
class ScoreProducts:
    """Which of Y^0, Y^1, Y^2, Z^0, Z^1 are carried for a block of columns, one step back at a time; as an array (n, S, k).

    Attributes:
        earnings: the rewards of a row.
        columns: the block.
        baseline: whether there is one, that is not constant: else Z vanishes.
        compiled: whether the loop of `compiled.py` goes one step back; P must be sparse then.
    """

    earnings: Earnings
    columns: Columns
    baseline: bool
    compiled: bool = False

    @cached_property
    def centred(self) -> bool:
        """Whether psi has mean zero under the data: then the orders i = 0 vanish."""
        return self.columns.centred

    @cached_property
    def orders(self) -> list[tuple[int, int]]:
        """(0, i) for Y^i and (1, i) for Z^i, of those that are carried."""
        return [(kind, i) for kind, most in ((0, 3), (1, 2 * self.baseline)) for i in range(self.centred, most)]

    @cached_property
    def _kernels(self) -> list[Kernel]:
        return [_beside(self.earnings.back[i][self.centred : i + 1]) for _, i in self.orders]

    @cached_property
    def _entries(self) -> tuple[np.ndarray, ...]:
        """Pattern, entries, sources and targets for the compiled loop."""
        links = [(kind, i, j) for kind, i in self.orders for j in range(self.centred, i + 1)]
        place = {order: n for n, order in enumerate(self.orders)}
        pattern: Any = self.earnings.moves[0]
        entries = np.array([self.earnings.ahead[i][j].data for _, i, j in links])  # type: ignore[union-attr]
        unsigned = lambda x: np.asarray(x, dtype=np.uint32)
        source, target = [place[kind, j] for kind, _, j in links], [place[kind, i] for kind, i, _ in links]
        return unsigned(pattern.indptr), unsigned(pattern.indices), entries, unsigned(source), unsigned(target)

    def zeros(self) -> Float[np.ndarray, "n S k"]:
        """The tables after the last step."""
        return np.zeros((len(self.orders), len(self.earnings.actions), self.columns.size))

    def back(
        self, later: Float[np.ndarray, "n S k"], into: Float[np.ndarray, "SA k"], past: Past, q: Sequence[np.ndarray], b: np.ndarray | float
    ) -> Float[np.ndarray, "n S k"]:
        """The tables at step t from those at t + 1; what step t has in common with the later ones is added to `into`."""
        found = np.empty_like(later)
        if self.compiled:
            factors = self._factors(past, b)
            factors = np.array([factors[kind][i] for kind, i in self.orders]) * self.earnings.actions.ravel()
            compiled_products_back()(*self._entries, later, factors, self.earnings.actions, into, found)
        else:
            into += self.crossed(later, past, b)
            for n, (_, i) in enumerate(self.orders):
                lowest = n - i + self.centred
                found[n] = self._kernels[n] @ later[lowest : n + 1].reshape(-1, later.shape[2])
        for table, (kind, i) in zip(found, self.orders, strict=True):
            self.columns.add_mean(table, self._weight(kind, b) * q[i])
        return found

    def solved(self, ending: UntilTheEnd, q: Sequence[np.ndarray], b: np.ndarray | float) -> Float[np.ndarray, "n S k"]:
        """The tables of a row without a horizon."""
        found = self.zeros()
        for n, (kind, i) in enumerate(self.orders):
            for j in range(self.centred, i):
                found[n] += self.earnings.back[i][j] @ found[n - i + j]
            self.columns.add_mean(found[n], self._weight(kind, b) * q[i])
            found[n] = ending.chain(i).solve(found[n])
        return found

    def crossed(self, tables: Float[np.ndarray, "n S k"], past: Past, b: np.ndarray | float) -> Float[np.ndarray, "SA k"]:
        """actions(a|s) v(s, a), v = E[(R - b) (R Psi_{t+1} - Z_{t+1}); s | a]: what a step and those after it have in common."""
        factors = [[self.earnings.actions.ravel() * f for f in part] for part in self._factors(past, b)]
        parts = []
        for kind, j in self.orders:
            later = range(j, len(factors[kind]))
            parts.append(_weighted([factors[kind][i] for i in later], [self.earnings.ahead[i][j] for i in later]))
        return _beside(parts) @ tables.reshape(-1, tables.shape[2])

    def _factors(self, past: Past, b: np.ndarray | float) -> list[list[np.ndarray]]:
        """Factors of u_i and of z_i in v, one a pair."""
        return [[np.repeat(f, self.earnings.actions.shape[1]) for f in part] for part in (past.scores(b), past.baselines(b))]

    @staticmethod
    def _weight(kind: int, b: np.ndarray | float) -> np.ndarray | float:
        return np.reshape(b, (-1, 1)) if kind else 1.0


def _beside(kernels: Sequence[Kernel]) -> Kernel:
    return sp.hstack(kernels, format="csr") if sp.issparse(kernels[0]) else np.hstack(kernels)  # type: ignore[return-value]


def _weighted(factors: Sequence[np.ndarray], kernels: Sequence[Kernel]) -> Kernel:
    """sum_i diag(factor_i) kernel_i, of kernels on one pattern."""
    first: Any = kernels[0]
    if not sp.issparse(first):
        return sum(factor[:, None] * kernel for factor, kernel in zip(factors, kernels, strict=True))  # type: ignore[return-value]
    row = np.repeat(np.arange(first.shape[0]), np.diff(first.indptr))
    data = sum(factor[row] * kernel.data for factor, kernel in zip(factors, kernels, strict=True))
    return sp.csr_array((data, first.indices, first.indptr), shape=first.shape)
