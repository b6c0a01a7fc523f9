"""LU factorisation within a band, by LAPACK."""

from typing import Any, ClassVar

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float
from scipy.linalg.lapack import dgbtrf, dgbtrs, dgttrf, dgttrs

from pgtheory.tabular.solve.linear.solver import Aim, Refused
from pgtheory.tabular.solve.structure import Structure


class Banded:
    """Entries within l below and u above the diagonal, as they stand or in reverse Cuthill-McKee order, whichever band is narrower.

    Cost: 2 S l (l + u) operations once, 2 S (2 l + u) a right-hand side; memory S (2 l + u). Three diagonals are an elimination of 8 S operations.
    Source: Golub and Van Loan (2013), Section 4.3.
    """

    name: ClassVar[str] = "banded"
    single = False
    LIMIT = 400_000_000
    """Largest number of stored entries: 3.2 GB."""

    def __init__(self, structure: Structure) -> None:
        S = structure.size
        self.order = None
        K, (l, u) = structure.K, structure.bandwidth
        if l > 1 or u > 1:
            below, above = structure.ordered_bandwidth
            if 2 * below + above < 2 * l + u:
                self.order, K, l, u = structure.order, structure.ordered, below, above
        if S * (2 * l + u + 1) > self.LIMIT:
            raise Refused(f"the band of {l} below and {u} above the diagonal needs more memory than is sensible; take another method")
        self.l, self.u, self.tridiagonal = l, u, l <= 1 and u <= 1 and S > 2
        if self.tridiagonal:
            l = u = 1
        M = -structure.gamma * diagonals(K, l, u)
        M[u] += 1
        if self.tridiagonal:
            *self.factors, _ = dgttrf(M[2, :-1], M[1], M[0, 1:], overwrite_dl=True, overwrite_d=True, overwrite_du=True)
        else:
            *self.factors, _ = dgbtrf(np.concatenate([np.zeros((l, S)), M]), l, u)

    def solve(self, b: Float[np.ndarray, "S *k"], transposed: bool, aim: Aim) -> tuple[Float[np.ndarray, "S *k"], int]:
        """One pair of triangular solves. A pivot of zero gives infinities, which the residual reports."""
        c = b if self.order is None else b[self.order]
        if self.tridiagonal:
            x, _ = dgttrs(*self.factors, c, trans="T" if transposed else "N")
        else:
            lu, pivots = self.factors
            x, _ = dgbtrs(lu, self.l, self.u, c, pivots, trans=int(transposed))
        if self.order is None:
            return x, 1
        back = np.empty_like(x)
        back[self.order] = x
        return back, 1


def diagonals(K: Any, l: int, u: int) -> Float[np.ndarray, "l+u+1 S"]:
    """LAPACK's form of a band: entry (i, j) stands in row u + i - j of column j; what is stored twice is added up."""
    S = K.shape[1]
    if sp.issparse(K) and K.format == "dia":
        band = np.zeros((l + u + 1, S))
        band[u - K.offsets] = K.data
        return band
    K = sp.csr_array(K)
    i = np.repeat(np.arange(S), np.diff(K.indptr))
    return np.bincount((u + i - K.indices) * S + K.indices, weights=K.data, minlength=(l + u + 1) * S).reshape(-1, S)
