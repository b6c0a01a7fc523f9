"""The smallest problem on which an estimator goes wrong, with its numbers as fractions where they are rational."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from pgtheory.judging.classes import Kind, classify
from pgtheory.judging.examination import Examination, examine
from pgtheory.tabular.errors import PgtheoryError
from pgtheory.tabular.laws.types import Estimator
from pgtheory.tabular.objectives.objective import Objective
from pgtheory.worlds.default import TINY, WorldSpec


def smallest(
    estimator: Estimator,
    setting: str,
    *,
    target: str,
    objective: Objective,
    ordered: bool,
    allowed: Sequence[WorldSpec],
    failing: Sequence[Examination],
) -> dict[str, Any] | None:
    """The first of the tiny worlds, in order of their size, on which E[g] is not the target up to a convention; else the smallest failing world.

    A tiny world is passed over if it has what no world of the examination has (another sampling policy, a time limit).
    """
    off_policy = any(getattr(spec, "off_policy", False) for spec in allowed)
    models = {getattr(spec, "model", None) for spec in allowed}
    discounts = {getattr(spec, "gamma", None) for spec in allowed}
    for spec in TINY:
        world = spec.build()
        if world.setting != setting or (world.off_policy and not off_policy):
            continue
        if setting == "episodes" and (spec.model not in models or spec.gamma not in discounts):  # type: ignore[union-attr]
            continue
        try:
            exam = examine(estimator, world, objective=objective, ordered=ordered)
        except PgtheoryError:
            continue
        if (exam.informative or not exam.zero) and classify([exam]).kind is not Kind.UNBIASED:
            return described(exam, target)
    return described(min(failing, key=lambda e: e.count), target) if failing else None


def described(exam: Examination, target: str) -> dict[str, Any]:
    """World, both sides at its worst point, and the command that shows them."""
    c = exam.scale if exam.proportional else 1.0
    k = int(np.argmax(abs(exam.means - (1.0 if exam.proportional else c) * exam.targets).max(axis=1)))
    coordinate = int(np.argmax(abs(exam.means[k] - exam.targets[k])))
    return {
        "world": exam.world.id,
        "datasets": exam.count,
        "point": k,
        "coordinate": coordinate,
        "mean": exam.means[k],
        "gradient": exam.targets[k],
        "mean_fraction": fraction(float(exam.means[k, coordinate])),
        "gradient_fraction": fraction(float(exam.targets[k, coordinate])),
        "command": f"pgtheory check {target} {exam.world.option}",
    }


def fraction(value: float) -> str | None:
    """A fraction with a denominator of at most 10^5 that equals the value to 1e-12, or None: two different ones of that size differ by 1e-10."""
    found = Fraction(value).limit_denominator(100_000)
    return str(found) if abs(float(found) - value) <= 1e-12 * max(1.0, abs(value)) else None
