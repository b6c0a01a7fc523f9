"""What the benchmarks share: medians, and the table that is printed at the end."""

import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = []


@pytest.fixture(scope="session")
def record():
    """Adds a line to the table: what, measured, target, and whether it is reached (None where there is no target)."""

    def add(what, measured, target="", reached=None):
        ROWS.append((what, measured, target, {True: "yes", False: "**no**", None: ""}[reached]))

    return add


@pytest.fixture(scope="session")
def seconds():
    """Median seconds of a call; `first` calls before are not counted."""

    def median(call, repetitions=5, first=1):
        found = []
        for number in range(first + repetitions):
            start = time.perf_counter()
            call()
            if number >= first:
                found.append(time.perf_counter() - start)
        return statistics.median(found)

    return median


@pytest.fixture(scope="session")
def fresh():
    """Runs code in a new interpreter and returns (seconds of the process, what it printed)."""

    def run(code):
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        start = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
        return time.perf_counter() - start, done.stdout

    return run


def pytest_terminal_summary(terminalreporter):
    from importlib.metadata import version

    say = terminalreporter.write_line
    python, torch, numpy = platform.python_version(), version("torch"), version("numpy")
    say(f"\n{os.cpu_count()} cores, {platform.machine()}, Python {python}, torch {torch}, numpy {numpy}, load {os.getloadavg()[0]:.1f} at the end\n")
    for row in (("figure", "measured", "target", "reached"), ("---",) * 4, *ROWS):
        say("| " + " | ".join(row) + " |")
