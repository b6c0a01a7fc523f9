"""What the benchmarks share: medians, fresh processes, and the file to which each figure goes."""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def pytest_addoption(parser):
    parser.addoption("--deadline", type=float, default=float("inf"), help="nothing long begins after this time, in seconds of time.time()")


@pytest.fixture(scope="session")
def deadline(request):
    """Time after which nothing long begins, in seconds of `time.time`."""
    return request.config.getoption("--deadline")


@pytest.fixture(scope="module")
def record(request):
    """Writes a figure of the part `PART` of the module: what, measured, target, and whether it is reached (None where there is no target)."""
    from tests.benchmarks import results

    results.write_machine(request.module.PART)

    def add(what, measured, target="", reached=None):
        results.write(request.module.PART, what, measured=measured, target=target, reached=reached)

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
