"""The law of an estimator by enumeration of every data set."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from pgtheory.tabular.data import Data
from pgtheory.tabular.laws.moments import UNIT_ROUNDOFF, Moments, row_by_row, to_parameters
from pgtheory.tabular.laws.types import Estimator, Law
from pgtheory.tabular.sampling.datasets import LIMIT
from pgtheory.tabular.scene import Scene

EVALUATION = 4e3
"""What a data set of a few steps takes: a thousand roundings of its weights and their squares, in the time of four thousand multiply-adds."""


@dataclass(frozen=True)
class Enumeration:
    """Sum over all data sets. `ordered` tells rows apart; without it, data sets that differ in the order of their rows are merged,
    which is right for estimators that do not depend on that order."""

    ordered: bool = False
    name = "enumeration"
    exact = True
    needs = f"at most {LIMIT} data sets: episodes that end or are cut soon, and rewards that take finitely many known values"

    def applies(self, estimator: Estimator, sampling: object, scene: Scene) -> bool:
        """Whether the data sets can be enumerated within the limit."""
        return sampling.count(scene, ordered=self.ordered) <= LIMIT  # type: ignore[attr-defined]

    def cost(self, estimator: Estimator, sampling: object, scene: Scene) -> float:
        """Number of data sets times what one takes."""
        return sampling.count(scene, ordered=self.ordered) * EVALUATION  # type: ignore[attr-defined]

    def run(self, estimator: Estimator, sampling: object, scene: Scene) -> Law:
        """The exact law."""
        return law_over(estimator, sampling.batches(scene, ordered=self.ordered), scene)  # type: ignore[attr-defined]


def law_over(estimator: Estimator, batches: Iterable[tuple[np.ndarray, Data]], scene: Scene) -> Law:
    """The law of an estimator over given (weights, data) batches whose weights sum to one.

    Cost: one call of the estimator a batch; O(N S A) memory at most, less when few pairs (s, a) occur.
    """
    policy = scene.policy("current")
    shape = policy.probabilities.shape
    whole = estimator.form == "whole"
    moments = Moments(policy.theta.size if whole else shape[0] * shape[1])
    for probability, data in batches:
        moments.add(probability, row_by_row(estimator, data, scene))
    if whole:
        mean = moments.first
        covariance, rounding = moments.second - np.outer(mean, mean), (32 + moments.count) * UNIT_ROUNDOFF * moments.absolute
    else:
        mean, covariance, rounding = to_parameters(moments, policy)
    return Law(
        mean=mean, covariance=covariance, rounding=rounding, method="enumeration", exact=True,
        count=moments.count, undefined=moments.undefined, zero=moments.zero,
    )  # fmt: skip
