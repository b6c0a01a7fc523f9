"""Policy iteration."""

from typing import Any

import numpy as np
from jaxtyping import Float, Int

from pgtheory.tabular.arrays import largest
from pgtheory.tabular.errors import InvalidModel, NonTerminating, NotConverged
from pgtheory.tabular.solve.certificates import certified, effective_horizon
from pgtheory.tabular.solve.iteration.greedy import Found, lowest, tie
from pgtheory.tabular.solve.play import STEPS, Play

AHEAD = 8
"""Backups before the first evaluation: together they cost less than the factorisation of a dense matrix, and save one or more."""

FURTHER = 100
"""Backups before each evaluation of a sparse model: together they cost about as much as the factorisation of a grid, and news travels as many states."""

FALL = 0.9
"""Gains too small to be proven must fall by this factor from one try to the next."""

LOOKS = 30
"""So many evaluations look further ahead; those after them, which `switching` proves to end, do not."""


def policy_iteration(play: Play, tolerance: float | None = None, *, start: Int[np.ndarray, "S"] | None = None) -> Found:
    """Evaluate by a linear system, then switch every state to its best action where that gains more than rounding can feign; steps are evaluations.

    `switching` says what gain is enough, and why the loop ends. Sparse models look further ahead: the next policy is the best for FURTHER steps and then the
    value of the last one, which is no worse than the best for one step. With a tolerance it stops as soon as the largest gain costs less than half of it. With gamma = 1
    it begins with a policy that ends; if a later one does not, it contains a loop that earns more than zero, and the supremum is infinite.
    Cost: one factorisation a step, O(S^3) dense, O(S) for a narrow band. Source: Howard (1960); Ye (2011) for the number of steps; Bertsekas and Tsitsiklis
    (1991) for gamma = 1; Efroni, Dalal, Scherrer and Mannor (2018) for several steps.

    Raises:
        NonTerminating: gamma is 1 and the return is unbounded.
        InvalidModel: values overflow.
        NotConverged: STEPS evaluations were not enough.
    """
    policy, steps = first_policy(play) if start is None else start, 0
    s, where = np.arange(play.mdp.S), slice(None) if play.everything else np.flatnonzero(play.inside)
    tried, horizon = np.inf, effective_horizon(play.mdp.gamma) if play.stochastic else None  # what |M^-1| is for rows that sum to one
    while True:
        steps += 1
        if not play.ends(policy):
            raise unbounded()
        chain = play.chain(policy)
        V = play.spread(chain.solve(play.mdp.mean_reward[s, policy][where]))
        Q, norm, rho = play.backup(V), horizon or chain.inverse_norm, play.rounding(V)
        own, best = Q[s, policy], largest(Q)
        residual = float(abs(own[where] - V[where]).max(initial=0))
        gain = float((best[where] - own[where]).max(initial=0))
        if not np.isfinite(gain):  # no comparison with it would end the loop
            raise overflow(float(abs(play.mdp.mean_reward).max()))
        proven, feigned, small, done = switching(gain, residual, norm, rho, tried)
        enough = tolerance is not None and norm * (gain + residual + rho) <= 0.5 * tolerance and play.mdp.gamma < 1
        if enough or done:
            return Found(V, lowest(play, Q, policy, min(proven, tie(play, V, norm, tolerance))), steps, Q)
        if steps >= STEPS:
            bound = certified(play, V, Q, policy).bound
            raise NotConverged(
                f"policy-iteration reached the proven bound {bound:.3g} after {steps} evaluations, the limit, and policies still improve. "
                "Leave the method out, or take gauss-seidel: sweeps need no evaluation for each change of the policy.",
                best=V,
                bound=bound,
            )
        if not small and steps <= LOOKS and play.mdp.gamma < 1 and further(play) > AHEAD:
            policy = ahead(play, V, further(play))
            continue
        changed = np.flatnonzero(best > own + (feigned if small else proven))
        policy, tried = policy.copy(), gain if small else tried
        policy[changed] = Q[changed].argmax(axis=1)


def switching(gain: Any, residual: Any, norm: Any, rho: Any, tried: Any) -> tuple[Any, Any, Any, Any]:
    """The proven margin, the feigned one, whether no gain exceeds the proven one, and whether policy iteration ends here; of numbers, or of arrays of problems.

    The proven margin covers the error of V, norm (residual + rho), and the rounding rho of the two entries of Q that are compared: a switch above it gains for
    certain, so that among such switches no policy comes twice. Where no gain exceeds it, switches above what residual and rounding feign are still tried, as
    long as the largest gain has fallen by a tenth since they were tried last, at the gain `tried`. That is not often, so the loop ends: ties cannot make it cycle.
    """
    proven, feigned = 2 * (norm * (residual + rho) + rho), 2 * (residual + rho)
    small = gain <= proven
    return proven, feigned, small, (gain <= feigned) | (small & (gain > FALL * tried))


def first_policy(play: Play) -> Int[np.ndarray, "S"]:
    """A policy to begin with: the best for some steps; on bands, whose factorisation costs no more than a backup, and with gamma = 1 that of `play`."""
    if play.mdp.gamma == 1 or play.bands:
        return play.first
    return ahead(play, largest(play.mdp.mean_reward), further(play))


def further(play: Play) -> int:
    """How many backups are worth an evaluation."""
    return FURTHER if play.structure.sparse and not play.bands else AHEAD


def ahead(play: Play, V: Float[np.ndarray, "S"], steps: int) -> Int[np.ndarray, "S"]:
    """The first action of what is best for so many steps and then V, in every state; gamma < 1. Cost: a backup each."""
    if play.compiled:
        policy = np.empty(play.mdp.S, dtype=np.intp)
        for _ in range(steps):
            V, _, _ = play.compiled.best(V, policy)
        return policy
    for _ in range(steps - 1):
        V = largest(play.backup(V))
    return play.backup(V).argmax(axis=1)


def overflow(largest_reward: float) -> InvalidModel:
    """The error of values above 1e308."""
    return InvalidModel(
        f"rewards are as large as {largest_reward:.3g}, and values overflow float64. Give the rewards in a larger unit: divide them by a constant."
    )


def unbounded() -> NonTerminating:
    """The error of an infinite return."""
    return NonTerminating(
        "gamma is 1 and the best return is infinite: some loop earns more than zero each round. Give gamma < 1, a horizon, or a cost of each step."
    )
