"""Expectations over all sample paths: against sums written out, and against seeds; the samples of every arm."""

from itertools import product

import numpy as np
import pytest

from pgtheory.tabular.dynamics.expected import EveryOutcome, expected_run, score
from pgtheory.tabular.dynamics.oracles import SoftmaxOracle
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.dynamics.steps import Constant, Power
from pgtheory.tabular.dynamics.stochastic import OneSample
from pgtheory.tabular.dynamics.tracking import Averaged, Recursive, Transported
from pgtheory.tabular.dynamics.updates import Gradient
from pgtheory.tabular.models.bandit import Bandit

R = np.array([[0.9, 0.4, 0.1], [0.3, 0.2, 0.7]])
STACK = Stack.of([Bandit(r=r) for r in R])
ETAS = (1.0, 0.6, 0.3)


def soft(theta):
    return np.exp(theta) / np.exp(theta).sum()


def by_hand(r, rule, steps):
    """E J along every path of arms, one path after the other."""
    total = 0.0
    for path in product(range(3), repeat=steps):
        chance, theta, last, d = 1.0, np.zeros(3), np.zeros(3), np.zeros(3)
        for eta, a in zip(ETAS, path, strict=False):
            at = theta + (1 - eta) / eta * (theta - last) if rule is Transported else theta
            chance *= soft(at)[a]
            g = r[a] * (np.eye(3)[a] - soft(at))
            if rule is Recursive:
                d = d + g - soft(last)[a] / soft(theta)[a] * r[a] * (np.eye(3)[a] - soft(last))
            d = g if rule is None else (1 - eta) * d + eta * g if rule is not Recursive else g + (1 - eta) * (d - g)
            last, theta = theta, theta + 0.7 * (d if rule is None else d / np.linalg.norm(d))
        total += chance * soft(theta) @ r
    return total


@pytest.mark.parametrize("rule", [None, Averaged, Transported, Recursive])
def test_value_is_the_sum_over_all_paths(rule):
    update = Gradient(Constant(0.7)) if rule is None else rule(Power(0.7, 0.0), lambda t: ETAS[t], EveryOutcome(STACK), np.random.default_rng(0))
    found = expected_run(update, SoftmaxOracle(STACK), np.zeros((2, 1, 3)), 3, OneSample())

    np.testing.assert_allclose(found.value[-1], [by_hand(r, rule, 3) for r in R], rtol=1e-12)
    np.testing.assert_allclose(found.value + found.gap, np.broadcast_to(R.max(axis=1), (4, 2)), rtol=1e-12)
    np.testing.assert_allclose(found.size[1:], 0.7)


def test_samples_of_all_arms_have_the_gradient_and_its_difference_as_their_mean():
    rng = np.random.default_rng(0)
    theta, last = rng.normal(size=(2, 2, 1, 3))
    oracle = SoftmaxOracle(STACK)
    g, difference = EveryOutcome(STACK).with_difference(np.repeat(theta, 3, axis=0), np.repeat(last, 3, axis=0), None)
    mean = lambda x: np.einsum("nk,nka->na", oracle(theta).pi[:, 0], x.reshape(2, 3, 3))

    np.testing.assert_allclose(mean(g), oracle(theta).gradient[:, 0], atol=1e-15)
    np.testing.assert_allclose(mean(difference), (oracle(theta).gradient - oracle(last).gradient)[:, 0], atol=1e-15)
    assert abs(score(np.zeros((3, 1, 3)))[:, 0] - (np.eye(3) - 1 / 3)).max() < 1e-15


def test_watched_numbers_are_means_over_the_paths():
    """After one step from theta = 0: three points, each with probability 1/3."""
    found = expected_run(
        Gradient(Constant(0.7)), SoftmaxOracle(STACK), np.zeros((2, 1, 3)), 1, OneSample(), watch={"first": lambda o: o.pi[:, 0, 0] ** 2}
    )
    expected = [np.mean([soft(0.7 * r[a] * (np.eye(3)[a] - 1 / 3))[0] ** 2 for a in range(3)]) for r in R]

    np.testing.assert_allclose(found.watched["first"][1], expected, rtol=1e-13)


def test_optimum_is_found_once_and_copied():
    oracle = SoftmaxOracle(STACK)
    assert oracle.optimum is SoftmaxOracle(STACK).optimum
    np.testing.assert_array_equal(oracle.repeated(2).optimum.J, np.repeat(R.max(axis=1), 2))
    np.testing.assert_array_equal(
        SoftmaxOracle(Stack.of([Bandit(r=r) for r in R]), tau=0.5).repeated(2).optimum.J[::2], SoftmaxOracle(STACK, tau=0.5).optimum.J
    )
