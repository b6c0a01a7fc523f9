"""A start in single precision: half of the bytes, for the sweeps whose digits the later ones replace."""

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.arrays import largest
from pgtheory.tabular.solve.certificates import effective_horizon
from pgtheory.tabular.solve.iteration.greedy import wanted
from pgtheory.tabular.solve.play import Play
from pgtheory.tabular.solve.rows import FALL, SWEEPS, Rows

LATE = 0.01
"""The share of the residual at which the sweeps of one policy end in the second stage, where few actions change any more; in the first it is FALL."""

PATIENCE = 1000
"""Sweeps of a stage; a chain that needs more forgets slowly, and other methods are better (`choice.py`)."""

FLOOR = 64 * 2.0**-24
"""Residuals below this share of the span of the value are rounding in single precision."""


def coarse_start(play: Play, tolerance: float | None) -> tuple[Float[np.ndarray, "S"], int]:
    """A value V that is optimal up to about the error that is wanted, or to 1e-12 of its span, and the number of sweeps.

    Modified policy iteration for a sparse model in which no action ends the episode, refined once: with the advantages b_a = r_a + gamma P_a V - V in double
    precision, V + d is optimal iff d = max_a b_a + gamma P_a d, a problem of the same form whose digits are those that V lacks. Constants are kept out of d
    and of b on the way, so that the digits of float32 go to the differences, which are all that decides. Nothing is proven here: what follows starts from V, and the
    certificate judges the end. Cost: compiled loops over the entries, all of them for the best actions and a share of 1 / A for a sweep; one copy of the
    entries in float32. Source: Golub and Van Loan (2013), Section 3.5.3, for linear systems.
    """
    r, gamma, horizon = play.mdp.mean_reward, play.mdp.gamma, effective_horizon(play.mdp.gamma)
    rows = Rows.of(play.transition, r, gamma, np.float32)  # type: ignore[arg-type]
    V, steps = coarse(rows, r, gamma, 0.0 if tolerance is None else tolerance / horizon, FALL)
    d, more = coarse(rows, play.backup(V) - V[:, None], gamma, wanted(V, tolerance) / horizon, LATE)
    return V + d, steps + more


def coarse(rows: Rows, b: Float[np.ndarray, "S A"], gamma: float, goal: float, fall: float) -> tuple[Float[np.ndarray, "S"], int]:
    """d = max_a b_a + gamma P_a d, until the span of the residual is `goal` or rounding in float32, or PATIENCE ends; and the number of sweeps."""
    best = largest(b)
    constant = 0.5 * (best.min() + best.max())
    b = (b - constant).astype(np.float32)
    d = largest(b)
    policy, steps, before = np.zeros(len(d), dtype=np.int32), 0, np.inf
    rows = rows.paying(b)
    while True:
        d, low, high = rows.best(d, policy)
        span, steps = high - low, steps + 1
        if not max(goal, FLOOR * np.ptp(d)) < span < before or steps >= PATIENCE:
            return d + (constant + gamma * 0.5 * (float(low) + float(high))) / (1 - gamma), steps
        before, last, sweeps = span, span, 0
        while last > max(fall * span, 0.5 * goal) and sweeps < SWEEPS:
            d, low, high = rows.own(d, policy)
            d -= d.mean()
            last, sweeps = high - low, sweeps + 1
        steps += sweeps
