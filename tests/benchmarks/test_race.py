"""The race: whoever is over the limit is ended and says so, whoever fails says why, and the others go on."""

import pytest

pytest.importorskip("numba")

from tests.benchmarks.cells import Cell
from tests.benchmarks.competitors import POLICY
from tests.benchmarks.judge import judge_policy
from tests.benchmarks.race import Failed, Lap, Runner, race, wanted

SMALL, LARGE = Cell("queue", 300), Cell("queue", 600)
SLOW, OTHER = (next(c for c in POLICY if c.name == name) for name in ("SuperLU policy iteration", "solve_banded policy iteration"))


@pytest.fixture
def runner():
    found = Runner("policy", "by hand")
    yield found
    found.stop()


def test_a_slow_process_is_ended_and_the_others_go_on(runner, monkeypatch):
    ask, processes = Runner.ask, []

    def hurried(self, order, value, limit):
        late = order == "run" and value[0] == SLOW.name and limit == SMALL.limit
        processes.append(self.process)
        return ask(self, order, value, 0.0 if late else limit)

    monkeypatch.setattr(Runner, "ask", hurried)
    laps = race({"by hand": runner}, [SLOW, OTHER], SMALL)
    again = race({"by hand": runner}, [SLOW, OTHER], LARGE)

    assert laps[SLOW.name].word == "> 10 s" and laps[SLOW.name].median is None
    assert runner.late == {(SLOW.name, "queue"): "queue/300"}
    assert again[SLOW.name].word == "not tried: over the limit at queue/300"
    first, *_, last = (p for p in processes if p is not None)
    assert first is not last and not first.is_alive() and last.is_alive()
    for cell, found in ((SMALL, laps), (LARGE, again)):
        assert len(found[OTHER.name].seconds) >= 5 and min(found[OTHER.name].seconds) > 0
        assert judge_policy(cell.build(), found[OTHER.name].answer).right


def test_a_competitor_that_raises_says_why(runner):
    """Banded systems need CSR: a dense model is no input for them."""
    laps = race({"by hand": runner}, [OTHER], Cell("dense", 20))

    assert laps[OTHER.name].word.startswith("failed: AttributeError")
    assert laps[OTHER.name].answer is None
    with pytest.raises(Failed, match="AttributeError"):
        runner.ask("run", (OTHER.name, 1), 60)


@pytest.mark.parametrize(("took", "counted"), [(0.01, False), (7.9, False), (8.1, True)])
def test_a_first_call_counts_only_where_there_is_no_second(runner, monkeypatch, took, counted):
    monkeypatch.setattr(Runner, "run", lambda self, name, calls, cell, limit: ((took,), None, ""))

    lap = race({"by hand": runner}, [OTHER], SMALL)[OTHER.name]

    assert lap.seconds == [took] * (1 if counted else wanted(took)[0])


def test_median_and_number_of_calls():
    assert Lap().median is None
    assert Lap(seconds=[3.0, 1.0, 2.0]).median == 2.0
    assert [wanted(first) for first in (1e-4, 0.01, 0.1, 0.5, 2.0, 5.0, 9.0)] == [(7, 20), (7, 2), (7, 1), (5, 1), (3, 1), (2, 1), (0, 1)]
