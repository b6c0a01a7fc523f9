"""The law of an estimator by simulation: it can refute, never acquit."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri

from pgtheory.tabular.laws.enumeration import law_over
from pgtheory.tabular.laws.types import Estimator, Law
from pgtheory.tabular.scene import Scene


@dataclass(frozen=True)
class MonteCarlo:
    """`samples` simulated data sets from a generator seeded with `seed`.

    `rounding` of the law is the half-width of a simultaneous confidence region for the mean at level `confidence`: normal quantile with
    Bonferroni's correction over the coordinates, standard errors from the sample. It rests on the central limit theorem: with samples below 1000,
    or very rare large weights, it is too narrow, so that small counts are refused.
    """

    samples: int = 20_000
    confidence: float = 1 - 1e-6
    seed: int = 0
    name = "monte-carlo"
    exact = False
    needs = "nothing"

    def applies(self, estimator: Estimator, sampling: object, scene: Scene) -> bool:
        """Always."""
        return True

    def cost(self, estimator: Estimator, sampling: object, scene: Scene) -> float:
        """Number of data sets."""
        return float(self.samples)

    def run(self, estimator: Estimator, sampling: object, scene: Scene) -> Law:
        """The estimated law."""
        rng = np.random.default_rng(self.seed)
        size = 2_000
        shares = [min(size, self.samples - begin) for begin in range(0, self.samples, size)]
        batches = ((np.full(n, 1 / self.samples), sampling.sample(scene, n, rng=rng)) for n in shares)  # type: ignore[attr-defined]
        found = law_over(estimator, batches, scene)
        covariance = found.covariance * self.samples / (self.samples - 1)
        quantile = -float(ndtri((1 - self.confidence) / (2 * len(found.mean))))
        half = quantile * np.sqrt(np.clip(np.diag(covariance), 0, None) / self.samples)
        return replace(found, covariance=covariance, rounding=half, method="monte-carlo", exact=False, confidence=self.confidence)
