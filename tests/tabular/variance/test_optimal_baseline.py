"""The state baseline of least variance: against minimisation over all trajectories, the closed form of bandits, and the baseline of single samples."""

import numpy as np
import pytest
from scipy.optimize import minimize

from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.estimators.baselines import Constant, ExactValue, Given, OptimalState
from pgtheory.tabular.estimators.gae import GAE, NStep
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.estimators.reinforce import RewardToGo, StepReward
from pgtheory.tabular.laws.enumeration import Enumeration
from pgtheory.tabular.laws.law import law
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.policies.policy import score
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.episodes import OnPolicy
from pgtheory.tabular.sampling.groups import Groups
from pgtheory.tabular.scene import Scene
from pgtheory.tabular.variance.optimal_baseline import LeastVariance, least_variance, optimal_values

LOOP = MDP(P=[[[0, 1], [0.5, 0]], [[1, 0], [0, 0.5]]], r=[[0.5, -1], [2, 0.25]], mu=[0.5, 0.5], gamma=0.9, horizon=3)
SCENE = Scene.of(LOOP, Softmax(np.array([[0.3, -0.5], [0.8, 0.1]])))


def to_go(baseline=None, *, step_discount=True):
    return PolicyGradient(advantage=RewardToGo(baseline=baseline or Constant(), step_discount=step_discount))


def enumerated(estimator, sampling=None):
    return Enumeration().run(estimator, sampling or OnPolicy(), SCENE).variance


@pytest.mark.parametrize("step_discount", [True, False])
@pytest.mark.parametrize("shape", [(2,), (3, 2)], ids=["states", "steps"])
@pytest.mark.parametrize("horizon", [None, 2])
def test_a_general_minimiser_of_the_enumerated_variance_finds_no_less(shape, step_discount, horizon):
    """BFGS from zero on the variance over all trajectories: the same values to the root of its tolerance, and the same variance to rounding."""
    sampling = OnPolicy(horizon=horizon)
    shape = shape if horizon is None else (*[horizon] * (len(shape) - 1), 2)
    variance = lambda b: enumerated(to_go(Given(b.reshape(shape)), step_discount=step_discount), sampling)
    by_search = minimize(variance, np.zeros(int(np.prod(shape))), method="BFGS", options={"gtol": 1e-7})
    found = least_variance(to_go(step_discount=step_discount), sampling, SCENE, by_step=len(shape) == 2)
    np.testing.assert_allclose(found.values, by_search.x.reshape(shape), rtol=0, atol=1e-5)
    assert found.least == pytest.approx(by_search.fun, rel=1e-9)
    assert found.least <= by_search.fun * (1 + 1e-12)
    assert found.given == pytest.approx(variance(np.zeros(by_search.x.size)), rel=1e-12)
    assert found.excess == pytest.approx(found.given - found.least)


def test_the_distance_of_any_baseline_is_its_weighted_square():
    """tr Cov(b) - tr Cov(b*) = sum_s E|Z_s|^2 (b - b*)^2, with E|Z_s|^2 = sum_t gamma^2t p_t(s) E|score|^2 written out here."""
    pi, best = SCENE.policy().probabilities, optimal_values(to_go(), OnPolicy(), SCENE)[0]
    weight = (pi * (score(SCENE.policy()) ** 2).sum(axis=2)).sum(axis=1)
    p, size = LOOP.mu, np.zeros(2)
    for t in range(3):
        size += 0.9 ** (2 * t) * p * weight
        p = LOOP.kernel(pi).T @ p
    for b in (np.zeros(2), np.array([1.0, -2.0]), np.array([0.5, 30.0])):
        assert enumerated(to_go(Given(b))) - enumerated(to_go(Given(best))) == pytest.approx(size @ (b - best) ** 2, rel=1e-11)


def test_the_baseline_of_single_samples_is_not_optimal_for_a_trajectory():
    """`OptimalState` and the value function leave out the products of different steps: more variance, the optimum by step being below both."""
    found = least_variance(to_go(OptimalState()), OnPolicy(), SCENE, by_step=True)
    assert found.given == pytest.approx(enumerated(to_go(OptimalState())), rel=1e-12)
    assert found.least == pytest.approx(enumerated(found.estimator), rel=1e-12)
    assert found.excess > 0.05 * found.least
    assert enumerated(to_go(ExactValue())) > found.least


def test_for_episodes_of_one_step_it_is_the_baseline_of_single_samples():
    """E[|score|^2 r] / E[|score|^2], as for bandits (Greensmith, Bartlett and Baxter 2004)."""
    bandit = MDP(P=np.zeros((1, 3, 1)), r=[[1.0, 0.0, 0.5]], mu=[1.0])
    scene = Scene.of(bandit, Softmax(np.array([[0.2, -1.0, 0.4]])))
    pi = scene.policy().probabilities[0]
    size = ((np.eye(3) - pi) ** 2).sum(axis=1)
    found, _ = optimal_values(to_go(), OnPolicy(), scene)
    assert found[0] == pytest.approx((pi * size) @ [1.0, 0.0, 0.5] / (pi @ size), rel=1e-14)
    np.testing.assert_allclose(found, OptimalState()(scene).ravel(), rtol=1e-13)


def test_without_horizon_no_small_change_helps():
    """Episodes of any length, from the law of the recursion: the derivative of a quadratic by central differences is exact."""
    model = MDP(P=[[[0, 0.9], [0.5, 0.2]], [[0.8, 0], [0, 0.5]]], r=[[0.5, -1], [2, 0.25]], mu=[0.5, 0.5])
    scene = Scene.of(model, SCENE.policy())
    found = least_variance(to_go(OptimalState()), OnPolicy(), scene)
    variance = lambda b: least_variance(to_go(Given(b)), OnPolicy(), scene).given
    for unit in np.eye(2) * 1e-2:
        up, down = variance(found.values + unit), variance(found.values - unit)
        assert up - down == pytest.approx(0, abs=1e-12 * up)
        assert min(up, down) > found.least
    assert found.excess > 0.005 * found.least


def test_it_is_a_baseline_and_a_critic_that_follow_the_policy():
    """At two points of the scene, inside other estimators, against tables found there; GAE with lambda = 1 and no cut has the same optimum as reward-to-go."""
    best = LeastVariance(estimator=to_go())
    critic = LeastVariance(estimator=PolicyGradient(advantage=GAE(lambda_=1.0)), by_step=True)
    for theta in (np.zeros((2, 2)), SCENE.policy().theta):
        scene = SCENE.at(theta=theta)
        variance = law(to_go(best), OnPolicy(), scene).variance
        assert variance == pytest.approx(least_variance(to_go(), OnPolicy(), scene).least, rel=1e-12)
        assert law(PolicyGradient(advantage=GAE(lambda_=1.0, critic=critic)), OnPolicy(), scene).variance <= variance
        np.testing.assert_allclose(critic(scene), optimal_values(to_go(), OnPolicy(), scene, by_step=True)[0], rtol=0, atol=1e-12)
    assert abs(best(SCENE) - best(SCENE.at(theta=np.zeros((2, 2))))).max() > 0.01


def test_first_states_that_rows_share_change_nothing_for_a_reward_to_go():
    """The mean given the first state does not depend on a baseline, so that the optimum is the same; its variance is that of the groups."""
    model = MDP(P=LOOP.P, r=LOOP.r, mu=[0.5, 0.5], gamma=1.0, horizon=3)
    scene = Scene.of(model, SCENE.policy())
    found = least_variance(to_go(), Groups(2), scene)
    np.testing.assert_allclose(found.values, optimal_values(to_go(), OnPolicy(2), scene)[0], rtol=1e-13)
    assert found.least == pytest.approx(Enumeration().run(found.estimator, Groups(2), scene).variance, rel=1e-12)


def test_one_action_leaves_nothing_to_choose():
    """Scores are zero: every baseline has variance zero, and zero is returned."""
    model = MDP(P=[[[0.5]]], r=[[1.0]], mu=[1.0])
    found = least_variance(to_go(), OnPolicy(), Scene.of(model, Softmax(np.zeros((1, 1)))))
    assert (found.values, found.least, found.excess) == (0, 0, 0)


@pytest.mark.parametrize("advantage", [StepReward(), NStep(n=2)], ids=lambda a: type(a).__name__)
def test_estimates_without_values_that_are_understood_are_refused(advantage):
    with pytest.raises(InvalidArgument, match=f"{type(advantage).__name__} has no values.*RewardToGo, WholeReturn or GAE"):
        least_variance(PolicyGradient(advantage=advantage), OnPolicy(), SCENE)
