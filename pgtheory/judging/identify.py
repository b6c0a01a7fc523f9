"""Of which objective is E[g] the gradient, and is it a gradient at all?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from pgtheory.judging.examination import Examination
from pgtheory.judging.scale import MATCH, number
from pgtheory.tabular.fields.catalogue import common, project
from pgtheory.tabular.fields.field import Field, curl, directions, is_conservative
from pgtheory.tabular.fields.group_weight import GroupWeight, group_weight, known_weights
from pgtheory.tabular.laws.enumeration import law_over
from pgtheory.tabular.laws.types import Estimator
from pgtheory.tabular.objectives.catalogue import catalogue
from pgtheory.tabular.scene import Scene
from pgtheory.worlds.default import WorldSpec
from pgtheory.worlds.world import World

CATALOGUE_POINTS = tuple(range(8))
"""Points at which a field is projected: coefficients come from four, the residual from the other four."""


NOT_OF_P = ("entropy", "state", "reverse", "forward", "E[R/L]", "E[L]", "E[1/L]")
"""Beginnings of the names of objectives that are no function of the success probability."""

PICTURED = (8, 16, 64)
"""Group sizes that are drawn beside those of the worlds."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Weighted:
    """Verified closed form: E[g] = c mean_x w_G(p_x) grad p_x on every 0/1 on-policy world.

    `weights` holds w_G for each group size that occurred, `names` the objective with that weight, where it has a name; `drawn` adds the sizes of PICTURED,
    read off in the same way.
    """

    weights: dict[int, GroupWeight]
    names: dict[int, str | None]
    factor: float
    drawn: dict[int, GroupWeight]

    @property
    def name(self) -> str | None:
        """The one name for all group sizes, if there is one; a number that follows the group size is written as G or G-1."""
        readings = [{name} if name is None else {name, name.replace(str(G), "G"), name.replace(str(G - 1), "G-1")} for G, name in self.names.items()]
        shared = set.intersection(*readings)
        return min(shared, key=len) if shared and None not in shared else None

    def text(self) -> str:
        """The closed form in words."""
        if self.name:
            return f"E[g] = w_G(p) grad p for each prompt, the gradient of {self.name}"
        return "E[g] = w_G(p) grad p for each prompt, the gradient of Phi_G(p) = integral of w_G; " + "; ".join(
            f"G = {G}: {self.names[G] or 'coefficients ' + ', '.join(f'{c:.6g}' for c in w.coefficients)}" for G, w in self.weights.items()
        )


def success_gradients(world: World, scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """(p_x, grad p_x) of every prompt from the enumerated completions, (P,) and (P, D)."""
    paths, policy = world.datasets().paths, scene.policy()
    gained = paths.probability(policy) / scene.mdp.mu[paths.start] * paths.total()
    of_prompt = (paths.start == np.flatnonzero(scene.mdp.mu)[:, None]) * gained
    return of_prompt.sum(axis=1), policy.pullback((of_prompt @ paths.visits).reshape(len(of_prompt), *paths.shape))


def weighted(estimator: Estimator, examinations: Sequence[Examination]) -> Weighted | None:
    """w_G if E[g] = c mean_x w_G(p_x) grad p_x holds, with one c, on every on-policy world of 0/1 rewards.

    w_G is read off one-token groups, so that the test on longer completions is independent of it.
    """
    worlds = [e for e in examinations if e.world.setting == "tokens" and not e.world.off_policy and e.world.binary]
    if not worlds or estimator.form == "whole":
        return None
    factors, weights = [], {}
    for e in worlds:
        w = group_weight(estimator, e.world.counts["G"])
        if w is None:
            return None
        weights[w.G] = w
        expected = []
        for scene in e.world.scenes:
            p, gradient = success_gradients(e.world, scene)
            expected.append(w(p) @ gradient / len(p))
        target = np.stack(expected)
        if (target**2).sum() == 0:
            return None
        c = float((e.means * target).sum() / (target**2).sum())
        if abs(e.means - c * target).max() > 10 * e.tolerance * (1 + abs(c)):
            return None
        factors.append(c)
    if np.ptp(factors) > MATCH * abs(factors[0]) or factors[0] <= 0:
        return None
    larger = {G: group_weight(estimator, G) for G in PICTURED}
    drawn = weights | {G: w for G, w in larger.items() if w is not None}
    return Weighted(weights=weights, names={G: named(w) for G, w in weights.items()}, factor=factors[0], drawn=drawn)


def named(weight: GroupWeight) -> str | None:
    """The objective with this weight function, up to a constant, if it has a name."""
    for name, known in known_weights(weight.G).items():
        c = weight.coefficients @ known.coefficients / (known.coefficients @ known.coefficients)
        if abs(weight.coefficients - c * known.coefficients).max() <= MATCH * abs(weight.coefficients).max():
            return name if abs(c - 1) <= MATCH else f"{number(float(c))} {name}"
    return None


@lru_cache(maxsize=32)
def catalogue_gradients(world: World) -> dict[str, np.ndarray]:
    """Gradient of every objective of the catalogue at every point of a world, (K, D) each; the same for all estimators."""
    return {o.name: np.stack([o.gradient(scene) for scene in world.scenes]) for o in catalogue(world.scene(), group=world.counts.get("G"))}


def projected(
    estimator: Estimator, specs: Sequence[WorldSpec], *, ordered: bool, progress: Callable[[str], None] = lambda _: None
) -> dict[str, Any] | None:
    """The sparsest combination of catalogue objectives whose gradient E[g] is, the same on every world given; None if there is none.

    Only worlds with at least three effective dimensions can answer; the others are passed over.
    """
    answers = []
    for spec in specs:
        world = replace(spec, points=CATALOGUE_POINTS).build()
        progress(world.id)
        sets = world.datasets(ordered=ordered)
        laws = [law_over(estimator, [(sets.weights(scene), sets.data)], scene) for scene in world.scenes]
        means = np.stack([law.mean for law in laws])
        known = catalogue_gradients(world)
        if np.linalg.matrix_rank(np.concatenate(list(known.values())), tol=1e-9) < 3:
            continue
        scale = max(float(np.linalg.norm(means)), 1e-300)
        rounding = float(np.linalg.norm([law.rounding for law in laws])) / scale
        found = project(
            means, known, tolerance=1e-9 + 100 * rounding
        )  # the fit multiplies rounding by the condition of the catalogue, below 1e5 for sums of three
        if found is None:
            return None
        answers.append(found)
    found = common(answers) if answers else None
    if found is None:
        return None
    names, coefficients = found
    text = " ".join(
        f"{'+' if c >= 0 else '-'} {'' if abs(abs(c) - 1) < MATCH else number(abs(c)) + ' '}{n}" for c, n in zip(coefficients, names, strict=True)
    )
    return {
        "text": text.removeprefix("+ "), "names": names, "coefficients": coefficients, "residual": max(a.residual for a in answers), "worlds": len(answers),
    }  # fmt: skip


def field_of(estimator: Estimator, world: World, *, ordered: bool) -> dict[str, Any]:
    """Whether E[g] is the gradient of anything on a world, from its Jacobian in three random directions (all, if there are fewer).

    A direction frame of three sees an antisymmetric part with probability one; `curl` is its largest entry, `error` the bound of the differences.
    """
    scene = world.scene()
    field = Field(estimator, world.sampling, scene, ordered=ordered)
    frame = directions(np.size(scene.point["theta"]), 3, rng=np.random.default_rng(20261124))
    jacobian, error = field.jacobian(directions=frame)
    return {"world": world.id, "conservative": is_conservative(jacobian, error), "curl": curl(jacobian), "error": error}


def loss_note(bound: Any, world: World, ordered: bool) -> str:
    """Whether the code's E[grad loss] is also grad E[loss], whose data move with theta, on the world's first point.

    Central differences of E[loss] along one random direction, extrapolated once; compared to 1e-6, far above their error and below any dependence.
    """
    scene, sets = world.scene(), world.datasets(ordered=ordered)
    theta = np.ravel(scene.point["theta"])
    u = np.random.default_rng(20261124).normal(size=theta.size)

    def mean_loss(step: float) -> float:
        moved = scene.at(theta=(theta + step * u).reshape(np.shape(scene.point["theta"])))
        return float(sets.weights(moved) @ bound.losses(sets.data, moved))

    slopes = [(mean_loss(h) - mean_loss(-h)) / (2 * h) for h in (2.0**-6, 2.0**-7)]
    total = (4 * slopes[1] - slopes[0]) / 3
    partial = -float(Field(bound, world.sampling, scene, ordered=ordered)() @ u)
    if abs(total - partial) <= 1e-6 * (abs(total) + abs(partial) + 1e-6):
        return "here E[grad loss], which training follows, equals grad E[loss]"
    return f"the code follows E[grad loss]; grad E[loss] is something else, because the data move with theta ({partial:.6g} against {total:.6g} along one direction)"
