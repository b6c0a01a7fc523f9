"""Expectations of functions of the trajectory: return per token, length, anything that can be enumerated."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.sampling.paths import Paths, enumerate_paths
from pgtheory.tabular.scene import Scene


@lru_cache(maxsize=32)
def paths_of(mdp: MDP) -> Paths:
    """All trajectories of a model, enumerated once."""
    return enumerate_paths(mdp)


@dataclass(frozen=True)
class PathFunctional:
    """E[f(trajectory)] for a function of Paths that does not depend on theta.

    With p_k the probability of trajectory k and S_k its score, grad = sum_k p_k f_k S_k and Hessian = sum_k p_k f_k (S_k S_k' + sum_t second derivative of
    log pi). Cost: O(K T) for value and gradient, O(K D^2) for the Hessian.
    """

    f: Callable[[Paths], Float[np.ndarray, "K"]]
    name: str

    def value(self, scene: Scene) -> float:
        """sum_k p_k f_k."""
        paths = paths_of(scene.mdp)
        return float(paths.probability(scene.policy()) @ self.f(paths))

    def gradient(self, scene: Scene) -> Float[np.ndarray, "D"]:
        """The scores of the trajectories, through their visits."""
        paths, policy = paths_of(scene.mdp), scene.policy()
        return policy.pullback(((paths.probability(policy) * self.f(paths)) @ paths.visits).reshape(paths.shape))

    def hessian(self, scene: Scene) -> Float[np.ndarray, "D D"]:
        """See the class."""
        paths, policy = paths_of(scene.mdp), scene.policy()
        return path_hessian(paths, policy, paths.probability(policy) * self.f(paths))


def path_hessian(paths: Paths, policy, weights: Float[np.ndarray, "K"]) -> Float[np.ndarray, "D D"]:
    """sum_k weights_k (S_k S_k' + second derivative of log p_k): the Hessian of sum_k p_k f_k for weights p f."""
    scores = policy.pullback(paths.visits.toarray().reshape(-1, *paths.shape))
    return scores.T @ (weights[:, None] * scores) + policy.log_hessian((weights @ paths.visits).reshape(paths.shape))


ReturnPerLength = PathFunctional(lambda paths: paths.total() / paths.length, "E[R/L]")
"""Mean reward per step of the trajectory."""

Length = PathFunctional(lambda paths: paths.length.astype(float), "E[L]")
"""Mean length."""

InverseLength = PathFunctional(lambda paths: 1.0 / paths.length, "E[1/L]")
"""Mean of the inverse length."""
