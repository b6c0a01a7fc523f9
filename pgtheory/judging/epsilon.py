"""The effect of an epsilon in a denominator, apart: it belongs to the estimator, and a reader wants to know whether it matters."""

from collections.abc import Callable, Mapping

import numpy as np

from pgtheory.judging.subject import Subject
from pgtheory.tabular.laws.enumeration import law_over
from pgtheory.worlds.world import World

SMALL = 0.01
"""Numbers up to this are taken for guards of a denominator; a clip range is larger."""

SHRINK = 1e-6
"""By how much the epsilon is made smaller; zero itself would divide by zero where all rewards are equal."""


def epsilon_notes(subject: Subject, again: Callable[[Mapping[str, float]], Subject], world: World, *, ordered: bool) -> list[str]:
    """For every parameter whose name begins with `eps` and whose value is at most SMALL: by which share of |E[g]| the mean moves when it is made
    SHRINK times as large, on the world's first point. `again` makes the subject with other settings. Cost: one pass over the data sets each.
    """
    signature = getattr(subject.estimator, "signature", None)
    if signature is None or not world.enumerable:
        return []
    values = {**signature.kept, **signature.given}
    guards = {n: v for n, v in values.items() if n.lower().startswith("eps") and isinstance(v, int | float) and 0 < v <= SMALL}
    sets, scene = world.datasets(ordered=ordered), world.scene()
    mean = lambda estimator: law_over(estimator, [(sets.weights(scene), sets.data)], scene).mean
    base = mean(subject.estimator)
    size = float(np.linalg.norm(base))
    if size == 0:
        return []
    moved = {n: float(np.linalg.norm(mean(again({n: v * SHRINK}).estimator) - base)) / size for n, v in guards.items()}
    return [f"{n} = {guards[n]:g} moves E[g] by {share:.2g} of its length on {world.id}" for n, share in moved.items()]
