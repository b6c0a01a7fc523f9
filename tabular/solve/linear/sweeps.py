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

LOST = 200
"""A start so many times as large as the right-hand side would cost these digits in single precision."""


class Sweeps:
    """Cost: one product with K a step; about log(1e-10) / log(second eigenvalue of K) steps. Memory: a few vectors.

    A large K is swept in single precision, which halves what a step reads; `chain.py` takes the residual in double precision and has it solved for in turn.
    Hands on what does not shrink: periodic chains, chains of several slow parts, substochastic chains that end late.
    """

    name: ClassVar[str] = "sweeps"

    def __init__(self, structure: Structure) -> None:
        self.structure = structure
        self.rate = structure.gamma * float(structure.row_sums.mean()) if structure.constant_sum else 0.0
        self.single = structure.sparse and structure.entries >= LARGE
        if structure.contraction >= 1:
            raise Refused("its rows sum to one and gamma is 1, so that sweeps need not converge")

    def solve(self, b: Float[np.ndarray, "S *k"], transposed: bool, aim: Aim) -> tuple[Float[np.ndarray, "S *k"], int]:
        """Sweeps until the residual is as small as `aim` asks, or does not shrink fast enough; in single precision until five digits of b are gone."""
        if not self.single:
            return self._swept(b, self._start(b, transposed), lambda x: self.structure.product(x, transposed), transposed, aim)
        start, steps = np.zeros_like(b), 0
        if transposed and np.any(abs(b.sum(axis=0)) > LOST * (1 - self.rate) * norm(b, True)):
            start, steps = self._start(b, True), 1
            b = b + self.structure.gamma * self.structure.product(start, True) - start
        # Scaled to one, so that nothing is below what float32 can hold. Before it is rounded, for its total may be far less than what rounding adds to it.
        scale = np.where(b.any(axis=0), norm(b, transposed), 1.0)
        inner = Aim(np.maximum(DIGITS, 0.5 * aim.allowed(np.zeros_like(scale)) / scale), 0.0, aim.steps - steps)
        b, x = b / scale, self._start(b / scale, transposed)
        product = lambda v: self.structure.single.product(v, transposed)
        x, more = self._swept(b.astype(np.float32), x.astype(np.float32), product, transposed, inner)
        return start + scale * x, steps + more

    def _start(self, b: np.ndarray, transposed: bool) -> np.ndarray:
        """The first sweep from zero, and for M' what is missing in its total, evenly."""
        return b + (self.rate / (1 - self.rate) * b.mean(axis=0) if transposed else 0)

    def _swept(self, b: np.ndarray, x: np.ndarray, product: Callable[[np.ndarray], np.ndarray], transposed: bool, aim: Aim) -> tuple[np.ndarray, int]:
        residuals, step, constant = [], 0, 0.0
        for step in range(1, aim.steps + 1):
            y = product(x)
            y *= self.structure.gamma
            y += b
            d = y - x
            if transposed or not self.rate:
                residuals.append(norm(d, transposed))
            else:
                # The correction of x moves y by rate times as much: y + shift is one more sweep from the corrected x. In single precision a constant
                # of that size would cost the digits of what is left; it is taken away instead, and what x then lacks is added in the end.
                low, high = d.min(axis=0), d.max(axis=0)
                shift = (low + high) / 2
                y += (self.rate / (1 - self.rate) if d.dtype == np.float64 else -1) * shift
                constant = 0.0 if d.dtype == np.float64 else shift.astype(np.float64) / (1 - self.rate)
                residuals.append((high - low) / 2)
            x = y
            allowed = aim.allowed(norm(x, transposed) if aim.relative else residuals[-1])
            if (residuals[-1] <= allowed).all() or (step % PATIENCE == 1 < step and hopeless(residuals, allowed, aim.steps - step)):
                break
        return x + constant, step


def hopeless(residuals: list[np.ndarray], allowed: np.ndarray, left: int) -> bool:
    """Whether some column, at the rate of the last PATIENCE sweeps, needs more than `left` others, or does not shrink, or is not a number."""
    now, before = residuals[-1], residuals[-1 - PATIENCE]
    with np.errstate(all="ignore"):
        rate = np.log(now / before) / PATIENCE
        in_reach = (rate < 0) & (np.log(allowed / now) / rate <= left)
    return bool(np.any(~(now <= allowed) & ~in_reach))
