"""Recursive momentum for a utility of the occupancy (N-VR-PG): the visits are tracked as the gradient is, and each trajectory is rewarded by the slope at them.

    w = p(tau; theta_{t-1}) / p(tau; theta_t), tau drawn at theta_t, seen its discounted visits,
    x_t = (1 - eta) (x_{t-1} + (1 - w) seen) + eta seen,                                             reward_t = F'(x_{t-1}),
    d_t = (1 - eta) (d_{t-1} + g(tau, theta_t, reward_t) - w g(tau, theta_{t-1}, reward_{t-1})) + eta g(tau, theta_t, reward_t).

The reward is a step behind, so that it does not depend on the trajectory that it is paid for; the first one is taken from the first trajectory itself.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.special import log_softmax, softmax

from pgtheory.tabular.dynamics.oracles import FunctionOracle
from pgtheory.tabular.dynamics.outlook import along
from pgtheory.tabular.dynamics.tracking import Tracking
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.objectives.utilities import Utility
from pgtheory.tabular.returns import discounts
from pgtheory.tabular.sampling.paths import Paths, enumerate_paths


@dataclass(frozen=True, eq=False)
class UtilityEpisodes:
    """Episodes of softmax tables theta (N, S, A), one a row, out of the K trajectories of a model, all of which are formed once.

    As a `Sampler` its gradient has the slope at the visits of the same episode for a reward (plug-in), which is biased.

    Attributes:
        model: whose trajectories can be enumerated.
        utility: of the discounted visits.

    Cost: time and memory O(N K) a draw.

    Raises:
        TooLarge, InvalidArgument: as `enumerate_paths`.
    """

    model: MDP
    utility: Utility

    @cached_property
    def paths(self) -> Paths:
        """Every trajectory."""
        return enumerate_paths(self.model)

    @cached_property
    def weight(self) -> Float[np.ndarray, "K T"]:
        """gamma^t, 0 after the end."""
        return self.paths.mask * discounts(self.model.gamma, self.paths.mask.shape[1])

    @cached_property
    def visits(self) -> Float[np.ndarray, "K S A"]:
        """Discounted visits of each trajectory."""
        found = np.zeros((len(self.paths), *self.paths.shape))
        np.add.at(found, (np.arange(len(found))[:, None], self.paths.state, self.paths.action), self.weight)
        return found

    @cached_property
    def oracle(self) -> FunctionOracle:
        """The exact utility and its gradient: sum_k p_k (score of trajectory k) <F', visits of trajectory k>."""

        def gradient(theta: np.ndarray) -> np.ndarray:
            p = self.probability(theta)
            reward = self.utility.slope(np.einsum("nk,ksa->nsa", p, self.visits))
            return weighted_scores((self.paths.visits.T @ (p * np.einsum("ksa,nsa->nk", self.visits, reward)).T).T.reshape(theta.shape), theta)

        return FunctionOracle(lambda theta: self.utility.F(np.einsum("nk,ksa->nsa", self.probability(theta), self.visits)), gradient)

    def probability(self, theta: Float[np.ndarray, "N S A"]) -> Float[np.ndarray, "N K"]:
        """Of every trajectory."""
        return np.exp(self._log_policy(theta)) * self.paths.chance

    def draw(self, theta: Float[np.ndarray, "N S A"], rng: np.random.Generator) -> Int[np.ndarray, "N"]:
        """The number of a trajectory for each row."""
        below = self.probability(theta).cumsum(axis=1) <= rng.random(len(theta))[:, None]
        return np.minimum(below.sum(axis=1), len(self.paths) - 1)

    def ratio(self, k: Int[np.ndarray, "N"], theta: Float[np.ndarray, "N S A"], last: Float[np.ndarray, "N S A"]) -> Float[np.ndarray, "N"]:
        """p(tau_k; last) / p(tau_k; theta)."""
        return np.exp((self._log_policy(last) - self._log_policy(theta))[np.arange(len(k)), k])

    def estimate(self, k: Int[np.ndarray, "N"], theta: Float[np.ndarray, "N S A"], reward: Float[np.ndarray, "N S A"]) -> Float[np.ndarray, "N S A"]:
        """sum_t score_t sum_{i >= t} gamma^i reward(s_i, a_i) of trajectory k."""
        n, s, a = np.arange(len(k))[:, None], self.paths.state[k], self.paths.action[k]
        weights = np.zeros(theta.shape)
        np.add.at(weights, (n, s, a), (self.weight[k] * reward[n, s, a])[:, ::-1].cumsum(axis=1)[:, ::-1])
        return weighted_scores(weights, theta)

    def gradient(self, theta: Float[np.ndarray, "N S A"], rng: np.random.Generator) -> Float[np.ndarray, "N S A"]:
        """The plug-in estimate of a fresh episode."""
        k = self.draw(theta, rng)
        return self.estimate(k, theta, self.utility.slope(self.visits[k]))

    def _log_policy(self, theta: np.ndarray) -> Float[np.ndarray, "N K"]:
        """Logarithm of the policy's part of the probability of every trajectory."""
        return (self.paths.visits @ log_softmax(theta, axis=2).reshape(len(theta), -1).T).T


def weighted_scores(weights: Float[np.ndarray, "N S A"], theta: Float[np.ndarray, "N S A"]) -> Float[np.ndarray, "N S A"]:
    """sum_sa weights[s, a] grad log pi(a|s): the pullback of a softmax table, one table a row."""
    return weights - softmax(theta, axis=2) * weights.sum(axis=2, keepdims=True)


class UtilityTrack(NamedTuple):
    """d_t, theta_t, x_t, the reward that is paid next, and the one that was paid last; rewards are None before the first step."""

    d: np.ndarray
    last: np.ndarray
    visits: np.ndarray
    reward: Any = None
    older: Any = None


@dataclass(frozen=True)
class RecursiveUtility(Tracking):
    """See the module. For a linear utility it is `Recursive` with `Weighted` gradients of the return. Source: Barakat, Fatkhullin and He (2023), algorithm 1."""

    sampler: UtilityEpisodes

    def remember(self, outlook: Any) -> UtilityTrack:
        """d = 0, x = 0 and the first point."""
        return UtilityTrack(np.zeros_like(outlook.theta), outlook.theta, np.zeros_like(outlook.theta))

    def track(self, theta: Float[np.ndarray, "N S A"], memory: UtilityTrack, eta: float) -> UtilityTrack:
        """See the module."""
        k = self.sampler.draw(theta, self.rng)
        seen, w = self.sampler.visits[k], along(self.sampler.ratio(k, theta, memory.last), theta)
        reward, older = (self.sampler.utility.slope(seen),) * 2 if memory.reward is None else (memory.reward, memory.older)
        g = self.sampler.estimate(k, theta, reward)
        d = (1 - eta) * (memory.d + g - w * self.sampler.estimate(k, memory.last, older)) + eta * g
        x = (1 - eta) * (memory.visits + seen - w * seen) + eta * seen
        return UtilityTrack(d, theta, x, self.sampler.utility.slope(x), reward)
