"""The linear system of a Markov chain, with a proven bound on the error of its solutions.

Write M = I - gamma K, K substochastic. M is a Z-matrix (no positive entry off the diagonal). If some x > 0 has M x > 0 then M is a
nonsingular M-matrix: its inverse exists and has no negative entry (Berman and Plemmons 1979, Theorem 6.2.3, I27 and N38). So

    |M^-1|_inf = max of the solution of M x = 1,

and for a computed x > 0 whose residual satisfies |1 - M x| <= e < 1 one has M x >= (1 - e) 1, hence x >= (1 - e) M^-1 1 and

    |M^-1|_inf <= max(x) / (1 - e).

This is checked after the solve, with the rounding of the residual added to e: nothing about the solve itself is assumed.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float
from scipy.linalg import LinAlgWarning, lu_factor, lu_solve
from scipy.sparse.linalg import splu

from pgtheory.tabular.errors import NonTerminating
from pgtheory.tabular.models.mdp import nonzeros

UNIT = 2.0**-53
"""Unit roundoff of float64."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Chain:
    """The systems M x = b and M^T y = c with M = I - gamma K; K (S, S) is dense (LAPACK) or sparse (SuperLU).

    Cost: one factorisation, O(S^3) dense, the fill-in when sparse; then O(S^2) or O(fill) a solve.
    """

    K: np.ndarray | sp.csr_array
    gamma: float

    @cached_property
    def _solver(self) -> Callable[[np.ndarray, bool], np.ndarray]:
        if sp.issparse(self.K):
            try:
                factors = splu((sp.eye_array(self.K.shape[0]) - self.gamma * self.K).tocsc())
            except RuntimeError:
                raise too_long() from None
            return lambda b, transposed: factors.solve(b, trans="T" if transposed else "N")
        with warnings.catch_warnings():
            # A pivot of zero is reported by the residual of `inverse_norm`, as every other failure is.
            warnings.simplefilter("ignore", LinAlgWarning)
            pair = lu_factor(np.eye(len(self.K)) - self.gamma * self.K)
        return lambda b, transposed: lu_solve(pair, b, trans=int(transposed))

    def solve(self, b: Float[np.ndarray, "S *k"]) -> Float[np.ndarray, "S *k"]:
        """x with M x = b, for one right-hand side or several as columns."""
        return self._solver(b, False)

    def solve_transposed(self, c: Float[np.ndarray, "S"]) -> Float[np.ndarray, "S"]:
        """y with M^T y = c."""
        return self._solver(c, True)

    @cached_property
    def length(self) -> Float[np.ndarray, "S"]:
        """M^-1 1, the expected discounted number of steps from each state."""
        return self.solve(np.ones(self.K.shape[0]))

    @cached_property
    def inverse_norm(self) -> float:
        """A number that is at least |M^-1|_inf, by the argument at the top of this file.

        Raises:
            NonTerminating: float64 cannot tell the chain from one that never ends.
        """
        x = self.length
        if not len(x):
            return 0.0
        if not (np.isfinite(x).all() and (x > 0).all()):
            raise too_long()
        slack = 2 * (int(nonzeros(self.K).max()) + 4) * UNIT * (1 + 2 * x.max())
        e = abs(1 - (x - self.gamma * (self.K @ x))).max() + slack
        if e >= 1:
            raise too_long()
        return float(x.max() / (1 - e) * (1 + 8 * UNIT))


def too_long() -> NonTerminating:
    """The error of a chain that ends, but so rarely that the digits of float64 do not show it."""
    return NonTerminating(
        "the episode ends under this policy, but so rarely that float64 cannot solve for its value (expected length of order 1e15 or more). "
        "Take a policy that is less extreme, or gamma below 1."
    )
