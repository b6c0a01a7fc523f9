"""Proven bounds between a value V, the optimal value V* and the value of a policy, checked after the fact and whatever made V.

Write T for the optimality operator and rho for the rounding of one backup.

gamma < 1 (Puterman 1994, Theorem 6.6.3, with rows of P that may sum to less than one):
    V + min(min(T V - V) - rho, 0) / (1 - gamma)  <=  V*  <=  V + max(max(T V - V) + rho, 0) / (1 - gamma),
and the lower bound holds for the value of a policy when T is replaced by its own operator.

gamma = 1, over the policies that end almost surely: there is no contraction, so a witness is needed. If U >= r_a + P_a U for every allowed pair
(s, a), then U >= V_pi for each such policy (apply the inequality n times; P_pi^n U -> 0), hence U >= V*. Let d = max(T V - V) + rho. The witness is
    U = V + 4 d x,    x = longest expected number of steps over actions that are as good as the best,
because such an action has x - P_a x >= 1/2, which pays twice for its advantage of at most d; for every other action the inequality is checked. It fails if actions
that are as good run for ever, for instance a loop that earns zero: then rounding decides what is best, and the bound is infinite.
From below, V* >= V_pi, and V_pi >= V - |(I - P_pi)^-1| |T_pi V - V| by `chain.py`.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from pgtheory.tabular.arrays import ROUNDING, largest
from pgtheory.tabular.errors import NonTerminating
from pgtheory.tabular.solve.chain import UNIT
from pgtheory.tabular.solve.play import Play, Unbounded


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """|V - V*| <= bound and V* - V_policy <= gap, in every state inside; infinite where nothing could be proven.

    Theorem: T32.
    """

    bound: float
    gap: float


def certify(play: Play, V: Float[np.ndarray, "S"], policy: Int[np.ndarray, "S"]) -> Certificate:
    """The certificate of a value and a policy. Cost: gamma < 1, one backup; gamma = 1, a few sparse or dense solves."""
    return certified(play, V, play.backup(V), policy)


def certified(play: Play, V: Float[np.ndarray, "S"], Q: Float[np.ndarray, "S A"], policy: Int[np.ndarray, "S"]) -> Certificate:
    """The same where Q, the backup of V, is at hand."""
    rho = play.rounding(V)
    inside = play.inside
    own = (Q[np.arange(len(V)), policy] - V)[inside]
    change = largest(Q) - V
    above = float(change[inside].max(initial=0)) + rho
    if play.mdp.gamma < 1:
        horizon = effective_horizon(play.mdp.gamma)
        below = max(rho - float(change.min()), 0.0)
        own_below = max(rho - float(own.min()), 0.0)
        return Certificate(bound=proven(max(above, below) * horizon), gap=proven((above + own_below) * horizon))
    try:
        below = play.chain(policy).inverse_norm * (float(abs(own).max(initial=0)) + rho)
        excess = 4 * above * witness(play, Q - V[:, None], policy, above, rho)
    except (Unbounded, NonTerminating):
        return Certificate(bound=np.inf, gap=np.inf)
    margin = 1 + 64 * UNIT
    return Certificate(bound=proven(max(below, excess) * margin), gap=proven((below + excess) * margin))


def proven(bound: float) -> float:
    """The bound, or infinity where it is no number because V is none."""
    return bound if bound >= 0 else np.inf


def effective_horizon(gamma: float) -> float:
    """1 / (1 - gamma), with the slack that rows of P are given; infinite if gamma is that close to 1.

    Theorem: T31.
    """
    rate = gamma * (1 + 2 * ROUNDING)
    return (1 + 8 * UNIT) / (1 - rate) if rate < 1 else np.inf


def witness(play: Play, advantage: Float[np.ndarray, "S A"], policy: Int[np.ndarray, "S"], d: float, rho: float) -> float:
    """max x of the witness V + 4 d x, which is checked here at every allowed pair.

    Raises:
        Unbounded: actions that are as good as the best run for ever.
        NonTerminating: so rarely do they end that float64 cannot solve for x.
    """
    tied: Bool[np.ndarray, "S A"] = np.eye(play.mdp.A, dtype=bool)[policy] & play.inside[:, None]
    while True:
        x = play.longest(policy, tied)
        if not np.isfinite(x).all() or (x < 0).any():
            raise Unbounded
        # The rounding of x - P x is below (branching + 4) u 2 max x.
        slack = 4 * (play.mdp.branching + 4) * UNIT * float(x.max())
        broken = play.kept & (advantage + rho + 4 * d * (play.after(x) - x[:, None] + slack) > 0)
        if not broken.any():
            return float(x.max())
        if (broken & tied).any():
            raise Unbounded
        tied = tied | broken
