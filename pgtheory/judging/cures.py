"""Cures: small changes of the weights that are tried on the same worlds and named only if they are acquitted."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from pgtheory.judging.classes import Class, Kind, classify
from pgtheory.judging.examination import Examination, examine
from pgtheory.judging.scale import FACTORS, Scale, factor
from pgtheory.tabular.data import Data
from pgtheory.tabular.laws.types import Estimator
from pgtheory.tabular.objectives.objective import Objective
from pgtheory.tabular.scene import Scene
from pgtheory.worlds.world import World

Change = Callable[[np.ndarray, Data, Scene], np.ndarray]


@dataclass(frozen=True, eq=False, kw_only=True)
class Changed:
    """An estimator whose weights are multiplied row by row or step by step."""

    base: Estimator
    change: Change

    @property
    def form(self) -> str:
        """That of the base."""
        return self.base.form

    def __call__(self, data: Data, scene: Scene) -> np.ndarray:
        return self.change(np.asarray(self.base(data, scene), dtype=float), data, scene)


def per_step(weights: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """weights times factors (N, B, T), whatever trailing axis the weights have."""
    return weights * factors.reshape(factors.shape + (1,) * (weights.ndim - factors.ndim))


def masked(weights: np.ndarray, data: Data, scene: Scene) -> np.ndarray:
    """Weights of padding set to zero."""
    return per_step(weights, data.mask.astype(float))


def times_length(weights: np.ndarray, data: Data, scene: Scene) -> np.ndarray:
    """Rows multiplied by their length: undoes a mean over the tokens of a completion."""
    return per_step(weights, np.broadcast_to(data.length[..., None], data.shape).astype(float))


def times_batch_tokens(weights: np.ndarray, data: Data, scene: Scene) -> np.ndarray:
    """Data sets multiplied by their number of tokens: undoes a mean over the tokens of the batch."""
    return per_step(weights, np.broadcast_to(data.length.sum(axis=1)[:, None, None], data.shape).astype(float))


def times_discount(weights: np.ndarray, data: Data, scene: Scene) -> np.ndarray:
    """Step t multiplied by gamma^t."""
    return per_step(weights, np.broadcast_to(scene.mdp.gamma ** np.arange(data.shape[2]), data.shape))


def log_ratio(data: Data, scene: Scene) -> np.ndarray:
    """log pi(a|s) - log old(a|s) at real steps, zero at padding, (N, B, T)."""
    difference = scene.policy().log_probabilities - scene.policy("sampler").log_probabilities
    return np.where(data.mask, difference[data.state, data.action], 0.0)


def times_sequence_ratio(weights: np.ndarray, data: Data, scene: Scene) -> np.ndarray:
    """Rows multiplied by the probability ratio of the whole row."""
    return per_step(weights, np.broadcast_to(np.exp(log_ratio(data, scene).sum(axis=2, keepdims=True)), data.shape))


def token_to_sequence_ratio(weights: np.ndarray, data: Data, scene: Scene) -> np.ndarray:
    """Token ratios replaced by the ratio of the whole row."""
    log = log_ratio(data, scene)
    return per_step(weights, np.exp(log.sum(axis=2, keepdims=True) - log))


def times_group_std(ddof: int, epsilon: float) -> Change:
    """Rows multiplied by the standard deviation of their group's rewards: undoes the division."""

    def change(weights: np.ndarray, data: Data, scene: Scene) -> np.ndarray:
        groups = int(data.index["group"].max()) + 1
        rewards = data.total.reshape(len(data), groups, -1)
        if rewards.shape[2] <= ddof:
            return weights
        std = np.broadcast_to(rewards.std(axis=2, ddof=ddof, keepdims=True) + epsilon, rewards.shape).reshape(len(data), -1, 1)
        return per_step(weights, np.broadcast_to(std, data.shape))

    return change


def candidates(uses: frozenset[str], worlds: Sequence[World]) -> Iterator[tuple[str, Change]]:
    """What is tried, in order."""
    yield "apply the mask to the loss of every token", masked
    if any(w.setting == "tokens" for w in worlds):
        yield "do not divide by the length of the completion (divide by a constant)", times_length
        yield "do not divide by the number of tokens in the batch (divide by a constant)", times_batch_tokens
        for ddof in (0, 1):
            for epsilon in (0.0, 1e-8, 1e-6, 1e-5, 1e-4):
                yield "do not divide by the standard deviation of the rewards", times_group_std(ddof, epsilon)
    if any(w.setting == "episodes" for w in worlds):
        yield "multiply step t by gamma^t", times_discount
    if any(w.off_policy for w in worlds):
        yield "weight every completion by its whole probability ratio current / old", times_sequence_ratio
        yield "replace the ratio of the token by the ratio of the whole completion", token_to_sequence_ratio


def rescaled(scale: Scale) -> Callable[[dict[str, int]], float] | None:
    """The factor, as a function of the counts, that undoes a recognised constant; None if it is not one formula. Conventions are left as they are."""
    if not scale.common:
        return None
    sign = -1.0 if scale.value < 0 else 1.0
    parts = scale.text.removeprefix("-").split(" / ")[0].split(" ")
    name = max((n for n, _ in FACTORS if n in parts), key=len, default="")
    rest = [part for part in parts if part and part != name]
    number = next((float(Fraction(part)) for part in rest if part.replace("/", "").replace(".", "").replace("e-", "").isdigit() and part != "1"), 1.0)
    return lambda counts: sign / (number * (factor(name, counts) if name else 1.0))


def describe_inverse(scale: Scale) -> str:
    """`multiply by G/(G-1)` for c = (G-1)/G, `change the sign` for c = -1."""
    inverses = {
        "(G-1)/G": "G/(G-1)",
        "G/(G-1)": "(G-1)/G",
        "(B-1)/B": "B/(B-1)",
        "B/(B-1)": "(B-1)/B",
        "1/T": "T",
        "T": "1/T",
        "1/(G-1)": "G-1",
        "1/2": "2",
        "2": "1/2",
    }
    text = scale.text.removeprefix("-")
    head = text.split(" / ")[0]
    plain = all(part in ("1", "B", "P", "G") or part[:2] in ("B^", "P^", "G^") for part in head.split(" "))
    steps = (["change the sign"] if scale.value < 0 else []) + ([] if plain else [f"multiply by {inverses.get(head, f'1 / ({text})')}"])
    return " and ".join(steps) or f"multiply by 1 / ({text})"


def try_cures(
    estimator: Estimator, examinations: Sequence[Examination], *, first: Class, uses: frozenset[str], objective: Objective, ordered: bool,
    progress: Callable[[str], None] = lambda _: None,
) -> list[str]:  # fmt: skip
    """Descriptions of the changes after which the estimator is unbiased on all the worlds. Nothing is named that was not run."""
    worlds = [e.world for e in examinations]
    if first.scale is not None:
        found = _with_constant("", estimator, first.scale, worlds, objective, ordered)
        return [found] if found else []
    if estimator.form == "whole":
        return []
    acquitted: list[str] = []
    smallest = min((e for e in first.failing), key=lambda e: e.count, default=None)
    if smallest is None:
        return []
    for text, change in candidates(uses, worlds):
        progress(text)
        changed = Changed(base=estimator, change=change)
        one = examine(changed, smallest.world, objective=objective, ordered=ordered)
        if not one.proportional or text in acquitted:
            continue
        all_of_them = [examine(changed, world, objective=objective, ordered=ordered) for world in worlds]
        found = classify(all_of_them)
        if found.kind is Kind.UNBIASED:
            acquitted.append(text)
        elif found.scale is not None and (combined := _with_constant(text, changed, found.scale, worlds, objective, ordered)):
            acquitted.append(combined)
    return acquitted[:2]


def _with_constant(text: str, estimator: Estimator, scale: Scale, worlds: Sequence[World], objective: Objective, ordered: bool) -> str | None:
    undo = rescaled(scale)
    if undo is None:
        return None
    results = []
    for world in worlds:
        counts = {**world.counts, "T": world.padded_length}
        c = undo(counts)
        results.append(examine(Changed(base=estimator, change=lambda w, data, scene, c=c: c * w), world, objective=objective, ordered=ordered))
    if classify(results).kind is not Kind.UNBIASED:
        return None
    return " and ".join(part for part in (text, describe_inverse(scale)) if part)
