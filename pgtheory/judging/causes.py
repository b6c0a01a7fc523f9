"""Causes: a black box cannot be taken apart, its world can. A cause is a switch of the world after which the bias is gone."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from pgtheory.judging.classes import Kind, classify
from pgtheory.judging.cures import Changed, per_step
from pgtheory.judging.examination import Examination, examine
from pgtheory.tabular.data import Data
from pgtheory.tabular.errors import PgtheoryError
from pgtheory.tabular.laws.types import Estimator
from pgtheory.tabular.objectives.objective import Objective
from pgtheory.tabular.scene import Scene
from pgtheory.worlds.default import WorldSpec
from pgtheory.worlds.episodes import EpisodeWorld
from pgtheory.worlds.tokens import TokenWorld

TOKEN_SWITCHES: tuple[tuple[str, dict], ...] = (
    ("old = current (on-policy)", {"off_policy": False}),
    ("ref = current", {"ref_is_current": True}),
    ("all completions equally long", {"end": False}),
    ("completions of one token", {"limit": 1}),
    ("one prompt", {"prompts": 1}),
    ("0/1 rewards", {"rule": "binary"}),
    ("no ties between rewards", {"rule": "distinct"}),
    ("no state visited twice", {"tied": False}),
)

EPISODE_SWITCHES: tuple[tuple[str, dict], ...] = (
    ("old = current (on-policy)", {"off_policy": False}),
    ("gamma = 1", {"gamma": 1.0}),
    ("an exact critic", {"exact_critic": True}),
    ("nothing truncated", {"model": "loop"}),
    ("episodes of one step", {"horizon": 1, "model": "loop"}),
    ("one episode a batch", {"episodes": 1}),
)


@dataclass(frozen=True, eq=False, kw_only=True)
class Cause:
    """Switches that remove the bias together, and whether the constant is right then too."""

    switches: tuple[str, ...]
    world: str
    kind: Kind


def switches(spec: WorldSpec, uses: frozenset[str]) -> list[tuple[str, dict]]:
    """The switches that change this world and matter to the function."""
    table = TOKEN_SWITCHES if isinstance(spec, TokenWorld) else EPISODE_SWITCHES
    found = [(name, change) for name, change in table if replace(spec, **change) != spec]
    if "ref_logprobs" not in uses:
        found = [(name, change) for name, change in found if name != "ref = current"]
    if isinstance(spec, EpisodeWorld) and not uses & {"values", "last_values", "next_values"}:
        found = [(name, change) for name, change in found if name != "an exact critic"]
    return found


def causes(
    estimator: Estimator,
    spec: WorldSpec,
    *,
    objective: Objective,
    uses: frozenset[str],
    ordered: bool,
    progress: Callable[[str], None] = lambda _: None,
) -> list[Cause]:
    """The single switches after which E[g] is proportional to the target; without any, the pairs. At most 3 are returned.

    A switch to a world on which the target or the estimator vanishes says nothing and is passed over.
    """
    available = switches(spec, uses)
    for size in (1, 2):
        found = list(_acquitting(estimator, spec, list(combinations(available, size)), objective, ordered, progress))
        if found:
            return found[:3]
    return []


def degenerate_groups(estimator: Estimator, spec: TokenWorld, *, objective: Objective, ordered: bool) -> bool:
    """Whether the bias comes from groups of equal rewards alone: with their weights set to zero, which leave-one-out gives them, E[g] is proportional to
    the target."""

    def silenced(weights: np.ndarray, data: Data, scene: Scene) -> np.ndarray:
        rewards = data.total.reshape(len(data), -1, spec.group)
        kept = np.repeat(np.ptp(rewards, axis=2) > 0, spec.group, axis=1)
        return per_step(weights, np.broadcast_to(kept[..., None], data.shape).astype(float))

    exam = examine(Changed(base=estimator, change=silenced), spec.build(), objective=objective, ordered=ordered)
    return exam.informative and not exam.zero and exam.proportional


def _acquitting(estimator, spec, choices, objective, ordered, progress) -> Iterator[Cause]:
    for chosen in choices:
        names = tuple(name for name, _ in chosen)
        changed = replace(spec, **{k: v for _, change in chosen for k, v in change.items()})
        progress(" and ".join(names))
        try:
            exam = examine(estimator, changed.build(), objective=objective, ordered=ordered)
        except PgtheoryError:
            continue  # a world that the function refuses says nothing about its bias
        if not exam.informative or exam.zero or not exam.proportional:
            continue
        yield Cause(switches=names, world=changed.id, kind=classify([exam]).kind)


def decay_with_group(estimator: Estimator, spec: TokenWorld, *, objective: Objective, ordered: bool) -> float | None:
    """The power a in |bias| ~ G^-a between groups of G and of 2 G, relative to |E[g]|; None if the larger one cannot be enumerated quickly."""
    if spec.group > 4 or spec.prompts > 1 or spec.drawn is not None or ordered:
        return None
    small, large = (
        examine(estimator, replace(spec, group=g, points=spec.points[:1]).build(), objective=objective) for g in (spec.group, 2 * spec.group)
    )
    sizes = [relative_bias(e) for e in (small, large)]
    return float(np.log2(sizes[0] / sizes[1])) if min(sizes) > 1e-9 else None


def relative_bias(exam: Examination) -> float:
    """Largest |E[g] - target| / |target| over the points, without a constant."""
    sizes = np.linalg.norm(exam.targets, axis=1)
    return float(np.max(np.linalg.norm(exam.means - exam.targets, axis=1)[sizes > 0] / sizes[sizes > 0]))
