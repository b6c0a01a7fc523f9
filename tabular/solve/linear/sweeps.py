"""Successive approximation x <- b + gamma K x, with the constant taken out where the rows of K have one sum.

If K 1 = c 1, an added constant k changes the residual d = b + gamma K x - x by -(1 - gamma c) k. Adding m / (1 - gamma c) with m the middle of the range of d
leaves a residual of half its span, and the span shrinks as the chain forgets where it started, not as gamma^n (Puterman 1994, Section 6.6).
For M' the same is said of the total: with 1'y = 1'b / (1 - gamma c) at the start, the residual sums to zero at every step, and K' shrinks such vectors.
"""

from typing import ClassVar

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.solve.linear.solver import Aim, Refused, norm
from pgtheory.tabular.solve.structure import Structure

PATIENCE = 8
"""Sweeps after which the rate is trusted, and looked at again."""


class Sweeps:
    """Cost: one product with K a step; about log(1e-10) / log(second eigenvalue of K) steps. Memory: a few vectors.

    Hands on what does not shrink: periodic chains, chains of several slow parts, substochastic chains that end late.
    """

    name: ClassVar[str] = "sweeps"

    def __init__(self, structure: Structure) -> None:
        self.structure = structure
        self.rate = structure.gamma * float(structure.row_sums.mean()) if structure.constant_sum else 0.0
        if structure.contraction >= 1:
            raise Refused("its rows sum to one and gamma is 1, so that sweeps need not converge")

    def solve(self, b: Float[np.ndarray, "S *k"], transposed: bool, aim: Aim) -> tuple[Float[np.ndarray, "S *k"], int]:
        """Sweeps until the residual is as small as `aim` asks, or does not shrink fast enough."""
        x, residuals, step = b / (1 - self.rate) if transposed else np.zeros_like(b), [], 0
        for step in range(1, aim.steps + 1):
            y = b + self.structure.gamma * self.structure.product(x, transposed)
            d = y - x
            if not transposed and self.rate:
                # The correction of x moves y by rate times as much: y + shift is one more sweep from the corrected x.
                middle = 0.5 * (d.max(axis=0) + d.min(axis=0))
                y += self.rate / (1 - self.rate) * middle
                d -= middle
            x = y
            residuals.append(norm(d, transposed))
            allowed = aim.allowed(norm(x, transposed))
            if (residuals[-1] <= allowed).all() or (step % PATIENCE == 1 < step and hopeless(residuals, allowed, aim.steps - step)):
                break
        return x, step


def hopeless(residuals: list[np.ndarray], allowed: np.ndarray, left: int) -> bool:
    """Whether some column, at the rate of the last PATIENCE sweeps, needs more than `left` others, or does not shrink, or is not a number."""
    now, before = residuals[-1], residuals[-1 - PATIENCE]
    with np.errstate(all="ignore"):
        rate = np.log(now / before) / PATIENCE
        in_reach = (rate < 0) & (np.log(allowed / now) / rate <= left)
    return bool(np.any(~(now <= allowed) & ~in_reach))
