"""Finding the user's function."""

import functools
import importlib
import importlib.util
import sys
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType

from pgtheory.functions.limits import own_frames
from pgtheory.tabular.errors import MissingExtra, MissingFile, UserFunctionError
from pgtheory.tabular.estimators.registry import BUILTIN

EXTRAS = {"torch": "deep", "jax": "jax", "jaxlib": "jax", "gymnasium": "gym"}
"""Packages that an extra of this library brings."""


def load_target(target: object) -> tuple[Callable, str, str]:
    """(function, short name, how the command line calls it) of "file.py:function", "package.module:function" or a callable.

    Raises:
        MissingFile: the file, the module or the function does not exist; the text lists what there is.
        UserFunctionError: the user's module raises when it is imported.
    """
    if callable(target):
        inner = target
        while isinstance(inner, functools.partial):
            inner = inner.func
        name = getattr(inner, "__name__", type(inner).__name__)
        return target, name, name
    text = str(target)
    place, _, attribute = text.rpartition(":")
    if not place or not attribute:
        raise MissingFile(unknown(text))
    module = _from_file(Path(place)) if place.endswith(".py") else _from_package(place)
    found: object = module
    for part in attribute.split("."):
        if not hasattr(found, part):
            functions = [n for n, v in vars(module).items() if callable(v) and getattr(v, "__module__", None) == module.__name__]
            near = get_close_matches(part, functions, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise MissingFile(f"{place} has no function {attribute!r}.{hint} It has: {', '.join(functions) or 'no functions'}.")
        found = getattr(found, part)
    if not callable(found):
        raise MissingFile(f"{text} is a {type(found).__name__}, not a function.")
    return found, attribute.rsplit(".", 1)[-1], text


def _from_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise MissingFile(f"there is no file {str(path)!r}. Give a path relative to the current folder, or an absolute one.")
    name = f"_pgtheory_user_{path.stem}_{abs(hash(str(path.resolve())))}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except ModuleNotFoundError as problem:
        if problem.name in EXTRAS:
            raise MissingExtra(f"{path} imports {problem.name}, which is not installed: pip install 'pgtheory[{EXTRAS[problem.name]}]'.") from None
        raise UserFunctionError(f"{path} imports {problem.name!r}, which is not installed. Install it in the environment of pgtheory.") from None
    except Exception as problem:
        raise UserFunctionError(f"{path} raises {type(problem).__name__} when it is imported: {problem}\n{own_frames(problem)}") from None
    finally:
        sys.path.pop(0)
    return module


def _from_package(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as problem:
        raise MissingFile(f"there is no module {name!r} ({problem}). Give file.py:function for a file, or install the package.") from None
    except Exception as problem:
        raise UserFunctionError(f"{name} raises {type(problem).__name__} when it is imported: {problem}\n{own_frames(problem)}") from None


def unknown(text: str) -> str:
    """What to say of a target that is neither a built-in name nor a place with a function."""
    if text.endswith(".py"):
        return f"{text!r} names a file and no function. Add one: {text}:FUNCTION."
    near = get_close_matches(text, BUILTIN, n=3)
    hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else f" Built-in estimators: {', '.join(BUILTIN)}."
    return f"{text!r} is no built-in estimator and no function. Give file.py:function or package.module:function.{hint}"
