"""The price in variance: against leave-one-out and the optimal baseline, at matched scale."""

from typing import Any

import numpy as np

from pgtheory.judging.examination import Examination
from pgtheory.tabular.estimators.registry import builtin
from pgtheory.tabular.laws.enumeration import law_over
from pgtheory.tabular.scene import Scene
from pgtheory.worlds.world import World

ACCURACY = 0.1
"""Relative error of the gradient for which a number of batches is stated."""


ALIGNED = 0.5
"""Cosine above which g / c is worth comparing with an unbiased estimator."""


def price(exam: Examination, scale: float) -> dict[str, Any]:
    """Total variance of g / c on the world's first point beside the references, and the number of batches whose mean has a relative error of 10 %.

    Where E[g] and the gradient form an angle of more than 60 degrees there is no common scale, and `matched` is None.

    n = tr Cov / (0.1 |E g|)^2 batches of the world's size: the root mean square error of their mean is then a tenth of |E g|.
    """
    law, world = exam.laws[0], exam.world
    aligned = np.isfinite(scale) and abs(scale) > 1e-9 and abs(exam.cosines[0]) > ALIGNED
    found: dict[str, Any] = {"world": world.id, "total": law.variance, "matched": law.variance / scale**2 if aligned else None, "scale": scale}
    found |= references(world, world.scene())
    size = float(law.mean @ law.mean)
    found["batches_for_10_percent"] = float(law.variance / (ACCURACY**2 * size)) if size > 0 else None
    return found


def references(world: World, scene: Scene) -> dict[str, float]:
    """Total variance of the unbiased references on a world: leave-one-out and the best constant baseline a prompt; for episodes reward-to-go with
    no, the exact-value and the variance-optimal baseline."""
    names = (
        {"leave-one-out": "leave-one-out"}
        if world.setting == "tokens"
        else {"reward-to-go": "reward-to-go", "value baseline": "reward-to-go/value-baseline", "optimal baseline": "reward-to-go/optimal-baseline"}
    )
    sets = world.datasets()
    found = {label: law_over(builtin(name), sets.batches(scene), scene).variance for label, name in names.items() if not world.off_policy}
    if world.setting == "tokens" and not world.off_policy:
        found["optimal baseline"] = optimal_constant_baseline(world, scene)
    return found


def optimal_constant_baseline(world: World, scene: Scene) -> float:
    """Least total variance of (1/B) sum_i (r_i - b_x) score_i over constants b_x: b_x = E[r |score|^2] / E[|score|^2] (Greensmith et al. 2004).

    Rows are independent: the variance is (1 / (P^2 G)) sum_x (E[(r - b)^2 |score|^2] - |grad p_x|^2).
    """
    paths, policy = world.datasets().paths, scene.policy()
    probability = paths.probability(policy) / scene.mdp.mu[paths.start]
    score = policy.pullback(paths.visits.toarray().reshape(-1, *paths.shape))
    size, reward, total = (score**2).sum(axis=1), paths.total(), 0.0
    prompts = np.flatnonzero(scene.mdp.mu)
    for start in prompts:
        own = np.where(paths.start == start, probability, 0.0)
        b = (own * reward) @ size / (own @ size)
        mean = (own * reward) @ score
        total += (own * (reward - b) ** 2) @ size - mean @ mean
    return max(
        0.0, float(total / (len(prompts) ** 2 * world.counts["G"]))
    )  # with two outcomes the best baseline leaves none, and rounding must not show
