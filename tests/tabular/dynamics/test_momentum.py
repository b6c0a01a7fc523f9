"""Momentum, extrapolation and optimism against linear recursions with known eigenvalues."""

import numpy as np
import pytest

from pgtheory.tabular.dynamics.mirror import Euclidean, MirrorDescent, NegativeEntropy
from pgtheory.tabular.dynamics.momentum import Momentum, Nesterov, Optimistic
from pgtheory.tabular.dynamics.oracles import DirectOracle, FunctionOracle
from pgtheory.tabular.dynamics.running import run
from pgtheory.tabular.dynamics.steps import Constant
from pgtheory.tabular.dynamics.updates import Gradient
from pgtheory.tabular.errors import InvalidArgument

CURVATURE = np.array([1.0, 0.1])
QUADRATIC = FunctionOracle(lambda x: -(CURVATURE * x**2).sum(axis=1) / 2, lambda x: -CURVATURE * x, optimal_value=0.0)
GAME = FunctionOracle(lambda z: z[:, 0] * z[:, 1], lambda z: np.stack([-z[:, 1], z[:, 0]], axis=1))
"""min over x, max over y of x y: the field is (-y, x)."""


def points(update, oracle, start, steps: int) -> np.ndarray:
    return run(update, oracle, start, steps, watch={"theta": lambda o: o.theta}).watched["theta"][:, 0]


def test_heavy_ball_is_the_second_order_recursion():
    """x_{t+1} = x_t + eta g_t + beta (x_t - x_{t-1}): the powers of its companion matrix."""
    eta, beta = 0.3, 0.8
    found = points(Momentum(Gradient(Constant(eta)), beta), QUADRATIC, np.array([[1.0, 1.0]]), 30)

    for i, curvature in enumerate(CURVATURE):
        companion = np.array([[1 + beta - eta * curvature, -beta], [1.0, 0.0]])
        expected = [(np.linalg.matrix_power(companion, t) @ [1.0, 1.0])[0] for t in range(31)]
        np.testing.assert_allclose(found[:, i], expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("beta", [0.7, None])
def test_nesterov_extrapolates_first(beta):
    eta = 0.5
    found = points(Nesterov(Gradient(Constant(eta)), beta), QUADRATIC, np.array([[1.0, 1.0]]), 30)
    x = [np.ones(2), np.ones(2)]
    for t in range(30):
        y = x[-1] + (t / (t + 3) if beta is None else beta) * (x[-1] - x[-2])
        x.append((1 - eta * CURVATURE) * y)

    np.testing.assert_allclose(found, x[1:], rtol=0, atol=1e-14)
    assert abs(found - points(Gradient(Constant(eta)), QUADRATIC, np.array([[1.0, 1.0]]), 30)).max() > 0.1


def test_nesterov_keeps_its_rate_on_a_convex_quadratic():
    """gap_t <= 2 |x_0 - x*|^2 / (eta (t + 1)^2), eta = 1 / L. Source: Nesterov (1983)."""
    found = run(Nesterov(Gradient(Constant(1.0))), QUADRATIC, np.array([[1.0, 10.0]]), 300)

    assert (found.gap[:, 0] <= 2 * 101 / (found.t + 1) ** 2).all()


@pytest.mark.parametrize("eta", [0.1, 0.3, 1.0])
def test_plain_ascent_descent_on_a_bilinear_game_spirals_out(eta):
    """|z_t| = (1 + eta^2)^(t / 2) |z_0|."""
    z = points(Gradient(Constant(eta)), GAME, np.array([[0.6, 0.8]]), 40)

    np.testing.assert_allclose(np.linalg.norm(z, axis=1), (1 + eta**2) ** (np.arange(41) / 2), rtol=1e-13)


@pytest.mark.parametrize(("eta", "radius"), [(0.1, 0.99494), (0.3, 0.9487), (0.5, 0.7071), (3**-0.5, 1.0), (0.6, 1.057)])
def test_optimism_on_a_bilinear_game_has_the_roots_of_its_characteristic_polynomial(eta, radius):
    """w = x + i y moves by w' = w + i eta (2 w - w_prev): z^2 - (1 + 2 i eta) z + i eta = 0."""
    z = points(Optimistic(Gradient(Constant(eta))), GAME, np.array([[0.6, 0.8]]), 60)
    companion = np.array([[1 + 2j * eta, -1j * eta], [1.0, 0.0]])
    w0 = 0.6 + 0.8j
    w1 = w0 + 1j * eta * w0  # the first step has nothing to extrapolate
    expected = np.array([(np.linalg.matrix_power(companion, t) @ [w1, w0])[1] for t in range(61)])

    np.testing.assert_allclose(z[:, 0] + 1j * z[:, 1], expected, rtol=0, atol=1e-12 * max(1, abs(expected).max()))
    assert abs(abs(np.linalg.eigvals(companion)).max() - radius) <= 6e-4  # as many digits as are given
    assert abs(z[-1]).max() < 1 if eta < 3**-0.5 else abs(z).max() > 0.9


def test_optimism_goes_through_the_mirror_of_its_base(stacks, softmax):
    """Two steps of optimistic mirror descent with the entropy: pi_2 = pi_1 exp(eta (2 g_1 - g_0))."""
    oracle = DirectOracle(stacks())
    pi_0 = softmax(np.random.default_rng(0).normal(size=(5, 3, 3)))
    found = run(Optimistic(MirrorDescent(Constant(0.2), NegativeEntropy())), oracle, pi_0, 2).theta
    normal = lambda x: x / x.sum(axis=2, keepdims=True)
    g_0 = oracle(pi_0).gradient
    pi_1 = normal(pi_0 * np.exp(0.2 * g_0))
    expected = normal(pi_1 * np.exp(0.2 * (2 * oracle(pi_1).gradient - g_0)))

    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_momentum_without_memory_is_its_base():
    base = Gradient(Constant(0.2))
    start = np.array([[1.0, 2.0]])

    assert (points(Momentum(base, 0.0), QUADRATIC, start, 9) == points(base, QUADRATIC, start, 9)).all()
    assert (points(Nesterov(base, 0.0), QUADRATIC, start, 9) == points(base, QUADRATIC, start, 9)).all()


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Momentum(Gradient(Constant(1.0)), 1.0), "beta is 1.0"),
        (lambda: Momentum(Gradient(Constant(1.0)), np.nan), "beta is nan"),
        (lambda: Nesterov(Gradient(Constant(1.0)), -0.1), "beta is -0.1"),
        (lambda: Nesterov(MirrorDescent(Constant(1.0), Euclidean())), "Nesterov extrapolates theta, which MirrorDescent keeps in a set"),
    ],
)
def test_bad_memories_are_refused(make, text):
    with pytest.raises(InvalidArgument) as error:
        make()

    assert text in str(error.value)


def test_memory_does_not_hide_that_a_sum_leaves_the_simplex(stacks):
    with pytest.raises(InvalidArgument, match="Gradient adds to theta, whose rows are distributions"):
        Momentum(Gradient(Constant(1.0)), 0.5).init(DirectOracle(stacks()), np.full((3, 3), 1 / 3))
