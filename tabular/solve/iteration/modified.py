"""Modified policy iteration: sweeps in the place of linear systems."""

import math
from collections.abc import Callable, Iterable

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float, Int

from pgtheory.tabular.arrays import largest
from pgtheory.tabular.errors import NotConverged
from pgtheory.tabular.solve.certificates import certified, certify, effective_horizon
from pgtheory.tabular.solve.iteration.greedy import Found, lowest, tie, wanted
from pgtheory.tabular.solve.iteration.sweeps import Compiled, Directed, Shifted, Sweep, best_actions, extremes, middle
from pgtheory.tabular.solve.play import Play
from pgtheory.tabular.solve.rows import FALL, GROWTH, SWEEPS

SETTLED = 10.0
"""Where the last step changed the actions of a smaller share of the states than FALL / SETTLED, the policy is worth more sweeps: the residual may fall by
SETTLED times that share."""

RELAXATION = 1.3
"""By how much Gauss-Seidel sweeps of one policy overshoot, until they are seen not to shrink the residual: what they did last is undone then, for along a
path of n states that is swept with the flow an error may grow by 1.3^n in one sweep."""

STALE = 100
"""After so many policies without progress rounding is all that is left."""


class Slow(Exception):
    """Nothing more is gained, or more sweeps are `needed` than the caller has patience for; what was found so far."""

    def __init__(self, V: Float[np.ndarray, "S"], policy: Int[np.ndarray, "S"], steps: int, needed: float = math.inf) -> None:
        super().__init__()
        self.V, self.policy, self.steps, self.needed = V, policy, steps, needed


def modified_policy_iteration(play: Play, tolerance: float | None = None) -> Found:
    """V <- T V, then sweeps of the policy that is best for V; steps are sweeps of either kind.

    If no action ever ends the episode, the constant vector is the slowest mode of a sweep; each sweep takes it away (`middle`), and the rest falls as fast as
    the chains forget their start. Cost: O(nnz) for the best actions, O(nnz / A) for a sweep. Source: Puterman and Shin (1978); Puterman (1994), Section 6.6.
    """
    return or_error(play, "modified-policy-iteration", lambda: settled(play, tolerance, kinds=("shifted",)))


def gauss_seidel(play: Play, tolerance: float | None = None) -> Found:
    """The same with Gauss-Seidel sweeps, in that order of the states, forward or backward, that made more progress when last used; steps are sweeps.

    For chains that move a little way along the order of the states. Cost and source as above; Puterman (1994), Section 6.3.3.
    """
    return or_error(play, "gauss-seidel", lambda: settled(play, tolerance, kinds=("forward", "backward")))


def or_error(play: Play, name: str, method: Callable[[], Found]) -> Found:
    """What a method finds, with an error for the user where it comes to a stop.

    Raises:
        NotConverged: the steps gain nothing more, and more is wanted.
    """
    try:
        return method()
    except Slow as end:
        bound = certify(play, end.V, end.policy).bound
        raise NotConverged(
            f"{name} came to a stop at the proven bound {bound:.3g} after {end.steps} steps. "
            "Give a larger tolerance, or leave the method out: others are tried then.",
            best=end.V,
            bound=bound,
        ) from None


def settled(play: Play, tolerance: float | None, *, kinds: tuple[str, ...], patience: float = math.inf) -> Found:
    """`swept`, with gamma = 1 again and again until the certificate is as small as wanted.

    Without a discount it begins with the value of a policy that ends. From there values rise to the best one: a policy that runs for ever and costs in every
    loop is never the best for such a value, nor does a loop without cost keep a value that is too good. Source: Bertsekas and Tsitsiklis (1991).

    Raises:
        Slow: see `swept`.
    """
    if play.mdp.gamma < 1:
        return swept(play, tolerance, kinds=kinds, patience=patience)
    V, total, aim = play.value(play.first), 0, tolerance
    while True:
        try:
            found = swept(play, aim, kinds=kinds, start=V, patience=patience - total)
        except Slow as end:
            raise Slow(end.V, end.policy, total + end.steps, end.needed) from None
        V, total = found.V, total + found.steps
        bound, goal = certified(play, V, found.Q, found.policy).bound, wanted(V, tolerance)
        if bound <= goal or not math.isfinite(bound):
            return found._replace(steps=total)
        aim = (goal if aim is None else aim) * 0.25 * goal / bound
        if aim <= play.rounding(V):
            return found._replace(steps=total)


def swept(
    play: Play, tolerance: float | None, *, kinds: Iterable[str], patience: float = math.inf, start: Float[np.ndarray, "S"] | None = None
) -> Found:
    """Modified policy iteration by the kind of sweep that made most progress when it was last used; it stops when the certificate of V will be as wanted.

    With gamma = 1 nothing bounds the error beforehand: it stops when a sweep changes V by less than wanted.

    Raises:
        Slow: at the contraction measured, more than `patience` sweeps are needed, or nothing more is gained. Gauss-Seidel measures it once few actions
            change: policies on the way to the best one may hardly ever end.
    """
    mdp, gamma = play.mdp, play.mdp.gamma
    horizon = effective_horizon(gamma) if gamma < 1 else 1.0
    progress = dict.fromkeys(kinds, 0.0)
    kind, policy, steps, least, stale, sweeping, before, then = next(iter(progress)), play.first, 0, math.inf, 0, False, math.inf, 0
    relaxation, trusted = 1.0 if "shifted" in progress else RELAXATION, None
    if start is None:
        # The step from V = 0, which needs no product; the constant is taken away by the next one.
        V = np.where(play.inside, largest(mdp.mean_reward if play.everything else np.where(play.kept, mdp.mean_reward, -np.inf)), 0.0)
        before, _ = middle(*extremes(V), gamma, play.stochastic)
    else:
        V, sweeping = start.copy(), True
    while True:
        V, size, new = best_actions(play, V, {"forward": False, "backward": True}.get(kind))
        steps += 1
        if trusted is not None and not size <= GROWTH * least:
            V, trusted, relaxation = trusted, None, 1.0
            continue
        changed, policy = np.count_nonzero(new != policy) / mdp.S, new
        goal = goal_of(play, V, tolerance)
        least, stale = (size, 0) if size < least else (least, stale + 1)
        if stale > STALE:
            raise Slow(V, policy, steps)
        if size <= goal:
            return finished(play, V, play.backup(V), policy, tolerance, horizon, steps)
        sweeping = sweeping or size > FALL * before
        if 0 < size < math.inf and 0 < before < math.inf:
            progress[kind] = (size / before) ** (1 / (steps - then))
            kind = min(progress, key=progress.__getitem__)
        before, then = size, steps
        if not sweeping:
            continue
        trusted = V.copy() if relaxation > 1 else None
        fall = min(FALL, SETTLED * changed)
        sweep = sweep_of(play, policy, kind, relaxation)
        V, first, last, n = sweep.until(V, max(fall * size, 0.3 * goal), SWEEPS if fall == FALL else 10 * SWEEPS)
        steps += n
        if n > 1 and last > 0:
            left = needed(goal, last, (last / first) ** (1 / (n - 1)))
            slow = steps + left > patience
            telling = kind == "shifted" or fall < FALL or steps > patience
            if slow and telling and relaxation == 1 and n > 2:
                raise Slow(V, policy, steps, left)
            if slow:
                relaxation = 1.0


def goal_of(play: Play, V: Float[np.ndarray, "S"], tolerance: float | None) -> float:
    """The residual at which the certificate of V will be as wanted, or is left to rounding; with gamma = 1 what is wanted itself."""
    gamma, rho = play.mdp.gamma, play.rounding(V)
    return max(wanted(V, tolerance) / (effective_horizon(gamma) if gamma < 1 else 1.0) - rho, rho)


def sweep_of(play: Play, policy: Int[np.ndarray, "S"], kind: str, relaxation: float) -> Sweep:
    """The sweep of a policy."""
    if kind == "shifted" and play.compiled:
        return Compiled(play.compiled, policy)
    K, b = play.rows(policy), play.mdp.mean_reward[np.arange(play.mdp.S), policy]
    if not play.everything:
        K, b = (sp.diags_array(play.inside.astype(float)) @ K), np.where(play.inside, b, 0.0)
    if kind == "shifted" or isinstance(K, np.ndarray):
        return Shifted(K, play.mdp.gamma, b, play.stochastic)
    return Directed(K, play.mdp.gamma, b, kind == "backward", play.worth_compiling, relaxation)


def finished(
    play: Play,
    V: Float[np.ndarray, "S"],
    Q: Float[np.ndarray, "S A"],
    policy: Int[np.ndarray, "S"],
    tolerance: float | None,
    horizon: float,
    steps: int,
) -> Found:
    """The answer: V, its backup Q and the best actions for it; `policy` where with gamma = 1 these run for ever."""
    return Found(V, lowest(play, Q, policy, tie(play, V, horizon, tolerance)), steps, Q)


def needed(goal: float, size: float, rate: float) -> float:
    """Sweeps until `size` is down to `goal`, each of which multiplies it by `rate`."""
    if size <= goal:
        return 0.0
    return math.log(goal / size) / math.log(rate) if rate < 1 else math.inf
