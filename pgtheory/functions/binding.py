"""Binding: which array every parameter gets, of which rank, and what the function's result is."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from pgtheory.functions.bound import Bound, setting_of
from pgtheory.functions.frameworks import adapter_of
from pgtheory.functions.kinds import WrongResult
from pgtheory.functions.limits import OutOfTime
from pgtheory.functions.load import name_of
from pgtheory.functions.names import MEANINGS
from pgtheory.functions.precision import settle_precision
from pgtheory.functions.presets import convention_named
from pgtheory.functions.quantities import LOGPROBS
from pgtheory.functions.ranks import settle
from pgtheory.functions.signature import Signature, frameworks_of, instantiate, read
from pgtheory.tabular.arrays import require_count
from pgtheory.tabular.data import Data
from pgtheory.tabular.errors import BindingError, InvalidArgument, MissingExtra, UserFunctionError
from pgtheory.tabular.scene import Scene

Probe = Callable[[str], tuple[Data, Scene]]


def bind(
    function: Callable,
    probe: Probe,
    *,
    name: str | None = None,
    kind: str | None = None,
    settings: Mapping[str, Any] | None = None,
    convention: str | None = None,
    advantage: Callable | None = None,
    framework: str | None = None,
    time_limit: float = 10.0,
    micro: int | None = None,
) -> Bound:
    """The user's function as an estimator.

    `probe("tokens")` and `probe("episodes")` give data sets on which it is tried: ranks are settled and the kind is read off what it returns.
    A class is called with the settings that its constructor takes. Settings that `function` does not know go to `advantage`.

    Raises:
        BindingError: a parameter or a rank cannot be settled, or the result can be read in two ways.
        UserFunctionError: the function raises, does not return, or returns something of the wrong kind.
        MissingExtra: its framework is not installed.
        InvalidArgument: `kind`, `convention` or `framework` is unknown.
    """
    if kind not in (None, "loss", "gradient", "advantage"):
        raise InvalidArgument(f"--as is {kind!r}; known are loss, gradient, advantage.")
    if not time_limit > 0:
        raise InvalidArgument(f"the time limit is {time_limit} s; give a positive number of seconds.")
    name = name or name_of(function)
    preset = convention_named(convention)
    own, others = _split(settings or {}, advantage)
    function, own = instantiate(function, own, name)
    signature = read(function, own, name=name, convention=convention is not None)
    names = frozenset(signature.data.values())
    helper = None if advantage is None else bind(advantage, probe, kind="advantage", settings=others, time_limit=time_limit)
    problems: list[UserFunctionError | MissingExtra] = []
    for candidate in (framework,) if framework else frameworks_of(function, names):
        try:
            adapter = adapter_of(candidate, name)
            bound = Bound(
                function=function,
                name=name,
                signature=signature,
                convention=preset,
                adapter=adapter,
                setting=setting_of(names),
                time_limit=time_limit,
                advantage=helper,
            )
            _settle_all(bound, probe, kind, micro)
        except OutOfTime:
            raise
        except (UserFunctionError, MissingExtra) as problem:
            problems.append(problem)
            if isinstance(problem, WrongResult) and candidate != "numpy":
                break  # it ran in the framework that differentiates: there is no better reading
        else:
            return bound
    raise problems[0]


def _settle_all(bound: Bound, probe: Probe, kind: str | None, micro: int | None) -> None:
    helper = bound.advantage
    while True:
        if helper is not None and "episodes" in (bound.setting, helper.setting):
            bound.setting = helper.setting = "episodes"
        data, scene = probe(bound.setting)
        if helper is not None:
            settle(helper, data, scene, "advantage")  # again: the loss may have brought it to another setting
        settle(bound, data, scene, kind)
        setting = setting_of(bound.uses)
        if setting == bound.setting:
            break
        bound.setting = setting  # a batch object was asked for what only trajectories have
    if (bound.signature.batches or bound.signature.trainers) and not bound.names:
        raise BindingError(f"{bound.name} asked its batch for nothing that is known. What can be bound: {', '.join(MEANINGS)}.")
    if helper is not None and "advantages" not in bound.names.values():
        raise BindingError(
            f"{bound.name} has no parameter for advantages, so that {helper.name} has nowhere to go. Leave the advantage function out, or add one."
        )
    settle_precision(bound, data, scene)
    require_deterministic(bound, data, scene)
    bound.micro = None if micro is None else require_count("micro_batch", micro)
    bound(data, scene)  # all of the probe at once: whether it batches is known from here on
    bound.bindings = tuple(lines(bound))


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


def _split(settings: Mapping[str, Any], advantage: Callable | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Settings of the loss and settings of its advantage function; what both know goes to both."""
    if advantage is None:
        return dict(settings), {}
    theirs: Signature = read(advantage, {}, name=name_of(advantage))
    others = {n: v for n, v in settings.items() if n in theirs.kept or n in theirs.data}
    return {n: v for n, v in settings.items() if n not in theirs.kept}, others


SHAPES = {
    "B": " as (B,)",
    "BT": " as (B, T)",
    "BT+1": " as (B, T+1), the value at the end included",
    "str": " as strings",
    "object": " as Python integers",
    "bool": " as booleans",
}


def lines(bound: Bound) -> Iterator[str]:
    """One line for each parameter: what it was bound to, or which default it keeps."""
    what = {
        "loss": "a loss, minimised: weights are minus its derivatives at " + ("theta" if bound.form == "whole" else "the log-probabilities"),
        "advantage": "an advantage function, completed to the policy-gradient loss: mean over rows of sum_t gamma^t A_t score_t",
        "gradient": "a gradient, ascended" if bound.form == "whole" else "weights of the scores, ascended",
    }[bound.kind]
    yield f"read as {what} ({bound.framework}{', batched' if bound.batched else ''})"
    for key, c in bound.names.items():
        parameter = key.removeprefix("batch.")
        rank = bound.ranks.get(c, "")
        text = MEANINGS[c].split(" (B,) or")[0] + SHAPES.get(rank if c not in LOGPROBS or rank == "B" else "", "")
        if c == "advantages" and bound.advantage is not None:
            text = f"what {bound.advantage.name} returns{SHAPES.get(rank, '')}, detached"
        elif c == "advantages" and bound.setting == "episodes":
            text = "discounted reward to go minus the critic's value" + SHAPES.get(rank, "")
        yield f"{parameter} = {text}"
    for parameter, value in bound.signature.kept.items():
        yield f"{parameter} = {value!r}, its default"
    for parameter, value in {**bound.signature.given, **bound.signature.settings}.items():
        yield f"{parameter} = {value!r}, as set"
    if bound.advantage is not None:
        yield from (f"{bound.advantage.name}: {line}" for line in lines(bound.advantage))
    if bound.kind == "loss" and "mask" not in bound.names.values():
        yield "no mask: log-probabilities at padding are constant zeros"
    if bound.micro is not None:
        yield f"called on micro-batches of {bound.micro} rows"
    yield from bound.notes
