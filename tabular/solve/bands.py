"""A model that moves near its diagonal, stored by diagonals: no index is read, and every step is one along contiguous arrays."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float, Int

FILLED = 0.5
"""Share of nonzero entries from which on a band is stored by diagonals."""


@dataclass(frozen=True, eq=False)
class Bands:
    """The transitions of all actions by diagonals, each entry in its column: table[k, a, t] = P[t - o, a, t] with o = offsets[k], 0 where t - o is no state.

    Cost of an expectation: one pass over the table; of the chain of a policy: one of 1 / A of it.
    """

    table: Float[np.ndarray, "k A S"]
    offsets: Int[np.ndarray, "k"]

    @classmethod
    def of(cls, P: sp.csr_array, A: int, narrow: float) -> "Bands | None":
        """From rows (S*A, S) without repeated entries, if below (below + above) <= narrow and the diagonals are mostly filled; else None."""
        S, kind, middle = P.shape[1], P.indices.dtype, P.shape[1] // 2
        near = P.indices[P.indptr[middle * A] : P.indptr[(middle + 1) * A]]
        if len(near) and (middle - int(near.min())) * (int(near.max()) - int(near.min())) > narrow:
            return None  # most models are refused at a glance, into the middle, for from the first states nothing leads far back
        offset = P.indices[: P.indptr[-1]] - np.repeat(np.repeat(np.arange(S, dtype=kind), A), np.diff(P.indptr))
        below, above = max(-int(offset.min(initial=0)), 0), max(int(offset.max(initial=0)), 0)
        if below * (below + above) > narrow:
            return None
        offsets = np.arange(-below, above + 1)
        if P.nnz < FILLED * len(offsets) * P.shape[0]:
            return None
        by_row = sp.csr_array((P.data, offset + kind.type(below), P.indptr), shape=(P.shape[0], len(offsets))).toarray().reshape(S, A, -1)
        table = np.zeros((len(offsets), A, S))
        for k, o in enumerate(offsets):
            table[k, :, max(o, 0) : S + min(o, 0)] = by_row[max(-o, 0) : S - max(o, 0), :, k].T
        return cls(table, offsets)

    def chain(self, policy: Int[np.ndarray, "S"]) -> sp.dia_array:
        """Transitions (S, S) of a policy, in the same form."""
        k, A, S = self.table.shape
        data, cell = np.zeros((k, S)), policy * S + np.arange(S)
        for row, table, o in zip(data, self.table.reshape(k, A * S), self.offsets, strict=True):
            table.take(cell[max(-o, 0) : S - max(o, 0)] + o, out=row[max(o, 0) : S + min(o, 0)], mode="clip")
        return sp.dia_array((data, self.offsets), shape=(S, S))

    def expectation(self, V: Float[np.ndarray, "S"]) -> Float[np.ndarray, "S A"]:
        """sum_t P[s, a, t] V(t), with the states along the memory."""
        _, A, S = self.table.shape
        total = np.zeros((A, S))
        for table, o in zip(self.table, self.offsets, strict=True):
            total[:, max(-o, 0) : S - max(o, 0)] += (table * V)[:, max(o, 0) : S + min(o, 0)]
        return total.T
