"""The linear program of the occupancies."""

import numpy as np
import scipy.sparse as sp

from pgtheory.tabular.errors import NotConverged
from pgtheory.tabular.solve.iteration.greedy import Found
from pgtheory.tabular.solve.iteration.policy import policy_iteration, unbounded
from pgtheory.tabular.solve.play import Play


def occupancy_program(play: Play, tolerance: float | None = None) -> Found:
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
        raise unbounded()
    if answer.x is None:
        raise NotConverged(f"HiGHS found no solution of the linear program: {answer.message}", best=None, bound=np.inf)
    x = np.full(mdp.S * mdp.A, -1.0)
    x[pairs] = answer.x
    found = policy_iteration(play, tolerance, start=x.reshape(mdp.S, mdp.A).argmax(axis=1))
    return found._replace(steps=int(answer.nit) + found.steps - 1)
