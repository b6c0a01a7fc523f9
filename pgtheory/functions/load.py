"""Finding the user's function."""

import functools
import importlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from pgtheory.functions.limits import import_error
from pgtheory.tabular.errors import MissingFile
from pgtheory.tabular.estimators.registry import BUILTIN
from pgtheory.tabular.spelling import did_you_mean


def load_target(target: object) -> tuple[Callable, str, str]:
    """(function, short name, how the command line calls it) of "file.py:function", "package.module:function", or a callable.

    The folder of a file stays on `sys.path`, as when Python runs the file: its functions may import their neighbours later.

    Raises:
        MissingFile: the file, the module or the function does not exist; the text lists what there is.
        MissingExtra: the user's module imports torch or JAX, which is not installed.
        UserFunctionError: the user's module raises when it is imported.
    """
    if callable(target):
        name = name_of(target)
        return target, name, name
    text = str(target)
    place, _, attribute = text.rpartition(":")
    if not place or not attribute:
        raise MissingFile(unknown(text))
    module = _from_file(Path(place)) if place.endswith(".py") else _from_package(place)
    functions = [n for n, v in vars(module).items() if callable(v) and getattr(v, "__module__", None) == module.__name__ and not n.startswith("_")]
    found: object = module
    for part in attribute.split("."):
        if not hasattr(found, part):
            inside = functions if found is module else [n for n in vars(found) if not n.startswith("_")]
            raise MissingFile(f"{place} has no function {attribute!r}.{did_you_mean(part, inside)} It has: {', '.join(inside) or 'no functions'}.")
        found = getattr(found, part)
    if not callable(found):
        raise MissingFile(f"{text} is a {type(found).__name__}, not a function.")
    return found, attribute.rsplit(".", 1)[-1], text


def name_of(function: object) -> str:
    """Name of a callable for messages; behind functools.partial that of the inner function, of an instance that of its class."""
    inner = function
    while isinstance(inner, functools.partial):
        inner = inner.func
    return getattr(inner, "__name__", None) or type(inner).__name__


def _from_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise MissingFile(f"there is no file {str(path)!r}. Give a path relative to the current folder, or an absolute one.")
    name = f"_pgtheory_user_{path.stem}_{abs(hash(str(path.resolve())))}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise MissingFile(f"{str(path)!r} is no Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as problem:
        del sys.modules[name]
        raise import_error(str(path), problem) from None
    return module


def _from_package(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as problem:
        if problem.name is None or not f"{name}.".startswith(f"{problem.name}."):
            raise import_error(name, problem) from None  # the module is there; one that it imports is not
        raise MissingFile(f"there is no module {name!r} ({problem}). Give file.py:function for a file, or install the package.") from None
    except (Exception, SystemExit) as problem:
        raise import_error(name, problem) from None


def unknown(text: str) -> str:
    """What to say of a target that is neither a built-in name nor a place with a function."""
    if text.endswith(".py"):
        return f"{text!r} names a file and no function. Add one: {text}:FUNCTION."
    hint = did_you_mean(text, BUILTIN) or f" Built-in estimators: {', '.join(BUILTIN)}."
    return f"{text!r} is no built-in estimator and no function. Give file.py:function or package.module:function.{hint}"
