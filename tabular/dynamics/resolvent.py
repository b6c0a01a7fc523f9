"""Linear systems with I - gamma P_pi, for one problem or for many at once."""

from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.linalg.lapack import dgetrf, dgetrs

from pgtheory.tabular.errors import NonTerminating


class Resolvent:
    """The factors of M = I - K, K nonnegative with row sums of at most one; N systems of size S.

    One problem goes to LAPACK. Several are eliminated together with the problems on the last axis, S steps whatever N is, without pivots: the rows of M are
    diagonally dominant, so no entry grows by more than a factor of 2 (Wilkinson 1961; Higham 2002, theorem 9.9).
    Cost: O(N S^3) to factor, O(N S^2) a system; S numpy calls for the first, 2 S for the second.

    Raises:
        NonTerminating: a matrix is singular.
    """

    def __init__(self, M: Float[np.ndarray, "N S S"]) -> None:
        self.single = len(M) == 1
        self.factors: Any
        if self.single:
            lu, pivots, singular = dgetrf(M[0])
            self.factors = (lu, pivots)
        else:
            lu = np.ascontiguousarray(np.moveaxis(M, 0, 2))
            for k in range(len(lu) - 1):
                lu[k + 1 :, k] /= lu[k, k]
                lu[k + 1 :, k + 1 :] -= lu[k + 1 :, k, None] * lu[k, None, k + 1 :]
            self.factors = lu
            singular = (np.einsum("kkn->kn", lu) <= 0).any()
        if singular:
            raise NonTerminating(
                "I - gamma P_pi is singular: gamma is 1 and under this policy the episode does not end. Give gamma < 1, or a policy that ends."
            )

    def solve(self, b: Float[np.ndarray, "N S"]) -> Float[np.ndarray, "N S"]:
        """x with M x = b: values from rewards."""
        if self.single:
            return dgetrs(*self.factors, b[0])[0][None]
        lu, x = self.factors, np.array(b.T, order="C")
        for k in range(len(x) - 1):
            x[k + 1 :] -= lu[k + 1 :, k] * x[k]
        for k in reversed(range(len(x))):
            x[k] /= lu[k, k]
            x[:k] -= lu[:k, k] * x[k]
        return x.T

    def solve_transposed(self, b: Float[np.ndarray, "N S"]) -> Float[np.ndarray, "N S"]:
        """x with M' x = b: visits from first states."""
        if self.single:
            return dgetrs(*self.factors, b[0], trans=1)[0][None]
        lu, x = self.factors, np.array(b.T, order="C")
        for k in range(len(x)):
            x[k] /= lu[k, k]
            x[k + 1 :] -= lu[k, k + 1 :] * x[k]
        for k in reversed(range(1, len(x))):
            x[:k] -= lu[k, :k] * x[k]
        return x.T
