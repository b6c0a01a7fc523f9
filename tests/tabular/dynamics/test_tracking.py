"""Tracking rules: what they are with exact gradients, the recursions written out, and where they degenerate."""

from itertools import pairwise

import numpy as np
import pytest

from pgtheory.tabular.dynamics.noisy_quadratic import NoisyQuadratic
from pgtheory.tabular.dynamics.running import run
from pgtheory.tabular.dynamics.steps import Constant, Power
from pgtheory.tabular.dynamics.tracking import Averaged, Recursive, Track, Transported
from pgtheory.tabular.dynamics.updates import Gradient
from pgtheory.tabular.errors import InvalidArgument

H = np.diag([1.0, 0.5, 0.2])
QUIET = NoisyQuadratic(H, 0.0)
START = np.array([[1.0, -2.0, 3.0], [0.5, 0.5, 0.5]])
ETAS = lambda t: [1.0, 0.3, 0.7, 0.2, 0.5][t % 5]


def memories(update, start=START, steps: int = 12) -> list[tuple[np.ndarray, np.ndarray]]:
    """(d_t, theta_t)."""
    states = []
    run(update, update.sampler.oracle, start, steps, progress=lambda state: states.append(state.memory))
    return states


@pytest.mark.parametrize("rule", [Transported, Recursive])
@pytest.mark.parametrize("normalised", [True, False])
def test_without_noise_the_gradient_of_a_quadratic_is_followed_without_lag(rule, normalised):
    for d, theta in memories(rule(Power(0.3), ETAS, QUIET, np.random.default_rng(0), normalised)):
        assert abs(d + theta @ H).max() <= 1e-13


def test_plain_momentum_lags():
    assert max(abs(d + theta @ H).max() for d, theta in memories(Averaged(Power(0.3), ETAS, QUIET, np.random.default_rng(0)))) > 0.05


class Recorded:
    """A sampler that tells where it was asked; the gradient is a given number."""

    def __init__(self) -> None:
        self.asked: list[tuple] = []
        self.oracle = NoisyQuadratic(np.eye(1), 0.0).oracle

    def gradient(self, theta, rng):
        self.asked.append((theta.item(),))
        return np.full_like(theta, 2.0 + len(self.asked))

    def with_difference(self, theta, last, rng):
        self.asked.append((theta.item(), last.item()))
        return np.full_like(theta, 2.0 + len(self.asked)), np.full_like(theta, 0.25)


@pytest.mark.parametrize("rule", [Averaged, Transported, Recursive])
def test_recursion_is_the_one_of_the_paper(rule):
    """Two steps by hand: eta 1 then 0.25, steps 1 not normalised, gradients 3 and 4, difference 0.25."""
    sampler = Recorded()
    update = rule(Constant(1.0), lambda t: [1.0, 0.25][t], sampler, np.random.default_rng(0), False)
    found = run(update, sampler.oracle, np.array([[10.0]]), 2, watch={"theta": lambda o: o.theta})
    d_1 = {Averaged: 0.75 * 3 + 0.25 * 4, Transported: 0.75 * 3 + 0.25 * 4, Recursive: 0.75 * (3 + 0.25) + 0.25 * 4}[rule]

    assert found.watched["theta"].ravel().tolist() == [10.0, 13.0, 13.0 + d_1]
    assert sampler.asked == {Averaged: [(10.0,), (13.0,)], Transported: [(10.0,), (13.0 + 3 * 3.0,)], Recursive: [(10.0, 10.0), (13.0, 10.0)]}[rule]


@pytest.mark.parametrize("rule", [Averaged, Transported, Recursive])
def test_eta_one_without_noise_is_gradient_ascent(rule):
    update = rule(Constant(0.3), lambda t: 1.0, QUIET, np.random.default_rng(0), False)

    assert abs(run(update, QUIET.oracle, START, 20).theta - run(Gradient(Constant(0.3)), QUIET.oracle, START, 20).theta).max() <= 1e-14


def test_normalised_steps_have_the_length_of_the_step_size():
    found = memories(Recursive(Power(0.3), ETAS, NoisyQuadratic(H, 1.0, 1.0), np.random.default_rng(0)))
    lengths = [np.linalg.norm(b - a, axis=1) for (_, a), (_, b) in pairwise(found)]

    np.testing.assert_allclose(lengths, [[0.3 / (t + 1)] * 2 for t in range(11)], rtol=1e-12)


def test_direction_zero_stays():
    update = Averaged(Constant(1.0), lambda t: 1.0, QUIET, np.random.default_rng(0))

    assert run(update, QUIET.oracle, np.zeros((1, 3)), 3).theta.tolist() == [[0.0, 0.0, 0.0]]


@pytest.mark.parametrize("eta", [0.0, 1.5, np.nan])
def test_eta_outside_the_unit_interval_is_refused(eta):
    with pytest.raises(InvalidArgument, match=r"eta\(0\) is .*, expected a number above 0 and at most 1"):
        run(Averaged(Constant(1.0), lambda t: eta, QUIET, np.random.default_rng(0)), QUIET.oracle, START, 1)


def test_memory_may_be_given():
    update = Averaged(Constant(1.0), lambda t: 0.5, QUIET, np.random.default_rng(0), False)
    state = update.init(QUIET.oracle, START)._replace(memory=Track(np.full((2, 3), 8.0), START))

    assert (update.step(state).memory.d == 4.0 + 0.5 * (-START @ H)).all()
