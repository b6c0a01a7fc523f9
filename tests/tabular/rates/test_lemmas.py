"""The lemmas behind the constants of `softmax` and `softmax-entropy`, at random points: smoothness, and |grad J| against the gap."""

import numpy as np
import pytest

from pgtheory.tabular.dynamics.oracles import SoftmaxOracle
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.models.mdp import MDP

N, S, A = 40, 2, 2
STEP = 1e-5
"""Of central differences of a gradient: error STEP^2 times a fourth derivative of size (1-gamma)^-5, rounding 1e-16 (1-gamma)^-2 / STEP; 1e-6 of the bound covers both."""


def points(tau, gamma, spread, seed=0):
    """Processes with rewards 0 or 1, transitions that are nearly sure, and logits that are not small: where second derivatives are large."""
    rng = np.random.default_rng(seed)
    stack = Stack.of(
        [MDP(P=rng.dirichlet(0.2 * np.ones(S), size=(S, A)), r=rng.integers(0, 2, (S, A)), mu=rng.dirichlet(np.ones(S)), gamma=gamma) for _ in range(N)]
    )  # fmt: skip
    return SoftmaxOracle(stack, tau=tau), spread * rng.normal(size=(N, S, A))


def curvature(oracle, theta):
    """The largest eigenvalue of the second derivative, by size, (N,)."""
    directions = np.eye(S * A).reshape(-1, 1, S, A)
    rows = [(oracle(theta + STEP * u).gradient - oracle(theta - STEP * u).gradient) / (2 * STEP) for u in directions]
    H = np.stack([row.reshape(N, -1) for row in rows], axis=1)
    return abs(np.linalg.eigvalsh((H + H.swapaxes(1, 2)) / 2)).max(axis=1)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("spread", [0.3, 1.0, 3.0])
def test_second_derivative_is_at_most_the_smoothness_constant(gamma, spread):
    plain, bonus = (curvature(*points(tau, gamma, spread)) for tau in (0.0, 0.2))

    assert plain.max() <= 8 / (1 - gamma) ** 3 * (1 + 1e-6)
    assert bonus.max() <= (8 + 0.2 * (4 + 8 * np.log(A))) / (1 - gamma) ** 3 * (1 + 1e-6)


def test_curvature_of_two_arms_is_the_one_in_closed_form():
    """J = sigmoid(u), u the difference of the logits: the second derivative is 2 |sigmoid''|, largest, 1/(3 sqrt 3), where sigmoid is (1 - 1/sqrt 3)/2."""
    oracle = SoftmaxOracle(Stack.of([MDP(P=np.zeros((S, A, S)), r=[[1, 0], [1, 0]], mu=[1, 0], gamma=0.5)] * N))
    p = (1 - 1 / np.sqrt(3)) / 2

    assert curvature(oracle, np.tile([[[np.log(p / (1 - p)), 0.0], [0.0, 0.0]]], (N, 1, 1))).max() == pytest.approx(1 / (3 * np.sqrt(3)), rel=1e-6)


@pytest.mark.parametrize("spread", [0.3, 1.0, 3.0])
def test_soft_gap_against_the_gradient(spread):
    """gap <= max(d*/d) |grad J|^2 / (2 tau min d min pi^2); without min pi^2 it is not so."""
    oracle, theta = points(0.2, 0.7, spread)
    here, best = oracle(theta), oracle(oracle.optimum.Q / 0.2)
    np.testing.assert_allclose(best.value, oracle.best, rtol=1e-12)

    ratio, least = (best.occupancy / here.occupancy).max(axis=1), here.pi.min(axis=(1, 2))
    free = ratio * here.gradient_norm**2 / (2 * 0.2 * here.occupancy.min(axis=1))

    assert (here.gap <= free / least**2 * (1 + 1e-9)).all()
    assert (here.gap > free).any()
