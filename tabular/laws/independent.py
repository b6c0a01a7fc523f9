"""Laws of independent parts add: groups of different prompts, or rows of different episodes, that the estimator does not couple."""

from dataclasses import dataclass
from math import prod

import numpy as np

from pgtheory.tabular.data import Data
from pgtheory.tabular.laws.enumeration import EVALUATION
from pgtheory.tabular.laws.moments import Moments, scatter, to_parameters
from pgtheory.tabular.laws.types import Estimator, Law
from pgtheory.tabular.sampling.datasets import LIMIT
from pgtheory.tabular.scene import Scene

REFERENCES = 8
"""With how many different draws of the other parts the weights of a part are compared."""


def part_weights(estimator: Estimator, sampling: object, scene: Scene, part: int, reference: int) -> tuple[np.ndarray, Data, np.ndarray]:
    """Weights of the rows of one part over all its draws, the others held at draw number `reference` (modulo their count).

    Returns (weights of its rows (n, rows, ...), the data sets, probability of each draw of the part).
    """
    paths, parts = sampling.parts(scene)  # type: ignore[attr-defined]
    n = len(parts[part][1])
    rows = [draws if i == part else np.repeat(draws[[reference % len(draws)]], n, axis=0) for i, (draws, _) in enumerate(parts)]
    sets = sampling.assemble(scene, paths, np.concatenate(rows, axis=1), np.ones(n))  # type: ignore[attr-defined]
    own = slice(sum(r.shape[1] for r in rows[:part]), sum(r.shape[1] for r in rows[: part + 1]))
    alone = sampling.assemble(scene, paths, rows[part], parts[part][1])  # type: ignore[attr-defined]
    values = np.asarray(estimator(sets.data, scene), dtype=np.float64)
    return values[:, own], sets.data.rows(np.arange(sets.data.shape[1])[own]), alone.weights(scene)


def coupled(estimator: Estimator, sampling: object, scene: Scene) -> bool:
    """Whether the weights of one part's rows change with the draws of the other parts: a batch-wide std, a token mean over the batch.

    Compared with REFERENCES draws of the others, spread over their list. Cost: REFERENCES calls of the estimator a part.
    """
    _, parts = sampling.parts(scene)  # type: ignore[attr-defined]
    if len(parts) < 2:
        return False
    for part in range(len(parts)):
        largest = max(len(prior) for i, (_, prior) in enumerate(parts) if i != part)
        spread = np.unique(np.linspace(0, largest - 1, REFERENCES).astype(int))
        base = part_weights(estimator, sampling, scene, part, int(spread[0]))[0]
        for reference in spread[1:]:
            other = part_weights(estimator, sampling, scene, part, int(reference))[0]
            if not np.allclose(base, other, rtol=1e-9, atol=1e-12, equal_nan=True):  # far above rounding, far below any dependence
                return True
    return False


@dataclass(frozen=True)
class IndependentParts:
    """Sum of the laws of the parts, if the estimator does not couple them. Cost: the sum, not the product, of their numbers of draws."""

    name = "independent-parts"
    exact = True
    needs = "several prompts or episodes that the estimator does not couple, and a local or table estimator"

    def applies(self, estimator: Estimator, sampling: object, scene: Scene) -> bool:
        """Whether there are several parts, each can be enumerated, and nothing couples them."""
        return self.cost(estimator, sampling, scene) < np.inf and not coupled(estimator, sampling, scene)

    def cost(self, estimator: Estimator, sampling: object, scene: Scene) -> float:
        """Number of draws of the parts, the coupling test included, times what one takes; infinite below 4096 data sets, where plain enumeration is as fast."""
        if estimator.form == "whole" or not hasattr(sampling, "part_counts"):
            return np.inf
        sizes = sampling.part_counts(scene)  # type: ignore[attr-defined]
        return (1 + REFERENCES) * sum(sizes) * EVALUATION if max(sizes) <= LIMIT and prod(sizes) > 4096 else np.inf

    def run(self, estimator: Estimator, sampling: object, scene: Scene) -> Law:
        """The exact law."""
        policy = scene.policy("current")
        shape = policy.probabilities.shape
        _, parts = sampling.parts(scene)  # type: ignore[attr-defined]
        laws, count, sure_zero, undefined = [], 0, 1.0, 0.0
        for part in range(len(parts)):
            moments = Moments(shape[0] * shape[1])
            values, data, probability = part_weights(estimator, sampling, scene, part, 0)
            moments.add(probability, scatter(values, data, shape))
            laws.append(to_parameters(moments, policy))
            count, sure_zero = count + moments.count, sure_zero * moments.zero
            undefined = 1 - (1 - undefined) * (1 - moments.undefined)
        mean, covariance, rounding = (np.sum(found, axis=0) for found in zip(*laws, strict=True))
        return Law(
            mean=mean, covariance=covariance, rounding=rounding, method=self.name, exact=True, count=count, zero=sure_zero, undefined=undefined
        )  # type: ignore[arg-type]
