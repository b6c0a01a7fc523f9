"""Moments of an estimator kept in weight space: gradients of single data sets are never formed.

A local estimator is g = sum_sa W[s, a] score(s, a) with W[s, a] the sum of its weights over the steps that took a in s. So
E[g] = pullback(E[W]) and Cov(g) = score' Cov(W) score: one sparse product and one sandwich, whatever the number of data sets.
"""

from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float

from pgtheory.tabular.data import Data
from pgtheory.tabular.errors import UserFunctionError
from pgtheory.tabular.laws.types import Estimator
from pgtheory.tabular.policies.policy import Policy
from pgtheory.tabular.scene import Scene

UNIT_ROUNDOFF = 2.0**-53

DENSE = 2**18
"""Entries of W up to which it is kept dense: below, sparse matrices cost more in bookkeeping than they save."""


def scatter(weights: np.ndarray, data: Data, shape: tuple[int, int]) -> np.ndarray | sp.csr_array:
    """W as an (N, S*A) matrix, sparse above DENSE entries, from local weights (N, B, T) or table weights (N, B, T, A). Cost O(N B T) or O(N B T A)."""
    S, A = shape
    N, B, T = data.shape
    if weights.shape == (N, B, T):
        column = data.state * A + data.action
    elif weights.shape == (N, B, T, A):
        column = (data.state * A)[..., None] + np.arange(A)
    else:
        raise UserFunctionError(
            f"the estimator returned an array of shape {weights.shape} for {N} data sets of {B} rows and {T} steps; "
            f"expected (N, B, T) = {(N, B, T)} (local), or (N, B, T, A) = {(N, B, T, A)} (table)."
        )
    row = np.repeat(np.arange(N), weights[0].size)
    if N * S * A <= DENSE:
        flat = np.bincount(row * (S * A) + column.ravel(), weights.ravel(), minlength=N * S * A)
        return flat.reshape(N, S * A)
    return sp.coo_array((weights.ravel(), (row, column.ravel())), shape=(N, S * A)).tocsr()


def dense(W: np.ndarray | sp.csr_array) -> np.ndarray:
    """W as a dense array."""
    return W if isinstance(W, np.ndarray) else W.toarray()


def row_by_row(estimator: Estimator, data: Data, scene: Scene) -> np.ndarray | sp.csr_array:
    """What an estimator makes of each data set: its gradient (N, D) if the form is `whole`, else its weights of scores (N, S*A)."""
    values, policy = np.asarray(estimator(data, scene), dtype=np.float64), scene.policy("current")
    if estimator.form != "whole":
        return scatter(values, data, policy.probabilities.shape)
    if values.shape != (len(data), policy.theta.size):
        raise UserFunctionError(f"the estimator returned shape {values.shape}; form `whole` needs (N, D) = {(len(data), policy.theta.size)}.")
    return values


def gradients(estimator: Estimator, data: Data, scene: Scene) -> Float[np.ndarray, "N D"]:
    """The estimate of each data set, in parameter space. Cost: one call, and one pullback of (N, S, A)."""
    rows, policy = row_by_row(estimator, data, scene), scene.policy("current")
    return rows if estimator.form == "whole" else policy.pullback(dense(rows).reshape(-1, *policy.probabilities.shape))  # type: ignore[return-value]


@dataclass
class Moments:
    """Running sums of weight x, weight x x' and weight |x|, with x the row of each data set (weights of scores, or a gradient).

    Data sets on which x is not finite are left out of the sums; `undefined` is their total probability.
    """

    size: int
    first: np.ndarray = field(init=False)
    second: np.ndarray = field(init=False)
    absolute: np.ndarray = field(init=False)
    count: int = 0
    undefined: float = 0.0
    zero: float = 0.0

    def __post_init__(self) -> None:
        self.first, self.absolute = np.zeros(self.size), np.zeros(self.size)
        self.second = np.zeros((self.size, self.size))

    def add(self, probability: Float[np.ndarray, "N"], x: sp.csr_array | np.ndarray) -> None:
        """Add N data sets. Cost O(N size^2) dense, O(nnz^2 / N) sparse."""
        bad = ~np.isfinite(np.asarray(x.sum(axis=1)).ravel())  # a sum of finite weights overflows for absurd weights only, which are as bad
        self.count += len(bad)
        if bad.any():
            self.undefined += float(probability[bad].sum())
            x, probability = x[~bad], probability[~bad]
        size = abs(x)
        self.zero += float(probability[np.asarray(size.sum(axis=1)).ravel() == 0].sum())
        self.first += x.T @ probability
        self.absolute += size.T @ probability
        if sp.issparse(x):
            self.second += (x.T @ (sp.dia_array((probability[None], [0]), shape=(len(probability),) * 2) @ x)).toarray()
        else:
            self.second += (x.T * probability) @ x


def to_parameters(moments: Moments, policy: Policy) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(mean, covariance, rounding) in parameter space, from moments of weights of scores.

    `rounding` bounds |computed - exact| of the mean, coordinate by coordinate: a sum of n products of relative error k u has an error of at most
    (n + k) u times the sum of the absolute values (Higham 2002, section 3.1); k = 32 covers pi, the ratios and the products of probabilities.
    """
    S, A = policy.probabilities.shape
    table = lambda x: x.reshape(*x.shape[:-1], S, A)
    mean = policy.pullback(table(moments.first))
    left = policy.pullback(table(moments.second))
    covariance = policy.pullback(table(np.ascontiguousarray(left.T))) - np.outer(mean, mean)
    size = policy.pullback_size(table(moments.absolute))
    return mean, (covariance + covariance.T) / 2, (32 + moments.count) * UNIT_ROUNDOFF * size
