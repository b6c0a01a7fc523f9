"""The best average reward of a model that never ends, and proof of how good it is.

For any h whatever let w = T h - h, T h = max_a r + P_a h, and let pi be a policy with w_pi = r_pi + P_pi h - h. Every policy has w_pi <= w, and its gain from
any start is an average of w_pi over the states where it ends up. So, from every start and for models of any structure,

    min w_pi  <=  gain of pi  <=  g*  <=  max w          (Puterman 1994, Theorem 8.5.5; pi greedy: min w_pi = min w).

The two sides can meet only if g* is the same from every start. That is so if the model is weakly communicating, which its graph tells: it is required.
"""

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float, Int

from pgtheory.tabular.errors import InvalidArgument, NotConverged
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.solve.average import solved
from pgtheory.tabular.solve.chain import DIGITS, UNIT
from pgtheory.tabular.solve.continuing import Continuing, require_weakly_communicating
from pgtheory.tabular.solve.optimal import Optimal
from pgtheory.tabular.solve.reachability import approach, closed_classes, edges_of, leads_into

METHODS = ("policy-iteration", "value-iteration")

STAY = 0.1
"""Share of a step in which relative value iteration stays where it is. It leaves gain / step and best policies as they are and makes every chain aperiodic."""

DIRECT = 2000
"""Sparse models above this number of states are tried by value iteration first: the factors of a sparse matrix may fill."""

SWEEPS = 1000
"""Limit of that trial."""

LAST_SWEEP = 2**16
"""Limit of value iteration by name: no rate is known beforehand."""


def optimal_gain(mdp: MDP, *, method: str | None = None, tolerance: float | None = None) -> Optimal:
    """What `optimal(model, criterion="average")` returns: J the gain, `bound` of |J - g*|, `gap` of g* minus the gain of the policy.

    By policy iteration V is the bias of the policy. By value iteration it solves the same equation, J + V = max_a r + P_a V, as far as `bound` says, and
    lies halfway around zero: no stationary law is computed. Q = r - J + P V.

    Args:
        method: "policy-iteration" or "value-iteration"; None: value iteration for large sparse models, if it converges, else policy iteration.
        tolerance: proven error of the gain, or NotConverged; value iteration stops when `gap` is below it too. None: ten digits of the largest reward, or rounding.

    Cost: one linear system a step of policy iteration; O(S^2 A) or O(nnz) a sweep.

    Raises:
        InvalidArgument: the model ends or has a horizon, or the method is unknown.
        Multichain: the best gain may depend on the start.
        NotConverged: the tolerance cannot be proven; `best` is the bias that was found, `bound` what is proven of the gain.
    """
    if method not in (None, *METHODS):
        raise InvalidArgument(f"method is {method!r}, expected one of {', '.join(METHODS)} for the average reward.")
    model = Continuing.of(mdp)
    require_weakly_communicating(model)
    if method is None and sp.issparse(mdp.P) and mdp.S > DIRECT:
        try:
            return value_iteration(model, tolerance, SWEEPS)
        except NotConverged:
            pass
    if method == "value-iteration":
        return value_iteration(model, tolerance, LAST_SWEEP)
    found = policy_iteration(model)
    if tolerance is not None and not found.bound <= tolerance:
        raise NotConverged(
            f"policy-iteration proves the best average reward to {found.bound:.3g} after {found.steps} evaluations, not to {tolerance:g}: rounding in float64 "
            "allows no smaller bound. Give a larger tolerance, or none.",
            best=found.V,
            bound=found.bound,
        )
    return found


def policy_iteration(model: Continuing) -> Optimal:
    """Evaluate, then switch every state to its best action where that gains more than rounding can feign; steps are evaluations.

    A policy with several closed classes keeps the one with the largest w; the other states go there. If it came from a switch, w exceeds the gain
    in this class, hence so does its own gain: the gains of the policies never fall, and rise with each such repair. Should rounding bring a policy back
    all the same, the loop ends there, and the bounds say what it is worth.
    Source: Howard (1960); Puterman (1994), Section 8.6; Haviv and Puterman (1991) for the repair.
    """
    mdp = model.mdp
    s, steps, seen = np.arange(mdp.S), 0, set()
    policy = settled(model, mdp.mean_reward.argmax(axis=1), mdp.mean_reward.max(axis=1))
    while True:
        steps += 1
        seen.add(policy.tobytes())
        J, h = solution(model, policy)
        w = model.backup(h) - h[:, None]
        own = w[s, policy]
        margin = 2 * model.rounding(h) + float(own.max() - own.min())
        better = w.max(axis=1) > own + margin
        following = settled(model, np.where(better, w.argmax(axis=1), policy), w.max(axis=1))
        if not better.any() or following.tobytes() in seen:
            break
        policy = following
    first = (w >= w.max(axis=1, keepdims=True) - margin).argmax(axis=1)
    if (first != policy).any() and (settled(model, first, own) == first).all():
        policy, (J, h) = first, solution(model, first)
    return certified(model, h, policy, J, steps=steps, method="policy-iteration")


def value_iteration(model: Continuing, tolerance: float | None, limit: int) -> Optimal:
    """h <- h + (1 - STAY) (T h - h - its middle) until the bounds of the gain are within `tolerance`; steps are sweeps.

    Cost: O(S^2 A) or O(nnz) a sweep. The span shrinks by the factor at which the chains forget their start. Source: White (1963); Puterman (1994), Section 8.5.

    Raises:
        NotConverged: the bounds are too far apart after `limit` sweeps, or rounding keeps them apart; `best` is h, `bound` what is proven of the gain.
    """
    h, sweep, apart, floor, enough = np.zeros(model.mdp.S), 0, np.inf, 0.0, 0.0
    for sweep in range(1, limit + 1):
        Q = model.backup(h)
        w = Q.max(axis=1) - h
        floor = 2 * model.rounding(h)
        apart = float(w.max() - w.min()) + floor
        enough = max(DIGITS * model.mdp.largest_reward, 2 * floor) if tolerance is None else tolerance
        if apart <= enough:
            return certified(model, h, Q.argmax(axis=1), float(w.max() + w.min()) / 2, steps=sweep, method="value-iteration")
        if floor > enough:
            break
        h = h + (1 - STAY) * (w - (w.max() + w.min()) / 2)
        h -= (h.max() + h.min()) / 2
    why = "rounding in float64 allows no smaller bound: give a larger tolerance" if floor > enough else "its chains forget their start too slowly"
    raise NotConverged(
        f"value iteration has the gain between bounds that are {apart:.3g} apart after {sweep} sweeps, not {enough:.3g}; {why}, or use policy-iteration.",
        best=h,
        bound=apart,
    )


def solution(model: Continuing, policy: Int[np.ndarray, "S"]) -> tuple[float, Float[np.ndarray, "S"]]:
    """Gain and bias of a policy."""
    reward = model.mdp.mean_reward[np.arange(model.mdp.S), policy]
    chain = solved(model, np.eye(model.mdp.A)[policy])
    return float(chain.d @ reward), chain.deviation(reward)


def settled(model: Continuing, policy: Int[np.ndarray, "S"], w: Float[np.ndarray, "S"]) -> Int[np.ndarray, "S"]:
    """The policy if it has one closed class; else its class with the largest w, and the shortest way there from all other states.

    There is a way, because the class lies among the states of a weakly communicating model that reach each other, and these are reached from all.
    """
    mdp = model.mdp
    label, closed = closed_classes(edges_of(mdp, np.eye(mdp.A, dtype=bool)[policy]))
    if len(closed) == 1:
        return policy
    best = label[np.where(np.isin(label, closed), w, -np.inf).argmax()]
    inside = label == best
    return np.where(inside, policy, approach(mdp, np.ones((mdp.S, mdp.A), dtype=bool), leads_into(mdp, inside)))


def certified(model: Continuing, h: Float[np.ndarray, "S"], policy: Int[np.ndarray, "S"], J: float, *, steps: int, method: str) -> Optimal:
    """The answer with the bounds of the top of this file."""
    Q = model.backup(h)
    rho = model.rounding(h)
    low = float((Q[np.arange(len(h)), policy] - h).min()) - rho
    high = float((Q.max(axis=1) - h).max()) + rho
    bound, gap = max(high - J, J - low), high - low
    margin = 1 + 8 * UNIT
    return Optimal(V=h, Q=Q - J, policy=policy, J=J, bound=bound * margin, gap=gap * margin, steps=steps, method=method)
