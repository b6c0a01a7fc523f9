"""Time limits and tracebacks."""

import contextlib
import signal
import threading
import time

import pytest

from pgtheory.functions.limits import OutOfTime, guarded, time_limit
from pgtheory.tabular.errors import BindingError, MissingExtra, UserFunctionError


def spin():
    while True:
        with contextlib.suppress(Exception):
            time.sleep(0.005)


def test_a_call_that_never_returns_is_stopped():
    """Even where the user catches every exception."""
    begin = time.monotonic()
    with pytest.raises(OutOfTime, match=r"spin did not return within 0\.05 s"):
        guarded("spin", spin, 0.05)
    assert time.monotonic() - begin < 5


def test_the_alarm_of_somebody_else_goes_off_in_its_own_time():
    """A test runner that uses the same signal keeps its handler and what is left of its time."""
    rung = []
    before = signal.signal(signal.SIGALRM, lambda *_: rung.append(1))
    outer = signal.setitimer(signal.ITIMER_REAL, 60)
    try:
        with time_limit(5, "f"):
            pass
        assert signal.getsignal(signal.SIGALRM) is not signal.SIG_DFL
        left = signal.getitimer(signal.ITIMER_REAL)[0]
        assert 50 < left <= 60
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        with pytest.raises(OutOfTime):
            guarded("spin", spin, 0.1)
        time.sleep(0.05)
        assert rung
    finally:
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, *outer)


def test_other_threads_have_no_limit_and_no_error():
    found = []
    thread = threading.Thread(target=lambda: found.append(guarded("f", lambda: 7, 0.01)))
    thread.start()
    thread.join()
    assert found == [7]


def test_only_the_users_frames_are_shown(load):
    with pytest.raises(UserFunctionError) as caught:
        guarded("raises", lambda: load("broken:raises")(1, [1], 1), 1)
    text = str(caught.value)
    assert text.startswith("raises raised KeyError: 'temperature'")
    assert text.count("  File ") == 3  # this test, the function and its helper
    assert "in helper" in text
    assert 'scale = {}["temperature"]' in text
    assert "functions/limits.py" not in text


def test_errors_of_the_library_pass_unchanged():
    def call():
        raise BindingError("mine")

    with pytest.raises(BindingError, match=r"^mine$"):
        guarded("f", call, 1)


def test_exit_is_an_error_and_not_an_exit():
    def call():
        raise SystemExit(0)

    with pytest.raises(UserFunctionError, match="SystemExit"):
        guarded("f", call, 1)


def test_a_framework_that_is_missing_inside_the_function():
    def call():
        raise ModuleNotFoundError("No module named 'jax'", name="jax")

    with pytest.raises(MissingExtra, match=r"pgtheory\[jax\]"):
        guarded("f", call, 1)
