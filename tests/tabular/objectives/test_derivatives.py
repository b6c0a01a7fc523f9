"""Derivatives of probabilities: against complex steps and differences of the tables themselves."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from pgtheory.tabular.errors import InvalidPolicy
from pgtheory.tabular.objectives.derivatives import (
    probability_gradient,
    probability_hessian,
    probability_pullback,
    require_interior,
    score_products,
)
from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.policies.policy import fisher, score


@settings(max_examples=40)
@given(data=st.data())
def test_first_derivatives_against_complex_steps(data, scenes, complex_gradient):
    scene = data.draw(scenes("stationary"))
    U = np.random.default_rng(0).normal(size=(scene.mdp.S, scene.mdp.A))
    exact = complex_gradient(scene, lambda pi: (U * pi).sum())

    assert abs(probability_pullback(scene.policy(), U) - exact).max() <= 1e-14 * 10
    assert abs(np.einsum("sa,sad->d", U, probability_gradient(scene.policy())) - exact).max() <= 1e-14 * 10


@settings(max_examples=40)
@given(data=st.data())
def test_second_derivatives_against_differences(data, scenes, differences):
    scene = data.draw(scenes("stationary"))
    U = np.random.default_rng(1).normal(size=(scene.mdp.S, scene.mdp.A))
    u, slope, error = differences(scene, lambda moved: probability_pullback(moved.policy(), U))

    assert abs(probability_hessian(scene.policy(), U) @ u - slope).max() <= 10 * error


def test_direct_needs_no_scores_on_the_boundary():
    edge, U = Direct(np.array([[1.0, 0.0]])), np.array([[2.0, 3.0]])
    assert probability_pullback(edge, U).tolist() == [2.0, 3.0]
    assert probability_gradient(edge).tolist() == [[[1.0, 0.0], [0.0, 1.0]]]
    assert not probability_hessian(edge, U).any()


@settings(max_examples=20)
@given(data=st.data())
def test_score_products(data, scenes):
    """A full B term by term; diagonal weights d pi give the Fisher information."""
    scene = data.draw(scenes("stationary"))
    policy, rng = scene.policy(), np.random.default_rng(2)
    n = scene.mdp.S * scene.mdp.A
    table, B = score(policy).reshape(n, -1), rng.normal(size=(n, n))
    expected = sum(B[i, j] * np.outer(table[i], table[j]) for i in range(n) for j in range(n))
    d = rng.random(scene.mdp.S)

    assert abs(score_products(policy, sp.csr_array(B)) - expected).max() <= 1e-12 * (1 + abs(expected).max())
    assert abs(score_products(policy, sp.diags_array((d[:, None] * policy.probabilities).ravel())) - fisher(policy, d)).max() <= 1e-12


def test_interior():
    edge = Direct(np.array([[1.0, 0.0], [0.5, 0.5]]))
    require_interior(edge, np.array([[True, False], [True, True]]), "J")
    with pytest.raises(InvalidPolicy, match=r"action 1 in state 0 probability 0; the derivatives of J"):
        require_interior(edge, np.ones((2, 2), dtype=bool), "J")
