"""Three ways to the optimal value of a model without horizon. Each returns a value, a policy and the number of its steps; `certificates.py` judges them."""

import math

import numpy as np
import scipy.sparse as sp
from jaxtyping import Bool, Float, Int

from pgtheory.tabular.errors import NonTerminating, NotConverged
from pgtheory.tabular.solve.certificates import certify
from pgtheory.tabular.solve.play import Play
from pgtheory.tabular.solve.reachability import endable, proper_policy

Found = tuple[Float[np.ndarray, "S"], Int[np.ndarray, "S"], int]

SWEEPS = 2**16
"""Limit of value iteration with gamma = 1, where no rate is known beforehand."""


def policy_iteration(play: Play, start: Int[np.ndarray, "S"] | None = None) -> Found:
    """Evaluate, then switch every state to its best action where that gains more than rounding can feign; steps are evaluations.

    A switch gains for certain, so no policy comes twice and ties cannot cycle: the loop ends. With gamma = 1 it begins with a policy that ends; if a
    later one does not, it contains a loop that earns more than zero, and the supremum is infinite.
    Cost: one factorisation a step, O(S^3) dense. Source: Howard (1960); Ye (2011) for the number of steps; Bertsekas and Tsitsiklis (1991) for gamma = 1.

    Raises:
        NonTerminating: gamma is 1 and the return is unbounded.
    """
    policy, steps = play.first if start is None else start, 0
    s, where = np.arange(play.mdp.S), np.flatnonzero(play.inside)
    while True:
        steps += 1
        if not play.ends(policy):
            raise unbounded(play)
        chain = play.chain(policy)
        V = play.spread(chain.solve(play.mdp.mean_reward[where, policy[where]]))
        Q = play.backup(V)
        rho = play.rounding(V)
        error = chain.inverse_norm * (abs(Q[s, policy] - V)[where].max(initial=0) + rho)
        better = play.inside & (Q.max(axis=1) > Q[s, policy] + 2 * (error + rho))
        if not better.any():
            return V, lowest(play, Q, policy, 2 * (error + rho)), steps
        policy = np.where(better, Q.argmax(axis=1), policy)


def value_iteration(play: Play, tolerance: float) -> Found:
    """V <- T V until the certificate is below `tolerance`; steps are sweeps.

    gamma < 1: from V = 0, at most log(tolerance (1 - gamma) / |T 0|) / log(gamma) sweeps. gamma = 1: upwards from a policy that ends, with the certificate
    tried at sweeps 1, 2, 4, ... Cost: O(S^2 A) or O(nnz) a sweep. Source: Puterman (1994), Section 6.3.

    Raises:
        NotConverged: rounding keeps the bound above the tolerance, or with gamma = 1 nothing could be proven.
    """
    discounted = play.mdp.gamma < 1
    V = np.zeros(play.mdp.S) if discounted else play.spread(play.chain(play.first).solve(play.mdp.mean_reward[play.inside, play.first[play.inside]]))
    limit = sweeps_needed(play, tolerance) if discounted else SWEEPS
    bound, step = np.inf, 0
    for step in range(1, limit + 1):
        Q = play.backup(V)
        after = np.where(play.inside, Q.max(axis=1), 0.0)
        still = (after == V).all()
        if discounted or still or step & (step - 1) == 0:
            policy = lowest(play, Q, play.first, 4 * play.rounding(V) + (0 if discounted else tolerance))
            bound = certify(play, V, policy).bound
            if bound <= tolerance:
                return V, policy, step
        if still:
            break
        V = after
    reason = (
        "rounding in float64 allows no smaller bound: give a larger tolerance, or use policy-iteration"
        if discounted
        else "with gamma 1 there is no contraction: use policy-iteration, or gamma < 1"
    )
    raise NotConverged(f"value iteration reached the proven bound {bound:.3g} after {step} sweeps, not {tolerance:g}; {reason}.", best=V, bound=bound)


def linear_program(play: Play) -> Found:
    """maximise sum x r over x >= 0 with sum_a x(t, a) - gamma sum_{s,a} x(s, a) P[s, a, t] = 1 for each state t; steps are simplex iterations.

    x is the occupancy of the optimal policy from the start 1 in every state; a vertex takes one action a state. HiGHS stops at a feasibility of 1e-7,
    so its vertex is finished by block pivots in float64, which are steps of policy iteration; usually there is just the first, which computes V.
    Cost: simplex on S rows and S A columns. Source: Puterman (1994), Section 6.9.

    Raises:
        NonTerminating: gamma is 1 and the return is unbounded.
        NotConverged: HiGHS gave up.
    """
    from scipy.optimize import linprog

    mdp = play.mdp
    pairs, where = np.flatnonzero(play.kept), np.flatnonzero(play.inside)
    stay = sp.csr_array((np.ones(len(pairs)), (np.arange(len(pairs)), pairs // mdp.A)), shape=(len(pairs), mdp.S))
    flow = (stay - mdp.gamma * sp.csr_array(mdp.transition)[pairs]).tocsc()[:, where].T
    answer = linprog(-mdp.mean_reward.ravel()[pairs], A_eq=flow, b_eq=np.ones(len(where)), bounds=(0, None), method="highs-ds")
    if answer.status == 3:
        raise unbounded(play)
    if answer.x is None:
        raise NotConverged(f"HiGHS found no solution of the linear program: {answer.message}", best=None, bound=np.inf)
    x = np.full(mdp.S * mdp.A, -1.0)
    x[pairs] = answer.x
    V, policy, steps = policy_iteration(play, x.reshape(mdp.S, mdp.A).argmax(axis=1))
    return V, policy, int(answer.nit) + steps - 1


def lowest(play: Play, values: Float[np.ndarray, "S A"], policy: Int[np.ndarray, "S"], margin: float) -> Int[np.ndarray, "S"]:
    """In each state the first action within `margin` of the best; with gamma = 1, if that runs for ever, the shortest way out among them, else `policy`."""
    enough = values.max(axis=1, keepdims=True) - margin
    tied: Bool[np.ndarray, "S A"] = play.kept & (values >= enough)
    first = tied.argmax(axis=1)
    if play.ends(first):
        return first
    inside, kept = endable(play.mdp, tied)
    return proper_policy(play.mdp, kept) if (inside | ~play.inside).all() else policy


def sweeps_needed(play: Play, tolerance: float) -> int:
    """Sweeps after which gamma^n |T 0| / (1 - gamma) is a tenth of the tolerance: if the bound is not reached by then, rounding prevents it."""
    gamma, size = play.mdp.gamma, float(abs(play.mdp.mean_reward).max())
    if gamma == 0 or size == 0:
        return 2
    return 2 + max(0, math.ceil(math.log(0.1 * tolerance * (1 - gamma) / size) / math.log(gamma)))


def unbounded(play: Play) -> NonTerminating:
    """The error of an infinite return."""
    return NonTerminating(
        "gamma is 1 and the best return is infinite: some loop earns more than zero each round. Give gamma < 1, a horizon, or a cost of each step."
    )
