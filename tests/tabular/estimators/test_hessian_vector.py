"""The Hessian from trajectories: its mean over all of them, and one trajectory by difference quotients."""

import numpy as np
import pytest

from pgtheory.tabular.errors import InvalidArgument, InvalidPolicy
from pgtheory.tabular.estimators.hessian_vector import HessianVector
from pgtheory.tabular.estimators.natural import NaturalGradient
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.estimators.reinforce import RewardToGo
from pgtheory.tabular.laws.law import law
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.objectives.returns import Return
from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.policies.log_linear import LogLinear
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.episodes import OnPolicy
from pgtheory.tabular.scene import Scene

RNG = np.random.default_rng(0)
MODEL = MDP(P=0.9 * RNG.dirichlet(np.ones(2), size=(2, 2)), r=RNG.normal(size=(2, 2)), mu=np.array([0.3, 0.7]), gamma=0.8, horizon=3)
PLAIN = PolicyGradient(advantage=RewardToGo())
POLICIES = [Softmax(RNG.normal(size=(2, 2))), LogLinear(RNG.normal(size=3), RNG.normal(size=(2, 2, 3)))]


@pytest.mark.parametrize("policy", POLICIES, ids=["softmax", "log-linear"])
@pytest.mark.parametrize("rows", [1, 2])
def test_the_mean_is_the_exact_hessian_times_the_vector(policy, rows):
    """Episodes of up to three steps that may end before; with two rows the trajectory is both."""
    scene, u = Scene.of(MODEL, policy), np.arange(1.0, policy.theta.size + 1)
    found = law(HessianVector(gradient=PLAIN, u=u), OnPolicy(rows), scene).mean

    np.testing.assert_allclose(found, Return().hessian(scene) @ u, rtol=0, atol=1e-12)


@pytest.mark.parametrize("policy", POLICIES, ids=["softmax", "log-linear"])
def test_each_trajectory_is_the_derivative_of_p_grad_phi_over_p(policy):
    """B u = d/du (p(tau) grad Phi(tau)) / p(tau), by central differences of 1e-5: errors of 1e-10 (third derivative) and 1e-11 (rounding)."""
    scene, u, h = Scene.of(MODEL, policy), np.linspace(-1, 1, policy.theta.size), 1e-5
    sets = OnPolicy(1).datasets(scene)

    def slope(theta):
        moved = policy.with_theta(np.reshape(theta, policy.theta.shape))
        weights = np.zeros((len(sets.data), 2, 2))
        w = PLAIN(sets.data, scene)[:, 0]
        for n, row in enumerate(w):
            np.add.at(weights[n], (sets.data.state[n, 0], sets.data.action[n, 0]), row)
        return sets.paths.probability(moved)[:, None] * moved.pullback(weights)

    flat = policy.theta.ravel()
    expected = (slope(flat + h * u) - slope(flat - h * u)) / (2 * h) / sets.paths.probability(policy)[:, None]
    order = np.array(sets.rows[:, 0])
    assert (order == np.arange(len(order))).all()
    np.testing.assert_allclose(HessianVector(gradient=PLAIN, u=u)(sets.data, scene), expected, rtol=0, atol=1e-8)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: HessianVector(gradient=NaturalGradient(gradient=PLAIN), u=np.ones(4)), InvalidArgument, "has form `whole`"),
        (lambda: law(HessianVector(gradient=PLAIN, u=np.ones(3)), OnPolicy(1), Scene.of(MODEL, POLICIES[0])), InvalidArgument, "u has shape (3,)"),
        (
            lambda: law(HessianVector(gradient=PLAIN, u=np.ones(4)), OnPolicy(1), Scene.of(MODEL, Direct(np.full((2, 2), 0.5)))),
            InvalidPolicy,
            "not for Direct",
        ),
    ],
)
def test_bad_hessians_are_refused(call, error, text):
    with pytest.raises(error) as found:
        call()

    assert text in str(found.value)
