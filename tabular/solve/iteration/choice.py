"""Which method: by structure beforehand, by the contraction of the residuals on the way. Never by the clock: the same input gives the same bits."""

import scipy.sparse as sp

from pgtheory.tabular.errors import NonTerminating
from pgtheory.tabular.solve.compiled import compiler
from pgtheory.tabular.solve.iteration.coarse import coarse_start
from pgtheory.tabular.solve.iteration.greedy import Found
from pgtheory.tabular.solve.iteration.modified import Slow, settled, swept
from pgtheory.tabular.solve.iteration.policy import policy_iteration
from pgtheory.tabular.solve.play import SMALL, Play
from pgtheory.tabular.solve.structure import LARGE

MIXING = 300
"""Sweeps within which chains that forget their start are done; where more are needed, the order of the states may help."""

PATIENCE = 5000
"""Gauss-Seidel sweeps that cost no more than the factorisations of a handful of policies."""


def chosen(play: Play, tolerance: float | None) -> tuple[str, Found]:
    """The name of the method that gave the answer, and the answer; steps of methods that handed on count.

    Up to 200 states, and on a narrow band, linear systems cost least: policy iteration. If no action ends the episode, sweeps with the constant vector taken
    away; dense models that mix slowly go on to policy iteration, sparse ones to Gauss-Seidel, which is the first choice if actions may end the episode. If
    that is slow as well, policy iteration from the policy found. With gamma = 1 Gauss-Seidel from the value of a policy that ends, then policy iteration.
    """
    sparse = sp.issparse(play.transition)
    if play.mdp.S <= SMALL or play.linear == "banded":
        return "policy-iteration", policy_iteration(play, tolerance)
    if play.mdp.gamma == 1:
        start, steps = None, 0
        if sparse:
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
    V, steps, policy = None, 0, None
    if play.stochastic or not sparse:
        try:
            large = sparse and play.stochastic and play.structure.entries >= LARGE and compiler() is not None
            start, early = coarse_start(play, tolerance) if large else (None, 0)
            return "modified-policy-iteration", swept(play, tolerance, kinds=("shifted",), patience=MIXING, start=start).after(early)
        except Slow as end:
            V, policy, steps = end.V, end.policy, end.steps
    if sparse:
        try:
            return "gauss-seidel", swept(play, tolerance, kinds=("forward", "backward"), patience=PATIENCE, start=V).after(steps)
        except Slow as end:
            policy, steps = end.policy, steps + end.steps
    return "policy-iteration", policy_iteration(play, tolerance, start=policy).after(steps)
