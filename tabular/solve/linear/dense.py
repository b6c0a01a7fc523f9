"""LU factorisation of the full matrix, by LAPACK."""

from typing import ClassVar

import numpy as np
from jaxtyping import Float
from scipy.linalg.lapack import dgetrf, dgetrs

from pgtheory.tabular.solve.linear.solver import Aim, Refused
from pgtheory.tabular.solve.structure import Structure


class Dense:
    """Cost: 2/3 S^3 operations once, 2 S^2 a right-hand side; memory S^2. Source: Golub and Van Loan (2013), Section 3.4."""

    name: ClassVar[str] = "dense"
    single = False
    LIMIT = 20_000
    """Largest S: 3.2 GB."""

    def __init__(self, structure: Structure) -> None:
        if structure.size > self.LIMIT:
            raise Refused(f"a full matrix of {structure.size} states needs more memory than is sensible; the limit is {self.LIMIT} states")
        K = structure.K.toarray() if structure.sparse else structure.K
        M = np.multiply(K, -structure.gamma, order="C")
        M.ravel()[:: structure.size + 1] += 1
        # LAPACK stores columns: the rows of M are the columns of M', which is factorised without a copy.
        self.lu, self.pivots, _ = dgetrf(M.T, overwrite_a=1)

    def solve(self, b: Float[np.ndarray, "S *k"], transposed: bool, aim: Aim) -> tuple[Float[np.ndarray, "S *k"], int]:
        """One pair of triangular solves. A pivot of zero gives infinities, which the residual reports."""
        x, _ = dgetrs(self.lu, self.pivots, b, trans=0 if transposed else 1)
        return x, 1
