"""Policy iteration on many problems at once, each with the margins and the certificate of `pgtheory.tabular.solve`."""

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.solve.iteration.policy import overflow, switching
from pgtheory.tabular.solve.play import rounding_of_change
from pgtheory.tabular.solve.structure import UNIT


def contraction(stack: Stack) -> Float[np.ndarray, "N"]:
    """At least the largest row sum of gamma P, by which one step of value iteration shrinks an error: gamma, or less where every action may end the episode."""
    return stack.gamma * stack.P.sum(axis=3).max(axis=(1, 2)) * (1 + 2 * (stack.S + 2) * UNIT)


def policy_iteration(stack: Stack) -> tuple[Float[np.ndarray, "N S"], Float[np.ndarray, "N"]]:
    """Best values of problems with a contraction c < 1, and proven bounds of their errors.

    Every step evaluates the policies of all problems that still move, by one batch of linear systems, and switches each state to its best action where that
    gains enough (`switching`, which says why this ends). The bounds are those of `solve/certificates.py` with c for gamma: |V - V*| <= max |T V - V| / (1 - c),
    rounding added.

    Cost: a few steps of O(N S^3 + N S^2 A). Source: Howard (1960).

    Raises:
        InvalidModel: values overflow.
    """
    N, S, _ = stack.r.shape
    horizon = (1 + 8 * UNIT) / (1 - contraction(stack))
    branching, largest = np.count_nonzero(stack.P, axis=3).max(axis=(1, 2)), abs(stack.r).max(axis=(1, 2))
    V, bound, policy, tried = np.zeros((N, S)), np.zeros(N), stack.r.argmax(axis=2), np.full(N, np.inf)
    moving, s = np.arange(N), np.arange(S)
    while len(moving):
        n, a = moving[:, None], policy[moving]
        P, r, gamma = stack.P[moving], stack.r[moving], stack.gamma[moving, None, None]
        here = np.linalg.solve(np.eye(S) - gamma * stack.P[n, s, a], stack.r[n, s, a][:, :, None])[:, :, 0]
        Q = r + gamma * np.einsum("nsat,nt->nsa", P, here)
        own, best = np.take_along_axis(Q, a[:, :, None], axis=2)[:, :, 0], Q.max(axis=2)
        rho = rounding_of_change(branching[moving], largest[moving], abs(here).max(axis=1))
        residual, gain = abs(own - here).max(axis=1), (best - own).max(axis=1)
        if not np.isfinite(gain).all():  # no comparison with it would end the loop
            raise overflow(float(largest[moving][~np.isfinite(gain)].max()))
        proven, feigned, small, done = switching(gain, residual, horizon[moving], rho, tried[moving])
        V[moving[done]], bound[moving[done]] = here[done], (horizon[moving] * (abs(best - here).max(axis=1) + rho))[done]
        better = best > own + np.where(small, feigned, proven)[:, None]
        policy[moving], tried[moving] = np.where(better, Q.argmax(axis=2), a), np.where(small, gain, tried[moving])
        moving = moving[~done]
    return V, bound
