"""Mean and full covariance of the GAE family: with a horizon here, without one in `stationary.py`.

Moments of what follows go backwards, the law of the state forwards. M_t(s) = E[g_t g_t' | s] obeys M = E_b[psi psi' Q2 + nu (psi U' + U psi')] + nu^2 P_b M'. It is
linear in M', so that it is never stored state by state (S D^2 numbers): with p_t the law of s_t,

    E[g g'] = sum_t nu^(2t) sum_s p_t(s) E_b[psi psi' Q2_t + nu (psi U_t' + U_t psi')],    E[g] = sum_t nu^t sum_s p_t(s) E_b[psi Q1_t].

The sum of nu^(2t+1) p_t b U_t over t is collected column by column, and the score is applied to it once. Columns are independent given Q1 and Q2: they go in blocks that
stay in cache, on as many threads as there are processors. Where rows share their first state, E[E[g|s_0] E[g|s_0]'] is collected too.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float

from pgtheory.tabular.laws.backward import Following, Step, steps_back
from pgtheory.tabular.laws.columns import Columns, columns_of
from pgtheory.tabular.laws.compiled import available
from pgtheory.tabular.laws.forms import Differences
from pgtheory.tabular.laws.moments import UNIT_ROUNDOFF
from pgtheory.tabular.laws.row import RowMoments, law_of_rows, probability_roundings
from pgtheory.tabular.laws.stationary import stationary_moments
from pgtheory.tabular.laws.transitions import Rewards
from pgtheory.tabular.laws.types import Law
from pgtheory.tabular.models.mdp import nonzeros
from pgtheory.tabular.scene import Scene

NAME = "dynamic-programming"
"""Name of the method in `law`."""

CACHE = 2**15
"""Numbers S k of a block that is compiled: its two tables of S rows of 2 k float64 take a megabyte, of which one is read at a time."""

WIDE = 256
"""Columns of a block that numpy or scipy multiplies."""

WORTH_COMPILING = 4e8
"""Multiply-adds from which loading numba (half a second, at the first time two) costs less than it saves; scipy does about 5e8 a second."""


def differences_law(form: Differences, scene: Scene) -> Law:
    """The exact law.

    Cost with a horizon: 2 T nnz D multiply-adds (3 T nnz D if rewards depend on the next state); memory 3 D^2 + 3 T S A numbers and one block of columns a thread.
    Without a horizon: see `stationary.py`. D is the number of parameters, or S A if that is less.

    Raises:
        NonTerminating: there is no horizon, scores are not discounted (nu = 1) and episodes may run for ever.
        InvalidPolicy: the data contain actions at which the policy has no score.
    """
    policy, rewards = scene.policy(), Rewards(scene.mdp)
    columns = columns_of(form, policy)
    moments = stationary_moments if form.horizon is None else finite_moments
    return law_of_rows(moments(form, rewards, columns), form, columns, policy, method=NAME)


def state_laws(form: Differences, rewards: Rewards) -> Float[np.ndarray, "T S"]:
    """p_t(s), the probability that step t is taken in s. Cost O(T nnz)."""
    kernel = rewards.mdp.kernel(form.actions)
    p = np.empty((form.horizon, len(form.actions)))  # type: ignore[arg-type]
    p[0] = rewards.mdp.mu
    for t in range(1, len(p)):
        p[t] = kernel.T @ p[t - 1]
    return p


def finite_moments(form: Differences, rewards: Rewards, columns: Columns) -> RowMoments:
    """The first two moments of a row of `form.horizon` steps at most."""
    steps, p = list(steps_back(form, rewards)), state_laws(form, rewards)
    discount = form.nu ** np.arange(len(p))
    none = np.zeros(form.actions.shape)
    weight = sum((discount[step.t] * p[step.t, :, None] * step.Q1 for step in steps), start=none)
    square = sum((discount[step.t] ** 2 * p[step.t, :, None] * step.Q2 for step in steps), start=none)
    cross = np.empty((columns.size, columns.size))
    start = np.flatnonzero(rewards.mdp.mu)
    first = None if form.rows.start == "row" else np.empty((len(start), columns.size))
    compiled = sp.issparse(rewards.P) and available() and len(steps) * nonzeros(rewards.P).sum() * 2 * columns.size >= WORTH_COMPILING

    taken = [form.nu * discount[step.t] ** 2 * p[step.t, :, None] * form.actions for step in steps]

    def collect(place: slice, block: Columns) -> None:
        following, into = Following(block, form, rewards, compiled=compiled), np.zeros((form.actions.size, block.size))
        for step, probability in zip(steps, taken, strict=True):
            following.step(step, into, probability)
        cross[:, place] = columns.across(into)
        if first is not None:
            first[:, place] = following.mu[start]

    over_blocks(collect, columns, max(32, CACHE // len(none)) if compiled else WIDE)
    shared = None if first is None else (first.T * rewards.mdp.mu[start]) @ first
    return RowMoments(weight=weight, error=weight_error(form, rewards, steps, p), square=square, cross=cross, shared=shared)


def over_blocks(collect: Callable[[slice, Columns], None], columns: Columns, width: int) -> None:
    """Call `collect` for every block of columns, on as many threads as there are processors. The blocks do not depend on their number."""
    blocks = list(columns.blocks(width))
    if len(blocks) == 1:
        return collect(*blocks[0])
    with ThreadPoolExecutor(max_workers=min(len(blocks), os.cpu_count() or 1)) as pool:
        list(pool.map(lambda block: collect(*block), blocks))


def weight_error(form: Differences, rewards: Rewards, steps: Sequence[Step], p: Float[np.ndarray, "T S"]) -> Float[np.ndarray, "S A"]:
    """Bound of the rounding error of sum_t nu^t p_t Q1_t: the same recursion with absolute values, times the number of roundings that a term meets.

    A sum of products of which each has met at most n roundings errs by n u / (1 - n u) times the sum of their absolute values (Higham 2002, Section 3.1). A step
    backwards sums the entries of a row of P and A actions, a step forwards those of a column; either multiplies by a probability that is itself rounded.
    """
    S, A = form.actions.shape
    size, total = np.zeros(S), np.zeros((S, A))
    for step in steps:
        Q = rewards.size + np.asarray(rewards.P @ (form.gamma * abs(step.after) + form.kappa * size)).reshape(S, A) + abs(step.before)[:, None]
        total += form.nu**step.t * p[step.t, :, None] * Q
        size = (form.actions * Q).sum(axis=1)
    kernel: Any = rewards.mdp.kernel(form.actions)
    columns = nonzeros(kernel.T.tocsr() if sp.issparse(kernel) else kernel.T)
    longest = max(int(nonzeros(rewards.P).max(initial=0)), int(columns.max(initial=0)))
    roundings = (len(steps) + 1) * (longest + A + probability_roundings(form) + 12) + 16
    return roundings * UNIT_ROUNDOFF / (1 - roundings * UNIT_ROUNDOFF) * total
