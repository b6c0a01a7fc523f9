"""Reading a function's signature: which parameters are data, which keep their default, which are set."""

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pgtheory.functions.names import canonical, unknown_text
from pgtheory.tabular.errors import BindingError

BATCH_NAMES = frozenset({"batch", "data", "inputs", "samples", "minibatch", "micro_batch", "experience"})


@dataclass(frozen=True, kw_only=True)
class Signature:
    """What a function asks for.

    Attributes:
        data: parameter -> canonical name.
        kept: parameter -> default that stays.
        given: parameter -> value that the user set.
        positional: data parameters that can only be passed by position, in order.
        batch: whether the only parameter is one dict or batch object.
    """

    data: Mapping[str, str]
    kept: Mapping[str, Any]
    given: Mapping[str, Any]
    positional: tuple[str, ...]
    batch: bool = False


def read(function: Callable, settings: Mapping[str, Any], *, name: str, convention: bool) -> Signature:
    """The signature of a function, also behind functools.partial.

    A parameter is data if its name is known and the user did not set it; a known name with a default other than None (gamma=.99, group_size=8) is data
    too: the problem's value is the right one. **kwargs and *args are left alone.

    Raises:
        BindingError: a required parameter has an unknown name, or a setting names no parameter.
    """
    if convention:
        return Signature(data={}, kept={}, given=dict(settings), positional=(), batch=True)
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        raise BindingError(f"{name} has no signature that can be read. Wrap it in a Python function whose parameters have known names.") from None
    bound = set(function.keywords) if isinstance(function, functools.partial) else set()
    named = {n: p for n, p in parameters.items() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD) and n not in bound}
    extra = [n for n in settings if n not in parameters and not any(p.kind is p.VAR_KEYWORD for p in parameters.values())]
    if extra:
        raise BindingError(f"{name} has no parameter {extra[0]!r} to set. Its parameters are: {', '.join(parameters) or 'none'}.")
    data = {n: c for n in named if n not in settings and (c := canonical(n)) is not None}
    kept = {n: p.default for n, p in named.items() if n not in data and n not in settings and p.default is not p.empty}
    unknown = [n for n in named if n not in data and n not in kept and n not in settings]
    if len(unknown) == 1 and unknown[0] in BATCH_NAMES and not data:
        return Signature(data={}, kept=kept, given=dict(settings), positional=(unknown[0],), batch=True)
    if unknown:
        raise BindingError(unknown_text(unknown, name))
    positional = tuple(n for n in data if named[n].kind is inspect.Parameter.POSITIONAL_ONLY)
    doubled = [c for c in set(data.values()) if list(data.values()).count(c) > 1]
    if doubled:
        names = [n for n, c in data.items() if c == doubled[0]]
        raise BindingError(
            f"{name} has two parameters that mean {doubled[0]}: {', '.join(names)}. Set one of them (--set {names[1]}=VALUE) or rename it."
        )
    return Signature(data=data, kept=kept, given=dict(settings), positional=positional)


def framework_of(function: Callable, *, leaf: bool) -> str:
    """ "jax", "torch" or "numpy", from what the function's module imports; a function with a leaf and no import at all is taken for torch."""
    inner: Any = function
    while isinstance(inner, functools.partial):
        inner = inner.func
    inner = getattr(inner, "__func__", inner)
    code, space = getattr(inner, "__code__", None), getattr(inner, "__globals__", {})
    used = names_in(code) if code is not None else set(space)
    homes = {roots(space[key]) for key in used & set(space)} | (used & {"torch", "jax"})
    module = getattr(inner, "__module__", "") or ""
    for candidate in ("jax", "torch"):
        if candidate in homes or module.split(".")[0] == candidate:
            return candidate
    return "torch" if leaf and "numpy" not in homes else "numpy"


def names_in(code: Any) -> set[str]:
    """Names that a code object and the functions inside it look up."""
    return set(code.co_names).union(*(names_in(c) for c in code.co_consts if inspect.iscode(c)))


def roots(value: object) -> str:
    """Top-level package of a module, function or class."""
    name = getattr(value, "__name__", "") if inspect.ismodule(value) else getattr(value, "__module__", "") or ""
    return str(name).split(".")[0]
