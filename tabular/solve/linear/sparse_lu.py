"""Sparse LU factorisation, by SuperLU."""

from typing import ClassVar

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float
from scipy.sparse.linalg import splu

from pgtheory.tabular.solve.linear.solver import Aim, Refused
from pgtheory.tabular.solve.structure import Structure


class SparseLU:
    """Cost: the fill-in, which is small for trees and grids and S^2 for chains that jump anywhere.

    M has no positive entry off the diagonal and rows that sum to at least zero: it may be eliminated along its diagonal, in an order chosen for the pattern of
    M + M', which halves the fill of grids. Source: Li (2005); Higham (2002), Section 9.5 for diagonal dominance.
    """

    name: ClassVar[str] = "sparse-lu"
    single = False

    def __init__(self, structure: Structure) -> None:
        M = sp.eye_array(structure.size, format="csr") - structure.gamma * sp.csr_array(structure.K)
        l, u = structure.bandwidth
        order = "NATURAL" if l == 0 or u == 0 else "MMD_AT_PLUS_A"
        try:
            # SuperLU stores columns: the rows of M are the columns of M', which is factorised without a copy.
            self.factors = splu(M.T, permc_spec=order, diag_pivot_thresh=0.0, options={"SymmetricMode": True})
        except (RuntimeError, MemoryError) as problem:
            raise Refused(f"SuperLU: {problem}") from None

    def solve(self, b: Float[np.ndarray, "S *k"], transposed: bool, aim: Aim) -> tuple[Float[np.ndarray, "S *k"], int]:
        """One pair of triangular solves."""
        return self.factors.solve(b, trans="N" if transposed else "T"), 1
