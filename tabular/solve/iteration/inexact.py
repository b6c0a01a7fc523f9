"""Inexact policy iteration: a policy is evaluated only as far as its successor is worth it."""

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.arrays import largest
from pgtheory.tabular.solve.certificates import effective_horizon
from pgtheory.tabular.solve.iteration.greedy import Found
from pgtheory.tabular.solve.iteration.modified import Slow, finished, goal_of, or_error
from pgtheory.tabular.solve.iteration.policy import policy_iteration
from pgtheory.tabular.solve.iteration.sweeps import best_actions
from pgtheory.tabular.solve.linear.krylov import Krylov
from pgtheory.tabular.solve.linear.solver import Aim
from pgtheory.tabular.solve.play import Play
from pgtheory.tabular.solve.structure import Structure

FALL = 0.01
"""An evaluation ends when the residual has fallen by this factor."""

STEPS = 200
"""Largest number of iterations of one evaluation."""

STALE = 5
"""So many evaluations in a row that do not halve the residual are too many."""


def inexact_policy_iteration(play: Play, tolerance: float | None = None) -> Found:
    """V <- V + d, M d = T V - V by BiCGSTAB up to a hundredth of the residual, M = I - gamma P of the best policy; then V <- T V, as often as the evaluation took
    iterations: news travels a state a step, so that a policy that is wrong far away is not evaluated time and again. Steps are iterations and best-action steps.

    For sparse chains that forget slowly and are dear to factorise. With gamma = 1 policies are evaluated to the end, by `policy_iteration`: one that is evaluated
    in part may be followed by one that never ends. Cost: a dozen passes over V and two products with the rows of a policy an iteration, a pass over
    the entries a best-action step. Source: Gargiani, Liao-McPherson, Zanelli and Lygeros (2022).

    Raises:
        NonTerminating: gamma is 1 and the return is unbounded.
        NotConverged: the evaluations gain nothing more, and more is wanted.
    """
    if play.mdp.gamma == 1:
        return policy_iteration(play, tolerance)
    return or_error(play, "inexact-policy-iteration", lambda: evaluated(play, tolerance))


def evaluated(play: Play, tolerance: float | None, start: Float[np.ndarray, "S"] | None = None) -> Found:
    """Inexact policy iteration from a value.

    Raises:
        Slow: STALE evaluations in a row do not halve the residual.
    """
    mdp, s = play.mdp, np.arange(play.mdp.S)
    V, size, policy = largest(mdp.mean_reward) if start is None else start, np.inf, play.first
    steps, looks, least, stale = 0, 1, np.inf, 0
    while True:
        for _ in range(looks):
            V, size, policy = best_actions(play, V, None)
        steps, goal = steps + looks, goal_of(play, V, tolerance)
        if size <= goal:
            return finished(play, V, play.backup(V), policy, tolerance, effective_horizon(mdp.gamma), steps)
        least, stale = (size, 0) if size < 0.5 * least else (least, stale + 1)
        if stale > STALE or not np.isfinite(size):
            raise Slow(V, policy, steps)
        K = Structure(play.rows(policy), mdp.gamma)
        residual = mdp.mean_reward[s, policy] + mdp.gamma * K.product(V, False) - V
        change, n = Krylov(K).solve(residual, False, Aim(absolute=max(FALL * size, 0.3 * goal), steps=STEPS))
        V, steps, looks = V + change, steps + n, max(n, 1)  # none where the last step left little to evaluate
