"""Value iteration."""

import math

import numpy as np

from pgtheory.tabular.errors import NotConverged
from pgtheory.tabular.solve.certificates import certify, effective_horizon
from pgtheory.tabular.solve.iteration.greedy import DIGITS, Found, lowest, wanted
from pgtheory.tabular.solve.play import Play

SWEEPS = 2**16
"""Limit with gamma = 1, where no rate is known beforehand."""


def value_iteration(play: Play, tolerance: float | None = None) -> Found:
    """V <- T V until the certificate is below the tolerance; steps are sweeps.

    gamma < 1: from V = 0, at most log(tolerance (1 - gamma) / |T 0|) / log(gamma) sweeps. gamma = 1: upwards from a policy that ends, with the certificate
    tried at sweeps 1, 2, 4, ... Cost: O(S^2 A) or O(nnz) a sweep. Source: Puterman (1994), Section 6.3.

    Raises:
        NotConverged: rounding keeps the bound above the tolerance, or with gamma = 1 nothing could be proven.
    """
    discounted = play.mdp.gamma < 1
    V = np.zeros(play.mdp.S) if discounted else play.value(play.first)
    limit = sweeps_needed(play, tolerance) if discounted else SWEEPS
    goal, bound, step = 0.0, np.inf, 0
    for step in range(1, limit + 1):
        Q = play.backup(V)
        after = np.where(play.inside, Q.max(axis=1), 0.0)
        still = (after == V).all()
        if discounted or still or step & (step - 1) == 0:
            goal, rho = wanted(V, tolerance), play.rounding(V)
            if tolerance is None and discounted:
                goal = max(goal, 4 * rho * effective_horizon(play.mdp.gamma))
            policy = lowest(play, Q, play.first, 4 * rho + (0 if discounted else goal))
            bound = certify(play, V, policy).bound
            if bound <= goal or (still and tolerance is None and math.isfinite(bound)):  # what is left is rounding
                return Found(V, policy, step, Q)
        if still:
            break
        V = after
    reason = (
        "rounding in float64 allows no smaller bound: give a larger tolerance, or use policy-iteration"
        if discounted
        else "with gamma 1 there is no contraction: use policy-iteration, or gamma < 1"
    )
    raise NotConverged(f"value iteration reached the proven bound {bound:.3g} after {step} sweeps, not {goal:g}; {reason}.", best=V, bound=bound)


def sweeps_needed(play: Play, tolerance: float | None) -> int:
    """Sweeps after which gamma^n |T 0| / (1 - gamma) is a tenth of the tolerance: if the bound is not reached by then, rounding prevents it.

    Without a tolerance the error wanted may be as small as the rounding of a backup allows.
    """
    gamma, size = play.mdp.gamma, float(abs(play.mdp.mean_reward).max())
    if gamma == 0 or size == 0:
        return 2
    goal = DIGITS**2 * size if tolerance is None else tolerance
    return 2 + max(0, math.ceil(math.log(0.1 * goal * (1 - gamma) / size) / math.log(gamma)))
