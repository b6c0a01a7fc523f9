"""Runs: what is recorded, when, and how a run that fails says so."""

import numpy as np
import pytest

from pgtheory.tabular.dynamics.oracles import FunctionOracle, SoftmaxOracle
from pgtheory.tabular.dynamics.running import distance_to, divergence_from, entropy, recorded, run
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.dynamics.steps import Constant
from pgtheory.tabular.dynamics.updates import FunctionUpdate, Gradient
from pgtheory.tabular.errors import InvalidArgument, NotConverged
from pgtheory.tabular.models.bandit import Bandit
from pgtheory.tabular.solve.optimal import optimal

PARABOLA = FunctionOracle(lambda x: -(x**2).sum(axis=1) / 2, lambda x: -x, optimal_value=0.0)


def test_every_number_is_that_of_its_step():
    """x_t = (1 - eta)^t x_0 on a parabola."""
    found = run(Gradient(Constant(0.5)), PARABOLA, np.array([[8.0], [2.0]]), 3)
    x = np.array([8.0, 2.0]) * 0.5 ** np.arange(4)[:, None]

    assert found.t.tolist() == [0, 1, 2, 3]
    assert (found.value == -(x**2) / 2).all() and (found.gap == x**2 / 2).all() and (found.gradient_norm == x).all()
    assert np.isnan(found.size[0]).all() and (found.size[1:] == 0.5).all()
    assert found.theta.ravel().tolist() == [1.0, 0.25] and found.final.t == 3


def test_fewer_records_are_the_same_run():
    update, start = Gradient(Constant(0.1)), np.array([[8.0], [2.0]])
    everything, few = run(update, PARABOLA, start, 100), run(update, PARABOLA, start, 100, record=[7, 90, 7])

    assert few.t.tolist() == [0, 7, 90, 100]
    for name in ("value", "gap", "gradient_norm"):
        assert (getattr(few, name) == getattr(everything, name)[[0, 7, 90, 100]]).all()


def test_logarithmic_records_are_about_fifty_a_decade():
    t = recorded("log", 10**6)

    assert t[0] == 0 and t[-1] == 10**6 and (np.diff(t) > 0).all()
    assert t[:20].tolist() == list(range(20))
    assert all(45 <= ((t > 10**k) & (t <= 10 ** (k + 1))).sum() <= 55 for k in (3, 4, 5))
    assert recorded("log", 0).tolist() == [0] and recorded("log", 1).tolist() == [0, 1] and recorded("all", 2).tolist() == [0, 1, 2]


def test_no_best_value_no_gap():
    oracle = FunctionOracle(PARABOLA.value, PARABOLA.gradient)

    assert run(Gradient(Constant(0.5)), oracle, np.ones((1, 1)), 2).gap is None


def test_gap_of_a_run_is_that_of_the_optimal_policy(stacks):
    stack = stacks()
    found = run(Gradient(Constant(0.3)), SoftmaxOracle(stack), np.zeros((3, 3)), 20)
    best = np.array([optimal(model).J for model in stack.models])

    assert abs(found.gap - (best - found.value)).max() <= 1e-10
    assert (found.gap[-1] < found.gap[0]).all()


def test_watched_quantities_are_functions_of_the_outlook():
    stack = Stack.of([Bandit(r=[[1.0, 0.0], [0.0, 1.0]], mu=np.array([0.25, 0.75]))])
    reference = np.log(np.array([[0.5, 0.5], [0.25, 0.75]]))
    watch = {"entropy": entropy, "kl": divergence_from(reference), "far": distance_to(np.zeros((2, 2))), "p": lambda o: o.pi[:, :, 0]}
    found = run(Gradient(Constant(0.3)), SoftmaxOracle(stack), np.array([[0.0, 0.0], [1.0, 0.0]]), 4, watch=watch)
    p = found.watched["p"][:, 0]
    rows = np.stack([p, 1 - p], axis=2)

    assert found.watched["p"].shape == (5, 1, 2)
    np.testing.assert_allclose(found.watched["entropy"][:, 0], -(rows * np.log(rows)).sum(axis=2) @ [0.25, 0.75], rtol=1e-13)
    np.testing.assert_allclose(found.watched["kl"][:, 0], (rows * (np.log(rows) - reference)).sum(axis=2) @ [0.25, 0.75], rtol=1e-12)
    assert found.watched["far"][0] == [1.0]


def test_progress_hears_of_every_record():
    heard = []
    run(Gradient(Constant(0.5)), PARABOLA, np.ones((1, 1)), 10, record=[4, 8], progress=lambda state: heard.append(state.t))

    assert heard == [4, 8, 10]


def test_run_goes_on_from_its_final_state():
    update = Gradient(Constant(0.5))

    assert update.step(run(update, PARABOLA, np.ones((1, 1)), 2).final).theta.tolist() == [[0.125]]


def test_point_that_is_not_finite_stops_the_run_at_its_step():
    """theta doubles, but for problem 1, which breaks in step 3."""
    values = iter([2.0, 2.0, np.nan, 2.0])
    update = FunctionUpdate(lambda theta: theta * np.array([[2.0], [next(values)]]))

    with pytest.raises(NotConverged, match=r"theta of problem 1 is nan after step 3; step 2 had size") as error:
        run(update, PARABOLA, np.ones((2, 1)), 4, record=[])

    assert error.value.best.tolist() == [[4.0], [4.0]]  # pyright: ignore


def test_value_that_is_not_finite_stops_the_run():
    oracle = FunctionOracle(lambda x: np.log(x[:, 0] - 2), lambda x: -np.ones_like(x))

    with pytest.raises(NotConverged, match=r"value of problem 0 is -inf after step 2 of size 0.5"):
        run(Gradient(Constant(0.5)), oracle, np.array([[3.0]]), 4)


@pytest.mark.parametrize(
    ("rest", "text"),
    [
        ({"record": "some"}, 'record is \'some\', expected "all", "log" or steps'),
        ({"record": [11]}, "record has step 11, the run has 10"),
        ({"record": [-1]}, "a recorded step is -1"),
        ({"record": [1.5]}, "a recorded step is 1.5"),
        ({"watch": {"gap": entropy}}, "watch has the name 'gap', which is recorded anyway"),
        ({"watch": {"size": entropy}}, "watch has the name 'size'"),
    ],
)
def test_bad_requests_are_refused(rest, text):
    with pytest.raises(InvalidArgument) as error:
        run(Gradient(Constant(0.5)), PARABOLA, np.ones((1, 1)), 10, **rest)

    assert text in str(error.value)


def test_number_of_steps_is_a_count():
    with pytest.raises(InvalidArgument, match="steps is -1"):
        run(Gradient(Constant(0.5)), PARABOLA, np.ones((1, 1)), -1)
