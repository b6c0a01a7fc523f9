"""The law of REINFORCE with the whole return and a baseline, from what was earned before each step and what comes after it.

g = sum_t psi_t (R - b_t(s_t)),  R = X_t + gamma^t R_t. Forwards F^i(s) = E[X_t^i; s_t = s] (`earnings.py`), backwards u_i = E[R_t^i Psi_{t+1} | s, a] and z_i, sums of
scores and baselines to come (`score_products.py`). Given (s_t, a_t), past and future are independent. The pairs t < t' are collected at t:

    E[g g'] = sum_t sum_s E_b[psi psi' E2 + psi v' + v psi'],
    E2 = (F2 - 2 b F1 + b^2 F0) + 2 gamma^t (F1 - b F0) E[R_t | s, a] + gamma^2t F0 E[R_t^2 | s, a],
    v  = (F2 - b F1) u_0 + gamma^t (2 F1 - b F0) u_1 + gamma^2t F0 u_2 - (F1 - b F0) z_0 - gamma^t F0 z_1.

A baseline that is constant enters as X_0 = -b, without Z. Without a horizon all is summed over t by linear systems. E|Psi|^2 must be finite then, whatever gamma is:
episodes must end. Source: Williams (1992) for the estimator; the recursions are derived here.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float, Int

from pgtheory.tabular.errors import NonTerminating
from pgtheory.tabular.laws.columns import Columns, columns_of
from pgtheory.tabular.laws.compiled import available
from pgtheory.tabular.laws.differences import CACHE, NAME, WORTH_COMPILING, over_blocks
from pgtheory.tabular.laws.earnings import Earnings, Past, UntilTheEnd, weight_error
from pgtheory.tabular.laws.forms import Form, Whole
from pgtheory.tabular.laws.row import RowMoments, law_of_rows, probability_roundings
from pgtheory.tabular.laws.score_products import ScoreProducts
from pgtheory.tabular.laws.transitions import Rewards
from pgtheory.tabular.laws.types import Law
from pgtheory.tabular.models.mdp import MDP, nonzeros
from pgtheory.tabular.scene import Scene
from pgtheory.tabular.solve.reachability import edges_of, ends_surely, exits_of, reachable

WIDTH = 256
"""Columns of a block that scipy multiplies."""

NARROW = 32
"""Columns of a block that is compiled, at least."""

Step = tuple[Past, np.ndarray | float, list[np.ndarray]]
"""What a step needs to know: the past, the baseline, and E[R_t^i | s, a] for i = 0, 1, 2."""


def whole_return_law(form: Whole, scene: Scene, columns: Columns | None = None) -> Law:
    """The exact law, in the parameters or along `columns`. Cost: see `whole_moments`.

    Raises:
        NonTerminating: there is no horizon, and episodes may run for ever.
        InvalidPolicy: the data contain actions at which the policy has no score.

    Theorem: T43.
    """
    policy, mu = scene.policy(), scene.mdp.mu
    columns, first = columns or columns_of(form, policy), np.flatnonzero(mu) if form.rows.start != "row" else np.arange(0)
    varies = np.ptp(form.baseline) > 0
    constant = 0.0 if varies else float(form.baseline.flat[0])
    start = mu * np.array([[1.0], [-constant], [constant**2]])
    earnings = earnings_of(form, scene.mdp, form.discount)
    row, (Y, Z) = whole_moments(form, earnings, columns, start=start, baseline=form.baseline if varies else None, first=first)
    if len(first):
        given_start = Y[1] - constant * Y[0] - Z[0]
        row = replace(row, shared=(given_start.T * mu[first]) @ given_start)
    return law_of_rows(row, form, columns, policy, method=NAME)


def whole_moments(
    form: Form,
    earnings: Earnings,
    columns: Columns,
    *,
    start: Float[np.ndarray, "3 S"],
    baseline: Float[np.ndarray, "*T S"] | None,
    first: Int[np.ndarray, "n"],
) -> tuple[RowMoments, Float[np.ndarray, "2 3 n k"]]:
    """Moments of g = sum_t psi_t (R - b_t(s_t)) with E[X_0^i; s_0 = s] given as `start`; and E[R_0^i Psi_0 | s] and E[R_0^i Z_0 | s] for the states `first`.

    R_0 leaves X_0 out. Without `baseline` b = 0. What vanishes identically is zero.
    Cost of a step, in multiply-adds nnz k: 3 without baseline, 4 with one, 9 if scores have no mean zero (5, 7 and 14 where the loop is not compiled); memory
    3 k^2 + T S (6 + 2 A) numbers and one block of columns a thread. Without a horizon the same once, and the systems: a factorisation for each discount 1, gamma and
    gamma^2, and a solve for each table of k columns. Errors of second moments are roundings of E[(R - b)^2] before it is centred: u E[R^2] for rewards far from zero.
    """
    ending = UntilTheEnd(earnings) if form.horizon is None else None
    if ending is None:
        steps: list[Step] = list(backwards(earnings, start, form.horizon, baseline))  # type: ignore[arg-type]
    else:
        steps = [(ending.past(start), baseline_at(baseline, 0), earnings.returns(ending.returns))]
    work = (form.horizon or 0) * int(nonzeros(earnings.moves[0]).sum()) * 4 * columns.size
    compiled = sp.issparse(earnings.moves[0]) and available() and work >= WORTH_COMPILING
    weight, square = np.zeros(earnings.actions.shape), np.zeros(earnings.actions.shape)
    total = lambda factors, q: sum(np.reshape(f, (-1, 1)) * x for f, x in zip(factors, q, strict=False))
    for past, b, q in steps:
        weight += total(past.advantage(b), q)
        square += total(past.square(b), q)
    cross, at_first = np.empty((columns.size, columns.size)), np.zeros((2, 3, len(first), columns.size))

    def collect(place: slice, block: Columns) -> None:
        products = ScoreProducts(earnings=earnings, columns=block, baseline=baseline is not None, compiled=compiled)
        tables, into = products.zeros(), np.zeros((earnings.actions.size, block.size))
        for past, b, q in steps:
            if ending is None:
                tables = products.back(tables, into, past, q, b)
            else:
                tables = products.solved(ending, q, b)
                into += products.crossed(tables, past, b)
        cross[:, place] = columns.across(into)
        for table, order in zip(tables, products.orders, strict=True):
            at_first[(*order, slice(None), place)] = table[first]

    if ending is None:
        over_blocks(collect, columns, max(NARROW, CACHE // len(weight)) if compiled else WIDTH)
    else:  # one factorisation serves all blocks: they go one by one
        for part in columns.blocks(WIDTH):
            collect(*part)
    largest = 0.0 if baseline is None else np.atleast_2d(abs(baseline)).max(axis=0)
    roundings = probability_roundings(form)
    error = ending.weight_error(start, largest, roundings) if ending else weight_error(earnings, start, form.horizon, largest, roundings)  # type: ignore[arg-type]
    return RowMoments(weight=weight, error=error, square=square, cross=cross, shared=None), at_first


def earnings_of(form: Form, mdp: MDP, gamma: float) -> Earnings:
    """The rewards of the rows of a form.

    Raises:
        NonTerminating: there is no horizon, and from a state that the data reach the episode may run for ever.
    """
    actions = form.actions
    if form.horizon is None:
        edges = edges_of(mdp, actions > 0)
        reached = reachable(edges, mdp.mu > 0)
        endless = reached & ~ends_surely(edges, exits_of(mdp, actions > 0))
        if endless.any():
            raise NonTerminating(
                f"the whole return has no finite variance: from state {int(np.flatnonzero(endless)[0])}, which is reached from mu, the episode may never end under the policy that "
                "samples. It multiplies the sum of the scores of all steps, whose variance grows with their number without limit, whatever gamma is. Give the sampling or the "
                "model a horizon, or let episodes end: with_stopping(model) ends them with probability 1 - gamma after each step, at the same value and gradient."
            )
        actions = np.where(reached[:, None], actions, 0.0)
    return Earnings(rewards=Rewards(mdp), actions=actions, gamma=gamma)


def backwards(earnings: Earnings, start: Float[np.ndarray, "3 S"], horizon: int, baseline: np.ndarray | None) -> Iterator[Step]:
    """The steps, the last one first. Cost O(nnz) a step."""
    S = len(earnings.actions)
    R = [np.ones(S), np.zeros(S), np.zeros(S)]
    for t, F in reversed(list(enumerate(earnings.pasts(start, horizon)))):
        q = earnings.returns(R)
        yield Past.at(F, earnings.gamma**t), baseline_at(baseline, t), q
        R = earnings.averaged(q)


def baseline_at(baseline: Float[np.ndarray, "*T S"] | None, t: int) -> np.ndarray | float:
    """b_t."""
    return 0.0 if baseline is None else baseline if baseline.ndim == 1 else baseline[t]
