"""The critic of least variance: against least squares over all trajectories, first-order conditions, and what the second moment would have chosen."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pgtheory.tabular.variance.optimal_critic as optimal_critic
from pgtheory.tabular.errors import InvalidArgument, NotConverged
from pgtheory.tabular.estimators.baselines import ExactValue, Given
from pgtheory.tabular.estimators.gae import GAE
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.estimators.ratios import TokenRatio
from pgtheory.tabular.estimators.reinforce import RewardToGo
from pgtheory.tabular.laws.enumeration import Enumeration
from pgtheory.tabular.policies.policy import score
from pgtheory.tabular.sampling.episodes import OffPolicy, OnPolicy
from pgtheory.tabular.sampling.groups import Groups
from pgtheory.tabular.scene import Scene
from pgtheory.tabular.variance.along import total_variance
from pgtheory.tabular.variance.optimal_baseline import least_variance, optimal_values


def regression(by_hand, mdp, actions, scores, *, T, lambda_, nu, bootstraps, by_step):
    """The values of least total variance by least squares over all trajectories, each coordinate of g centred: no recursion, no gradient."""
    S = mdp.S
    shape = (T + bootstraps, S) if by_step else (S,)

    def gradients(values):
        before = values[:T] if by_step else np.tile(values, (T, 1))
        final = (values[-1] if by_step else values) if bootstraps else np.zeros(S)
        known = by_hand.enumerate(mdp, actions, scores, T=T, lambda_=lambda_, nu=nu, values=before, final=final)
        return known.probability, known.g - known.mean

    p, base = gradients(np.zeros(shape))
    effects = [gradients(unit.reshape(shape))[1] - base for unit in np.eye(int(np.prod(shape)))]
    weigh = lambda g: (np.sqrt(p)[:, None] * g).ravel()
    matrix = np.stack([weigh(effect) for effect in effects], axis=1)
    matrix[:, abs(matrix).max(axis=0) < 1e-12] = 0  # a critic without effect, V(s) - V(s): its rounding would be fitted
    values, *_ = np.linalg.lstsq(matrix, -weigh(base), rcond=1e-10)
    return values.reshape(shape), float(((weigh(base) + matrix @ values) ** 2).sum())


@given(data=st.data())
@settings(max_examples=20)
def test_least_variance_is_that_of_least_squares(data, by_hand):
    """The variance reached is compared, for several critics may reach it. Cut and ended rows, off-policy data, scores with a mean, values by step."""
    S, A, T = data.draw(st.sampled_from([(1, 2, 3), (2, 2, 2), (3, 2, 1), (2, 2, 3)]))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    pick = lambda *choices: data.draw(st.sampled_from(choices))
    cut, by_step, off, step_discount = pick(True, False), pick(True, False), pick(True, False), pick(True, False)
    gamma, lambda_, kind = pick(0.5, 0.9, 1.0), pick(0.0, 0.6, 1.0), pick("gae", "to-go")
    mdp = by_hand.model(rng, S=S, A=A, ends=pick(True, False), reward=pick("pair", "move", "noise"), gamma=gamma, horizon=None if cut else T)
    policy, other = by_hand.policy(rng, pick("softmax", "direct"), S, A), by_hand.policy(rng, "softmax", S, A)
    scene = Scene.of(mdp, policy, sampler=other) if off else Scene.of(mdp, policy)
    sampling = (OffPolicy if off else OnPolicy)(horizon=T if cut else None)
    advantage = (
        GAE(lambda_=lambda_, critic=Given(np.zeros(S)), step_discount=step_discount) if kind == "gae" else RewardToGo(step_discount=step_discount)
    )
    _, least = regression(
        by_hand, mdp, (other if off else policy).probabilities, score(policy), T=T, lambda_=lambda_ if kind == "gae" else 1.0,
        nu=gamma if step_discount else 1.0, bootstraps=cut and kind == "gae", by_step=by_step,
    )  # fmt: skip
    found = least_variance(PolicyGradient(advantage=advantage), sampling, scene, by_step=by_step)
    scale = max(1.0, found.given)
    assert found.least == pytest.approx(least, abs=1e-12 * scale)


def random_scene(by_hand, seed, **rest):
    rng = np.random.default_rng(seed)
    mdp = by_hand.model(rng, **{"S": 3, "A": 2, "ends": True, "reward": "pair", "gamma": 0.9, "horizon": 2, **rest})
    return Scene.of(mdp, by_hand.policy(rng, "softmax", 3, 2))


def with_critic(values, lambda_=0.6):
    return PolicyGradient(advantage=GAE(lambda_=lambda_, critic=Given(values)))


def test_no_small_change_of_the_critic_helps(by_hand):
    """First-order conditions on the enumerated law: central differences of a quadratic have no truncation error."""
    scene, h = random_scene(by_hand, 0), 1e-3
    values, _ = optimal_values(with_critic(np.zeros(3)), OnPolicy(), scene)
    variance = lambda v: Enumeration().run(with_critic(v), OnPolicy(), scene).variance
    least = variance(values)
    for unit in np.eye(3):
        up, down = variance(values + h * unit), variance(values - h * unit)
        assert abs(up - down) / (2 * h) < 1e-11
        assert min(up, down) > least


def test_no_small_change_of_the_critic_helps_under_the_ratio_of_the_token(by_hand):
    """The same off-policy: E[Z] . E[g] has the ratios too."""
    rng, h = np.random.default_rng(7), 1e-3
    scene = random_scene(by_hand, 0)
    scene = Scene.of(scene.mdp, scene.policy(), sampler=by_hand.policy(rng, "softmax", 3, 2))
    estimate = lambda v: replace(with_critic(v, lambda_=0.0), ratio=TokenRatio())
    values, _ = optimal_values(estimate(np.zeros(3)), OffPolicy(), scene)
    variance = lambda v: Enumeration().run(estimate(v), OffPolicy(), scene).variance
    for unit in np.eye(3):
        assert abs(variance(values + h * unit) - variance(values - h * unit)) / (2 * h) < 1e-11


def test_the_critic_of_least_second_moment_is_another_one(by_hand):
    """For lambda < 1 the mean moves with the critic: dropping E[Z] . E[g] from the derivative gives a critic whose variance is a tenth larger."""
    scene = random_scene(by_hand, 0)
    law = lambda v: Enumeration().run(with_critic(v, lambda_=0.0), OnPolicy(), scene)
    moment = lambda v: law(v).variance + law(v).mean @ law(v).mean
    units, zero = np.eye(3), np.zeros(3)
    slope = np.array([(moment(e) - moment(-e)) / 2 for e in units])
    curve = np.array([[(moment(e + f) - moment(e) - moment(f) + moment(zero)) for f in units] for e in units])
    wrong = np.linalg.solve(curve, -slope)
    best = optimal_values(with_critic(zero, lambda_=0.0), OnPolicy(), scene)[0]
    assert law(best).variance < 0.9 * law(wrong).variance
    assert moment(wrong) < moment(best)


def test_the_exact_value_is_not_the_critic_of_least_variance(by_hand):
    """And the optimum without horizon is one: nearby critics have more variance."""
    scene = random_scene(by_hand, 2, horizon=None)
    estimator = PolicyGradient(advantage=GAE(lambda_=0.6, critic=ExactValue()))
    found = least_variance(estimator, OnPolicy(), scene)
    assert found.excess > 0.01 * found.least
    assert found.residual < 1e-10
    for change in 1e-3 * np.vstack([np.eye(3), -np.eye(3)]):
        assert total_variance(with_critic(found.values + change), OnPolicy(), scene) > found.least


def test_values_that_have_no_effect_are_zero(by_hand):
    """State 2 is never visited."""
    scene = random_scene(by_hand, 3)
    mdp = scene.mdp
    P, mu = np.array(mdp.P), np.array([0.5, 0.5, 0.0])
    P[:, :, 1] += P[:, :, 2]
    P[:, :, 2] = 0
    alone = Scene.of(type(mdp)(P=P, r=mdp.r, mu=mu, gamma=0.9, horizon=2), scene.policy())
    values, residual = optimal_values(with_critic(np.zeros(3)), OnPolicy(), alone)
    assert values[2] == 0
    assert (values[:2] != 0).all()
    assert residual <= optimal_critic.TOLERANCE


@pytest.mark.parametrize("S", [1, 2])
def test_combinations_without_effect_are_left_alone(S, by_hand):
    """Without discount and ends a constant cancels from every temporal difference, bootstrapped at the cut: the Hessian is singular, for S = 1 it is zero."""
    rng = np.random.default_rng(7)
    mdp = by_hand.model(rng, S=S, A=2, ends=False, reward="pair", gamma=1.0)
    scene = Scene.of(mdp, by_hand.policy(rng, "softmax", S, 2))
    found = least_variance(with_critic(np.zeros(S)), OnPolicy(horizon=3), scene)
    assert found.residual <= optimal_critic.TOLERANCE
    assert found.least == pytest.approx(total_variance(with_critic(found.values + 5.0), OnPolicy(horizon=3), scene), rel=1e-11)
    assert abs(found.values).max() < 10
    if S == 1:
        assert (found.values[0], found.excess) == (0, 0)


def test_running_out_of_steps_is_an_error_with_the_best_critic(by_hand, monkeypatch):
    monkeypatch.setattr(optimal_critic, "conjugate_gradients", lambda hessian, b, size, tolerance: np.zeros_like(b))
    with pytest.raises(NotConverged, match="hardly depends") as caught:
        optimal_values(with_critic(np.zeros(3)), OnPolicy(), random_scene(by_hand, 4))
    assert caught.value.best.shape == (3,)


def test_bad_uses_are_refused(by_hand):
    scene = random_scene(by_hand, 5, horizon=None)
    with pytest.raises(InvalidArgument, match="need a horizon"):
        optimal_values(with_critic(np.zeros(3)), OnPolicy(), scene, by_step=True)
    rng = np.random.default_rng(6)
    mdp = by_hand.model(rng, S=2, A=2, ends=False, reward="pair", gamma=0.9, horizon=3)
    even = Scene.of(type(mdp)(P=mdp.P, r=mdp.r, mu=[0.5, 0.5], gamma=0.9, horizon=3), by_hand.policy(rng, "softmax", 2, 2))
    with pytest.raises(InvalidArgument, match="Groups rows share their first state"):
        optimal_values(with_critic(np.zeros(2)), Groups(2), even)
