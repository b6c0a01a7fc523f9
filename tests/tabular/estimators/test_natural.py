"""The natural gradient: preconditioned by the Fisher information, data set by data set."""

from dataclasses import replace

import numpy as np
import pytest

from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.estimators.groups import LeaveOneOut
from pgtheory.tabular.estimators.natural import NaturalGradient
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.estimators.reinforce import RewardToGo
from pgtheory.tabular.laws.law import law
from pgtheory.tabular.models.bandit import Bandit
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.models.token_tree import TokenTree
from pgtheory.tabular.objectives.returns import Return
from pgtheory.tabular.policies.policy import score
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.episodes import OnPolicy
from pgtheory.tabular.sampling.groups import Groups
from pgtheory.tabular.scene import Scene

PLAIN = PolicyGradient(advantage=LeaveOneOut())


def tree_scene():
    tree = TokenTree(vocabulary=3, limit=2, reward=lambda _, y: float((sum(y) + len(y)) % 3))
    return Scene.of(tree, Softmax(np.random.default_rng(0).normal(size=(3, 3))))


def fisher_over_paths(scene):
    """sum over trajectories of p_k gamma^t score score', step by step: no occupancy is used."""
    paths = OnPolicy().datasets(scene).paths
    chance, table, F = paths.probability(scene.policy()), score(scene.policy()), 0.0
    for k in range(len(paths)):
        for t in range(int(paths.length[k])):
            u = table[paths.state[k, t], paths.action[k, t]]
            F = F + chance[k] * scene.mdp.gamma**t * np.outer(u, u)
    return F


@pytest.mark.parametrize("scene", [tree_scene()], ids=["tree"])
def test_the_mean_is_the_preconditioned_gradient(scene):
    expected = np.linalg.pinv(fisher_over_paths(scene), rcond=1e-10) @ Return().gradient(scene)
    np.testing.assert_allclose(law(NaturalGradient(gradient=PLAIN), Groups(2), scene).mean, expected, rtol=0, atol=1e-12)
    assert abs(expected - Return().gradient(scene)).max() > 0.1


def test_visits_of_a_horizon_are_summed_over_time_with_the_discount():
    model = MDP(P=[[[0, 1], [0.5, 0]], [[1, 0], [0, 0.5]]], r=[[0.5, -1], [2, 0.25]], mu=[0.5, 0.5], gamma=0.9, horizon=3)
    scene = Scene.of(model, Softmax(np.array([[0.3, -0.5], [0.8, 0.1]])))
    found = law(NaturalGradient(gradient=PolicyGradient(advantage=RewardToGo())), OnPolicy(), scene).mean
    np.testing.assert_allclose(found, np.linalg.pinv(fisher_over_paths(scene), rcond=1e-10) @ Return().gradient(scene), rtol=0, atol=1e-12)


def test_in_a_bandit_it_is_the_advantage():
    """Kakade (2001), Theorem 1: F^+ grad J is the compatible advantage, here r - mean r of the policy up to a constant an arm."""
    scene = Scene.of(Bandit(r=[[1.0, 0.0, 0.5]]), Softmax(np.array([[0.2, -0.4, 0.9]])))
    found = law(NaturalGradient(gradient=PLAIN), Groups(2), scene).mean
    np.testing.assert_allclose(found, np.array([1.0, 0.0, 0.5]) - 0.5, atol=1e-13)


def test_each_data_set_is_the_plain_gradient_times_one_matrix():
    """The planted bug forgets the mask: padding then counts with the score of state 0, action 0."""
    scene = tree_scene()
    data = Groups(2).datasets(scene).data
    table, inverse = score(scene.policy()), np.linalg.pinv(fisher_over_paths(scene), rcond=1e-10)
    weights = PLAIN(data, scene)
    expected = [inverse @ np.einsum("bt,btd->d", weights[n], table[data.state[n], data.action[n]]) for n in range(len(data))]
    np.testing.assert_allclose(NaturalGradient(gradient=PLAIN)(data, scene), expected, rtol=0, atol=1e-12)

    class Unmasked:
        form = "local"
        declared = None

        def __call__(self, data, scene):
            return np.broadcast_to(LeaveOneOut()(data, scene) / 2, data.shape)

    assert abs(NaturalGradient(gradient=Unmasked())(data, scene) - expected).max() > 0.1


def test_the_fisher_information_is_that_of_the_point():
    scene = tree_scene()
    data = Groups(2).datasets(scene).data
    moved = scene.at(theta=scene.point["theta"] + np.arange(9).reshape(3, 3) / 4)
    assert abs(NaturalGradient(gradient=PLAIN)(data, scene) - NaturalGradient(gradient=PLAIN)(data, moved)).max() > 1e-2


def test_a_gradient_in_parameter_space_is_refused():
    with pytest.raises(InvalidArgument, match="whole"):
        NaturalGradient(gradient=NaturalGradient(gradient=PLAIN))
    assert replace(NaturalGradient(gradient=PLAIN), gradient=PLAIN).form == "whole"
