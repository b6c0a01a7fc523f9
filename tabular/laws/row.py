"""From the first two moments of one row to the law of the mean over the rows of a data set."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.laws.columns import Columns, to_parameters
from pgtheory.tabular.laws.forms import Form
from pgtheory.tabular.laws.moments import UNIT_ROUNDOFF
from pgtheory.tabular.laws.types import Law
from pgtheory.tabular.policies.policy import Policy


@dataclass(frozen=True, eq=False, kw_only=True)
class RowMoments:
    """E[g] and E[g g'] of one row, g = sum of weight * psi over its steps.

    Attributes:
        weight: E[sum of the weights of the steps in s | they took a there] times their expected number, so that E[g] = sum_sa actions(a|s) weight(s, a) psi(s, a).
        error: bound of the error of `weight`.
        square: the same for squares: sum_sa actions(a|s) square(s, a) psi(s, a) psi(s, a)' is the part of E[g g'] in which a step meets itself.
        cross: the part in which a step meets a later one; its transpose is the rest of E[g g'].
        shared: E[E[g|s_0] E[g|s_0]'], None where rows draw their own first states.
    """

    weight: Float[np.ndarray, "S A"]
    error: Float[np.ndarray, "S A"]
    square: Float[np.ndarray, "S A"]
    cross: Float[np.ndarray, "k k"]
    shared: Float[np.ndarray, "k k"] | None


def law_of_rows(row: RowMoments, form: Form, columns: Columns, policy: Policy, *, method: str) -> Law:
    """The law of the mean over the rows, in the parameters. Takes over `row.cross`: at most three matrices of its size are alive. Cost O(k^2).

    The error of the mean is that of the weights, of the scores (probabilities to a few roundings times their logarithm) and of the sum over the pairs.

    Theorem: T44.
    """
    mean = columns.total(row.weight)
    second = row.cross
    second += second.T.copy()
    columns.add_squares(second, row.square)
    covariance = form.rows.covariance(second, second if row.shared is None else row.shared, np.outer(mean, mean))
    error = form.actions * form.ratio * (row.error + (form.actions.size + probability_roundings(form) + 16) * UNIT_ROUNDOFF * abs(row.weight))
    mean, covariance = to_parameters(columns, policy, mean, covariance)
    covariance *= form.scale**2
    return Law(
        mean=form.scale * mean,
        covariance=covariance,
        rounding=form.scale * policy.pullback_size(error),
        method=method,
        exact=True,
        count=0,
        zero=float("nan"),
    )


def probability_roundings(form: Form) -> float:
    """By how many roundings the probabilities of the data are off: exp(log pi) of a softmax, log pi being right to u (2 |log pi| + A + 4)."""
    taken = form.actions[form.actions > 0]
    return 2 * float(-np.log(taken.min())) + form.actions.shape[1] + 6
