"""Any objective of any policy as an oracle: what `Scene` and `Objective` describe can be climbed."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.arrays import freeze
from pgtheory.tabular.dynamics.lazy import once
from pgtheory.tabular.dynamics.outlook import Outlook
from pgtheory.tabular.errors import InvalidPolicy
from pgtheory.tabular.objectives.objective import Objective
from pgtheory.tabular.objectives.returns import Return
from pgtheory.tabular.policies.policy import fisher
from pgtheory.tabular.scene import Scene
from pgtheory.tabular.solve.evaluation import Evaluation, evaluate
from pgtheory.tabular.solve.optimal import optimal


@dataclass(frozen=True, eq=False)
class SceneOracle:
    """Any objective of any policy: theta is that of the scene's current policy, with a leading axis of points, usually one.

    Attributes:
        scene: model, roles and the shape of theta.
        objective: default the return.
        target: best value; default that of `optimal` for the return, else not known.

    Cost: the points are visited one after the other, as scenes are; for many problems use an oracle on a stack.
    """

    scene: Scene
    objective: Objective = field(default_factory=Return)
    target: float | None = None
    N = 1
    simplex = False

    @cached_property
    def best(self) -> Float[np.ndarray, "1"] | None:
        """The best value, if it is known. For the return it is that over all policies, which a restricted family may not reach."""
        if self.target is not None:
            return np.array([float(self.target)])
        return np.array([optimal(self.scene.model).J]) if type(self.objective) is Return else None

    def start(self, theta: Any) -> Float[np.ndarray, "N *D"]:
        """theta in the shape of the scene's, alone or with a leading axis.

        Raises:
            InvalidPolicy: another shape.
        """
        array, shape = freeze("theta", theta, error=InvalidPolicy), np.shape(self.scene.point["theta"])
        if array.shape != shape and array.shape[1:] != shape:
            raise InvalidPolicy(f"theta has shape {array.shape}, the policy of the scene has {shape}.")
        return np.array(array.reshape(-1, *shape))

    def repeated(self, count: int) -> "SceneOracle":
        """Itself: it takes any number of points."""
        return self

    def __call__(self, theta: Float[np.ndarray, "N *D"]) -> "SceneOutlook":
        """The outlook at theta."""
        return SceneOutlook(self, theta)


class SceneOutlook(Outlook):
    """The objective and its gradient at theta, and the policy's table. Q, V, advantage and occupancy are those of the model's return, as `evaluate` gives them."""

    @once
    def scenes(self) -> list[Scene]:
        """The scene at each point."""
        return [self.oracle.scene.at(theta=theta) for theta in self.theta]

    @once
    def value(self) -> Float[np.ndarray, "N"]:
        """The objective."""
        return np.array([self.oracle.objective.value(scene) for scene in self.scenes])

    @once
    def gradient(self) -> Float[np.ndarray, "N *D"]:
        """Its gradient."""
        return np.stack([self.oracle.objective.gradient(scene) for scene in self.scenes]).reshape(self.theta.shape)

    @once
    def pi(self) -> Float[np.ndarray, "N S A"]:
        """Probabilities of the current policy."""
        return np.stack([scene.policy().probabilities for scene in self.scenes])

    @once
    def log_pi(self) -> Float[np.ndarray, "N S A"]:
        """Their logarithm."""
        return np.stack([scene.policy().log_probabilities for scene in self.scenes])

    @once
    def evaluations(self) -> list[Evaluation]:
        """The return of the current policy."""
        return [evaluate(scene.model, scene.policy()) for scene in self.scenes]

    @once
    def V(self) -> Float[np.ndarray, "N *T S"]:
        """Value of each state; with a horizon (N, T, S), as for Q and advantage."""
        return np.stack([found.V for found in self.evaluations])

    @once
    def Q(self) -> Float[np.ndarray, "N *T S A"]:
        """Value of an action."""
        return np.stack([found.Q for found in self.evaluations])

    @once
    def advantage(self) -> Float[np.ndarray, "N *T S A"]:
        """Q - V."""
        return np.stack([found.advantage for found in self.evaluations])

    @once
    def occupancy(self) -> Float[np.ndarray, "N S"]:
        """Expected discounted visits of each state, of all time steps together."""
        return np.stack([found.occupancy.reshape(-1, self.pi.shape[1]).sum(axis=0) for found in self.evaluations])

    @once
    def entropy(self) -> Float[np.ndarray, "N S"]:
        """-sum_a pi log pi of each state."""
        return -(self.pi * np.where(self.pi > 0, self.log_pi, 0.0)).sum(axis=2)

    @once
    def natural(self) -> Float[np.ndarray, "N *D"]:
        """F^+ gradient, F = sum_s d(s) sum_a pi score score' under the discounted visits. Cost O(S A D^2 + D^3) a point."""
        F = np.stack([fisher(scene.policy(), d) for scene, d in zip(self.scenes, self.occupancy, strict=True)])
        flat = self.gradient.reshape(len(self.theta), -1, 1)
        return (np.linalg.pinv(F, hermitian=True) @ flat).reshape(self.theta.shape)
