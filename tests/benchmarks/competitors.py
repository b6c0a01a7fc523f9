"""Who runs: the library, quantecon where it is installed, and what is written by hand. Each is called with what it would be given: nothing is prepared for it
that its user would not have, and making the model is not timed for anybody.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np
import scipy.sparse as sp

from tests.benchmarks import by_hand, cells

EPSILON = 1.98e-8
"""What quantecon is asked for: its values are within half of epsilon, its policy within epsilon; a hundredth is left for the rounding of the judge."""

SWEEPS = 10**8
"""Its limit of iterations, 250 unless given, at which it would stop without a word."""


@dataclass(frozen=True)
class Competitor:
    """One way to an answer.

    Attributes:
        name: as the table prints it.
        group: "ours", "quantecon" or "by hand".
        prepare: MDP -> what the call takes, not timed.
        call: -> (answer, what was run).
        families: the structures for which it is meant.
        most: the largest size for which it is meant.
    """

    name: str
    group: str
    prepare: Callable[[Any], Any]
    call: Callable[[Any], Any]
    families: tuple[str, ...] = tuple(cells.FAMILIES)
    most: int = 10**9

    def fits(self, cell: cells.Cell) -> bool:
        """Whether it runs in a cell."""
        return cell.family in self.families and cell.size <= self.most

    @property
    def installed(self) -> bool:
        return self.group != "quantecon" or find_spec("quantecon") is not None


# The best policy: an answer is (V, policy), and the value after the end where that is a state


def our_policy(mdp):
    from pgtheory.tabular.solve.optimal import optimal

    found = optimal(mdp, tolerance=by_hand.TOLERANCE)
    return (found.V, found.policy), found.method


def ddp(mdp):
    """The model as quantecon takes it: pairs (s, a) if sparse, else arrays (S, A) and (S, A, S). What ends moves to one more state, which pays nothing."""
    from quantecon.markov import DiscreteDP

    if not sp.issparse(mdp.transition):
        return DiscreteDP(mdp.mean_reward, mdp.transition.reshape(mdp.S, mdp.A, mdp.S), mdp.gamma)
    P, r = mdp.transition, mdp.mean_reward.ravel()
    s, a = np.divmod(np.arange(mdp.S * mdp.A), mdp.A)
    if mdp.ends.any():
        ends = sp.csr_array(mdp.ends.reshape(-1, 1))
        P = sp.block_array([[P, ends], [None, sp.csr_array([[1.0]])]], format="csr")
        s, a, r = np.append(s, mdp.S), np.append(a, 0), np.append(r, 0.0)
    return DiscreteDP(r, sp.csr_matrix(P), mdp.gamma, s, a)


def quantecon(method, **settings):
    def call(given):
        model, S = given
        found = model.solve(method=method, epsilon=EPSILON, max_iter=SWEEPS, **settings)
        return (found.v[:S], found.sigma[:S], *found.v[S:]), method

    return call


def arrays(mdp):
    return mdp.transition, mdp.mean_reward, mdp.gamma


def hand(function, **settings):
    return lambda given: (function(*given, **settings), function.__name__)


fresh = lambda mdp: replace(mdp)
with_size = lambda mdp: (ddp(mdp), mdp.S)
lu, bands, dense = (partial(by_hand.policy_iteration, evaluate=e) for e in (by_hand.by_lu, by_hand.by_bands, by_hand.by_dense))

POLICY = (
    Competitor("pgtheory", "ours", fresh, our_policy),
    Competitor("quantecon policy iteration", "quantecon", with_size, quantecon("policy_iteration"), ("garnet", "lake", "queue", "dense")),
    Competitor("quantecon modified policy iteration, k = 20", "quantecon", with_size, quantecon("modified_policy_iteration", k=20)),
    Competitor("quantecon modified policy iteration, k = 50", "quantecon", with_size, quantecon("modified_policy_iteration", k=50)),
    Competitor("quantecon value iteration", "quantecon", with_size, quantecon("value_iteration"), ("garnet", "lake", "dense")),
    Competitor("numba sweeps, span", "by hand", arrays, lambda g: (by_hand.span_sweeps(*g), ""), ("garnet", "torus")),
    Competitor("numba Gauss-Seidel", "by hand", arrays, lambda g: (by_hand.gauss_seidel(*g), ""), ("lake", "torus")),
    Competitor("BiCGSTAB policy iteration", "by hand", arrays, lambda g: (by_hand.inexact_policy_iteration(*g), ""), ("garnet", "lake", "torus")),
    Competitor("SuperLU policy iteration", "by hand", arrays, lambda g: (lu(*g), ""), ("garnet", "lake", "queue", "torus")),
    Competitor("solve_banded policy iteration", "by hand", arrays, lambda g: (bands(*g), ""), ("queue",)),
    Competitor("LAPACK policy iteration", "by hand", arrays, lambda g: (dense(*g), ""), ("dense", "garnet"), 4_000),
    Competitor("BLAS sweeps, span", "by hand", arrays, lambda g: (by_hand.matrix_sweeps(*g), ""), ("dense",)),
)


# The gradient of a softmax policy: an answer is (S, A)


def our_gradient(given):
    from pgtheory.tabular.objectives.returns import return_gradient

    mdp, policy = given
    return return_gradient(mdp, policy).reshape(mdp.S, mdp.A), ""


def with_policy(mdp):
    """A new policy as well: its tables are part of the work."""
    return replace(mdp), cells.softmax(mdp)


def hand_gradient(systems):
    def call(given):
        mdp, policy = given
        e = np.exp(policy.theta - policy.theta.max(axis=1, keepdims=True))
        pi = e / e.sum(axis=1, keepdims=True)
        return by_hand.gradient(mdp.transition, mdp.mean_reward, mdp.mu, mdp.gamma, pi, systems), ""

    return call


GRADIENT = (
    Competitor("pgtheory", "ours", with_policy, our_gradient),
    Competitor("SuperLU", "by hand", with_policy, hand_gradient(by_hand.lu_systems), ("garnet", "lake", "queue", "torus")),
    Competitor("BiCGSTAB", "by hand", with_policy, hand_gradient(by_hand.krylov_systems), ("garnet", "lake", "torus", "dense")),
    Competitor("scipy sweeps, span", "by hand", with_policy, hand_gradient(by_hand.sweep_systems), ("garnet", "torus", "dense")),
    Competitor("solve_banded", "by hand", with_policy, hand_gradient(by_hand.band_systems), ("queue",)),
    Competitor("LAPACK", "by hand", with_policy, hand_gradient(by_hand.dense_systems), ("dense", "garnet"), 4_000),
)

TASKS = {"policy": POLICY, "gradient": GRADIENT}
