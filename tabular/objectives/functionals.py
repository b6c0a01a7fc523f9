"""Expectations of functions of the trajectory: return per token, inverse length, anything that can be enumerated."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.sparse as sp
from jaxtyping import Bool, Float

from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.objectives.combine import Combinable
from pgtheory.tabular.objectives.derivatives import require_interior, score_products
from pgtheory.tabular.policies.policy import Policy
from pgtheory.tabular.sampling.paths import Paths, enumerate_paths
from pgtheory.tabular.scene import Scene


@lru_cache(maxsize=8)
def paths_of(mdp: MDP) -> Paths:
    """All trajectories of a model, enumerated once. Rewards are summed without discount by those who use them."""
    return enumerate_paths(mdp)


def path_gradient(paths: Paths, policy: Policy, weights: Float[np.ndarray, "*N K"]) -> Float[np.ndarray, "*N D"]:
    """sum_k weights[..., k] S_k, S_k = grad log p_k the score of trajectory k, through the visits. Cost O(K T) a row."""
    return policy.pullback((weights @ paths.visits).reshape(*weights.shape[:-1], *paths.shape))


def path_hessian(paths: Paths, policy: Policy, weights: Float[np.ndarray, "K"]) -> Float[np.ndarray, "D D"]:
    """sum_k weights_k (S_k S_k' + second derivative of log p_k): the Hessian of sum_k p_k f_k for weights p f.

    The scores of trajectories are never formed: sum_k w_k S_k S_k' = score' (visits' diag(w) visits) score. Cost O(K T^2 + S A D^2).
    """
    visits = paths.visits
    pairs = sp.csr_array(visits.T @ (sp.diags_array(weights) @ visits))
    return score_products(policy, pairs) + policy.log_hessian((weights @ visits).reshape(paths.shape))


def taken(paths: Paths) -> Bool[np.ndarray, "S A"]:
    """Pairs (s, a) that occur on some trajectory."""
    return (np.asarray(paths.visits.sum(axis=0)).ravel() > 0).reshape(paths.shape)


class Expectation(Combinable, ABC):
    """Shared part of E[f(trajectory)]: a subclass has a `name` and `f`, which does not depend on theta.

    With p_k the probability of trajectory k and S_k its score, grad = sum_k p_k f_k S_k and Hessian = sum_k p_k f_k (S_k S_k' + second derivative of log p_k).
    Cost: O(K T) for value and gradient, O(K T^2 + S A D^2) for the Hessian.

    Raises:
        InvalidArgument: the model may run for ever.
        TooLarge: there are too many trajectories.
        InvalidPolicy: the policy is on the boundary of the simplex, where there are no scores (derivatives only).
    """

    @property
    @abstractmethod
    def name(self) -> str: ...

    @abstractmethod
    def f(self, paths: Paths) -> Float[np.ndarray, "K"]:
        """The function, for all trajectories at once."""

    def value(self, scene: Scene) -> float:
        """sum_k p_k f_k."""
        paths = paths_of(scene.mdp)
        return float(paths.probability(scene.policy()) @ self.f(paths))

    def gradient(self, scene: Scene) -> Float[np.ndarray, "D"]:
        """sum_k p_k f_k S_k."""
        return path_gradient(*self._weighted(scene))

    def hessian(self, scene: Scene) -> Float[np.ndarray, "D D"]:
        """See the class."""
        return path_hessian(*self._weighted(scene))

    def _weighted(self, scene: Scene) -> tuple[Paths, Policy, np.ndarray]:
        paths, policy = paths_of(scene.mdp), scene.policy()
        require_interior(policy, taken(paths), self.name)
        return paths, policy, paths.probability(policy) * self.f(paths)


@dataclass(frozen=True)
class PathFunctional(Expectation):
    """E[f(trajectory)] for a function of one's own, Paths -> (K,), and a name."""

    function: Callable[[Paths], Float[np.ndarray, "K"]]
    label: str

    @property
    def name(self) -> str:
        """The label."""
        return self.label

    def f(self, paths: Paths) -> Float[np.ndarray, "K"]:
        """What was given."""
        return self.function(paths)


@dataclass(frozen=True)
class ReturnPerLength(Expectation):
    """E[R/L]: the mean over trajectories of their mean reward a step. What the length normalisation of each sequence ascends, apart from its baseline."""

    @property
    def name(self) -> str:
        """E[R/L]."""
        return "E[R/L]"

    def f(self, paths: Paths) -> Float[np.ndarray, "K"]:
        """R/L."""
        return paths.total() / paths.length


@dataclass(frozen=True)
class InverseLength(Expectation):
    """E[1/L]."""

    @property
    def name(self) -> str:
        """E[1/L]."""
        return "E[1/L]"

    def f(self, paths: Paths) -> Float[np.ndarray, "K"]:
        """1/L."""
        return 1.0 / paths.length
