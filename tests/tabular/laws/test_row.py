"""The bound of the rounding error of the mean: against rational arithmetic, where there is no rounding at all."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from pgtheory.tabular.estimators.gae import GAE
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.estimators.reinforce import RewardToGo, WholeReturn
from pgtheory.tabular.exact.estimators import gae
from pgtheory.tabular.exact.laws import episodes, exact_law
from pgtheory.tabular.exact.rational import RationalMDP
from pgtheory.tabular.laws.differences import differences_law
from pgtheory.tabular.laws.forms import form_of
from pgtheory.tabular.laws.law import law
from pgtheory.tabular.laws.row import probability_roundings
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.episodes import OnPolicy
from pgtheory.tabular.scene import Scene

F = Fraction
PI = [[F(1, 3), F(2, 3)], [F(1, 7), F(6, 7)]]
RARE = [[F(1, 10**6), 1 - F(1, 10**6)], [F(1, 3), F(2, 3)]]
CRITIC = [F(1, 3), F(-5, 7)]
FLOATS = lambda table: np.array([[float(x) for x in row] for row in table])
WORLDS = {
    "cut after four steps": ({"P": [[[1 / 3, 2 / 3], [0.1, 0.9]], [[0.6, 0.4], [1 / 7, 2 / 7]]], "r": [[1 / 3, -0.7], [0.2, 1 / 9]]}, 4),
    "ends by itself": ({"P": [[[0, 1 / 3], [0, 0.9]], [[0, 0], [0, 0]]], "r": [[1 / 3, -0.7], [0.2, 1 / 9]]}, None),
    "rewards that cancel": ({"P": [[[1 / 3, 2 / 3], [0.1, 0.9]], [[0.6, 0.4], [1 / 7, 2 / 7]]], "r": [[1e6 / 3, 1e6 / 3], [1e6 / 3, 1e6 / 3]]}, 3),
}


@pytest.mark.parametrize("table", [PI, RARE])
@pytest.mark.parametrize("name", WORLDS)
def test_mean_and_covariance_are_those_of_rational_arithmetic_and_the_bound_holds(name, table):
    """The bound is above the error, and within a factor that a few hundred roundings explain: it is not a bound of everything."""
    fields, horizon = WORLDS[name]
    mdp = MDP(**fields, mu=[1 / 3, 2 / 3], gamma=0.9)
    scene = Scene.of(mdp, Softmax.of(FLOATS(table)), critic=np.array([float(x) for x in CRITIC]))
    form = form_of(PolicyGradient(advantage=GAE(lambda_=0.7)), OnPolicy(horizon=horizon), scene)
    found = differences_law(form, scene)
    rational = RationalMDP.of(mdp)
    exact = exact_law(gae(gamma=F(9, 10), lambda_=F(7, 10), critic=CRITIC), episodes(rational, table, horizon=horizon), table)
    error = np.array([abs(float(F(x) - y)) for x, y in zip(found.mean.tolist(), exact.mean, strict=True)])
    size = max(1.0, abs(mdp.largest_reward))
    assert (error <= found.rounding).all()
    assert error.max() > 0
    assert found.rounding.max() < 3000 * 2.0**-53 * 10 * size
    covariance = np.array([[float(x) for x in row] for row in exact.covariance])
    np.testing.assert_allclose(found.covariance, covariance, rtol=0, atol=1e-13 * size**2)


@pytest.mark.parametrize("horizon", [3, None])
def test_where_rewards_and_critic_cancel_the_bound_is_that_of_what_was_added_up(horizon):
    """The mean of every difference is zero; what is computed is the rounding of numbers of order 1e6, and the bound has seen them."""
    V = np.array([1e6 / 3, -2e6 / 7])
    P = np.array([[[1 / 3, 2 / 3], [0.1, 0.9]], [[0.6, 0.4], [1 / 7, 6 / 7]]])
    scene = Scene.of(MDP(P=P, r=V[:, None] - 0.9 * P @ V, mu=[1 / 3, 2 / 3], gamma=0.9), Softmax.of(FLOATS(PI)), critic=V)
    found = differences_law(form_of(PolicyGradient(advantage=GAE(lambda_=0.7)), OnPolicy(horizon=horizon), scene), scene)
    assert 1e-14 < abs(found.mean).max() < 1e-8
    assert (abs(found.mean) <= found.rounding).all()
    assert found.rounding.max() < 1e-5


def test_probabilities_of_rare_actions_are_off_by_the_roundings_of_their_logarithm():
    """log pi is near -301, where numbers are 2^-44 apart: exp of it is off by up to a hundred roundings, of which A + 6 are not enough."""
    theta = np.array([[0.0, 0.0, -300.7]])
    scene = Scene.of(MDP(P=[[[0.0]] * 3], r=np.ones((1, 3)), mu=[1.0]), Softmax(theta))
    form = form_of(PolicyGradient(advantage=RewardToGo()), OnPolicy(), scene)
    exact = Decimal(theta[0, 2]).exp() / (2 + Decimal(theta[0, 2]).exp())
    off = float(abs(Decimal(float(form.actions[0, 2])) / exact - 1)) / 2.0**-53
    assert 3 + 6 < off <= probability_roundings(form)


def test_what_cancels_before_a_step_is_in_the_bound_of_the_whole_return():
    """Two rewards of order 1e6 that cancel on either way to the last state, which pays nothing: what is left of them is rounding. Its score is one at every visit."""
    P = np.zeros((4, 1, 4))
    P[0, 0, 1:3], P[1, 0, 3], P[2, 0, 3] = [1 / 3, 2 / 3], 1, 1
    r = np.zeros((4, 1, 4))
    r[0, 0, 1:3] = [1e6 / 3, -1e6 / 7]
    r[1:3, 0, 3] = -r[0, 0, 1:3] / 0.9
    mdp = MDP(P=P, r=r, mu=[1.0, 0, 0, 0], gamma=0.9)
    found = law(PolicyGradient(advantage=WholeReturn()), OnPolicy(horizon=3), Scene.of(mdp, Direct(np.ones((4, 1)))), method="dynamic-programming")
    exact = sum(F(P[0, 0, s]) * (F(r[0, 0, s]) + F(mdp.gamma) * F(r[s, 0, 3])) for s in (1, 2))
    assert 0 < abs(F(found.mean[3]) - exact) <= found.rounding[3]
    assert found.rounding.max() < 1e-6
