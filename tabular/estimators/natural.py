"""The natural gradient: another estimator's gradient, preconditioned by the exact Fisher information."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.data import Data
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.estimators.estimator import Declared, Estimator
from pgtheory.tabular.laws.moments import dense, scatter
from pgtheory.tabular.policies.policy import fisher
from pgtheory.tabular.scene import Scene
from pgtheory.tabular.solve.evaluation import evaluate


@dataclass(frozen=True, kw_only=True)
class NaturalGradient:
    """F^+ g, with g a local or table estimator and F = sum_s d(s) sum_a pi(a|s) score score', d the expected discounted visits of the current policy.

    E[F^+ g] = F^+ E[g]: preconditioned, not biased. F^+ is the pseudo-inverse: softmax tables leave one direction a state without information.
    Cost: one evaluation, O(D^3) and O(N S A) memory. Source: Kakade (2001); Amari (1998).

    Raises:
        InvalidArgument: g is a gradient already.

    Theorem: T25, T39.
    """

    gradient: Estimator
    declared: Declared | None = None
    form = "whole"

    def __post_init__(self) -> None:
        if self.gradient.form == "whole":
            raise InvalidArgument(
                "the natural gradient is built from weights of scores; this estimator has form `whole`. Give a local or table estimator."
            )

    def __call__(self, data: Data, scene: Scene) -> Float[np.ndarray, "N D"]:
        policy = scene.policy()
        S, A = policy.probabilities.shape
        visits = evaluate(scene.model, policy).occupancy.reshape(-1, S).sum(axis=0)  # with a horizon: of all time steps together
        weights = dense(scatter(self.gradient(data, scene), data, (S, A))).reshape(-1, S, A)
        return policy.pullback(weights) @ np.linalg.pinv(fisher(policy, visits), hermitian=True)
