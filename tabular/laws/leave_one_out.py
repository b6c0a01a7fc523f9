"""The law of group estimators with the mean of the others as baseline, in closed form from the moments of one row.

A group of n rows gives g = (1/n) sum_i (R_i - mean of the R_j, j != i) S_i, S_i the sum of the scores of row i. Given what the rows share (their first state), they are independent.
With V = E R, v = Var R, g = E[(R - V) S], h = E[(R - V)^2 S], s = E S, F = E[S S'] of one row,

    E[(R_i - mean)^2 S_i S_i'] = E[(R - V)^2 S S'] + v/(n-1) F:   the mean of the others is V plus noise of variance v/(n-1), independent of row i,
    E[(R_i - mean)(R_j - mean) S_i S_j'] = (1 + 1/(n-1)^2) g g' - (h s' + s h')/(n-1) + (n-2)/(n-1)^2 v s s',    i != j,

and for scores of mean zero

    Cov = (1/n) (E[(R - V)^2 S S'] - g g') + 1/(n (n-1)) (v F + g g').

The second term is what the baseline costs by being estimated. The group's mean, the own row included, is (n-1)/n times the same, data set by data set.
Source: the U-statistic of Kool, van Hoof and Welling (2019), Hoeffding (1948) for its variance; n = 2: the pair of Wu et al. (2023), P3O.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.laws.columns import Columns, columns_of
from pgtheory.tabular.laws.differences import NAME
from pgtheory.tabular.laws.earnings import Earnings, UntilTheEnd
from pgtheory.tabular.laws.forms import Form, LeftOut, form_of
from pgtheory.tabular.laws.row import law_of_rows
from pgtheory.tabular.laws.types import Estimator, Law
from pgtheory.tabular.laws.whole_return import earnings_of, whole_moments
from pgtheory.tabular.scene import Scene


def leave_one_out_law(form: LeftOut, scene: Scene, columns: Columns | None = None) -> Law:
    """The exact law, in the parameters or along `columns`. Cost: that of the law of a whole return without baseline (5 products of nnz k a step), and O(n k^2) for n possible first states.

    Raises:
        NonTerminating: there is no horizon, and episodes may run for ever.
        InvalidPolicy: the data contain actions at which the policy has no score.
    """
    return _law(form, scene, columns or columns_of(form, scene.policy()), known=1.0)


def baseline_cost(estimator: Estimator, sampling: object, scene: Scene) -> Float[np.ndarray, "D D"]:
    """What estimating the baseline costs: covariance of the leave-one-out estimator minus that of the same rows with the exact V(first state) as baseline.

    1/(n (n-1)) (v F + g g') a group for scores of mean zero: a factor n - 1 below the rest, and never negative there. For the group's mean, both times ((n-1)/n)^2.
    It is summed up for itself, not as a difference. Cost: that of the law.
    Source: Panaganti et al. (2026); Huang, Sheng and Zheng (2025), OBLR-PO.

    Raises:
        InvalidArgument: the estimator has no baseline that is estimated from its group.
    """
    form = form_of(estimator, sampling, scene)
    if not isinstance(form, LeftOut):
        raise InvalidArgument(
            "baseline_cost needs an estimator whose baseline is a mean over its group: LeaveOneOut() or GroupMean() as the advantage of a PolicyGradient."
        )
    return _law(form, scene, columns_of(form, scene.policy()), known=0.0).covariance


def _law(form: LeftOut, scene: Scene, columns: Columns, known: float) -> Law:
    """The law for known = 1. The covariance is linear in what is known of the rows; for known = 0 only the noise of the baseline is left."""
    policy, mu, others = scene.policy(), scene.mdp.mu, max(form.rows.size - 1, 1)  # a group of one is its own mean: its scale below is zero
    first = np.flatnonzero(mu)
    earnings = earnings_of(form, scene.mdp, 1.0)
    V, v = totals(earnings, form, mu)
    start = mu * np.array([known * np.ones_like(V), -known * V, known * V * V + v / others])
    row, (Y, _) = whole_moments(form, earnings, columns, start=start, baseline=None, first=first)
    V, v, chance = V[first, None], v[first], mu[first]
    s, g, h = Y[0], Y[1] - V * Y[0], Y[2] - 2 * V * Y[1] + V * V * Y[0]
    if form.rows.start == "row":
        s, g, h, v, chance = chance[None] @ s, chance[None] @ g, chance[None] @ h, v[:1], np.ones(1)
    product = lambda x, y: (x.T * chance) @ y
    shared = product(g, g)
    # n times what the pairs of rows add, as if it were a part of E[g g'] of one row: this is half of it, the transpose is the other half.
    row.cross[...] += shared / (2 * others) + (others - 1) / (2 * others) * product(s * v[:, None], s) - product(h, s)
    scaled = replace(form, scale=form.scale * form.factor * (form.rows.size - 1) / form.rows.size)
    return law_of_rows(replace(row, shared=known * shared), scaled, columns, policy, method=NAME)


def totals(earnings: Earnings, form: Form, mu: Float[np.ndarray, "S"]) -> tuple[Float[np.ndarray, "S"], Float[np.ndarray, "S"]]:
    """Mean and variance of the total reward of a row given its first state; where each row draws its own, of any row, in every entry. Cost O(T nnz), or two systems."""
    if form.horizon is None:
        (_, mean, square) = UntilTheEnd(earnings).returns
    else:
        R = [np.ones(len(mu)), np.zeros(len(mu)), np.zeros(len(mu))]
        for _ in range(form.horizon):
            R = earnings.averaged(earnings.returns(R))
        (_, mean, square) = R
    if form.rows.start == "row":
        mean, square = np.full(len(mu), mu @ mean), np.full(len(mu), mu @ square)
    return mean, np.maximum(square - mean * mean, 0.0)
