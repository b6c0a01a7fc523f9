"""How commands end that have no answer: one text for people, with --json one object for programs, and the same exit code."""

import json
import sys
from pathlib import Path

import pytest

from pgtheory.cli import main

FIXTURES = Path(__file__).parents[1] / "fixtures"
FAILURES = [
    (("check", "group-sdt"), "MissingFile", 2),
    (("check", "leave-one-out", "--compare"), "InvalidArgument", 2),
    (("solve", "nonsense"), "UnknownProblem", 2),
    (("solve", f"sparse-garnet/S={10**14}"), "MemoryError", 2),
    (("rate", "natrual"), "InvalidArgument", 2),
    (("rate", f"{FIXTURES}/updates/natural.py:overflows", "--problem", "bandit/K=2"), "NotConverged", 3),
    (("rate", f"{FIXTURES}/updates/natural.py:raises", "--problem", "bandit/K=2"), "UserFunctionError", 2),
    (("sweep", "s.jsonl", "--update", "natural", "--problem", "two-sate", "--step", "1"), "UnknownProblem", 2),
    (("verify", "P25"), "InvalidArgument", 2),
    (("papers", "P25"), "InvalidArgument", 2),
    (("reproduce", "P25"), "InvalidArgument", 2),
    (("rate",), "UsageError", 2),
    (("rate", "natural", "--nonsense"), "UsageError", 2),
    (("nonsense",), "UsageError", 2),
]


@pytest.mark.parametrize(("words", "kind", "code"), FAILURES, ids=[" ".join(str(a).rsplit("/", 1)[-1] for a in words) for words, _, _ in FAILURES])
def test_with_json_an_error_is_an_object_on_standard_output(monkeypatch, capsys, tmp_path, words, kind, code):
    """Of every command: the same text and exit code as without, so that a program reads one document whatever happens; people read standard error."""
    monkeypatch.chdir(tmp_path)
    ends = []
    for more in ((), ("--json",)):
        monkeypatch.setattr(sys, "argv", ["pgtheory", *words, *more])
        with pytest.raises(SystemExit) as caught:
            main()
        ends.append((caught.value.code, capsys.readouterr()))
    (plain, silent), (coded, streams) = ends

    found = json.loads(streams.out)
    assert found == {"error": {"type": kind, "text": found["error"]["text"]}, "exit_code": code}
    assert plain == coded == code
    assert silent.out == ""
    assert found["error"]["text"] in silent.err
    assert silent.err == streams.err


def test_with_json_targets_that_fail_stand_beside_the_others(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["pgtheory", "check", "group-sdt", "leave-one-out", "--json"])
    with pytest.raises(SystemExit) as caught:
        main()
    streams = capsys.readouterr()

    wrong, right = json.loads(streams.out)
    assert caught.value.code == 2
    assert (wrong["name"], wrong["error"]["type"]) == ("group-sdt", "MissingFile")
    assert (right["name"], right["exit_code"]) == ("leave-one-out", 0)
    assert streams.err == f"group-sdt: MissingFile: {wrong['error']['text']}\n"


def test_interrupt_with_json_is_an_object_and_exits_with_130(monkeypatch, capsys):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("pgtheory.rating.rate", stop)
    monkeypatch.setattr(sys, "argv", ["pgtheory", "rate", "natural", "--json"])
    with pytest.raises(SystemExit) as caught:
        main()

    assert caught.value.code == 130
    assert json.loads(capsys.readouterr().out) == {"error": {"type": "KeyboardInterrupt", "text": "interrupted"}, "exit_code": 130}
