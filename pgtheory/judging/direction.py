"""Looking for a point at which the mean points downhill."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np

from pgtheory.judging.examination import examine
from pgtheory.tabular.laws.types import Estimator
from pgtheory.tabular.objectives.objective import Objective
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.worlds.default import TINY, WorldSpec
from pgtheory.worlds.world import World

LEVELS = (0.1, 0.35, 0.65, 0.9)
"""Probabilities of the first action in each state."""

MOST = 64
"""Points tried on a world."""


def grid(world: World) -> World:
    """The world at points with every combination of LEVELS over the states (the first MOST of them, spread), two actions only."""
    mdp = world.scene().mdp
    combinations = list(product(LEVELS, repeat=mdp.S))
    some = combinations[:: max(1, len(combinations) // MOST)][:MOST]
    policies = tuple(Softmax.of(np.array([[p, 1 - p] for p in point])) for point in some)
    return replace(world, current=policies)


def downhill(estimator: Estimator, setting: str, *, objective: Objective, ordered: bool, allowed: Sequence[WorldSpec]) -> dict[str, object] | None:
    """The first tiny on-policy world and point with <E g, grad J> < 0 beyond rounding, or None if there is none among those tried."""
    off_policy = any(getattr(spec, "off_policy", False) for spec in allowed)
    models = {(getattr(spec, "model", None), getattr(spec, "gamma", None)) for spec in allowed}
    for spec in TINY:
        world = spec.build()
        if world.setting != setting or (world.off_policy and not off_policy) or world.scene().mdp.A != 2 or world.datasets().rows.size > 60:
            continue
        if (getattr(spec, "model", None), getattr(spec, "gamma", None)) not in models:
            continue
        exam = examine(estimator, grid(world), objective=objective, ordered=ordered)
        products = (exam.means * exam.targets).sum(axis=1)
        worst = int(np.argmin(products))
        if products[worst] < -10 * exam.tolerance * (abs(exam.means[worst]).max() + abs(exam.targets[worst]).max()):
            return {"world": world.id, "probabilities": exam.world.current[worst].probabilities[:, 0].tolist(), "cosine": float(exam.cosines[worst])}
    return None
