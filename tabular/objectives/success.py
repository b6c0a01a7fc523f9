"""Functions of the success probability of each prompt.

A prompt is a possible first state x; p_x = P(reward 1 | prompt x) for rewards 0 and 1. All these objectives have the form sum_x mu(x) Phi(p_x):

    gradient = sum_x mu(x) Phi'(p_x) grad p_x,      Hessian = sum_x mu(x) [Phi'' grad p_x grad p_x' + Phi' (second derivative of p_x)].

Cost: O(K T) for value and gradient with K trajectories, O(K T^2 + S A D^2) for the Hessian.
"""

from collections.abc import Callable
from dataclasses import dataclass

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

Vector = Float[np.ndarray, "P"]
Function = Callable[[Vector], Vector]


def prompts_of(paths: Paths, scene: Scene) -> tuple[Vector, np.ndarray, np.ndarray]:
    """mu of each prompt (P,), number of the prompt of each trajectory (K,), and its probability given the prompt (K,)."""
    starts = np.flatnonzero(scene.mdp.mu)
    number, mu = np.searchsorted(starts, paths.start), scene.mdp.mu[starts]
    return mu, number, paths.probability(scene.policy()) / mu[number]


class OfSuccess(Combinable):
    """Shared part: a subclass has `name`, `phi`, `slope` = Phi' and `curvature` = Phi''.

    Raises:
        InvalidArgument: some trajectory has a return other than 0 or 1, or the function or its derivative is not finite at the p of some prompt.
        InvalidPolicy: the policy is on the boundary of the simplex (derivatives only).
    """

    name: str
    phi: Function
    slope: Function
    curvature: Function

    def value(self, scene: Scene) -> float:
        """sum_x mu(x) Phi(p_x)."""
        mu, p, *_ = self._prompts(scene)
        return float(mu @ self._at("phi", p, scene))

    def gradient(self, scene: Scene) -> Float[np.ndarray, "D"]:
        """sum_x mu(x) Phi'(p_x) grad p_x."""
        mu, p, number, gained, paths = self._prompts(scene)
        require_interior(scene.policy(), taken(paths), self.name)
        return path_gradient(paths, scene.policy(), (mu * self._at("slope", p, scene))[number] * gained)

    def hessian(self, scene: Scene) -> Float[np.ndarray, "D D"]:
        """The chain rule, twice."""
        mu, p, number, gained, paths = self._prompts(scene)
        policy = scene.policy()
        require_interior(policy, taken(paths), self.name)
        of_prompt = sp.csr_array((gained, (number, np.arange(len(paths)))), shape=(len(mu), len(paths)))
        slopes = policy.pullback((of_prompt @ paths.visits).toarray().reshape(len(mu), *paths.shape))
        outer = slopes.T @ ((mu * self._at("curvature", p, scene))[:, None] * slopes)
        return outer + path_hessian(paths, policy, (mu * self._at("slope", p, scene))[number] * gained)

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

    def _at(self, part: str, p: Vector, scene: Scene) -> Vector:
        with np.errstate(divide="ignore", invalid="ignore"):
            found = getattr(self, part)(p)
        if not np.isfinite(found).all():
            x = int(np.flatnonzero(~np.isfinite(found))[0])
            what = {"phi": "value", "slope": "derivative", "curvature": "second derivative"}[part]
            raise InvalidArgument(
                f"{self.name} has no finite {what} at the success probability {p[x]:g} of the prompt in state {int(np.flatnonzero(scene.mdp.mu)[x])}. "
                "Leave the prompt out, or take TruncatedLogLikelihood or PassAtK, which are polynomials."
            )
        return found


@dataclass(frozen=True)
class PerPrompt(OfSuccess):
    """sum_x mu(x) Phi(p_x) for a function of one's own, with its first and second derivative, each from (P,) to (P,)."""

    phi: Function
    slope: Function
    curvature: Function
    name: str


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

    def phi(self, p: Vector) -> Vector:
        """1 - (1-p)^k."""
        return 1 - (1 - p) ** self.k

    def slope(self, p: Vector) -> Vector:
        """k (1-p)^(k-1)."""
        return self.k * (1 - p) ** (self.k - 1)

    def curvature(self, p: Vector) -> Vector:
        """-k (k-1) (1-p)^(k-2)."""
        return -self.k * (self.k - 1) * (1 - p) ** max(self.k - 2, 0)


@dataclass(frozen=True)
class TruncatedLogLikelihood(OfSuccess):
    """-sum_{k<=n} (1-p)^k / k, the expansion of log p in failures; n = 1 is p - 1, n to infinity log p.

    The slope is (1 - (1-p)^n) / p = sum_{j<n} (1-p)^j, so that the gradient is sum_{k<=n} (1/k) grad pass@k.
    Source: Maximum Likelihood Reinforcement Learning (2026), P039.
    """

    n: int

    def __post_init__(self) -> None:
        require_count("n", self.n)

    @property
    def name(self) -> str:
        """truncated log-likelihood of order n."""
        return f"truncated log-likelihood of order {self.n}"

    def phi(self, p: Vector) -> Vector:
        """See the class."""
        k = np.arange(1, self.n + 1)
        return -((1 - p[:, None]) ** k / k).sum(axis=1)

    def slope(self, p: Vector) -> Vector:
        """sum_{j<n} (1-p)^j."""
        return ((1 - p[:, None]) ** np.arange(self.n)).sum(axis=1)

    def curvature(self, p: Vector) -> Vector:
        """-sum_{1<=j<n} j (1-p)^(j-1)."""
        j = np.arange(1, self.n)
        return -(j * (1 - p[:, None]) ** (j - 1)).sum(axis=1)


@dataclass(frozen=True)
class LogLikelihood(OfSuccess):
    """log p, the log-likelihood of success."""

    name = "log p"

    def phi(self, p: Vector) -> Vector:
        """log p."""
        return np.log(p)

    def slope(self, p: Vector) -> Vector:
        """1/p."""
        return 1 / p

    def curvature(self, p: Vector) -> Vector:
        """-1/p^2."""
        return -1 / p**2


@dataclass(frozen=True)
class ArcsinSqrt(OfSuccess):
    """2 arcsin sqrt p, whose slope is 1 / sqrt(p (1-p)): what group normalisation by the standard deviation ascends as the group grows."""

    name = "2 arcsin sqrt p"

    def phi(self, p: Vector) -> Vector:
        """2 arcsin sqrt p."""
        return 2 * np.arcsin(np.sqrt(p))

    def slope(self, p: Vector) -> Vector:
        """1 / sqrt(p (1-p))."""
        return 1 / np.sqrt(p * (1 - p))

    def curvature(self, p: Vector) -> Vector:
        """(p - 1/2) / (p (1-p))^(3/2)."""
        return (p - 0.5) / (p * (1 - p)) ** 1.5
