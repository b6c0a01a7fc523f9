"""Do two estimators have the same law? Equal gradients on every data set, equal distribution, or equal moments only."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from pgtheory.judging.subject import Subject, subject_of
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.laws.moments import dense, scatter
from pgtheory.worlds.custom import custom_worlds
from pgtheory.worlds.default import default_worlds
from pgtheory.worlds.world import World

SAME = 1e-11
"""Relative distance within which two gradients are equal: a few thousand roundings."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Comparison:
    """What two estimators share.

    `same` is True if the distribution of the gradient is the same on every world, False if a moment or the distribution differs, None if only mean and
    covariance were found equal (which does not imply equal learning dynamics).
    """

    names: tuple[str, str]
    same: bool | None
    text: str
    worlds: tuple[dict[str, Any], ...]

    @property
    def exit_code(self) -> int:
        """0 the same law, 1 different, 3 undecided."""
        return {True: 0, False: 1, None: 3}[self.same]

    def to_dict(self) -> dict[str, Any]:
        """In types that JSON knows."""
        return {"names": list(self.names), "same": self.same, "text": self.text, "worlds": list(self.worlds), "exit_code": self.exit_code}


def gradients(subject: Subject, world: World, point: int) -> tuple[np.ndarray, np.ndarray]:
    """(probabilities (N,), gradients (N, D)) over all ordered data sets."""
    scene = world.scene(point)
    sets = world.sampling.datasets(scene, ordered=True)
    values = np.asarray(subject.estimator(sets.data, scene), dtype=float)
    policy = scene.policy()
    shape = policy.probabilities.shape
    whole = values if subject.estimator.form == "whole" else policy.pullback(dense(scatter(values, sets.data, shape)).reshape(-1, *shape))
    return sets.weights(scene), whole


def compare(first: object, second: object, *, problem: object | None = None, group: int | None = None, **options: Any) -> Comparison:
    """Compare two targets (as for `check`) on every world of the first one's setting, data set by data set.

    Raises:
        InvalidArgument: one is about completions and the other about trajectories.
    """
    both = [
        subject_of(t, kind=options.get("kind"), settings=options.get("settings"), convention=options.get("convention"), advantage=options.get("advantage"),
                   time_limit=options.get("time_limit", 10.0), name=None)
        for t in (first, second)
    ]  # fmt: skip
    a, b = both
    if a.setting != b.setting:
        raise InvalidArgument(f"{a.name} is about {a.setting}, {b.name} about {b.setting}: they never see the same data.")
    if problem is None:
        worlds = [spec.build() for spec in default_worlds(a.setting, a.uses | b.uses) if getattr(spec, "vocabulary", 2) == 2]
    else:
        worlds = custom_worlds(problem, setting=a.setting, gamma=None, group=group, theta=None, horizon=None)
    rows = tuple(_on(a, b, world) for world in worlds)
    levels = [row["equal"] for row in rows]
    names = (a.name, b.name)
    if all(level in ("gradient", "distribution") for level in levels):
        how = "the same gradient on every data set" if all(level == "gradient" for level in levels) else "the same distribution of the gradient"
        return Comparison(names=names, same=True, text=f"{a.name} and {b.name} have {how}", worlds=rows)
    if any(level == "nothing" for level in levels):
        worst = next(row for row in rows if row["equal"] == "nothing")
        text = f"{a.name} and {b.name} differ on {worst['world']}: means by {worst['mean_distance']:.3g}, total variance {worst['variances'][0]:.6g} against {worst['variances'][1]:.6g}"
        return Comparison(names=names, same=False, text=text, worlds=rows)
    if any(level == "mean" for level in levels):
        worst = next(row for row in rows if row["equal"] == "mean")
        text = f"{a.name} and {b.name} have the same mean; total variance {worst['variances'][0]:.6g} against {worst['variances'][1]:.6g} on {worst['world']}"
        return Comparison(names=names, same=False, text=text, worlds=rows)
    return Comparison(
        names=names,
        same=None,
        text=f"{a.name} and {b.name} have equal mean and covariance, but not the same distribution: that does not make their learning dynamics equal",
        worlds=rows,
    )


def _on(a: Subject, b: Subject, world: World) -> dict[str, Any]:
    (p, x), (_, y) = gradients(a, world, 0), gradients(b, world, 0)
    scale = max(abs(x).max(initial=0), abs(y).max(initial=0), 1e-300)
    close = lambda u, v, size=scale: bool(np.isclose(u, v, rtol=0, atol=SAME * size, equal_nan=True).all())
    moments = [(p @ z, (z.T * p) @ z - np.outer(p @ z, p @ z)) for z in (x, y)]
    (m, C), (n, D) = moments
    equal = "nothing"
    if close(x, y):
        equal = "gradient"
    elif close(m, n):
        equal = "mean"
        if close(C, D, scale**2):
            equal = "moments"
            left, right = _distribution(p, x, scale), _distribution(p, y, scale)
            if left.keys() == right.keys() and all(abs(left[k] - right[k]) <= 1e-12 for k in left):
                equal = "distribution"
    return {
        "world": world.id,
        "equal": equal,
        "mean_distance": float(abs(m - n).max()),
        "variances": [float(np.trace(C)), float(np.trace(D))],
        "datasets": len(p),
    }


def _distribution(p: np.ndarray, x: np.ndarray, scale: float) -> dict[tuple, float]:
    """Probability of each gradient, rounded to nine digits of the largest."""
    found: dict[tuple, float] = {}
    for probability, key in zip(p, map(tuple, np.round(x / scale, 9) + 0.0), strict=True):
        found[key] = found.get(key, 0.0) + probability
    return found
