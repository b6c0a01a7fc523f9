"""Calls of the user's code: a time limit, and the user's own traceback when it raises."""

import contextlib
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import Any

from pgtheory.tabular.errors import PgtheoryError, UserFunctionError

OWN = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
"""The folder of the library."""


class _TimeUp(BaseException):
    """Raised by the alarm; no `except Exception` of the user catches it."""


@contextlib.contextmanager
def time_limit(seconds: float, name: str) -> Iterator[None]:
    """Interrupt the block after `seconds`. Without an alarm signal (other threads, Windows) nothing is interrupted.

    Raises:
        UserFunctionError: time is up.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def ring(signum: int, frame: object) -> None:
        raise _TimeUp

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    except _TimeUp:
        raise UserFunctionError(
            f"{name} did not return within {seconds:g} s. Look for a loop that waits for something, or allow more time (--time-limit SECONDS)."
        ) from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def guarded(name: str, call: Callable[[], Any], seconds: float) -> Any:
    """The result of the user's code.

    Raises:
        UserFunctionError: it raised (the text ends with the user's own frames) or did not return in time.
    """
    with time_limit(seconds, name), contextlib.redirect_stdout(sys.stderr):  # what the user's code prints must not stand in the answer
        try:
            return call()
        except PgtheoryError:
            raise
        except (Exception, SystemExit) as problem:
            raise UserFunctionError(f"{name} raised {type(problem).__name__}: {problem}\n{own_frames(problem)}") from None


def own_frames(problem: BaseException) -> str:
    """The last frames of a traceback that belong neither to this library nor to an installed package."""
    theirs = lambda name: not name.startswith("<frozen") and "site-packages" not in name and not os.path.abspath(name).startswith(OWN)
    frames = [f for f in traceback.extract_tb(problem.__traceback__) if theirs(f.filename)]
    return "".join(traceback.format_list(frames[-3:])).rstrip()
