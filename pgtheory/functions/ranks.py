"""Settling the rank of each argument: a wrong guess broadcasts silently to (B, B, T).

A rank is accepted if the function works with it and moving row 0's value moves row 0's weights alone, or those of its group. A batch-wide baseline moves all
rows by right; it is told from a silent broadcast on a batch whose rows are equal but for their rewards: there a broadcast treats row 0 like every other row.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from pgtheory.functions.bound import Bound, NotSupplied
from pgtheory.functions.kinds import WrongResult, recognised
from pgtheory.functions.limits import OutOfTime
from pgtheory.functions.quantities import LOGPROBS, RANKS, TYPES, ranks_of
from pgtheory.tabular.data import Data
from pgtheory.tabular.errors import BindingError, UserFunctionError
from pgtheory.tabular.scene import Scene

MOVED = 0.375
"""By how much the values of row 0 are moved."""

SEEN = 1e-12
"""A smaller relative change of a weight is rounding: some hundred operations of unit roundoff 1e-16."""

ALONE, OWN_WAY, UNMOVED, ALIKE = 3, 2, 1, 0
"""How row 0's weights follow its value: alone (or with its group); with others, but in their own way; not at all; like those of every row."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One assignment of ranks with which the function works.

    Attributes:
        ranks: canonical name -> rank or type.
        kind: see `Bound`; `form` likewise.
        grade: ALONE, OWN_WAY, UNMOVED or ALIKE.
        unusual: number of names that do not have the rank that their name suggests.
        weights: the estimator on the test batch.
    """

    ranks: Mapping[str, str]
    kind: str
    form: str
    grade: int
    unusual: int
    weights: np.ndarray


def settle(bound: Bound, data: Data, scene: Scene, kind: str | None) -> None:
    """Fix ranks, types, kind and form of a bound function.

    Raises:
        BindingError: two assignments of ranks work equally well and give different estimators; or the kind is ambiguous.
        UserFunctionError: the function works with none.
    """
    one = _distinct(most_varied(data))
    even = alike_rows(one)
    while True:
        known = len(bound.names)
        best, problems = _best(bound, one, even, scene, kind)
        if len(bound.names) == known:
            break  # else a batch object was asked for more: its ranks are open too
    if best is None:
        raise next((p for p in problems if isinstance(p, WrongResult)), None) or problems[0]
    bound.pin(best.ranks)
    bound.kind, bound.form = best.kind, best.form
    bound.notes = (ALIKE_NOTE,) if best.grade == ALIKE else ()


def _best(bound: Bound, one: Data, even: Data, scene: Scene, kind: str | None) -> tuple[Reading | None, list[UserFunctionError]]:
    """The best reading, and what went wrong with the others; nothing as soon as the function asks for a new name."""
    problems: list[UserFunctionError] = []
    best: Reading | None = None
    known = len(bound.names)
    for types in _types(bound):
        readings = []
        for ranks in _candidates(bound):
            reading = _try(bound, {**types, **ranks}, one, even, scene, kind, problems)
            if len(bound.names) > known:
                return None, problems
            if reading is not None:
                readings.append(reading)
        if not readings:
            continue
        found = _choice(bound, readings)
        if found.grade > ALIKE and _uses_group(bound, found, even, scene):
            return found, problems
        if best is None or found.grade > best.grade:
            best = found
    return best, problems


ALIKE_NOTE = "a row's own value moves the weights of every row alike: is (B,) broadcast against (B, 1)?"


def _types(bound: Bound) -> Iterator[dict[str, str]]:
    """Types of masks and of group numbers; the latter share one. In plain numpy, numbers are Python-like already."""
    ids = [t for t in TYPES["group"] if t != "object" or bound.framework != "numpy"]
    if {"index", "uid", "uids"} & {p.removeprefix("batch.") for p in bound.names} and bound.framework != "numpy":
        ids = ["object", "str", "int"]
    for number, mask in product(ids, TYPES["mask"]):
        chosen = {"mask": mask, "group": number, "prompt": number}
        names = set(bound.names.values())
        if (number == ids[0] or names & {"group", "prompt"}) and (mask == TYPES["mask"][0] or "mask" in names):
            yield chosen


def _candidates(bound: Bound) -> Iterator[dict[str, str]]:
    """All assignments of ranks, the likelier first; log-probabilities share one."""
    names = [c for c in RANKS if c in set(bound.names.values()) and (c not in LOGPROBS or c == _family(bound))]
    options = [(bound.signature.pinned[c],) if c in bound.signature.pinned else ranks_of(c, bound.setting) for c in names]
    for choice in sorted(product(*(range(len(o)) for o in options)), key=lambda choice: (sum(choice), choice)):
        ranks = {c: o[i] for c, o, i in zip(names, options, choice, strict=True)}
        shared = ranks.get(_family(bound), LOGPROBS_RANK)
        yield {**dict.fromkeys(LOGPROBS, shared), **ranks}


LOGPROBS_RANK = RANKS["logprobs"][0]


def _family(bound: Bound) -> str:
    used = set(bound.names.values())
    return next((c for c in LOGPROBS if c in bound.signature.pinned), next((c for c in LOGPROBS if c in used), LOGPROBS[0]))


def _try(
    bound: Bound, ranks: Mapping[str, str], one: Data, even: Data, scene: Scene, kind: str | None, problems: list[UserFunctionError]
) -> Reading | None:
    bound.pin(ranks)
    try:
        bound.kind, bound.form = recognised(bound, bound.arguments(one, scene), one, scene, kind)
        values = bound.arguments(even, scene)
        weights = bound.weights(values, even, scene)
        grade = _grade(bound, values, weights, even, scene)
    except NotSupplied:
        return None
    except OutOfTime:
        raise
    except UserFunctionError as problem:
        problems.append(problem)
        return None
    unusual = sum(_suggested(c, bound.setting) not in ("", ranks[c]) for c in bound.ambiguous() if c not in bound.signature.pinned)
    return Reading(ranks=dict(ranks), kind=bound.kind, form=bound.form, grade=grade, unusual=unusual, weights=weights)


def _suggested(c: str, setting: str) -> str:
    """The rank that a name suggests; none for advantages and flags, which come in both."""
    return "" if c in ("advantages", "terminated", "truncated") else ranks_of(c, setting)[0]


def _grade(bound: Bound, values: Mapping[str, Any], weights: np.ndarray, even: Data, scene: Scene) -> int:
    """The worst of how weights follow the moved values; ALONE where nothing can be moved."""
    moving = [c for c in ("rewards", "token_level_rewards", "advantages", "returns", "values") if c in values]
    if bound.form == "whole" or not moving or even.shape[1] == 1:
        return ALONE
    group = even.index.get("group", np.zeros(even.shape[:2], dtype=int))[0]
    grouped = "group" in bound.uses or "group_size" in bound.uses
    own = group == group[0] if grouped and group.max() > 0 else np.arange(len(group)) == 0
    grades: list[int] = []
    for c in moving:
        changed = np.array(values[c], dtype=float)
        changed[:, 0] += MOVED * (1 if changed.ndim == 2 else even.mask[:, 0] if changed.shape[2] == even.shape[2] else 1)
        try:
            moved = bound.weights({**values, c: changed}, even, scene)
        except UserFunctionError:
            return ALIKE
        response = np.nan_to_num(moved - weights).reshape(len(group), -1)
        size = abs(response).max(axis=1)
        scale = SEEN * max(1.0, abs(np.nan_to_num(weights)).max())
        if size.max() <= scale:
            continue  # this argument does not matter, or only its order does
        if (abs(response[1:] - response[0]).max(axis=1) <= scale)[own[1:] | (size[1:] > scale)].all() and (size[1:] > scale).any():
            grades.append(ALIKE)
        else:
            grades.append(ALONE if (size[~own] <= scale).all() else OWN_WAY)
    return min(grades, default=UNMOVED)


def _choice(bound: Bound, readings: list[Reading]) -> Reading:
    """The best reading: how row 0's weights follow, then the ranks that the names suggest.

    Raises:
        BindingError: there are two that differ.
    """
    grade = max(r.grade for r in readings)
    good = [r for r in readings if r.grade == grade]
    fewest = min(r.unusual for r in good)
    tied = [r for r in good if r.unusual == fewest]
    one = tied[0]
    differing = next((r for r in tied[1:] if r.weights.shape == one.weights.shape and not _equal(r.weights, one.weights)), None)
    if grade == ALIKE and len(good) > 1:
        raise BindingError(
            f"{bound.name} works with {' and with '.join(_listed(bound, r) for r in good)}, and in each case a row's value moves the weights of all rows alike, "
            "so that its rank is not settled. Say which is meant: " + _cures(bound, *good[:2])
        )
    if grade > UNMOVED and differing is not None:
        raise BindingError(
            f"{bound.name} works with two readings of its arguments, which give different estimators: {_listed(bound, one, differing)} or "
            f"{_listed(bound, differing, one)}. Say which is meant: {_cures(bound, one, differing)}"
        )
    return one


def _listed(bound: Bound, reading: Reading, other: Reading | None = None) -> str:
    return f"({', '.join(f'{c} {_shape(reading.ranks[c])}' for c in bound.ambiguous() if other is None or reading.ranks[c] != other.ranks[c])})"


def _cures(bound: Bound, one: Reading, other: Reading) -> str:
    c = next(c for c in bound.ambiguous() if one.ranks[c] != other.ranks[c])
    return f'--set {c}="{_shape(one.ranks[c])}" or --set {c}="{_shape(other.ranks[c])}".'


def _equal(x: np.ndarray, y: np.ndarray) -> bool:
    return np.allclose(x, y, rtol=1e-9, atol=1e-12, equal_nan=True)


def _shape(rank: str) -> str:
    return {"B": "(B,)", "BT": "(B, T)", "BT+1": "(B, T+1)"}[rank]


def _uses_group(bound: Bound, reading: Reading, even: Data, scene: Scene) -> bool:
    """Whether another assignment of rows to groups changes the weights: tensors as keys of a dict make every row a group of its own, without an error."""
    group = even.index.get("group")
    if "group" not in bound.uses or group is None or group.max() == 0 or bound.form == "whole":
        return True
    bound.pin(reading.ranks)
    bound.kind, bound.form = reading.kind, reading.form
    other = replace(even, index={**even.index, "group": np.roll(group, 1, axis=1)})
    try:
        return not _equal(bound.weights(bound.arguments(other, scene), other, scene), reading.weights)
    except UserFunctionError:
        return True  # it needs its groups in order: it looks at them


def most_varied(data: Data) -> Data:
    """The data set whose rewards vary most: where all are equal, a function may well return a constant."""
    return data.take([int(data.total.std(axis=1).argmax())])  # type: ignore[arg-type]


def _distinct(data: Data) -> Data:
    """The same data with B different from T: one more step of padding where they are equal."""
    if data.shape[1] != data.shape[2]:
        return data
    pad = lambda x: np.concatenate([x, np.zeros_like(x[..., :1])], axis=-1)
    return replace(data, **{name: pad(getattr(data, name)) for name in ("state", "action", "reward", "mask")})


def alike_rows(data: Data) -> Data:
    """One data set whose rows all are its longest row, but for their rewards, which are all different and irrational."""
    row = int(data.mask[0].sum(axis=1).argmax())
    repeat = lambda x: np.repeat(x[:1, row : row + 1], data.shape[1], axis=1)
    B, T = data.shape[1:]
    fresh = np.sin(1.0 + np.arange(B * T)).reshape(1, B, T)
    last = np.arange(T) == data.mask[0, row].sum() - 1
    outcome_only = np.count_nonzero(data.reward[data.mask & ~(np.arange(T) == data.length[..., None] - 1)]) == 0
    where = last if outcome_only else repeat(data.mask)
    arrays = {name: repeat(getattr(data, name)) for name in ("state", "action", "mask", "last", "truncated")}
    return replace(data, **arrays, reward=np.where(where, fresh, 0.0))
