"""The expected best of k independent returns of a prompt."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from jaxtyping import Float

from pgtheory.tabular.arrays import require_count
from pgtheory.tabular.objectives.combine import Combinable
from pgtheory.tabular.objectives.derivatives import require_interior
from pgtheory.tabular.objectives.functionals import path_gradient, path_hessian, paths_of, taken
from pgtheory.tabular.objectives.success import prompts_of
from pgtheory.tabular.sampling.paths import Paths
from pgtheory.tabular.scene import Scene


@dataclass(frozen=True)
class MaxOfK(Combinable):
    """sum_x mu(x) E[max of k independent undiscounted returns of prompt x], for any finitely many returns; pass@k for rewards 0 and 1.

    With F_xj = P(return <= v_j | prompt x) on the sorted values v_0 < v_1 < ...,

        E[max] = sum_j v_j (F_j^k - F_{j-1}^k) = v_last - sum_{j < last} (v_{j+1} - v_j) F_j^k,

    a polynomial in the F_xj, which are linear in the probabilities of the trajectories. Cost as in `success.py`, plus P J D for J distinct returns.
    Source: Walder and Karkhanis (2025) for the estimator; the identity is elementary.

    Raises:
        InvalidArgument: the model may run for ever.
        InvalidPolicy: the policy is on the boundary of the simplex (derivatives only).
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
        parts = self._parts(scene)
        return float(parts.mu @ (parts.values[-1] - parts.F**self.k @ np.diff(parts.values)))

    def gradient(self, scene: Scene) -> Float[np.ndarray, "D"]:
        """The chain rule: a trajectory of return v_i counts in every F_j with j >= i."""
        parts = self._parts(scene)
        require_interior(scene.policy(), taken(parts.paths), self.name)
        return path_gradient(parts.paths, scene.policy(), parts.weights(self.k))

    def hessian(self, scene: Scene) -> Float[np.ndarray, "D D"]:
        """The chain rule, twice."""
        parts, policy = self._parts(scene), scene.policy()
        require_interior(policy, taken(parts.paths), self.name)
        second = -parts.mu[:, None] * np.diff(parts.values) * self.k * (self.k - 1) * parts.F ** max(self.k - 2, 0)
        P, J, K = len(parts.mu), len(parts.values), len(parts.paths)
        of_cell = sp.csr_array((parts.q, (parts.prompt * J + parts.place, np.arange(K))), shape=(P * J, K))
        moved = (of_cell @ parts.paths.visits).toarray().reshape(P, J, *parts.paths.shape).cumsum(axis=1)[:, :-1]
        slopes = policy.pullback(moved.reshape(-1, *parts.paths.shape))
        return slopes.T @ (second.reshape(-1, 1) * slopes) + path_hessian(parts.paths, policy, parts.weights(self.k))

    def _parts(self, scene: Scene) -> "_Distribution":
        paths = paths_of(scene.mdp)
        mu, prompt, q = prompts_of(paths, scene)
        values, place = np.unique(paths.total(), return_inverse=True)
        mass = np.bincount(prompt * len(values) + place, weights=q, minlength=len(mu) * len(values)).reshape(len(mu), -1)
        return _Distribution(paths=paths, mu=mu, prompt=prompt, q=q, values=values, place=place, F=mass.cumsum(axis=1)[:, :-1])


@dataclass(frozen=True, eq=False, kw_only=True)
class _Distribution:
    """The law of the return of each prompt: `values` (J,), F (P, J-1); of each trajectory its prompt, q = p_k / mu and the place of its return."""

    paths: Paths
    mu: np.ndarray
    prompt: np.ndarray
    q: np.ndarray
    values: np.ndarray
    place: np.ndarray
    F: np.ndarray

    def weights(self, k: int) -> np.ndarray:
        """(K,) weights of the trajectories' scores in the gradient."""
        first = -self.mu[:, None] * np.diff(self.values) * k * self.F ** (k - 1)
        later = np.concatenate([first[:, ::-1].cumsum(axis=1)[:, ::-1], np.zeros((len(self.mu), 1))], axis=1)
        return later[self.prompt, self.place] * self.q
