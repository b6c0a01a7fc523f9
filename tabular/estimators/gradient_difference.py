"""The difference of two gradients from one trajectory, the older one with an importance weight: what recursive momentum adds up."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.arrays import freeze
from pgtheory.tabular.data import Data
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.estimators.estimator import Declared, Estimator
from pgtheory.tabular.laws.moments import dense, scatter
from pgtheory.tabular.scene import Scene


@dataclass(frozen=True, eq=False, kw_only=True)
class GradientDifference:
    """g(tau, theta) - w g(tau, last), w = p(tau; last) / p(tau; theta), for data of the current policy theta.

    Unbiased for grad J(theta) - grad J(last), with a variance of the order |theta - last|^2. The weights of g may not depend on theta.
    Cost: twice that of g. Source: Xu, Gao and Gu (2020); Barakat, Fatkhullin and He (2023).

    Attributes:
        gradient: g, a local estimator.
        last: the older parameters, in the shape of theta.
        weighted: False leaves w out, which is biased.
    """

    gradient: Estimator
    last: Float[np.ndarray, "*D"]
    weighted: bool = True
    declared: Declared | None = None
    form = "whole"

    def __post_init__(self) -> None:
        if self.gradient.form != "local":
            raise InvalidArgument(f"the difference is built from weights of the actions taken; this estimator has form `{self.gradient.form}`.")
        object.__setattr__(self, "last", freeze("last", self.last, error=InvalidArgument))

    def __call__(self, data: Data, scene: Scene) -> Float[np.ndarray, "N D"]:
        policy, older = scene.policy(), scene.policy().with_theta(self.last)
        weights = dense(scatter(self.gradient(data, scene), data, policy.probabilities.shape)).reshape(-1, *policy.probabilities.shape)
        steps = (older.log_probabilities - policy.log_probabilities)[data.state, data.action]
        ratio = np.exp((steps * data.mask).sum(axis=(1, 2)))[:, None] if self.weighted else 1.0
        return policy.pullback(weights) - ratio * older.pullback(weights)
