"""The best policy to a certified 1e-8, and the gradient of a softmax policy: the library against quantecon and what is written by hand, in every cell."""

import time
from functools import partial

import pytest

from tests.benchmarks import cells, results
from tests.benchmarks.competitors import TASKS
from tests.benchmarks.judge import judge_gradient, judge_policy, reference
from tests.benchmarks.race import Runner, race
from tests.benchmarks.triad import bandwidth


def started(task):
    """A process for each group of competitors of a task; the bandwidth of the memory is measured before any of them exists."""
    results.write_machine(task, triad=round(bandwidth(), 1))
    runners = {group: Runner(task, group) for group in dict.fromkeys(c.group for c in TASKS[task])}
    yield runners
    for runner in runners.values():
        runner.stop()


@pytest.fixture(scope="module")
def policy_runners():
    yield from started("policy")


@pytest.fixture(scope="module")
def gradient_runners():
    yield from started("gradient")


@pytest.mark.parametrize("cell", cells.CELLS, ids=str)
def test_policy(policy_runners, cell, deadline):
    compete("policy", policy_runners, cell, deadline, lambda mdp: partial(judge_policy, mdp))


@pytest.mark.parametrize("cell", cells.CELLS, ids=str)
def test_gradient(gradient_runners, cell, deadline):
    compete("gradient", gradient_runners, cell, deadline, lambda mdp: partial(judge_gradient, reference(mdp, cells.softmax(mdp))))


def compete(task, runners, cell, deadline, judge_of):
    """Race, judge and write down one cell; `judge_of(mdp)` is called after the race."""
    if time.time() > deadline:
        pytest.skip("the time of this run is over")
    fitting = {c.name: c for c in TASKS[task] if c.fits(cell)}
    laps = race(runners, [c for c in fitting.values() if c.installed], cell)
    mdp = cell.build()
    judge = judge_of(mdp)
    judged = {name: judge(lap.answer) for name, lap in laps.items() if lap.answer is not None}
    for name, c in fitting.items():
        values = {"cell": str(cell), "family": cell.family, "size": cell.size, "S": mdp.S, "name": name, "group": c.group}
        if name not in laps:
            results.write(task, f"{cell} {name}", **values, seconds=None, word="not installed")
            continue
        lap = laps[name]
        if name in judged:
            values |= {"bound": judged[name].bound, "gap": judged[name].gap, "right": judged[name].right, "method": lap.method}
        results.write(task, f"{cell} {name}", **values, seconds=lap.median, runs=len(lap.seconds), word=lap.word)
    assert laps["pgtheory"].seconds, laps["pgtheory"].word
    assert judged["pgtheory"].right, judged["pgtheory"]
