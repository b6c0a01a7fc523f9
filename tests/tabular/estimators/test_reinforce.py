"""Returns as weights: loops, exact unbiasedness, and what the missing gamma^t does."""

from dataclasses import dataclass

import numpy as np
import pytest

from pgtheory.tabular.estimators.baselines import Constant, Critic, ExactValue, OptimalState
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.estimators.reinforce import RewardToGo, StepReward, WholeReturn
from pgtheory.tabular.fields.field import Field, curl
from pgtheory.tabular.laws.law import law
from pgtheory.tabular.models.augmentation import with_time
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.objectives.returns import Return
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.episodes import OnPolicy
from pgtheory.tabular.scene import Scene
from pgtheory.tabular.solve.evaluation import evaluate

P = [[[0, 1, 0], [0, 0, 1], [0, 0.5, 0.25]], [[1, 0, 0], [0, 0, 0.5], [0, 0, 0]], [[0, 0, 0], [0, 1, 0], [0.5, 0, 0]]]
R = [[0.5, -1.0, 0.25], [2.0, 0.25, -0.5], [-0.5, 1.5, 0.75]]
THETA = np.array([[0.2, -0.3, 0.5], [0.1, 0.6, -0.4], [-0.7, 0.3, 0.0]])


def scene_of(gamma=0.9, horizon=3):
    return Scene.of(MDP(P=P, r=R, mu=[0.5, 0.25, 0.25], gamma=gamma, horizon=horizon), Softmax(THETA), critic=np.array([0.5, -1.0, 1.5]))


def assert_unbiased(advantage, scene, episodes=1):
    found, expected = law(PolicyGradient(advantage=advantage), OnPolicy(episodes), scene), Return().gradient(scene)
    assert abs(found.mean - expected).max() <= 4 * found.rounding.max() + 1e-13 * abs(expected).max()


def weights_by_loop(data, scene, *, whole, baseline, step_discount=True):
    gamma, (N, B, T) = scene.mdp.gamma, data.shape
    found = np.zeros((N, B, T))
    for n in range(N):
        for b in range(B):
            L = int(data.length[n, b])
            for t in range(L):
                value = 0.0
                for k in range(0 if whole else t, L):
                    value += gamma ** (k if whole else k - t) * data.reward[n, b, k]
                value -= baseline(data.state[n, b, t], t)
                found[n, b, t] = value * (gamma**t if step_discount and not whole else 1) / B
    return found


@pytest.mark.parametrize("episodes", [1, 2])
def test_weights_equal_the_loop(episodes):
    scene = scene_of()
    data = OnPolicy(episodes).sample(scene, 20, rng=np.random.default_rng(3))
    critic, V = scene.point["critic"], evaluate(scene.model, scene.policy()).V
    cases = [
        (WholeReturn(), {"whole": True, "baseline": lambda s, t: 0.0}),
        (WholeReturn(baseline=Constant(0.7)), {"whole": True, "baseline": lambda s, t: 0.7}),
        (RewardToGo(), {"whole": False, "baseline": lambda s, t: 0.0}),
        (RewardToGo(baseline=Critic()), {"whole": False, "baseline": lambda s, t: critic[s]}),
        (RewardToGo(baseline=ExactValue()), {"whole": False, "baseline": lambda s, t: V[t, s]}),
        (RewardToGo(step_discount=False), {"whole": False, "baseline": lambda s, t: 0.0, "step_discount": False}),
    ]
    for advantage, definition in cases:
        found = PolicyGradient(advantage=advantage)(data, scene)
        np.testing.assert_allclose(found, weights_by_loop(data, scene, **definition), rtol=0, atol=1e-14)


def test_step_rewards_sum_to_the_return():
    scene = scene_of()
    data = OnPolicy(2).sample(scene, 10, rng=np.random.default_rng(0))
    expected = [[sum(0.9**t * data.reward[n, b, t] for t in range(data.shape[2])) for b in range(2)] for n in range(10)]
    np.testing.assert_allclose(StepReward()(data, scene).sum(axis=-1), expected, atol=1e-14)


BASELINES = {"none": Constant(), "constant": Constant(-3.0), "critic": Critic(), "value": ExactValue(), "optimal state": OptimalState()}


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("kind", [WholeReturn, RewardToGo])
@pytest.mark.parametrize("gamma", [0.9, 1.0])
def test_no_baseline_changes_the_mean(kind, name, gamma):
    assert_unbiased(kind(baseline=BASELINES[name]), scene_of(gamma))


def test_the_mean_does_not_depend_on_the_number_of_episodes():
    assert_unbiased(RewardToGo(), scene_of(horizon=2), episodes=2)


@dataclass(frozen=True)
class OffByOne:
    """Planted bug: the return begins at the next reward."""

    def __call__(self, data, scene):
        to_go = RewardToGo(step_discount=False)(data, scene)
        return (to_go - data.reward) * scene.mdp.gamma ** np.arange(data.shape[2])


@dataclass(frozen=True)
class ActionBaseline:
    """Planted bug: a baseline that knows the action."""

    def __call__(self, data, scene):
        return RewardToGo()(data, scene) - data.action * 0.01


@pytest.mark.parametrize("bug", [OffByOne(), ActionBaseline(), RewardToGo(step_discount=False)], ids=["off by one", "action baseline", "no gamma^t"])
def test_the_mean_catches_planted_bugs(bug):
    with pytest.raises(AssertionError):
        assert_unbiased(bug, scene_of())


def test_without_step_discount_the_states_are_weighted_by_undiscounted_visits():
    """E[g] = sum_t sum_s Pr(s_t = s) sum_a pi Q_t score: the occupancy divided by gamma^t."""
    scene = scene_of()
    policy, found = scene.policy(), evaluate(scene.model, scene.policy())
    visits = found.occupancy / 0.9 ** np.arange(3)[:, None]
    expected = policy.pullback((visits[..., None] * policy.probabilities * found.Q).sum(axis=0))
    np.testing.assert_allclose(law(PolicyGradient(advantage=RewardToGo(step_discount=False)), OnPolicy(), scene).mean, expected, atol=1e-14)


def test_without_step_discount_the_field_is_no_gradient():
    for step_discount in (True, False):
        J, error = Field(PolicyGradient(advantage=RewardToGo(step_discount=step_discount)), OnPolicy(), scene_of()).jacobian()
        assert curl(J) <= 10 * error if step_discount else curl(J) > 100 * error


def test_with_gamma_one_the_step_discount_is_nothing():
    assert_unbiased(RewardToGo(step_discount=False), scene_of(gamma=1.0))


def test_with_one_policy_a_step_the_missing_discount_is_a_preconditioner():
    """Block t of E[g] is gamma^-t times block t of the gradient."""
    model = with_time(MDP(P=P, r=R, mu=[0.5, 0.25, 0.25], gamma=0.9, horizon=3)).model
    scene = Scene.of(model, Softmax(np.random.default_rng(1).normal(size=(9, 3))))
    mean = law(PolicyGradient(advantage=RewardToGo(step_discount=False)), OnPolicy(), scene).mean
    expected = Return().gradient(scene).reshape(3, 9) / 0.9 ** np.arange(3)[:, None]
    np.testing.assert_allclose(mean.reshape(3, 9), expected, atol=1e-14)
