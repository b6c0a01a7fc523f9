"""Calls of the user's code: a time limit, and the user's own traceback when it raises."""

import contextlib
import os
import signal
import sys
import sysconfig
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pgtheory
from pgtheory.tabular.errors import MissingExtra, PgtheoryError, UserFunctionError


class _TimeUp(BaseException):
    """Raised by the alarm; no `except Exception` of the user catches it."""


class OutOfTime(UserFunctionError):
    """The user's function did not return in time: no other reading of its arguments is tried."""


@contextlib.contextmanager
def time_limit(seconds: float, name: str) -> Iterator[None]:
    """Interrupt the block after `seconds`; the handler and what was left of another alarm are put back. Without an alarm signal (other threads,
    Windows) nothing is interrupted, and neither is a call into C that does not return.

    Raises:
        OutOfTime: time is up.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def ring(signum: int, frame: object) -> None:
        raise _TimeUp

    begin = time.monotonic()
    before = signal.signal(signal.SIGALRM, ring)
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    except _TimeUp:
        raise OutOfTime(
            f"{name} did not return within {seconds:g} s. Look for a loop that waits for something, or allow more time (--time-limit SECONDS)."
        ) from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - begin), 1e-3), interval)


def guarded(name: str, call: Callable[[], Any], seconds: float) -> Any:
    """The result of the user's code.

    Raises:
        UserFunctionError: it raised (the text ends with the user's own frames), called exit(), or did not return in time.
    """
    with time_limit(seconds, name), contextlib.redirect_stdout(sys.stderr):  # what the user's code prints must not stand in the answer
        try:
            return call()
        except PgtheoryError:
            raise
        except ModuleNotFoundError as problem:
            raise import_error(name, problem) from None
        except (Exception, SystemExit) as problem:
            raise UserFunctionError(f"{name} raised {type(problem).__name__}: {problem}\n{own_frames(problem)}".rstrip()) from None


EXTRAS = {"torch": "deep", "jax": "jax", "jaxlib": "jax", "gymnasium": "gym"}
"""Package that the user's code may import -> extra of this library that brings it."""


def import_error(place: str, problem: BaseException) -> MissingExtra | UserFunctionError:
    """The library's error for an import that failed in the user's code."""
    missing = (problem.name or "").split(".")[0] if isinstance(problem, ModuleNotFoundError) else ""
    if missing in EXTRAS:
        return MissingExtra(f"{place} imports {missing}, which is not installed: pip install 'pgtheory[{EXTRAS[missing]}]'.")
    if missing:
        return UserFunctionError(
            f"{place} imports {missing!r}, which is not installed. Install it in the environment of pgtheory.\n{own_frames(problem)}".rstrip()
        )
    if isinstance(problem, SyntaxError):
        return UserFunctionError(
            f"{place} raises SyntaxError when it is imported: {problem.msg}, line {problem.lineno}: {(problem.text or '').strip()}"
        )
    return UserFunctionError(f"{place} raises {type(problem).__name__}: {problem}\n{own_frames(problem)}".rstrip())


_LIBRARY = tuple({os.path.realpath(Path(pgtheory.__file__).parent / part) + os.sep for part in (".", "tabular", "deep", "proofs")})
"""The folders of this library; the floors may be links to other places."""


def own_frames(problem: BaseException) -> str:
    """The last frames of a traceback that belong neither to this library, nor to Python, nor to an installed package."""
    return "".join(traceback.format_list([f for f in traceback.extract_tb(problem.__traceback__) if _is_own(f.filename)][-3:])).rstrip()


def _is_own(filename: str) -> bool:
    path = os.path.realpath(filename)
    installed = "site-packages" in path or "dist-packages" in path or path.startswith(sysconfig.get_path("stdlib") + os.sep)
    return not installed and not path.startswith(_LIBRARY) and not filename.startswith("<")
