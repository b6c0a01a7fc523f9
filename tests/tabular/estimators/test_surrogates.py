"""Surrogates that differentiate their ratio: weights against differences of the surrogate in the log-probabilities themselves."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from pgtheory.tabular.errors import InvalidArgument, NoSupport
from pgtheory.tabular.estimators.groups import LeaveOneOut
from pgtheory.tabular.estimators.lengths import EveryToken, PerSequence
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.estimators.ratios import SequenceRatio, TokenRatio
from pgtheory.tabular.estimators.reinforce import StepReward
from pgtheory.tabular.estimators.surrogates import PPOClip, PrefixSurrogate
from pgtheory.tabular.laws.law import law
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.models.token_tree import TokenTree
from pgtheory.tabular.objectives.returns import Return
from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.episodes import OffPolicy
from pgtheory.tabular.sampling.groups import Groups
from pgtheory.tabular.scene import Scene

CURRENT = np.array([[1 / 2, 1 / 3, 1 / 6], [1 / 6, 1 / 2, 1 / 3], [1 / 5, 1 / 5, 3 / 5]])
SAMPLER = np.array([[1 / 5, 2 / 5, 2 / 5], [3 / 5, 1 / 5, 1 / 5], [1 / 3, 1 / 2, 1 / 6]])
STEP = 1e-5
"""Central differences of smooth pieces of size one: error of order STEP^2 = 1e-10, rounding 1e-16 / STEP = 1e-11."""


def tree_scene(policy=Softmax.of):
    tree = TokenTree(vocabulary=3, limit=2, reward=lambda _, y: float((sum(y) + len(y)) % 3) - 0.5)
    return Scene.of(tree, policy(CURRENT), sampler=policy(SAMPLER))


def by_differences(data, surrogate):
    """d surrogate / d log-probability of each token. surrogate(log-probs (B, T), data set number) -> number."""
    logp, found = np.log(CURRENT)[data.state, data.action], np.zeros(data.shape)
    for n, b, t in zip(*np.nonzero(data.mask), strict=True):
        bump = np.zeros(data.shape[1:])
        bump[b, t] = STEP
        found[n, b, t] = (surrogate(logp[n] + bump, n) - surrogate(logp[n] - bump, n)) / (2 * STEP)
    return found


def advantages(data, n):
    r = data.reward[n].sum(axis=-1)
    return [r[i] - (r.sum() - r[i]) / (len(r) - 1) for i in range(len(r))]


def clip_surrogate(data, low, high):
    def surrogate(logp, n):
        total, old = 0.0, np.log(SAMPLER)[data.state[n], data.action[n]]
        for i, A in enumerate(advantages(data, n)):
            for t in range(int(data.length[n, i])):
                rho = np.exp(logp[i, t] - old[i, t])
                total += min(rho * A, min(max(rho, 1 - low), 1 + high) * A) / data.shape[1]
        return total

    return surrogate


def gspo_surrogate(data, low, high):
    def surrogate(logp, n):
        total, old = 0.0, np.log(SAMPLER)[data.state[n], data.action[n]]
        for i, A in enumerate(advantages(data, n)):
            L = int(data.length[n, i])
            s = np.exp((logp[i, :L] - old[i, :L]).mean())
            total += min(s * A, min(max(s, 1 - low), 1 + high) * A) / data.shape[1]
        return total

    return surrogate


def prefix_surrogate(data):
    def surrogate(logp, n):
        total, old = 0.0, np.log(SAMPLER)[data.state[n], data.action[n]]
        for i, A in enumerate(advantages(data, n)):
            for t in range(int(data.length[n, i])):
                total += np.exp((logp[i, : t + 1] - old[i, : t + 1]).sum()) * A / data.shape[1]
        return total

    return surrogate


@pytest.mark.parametrize(("low", "high"), [(0.2, 0.2), (0.1, 0.3), (0.0, 0.0), (1.0, 5.0)])
def test_ppo_clip_is_the_derivative_of_its_surrogate(low, high):
    """Ratios beyond both edges, with advantages of both signs."""
    scene = tree_scene()
    data = Groups(2).datasets(scene).data
    ratio, A = TokenRatio()(data, scene), LeaveOneOut()(data, scene)
    if high < 1:
        for sign in (1, -1):
            assert ((sign * A > 0) & (ratio > 1 + high) & data.mask).any()
            assert ((sign * A > 0) & (ratio < 1 - low) & data.mask).any()
    found = PPOClip(advantage=LeaveOneOut(), epsilon_low=low, epsilon_high=high)(data, scene)
    np.testing.assert_allclose(found, by_differences(data, clip_surrogate(data, low, high)), rtol=0, atol=1e-9)


@dataclass(frozen=True)
class WrongSide:
    """Planted bug: clipped where the ratio is outside, whatever the sign of the advantage."""

    def __call__(self, data, scene):
        rho, A = TokenRatio()(data, scene), LeaveOneOut()(data, scene)
        return EveryToken()(data) * np.where((rho > 1.2) | (rho < 0.8), 0.0, rho * A)


def test_the_differences_catch_a_clip_on_the_wrong_side():
    scene = tree_scene()
    data = Groups(2).datasets(scene).data
    assert abs(WrongSide()(data, scene) - by_differences(data, clip_surrogate(data, 0.2, 0.2))).max() > 0.1


def test_gspo_is_the_clip_of_the_geometric_ratio_per_sequence():
    scene = tree_scene()
    data = Groups(2).datasets(scene).data
    found = PPOClip(advantage=LeaveOneOut(), ratio=SequenceRatio(geometric=True), length=PerSequence(), epsilon_low=0.1, epsilon_high=0.2)(
        data, scene
    )
    np.testing.assert_allclose(found, by_differences(data, gspo_surrogate(data, 0.1, 0.2)), rtol=0, atol=1e-9)


def test_a_prefix_surrogate_has_suffix_sums():
    """The planted bug is the prefix ratio held constant."""
    scene = tree_scene()
    data = Groups(2).datasets(scene).data
    expected = by_differences(data, prefix_surrogate(data))
    np.testing.assert_allclose(PrefixSurrogate(advantage=LeaveOneOut())(data, scene), expected, rtol=0, atol=1e-9)
    from pgtheory.tabular.estimators.ratios import PrefixRatio

    assert abs(PolicyGradient(advantage=LeaveOneOut(), ratio=PrefixRatio())(data, scene) - expected).max() > 0.1


def test_on_policy_ppo_is_the_plain_gradient():
    scene = tree_scene()
    on_policy = replace(scene, policies={"current": scene.policies["current"]})
    data = Groups(2).datasets(on_policy).data
    np.testing.assert_array_equal(PPOClip(advantage=LeaveOneOut())(data, on_policy), PolicyGradient(advantage=LeaveOneOut())(data, on_policy))


def test_on_the_edge_itself_the_gradient_passes():
    """Ratios of exactly 5/4 with edges at 1 +- 1/4, both signs."""
    tree = TokenTree(vocabulary=2, limit=1, reward=lambda _, y: float(y[0]))
    scene = Scene.of(tree, Direct([[0.625, 0.375]]), sampler=Direct([[0.5, 0.5]]))
    data = Groups(2).datasets(scene).data
    found = PPOClip(advantage=LeaveOneOut(), epsilon_low=0.25, epsilon_high=0.25)(data, scene)
    np.testing.assert_array_equal(found, TokenRatio()(data, scene) * LeaveOneOut()(data, scene) / 2)


def test_per_decision_importance_sampling_is_unbiased_off_policy():
    """sum_t gamma^t rho_{1:t} r_t; held constant, the prefix ratio is biased."""
    model = MDP(P=[[[0, 1], [0.5, 0]], [[1, 0], [0, 0.5]]], r=[[0.5, -1], [2, 0.25]], mu=[0.5, 0.5], gamma=0.9, horizon=3)
    scene = Scene.of(model, Softmax(np.array([[0.3, -0.5], [0.8, 0.1]])), sampler=Softmax(np.zeros((2, 2))))
    gradient = Return().gradient(scene)
    np.testing.assert_allclose(law(PrefixSurrogate(advantage=StepReward()), OffPolicy(2), scene).mean, gradient, rtol=0, atol=1e-14)
    assert abs(law(PolicyGradient(advantage=StepReward(), ratio=SequenceRatio()), OffPolicy(), scene).mean - gradient).max() > 1e-2


@pytest.mark.parametrize("bad", [{"epsilon_low": -0.1}, {"epsilon_low": 1.1}, {"epsilon_high": -0.1}, {"epsilon_high": float("nan")}], ids=str)
def test_bad_edges_are_refused(bad):
    with pytest.raises(InvalidArgument, match=next(iter(bad))):
        PPOClip(advantage=LeaveOneOut(), **bad)


def test_missing_support_is_refused():
    scene = tree_scene(policy=Direct)
    data = Groups(2).datasets(scene).data
    never = Scene.of(scene.model, Direct(CURRENT), old=Direct([[1, 0, 0], [1, 0, 0], [1, 0, 0]]))
    for surrogate in (PPOClip(advantage=LeaveOneOut()), PrefixSurrogate(advantage=LeaveOneOut())):
        with pytest.raises(NoSupport):
            surrogate(data, never)
