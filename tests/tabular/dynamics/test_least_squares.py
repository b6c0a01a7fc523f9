"""Least squares from moments against sums over pairs; exact in linear models, biased by a formula with a ridge, and refused where it is not defined."""

import numpy as np
import pytest

from pgtheory.tabular.dynamics.adversarial import AdversarialCosts
from pgtheory.tabular.dynamics.least_squares import covariance, fit, least_squares_evaluation, linear_moves, uncertainty
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.models.mdp import MDP

SHARED = np.array([[1.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])[:, None]
"""States 0 and 1 look the same and lead to 2 and 3."""
TWINS = MDP(P=np.eye(4)[[2, 3, 2, 3]][:, None], r=np.zeros((4, 1)), mu=np.full(4, 0.25))


def linear(seed: int, S: int = 4, A: int = 3, D: int = 3, H: int = 3) -> tuple[MDP, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Features on the simplex, psi distributions: model, phi, psi, weights, costs linear in phi, a policy."""
    rng = np.random.default_rng(seed)
    phi, psi = rng.dirichlet(np.ones(D), size=(S, A)), rng.dirichlet(np.ones(S), size=D)
    weights = rng.dirichlet(np.ones(S * A), size=H).reshape(H, S, A)
    cost = np.einsum("sad,hd->hsa", phi, rng.random((H, D)))
    return MDP(P=phi @ psi, r=np.zeros((S, A)), mu=np.eye(S)[0]), phi, psi, weights, cost, rng.dirichlet(np.ones(A), size=(H, S))


@pytest.mark.parametrize("ridge", [0.0, 0.3])
def test_fit_against_weighted_rows(ridge):
    """The textbook form: least squares on rows sqrt(weight) phi, with sqrt(ridge) I below."""
    _, phi, _, weights, _, _ = linear(0)
    y = np.random.default_rng(1).normal(size=weights.shape)
    found, width = fit(phi, weights, y, ridge), uncertainty(phi, weights, ridge)
    for h in range(3):
        rows, root = phi.reshape(-1, 3), np.sqrt(weights[h].ravel())
        stacked = np.vstack([root[:, None] * rows, np.sqrt(ridge) * np.eye(3)])
        np.testing.assert_allclose(found[h], np.linalg.lstsq(stacked, np.concatenate([root * y[h].ravel(), np.zeros(3)]), rcond=None)[0], rtol=1e-9)
        _, R = np.linalg.qr(stacked)
        np.testing.assert_allclose(width[h].ravel(), np.linalg.norm(np.linalg.solve(R.T, rows.T), axis=0), rtol=1e-9)
    np.testing.assert_allclose(
        covariance(phi, weights)[1], sum(weights[1, s, a] * np.outer(phi[s, a], phi[s, a]) for s in range(4) for a in range(3))
    )


@pytest.mark.parametrize("seed", range(3))
def test_backward_regression_is_exact_in_a_linear_model(seed):
    mdp, phi, psi, weights, cost, pi = linear(seed)
    exact = AdversarialCosts(model=mdp, costs=cost[None]).action_values(cost, pi)

    np.testing.assert_allclose(least_squares_evaluation(mdp, phi, weights, cost, pi, 0.0), exact, atol=1e-10)
    np.testing.assert_allclose(linear_moves(mdp, phi), psi, atol=1e-10)
    assert abs(least_squares_evaluation(mdp, phi, weights, cost, pi, 0.1) - exact).max() > 1e-2


def test_features_that_two_states_share_mix_their_targets():
    """Weights .9 and .1, targets 0 and 1: .1 at both."""
    weights, cost = np.zeros((2, 4, 1)), np.zeros((2, 4, 1))
    weights[:, :, 0] = [0.45, 0.05, 0.25, 0.25]
    cost[1, 3] = 1

    found = least_squares_evaluation(TWINS, SHARED, weights, cost, np.ones((2, 4, 1)), 0.0)

    np.testing.assert_allclose(found[0, :2, 0], 0.1)
    with pytest.raises(InvalidArgument, match="the moves are not linear in phi"):
        linear_moves(TWINS, SHARED)


PHI, WEIGHTS = linear(0)[1], linear(0)[3]


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: fit(PHI, WEIGHTS, WEIGHTS, -1.0), "ridge is -1.0"),
        (lambda: fit(PHI, WEIGHTS * 0, WEIGHTS, 0.0), "singular"),
        (lambda: uncertainty(SHARED, np.eye(4)[0][:, None], 0.0), "singular"),
        (lambda: uncertainty(PHI, WEIGHTS[:, :2], 1.0), "phi has shape (4, 3, 3), weights (3, 2, 3)"),
        (lambda: fit(PHI, -WEIGHTS, WEIGHTS, 1.0), "negative"),
        (lambda: linear_moves(TWINS, PHI), "phi has shape (4, 3, 3)"),
    ],
)
def test_what_is_not_defined_is_refused(call, text):
    with pytest.raises(InvalidArgument) as error:
        call()

    assert text in str(error.value)
