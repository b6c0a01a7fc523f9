"""The race: whoever is over the limit is ended and says so, whoever fails says why, and the others go on."""

import pytest

pytest.importorskip("numba")

from tests.benchmarks.cells import Cell
from tests.benchmarks.judge import judge_policy
from tests.benchmarks.race import Failed, Lap, Runner, race, wanted

SMALL, LARGE = Cell("queue", 300), Cell("queue", 600)


@pytest.fixture
def runners():
    found = [Runner("policy", name) for name in ("SuperLU policy iteration", "solve_banded policy iteration")]
    yield found
    for runner in found:
        runner.stop()


def test_a_slow_process_is_ended_and_the_other_goes_on(runners, monkeypatch):
    slow, other = runners
    ask = Runner.ask
    hurried = lambda self, order, value, limit: ask(self, order, value, 0.0 if self is slow and order == "run" and limit == SMALL.limit else limit)
    monkeypatch.setattr(Runner, "ask", hurried)

    laps = race(runners, SMALL)
    process = slow.process
    again = race(runners, LARGE)

    assert laps[slow.name].word == "> 10 s" and laps[slow.name].median is None
    assert process is None and slow.late == {"queue": "queue/300"}
    assert again[slow.name].word == "not tried: over the limit at queue/300"
    for cell, found in ((SMALL, laps), (LARGE, again)):
        assert len(found[other.name].seconds) >= 5 and min(found[other.name].seconds) > 0
        assert judge_policy(cell.build(), found[other.name].answer).right


def test_a_competitor_that_raises_says_why(runners):
    """Banded systems need CSR: a dense model is no input for them."""
    laps = race(runners[1:], Cell("dense", 20))

    assert laps["solve_banded policy iteration"].word.startswith("failed: AttributeError")
    assert laps["solve_banded policy iteration"].answer is None
    with pytest.raises(Failed, match="AttributeError"):
        runners[1].ask("run", 1, 60)


def test_median_and_number_of_calls():
    assert Lap().median is None
    assert Lap(seconds=[3.0, 1.0, 2.0]).median == 2.0
    assert [wanted(first) for first in (1e-4, 0.01, 0.1, 0.5, 2.0, 5.0, 9.0)] == [(7, 20), (7, 2), (7, 1), (5, 1), (3, 1), (1, 1), (0, 1)]
