"""What is examined: an estimator with a name, what it is given, and how it was bound."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from pgtheory.functions.binding import bind
from pgtheory.functions.invariance import invariant
from pgtheory.functions.load import load_target
from pgtheory.tabular.data import Data
from pgtheory.tabular.estimators.registry import BUILTIN, builtin
from pgtheory.tabular.laws.types import Estimator
from pgtheory.tabular.scene import Scene
from pgtheory.worlds.default import OFF_POLICY, TAIL, TWO_PROMPTS
from pgtheory.worlds.world import World

DOMINATES = 1000
"""A data set whose largest weight is more than this many times the median one dominates: an epsilon in a denominator took over."""


MOST_KEPT = 4096
"""Data sets of one call whose weights are remembered: a few megabytes a point."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Subject:
    """An estimator under examination.

    Attributes:
        estimator: the estimator itself.
        name: short name; `target` is what the command line was given.
        setting: "tokens" or "episodes".
        uses: canonical names of what it is given.
        bindings: one line for each parameter of the user's function.
        binary: whether it is meant for rewards 0 and 1 only.
    """

    estimator: Estimator
    name: str
    target: str
    setting: str
    uses: frozenset[str]
    bindings: tuple[str, ...] = ()
    binary: bool = False

    def invariant(self, world: World) -> bool:
        """Whether the order of the rows does not matter, so that multisets of rows may be enumerated. Built-in estimators are symmetric by their tests."""
        if not self.bindings or not world.enumerable:
            return True
        return invariant(self.estimator, world.datasets().data, world.scene())

    def events(self, world: World, ordered: bool) -> dict[str, float]:
        """Probability at the first point of data sets on which the estimator is not finite, on which it is zero, of groups without two different
        rewards, and of data sets whose largest weight dwarfs the median by DOMINATES."""
        if not world.enumerable:
            return {}
        scene = world.scene()
        sets = world.datasets(ordered=ordered)
        probability = sets.weights(scene)
        values = np.asarray(self.estimator(sets.data, scene), dtype=float).reshape(len(sets), -1)
        size = abs(values).max(axis=1)
        finite = np.isfinite(size)
        typical = np.median(size[finite & (size > 0)]) if (finite & (size > 0)).any() else 0.0
        found = {"not finite": float(probability[~finite].sum()), "zero gradient": float(probability[finite & (size == 0)].sum())}
        if world.setting == "tokens":
            rewards = sets.data.total.reshape(len(sets), -1, world.counts["G"])
            found["a group with equal rewards"] = float(probability[(np.ptp(rewards, axis=2) == 0).any(axis=1)].sum())
        found["dominated by an epsilon"] = float(probability[finite & (size > DOMINATES * typical)].sum()) if typical else 0.0
        return found


@dataclass(eq=False)
class Remembered:
    """An estimator that keeps what it returned for small numbers of data sets: causes, cures and prices ask for the same weights again."""

    base: Estimator
    _kept: dict = field(default_factory=dict, repr=False)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.base, name)

    def __call__(self, data: Data, scene: Scene) -> np.ndarray:
        key = (id(data), id(scene))
        if key not in self._kept:
            values = self.base(data, scene)
            if len(data) > MOST_KEPT:
                return values
            self._kept[key] = (data, scene, values)  # holding both keeps their ids unique
        return self._kept[key][2]


def probe(setting: str) -> tuple[Data, Scene]:
    """Data sets and a scene on which a function is tried before it is examined: two prompts, or trajectories with a time limit."""
    world = (TAIL if setting == "episodes" else replace(TWO_PROMPTS, off_policy=True, rule=OFF_POLICY.rule)).build()
    sets = world.datasets()
    some = np.unique(np.linspace(0, len(sets) - 1, 12).astype(int))
    return sets.data.take(some), world.scene()


def subject_of(
    target: object,
    *,
    kind: str | None,
    settings: Mapping[str, Any] | None,
    convention: str | None,
    advantage: object | None,
    time_limit: float,
    name: str | None,
    micro: int | None = None,
) -> Subject:
    """The subject behind a name, a path, a function or an estimator value."""
    if isinstance(target, str) and target in BUILTIN:
        found = builtin(target)
        return Subject(
            estimator=found,
            name=name or target,
            target=target,
            setting=found.declared.setting,
            uses=frozenset(found.declared.uses),
            binary=found.declared.binary,
        )
    if hasattr(target, "form") and callable(target):
        declared = getattr(target, "declared", None)
        return Subject(
            estimator=target,  # type: ignore[arg-type]
            name=name or type(target).__name__,
            target=type(target).__name__,
            setting=getattr(declared, "setting", None) or getattr(target, "setting", "tokens"),
            uses=frozenset(getattr(declared, "uses", None) or getattr(target, "uses", ())),
            bindings=tuple(str(line) for line in getattr(target, "bindings", ())),
        )
    function, found_name, description = load_target(target)
    helper = None if advantage is None else load_target(advantage)[0]
    bound = bind(
        function,
        probe,
        name=found_name,
        kind=kind,
        settings=dict(settings or {}),
        convention=convention,
        advantage=helper,
        time_limit=time_limit,
        micro=micro,
    )
    return Subject(
        estimator=bound,
        name=name or found_name,
        target=description,
        setting=bound.setting,
        uses=bound.uses,
        bindings=tuple(str(line) for line in bound.bindings),
    )
