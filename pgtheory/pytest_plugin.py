"""The pytest plugin: lists at the end of a run what the assertions of `pgtheory.testing` found, and writes it to a file on request.

Loads nothing but pytest. A run that never imports `pgtheory.testing` costs nothing and prints nothing.
"""

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

KEY = "pgtheory"
"""Name of the plugin's object, and of its part in what a worker of pytest-xdist sends."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """--pgtheory-report FILE."""
    group = parser.getgroup("pgtheory", "verdicts on policy gradient estimators")
    group.addoption("--pgtheory-report", metavar="FILE", default=None, help="write the verdicts of pgtheory.testing to FILE, one JSON object a line")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker and the collector of verdicts; empty the report.

    Raises:
        pytest.UsageError: the report cannot be written.
    """
    config.addinivalue_line("markers", "pgtheory: examines an estimator, a loss or an advantage function with pgtheory.")
    path = config.getoption("pgtheory_report")
    if path is not None and not hasattr(config, "workerinput"):
        path = config.invocation_params.dir / path
        try:
            path.write_text("", encoding="utf8")
        except OSError as problem:
            raise pytest.UsageError(f"--pgtheory-report: {path} cannot be written: {problem.strerror}.") from None
        config.option.pgtheory_report = str(path)  # workers of pytest-xdist inherit the absolute path
    config.pluginmanager.register(Collector(None if path is None else Path(path)), f"{KEY}-collector")


class Collector:
    """Collects what `pgtheory.testing` records and appends it to the report, test by test, so that a run that breaks off keeps what it found.

    Attributes:
        path: the report; None: there is none.
        rows: (name, headline, worlds, passed) of each assertion, those of the workers included.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.rows: list[tuple[str, str, tuple[str, ...], bool]] = []
        self.seen = len(recorded())

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """What a test recorded is taken when it is over."""
        self.take("")
        try:
            return (yield)
        finally:
            self.take(item.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """The rest, such as assertions at the top of a file; a worker hands its rows over."""
        self.take("")
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[KEY] = [[name, headline, list(worlds), passed] for name, headline, worlds, passed in self.rows]

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """The rows of a worker of pytest-xdist."""
        for name, headline, worlds, passed in getattr(node, "workeroutput", {}).get(KEY, []):
            self.rows.append((name, headline, tuple(worlds), passed))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """The section `pgtheory`: headline, name and worlds, equal lines once."""
        if not self.rows:
            return
        terminalreporter.section("pgtheory")
        width = max(len(headline) for _, headline, _, _ in self.rows)
        for (name, headline, worlds, passed), count in Counter(self.rows).items():
            often = f" ({count} times)" if count > 1 else ""
            mark = "passed" if passed else "FAILED"
            terminalreporter.write_line(f"{mark}  {headline:<{width}}  {name}{often}  [{'; '.join(worlds)}]")
        if self.path is not None:
            terminalreporter.write_line(f"report: {self.path}")

    def take(self, test: str) -> None:
        """Take what was recorded since the last time, as found by a test."""
        new = recorded()[self.seen :]
        self.seen += len(new)
        for record in new:
            self.rows.append((record.name, record.headline, record.worlds, record.passed))
            if self.path is not None:
                append(self.path, json.dumps({"test": test, **record.to_dict()}))


def recorded() -> list[Any]:
    """What was recorded in this process; nothing where `pgtheory.testing` was never imported."""
    return getattr(sys.modules.get("pgtheory.testing"), "RECORDED", [])


def append(path: Path, line: str) -> None:
    """Append one line. It is handed to the system at once, so that lines of several processes do not mix."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        rest = memoryview(f"{line}\n".encode())
        while rest:
            rest = rest[os.write(file, rest) :]
    finally:
        os.close(file)
