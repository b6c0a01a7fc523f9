"""Directional derivatives of log pi: the transpose of the pullback, and the derivative of log_probabilities along a line."""

import numpy as np
import pytest
import scipy.sparse as sp

from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.policies.log_linear import LogLinear, tied
from pgtheory.tabular.policies.policy import score
from pgtheory.tabular.policies.repeated import Repeated
from pgtheory.tabular.policies.softmax import Softmax

RNG = np.random.default_rng(0)
POLICIES = [
    Softmax(RNG.normal(size=(3, 2))),
    Softmax(np.zeros((1, 1))),
    LogLinear(RNG.normal(size=4), RNG.normal(size=(3, 2, 4))),
    tied(RNG.normal(size=(2, 2)), rows=[0, 1, 0]),
    Direct(RNG.dirichlet(np.ones(2), size=3)),
    Repeated(base=Softmax(RNG.normal(size=(2, 3))), times=3),
]
ids = [type(policy).__name__ for policy in POLICIES]


@pytest.mark.parametrize("policy", POLICIES, ids=ids)
def test_pushforward_is_the_table_of_scores_times_the_direction(policy):
    x = RNG.normal(size=(2, 5, policy.theta.size))
    np.testing.assert_allclose(policy.pushforward(x), np.einsum("sad,nkd->nksa", score(policy), x), rtol=0, atol=1e-13)


@pytest.mark.parametrize("policy", POLICIES, ids=ids)
def test_pushforward_is_the_derivative_of_the_log_probabilities(policy):
    """Central differences with step 1e-5: truncation 1e-10, rounding 1e-11. On the simplex the direction keeps every row a distribution."""
    x = RNG.normal(size=policy.theta.size)
    x = policy.tangent(x) if isinstance(policy, Direct) else x
    at = lambda step: policy.with_theta(policy.theta + step * x.reshape(policy.theta.shape)).log_probabilities
    np.testing.assert_allclose(policy.pushforward(x), (at(1e-5) - at(-1e-5)) / 2e-5, rtol=0, atol=1e-8)


@pytest.mark.parametrize("policy", POLICIES, ids=ids)
def test_the_size_of_a_pullback_bounds_it_whatever_the_signs(policy):
    """And is that of the logits' weights, which do not cancel, where scores do: a feature that every action has leaves no score, but its rounding."""
    for _ in range(20):
        W = RNG.normal(size=policy.probabilities.shape)
        assert (abs(policy.pullback(W)) <= policy.pullback_size(abs(W)) * (1 + 1e-12)).all()
    same = LogLinear(np.zeros(1), np.full((1, 2, 1), 7.0))
    np.testing.assert_allclose(same.pullback(np.array([[1.0, 1.0]])), 0)
    np.testing.assert_allclose(same.pullback_size(np.array([[1.0, 1.0]])), 2 * 2 * 7)


@pytest.mark.parametrize("policy", POLICIES, ids=ids)
def test_the_absolute_pullback_is_that_of_the_table_of_scores(policy):
    W = RNG.normal(size=policy.probabilities.shape)
    found = policy.pullback_abs(W)

    table = found.toarray() if sp.issparse(found) else found
    np.testing.assert_allclose(table, np.einsum("sa,sad->sd", abs(W), abs(score(policy))), rtol=0, atol=1e-13)
    assert (abs(policy.pullback(W)) <= table.sum(axis=0) + 1e-13).all()


def test_the_absolute_pullback_of_a_table_stores_one_number_a_parameter():
    """A million states fit: the matrix (S, S*A) is never filled."""
    found = Softmax(np.zeros((50_000, 2))).pullback_abs(np.ones((50_000, 2)))

    assert sp.issparse(found) and found.nnz == 100_000


def test_an_action_that_is_never_taken_has_no_derivative_along_other_directions():
    """0 / 0 counts as zero in both directions of the map."""
    policy = Direct(np.array([[1.0, 0.0]]))
    np.testing.assert_array_equal(policy.pushforward(np.array([2.0, 0.0])), [[2.0, 0.0]])
    assert policy.pushforward(np.array([0.0, 1.0]))[0, 1] == np.inf
