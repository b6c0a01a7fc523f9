"""Reading a function's signature: which parameters are data, which keep their default, which are set."""

import ast
import functools
import importlib.util
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

from pgtheory.functions.names import LEAVES, bindable, canonical, unknown_text
from pgtheory.functions.quantities import RANKS
from pgtheory.tabular.errors import BindingError, InvalidArgument
from pgtheory.tabular.spelling import did_you_mean

BATCH_NAMES = frozenset({"batch", "data", "inputs", "samples", "minibatch", "mini_batch", "micro_batch", "experience", "model_output"})
"""Parameters that get a batch object: a dict, or an object with attributes."""

TRAINER_NAMES = frozenset({"self", "trainer", "config", "cfg", "args"})
"""Parameters that get an object with settings."""

MODEL_NAMES = frozenset({"model", "actor"})
"""Parameters that get an opaque model, which only methods of the trainer look at."""


@dataclass(frozen=True, kw_only=True)
class Signature:
    """What a function asks for.

    Attributes:
        data: parameter -> canonical name.
        kept: parameter -> default that stays, or value that functools.partial fixed.
        given: parameter -> value that the user set.
        positional: parameters that can only be passed by position, in order.
        batches: parameters that get a batch object.
        trainers: parameters that get an object with settings.
        models: parameters that get an opaque model.
        settings: what the user set that is no parameter: attributes of the trainer or config.
        pinned: canonical name -> rank that the user set.
    """

    data: Mapping[str, str]
    kept: Mapping[str, Any] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)
    positional: tuple[str, ...] = ()
    batches: tuple[str, ...] = ()
    trainers: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    pinned: Mapping[str, str] = field(default_factory=dict)


def read(function: Callable, settings: Mapping[str, Any], *, name: str, convention: bool = False) -> Signature:
    """The signature of a function, also behind functools.partial; of a torch module that of its `forward`.

    A parameter is data if its name is known and the user did not set it; a known name with a default other than None (gamma=.99, group_size=8) is data
    too: the problem's value is the right one. **kwargs and *args are left alone. A setting rewards="(B, T)" pins a rank. A parameter such as config=None
    gets an object only where a convention says what is in it.

    Raises:
        BindingError: a required parameter has an unknown name, two mean the same, or a setting names nothing.
    """
    try:
        parameters = inspect.signature(getattr(function, "forward", function)).parameters
    except (TypeError, ValueError):
        raise BindingError(f"{name} has no signature that can be read. Wrap it in a Python function whose parameters have known names.") from None
    fixed = dict(function.keywords) if isinstance(function, functools.partial) else {}
    named = {n: p for n, p in parameters.items() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD) and n not in fixed}
    pinned = {c: rank for n, value in settings.items() if (c := canonical(n) or "") in RANKS and (rank := rank_in(value)) in RANKS[c] and rank}
    values = {n: v for n, v in settings.items() if canonical(n) not in pinned}
    data = {n: c for n, p in named.items() if n not in values and (c := canonical(n)) is not None}
    rest = [n for n, p in named.items() if n not in data and n not in values]
    objects = [n for n in rest if convention or named[n].default is inspect.Parameter.empty]
    batches, models, trainers = (tuple(n for n in objects if n in known) for known in (BATCH_NAMES, MODEL_NAMES, TRAINER_NAMES))
    rest = [n for n in rest if n not in (*batches, *models, *trainers)]
    kept = fixed | {n: named[n].default for n in rest if named[n].default is not inspect.Parameter.empty}
    unknown = [n for n in rest if n not in kept]
    if unknown:
        raise BindingError(unknown_text(unknown, name))
    anything = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    given = {n: v for n, v in values.items() if n in parameters or (anything and not trainers)}
    extra = {n: v for n, v in values.items() if n not in given}
    if extra and not trainers:
        bad = next(iter(extra))
        raise BindingError(
            f"{name} has no parameter {bad!r} to set.{did_you_mean(bad, parameters)} Its parameters are: {', '.join(parameters) or 'none'}."
        )
    doubled = [c for c in data.values() if list(data.values()).count(c) > 1]
    if doubled:
        names = [n for n, c in data.items() if c == doubled[0]]
        raise BindingError(
            f"{name} has two parameters that mean {doubled[0]}: {', '.join(names)}. Set one of them (--set {names[1]}=VALUE) or rename it."
        )
    if not (data or batches or trainers):
        raise BindingError(f"{name} takes nothing that can be bound. {bindable()}")
    supplied = {*data, *given, *batches, *models, *trainers}
    positional = tuple(n for n, p in named.items() if p.kind is p.POSITIONAL_ONLY and n in supplied)
    return Signature(
        data=data, kept=kept, given=given, positional=positional, batches=batches, trainers=trainers, models=models, settings=extra, pinned=pinned
    )


def rank_in(value: object) -> str | None:
    """The rank that a setting means: "BT" for "(B, T)", "B,T" or "BT"; None if it is no rank.

    >>> rank_in("(B, T)"), rank_in("(B,)"), rank_in(0.2)
    ('BT', 'B', None)
    """
    letters = re.sub(r"[\s(),]", "", value) if isinstance(value, str) else ""
    return letters if letters in ("B", "BT", "BT+1") else None


def parse_settings(texts: Iterable[str]) -> dict[str, Any]:
    """Settings of the command line, "name=value"; a value that is no Python literal is a text.

    Raises:
        InvalidArgument: a text has no "=", or no name before it.

    >>> parse_settings(["cliprange=.2", "mode=seq-mean", "beta=None"])
    {'cliprange': 0.2, 'mode': 'seq-mean', 'beta': None}
    """
    found = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign or not name.strip().isidentifier():
            raise InvalidArgument(f"--set {text!r} is not of the form NAME=VALUE, for instance --set cliprange=0.2.")
        try:
            found[name.strip()] = ast.literal_eval(value.strip())
        except (ValueError, SyntaxError):
            found[name.strip()] = {"true": True, "false": False, "none": None}.get(value.strip().lower(), value.strip())
    return found


def instantiate(function: Callable, settings: Mapping[str, Any], name: str) -> tuple[Callable, dict[str, Any]]:
    """(function, remaining settings): a class is called with the settings that its constructor takes, anything else is returned as it is.

    Raises:
        BindingError: the constructor needs something that is not set.
    """
    if not isinstance(function, type):
        return function, dict(settings)
    wanted = inspect.signature(function).parameters
    own = {n: v for n, v in settings.items() if n in wanted}
    missing = [n for n, p in wanted.items() if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD) and n not in own]
    if missing:
        raise BindingError(
            f"{name} is a class whose constructor needs {', '.join(missing)}. Set them (--set {missing[0]}=VALUE), or give an instance from Python."
        )
    return function(**own), {n: v for n, v in settings.items() if n not in own}


def frameworks_of(function: Callable, names: frozenset[str]) -> tuple[str, ...]:
    """Frameworks to try, the likelier first: what the function and the functions of its own file that it calls refer to; else what its file imports;
    else torch for a function of log-probabilities, numpy for others. The choice matters where both work: std() divides by n - 1 in torch, by n in numpy."""
    inner: Any = function
    while isinstance(inner, functools.partial):
        inner = inner.func
    inner = inspect.unwrap(inner)
    if not hasattr(inner, "__code__") and not hasattr(inner, "__func__"):
        ancestors = {root(base) for base in type(inner).__mro__}
        inner = getattr(inner, "forward", None) or type(inner).__call__
    else:
        ancestors = set()
    inner = getattr(inner, "__func__", inner)
    space = getattr(inner, "__globals__", {})
    homes = (_referred(inner, set()) | ancestors) & {"torch", "jax", "numpy"}
    if not homes & {"torch", "jax"}:
        homes |= ({root(value) for value in space.values()} & {"torch", "jax", "numpy"}) if not homes else set()
    leaf = bool(names & {*LEAVES})
    order = [f for f in ("torch", "jax") if f in homes]
    if "numpy" in homes or not homes or not order:
        order.insert(0 if "numpy" in homes and not order else len(order), "numpy")
    if not homes & {"torch", "jax"}:
        other = "torch" if _installed("torch") or not _installed("jax") else "jax"
        order.insert(0 if leaf and "numpy" not in homes else len(order), other)
    return tuple(order)


def _installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ValueError:  # blocked: its entry in sys.modules is None
        return False


def _referred(function: Any, seen: set[int]) -> set[str]:
    """Top-level packages that a function, and the functions of its own module that it calls, refer to."""
    code, space = getattr(function, "__code__", None), getattr(function, "__globals__", {})
    if code is None or id(code) in seen:
        return set()
    seen.add(id(code))
    used = names_in(code)
    found = {root(space[n]) for n in used & set(space)} | (used & {"torch", "jax", "numpy"})
    cells = [c.cell_contents for c in getattr(function, "__closure__", None) or () if _filled(c)]
    near = [v for v in (*(space[n] for n in used & set(space)), *cells) if inspect.isfunction(v) and v.__module__ == function.__module__]
    return found.union({root(c) for c in cells}, *(_referred(f, seen) for f in near))


def _filled(cell: Any) -> bool:
    try:
        _ = cell.cell_contents
    except ValueError:
        return False
    return True


def names_in(code: CodeType) -> set[str]:
    """Names that a code object and the functions inside it look up."""
    return set(code.co_names).union(*(names_in(c) for c in code.co_consts if inspect.iscode(c)))


def root(value: object) -> str:
    """Top-level package of a module, function or class."""
    name = getattr(value, "__name__", "") if inspect.ismodule(value) else getattr(value, "__module__", "") or ""
    return str(name).split(".")[0]
