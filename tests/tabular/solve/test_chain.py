"""The norm of the inverse, against the inverse itself."""

import numpy as np
import pytest
import scipy.sparse as sp

from pgtheory.tabular.errors import NonTerminating
from pgtheory.tabular.solve.chain import Chain

FORMS = [np.array, sp.csr_array]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.99])
def test_norm_is_that_of_the_inverse_and_a_little_more(form, gamma):
    K = np.random.default_rng(1).dirichlet(np.ones(6), size=6)

    chain = Chain(K=form(K), gamma=gamma)
    true = np.linalg.norm(np.linalg.inv(np.eye(6) - gamma * K), np.inf)

    assert true * (1 - 1e-12) <= chain.inverse_norm <= true * (1 + 1e-11)


@pytest.mark.parametrize("form", FORMS)
def test_norm_without_a_discount_is_not_that_of_the_row_which_ends_most_rarely(form):
    """State 0 ends with probability 1e-9 itself, but half of the time state 1 does: 2 + 2 steps, not 1e9."""
    K = np.array([[0.0, 1 - 1e-9], [0.5, 0.0]])

    assert 4 - 1e-8 <= Chain(K=form(K), gamma=1.0).inverse_norm <= 4 * (1 + 2.0**-9)


@pytest.mark.parametrize("form", FORMS)
def test_transposed_system_is_the_transposed_one(form):
    rng = np.random.default_rng(2)
    K, b = rng.dirichlet(np.ones(4), size=4), rng.standard_normal(4)
    chain = Chain(K=form(K), gamma=0.9)

    np.testing.assert_allclose(chain.solve(b), np.linalg.solve(np.eye(4) - 0.9 * K, b), rtol=1e-12)
    np.testing.assert_allclose(chain.solve_transposed(b), np.linalg.solve(np.eye(4) - 0.9 * K.T, b), rtol=1e-12)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("K", [[[1.0]], [[0.0, 1.0], [1.0, 0.0]], [[1.0, 1e-30], [0.0, 0.5]], [[2.0]]])
def test_matrix_that_is_no_m_matrix_is_refused(form, K):
    """Singular, singular up to rounding, or with an inverse that has negative entries: there is no positive x with M x near 1."""
    with pytest.raises(NonTerminating, match="so rarely"):
        Chain(K=form(K), gamma=1.0).inverse_norm  # noqa: B018


def test_no_state_at_all():
    assert Chain(K=np.zeros((0, 0)), gamma=1.0).inverse_norm == 0
