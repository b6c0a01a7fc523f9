"""Which method: by structure beforehand, by the contraction of the residuals on the way. Never by the clock: the same input gives the same bits."""

from collections.abc import Callable

import scipy.sparse as sp
from jaxtyping import Int
from numpy import ndarray

from pgtheory.tabular.arrays import largest
from pgtheory.tabular.errors import NonTerminating
from pgtheory.tabular.solve.certificates import effective_horizon
from pgtheory.tabular.solve.iteration.coarse import coarse_start
from pgtheory.tabular.solve.iteration.greedy import Found
from pgtheory.tabular.solve.iteration.inexact import evaluated
from pgtheory.tabular.solve.iteration.modified import Slow, finished, goal_of, settled, swept
from pgtheory.tabular.solve.iteration.policy import FURTHER, ahead, policy_iteration
from pgtheory.tabular.solve.play import SMALL, Play
from pgtheory.tabular.solve.structure import LARGE

MIXING = 1000
"""Sweeps within which chains that forget their start are done; a Krylov method takes as long as about so many."""

PATIENCE = 1500
"""The same of Gauss-Seidel sweeps where actions may end the episode: they do more on grids."""

GLANCE = 100
"""The same where nothing ends: enough to see whether chains run along the order of the states, which few sweeps follow to the end."""

WITHOUT = 5000
"""The same without a discount, where nothing else is as good."""

SPEED = 10
"""Operations of a factorisation within the band that take as long as one entry of a sweep: most of the band is never filled."""

LINE = 100
"""A factorisation that costs no more sweeps than this beats a Krylov method: the states lie nearly along a line."""

POLICIES = 10
"""Evaluations that policy iteration is expected to need where it looks ahead."""

SHIFTED, ALONG = ("shifted",), ("forward", "backward")


def chosen(play: Play, tolerance: float | None) -> tuple[str, Found]:
    """The name of the method that gave the answer, and the answer; steps of methods that handed on count.

    On a narrow band, and up to 200 states where no sweeps are compiled or they do not do, linear systems cost least: policy iteration. Else sweeps: with the constant vector taken
    away if no action ends the episode or the model is dense, by Gauss-Seidel if actions may end it. Sparse models on which these are slow: Gauss-Seidel if not
    yet tried, inexact policy iteration, the sweeps again if what is left of them costs less than policies to be factorised, and policy iteration, to which dense
    models go on at once.
    """
    small, sparse = play.mdp.S <= SMALL, sp.issparse(play.transition)
    # A small model is swept before a band is looked for, which takes as long as a dozen sweeps.
    begun = start(play, tolerance) if small or play.linear != "banded" else None
    if begun is not None and float(abs(largest(begun.Q) - begun.V).max()) <= goal_of(play, begun.V, tolerance):
        return "modified-policy-iteration", begun
    V, steps = (None, 0) if begun is None else (begun.V, begun.steps)
    if (small and not play.compiled) or play.linear == "banded":
        return "policy-iteration", policy_iteration(play, tolerance, start=None if begun is None else begun.policy).after(steps)
    if play.mdp.gamma == 1:
        return undiscounted(play, tolerance)
    if play.stochastic or not sparse:
        name, kinds, patience = "modified-policy-iteration", SHIFTED, MIXING
    else:
        name, kinds, patience = "gauss-seidel", ALONG, PATIENCE
    try:
        return name, swept(play, tolerance, kinds=kinds, patience=patience, start=V).after(steps)
    except Slow as end:
        V, policy, steps, left = end.V, end.policy, steps + end.steps, end.needed
    if small or not sparse:
        return "policy-iteration", policy_iteration(play, tolerance, start=policy).after(steps)
    cost = factorisation(play, policy)
    tries: dict[str, Callable[[ndarray], Found]] = {}
    if play.stochastic:
        tries["gauss-seidel"] = lambda V: swept(play, tolerance, kinds=ALONG, patience=GLANCE, start=V)
    if cost > LINE:
        tries["inexact-policy-iteration"] = lambda V: evaluated(play, tolerance, V)
    if left < POLICIES * (cost + play.mdp.A * FURTHER):
        tries[name] = lambda V: swept(play, tolerance, kinds=kinds, patience=2 * left, start=V)
    for name, method in tries.items():
        try:
            return name, method(V).after(steps)
        except Slow as end:
            V, steps = end.V, steps + end.steps
    return "policy-iteration", policy_iteration(play, tolerance, start=ahead(play, V, FURTHER)).after(steps + FURTHER)


def start(play: Play, tolerance: float | None) -> Found | None:
    """What compiled sweeps reach that stay in one call, which is mostly the end, or that read single precision where the kernel is large; None where neither pays."""
    rows = play.compiled
    if rows is None:
        return None
    gamma, first = play.mdp.gamma, largest(play.mdp.mean_reward)
    if len(rows.entries[-1]) >= LARGE:
        V, steps = coarse_start(play, tolerance)
        Q = play.backup(V)
    elif len(rows.starts) == 1:
        V, Q, steps = rows.modified(first, goal_of(play, first / (1 - gamma), tolerance), GLANCE)
    else:
        return None
    return finished(play, V, Q, play.first, tolerance, effective_horizon(gamma), steps)


def undiscounted(play: Play, tolerance: float | None) -> tuple[str, Found]:
    """The same with gamma = 1: Gauss-Seidel from the value of a policy that ends, then policy iteration."""
    start, steps = None, 0
    if sp.issparse(play.transition):
        try:
            return "gauss-seidel", settled(play, tolerance, kinds=ALONG, patience=WITHOUT)
        except Slow as end:
            start, steps = (end.policy if play.ends(end.policy) else None), end.steps
    try:
        found = policy_iteration(play, tolerance, start=start)
    except NonTerminating:
        if start is None:
            raise
        found = policy_iteration(play, tolerance)  # sweeps may leave a policy that hardly ever ends
    return "policy-iteration", found.after(steps)


def factorisation(play: Play, policy: Int[ndarray, "S"]) -> float:
    """How many sweeps of a sparse policy one factorisation costs, at most: that of the band which reverse Cuthill-McKee leaves."""
    structure = play.chain(policy).structure
    below, above = structure.ordered_bandwidth
    return structure.size * (below + 1) * (below + above) / (SPEED * structure.entries)
