"""One antithetic pair: closed forms, seeds, and the degree that the quadrature needs."""

import numpy as np
import pytest

from pgtheory.tabular.errors import InvalidArgument, TooLarge
from pgtheory.tabular.laws.evolution import antithetic_law

W = np.array([0.3, -1.2])


def test_linear_function_has_gradient_and_covariance_in_closed_form():
    g = np.array([2.0, -0.5])
    law = antithetic_law(lambda x: x @ g + 7, W, 0.4, degree=1)

    np.testing.assert_allclose(law.mean, g, atol=1e-13)
    np.testing.assert_allclose(law.covariance, np.outer(g, g) + g @ g * np.eye(2), atol=1e-12)


def test_quartic_against_its_smoothed_gradient_and_seeds():
    """F = x^4 + x y^2: E F(w + s e) = x^4 + 6 s^2 x^2 + 3 s^4 + x (y^2 + s^2)."""
    F, s = lambda x: x[:, 0] ** 4 + x[:, 0] * x[:, 1] ** 2, 0.5
    law = antithetic_law(F, W, s, degree=4)
    x, y = W
    np.testing.assert_allclose(law.mean, [4 * x**3 + 12 * s**2 * x + y**2 + s**2, 2 * x * y], atol=1e-12)

    e = np.random.default_rng(0).normal(size=(400_000, 2))
    g = ((F(W + s * e) - F(W - s * e)) / (2 * s))[:, None] * e
    # Six standard deviations of 4e5 draws.
    assert (abs(g.mean(axis=0) - law.mean) < 6 * np.sqrt(np.diag(law.covariance) / len(e))).all()
    np.testing.assert_allclose(np.cov(g.T), law.covariance, rtol=0.1, atol=0.5)


def test_too_low_a_degree_is_seen():
    F = lambda x: x[:, 0] ** 7
    assert antithetic_law(F, W, 1.0, degree=7).mean[0] != pytest.approx(antithetic_law(F, W, 1.0, degree=1).mean[0], rel=1e-3)
    assert antithetic_law(F, W, 1.0, degree=7).covariance[0, 0] == pytest.approx(antithetic_law(F, W, 1.0, degree=12).covariance[0, 0], rel=1e-11)


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda: antithetic_law(lambda x: x[:, 0], np.zeros((1, 2)), 1.0, degree=1), InvalidArgument, "w has shape (1, 2)"),
        (lambda: antithetic_law(lambda x: x[:, 0], W, 0.0, degree=1), InvalidArgument, "s is 0.0"),
        (lambda: antithetic_law(lambda x: x[:, 0], W, 1.0, degree=0), InvalidArgument, "degree is 0"),
        (lambda: antithetic_law(lambda x: x[:, 0], np.zeros(20), 1.0, degree=1), TooLarge, "3 nodes in each of 20 dimensions"),
    ],
)
def test_bad_arguments_are_refused(call, kind, text):
    with pytest.raises(kind) as error:
        call()

    assert text in str(error.value)
