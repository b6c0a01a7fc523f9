"""The mean of an estimator as a vector field over theta, and its Jacobian."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.data import Data
from pgtheory.tabular.laws.enumeration import law_over
from pgtheory.tabular.laws.types import Estimator, Law
from pgtheory.tabular.scene import Scene

MOST_KEPT = 4096
"""Data sets whose weights are kept: those of one batch of the enumeration."""

STEP = 2.0**-5
"""Largest step of the differences; with three levels the truncation error is of order STEP^6 = 1e-9 times the seventh derivative."""


@dataclass(frozen=True, eq=False)
class Field:
    """theta -> E[g], everything that depends on theta moving with it: weights of the data sets, log-probabilities, exact critics, KL rewards.

    The data sets are enumerated once; only their probabilities and the estimator are evaluated again at each point.

    Theorem: T58.
    """

    estimator: Estimator
    sampling: object
    scene: Scene
    ordered: bool = False

    @cached_property
    def datasets(self):
        """All data sets."""
        return self.sampling.datasets(self.scene, ordered=self.ordered)  # type: ignore[attr-defined]

    def law(self, theta: np.ndarray | None = None) -> Law:
        """The whole law at theta (default: the scene's own)."""
        scene = self.scene if theta is None else self.scene.at(theta=np.reshape(theta, np.shape(self.scene.point["theta"])))
        return law_over(self.estimator, self.datasets.batches(scene), scene)

    def __call__(self, theta: np.ndarray | None = None) -> Float[np.ndarray, "D"]:
        """E[g] at theta."""
        return self.law(theta).mean

    def jacobian(self, theta: np.ndarray | None = None, *, directions: Float[np.ndarray, "K D"] | None = None) -> tuple[np.ndarray, float]:
        """J[i, j] = directions[i] . d E[g] / d directions[j] and a bound of its error; without `directions` the full Jacobian.

        Central differences at steps h, h/2, h/4 extrapolated twice (Richardson). The error is the change by the last extrapolation
        plus the rounding of the mean divided by the smallest step. Cost: 6 K evaluations of the mean.
        """
        centre = np.ravel(self.scene.point["theta"] if theta is None else theta).astype(float)
        if (still := self._still(centre)) is not None:
            return still.jacobian(centre, directions=directions)
        frame = np.eye(centre.size) if directions is None else np.asarray(directions, dtype=float)
        columns, error, rounding = [], 0.0, float(self.law(centre).rounding.max())
        for u in frame:
            slopes = [(self(centre + h * u) - self(centre - h * u)) / (2 * h) for h in (STEP, STEP / 2, STEP / 4)]
            once = [(4 * slopes[1] - slopes[0]) / 3, (4 * slopes[2] - slopes[1]) / 3]
            twice = (16 * once[1] - once[0]) / 15
            columns.append(frame @ twice)
            error = max(error, float(abs(twice - once[1]).max()))
        return np.stack(columns, axis=1), error + 4 * rounding / STEP

    def _still(self, centre: np.ndarray) -> "Field | None":
        """The same field with its weights kept, if they are the same on all data sets at the centre and at two points at the largest step from it:
        a loss whose derivatives do not depend on the log-probabilities themselves. Saves all further calls of the estimator."""
        if isinstance(self.estimator, Kept) or len(self.datasets) > MOST_KEPT:
            return None
        shape = np.shape(self.scene.point["theta"])
        values = None
        for move in (0.0, STEP, -STEP):
            step = move * np.cos(1 + np.arange(centre.size))  # a direction that no symmetry singles out
            found = np.asarray(self.estimator(self.datasets.data, self.scene.at(theta=(centre + step).reshape(shape))), dtype=float)
            if values is not None and not np.array_equal(found, values, equal_nan=True):
                return None
            values = found
        assert values is not None
        return Field(Kept(self.estimator.form, values), self.sampling, self.scene, ordered=self.ordered)


@dataclass(frozen=True, eq=False)
class Kept:
    """Weights that do not depend on theta, for one enumeration of data sets of at most MOST_KEPT."""

    form: str
    values: np.ndarray

    def __call__(self, data: Data, scene: Scene) -> np.ndarray:
        return self.values


def curl(jacobian: Float[np.ndarray, "K K"]) -> float:
    """Largest entry of the antisymmetric part J - J': zero for the gradient of anything."""
    return float(abs(jacobian - jacobian.T).max())


def is_conservative(jacobian: Float[np.ndarray, "K K"], error: float) -> bool | None:
    """True or False if the antisymmetric part is within its error, or above 100 times it; None in between: undecided."""
    found = curl(jacobian)
    if found > 100 * error:
        return False
    return True if found <= 2 * error else None


def directions(D: int, count: int, *, rng: np.random.Generator) -> Float[np.ndarray, "K D"]:
    """`count` orthonormal directions (all of them if D is not larger): an antisymmetric part is seen in a random frame of three with probability one."""
    if count >= D:
        return np.eye(D)
    return np.linalg.qr(rng.normal(size=(D, count)))[0].T
