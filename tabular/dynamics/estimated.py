"""Any estimator of the library as the stochastic gradient of an update: its data sets are enumerated, or drawn, at the point where the update stands."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from pgtheory.tabular.arrays import distinct, first
from pgtheory.tabular.dynamics.stochastic import LIMIT, Outcomes
from pgtheory.tabular.errors import InvalidArgument, InvalidPolicy, TooLarge
from pgtheory.tabular.laws.moments import gradients
from pgtheory.tabular.laws.types import Estimator
from pgtheory.tabular.scene import Scene


@dataclass(frozen=True, eq=False)
class Estimated:
    """The estimate from one data set. Every role of the scene that moves with theta does so at every step: on-policy, the data come from the current point.

    It is a `GradientLaw`, for `paths`, `noise` and `drawn_from`; its `draw` simulates, for `NoisyOracle`; and it is the `Sampler` of tracking rules that see
    one gradient at a time. The oracle beside it is one on the same problem, `SceneOracle(scene)` or a `SoftmaxOracle`.

    Attributes:
        estimator: of any form.
        sampling: the law of the data: `OnPolicy`, `Groups`, `OffPolicy`.
        scene: model and roles; the point of the update takes the place of its theta.
        ordered: whether the estimator tells the rows of a data set apart. Else data sets that differ in the order of their rows are one outcome.
    """

    estimator: Estimator
    sampling: Any
    scene: Scene
    ordered: bool = False

    def __call__(self, outlook: Any) -> Outcomes:
        """All K data sets: their probabilities, and the estimate from each. Cost: one enumeration, then a call of the estimator on K data sets a point.

        Raises:
            TooLarge: the data sets, or their gradients at all points, are too many.
            InvalidArgument: an estimate that has a chance is not finite.
        """
        datasets, points = self.sampling.datasets(self.scene, ordered=self.ordered), len(outlook.theta)
        if points * len(datasets) > LIMIT:
            raise TooLarge(
                f"{len(datasets)} data sets at {points} points are {points * len(datasets)} gradients, more than {LIMIT}. "
                "Take fewer steps, smaller data sets, or seeds: NoisyOracle(oracle, estimated.draw, rng)."
            )
        scenes = [self.at(theta) for theta in outlook.theta]
        chance = np.stack([datasets.weights(scene) for scene in scenes])
        gradient = np.stack([gradients(self.estimator, datasets.data, scene) for scene in scenes])
        return Outcomes(chance, _finite(gradient, chance).reshape(*chance.shape, *outlook.theta.shape[1:]))

    def draw(self, outlook: Any, rng: np.random.Generator) -> Float[np.ndarray, "N *D"]:
        """One simulated data set a row."""
        return self.gradient(outlook.theta, rng)

    def gradient(self, theta: Float[np.ndarray, "N *D"], rng: np.random.Generator) -> Float[np.ndarray, "N *D"]:
        """One simulated data set a row. Cost: one simulation and one call of the estimator for each different point."""
        found = np.empty(theta.shape)
        for rows in alike(theta):
            scene = self.at(theta[rows[0]])
            data = self.sampling.sample(scene, len(rows), rng=rng)
            found[rows] = gradients(self.estimator, data, scene).reshape(found[rows].shape)
        return found

    def at(self, theta: Float[np.ndarray, "*D"]) -> Scene:
        """The scene at a point.

        Raises:
            InvalidPolicy: theta has another shape than the scene's.
        """
        shape = np.shape(self.scene.point["theta"])
        if theta.shape != shape:
            raise InvalidPolicy(f"theta has shape {theta.shape}, the policy of the scene has {shape}. Give the oracle and the estimate one scene.")
        return self.scene.at(theta=theta)


def alike(theta: Float[np.ndarray, "N *D"]) -> Iterator[Int[np.ndarray, "R"]]:
    """The rows that are equal, by their numbers, one group after the other: what is asked of each can be asked for all at once. Cost O(N log N)."""
    _, same = distinct(theta.reshape(len(theta), -1))
    order = np.argsort(same, kind="stable")
    yield from np.split(order, np.flatnonzero(np.diff(same[order])) + 1)


def _finite(gradient: Float[np.ndarray, "N K D"], chance: Float[np.ndarray, "N K"]) -> Float[np.ndarray, "N K D"]:
    """The gradients, with 0 in the place of those that never happen.

    Raises:
        InvalidArgument: one that has a chance is not finite.
    """
    broken = np.logical_not(np.isfinite(gradient).all(axis=2))
    if (wrong := broken & (chance > 0)).any():
        n, k = first(wrong)
        raise InvalidArgument(
            f"the estimate from data set {k}, which has probability {chance[n, k]:.3g}, is not finite at point {n}: no path goes on from there. "
            "Repair the estimator where it divides by nothing."
        )
    return np.where(broken[:, :, None], 0.0, gradient)
