"""The Hessian of the return times a vector, from a sampled trajectory: what follows a gradient from one point to the next without importance weights.

B(tau) u = grad Phi <grad log p(tau), u> + (second derivative of Phi) u,      Phi = sum_t w_t log pi(a_t|s_t),      E[grad Phi] = grad J,
E[B] = second derivative of J,      grad J(theta) - grad J(last) = integral over q in [0, 1] of E[B(tau) u] at q theta + (1 - q) last,  u = theta - last.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.arrays import freeze
from pgtheory.tabular.data import Data
from pgtheory.tabular.errors import InvalidArgument, InvalidPolicy
from pgtheory.tabular.estimators.estimator import Declared, Estimator
from pgtheory.tabular.laws.moments import dense, scatter
from pgtheory.tabular.policies.log_linear import LogLinear
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.scene import Scene


@dataclass(frozen=True, eq=False, kw_only=True)
class HessianVector:
    """B(tau) u, with w_t the weights of a local estimator that do not depend on theta, such as `RewardToGo`.

    The second derivative of log pi(a|s) of a softmax or log-linear policy is minus the Fisher information of the state, whatever a is.
    Cost: O(N S A) and one pullback. Source: Shen, Ribeiro, Hassani, Qian and Mi (2019); Fatkhullin et al. (2023), section 4.

    Attributes:
        gradient: the estimator whose weights w_t are.
        u: the vector, in parameter space.

    Raises:
        InvalidArgument: the estimator is not local, or u has another size than theta.
        InvalidPolicy: a policy of another family.

    Theorem: T61.
    """

    gradient: Estimator
    u: Float[np.ndarray, "D"]
    declared: Declared | None = None
    form = "whole"

    def __post_init__(self) -> None:
        if self.gradient.form != "local":
            raise InvalidArgument(f"the Hessian is built from weights of the actions taken; this estimator has form `{self.gradient.form}`.")
        object.__setattr__(self, "u", freeze("u", self.u, error=InvalidArgument))

    def __call__(self, data: Data, scene: Scene) -> Float[np.ndarray, "N D"]:
        policy = scene.policy()
        if not isinstance(policy, Softmax | LogLinear):
            raise InvalidPolicy(f"HessianVector is for softmax and log-linear policies, not for {type(policy).__name__}.")
        if self.u.shape != (policy.theta.size,):
            raise InvalidArgument(f"u has shape {self.u.shape}, expected {(policy.theta.size,)}: one number a parameter.")
        shape = policy.probabilities.shape
        table = lambda steps: dense(scatter(steps, data, shape)).reshape(-1, *shape)
        weights, slopes = table(self.gradient(data, scene)), policy.pushforward(self.u)
        along = (table(data.mask.astype(float)) * slopes).sum(axis=(1, 2))
        curvature = weights.sum(axis=2, keepdims=True) * policy.probabilities * slopes
        return along[:, None] * policy.pullback(weights) - policy.pullback(curvature)
