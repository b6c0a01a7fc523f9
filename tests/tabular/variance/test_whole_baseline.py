"""The best baseline of the whole return: against least squares over all trajectories, the limit of long horizons, the best constant."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgtheory.tabular.errors import InvalidArgument, NonTerminating
from pgtheory.tabular.estimators.baselines import Constant, Given, OptimalConstant
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.estimators.reinforce import RewardToGo, WholeReturn
from pgtheory.tabular.laws.enumeration import Enumeration
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.policies.policy import score
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.episodes import OnPolicy
from pgtheory.tabular.scene import Scene
from pgtheory.tabular.variance.optimal_baseline import least_variance, optimal_values


def whole(baseline=None):
    return PolicyGradient(advantage=WholeReturn(baseline=baseline or Constant()))


def regression(scene, sampling, by_step):
    """Least squares over the data sets of one row: the gradient of each, and how each value of the baseline changes it, from the trajectories and the table of scores."""
    sets = sampling.datasets(scene)
    p, data, table = sets.weights(scene), sets.data, score(scene.policy())
    N, _, T = data.shape
    S = scene.mdp.S
    psi = table[data.state[:, 0], data.action[:, 0]] * data.mask[:, 0, :, None]
    R = data.reward[:, 0] @ scene.mdp.gamma ** np.arange(T)
    effects = np.zeros((T, S, N, table.shape[2]))
    for t in range(T):
        for n in range(N):
            effects[t, data.state[n, 0, t], n] -= psi[n, t]
    effects = effects.reshape(-1, N, table.shape[2]) if by_step else effects.sum(axis=0)
    centred = lambda g: np.sqrt(p)[:, None] * (g - p @ g)
    matrix = np.stack([centred(effect).ravel() for effect in effects], axis=1)
    target = centred(R[:, None] * psi.sum(axis=1)).ravel()
    values, *_ = np.linalg.lstsq(matrix, -target, rcond=1e-10)
    return values.reshape(-1, S) if by_step else values, float(((target + matrix @ values) ** 2).sum())


@given(data=st.data())
@settings(max_examples=20)
def test_least_variance_is_that_of_least_squares(data, by_hand):
    """States that are never reached have the value zero in both."""
    S, A, T = data.draw(st.sampled_from([(1, 2, 3), (2, 2, 2), (3, 2, 2), (2, 2, 3)]))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    pick = lambda *choices: data.draw(st.sampled_from(choices))
    cut, by_step = pick(True, False), pick(True, False)
    mdp = by_hand.model(
        rng,
        S=S,
        A=A,
        ends=pick(True, False),
        reward=pick("pair", "move", "noise"),
        gamma=pick(0.5, 0.9, 1.0),
        horizon=None if cut else T,
        sparse=pick(True, False),
    )
    scene, sampling = Scene.of(mdp, by_hand.policy(rng, pick("softmax", "log-linear"), S, A)), OnPolicy(horizon=T if cut else None)
    values, least = regression(scene, sampling, by_step)
    found = least_variance(whole(), sampling, scene, by_step=by_step)
    np.testing.assert_allclose(found.values, values, rtol=0, atol=1e-9 * max(1, abs(values).max()))
    assert found.least == pytest.approx(least, rel=1e-11, abs=1e-13)
    assert found.given == pytest.approx(Enumeration().run(whole(), sampling, scene).variance, rel=1e-12)


ENDING = MDP(P=[[[0, 0.5], [0.5, 0.2]], [[0.4, 0], [0, 0.5]]], r=[[0.5, -1], [2, 0.25]], mu=[0.5, 0.5], gamma=0.9)
POLICY = Softmax(np.array([[0.3, -0.5], [0.8, 0.1]]))


@pytest.mark.parametrize("gamma", [0.9, 1.0])
def test_without_horizon_the_sums_are_the_limit_of_the_recursion(gamma):
    """Episodes end with 0.3 a step at least: 0.7^100 = 3e-16 are longer than a hundred steps."""
    scene = Scene.of(MDP(P=ENDING.P, r=ENDING.r, mu=ENDING.mu, gamma=gamma), POLICY)
    limit, long = (optimal_values(whole(), OnPolicy(horizon=h), scene)[0] for h in (None, 120))
    np.testing.assert_allclose(limit, long, rtol=1e-12)


def test_it_beats_the_best_constant_and_is_not_that_of_the_reward_to_go():
    model = MDP(P=ENDING.P, r=ENDING.r, mu=ENDING.mu, gamma=0.9, horizon=3)
    scene = Scene.of(model, POLICY)
    found = least_variance(whole(OptimalConstant()), OnPolicy(2), scene)
    assert found.least < 0.99 * found.given
    other = optimal_values(PolicyGradient(advantage=RewardToGo()), OnPolicy(), scene)[0]
    assert Enumeration().run(whole(Given(other)), OnPolicy(2), scene).variance > 1.01 * found.least


def test_bad_uses_are_refused():
    with pytest.raises(InvalidArgument, match="scores have a mean"):
        optimal_values(whole(), OnPolicy(horizon=2), Scene.of(ENDING, Direct(POLICY.probabilities)))
    with pytest.raises(InvalidArgument, match="need a horizon"):
        optimal_values(whole(), OnPolicy(), Scene.of(ENDING, POLICY), by_step=True)
    endless = MDP(P=[[[1.0], [1.0]]], r=[[1.0, 0.0]], mu=[1.0], gamma=0.9)
    with pytest.raises(NonTerminating, match="from state 0"):
        optimal_values(whole(), OnPolicy(), Scene.of(endless, Softmax(np.zeros((1, 2)))))
