"""Where the variance of an estimate comes from: the first states, the actions, the transitions, the noise of the rewards.

The order of the randomness is s_0, then a_t, then s_{t+1} or the end, then the noise of r_t given (s_t, a_t, s_{t+1}), t = 0, 1, ...; each source has the expected variance of
the conditional mean of the estimate that it adds, and the four sum to the variance. Another order would share it out in another way.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.laws.types import Estimator
from pgtheory.tabular.scene import Scene
from pgtheory.tabular.variance.blocks import over_blocks
from pgtheory.tabular.variance.directions import Problem, require_directions, units


@dataclass(frozen=True, eq=False, kw_only=True)
class Sources:
    """Parts of a variance: an array of k directions each, or one number each where it is the total variance.

    Attributes:
        start: the first states.
        actions: the policy.
        transitions: the next states, the end of the episode included.
        rewards: the noise of the rewards once the next state is known.

    Theorem: T19, T46.
    """

    start: np.ndarray | float
    actions: np.ndarray | float
    transitions: np.ndarray | float
    rewards: np.ndarray | float

    @property
    def total(self) -> np.ndarray | float:
        """Their sum, the variance."""
        return self.start + self.actions + self.transitions + self.rewards


def sources_along(estimator: Estimator, sampling: object, scene: Scene, X: Float[np.ndarray, "k D"]) -> Sources:
    """The parts of the variance of <x, g> for each row x of X. Cost: about twice that of `variance_along`.

    Raises:
        InvalidArgument, NonTerminating: as `variance_along`.
    """
    problem = Problem.of(estimator, sampling, scene)
    X = require_directions(X, problem.policy.theta.size)
    blocks = over_blocks(lambda begin, end: _sources(problem, X[begin:end]), len(X), size=3 * problem.size, workers=1)
    return Sources(**dict(zip(("start", "actions", "transitions", "rewards"), np.concatenate(blocks, axis=1), strict=True)))


def sources_of_total(estimator: Estimator, sampling: object, scene: Scene, *, workers: int = 1) -> Sources:
    """The parts of the total variance, sums over the parameters. Cost: about twice that of `total_variance`.

    Raises:
        InvalidArgument, NonTerminating: as `total_variance`.
    """
    problem = Problem.of(estimator, sampling, scene)
    blocks = over_blocks(partial(_unit_sources, problem), problem.policy.theta.size, size=3 * problem.size, workers=workers)
    start, actions, transitions, rewards = (float(x) for x in np.sum(blocks, axis=0))
    return Sources(start=start, actions=actions, transitions=transitions, rewards=rewards)


def _sources(problem: Problem, X: Float[np.ndarray, "k D"]) -> Float[np.ndarray, "4 k"]:
    parts = problem.parts(X, split=True)
    return np.vstack([parts.start, parts.rest])


def _unit_sources(problem: Problem, begin: int, end: int) -> Float[np.ndarray, "4"]:
    return _sources(problem, units(problem.policy, begin, end)).sum(axis=1)
