"""Binding: which array every parameter gets, of which rank, and what the function's result is."""

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Any

import numpy as np

from pgtheory.functions.bound import Bound, adapter, setting_of
from pgtheory.functions.names import LEAVES, MEANINGS
from pgtheory.functions.presets import batch_object, preset
from pgtheory.functions.quantities import SCALARS, quantity, ranks_of
from pgtheory.functions.signature import framework_of, read
from pgtheory.tabular.arrays import require_count
from pgtheory.tabular.data import Data
from pgtheory.tabular.errors import BindingError, InvalidArgument, UserFunctionError
from pgtheory.tabular.scene import Scene

Probe = Callable[[str], tuple[Data, Scene]]

MOVED = 0.375
"""By how much the values of row 0 are moved to see whose derivative follows."""

HINTS = {"advantage": ("adv", "gae"), "gradient": ("weight", "grad", "coef", "estimat", "reinforce", "pg")}
"""Parts of a function's name that tell an advantage from weights of the score, where gamma < 1 makes them differ by gamma^t."""


def bind(
    function: Callable,
    probe: Probe,
    *,
    name: str,
    kind: str | None = None,
    settings: Mapping[str, Any] | None = None,
    convention: str | None = None,
    advantage: Callable | None = None,
    time_limit: float = 10.0,
    micro: int | None = None,
) -> Bound:
    """The user's function as an estimator.

    `probe("tokens")` and `probe("episodes")` give data sets on which it is tried: ranks are settled and the kind is read off what it returns.

    Raises:
        BindingError: a parameter or a rank cannot be settled, or the result can be read in two ways.
        UserFunctionError: the function raises, does not return, or returns something of the wrong kind.
        InvalidArgument: `kind` or `convention` is unknown.
    """
    if kind not in (None, "loss", "gradient", "advantage"):
        raise InvalidArgument(f"--as is {kind!r}; known are loss, gradient, advantage.")
    if not time_limit > 0:
        raise InvalidArgument(f"the time limit is {time_limit} s; give a positive number of seconds.")
    signature = read(function, settings or {}, name=name, convention=convention is not None)
    if signature.batch:
        function = preset(convention)(function) if convention else batch_object(function)
    names = frozenset(signature.data.values())
    leaf = signature.batch or bool(names & set(LEAVES))
    bound = Bound(
        function=function, name=name, signature=signature, framework=framework_of(function if not convention else function.__closure__[0].cell_contents, leaf=leaf),
        setting=setting_of(names), time_limit=time_limit,
    )  # fmt: skip
    if signature.batch:
        discover(bound, probe)
    if advantage is not None:
        bound.advantage = bind(advantage, probe, name=getattr(advantage, "__name__", "advantage"), kind="advantage", time_limit=time_limit)
        if "episodes" in (bound.setting, bound.advantage.setting):
            bound.setting = bound.advantage.setting = "episodes"
    data, scene = probe(bound.setting)
    settle(bound, data, scene, kind)
    require_deterministic(bound, data, scene)
    bound.micro = None if micro is None else require_count("micro_batch", micro)
    bound.bindings = tuple(lines(bound))
    return bound


def require_deterministic(bound: Bound, data: Data, scene: Scene) -> None:
    """Refuse a function that answers the same data in two ways.

    Raises:
        UserFunctionError: it draws random numbers, or keeps a state between calls.
    """
    first, second = (np.asarray(bound(data, scene), dtype=float) for _ in range(2))
    if not np.allclose(first, second, rtol=1e-12, atol=0, equal_nan=True):
        raise UserFunctionError(
            f"{bound.name} answers the same data in two ways: it draws random numbers or keeps a state between calls. An exact law needs a function of "
            "its arguments: seed the generator inside the function, or pass the noise in."
        )


def discover(bound: Bound, probe: Probe) -> None:
    """Ask a function of one batch object for the names that it looks up: run it with likely ranks until it asks for nothing new."""
    data, scene = probe("tokens")
    for ranks in ({}, {"advantages": "BT", "mask": "float"}, {"mask": "bool"}):
        bound.ranks = ranks

        class Lazy(dict):
            def __missing__(self, c: str) -> Any:
                value = quantity(c, bound.ranks.get(c) or ranks_of(c, bound.setting)[0], data, scene, bound.setting)
                return _first(value, c, bound.framework)

        try:
            bound.call(Lazy())
        except UserFunctionError:
            continue
        break
    bound.ranks = {}
    bound.setting = setting_of(frozenset(bound.seen.values()))
    if not bound.seen:
        raise BindingError(f"{bound.name} asked its batch for nothing that is known. What can be bound: {', '.join(MEANINGS)}.")


def _first(value: object, canonical: str, framework: str) -> object:
    if canonical in SCALARS:
        return value
    one = value[0]  # type: ignore[index]
    if framework == "torch":
        torch = adapter("torch", "the function")
        return torch.leaf_tensor(one) if canonical in LEAVES else torch.tensor(one)
    return one


def candidates(bound: Bound) -> Iterator[dict[str, str]]:
    """All assignments of ranks, the likelier first."""
    names = list(dict.fromkeys(bound.names.values()))
    options = [ranks_of(c, bound.setting) for c in names]
    likely = sorted(product(*(range(len(o)) for o in options)), key=lambda choice: (sum(choice), choice))
    for choice in likely:
        yield {c: o[i] for c, o, i in zip(names, options, choice, strict=True)}


def settle(bound: Bound, data: Data, scene: Scene, kind: str | None) -> None:
    """Fix ranks, kind and form: the first assignment of ranks with which the function works and is local.

    An assignment is local if moving row 0's value moves the derivative (or the advantage) of row 0 alone, or of its group. A function that couples all rows
    on purpose (a batch-wide baseline) is never local: then row 0 must at least respond differently from the others, which a rank that broadcasts
    silently to (B, B, T) does not do, and only one rank may pass.

    Raises:
        BindingError: several ranks pass, or none.
    """
    working: list[tuple[dict[str, str], str, str, int]] = []
    problems: list[UserFunctionError] = []
    for ranks in candidates(bound):
        bound.ranks, bound._derivative = ranks, None
        try:
            bound.kind, bound.form = recognised(bound, data, scene, kind)
            working.append((ranks, bound.kind, bound.form, locality(bound, data, scene)))
        except UserFunctionError as problem:
            problems.append(problem)
            if "did not return" in str(problem):
                break
            continue
        if working[-1][3] == LOCAL:
            break
    best = max((w[3] for w in working), default=None)
    if best is None:
        raise next((p for p in problems if "not a scalar" in str(p) or "did not return" in str(p)), problems[0])
    passing = [w for w in working if w[3] == best]
    if best == SPREAD and len(working) > 1:
        raise BindingError(
            f"{bound.name} works with {' and with '.join(sorted({str(dict(_ranked(w[0]))) for w in passing}))}, and in each case a row's value moves the weights "
            "of all rows, so that its rank is not settled. Say which is meant by the parameter's name (token_level_rewards is (B, T))."
        )
    bound.ranks, bound.kind, bound.form, _ = passing[0]
    bound.unsettled = best == COUPLED and len({tuple(_ranked(w[0])) for w in passing}) > 1
    bound._derivative = None


def _ranked(ranks: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(c, r) for c, r in ranks.items() if r in ("B", "BT", "BT+1")]


def recognised(bound: Bound, data: Data, scene: Scene, kind: str | None) -> tuple[str, str]:
    """(kind, form) from what the function returns on a few data sets.

    Raises:
        UserFunctionError: nothing of the right kind comes back.
        BindingError: the result can be read in two ways.
    """
    leaves = {bound.names[p] for p in bound.leaves}
    if kind == "loss" or (kind is None and leaves and returns_loss(bound, data, scene)):
        bound.kind = "loss"
        bound.derivative(data, scene)
        return "loss", "local" if leaves == {"logprobs"} else "table"
    found = bound.values_of(data, scene)
    (_, B, T), size = data.shape, np.size(scene.point["theta"])
    if not np.isfinite(found).any() and kind is None and found.ndim == 1:
        raise UserFunctionError(f"{bound.name} returned {found[0]} on the first data set.")
    if found.shape[1:] in ((B,), (B, 1)):
        return kind or "advantage", "local"
    if found.shape[1:] == (B, T):
        return kind or reading(bound, scene), "local"
    if found[0].size == size and kind in (None, "gradient"):
        return "gradient", "whole"
    cure = "write the loss in torch or JAX, or return weights (B, T)" if found.ndim == 1 else "reduce a loss with .mean() or .sum()"
    raise UserFunctionError(
        f"{bound.name} returned shape {found.shape[1:]}, not a scalar loss that depends on the log-probabilities, nor advantages (B,) or weights (B, T) "
        f"with (B, T) = {(B, T)}, nor a gradient of {size} numbers. Cure: {cure}."
    )


def returns_loss(bound: Bound, data: Data, scene: Scene) -> bool:
    """Whether the result depends on the leaf: a torch tensor that requires grad, or a scalar of JAX.

    Raises:
        UserFunctionError: it depends on the leaf and is not a scalar.
    """
    if bound.framework == "numpy":
        return False
    values = {c: v if c in SCALARS else v[0] for c, v in bound.arguments(data, scene).items()}
    if bound.framework == "jax":
        found = bound.call(values)
        first = found[0] if isinstance(found, tuple | list) else found
        return np.ndim(first) == 0
    torch = adapter("torch", bound.name)
    with torch.double_precision():
        found = bound.call({c: torch.leaf_tensor(v) if c in LEAVES else torch.tensor(v) for c, v in values.items()})
    first = found[0] if isinstance(found, tuple | list) else found
    if torch.requires_grad(found) and first.numel() != 1:
        raise UserFunctionError(
            f"{bound.name} returned a tensor of shape {tuple(first.shape)} that depends on the log-probabilities: not a scalar. Reduce it, for instance with .mean()."
        )
    return torch.requires_grad(found)


def reading(bound: Bound, scene: Scene) -> str:
    """ "advantage" or "gradient" for an array (B, T) without a leaf: the same thing at gamma = 1, else the function's name decides.

    Raises:
        BindingError: it does not.
    """
    if scene.mdp.gamma == 1 or bound.setting == "tokens":
        return "advantage"
    if "gamma" not in bound.uses:
        return "advantage"
    hits = [k for k, words in HINTS.items() if any(word in bound.name.lower() for word in words)]
    if len(hits) == 1:
        return hits[0]
    raise BindingError(
        f"{bound.name} returns an array (B, T), which can be read in two ways where gamma < 1: as advantages A_t, completed to the mean over rows of "
        "sum_t gamma^t A_t score_t (--as advantage), or as the weights of the scores themselves, sum_t w_t score_t (--as gradient). Say which."
    )


SPREAD, COUPLED, LOCAL = 0, 1, 2
"""How far a row's value reaches: all rows alike, all rows but its own differently, its own group only."""


def locality(bound: Bound, data: Data, scene: Scene) -> int:
    """How far moving row 0's rewards, advantages or values reaches, at its worst."""
    moving = [c for c in ("rewards", "advantages", "values") if c in bound.ranks]
    if bound.form == "whole" or not moving:
        return LOCAL
    group = data.index["group"]
    own = np.broadcast_to(group == group[:, :1] if int(group.max()) > 0 else np.arange(group.shape[1]) == 0, group.shape)
    base = np.asarray(bound(data, scene), dtype=float)
    original, found = bound.arguments, LOCAL
    for c in moving:

        def arguments(d: Data, s: Scene, c: str = c) -> dict[str, Any]:
            values = original(d, s)
            changed = np.array(values[c], dtype=float)
            changed[:, 0] += MOVED if changed.ndim == 2 else MOVED * d.mask[:, 0, : changed.shape[2]]
            return {**values, c: changed}

        bound.arguments = arguments  # type: ignore[method-assign]
        try:
            change = np.nan_to_num(np.asarray(bound(data, scene), dtype=float) - base)
        finally:
            del bound.arguments
        first_steps = change[:, :, 0].reshape(*group.shape, -1)
        if (abs(change).reshape(*group.shape, -1).max(axis=-1)[~own] > 1e-12).any():
            distinct = (abs(first_steps[:, 1:] - first_steps[:, :1]) > 1e-12).any()
            found = min(found, COUPLED if distinct else SPREAD)
    return found


def lines(bound: Bound) -> Iterator[str]:
    """One line for each parameter: what it was bound to, or which default it keeps."""
    what = {
        "loss": "a loss, minimised: weights are minus its derivatives at the log-probabilities",
        "advantage": "an advantage function, completed to the policy-gradient loss: mean over rows of sum_t gamma^t A_t score_t",
        "gradient": "a gradient, ascended" if bound.form == "whole" else "weights of the scores, ascended",
    }[bound.kind]
    yield f"read as {what} ({bound.framework}{', batched' if bound.batched else ''})"
    shapes = {
        "B": " as (B,)",
        "BT": " as (B, T)",
        "BT+1": " as (B, T+1), the value at the end included",
        "str": " as strings",
        "bool": " as booleans",
    }
    for parameter, c in bound.names.items():
        text = MEANINGS[c].split(" (B,) or")[0] + shapes.get(bound.ranks.get(c, ""), "")
        if c == "advantages" and bound.advantage is not None:
            text = f"what {bound.advantage.name} returns{shapes.get(bound.ranks.get(c, ''), '')}"
        elif c == "advantages" and bound.setting == "episodes":
            text = "discounted reward to go minus the critic's value" + shapes.get(bound.ranks.get(c, ""), "")
        yield f"{parameter} = {text}"
    for parameter, value in bound.signature.kept.items():
        yield f"{parameter} = {value!r}, its default"
    for parameter, value in bound.signature.given.items():
        yield f"{parameter} = {value!r}, as set"
    if bound.micro is not None:
        yield f"called on micro-batches of {bound.micro} rows"
    if bound.unsettled:
        yield "every row moves all others, so that ranks could not be settled by trial: the likelier ones were taken"
    if bound.kind == "loss" and "mask" not in bound.names.values():
        yield "no mask: log-probabilities at padding are constant zeros"
