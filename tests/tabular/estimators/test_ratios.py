"""Importance ratios against loops over products of probabilities, and which of them are unbiased off-policy."""

import numpy as np
import pytest

from pgtheory.tabular.errors import InvalidArgument, NoSupport
from pgtheory.tabular.estimators.groups import LeaveOneOut
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.estimators.ratios import Masked, PrefixRatio, SequenceRatio, TokenRatio, Truncated
from pgtheory.tabular.estimators.reinforce import RewardToGo, WholeReturn
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


def tree_scene(limit=2, old=None, current=CURRENT, sampler=SAMPLER):
    tree = TokenTree(vocabulary=3, limit=limit, reward=lambda _, y: float((sum(y) + len(y)) % 3) - 0.5)
    S = tree.mdp.S
    return Scene.of(tree, Direct(current[:S]), sampler=Direct(sampler[:S]), old=None if old is None else Direct(old[:S]))


def softmax_scene(limit=2):
    tree = TokenTree(vocabulary=3, limit=limit, reward=lambda _, y: float((sum(y) + len(y)) % 3) - 0.5)
    S = tree.mdp.S
    return Scene.of(tree, Softmax.of(CURRENT[:S]), sampler=Softmax.of(SAMPLER[:S]))


def token_ratios(data, n, b, old=SAMPLER):
    return [CURRENT[s, a] / old[s, a] for s, a, m in zip(data.state[n, b], data.action[n, b], data.mask[n, b], strict=True) if m]


def root(rho):
    return float(np.prod(rho)) ** (1 / len(rho))


CASES = {
    "token": (TokenRatio(), lambda rho, t: rho[t]),
    "prefix": (PrefixRatio(), lambda rho, t: float(np.prod(rho[: t + 1]))),
    "sequence": (SequenceRatio(), lambda rho, t: float(np.prod(rho))),
    "sequence mean": (SequenceRatio(geometric=True), lambda rho, t: root(rho)),
    "truncated": (Truncated(cap=1.2), lambda rho, t: min(rho[t], 1.2)),
    "truncated sequence": (Truncated(cap=0.9, ratio=SequenceRatio()), lambda rho, t: min(float(np.prod(rho)), 0.9)),
    "masked": (Masked(low=0.5, high=2), lambda rho, t: rho[t] if 0.5 <= rho[t] <= 2 else 0.0),
    "masked prefix": (Masked(low=0.5, high=2, ratio=PrefixRatio()), lambda rho, t: np.prod(rho[: t + 1]) * (0.5 <= np.prod(rho[: t + 1]) <= 2)),
}


@pytest.mark.parametrize("name", CASES)
def test_ratios_equal_the_loop(name):
    ratio, definition = CASES[name]
    scene = tree_scene()
    data = Groups(2).datasets(scene).data
    found = np.broadcast_to(ratio(data, scene), data.shape)
    for n in range(len(data)):
        for b in range(2):
            rho = token_ratios(data, n, b)
            for t in range(len(rho)):
                assert found[n, b, t] == pytest.approx(definition(rho, t), rel=1e-13)


def test_the_loop_tells_the_ratios_apart():
    """Planted bugs: each ratio in place of another, and old and current exchanged."""
    scene = tree_scene()
    data = Groups(1).datasets(scene).data
    values = {name: np.broadcast_to(ratio(data, scene), data.shape)[data.mask] for name, (ratio, _) in CASES.items()}
    values["exchanged"] = 1 / values["token"]
    for a in values:
        for b in values:
            assert a == b or abs(values[a] - values[b]).max() > 0.05


def test_old_is_the_sampler_unless_it_is_given():
    data = Groups(1).datasets(tree_scene()).data
    third = np.full((3, 3), 1 / 3)
    np.testing.assert_allclose(TokenRatio()(data, tree_scene(old=third))[data.mask], 3 * CURRENT[data.state, data.action][data.mask], rtol=1e-14)
    np.testing.assert_array_equal(TokenRatio()(data, tree_scene(old=SAMPLER)), TokenRatio()(data, tree_scene()))


def test_a_current_policy_that_never_takes_the_action_has_ratio_zero():
    scene = tree_scene(current=np.array([[1, 0, 0], [1 / 3, 1 / 3, 1 / 3], [1, 0, 0]]))
    data = Groups(1).datasets(scene).data
    gone = (data.action[..., 0] > 0).ravel()
    for geometric in (False, True):
        assert not SequenceRatio(geometric=geometric)(data, scene).ravel()[gone].any()


def mean_of(ratio, scene, G=2):
    return law(PolicyGradient(advantage=LeaveOneOut(), ratio=ratio), Groups(G), scene).mean


def test_the_sequence_ratio_is_unbiased_off_policy_and_no_other_is():
    scene = softmax_scene()
    gradient = Return().gradient(scene)
    np.testing.assert_allclose(mean_of(SequenceRatio(), scene), gradient, rtol=0, atol=1e-14)
    for biased in (None, TokenRatio(), PrefixRatio(), SequenceRatio(geometric=True), Truncated(cap=1.5, ratio=SequenceRatio())):
        assert abs(mean_of(biased, scene) - gradient).max() > 1e-3


@pytest.mark.parametrize("ratio", [TokenRatio(), PrefixRatio(), SequenceRatio(), SequenceRatio(geometric=True)], ids=repr)
def test_with_one_token_all_ratios_are_one_and_unbiased(ratio):
    scene = softmax_scene(limit=1)
    np.testing.assert_allclose(mean_of(ratio, scene), Return().gradient(scene), rtol=0, atol=1e-14)


def test_the_sequence_ratio_is_unbiased_for_episodes_with_discount():
    model = MDP(P=[[[0, 1], [0.5, 0]], [[1, 0], [0, 0.5]]], r=[[0.5, -1], [2, 0.25]], mu=[0.5, 0.5], gamma=0.9, horizon=3)
    scene = Scene.of(model, Softmax(np.array([[0.3, -0.5], [0.8, 0.1]])), sampler=Softmax(np.zeros((2, 2))))
    for advantage in (WholeReturn(), RewardToGo()):
        found = law(PolicyGradient(advantage=advantage, ratio=SequenceRatio()), OffPolicy(), scene).mean
        np.testing.assert_allclose(found, Return().gradient(scene), rtol=0, atol=1e-14)


def test_an_old_policy_without_support_is_refused():
    scene = tree_scene(old=np.array([[0, 1 / 2, 1 / 2], [1 / 3] * 3, [1 / 3] * 3]))
    data = Groups(1).datasets(scene).data
    for ratio in (TokenRatio(), PrefixRatio(), SequenceRatio()):
        with pytest.raises(NoSupport, match="old policy never takes action 0 in state 0"):
            ratio(data, scene)


def test_a_sampler_without_support_is_refused_before_any_ratio_is_taken():
    scene = tree_scene(sampler=np.array([[0, 1 / 2, 1 / 2], [1 / 3] * 3, [1 / 3] * 3]))
    with pytest.raises(NoSupport, match="sampler policy never takes action 0 in state 0"):
        law(PolicyGradient(advantage=LeaveOneOut(), ratio=SequenceRatio()), Groups(2), scene)


@pytest.mark.parametrize("cap", [0, -1.0, float("nan")])
def test_a_cap_that_is_not_positive_is_refused(cap):
    with pytest.raises(InvalidArgument, match="cap"):
        Truncated(cap=cap)


@pytest.mark.parametrize(("low", "high"), [(-0.1, 1), (2, 1), (float("nan"), 1)])
def test_an_empty_interval_is_refused(low, high):
    with pytest.raises(InvalidArgument, match="low, high"):
        Masked(low=low, high=high)
