"""Which method: by structure beforehand, by the contraction of the residuals on the way. Never by the clock: the same input gives the same bits."""

import scipy.sparse as sp
from jaxtyping import Int
from numpy import ndarray

from pgtheory.tabular.errors import NonTerminating
from pgtheory.tabular.solve.compiled import compiler
from pgtheory.tabular.solve.iteration.coarse import coarse_start
from pgtheory.tabular.solve.iteration.greedy import Found
from pgtheory.tabular.solve.iteration.modified import Slow, settled, swept
from pgtheory.tabular.solve.iteration.policy import FURTHER, ahead, policy_iteration
from pgtheory.tabular.solve.play import SMALL, Play
from pgtheory.tabular.solve.structure import LARGE

MIXING = 300
"""Sweeps within which chains that forget their start are done; where more are needed, what they would cost is compared with a factorisation."""

PATIENCE = 5000
"""Gauss-Seidel sweeps that cost no more than the factorisations of a handful of policies."""

SPEED = 10
"""Operations of a factorisation within the band that take as long as one entry of a sweep: most of the band is never filled."""


def chosen(play: Play, tolerance: float | None) -> tuple[str, Found]:
    """The name of the method that gave the answer, and the answer; steps of methods that handed on count.

    On a narrow band, and up to 200 states where no sweeps are compiled, linear systems cost least: policy iteration. Else sweeps: with the constant vector taken away if no action ends the
    episode or the model is dense, by Gauss-Seidel if actions may end it. If they are slow, policy iteration that looks further ahead, unless a factorisation
    costs more than the sweeps that are left.
    """
    small = play.mdp.S <= SMALL
    if (small and not play.compiled) or play.linear == "banded":
        return "policy-iteration", policy_iteration(play, tolerance)
    if play.mdp.gamma == 1:
        return undiscounted(play, tolerance)
    sparse = sp.issparse(play.transition)
    if play.stochastic or not sparse:
        name, kinds, patience = "modified-policy-iteration", ("shifted",), float(MIXING)
    else:
        name, kinds, patience = "gauss-seidel", ("forward", "backward"), float(PATIENCE)
    large = sparse and play.stochastic and play.structure.entries >= LARGE and compiler() is not None
    V, steps = coarse_start(play, tolerance) if large else (None, 0)
    while True:
        try:
            return name, swept(play, tolerance, kinds=kinds, patience=patience, start=V).after(steps)
        except Slow as end:
            V, policy, steps, before = end.V, end.policy, steps + end.steps, patience
            patience = 2 * factorisation(play, policy) if sparse and not small else 0.0
            if end.needed > 0.5 * patience or before not in (MIXING, PATIENCE):
                break
    if sparse and not small:
        policy, steps = ahead(play, V, FURTHER), steps + FURTHER
    return "policy-iteration", policy_iteration(play, tolerance, start=policy).after(steps)


def undiscounted(play: Play, tolerance: float | None) -> tuple[str, Found]:
    """The same with gamma = 1: Gauss-Seidel from the value of a policy that ends, then policy iteration."""
    start, steps = None, 0
    if sp.issparse(play.transition):
        try:
            return "gauss-seidel", settled(play, tolerance, kinds=("forward", "backward"), patience=PATIENCE)
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
