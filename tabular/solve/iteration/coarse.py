"""A start in single precision: half of the bytes, for the sweeps whose digits the later ones replace."""

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.solve.play import Play, largest
from pgtheory.tabular.solve.rows import Rows

FALL = 0.1
"""The sweeps of one policy end when the span of the residual has fallen by this factor."""

SWEEPS = 20
"""Largest number of sweeps of one policy."""

FLOOR = 64 * 2.0**-24
"""Residuals below this share of the span of V are rounding in single precision."""


def coarse_start(play: Play) -> tuple[Float[np.ndarray, "S"], int]:
    """A value V, up to a constant, whose residual has a span of about 1e-6 of that of V, and the number of sweeps.

    Modified policy iteration for a sparse model in which no action ends the episode. Constants are taken out of V and of the rewards, so that the digits of
    float32 go to the differences, which are all that decides. Nothing is proven here: what follows starts from V, and the certificate judges the end.
    Cost: compiled loops over the entries, all of them for the best actions and a share of 1 / A for a sweep; one copy of the entries in float32.
    """
    mdp, P = play.mdp, play.transition
    rows = Rows.of(P, mdp.mean_reward - mdp.mean_reward.mean(), mdp.gamma, np.float32)  # type: ignore[arg-type]
    V = largest(rows.r)
    V -= V.mean()
    policy, steps, before = np.zeros(mdp.S, dtype=np.int32), 0, np.inf
    while True:
        V, low, high = rows.best(V, policy)
        V -= V.mean()
        span, steps = high - low, steps + 1
        if not FLOOR * np.ptp(V) < span < before:
            return V.astype(np.float64), steps
        before, last, sweeps = span, span, 0
        while last > FALL * span and sweeps < SWEEPS:
            V, low, high = rows.own(V, policy)
            V -= V.mean()
            last, sweeps = high - low, sweeps + 1
        steps += sweeps
