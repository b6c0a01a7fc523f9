"""A reader that leaves early changes nothing but what is read."""

import json
import os
from contextlib import contextmanager, redirect_stdout

import pytest

from pgtheory.cli import main
from pgtheory.pipes import unread_stdout


@contextmanager
def abandoned():
    """Standard output is a pipe that nobody reads. On leaving, the stream is closed: what it still holds is flushed."""
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w") as stream, redirect_stdout(stream):
        yield


def test_an_abandoned_pipe_breaks_by_itself():
    with pytest.raises(BrokenPipeError), abandoned():
        print("x")


@pytest.mark.parametrize("size", [1, 100_000])
def test_what_nobody_reads_is_dropped(size):
    """Both what fits the buffer and is written at the end, and what does not and is written at once."""
    with abandoned(), unread_stdout():
        for _ in range(3):
            print("x" * size)


@pytest.mark.parametrize("words", [["papers", "--json"], ["papers"], ["papers", "P25"]])
def test_command_keeps_its_exit_code(monkeypatch, capsys, words):
    """Not 1, which would mean `refuted`; that of bad use stays 2."""
    monkeypatch.setattr("sys.argv", ["pgtheory", *words])

    with pytest.raises(SystemExit) as stop, abandoned():
        main()

    assert stop.value.code == (2 if "P25" in words else 0)
    assert "Traceback" not in capsys.readouterr().err


def test_what_is_read_arrives_whole(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["pgtheory", "papers", "P025", "--json"])

    with pytest.raises(SystemExit) as stop:
        main()

    assert stop.value.code == 0
    assert json.loads(capsys.readouterr().out)[0]["id"] == "P025"
