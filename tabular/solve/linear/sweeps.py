"""Successive approximation x <- b + gamma K x, with the constant taken out where the rows of K have one sum.

If K 1 = c 1, an added constant k changes the residual d = b + gamma K x - x by -(1 - gamma c) k. Adding m / (1 - gamma c) with m the middle of the range of d
leaves a residual of half its span, and the span shrinks as the chain forgets where it started, not as gamma^n (Puterman 1994, Section 6.6).
For M' the same is said of the total: with 1'y = 1'b / (1 - gamma c) at the start, the residual sums to zero at every step, and K' shrinks such vectors.
"""

from collections.abc import Callable
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.solve.linear.solver import Aim, Refused, norm
from pgtheory.tabular.solve.structure import LARGE, Structure

PATIENCE = 8
"""Sweeps after which the rate is trusted, and looked at again."""

DIGITS = 1e-5
"""Factor by which sweeps in single precision reduce a residual: what is left of their seven digits when the shift has taken its share."""


class Sweeps:
    """Cost: one product with K a step; about log(1e-10) / log(second eigenvalue of K) steps. Memory: a few vectors.

    A large K is swept in single precision, which halves what a step reads: iterative refinement, in which each round solves for the error of x and the
    residual of x is taken in double precision. Source: Higham (2002), Chapter 12. Hands on what does not shrink: periodic chains, chains of several slow
    parts, substochastic chains that end late.
    """

    name: ClassVar[str] = "sweeps"

    def __init__(self, structure: Structure) -> None:
        self.structure = structure
        self.rate = structure.gamma * float(structure.row_sums.mean()) if structure.constant_sum else 0.0
        if structure.contraction >= 1:
            raise Refused("its rows sum to one and gamma is 1, so that sweeps need not converge")

    def solve(self, b: Float[np.ndarray, "S *k"], transposed: bool, aim: Aim) -> tuple[Float[np.ndarray, "S *k"], int]:
        """Sweeps until the residual is as small as `aim` asks, or does not shrink fast enough."""
        if self.structure.sparse and self.structure.entries >= LARGE:
            return self._refined(b, transposed, aim)
        return self._swept(b, lambda x: self.structure.product(x, transposed), transposed, aim)

    def _refined(self, b: np.ndarray, transposed: bool, aim: Aim) -> tuple[np.ndarray, int]:
        single = self.structure.flipped.single if transposed else self.structure.single
        x, residual, before, steps = self._start(b, True) if transposed else np.zeros_like(b), b, np.inf, 0
        while True:
            if x.any():  # zero is where M begins, whose residual takes no product; M' begins with its total in double precision
                residual = b + self.structure.gamma * self.structure.product(x, transposed) - x
            if not transposed and self.rate:
                shift = middle(residual) / (1 - self.rate)
                x, residual = x + shift, residual - middle(residual)
            steps, size, allowed = steps + 1, norm(residual, transposed), aim.allowed(norm(x, transposed))
            if (size <= allowed).all() or steps >= aim.steps or not (size <= 0.5 * before).any():
                return x, steps
            # Each residual is scaled to one, so that none is below what float32 can hold.
            scale = np.where(size > 0, size, 1.0)
            inner = Aim(float(np.maximum(DIGITS, 0.5 * allowed / scale).min()), 0.0, aim.steps - steps)
            y, more = self._swept((residual / scale).astype(np.float32), lambda v: single.product(v, False), transposed, inner)
            x, before, steps = x + scale * y, size, steps + more

    def _start(self, b: np.ndarray, transposed: bool) -> np.ndarray:
        """The first sweep from zero, and for M' what is missing in its total, evenly."""
        return b + (self.rate / (1 - self.rate) * b.mean(axis=0) if transposed else 0)

    def _swept(self, b: np.ndarray, product: Callable[[np.ndarray], np.ndarray], transposed: bool, aim: Aim) -> tuple[np.ndarray, int]:
        x, residuals, step = self._start(b, transposed), [], 0
        for step in range(1, aim.steps + 1):
            y = b + self.structure.gamma * product(x)
            d = y - x
            if not transposed and self.rate:
                # The correction of x moves y by rate times as much: y + shift is one more sweep from the corrected x. In single precision a constant
                # of that size would cost the digits of what is left; it is taken away instead, and what it misses is added in double precision.
                shift = middle(d)
                y += (self.rate / (1 - self.rate) if d.dtype == np.float64 else -1) * shift
                d -= shift
            x = y
            residuals.append(norm(d, transposed))
            allowed = aim.allowed(norm(x, transposed))
            if (residuals[-1] <= allowed).all() or (step % PATIENCE == 1 < step and hopeless(residuals, allowed, aim.steps - step)):
                break
        return x, step


def middle(d: Float[np.ndarray, "S *k"]) -> Float[np.ndarray, "*k"]:
    """The middle of the range of each column."""
    return 0.5 * (d.max(axis=0) + d.min(axis=0))


def hopeless(residuals: list[np.ndarray], allowed: np.ndarray, left: int) -> bool:
    """Whether some column, at the rate of the last PATIENCE sweeps, needs more than `left` others, or does not shrink, or is not a number."""
    now, before = residuals[-1], residuals[-1 - PATIENCE]
    with np.errstate(all="ignore"):
        rate = np.log(now / before) / PATIENCE
        in_reach = (rate < 0) & (np.log(allowed / now) / rate <= left)
    return bool(np.any(~(now <= allowed) & ~in_reach))
