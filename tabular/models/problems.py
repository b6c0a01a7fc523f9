"""Named problems: an id that is stable for ever, and the model behind it.

An id is a name, or a name and parameters: `chain`, `chain/5`, `chain/S=5,gamma=0.99`, `gridworld/4x4`. Values without a name fill the parameters in
their order; what is left out has its default. `problem` also takes the path of a `.npz` or `.json` file and a Gymnasium id (`gym:Taxi-v3` or `Taxi-v3`).
"""

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from jaxtyping import Float

from pgtheory.tabular.errors import InvalidArgument, UnknownProblem
from pgtheory.tabular.models import classic, grids, large, slow_chain
from pgtheory.tabular.models.bandit import Bandit
from pgtheory.tabular.models.files import load
from pgtheory.tabular.models.gymnasium import from_gymnasium
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.models.token_tree import TokenTree
from pgtheory.tabular.spelling import did_you_mean

Model = MDP | Bandit | TokenTree


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One named problem.

    Attributes:
        name: first part of the id.
        example: an id with its parameters written out, at their defaults.
        parameters: name -> default.
        summary: first sentence of the description.
        source: where it is from.
        build: the function that makes the model.
    """

    name: str
    example: str
    parameters: dict[str, int | float]
    summary: str
    source: str
    build: Callable[..., Model]


PROBLEMS: dict[str, tuple[str, Callable[..., Model]]] = {
    "two-state": ("two-state", classic.two_state),
    "chain": ("chain/5", classic.chain),
    "lock": ("lock/8", classic.lock),
    "slow-chain": ("slow-chain/H=3,copies=10,gamma=0.9", slow_chain.slow_chain),
    "random-walk": ("random-walk/5", classic.random_walk),
    "short-corridor": ("short-corridor", classic.short_corridor),
    "gridworld": ("gridworld/4x4", grids.gridworld),
    "cliff": ("cliff/4x12", grids.cliff),
    "deep-sea": ("deep-sea/10", grids.deep_sea),
    "river-swim": ("river-swim/6", classic.river_swim),
    "garnet": ("garnet/S=100,A=4,b=5,seed=0", classic.garnet),
    "sparse-garnet": ("sparse-garnet/S=1000,A=4,b=5,seed=0", large.sparse_garnet),
    "queue": ("queue/S=1000", large.queue),
    "frozen-lake": ("frozen-lake/n=32,seed=0", large.frozen_lake),
    "torus": ("torus/n=32", large.torus),
    "loop": ("loop", classic.loop),
    "coin": ("coin/T=4", classic.coin),
    "bandit": ("bandit/K=3", classic.bandit),
    "bernoulli-bandit": ("bernoulli-bandit/K=3", classic.bernoulli_bandit),
    "tokens": ("tokens/V=3,T=2", classic.tokens),
}
"""Name -> the id by which it is listed, and the builder. A name never changes its meaning: a variant gets a name of its own."""

POINTS: dict[str, Callable[..., np.ndarray]] = {"coin": classic.coin_theta}
"""Problems whose parameters also fix the point at which they are looked at."""


def problem(id: str) -> Model:
    """The model with this id, in this file, or of this Gymnasium environment.

    Raises:
        UnknownProblem: there is no such name; the text lists close ones and all.
        InvalidArgument: a parameter is unknown or outside its range.
        MissingFile, InvalidModel: a file that is missing, or whose content is no model.
        MissingExtra: a Gymnasium id without Gymnasium.

    >>> problem("chain/5").S, problem("gridworld/4x4").S, len(problem("tokens/V=3,T=2").completions)
    (5, 14, 7)
    """
    if not isinstance(id, str):
        raise UnknownProblem(f"problem is {id!r}, expected the id of one, such as 'chain/5'.")
    if id.endswith((".npz", ".json")):
        return load(id)
    if id.startswith("gym:"):
        return from_gymnasium(id.removeprefix("gym:"))
    if re.search(r"-v\d+$", id):
        return from_gymnasium(id)
    name, values = parsed(id)
    return PROBLEMS[name][1](**values)


def theta(id: str) -> Float[np.ndarray, "S A"] | None:
    """The logits that the id fixes (`coin/p=0.3`: right with probability 0.3), or None for a problem whose id says nothing about the policy.

    >>> np.exp(theta("coin/p=0.25"))
    array([[0.75, 0.25]])
    """
    if id.partition("/")[0] not in POINTS:
        return None
    name, values = parsed(id)
    return POINTS[name](**values)


def names() -> tuple[str, ...]:
    """One id of each named problem, as `problem` takes it.

    >>> names()[:2]
    ('two-state', 'chain/5')
    """
    return tuple(example for example, _ in PROBLEMS.values())


def describe() -> tuple[Entry, ...]:
    """What each named problem is, its parameters and its source."""
    entries = []
    for name, (example, build) in PROBLEMS.items():
        text = " ".join(inspect.cleandoc(build.__doc__ or "").split())
        summary, _, source = text.rpartition("Source: ")
        entries.append(Entry(name=name, example=example, parameters=parameters(name), summary=summary.strip(), source=source, build=build))
    return tuple(entries)


def parameters(name: str) -> dict[str, int | float]:
    """Parameters of a named problem with their defaults."""
    return {key: p.default for key, p in inspect.signature(PROBLEMS[name][1]).parameters.items()}


def parsed(id: str) -> tuple[str, dict[str, int | float]]:
    """Name and parameters of an id.

    Raises:
        UnknownProblem: no such name.
        InvalidArgument: a parameter that the problem does not have, twice the same, or a value that is no number.
    """
    name, slash, text = id.partition("/")
    if name not in PROBLEMS:
        raise UnknownProblem(
            f"no problem is called {id!r}.{did_you_mean(name, PROBLEMS)} There are: {', '.join(names())}. "
            "A path ending in .npz or .json is read as a file, gym:ID as a Gymnasium environment."
        )
    defaults, values = parameters(name), {}
    usage = f"{name} takes {', '.join(f'{k}={v}' for k, v in defaults.items()) or 'no parameters'}"
    grid = re.fullmatch(r"(\d+)x(\d+)(.*)", text)
    items = (f"{grid[1]},{grid[2]}{grid[3]}" if grid else text).split(",") if slash else []
    for position, item in enumerate(items):
        key, equals, value = item.partition("=")
        if not equals:
            if position >= len(defaults) or len(values) != position:
                raise InvalidArgument(f"{id}: nothing takes the value {item!r}; {usage}.")
            key, value = list(defaults)[position], item
        if key not in defaults:
            raise InvalidArgument(f"{id}: there is no parameter {key!r}; {usage}.")
        if key in values:
            raise InvalidArgument(f"{id}: {key} is given twice; {usage}.")
        values[key] = number(id, key, value, type(defaults[key]))
    return name, values


def number(id: str, key: str, text: str, kind: type) -> int | float:
    """The value of a parameter: a whole number, or a decimal or a fraction.

    Raises:
        InvalidArgument: it is no such number.
    """
    try:
        return int(text) if kind is int else float(Fraction(text))
    except (ValueError, ZeroDivisionError):
        what = "a whole number" if kind is int else "a number such as 0.3 or 1/3"
        raise InvalidArgument(f"{id}: {key} is {text!r}, expected {what}.") from None
