"""The plugin lists what the assertions found, writes it on request, and is silent where there is nothing to say."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]
ROOT = Path(__file__).parents[2]

TESTS = """
from pgtheory.testing import assert_same_law, assert_unbiased

def test_right():
    assert_unbiased("leave-one-out")
    assert_unbiased("leave-one-out")

def test_wrong():
    assert_unbiased("group-mean", problem="world:tokens/V=2,T=2,P=1,G=4/binary")

def test_law():
    assert_same_law("leave-one-out", "leave-one-out")
"""


@pytest.fixture
def run(pytester, monkeypatch):
    """Run pytest on the files of pytester in a process of its own, with the plugin given explicitly: it need not be installed."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    return lambda *arguments: pytester.runpytest_subprocess("-p", "pgtheory.pytest_plugin", *arguments)


def test_summary_lists_name_headline_and_worlds(pytester, run):
    pytester.makepyfile(TESTS)

    result = run()

    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines([
        "*= pgtheory =*",
        "passed  UNBIASED * leave-one-out (2 times) *tokens/V=3,T=2,P=1,G=3/binary; *",
        "FAILED  UNBIASED UP TO A CONSTANT  group-mean  ?tokens/V=2,T=2,P=1,G=4/binary?",
        "passed  SAME LAW * leave-one-out and leave-one-out *",
    ])  # fmt: skip
    result.stdout.fnmatch_lines(["E *AssertionError: UNBIASED UP TO A CONSTANT  group-mean*"])


def test_report_has_a_line_for_each_assertion(pytester, run):
    pytester.makepyfile(test_all=TESTS)
    pytester.path.joinpath("found.jsonl").write_text("of an earlier run\n", encoding="utf8")

    result = run("--pgtheory-report", "found.jsonl")

    rows = [json.loads(line) for line in pytester.path.joinpath("found.jsonl").read_text(encoding="utf8").splitlines()]
    assert [row["test"] for row in rows] == ["test_all.py::test_right"] * 2 + ["test_all.py::test_wrong", "test_all.py::test_law"]
    assert [row["passed"] for row in rows] == [True, True, False, True]
    assert rows[2]["headline"] == "UNBIASED UP TO A CONSTANT"
    assert rows[2]["worlds"] == ["tokens/V=2,T=2,P=1,G=4/binary"]
    assert rows[2]["found"]["exit_code"] == 1
    result.stdout.fnmatch_lines(["report: *found.jsonl"])


def test_run_that_breaks_off_keeps_what_it_found(pytester, run):
    pytester.makepyfile(TESTS + "\ndef test_crash():\n    import os\n    os._exit(3)\n")

    result = run("--pgtheory-report", "found.jsonl")

    assert result.ret == 3
    assert len(pytester.path.joinpath("found.jsonl").read_text(encoding="utf8").splitlines()) == 4


def test_assertion_outside_a_test_is_reported_without_one(pytester, run):
    pytester.makepyfile("from pgtheory.testing import assert_unbiased\nassert_unbiased('leave-one-out')\ndef test_nothing(): pass")

    run("--pgtheory-report", "found.jsonl")

    assert json.loads(pytester.path.joinpath("found.jsonl").read_text(encoding="utf8"))["test"] == ""


def test_workers_hand_their_verdicts_over(pytester, run):
    pytest.importorskip("xdist")
    pytester.makepyfile(TESTS)

    result = run("-p", "xdist", "-n", "2", "--pgtheory-report", "found.jsonl")

    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*= pgtheory =*"])
    result.stdout.fnmatch_lines(["passed  UNBIASED * leave-one-out (2 times) *"])
    rows = [json.loads(line) for line in pytester.path.joinpath("found.jsonl").read_text(encoding="utf8").splitlines()]
    assert sorted(row["assertion"] for row in rows) == ["assert_same_law"] + ["assert_unbiased"] * 3


def test_nothing_is_printed_or_loaded_without_assertions(pytester, run):
    pytester.makepyfile("""
        import sys

        def test_nothing_is_loaded():
            assert not {"numpy", "torch", "pgtheory.testing", "pgtheory.checking"} & set(sys.modules)
    """)

    result = run("--pgtheory-report", "found.jsonl")

    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*= pgtheory =*")
    assert pytester.path.joinpath("found.jsonl").read_text(encoding="utf8") == ""


def test_marker_is_registered(pytester, run):
    pytester.makepyfile("import pytest\n@pytest.mark.pgtheory\ndef test_marked(): pass")

    run("--strict-markers", "-m", "pgtheory").assert_outcomes(passed=1)


def test_report_that_cannot_be_written_is_a_usage_error(pytester, run):
    result = run("--pgtheory-report", "nowhere/found.jsonl")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--pgtheory-report: *found.jsonl cannot be written: No such file or directory."])


def test_importing_the_plugin_loads_neither_numpy_nor_the_engine():
    code = "import pgtheory.pytest_plugin, sys; print(*{'numpy', 'torch', 'scipy', 'pgtheory.checking', 'pgtheory.testing'} & set(sys.modules))"

    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)

    assert (result.returncode, result.stdout.split()) == (0, [])
