"""Values of states: baselines of returns, critics of GAE and n-step returns.

A values object gives a table, (S,) or, where values depend on the time step, (T, S). No choice of it changes the mean of a return minus baseline.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.arrays import freeze, require_shape
from pgtheory.tabular.data import Data
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.policies.policy import score
from pgtheory.tabular.sampling.paths import enumerate_paths
from pgtheory.tabular.scene import Scene
from pgtheory.tabular.solve.evaluation import evaluate


class Values(Protocol):
    """Scene -> one value a state, (S,), or a state and time step, (T, S)."""

    def __call__(self, scene: Scene) -> np.ndarray: ...


def require_values(name: str, values: object) -> None:
    """Refuse a bare table or number where a values object is wanted.

    Raises:
        InvalidArgument: it cannot be called.
    """
    if not callable(values):
        raise InvalidArgument(
            f"{name} is of type {type(values).__name__}, expected values of states. Give Given(table) for numbers (S,) or (T, S), or Constant(number)."
        )


@dataclass(frozen=True)
class Constant:
    """The same value everywhere; zero is no baseline.

    Theorem: T11.
    """

    value: float = 0.0

    def __call__(self, scene: Scene) -> Float[np.ndarray, "S"]:
        return np.full(scene.mdp.S, float(self.value))


@dataclass(frozen=True, eq=False)
class Given:
    """A table of numbers, (S,) or (T, S), at every point of the scene."""

    values: np.ndarray

    def __call__(self, scene: Scene) -> np.ndarray:
        return self.values


@dataclass(frozen=True)
class ExactValue:
    """V of the current policy, recomputed at each point of the scene. Cost: one evaluation."""

    def __call__(self, scene: Scene) -> np.ndarray:
        return evaluate(scene.model, scene.policy()).V


@dataclass(frozen=True)
class Critic:
    """The critic of the scene, point["critic"] of shape (S,); a scene without one is given the exact values.

    Raises:
        InvalidArgument: the critic has another shape, or an entry that is not finite.

    Theorem: T03.
    """

    def __call__(self, scene: Scene) -> np.ndarray:
        if "critic" not in scene.point:
            return ExactValue()(scene)
        critic = freeze('point["critic"]', scene.point["critic"], error=InvalidArgument)
        require_shape('point["critic"]', critic, (scene.mdp.S,), "one value a state", error=InvalidArgument)
        return critic


@dataclass(frozen=True)
class OptimalConstant:
    """b = E[|S|^2 R] / E[|S|^2], with S the score and R the discounted return of a whole trajectory of the current policy.

    Of all constants this one gives the smallest total variance of (R - b) S. Cost: all K trajectories of the model, O(K S A) memory.
    Source: Greensmith, Bartlett and Baxter (2004), JMLR 5, section 4, whose single sample is here a trajectory; Weaver and Tao (2001).

    Attributes:
        horizon: where the sampling cuts trajectories, if it does.

    Theorem: T20.
    """

    horizon: int | None = None

    def __call__(self, scene: Scene) -> Float[np.ndarray, "S"]:
        policy, paths = scene.policy(), enumerate_paths(scene.mdp, horizon=self.horizon)
        scores = policy.pullback(paths.visits.toarray().reshape(len(paths), *paths.shape))
        weight = paths.probability(policy) * (scores**2).sum(axis=1)
        return np.full(scene.mdp.S, weight @ paths.total(scene.mdp.gamma) / weight.sum() if weight.any() else 0.0)


@dataclass(frozen=True)
class OptimalState:
    """b(s) = E[|score|^2 Q(s, a)] / E[|score|^2] over a ~ pi(.|s); at each step of a finite horizon its own.

    It minimises E[|score_t|^2 (G_t - b(s_t))^2], the second moment of each step's term. The total variance of a trajectory also has
    covariances between steps, which it ignores: it is optimal for episodes of one step. Cost: one evaluation and O(S A D).
    Source: Greensmith, Bartlett and Baxter (2004), JMLR 5, Theorem 8: the state baseline for independent samples of (state, action).

    Theorem: T45.
    """

    def __call__(self, scene: Scene) -> np.ndarray:
        policy = scene.policy()
        weight = policy.probabilities * (score(policy) ** 2).sum(axis=-1)
        total = weight.sum(axis=-1)
        mean = (weight * evaluate(scene.model, policy).Q).sum(axis=-1)
        return np.divide(mean, total, out=np.zeros_like(mean), where=np.broadcast_to(total > 0, mean.shape))


def at_steps(table: np.ndarray, data: Data) -> Float[np.ndarray, "N B T"]:
    """Value of the state in which each step was taken; at padding that of state 0."""
    return table[data.state] if table.ndim == 1 else table[np.arange(data.shape[2]), data.state]


def after_end(table: np.ndarray, data: Data) -> Float[np.ndarray, "N B"]:
    """Value of the state after the last step: that of `last` where the row was truncated, zero where it terminated."""
    last = np.where(data.truncated, data.last, 0)
    value = table[last] if table.ndim == 1 else table[np.minimum(data.length, len(table) - 1), last]
    return np.where(data.truncated, value, 0.0)
