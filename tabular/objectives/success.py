"""Functions of the success probability of each prompt, and the expected best of k."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.arrays import require_count
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.objectives.functionals import path_hessian, paths_of
from pgtheory.tabular.sampling.paths import Paths
from pgtheory.tabular.scene import Scene

Function = Callable[[Float[np.ndarray, "P"]], Float[np.ndarray, "P"]]


@dataclass(frozen=True)
class PerPrompt:
    """sum_x mu(x) Phi(p_x) with p_x = P(reward 1 | prompt x); prompts are the possible first states, rewards are 0 or 1.

    grad = sum_x mu(x) Phi'(p_x) grad p_x;  Hessian = sum_x mu(x) [Phi'' grad p grad p' + Phi' (second derivative of p)].

    Raises:
        InvalidArgument: some trajectory has a return other than 0 or 1.
    """

    phi: Function
    slope: Function
    curvature: Function
    name: str

    def value(self, scene: Scene) -> float:
        """sum_x mu(x) Phi(p_x)."""
        mu, p, *_ = self._prompts(scene)
        return float(mu @ self.phi(p))

    def gradient(self, scene: Scene) -> Float[np.ndarray, "D"]:
        """Chain rule."""
        mu, p, gained, paths = self._prompts(scene)
        return scene.policy().pullback((((mu * self.slope(p)) @ gained) @ paths.visits).reshape(paths.shape))

    def hessian(self, scene: Scene) -> Float[np.ndarray, "D D"]:
        """Chain rule, twice."""
        mu, p, gained, paths = self._prompts(scene)
        policy = scene.policy()
        gradients = policy.pullback((gained @ paths.visits).reshape(len(p), *paths.shape))
        return gradients.T @ ((mu * self.curvature(p))[:, None] * gradients) + path_hessian(paths, policy, (mu * self.slope(p)) @ gained)

    def _prompts(self, scene: Scene) -> tuple[np.ndarray, np.ndarray, np.ndarray, Paths]:
        """mu (P,), p (P,), and for every prompt the contributions p_k r_k of its trajectories (P, K)."""
        paths = paths_of(scene.mdp)
        total = paths.total()
        if not np.isin(total, (0.0, 1.0)).all():
            odd = total[~np.isin(total, (0.0, 1.0))][0]
            raise InvalidArgument(
                f"{self.name} is a function of the success probability, but a trajectory has the return {odd:g}. Rewards must be 0 or 1."
            )
        starts = np.flatnonzero(scene.mdp.mu)
        own = paths.start == starts[:, None]
        gained = own * (paths.probability(scene.policy()) * total) / scene.mdp.mu[starts][:, None]
        return scene.mdp.mu[starts], gained.sum(axis=1), gained, paths


def pass_at(k: int) -> PerPrompt:
    """Probability that at least one of k independent completions succeeds: 1 - (1-p)^k. Source: Chen et al. (2021)."""
    require_count("k", k)
    return PerPrompt(
        lambda p: 1 - (1 - p) ** k,
        lambda p: k * (1 - p) ** (k - 1),
        lambda p: -k * (k - 1) * (1 - p) ** max(k - 2, 0),
        f"pass@{k}",
    )


def truncated_log_likelihood(n: int) -> PerPrompt:
    """-sum_{k<=n} (1-p)^k / k, the expansion of log p in failures; its slope is (1 - (1-p)^n) / p. Source: P039."""
    require_count("n", n)
    powers = np.arange(1, n + 1)
    return PerPrompt(
        lambda p: -((1 - p[:, None]) ** powers / powers).sum(axis=1),
        lambda p: ((1 - p[:, None]) ** (powers - 1)).sum(axis=1),
        lambda p: -((powers[1:] - 1) * (1 - p[:, None]) ** (powers[1:] - 2)).sum(axis=1),
        f"truncated log-likelihood of order {n}",
    )


LogLikelihood = PerPrompt(np.log, lambda p: 1 / p, lambda p: -1 / p**2, "log p")
"""Log-likelihood of success."""

ArcsinSqrt = PerPrompt(
    lambda p: 2 * np.arcsin(np.sqrt(p)), lambda p: 1 / np.sqrt(p * (1 - p)), lambda p: (p - 0.5) / (p * (1 - p)) ** 1.5, "2 arcsin sqrt p"
)
"""What group normalisation by the standard deviation ascends as the group grows."""


@dataclass(frozen=True)
class MaxOf:
    """sum_x mu(x) E[max of k independent returns of prompt x], for any finitely many returns.

    With F the distribution function of the return on its sorted values v_0 < v_1 < ..., E[max] = sum_j v_j (F_j^k - F_{j-1}^k)
    = v_last - sum_j (v_{j+1} - v_j) F_j^k. Source: Walder and Karkhanis (2025) for the estimator; the identity is elementary.
    """

    k: int

    def __post_init__(self) -> None:
        require_count("k", self.k)

    @property
    def name(self) -> str:
        """E[max of k]."""
        return f"E[max of {self.k}]"

    def value(self, scene: Scene) -> float:
        """See the class."""
        mu, F, gaps, top, *_ = self._distributions(scene)
        return float(mu @ (top - F**self.k @ gaps))

    def gradient(self, scene: Scene) -> Float[np.ndarray, "D"]:
        """-sum_x mu(x) sum_j (v_{j+1} - v_j) k F_j^(k-1) grad F_j."""
        mu, F, gaps, _, below, paths = self._distributions(scene)
        outer = -mu[:, None] * gaps * self.k * F ** (self.k - 1)
        return scene.policy().pullback((np.einsum("xj,xjk->k", outer, below) @ paths.visits).reshape(paths.shape))

    def hessian(self, scene: Scene) -> Float[np.ndarray, "D D"]:
        """Chain rule, twice."""
        mu, F, gaps, _, below, paths = self._distributions(scene)
        policy = scene.policy()
        first = -mu[:, None] * gaps * self.k * F ** (self.k - 1)
        second = -mu[:, None] * gaps * self.k * (self.k - 1) * F ** max(self.k - 2, 0)
        slopes = policy.pullback((below.reshape(-1, len(paths)) @ paths.visits).reshape(-1, *paths.shape))
        return slopes.T @ (second.ravel()[:, None] * slopes) + path_hessian(paths, policy, np.einsum("xj,xjk->k", first, below))

    def _distributions(self, scene: Scene) -> tuple[np.ndarray, ...]:
        """mu, F (P, J), gaps (J,), the largest value, p_k 1{return <= v_j} given the prompt (P, J, K), and the paths."""
        paths = paths_of(scene.mdp)
        total, starts = paths.total(), np.flatnonzero(scene.mdp.mu)
        values = np.unique(total)
        own = (paths.start == starts[:, None]) * paths.probability(scene.policy()) / scene.mdp.mu[starts][:, None]
        below = own[:, None, :] * (total <= values[:-1, None])
        return scene.mdp.mu[starts], below.sum(axis=2), np.diff(values), values[-1], below, paths
