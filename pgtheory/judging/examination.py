"""The exact mean of an estimator beside its target, at every point of a world."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.laws.enumeration import law_over
from pgtheory.tabular.laws.law import law
from pgtheory.tabular.laws.types import Estimator, Law
from pgtheory.tabular.objectives.objective import Objective
from pgtheory.worlds.world import World

TARGET_ROUNDING = 1e-13
"""Relative error granted to the target's gradient: two linear solves of condition below 100 in float64 (`Return.gradient_with_bound` proves less)."""

REWARD_ROUNDING = 2.0**-46
"""Relative error granted to differences of returns: 64 roundings of the two dozen sums in a data set, times scores of at most a few units."""

VANISHING = 1e-12
"""A gradient below, relative to the largest return, is rounding of zero."""

SINGLE = 2.0**29
"""Ratio of the unit roundoffs of float32 and float64."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Examination:
    """An estimator on one world.

    Attributes:
        world: where.
        laws: the law at each point.
        targets: gradient of the objective at each point, (K, D).
        single: whether the estimator computes in float32.
    """

    world: World
    laws: tuple[Law, ...]
    targets: Float[np.ndarray, "K D"]
    single: bool = False

    @cached_property
    def means(self) -> Float[np.ndarray, "K D"]:
        """E[g] at each point."""
        return np.stack([law.mean for law in self.laws])

    @cached_property
    def rounding(self) -> float:
        """Largest error of the means: four times the bound of their sums, or the half-width of the confidence region without enumeration."""
        found = 4 * max(float(law.rounding.max(initial=0)) for law in self.laws)
        return found * SINGLE if self.single else found

    def allowance(self, c: float) -> float:
        """What may lie between E[g] and c times the target: the rounding of the means, and c times that of the target and of sums of rewards,
        which may be far larger than their differences."""
        return self.rounding + abs(c) * (TARGET_ROUNDING * float(abs(self.targets).max(initial=0)) + REWARD_ROUNDING * self.world.largest_return)

    @property
    def tolerance(self) -> float:
        """The allowance at c = 1."""
        return self.allowance(1.0)

    @property
    def exact(self) -> bool:
        """Whether every mean is exact."""
        return all(law.exact for law in self.laws)

    @cached_property
    def zero(self) -> bool:
        """Whether E[g] vanishes at every point."""
        return bool(abs(self.means).max(initial=0) <= self.rounding)

    @cached_property
    def informative(self) -> bool:
        """Whether the target differs from zero at some point."""
        return bool(abs(self.targets).max(initial=0) > VANISHING * max(1.0, self.world.largest_return))

    @cached_property
    def scale(self) -> float:
        """The constant c that brings c * target nearest to the means, over all points together."""
        return float((self.means * self.targets).sum() / (self.targets**2).sum()) if self.informative else float("nan")

    @cached_property
    def distance(self) -> float:
        """max |E[g] - c target| over points and coordinates."""
        return float(abs(self.means - self.scale * self.targets).max()) if self.informative else float(abs(self.means).max(initial=0))

    @property
    def proportional(self) -> bool:
        """Whether E[g] = c target at every point, up to rounding."""
        return self.informative and self.distance <= self.allowance(self.scale)

    @cached_property
    def cosines(self) -> Float[np.ndarray, "K"]:
        """Cosine of the angle between E[g] and the target at each point; nan where one of them vanishes."""
        sizes = np.linalg.norm(self.means, axis=1) * np.linalg.norm(self.targets, axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(sizes > self.rounding * VANISHING, (self.means * self.targets).sum(axis=1) / sizes, np.nan)

    @property
    def undefined(self) -> float:
        """Largest probability over the points of data sets on which the estimator is not finite."""
        return max(law.undefined for law in self.laws)

    @property
    def count(self) -> int:
        """Number of data sets at each point."""
        return self.laws[0].count


def examine(estimator: Estimator, world: World, *, objective: Objective, ordered: bool = False, method: str | None = None) -> Examination:
    """Law and target at every point of a world. Data sets are enumerated once.

    Cost: points times data sets evaluations of the estimator.
    """
    if method is None:
        sets = world.datasets(ordered=ordered)
        laws = tuple(law_over(estimator, [(sets.weights(scene), sets.data)], scene) for scene in world.scenes)
    else:
        laws = tuple(law(estimator, world.sampling, scene, method=method) for scene in world.scenes)
    targets = np.stack([objective.gradient(scene) for scene in world.scenes])
    return Examination(world=world, laws=laws, targets=targets, single=getattr(estimator, "precision", "float64") == "float32")
