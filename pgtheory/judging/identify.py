"""Of which objective is E[g] the gradient, and is it a gradient at all?"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pgtheory.judging.examination import Examination
from pgtheory.judging.scale import MATCH, number
from pgtheory.tabular.fields.catalogue import project
from pgtheory.tabular.fields.field import Field, curl, directions, is_conservative
from pgtheory.tabular.fields.group_weight import GroupWeight, group_weight, known_weights
from pgtheory.tabular.laws.types import Estimator
from pgtheory.tabular.objectives.catalogue import catalogue
from pgtheory.tabular.scene import Scene
from pgtheory.worlds.default import WorldSpec
from pgtheory.worlds.world import World

CATALOGUE_POINTS = tuple(range(8))
"""Points at which a field is projected: coefficients come from four, the residual from the other four."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Weighted:
    """Verified closed form: E[g] = c mean_x w_G(p_x) grad p_x on every 0/1 on-policy world."""

    weight: GroupWeight
    name: str | None
    factor: float


def success_gradients(world: World, scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """(p_x, grad p_x) of every prompt from the enumerated completions, (P,) and (P, D)."""
    paths, policy = world.sampling.datasets(scene).paths, scene.policy()
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
    factors, first = [], None
    for e in worlds:
        w = group_weight(estimator, e.world.counts["G"])
        if w is None:
            return None
        first = first or w
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
    if first is None or np.ptp(factors) > MATCH * abs(factors[0]) or factors[0] <= 0:
        return None
    return Weighted(weight=first, name=named(first), factor=factors[0])


def named(weight: GroupWeight) -> str | None:
    """The objective with this weight function, up to a constant, if it has a name."""
    for name, known in known_weights(weight.G).items():
        c = weight.coefficients @ known.coefficients / (known.coefficients @ known.coefficients)
        if abs(weight.coefficients - c * known.coefficients).max() <= MATCH * abs(weight.coefficients).max():
            return name if abs(c - 1) <= MATCH else f"{number(float(c))} {name}"
    return None


def projected(
    estimator: Estimator, specs: Sequence[WorldSpec], *, ordered: bool, progress: Callable[[str], None] = lambda _: None
) -> Mapping[str, Any] | None:
    """The sparsest combination of catalogue objectives whose gradient E[g] is, the same on every world given; None if there is none.

    Only worlds with at least three effective dimensions can answer; the others are passed over.
    """
    answers = []
    for spec in specs:
        world = replace(spec, points=CATALOGUE_POINTS).build()
        progress(world.id)
        field = Field(estimator, world.sampling, world.scene(), ordered=ordered)
        laws = [field.law(scene.point["theta"]) for scene in world.scenes]
        means = np.stack([law.mean for law in laws])
        known = {o.name: np.stack([o.gradient(scene) for scene in world.scenes]) for o in catalogue(world.scene(), group=world.counts.get("G"))}
        if np.linalg.matrix_rank(np.concatenate(list(known.values())), tol=1e-9) < 3:
            continue
        scale = max(float(np.linalg.norm(means)), 1e-300)
        rounding = float(np.linalg.norm([law.rounding for law in laws])) / scale
        found = project(means, known, tolerance=1e-9 + 100 * rounding)  # the fit multiplies rounding by the condition of the catalogue, below 1e5 for sums of three
        if found is None:
            return None
        answers.append(found)
    if not answers or any(a.names != answers[0].names for a in answers):
        return None
    spread = np.ptp([a.coefficients for a in answers], axis=0)
    if (spread > 1e-6 * abs(np.array(answers[0].coefficients))).any():
        return None
    best = answers[0]
    text = " ".join(f"{'+' if c >= 0 else '-'} {'' if abs(abs(c) - 1) < MATCH else number(abs(c)) + ' '}{n}" for c, n in zip(best.coefficients, best.names, strict=True))
    return {
        "text": text.removeprefix("+ "), "names": best.names, "coefficients": best.coefficients, "residual": max(a.residual for a in answers), "worlds": len(answers),
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
