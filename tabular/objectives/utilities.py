"""Utilities of the occupancy: F(lambda), lambda(s, a) the expected discounted visits of a pair, not normalised. The return is the linear one.

By the chain rule grad F(lambda(theta)) is the policy gradient for the reward F'(lambda), held constant; its movement enters the second derivative,

    Hessian = Hessian of the return for the reward F'(lambda) + (d lambda / d theta)' F'' (d lambda / d theta).

Source: Zhang, Koppel, Bedi, Szepesvari and Wang (2020); Barakat, Fatkhullin and He (2023).
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float

from pgtheory.tabular.arrays import first, freeze, require_shape
from pgtheory.tabular.errors import InvalidArgument, InvalidPolicy
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.objectives.combine import Combinable
from pgtheory.tabular.objectives.derivatives import probability_gradient
from pgtheory.tabular.objectives.regularisers import visited
from pgtheory.tabular.objectives.returns import by_step, return_gradient, return_hessian
from pgtheory.tabular.policies.policy import Policy
from pgtheory.tabular.scene import Scene
from pgtheory.tabular.solve.evaluation import evaluate, inner_chain


def occupancy(mdp: MDP, policy: Policy) -> Float[np.ndarray, "S A"]:
    """lambda(s, a) = sum_t gamma^t Pr(s_t = s, a_t = a). Cost: one evaluation."""
    d, _ = by_step(evaluate(mdp, policy), mdp)
    return d.sum(axis=0)[:, None] * policy.probabilities


def occupancy_jacobian(mdp: MDP, policy: Policy) -> Float[np.ndarray, "S A D"]:
    """d lambda / d theta. Cost O(S^3 + S^2 A D), with a horizon O(T S^2 A D); memory S A D."""
    (d, _), pi, dpi = by_step(evaluate(mdp, policy), mdp), policy.probabilities, probability_gradient(policy)
    onward = lambda flow: mdp.gamma * (mdp.transition.T @ flow.reshape(mdp.S * mdp.A, -1))
    if mdp.horizon is None:
        chain, ends = inner_chain(mdp, pi)
        moved = np.zeros((mdp.S, dpi.shape[2]))
        moved[ends] = chain.solve_transposed(onward(d[0][:, None, None] * dpi)[ends])
    else:
        step, moved = np.zeros((mdp.S, dpi.shape[2])), 0.0
        for now in d[:-1]:
            step = onward(now[:, None, None] * dpi + pi[:, :, None] * step[:, None])
            moved = moved + step
        moved = np.broadcast_to(moved, step.shape)
    return d.sum(axis=0)[:, None, None] * dpi + pi[:, :, None] * moved[:, None]


class Utility(Combinable, ABC):
    """F(lambda) for an F that is a sum over the pairs; a subclass gives F and its two derivatives, for arrays with any leading axes.

    Cost: that of the return, and for the Hessian the Jacobian of the occupancy.

    Raises:
        NonTerminating: gamma is 1 and the episode may never end.
    """

    @property
    @abstractmethod
    def name(self) -> str: ...

    @abstractmethod
    def F(self, visits: Float[np.ndarray, "*N S A"]) -> Float[np.ndarray, "*N"]:
        """The utility."""

    @abstractmethod
    def slope(self, visits: Float[np.ndarray, "*N S A"]) -> Float[np.ndarray, "*N S A"]:
        """F', the reward that is frozen."""

    @abstractmethod
    def curvature(self, visits: Float[np.ndarray, "*N S A"]) -> Float[np.ndarray, "*N S A"]:
        """The diagonal of F''."""

    def require(self, visits: Float[np.ndarray, "S A"], possible: Bool[np.ndarray, "S A"]) -> None:
        """Refuse an occupancy at which F has no derivative; `possible` pairs are those that some policy visits."""

    def value(self, scene: Scene) -> float:
        """F(lambda)."""
        return float(self.F(occupancy(scene.mdp, scene.policy())))

    def gradient(self, scene: Scene) -> Float[np.ndarray, "D"]:
        """The policy gradient for the reward F'(lambda)."""
        return return_gradient(*self._frozen(scene)[:2])

    def hessian(self, scene: Scene) -> Float[np.ndarray, "D D"]:
        """See the module."""
        model, policy, visits = self._frozen(scene)
        moved = occupancy_jacobian(model, policy).reshape(visits.size, -1)
        return return_hessian(model, policy) + moved.T @ (self.curvature(visits).reshape(-1, 1) * moved)

    def _frozen(self, scene: Scene) -> tuple[MDP, Policy, np.ndarray]:
        mdp, policy = scene.mdp, scene.policy()
        visits = occupancy(mdp, policy)
        self.require(visits, np.broadcast_to(visited(mdp)[:, None], visits.shape))
        return replace(mdp, r=self.slope(visits), r2=None, outcomes=None, r_end=None, r2_end=None), policy, visits


@dataclass(frozen=True)
class OccupancyEntropy(Utility):
    """-sum lambda log lambda. Where the total number of visits does not depend on the policy, it ranks policies as the entropy of the normalised occupancy does.

    A pair that no policy visits has the slope 0.

    Raises:
        InvalidPolicy: a pair that could be visited is not: the slope is infinite (derivatives only).
    """

    @property
    def name(self) -> str:
        """occupancy entropy."""
        return "occupancy entropy"

    def F(self, visits: Float[np.ndarray, "*N S A"]) -> Float[np.ndarray, "*N"]:
        """-sum x log x."""
        return -(visits * np.log(np.where(visits > 0, visits, 1.0))).sum(axis=(-2, -1))

    def slope(self, visits: Float[np.ndarray, "*N S A"]) -> Float[np.ndarray, "*N S A"]:
        """-log x - 1; 0 at x = 0."""
        return np.where(visits > 0, -np.log(np.where(visits > 0, visits, 1.0)) - 1, 0.0)

    def curvature(self, visits: Float[np.ndarray, "*N S A"]) -> Float[np.ndarray, "*N S A"]:
        """-1 / x; 0 at x = 0."""
        return np.where(visits > 0, -1 / np.where(visits > 0, visits, 1.0), 0.0)

    def require(self, visits: Float[np.ndarray, "S A"], possible: Bool[np.ndarray, "S A"]) -> None:
        """Refuse a pair that could be visited and is not."""
        if (never := possible & (visits <= 0)).any():
            s, a = first(never)
            raise InvalidPolicy(
                f"the policy never visits action {a} in state {s}, which is possible: there the entropy has no derivative. Give positive probabilities."
            )


@dataclass(frozen=True, eq=False)
class OccupancyDistance(Utility):
    """-|lambda - target|^2 / 2: apprenticeship, with the visits of an expert as target; None: -|lambda|^2 / 2."""

    target: Float[np.ndarray, "S A"] | None = None

    def __post_init__(self) -> None:
        if self.target is not None:
            object.__setattr__(self, "target", freeze("target", self.target, error=InvalidArgument))

    @property
    def name(self) -> str:
        """occupancy distance."""
        return "occupancy distance"

    def require(self, visits: Float[np.ndarray, "S A"], possible: Bool[np.ndarray, "S A"]) -> None:
        """Refuse a target of another shape."""
        if self.target is not None:
            require_shape("target", self.target, visits.shape, "S, A")

    def F(self, visits: Float[np.ndarray, "*N S A"]) -> Float[np.ndarray, "*N"]:
        """-|x - target|^2 / 2."""
        return -(self.slope(visits) ** 2).sum(axis=(-2, -1)) / 2

    def slope(self, visits: Float[np.ndarray, "*N S A"]) -> Float[np.ndarray, "*N S A"]:
        """target - x."""
        return (0.0 if self.target is None else self.target) - visits

    def curvature(self, visits: Float[np.ndarray, "*N S A"]) -> Float[np.ndarray, "*N S A"]:
        """-1."""
        return np.full(visits.shape, -1.0)
