"""BiCGSTAB: a Krylov method for matrices that are not symmetric, with a short recursion."""

from typing import ClassVar

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.solve.linear.solver import Aim, norm
from pgtheory.tabular.solve.structure import Structure

PATIENCE = 40
"""A restart follows when so many iterations did not halve the residual, or the recursion broke down."""


class Krylov:
    """Cost: two products with K and a dozen passes over the vector an iteration; memory: eight vectors. Columns are iterated side by side.

    The recursion's own residual drifts from the true one and breaks down where an inner product vanishes: each start computes it afresh, and the iterate of
    smallest true residual is kept. Source: van der Vorst (1992); Sleijpen and van der Vorst (1996) for the drift.
    """

    name: ClassVar[str] = "krylov"
    single = False

    def __init__(self, structure: Structure) -> None:
        self.structure = structure

    def solve(self, b: Float[np.ndarray, "S *k"], transposed: bool, aim: Aim) -> tuple[Float[np.ndarray, "S *k"], int]:
        """Restarts until the true residual is as small as `aim` asks, or a start gains less than a factor of two in every column that needs it."""
        x, r, steps = np.zeros_like(b), b, 0
        size = norm(r, transposed)
        while steps < aim.steps and not np.all(size <= aim.allowed(norm(x, transposed))):
            with np.errstate(all="ignore"):
                change, n = self._start(r, transposed, aim, norm(x, transposed), aim.steps - steps)
                steps += n
                residual = r - self._apply(change, transposed)
            after = norm(residual, transposed)
            better = after < size  # false where it is not a number
            x, r = np.where(better, x + change, x), np.where(better, residual, r)
            if not np.any(after < 0.5 * size):
                break
            size = np.where(better, after, size)
        return x, steps

    def _apply(self, v: np.ndarray, transposed: bool) -> np.ndarray:
        after = self.structure.product(v, transposed)
        after *= -self.structure.gamma
        after += v
        return after

    def _start(self, r: np.ndarray, transposed: bool, aim: Aim, known: np.ndarray, limit: int) -> tuple[np.ndarray, int]:
        """BiCGSTAB from zero towards M x = r; `known` is the norm of what was found before."""
        # Not np.dot: where the cores are busy, the threads of a BLAS take longer to start than a short sum takes.
        dot = lambda u, v: np.einsum("s...,s...->...", u, v)
        x, shadow, p, v = np.zeros_like(r), r, np.zeros_like(r), np.zeros_like(r)
        rho = alpha = omega = np.ones(r.shape[1:])
        least, since = norm(r, transposed), 0
        step = 0
        while step < limit:
            step += 1
            rho, old = dot(shadow, r), rho
            p -= omega * v
            p *= quotient(rho * alpha, old * omega)
            p += r
            v = self._apply(p, transposed)
            alpha = quotient(rho, dot(shadow, v))
            s = r - alpha * v
            t = self._apply(s, transposed)
            omega = quotient(dot(t, s), dot(t, t))
            x += alpha * p
            x += omega * s
            t *= -omega
            t += s
            r = t
            size = norm(r, transposed)
            since = 0 if np.any(size < 0.5 * least) else since + 1
            least = np.fmin(least, size) if since == 0 else least
            # Half of what is allowed is left to the drift of the recursion.
            allowed = aim.allowed(np.maximum(known, norm(x, transposed)) if aim.relative else known)
            if since > PATIENCE or not np.all(np.isfinite(size)) or np.all(size <= 0.5 * allowed):
                break
        return x, step


def quotient(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a / b; 0 where b is 0, so that a column that is solved stays as it is."""
    return np.where(b == 0, 0.0, a / b)
