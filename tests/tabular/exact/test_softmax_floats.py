"""Softmax in float64 against certified balls around the same real logits, large ones too."""

from itertools import product

import numpy as np
import pytest

from pgtheory.tabular.exact.balls import ball, ball_derivatives, precision, softmax_balls
from pgtheory.tabular.exact.programs import expected_return
from pgtheory.tabular.exact.rational import RationalMDP
from pgtheory.tabular.objectives.returns import return_gradient_with_bound
from pgtheory.tabular.policies.softmax import Softmax

pytest.importorskip("flint")

CASES = list(product(range(3), (1.0, 30.0, 300.0)))
"""Seeds, and half the largest difference of two logits."""


def logits(seed: int, scale: float) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-scale, scale, (3, 4))


def roundoff(theta: np.ndarray) -> float:
    """Relative error of a probability: log p = (theta - max) - log sum rounds twice at its own size, the sum of A terms and exp once each."""
    return float(2 * np.ptp(theta, axis=1).max() + theta.shape[1] + 4) * 2.0**-53


def outside(found: np.ndarray, balls: list, allowed: np.ndarray) -> int:
    """How many numbers are farther than allowed from every point of their ball."""
    with precision():
        return sum(not bool(abs(ball(float(x)) - y) <= ball(float(most))) for x, y, most in zip(found.ravel(), balls, allowed.ravel(), strict=True))


@pytest.mark.parametrize(("seed", "scale"), CASES)
def test_probabilities_lie_in_their_balls(seed, scale):
    theta = logits(seed, scale)
    pi = Softmax(theta).probabilities
    balls = [x for row in softmax_balls(theta.tolist()) for x in row]

    assert outside(pi, balls, pi * roundoff(theta)) == 0


@pytest.mark.parametrize(("seed", "scale"), CASES)
def test_gradients_lie_in_their_balls(model, seed, scale):
    """The proven bound holds for the float64 table. That the table and the numbers of the model have relative errors up to delta moves d pi A by at most 8 delta max|r| / (1 - gamma)^3."""
    theta, mdp = logits(seed, scale), model(seed, S=3, A=4)
    found, bound = return_gradient_with_bound(mdp, Softmax(theta))
    exact = ball_derivatives(expected_return, RationalMDP.of(mdp), softmax_balls(theta.tolist()))
    allowed = np.full(12, bound + 8 * roundoff(theta) * abs(mdp.r).max() / (1 - mdp.gamma) ** 3)

    assert outside(found, list(exact.gradient), allowed) == 0
    assert allowed[0] < 1e-7
    moved = found + 1e-6 * np.eye(12)[0]
    assert outside(moved, list(exact.gradient), allowed) == 1


def test_softmax_of_rounded_logits_is_caught():
    """A table in float32, or logits that are shifted before they are exact, miss their balls."""
    theta = logits(0, 30.0)
    balls = [x for row in softmax_balls(theta.tolist()) for x in row]
    shifted = Softmax((theta + 1e6) - 1e6).probabilities

    for planted in (Softmax(theta).probabilities.astype(np.float32).astype(float), shifted):
        assert outside(planted, balls, planted * roundoff(theta)) > 0
