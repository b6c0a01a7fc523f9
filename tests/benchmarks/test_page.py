"""The page: the last line of a key counts, a wrong answer is never the best, and what is lost is said."""

import json

import pytest

pytest.importorskip("numba")

from tests.benchmarks import page, results
from tests.benchmarks.peers import scaled


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    return tmp_path


def lap(cell, name, group, seconds, right=True, word="", bound=1e-9):
    family, size = cell.split("/")
    values = {"cell": cell, "family": family, "size": int(size), "S": int(size), "name": name, "group": group, "word": word}
    verdict = {} if seconds is None else {"right": right, "bound": bound, "gap": 0.0, "method": "some-method" if group == "ours" else ""}
    results.write("policy", f"{cell} {name}", seconds=seconds, **values, **verdict)


def test_of_two_lines_with_one_key_the_last_counts(folder):
    results.write("check", "a", measured="1 s", target="", reached=None)
    results.write("check", "b", measured="2 s", target="1 s", reached=False)
    results.write("check", "a", measured="3 s", target="5 s", reached=True)

    assert {key: v["measured"] for key, v in results.read("check").items()} == {"a": "3 s", "b": "2 s"}
    before = page.figures("check")
    results.compact("check")
    assert len((folder / "check.jsonl").read_text().splitlines()) == 2
    assert page.figures("check") == before
    assert "| a | 3 s | 5 s | yes |" in before and "| b | 2 s | 1 s | **no** |" in before
    assert results.read("nothing") == {}


def test_a_fast_wrong_answer_is_no_win(folder):
    results.write("policy", "machine", cores=2, architecture="x", python="3", packages={}, triad=31.0)
    lap("queue/1000", "pgtheory", "ours", 3.0)
    lap("queue/1000", "quantecon policy iteration", "quantecon", 1.0, right=False, bound=2e-6)
    lap("queue/1000", "quantecon modified policy iteration, k = 20", "quantecon", 6.0)
    lap("queue/1000", "SuperLU policy iteration", "by hand", None, word="> 10 s")
    text = page.race_table("policy")

    assert "| 3.0 s some-method | 1e-09 | 6.0 s modified policy iteration, k = 20 | > 10 s | 28 ms storm | 0.50 |" in text
    assert "wrong: quantecon policy iteration on queue/1000 (error 2e-06)" in text
    assert "**wrong**" in page.everybody("policy")
    assert "queue/1000 (storm 28 ms, ours 3.0 s)" in text, "a figure from elsewhere that is smaller is said"


def test_lost_cells_are_named(folder):
    results.write("policy", "machine", cores=2, architecture="x", python="3", packages={}, triad=31.0)
    for cell, ours in (("garnet/100", 2.5), ("garnet/1000", 1.5), ("lake/32", 0.5)):
        lap(cell, "pgtheory", "ours", ours)
        lap(cell, "SuperLU policy iteration", "by hand", 1.0)
    lap("dense/1000", "pgtheory", "ours", 0.1, right=False, bound=1.0)
    lap("dense/1000", "LAPACK policy iteration", "by hand", 1.0)
    text = page.race_table("policy")

    assert "more than twice as long as the best right answer: garnet/100 (2.5 times, 1.5 s more)." in text
    assert "by less than that: garnet/1000 (1.5)." in text
    assert "pgtheory on dense/1000 (error 1e+00)" in text
    assert "| dense/1000 | 1000 | **wrong** |" in text
    assert "scaled, is smaller: garnet/100 (storm 1.6 ms, ours 2.5 s); lake/32 (storm 4.4 ms, ours 500 ms)." in text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(1.2e-5, "0.012 ms"), (3.1e-4, "0.31 ms"), (0.0123, "12 ms"), (0.123, "123 ms"), (0.99951, "1.0 s"), (1.25, "1.2 s"), (58.3, "58 s")],
)
def test_durations(seconds, text):
    assert page.duration(seconds) == text


def test_figures_from_elsewhere_are_scaled_by_the_bandwidth():
    assert scaled("lake/316", 15.5) == ("storm", 3.2)
    assert scaled("queue/100000", 15.5) is None


def test_every_block_of_the_page_has_a_table_and_is_filled_from_what_is_committed():
    text = page.PAGE.read_text()

    assert {name for _, name, _ in page.BLOCK.findall(text)} == set(page.TABLES)
    assert page.BLOCK.sub(lambda m: m[1] + page.TABLES[m[2]]() + m[3], text) == text, "run: python tests/benchmarks/run.py page"


def test_lines_are_whole_objects(folder):
    results.write_machine("policy", triad=20.0)

    (line,) = (folder / "policy.jsonl").read_text().splitlines()
    assert json.loads(line)["triad"] == 20.0
