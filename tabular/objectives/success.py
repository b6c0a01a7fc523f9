"""Functions of the success probability of each prompt.

A prompt is a possible first state x; p_x = P(reward 1 | prompt x) for rewards 0 and 1. All these objectives have the form sum_x mu(x) Phi(p_x):

    gradient = sum_x mu(x) Phi'(p_x) grad p_x,      Hessian = sum_x mu(x) [Phi'' grad p_x grad p_x' + Phi' (second derivative of p_x)].

Cost: O(K T) for value and gradient with K trajectories, O(K T^2 + S A D^2) for the Hessian.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float

from pgtheory.tabular.arrays import ROUNDING, require_count
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.objectives.combine import Combinable
from pgtheory.tabular.objectives.derivatives import require_interior
from pgtheory.tabular.objectives.functionals import path_gradient, path_hessian, paths_of, taken
from pgtheory.tabular.sampling.paths import Paths
from pgtheory.tabular.scene import Scene

Vector: TypeAlias = Float[np.ndarray, "P"]
Function: TypeAlias = Callable[[Vector], Vector]


def prompts_of(paths: Paths, scene: Scene) -> tuple[Vector, np.ndarray, np.ndarray]:
    """mu of each prompt (P,), number of the prompt of each trajectory (K,), and its probability given the prompt (K,)."""
    starts = np.flatnonzero(scene.mdp.mu)
    number, mu = np.searchsorted(starts, paths.start), scene.mdp.mu[starts]
    return mu, number, paths.probability(scene.policy()) / mu[number]


class OfSuccess(Combinable, ABC):
    """Shared part of sum_x mu(x) Phi(p_x): a subclass has a `name` and `jet`.

    Raises:
        InvalidArgument: some trajectory has a return other than 0 or 1, or the function or its derivative is not finite at the p of some prompt.
        InvalidPolicy: the policy is on the boundary of the simplex (derivatives only).
    """

    @property
    @abstractmethod
    def name(self) -> str: ...

    @abstractmethod
    def jet(self, p: Vector) -> tuple[Vector, Vector, Vector]:
        """Phi(p), Phi'(p), Phi''(p)."""

    def value(self, scene: Scene) -> float:
        """sum_x mu(x) Phi(p_x)."""
        mu, p, *_ = self._prompts(scene)
        return float(mu @ self._finite(p, scene, 0))

    def gradient(self, scene: Scene) -> Float[np.ndarray, "D"]:
        """sum_x mu(x) Phi'(p_x) grad p_x."""
        mu, p, number, gained, paths = self._prompts(scene)
        require_interior(scene.policy(), taken(paths), self.name)
        return path_gradient(paths, scene.policy(), (mu * self._finite(p, scene, 1))[number] * gained)

    def hessian(self, scene: Scene) -> Float[np.ndarray, "D D"]:
        """The chain rule, twice."""
        mu, p, number, gained, paths = self._prompts(scene)
        policy = scene.policy()
        require_interior(policy, taken(paths), self.name)
        of_prompt = sp.csr_array((gained, (number, np.arange(len(paths)))), shape=(len(mu), len(paths)))
        slopes = policy.pullback((of_prompt @ paths.visits).toarray().reshape(len(mu), *paths.shape))
        outer = slopes.T @ ((mu * self._finite(p, scene, 2))[:, None] * slopes)
        return outer + path_hessian(paths, policy, (mu * self._finite(p, scene, 1))[number] * gained)

    def _prompts(self, scene: Scene) -> tuple[Vector, Vector, np.ndarray, np.ndarray, Paths]:
        """mu, p, and for each trajectory the number of its prompt and its contribution to p."""
        paths = paths_of(scene.mdp)
        success = np.rint(paths.total())
        wrong = (abs(paths.total() - success) > ROUNDING) | ((success != 0) & (success != 1))
        if wrong.any():
            raise InvalidArgument(
                f"{self.name} is a function of the success probability, but a trajectory has the return {paths.total()[wrong][0]:g}. "
                "Give rewards 0 and 1; for others there is MaxOfK, which is pass@k where both are defined."
            )
        mu, number, q = prompts_of(paths, scene)
        gained = q * success
        return mu, np.minimum(np.bincount(number, weights=gained, minlength=len(mu)), 1.0), number, gained, paths

    def _finite(self, p: Vector, scene: Scene, order: int) -> Vector:
        with np.errstate(divide="ignore", invalid="ignore"):
            found = self.jet(p)[order]
        if not np.isfinite(found).all():
            x = int(np.flatnonzero(~np.isfinite(found))[0])
            raise InvalidArgument(
                f"{self.name} has no finite {('value', 'derivative', 'second derivative')[order]} at the success probability {p[x]:g} of the prompt in "
                f"state {int(np.flatnonzero(scene.mdp.mu)[x])}. Leave the prompt out, or take TruncatedLogLikelihood or PassAtK, which are polynomials."
            )
        return found


@dataclass(frozen=True)
class PerPrompt(OfSuccess):
    """sum_x mu(x) Phi(p_x) for a function of one's own, given with its two derivatives, each from (P,) to (P,), and a name."""

    phi: Function
    dphi: Function
    d2phi: Function
    label: str

    @property
    def name(self) -> str:
        """The label."""
        return self.label

    def jet(self, p: Vector) -> tuple[Vector, Vector, Vector]:
        """What was given."""
        return self.phi(p), self.dphi(p), self.d2phi(p)


@dataclass(frozen=True)
class PassAtK(OfSuccess):
    """Probability that at least one of k independent completions succeeds: 1 - (1-p)^k. Source: Chen et al. (2021)."""

    k: int

    def __post_init__(self) -> None:
        require_count("k", self.k)

    @property
    def name(self) -> str:
        """pass@k."""
        return f"pass@{self.k}"

    def jet(self, p: Vector) -> tuple[Vector, Vector, Vector]:
        """1 - q^k, k q^(k-1), -k (k-1) q^(k-2) with q = 1 - p."""
        k, q = self.k, 1 - p
        return 1 - q**k, k * q ** (k - 1), -k * (k - 1) * q ** max(k - 2, 0)


@dataclass(frozen=True)
class TruncatedLogLikelihood(OfSuccess):
    """-sum_{k<=n} (1-p)^k / k, the expansion of log p in failures; n = 1 is p - 1, n to infinity log p.

    The slope is (1 - (1-p)^n) / p, so that the gradient is sum_{k<=n} (1/k) grad pass@k. Source: Maximum Likelihood Reinforcement Learning (2026), P039.
    """

    n: int

    def __post_init__(self) -> None:
        require_count("n", self.n)

    @property
    def name(self) -> str:
        """truncated log-likelihood of order n."""
        return f"truncated log-likelihood of order {self.n}"

    def jet(self, p: Vector) -> tuple[Vector, Vector, Vector]:
        """-sum_{k=1..n} q^k / k, sum_{j<n} q^j, -sum_{1<=j<n} j q^(j-1) with q = 1 - p."""
        q, k, j = 1 - p[:, None], np.arange(1, self.n + 1), np.arange(1, self.n)
        return -(q**k / k).sum(axis=1), (q ** (k - 1)).sum(axis=1), -(j * q ** (j - 1)).sum(axis=1)


@dataclass(frozen=True)
class LogLikelihood(OfSuccess):
    """log p, the log-likelihood of success."""

    @property
    def name(self) -> str:
        """log p."""
        return "log p"

    def jet(self, p: Vector) -> tuple[Vector, Vector, Vector]:
        """log p, 1/p, -1/p^2."""
        return np.log(p), 1 / p, -1 / p**2


@dataclass(frozen=True)
class ArcsinSqrt(OfSuccess):
    """2 arcsin sqrt p, whose slope is 1 / sqrt(p (1-p)): what group normalisation by the standard deviation ascends as the group grows."""

    @property
    def name(self) -> str:
        """2 arcsin sqrt p."""
        return "2 arcsin sqrt p"

    def jet(self, p: Vector) -> tuple[Vector, Vector, Vector]:
        """2 arcsin sqrt p, (p q)^(-1/2), (p - 1/2) (p q)^(-3/2) with q = 1 - p."""
        spread = p * (1 - p)
        return 2 * np.arcsin(np.sqrt(p)), 1 / np.sqrt(spread), (p - 0.5) / spread**1.5
