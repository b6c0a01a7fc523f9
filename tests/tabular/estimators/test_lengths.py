"""Length normalisations against loops, and what they do to the mean."""

import numpy as np
import pytest

from pgtheory.tabular.data import Data
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.estimators.groups import GroupMean, LeaveOneOut
from pgtheory.tabular.estimators.lengths import EveryToken, PerBatchToken, PerConstant, PerSequence
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.fields.field import Field, curl
from pgtheory.tabular.laws.law import law
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.models.token_tree import TokenTree
from pgtheory.tabular.objectives.functionals import InverseLength, ReturnPerLength
from pgtheory.tabular.objectives.returns import Return
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.groups import Groups
from pgtheory.tabular.scene import Scene

CASES = {
    "every token": (EveryToken(), lambda lengths, i: 1 / len(lengths)),
    "per sequence": (PerSequence(), lambda lengths, i: 1 / (len(lengths) * lengths[i])),
    "per batch token": (PerBatchToken(), lambda lengths, i: 1 / sum(lengths)),
    "per constant": (PerConstant(7), lambda lengths, i: 1 / (len(lengths) * 7)),
}


def data_of(lengths, T):
    mask = np.arange(T) < np.array(lengths)[..., None]
    zeros = np.zeros(mask.shape, dtype=int)
    return Data(
        state=zeros, action=zeros, reward=zeros * 1.0, mask=mask, last=-np.ones(mask.shape[:2], int), truncated=np.zeros(mask.shape[:2], bool)
    )


def tree_scene(*, end=True):
    tree = TokenTree(vocabulary=3, limit=2, end=end, reward=lambda _, y: float((2 * sum(y) + len(y)) % 3 == 1))
    return Scene.of(tree, Softmax(np.array([[0.2, 0.9, -0.4], [0.5, -0.3, 0.1], [-0.6, 0.2, 0.7], [0.0, 0.4, -0.8]])[: tree.mdp.S]))


def mean_of(advantage, length, G, scene):
    return law(PolicyGradient(advantage=advantage, length=length), Groups(G), scene).mean


@pytest.mark.parametrize("name", CASES)
def test_weights_equal_the_loop_and_padding_has_none(name):
    length, definition = CASES[name]
    lengths = [[1, 3, 2], [2, 2, 1]]
    found = length(data_of(lengths, 3))
    for n in range(2):
        for b in range(3):
            for t in range(3):
                assert found[n, b, t] == pytest.approx(definition(lengths[n], b) if t < lengths[n][b] else 0.0, rel=1e-15)


@pytest.mark.parametrize("G", [2, 3])
def test_per_sequence_estimates_a_difference_of_two_gradients(G):
    """With the group mean E[g] = (G-1)/G (grad E[R/L] - J grad E[1/L]); leave-one-out has no factor. The planted bugs are each other's formula."""
    scene = tree_scene()
    formula = ReturnPerLength().gradient(scene) - Return().value(scene) * InverseLength().gradient(scene)
    np.testing.assert_allclose(mean_of(LeaveOneOut(), PerSequence(), G, scene), formula, rtol=0, atol=1e-14)
    np.testing.assert_allclose(mean_of(GroupMean(), PerSequence(), G, scene), (G - 1) / G * formula, rtol=0, atol=1e-14)
    assert abs(mean_of(GroupMean(), PerSequence(), G, scene) - formula).max() > 1e-3
    assert abs(formula - Return().gradient(scene)).max() > 1e-2


@pytest.mark.parametrize("length", [PerSequence(), PerBatchToken()], ids=["per sequence", "per batch token"])
def test_random_lengths_make_no_gradient_of_anything(length):
    field = Field(PolicyGradient(advantage=LeaveOneOut(), length=length), Groups(2), tree_scene())
    J, error = field.jacobian()
    assert curl(J) > 100 * error
    neutral, error = Field(PolicyGradient(advantage=LeaveOneOut()), Groups(2), tree_scene()).jacobian()
    assert curl(neutral) <= error


@pytest.mark.parametrize(("length", "factor"), [(EveryToken(), 1), (PerConstant(2), 1 / 2), (PerSequence(), 1 / 2), (PerBatchToken(), 1 / 2)])
def test_equal_lengths_make_every_normalisation_a_constant(length, factor):
    scene = tree_scene(end=False)
    np.testing.assert_allclose(mean_of(LeaveOneOut(), length, 3, scene), factor * Return().gradient(scene), rtol=0, atol=1e-14)


def test_the_published_numbers_of_a_two_step_tree():
    """First token a = end with reward 1; else b, then c with reward 1 or d with 0; uniform, G = 2, group mean: exact fractions of the means."""
    tree = MDP(P=[[[0, 0], [0, 1]], [[0, 0], [0, 0]]], r=[[1, 0], [1, 0]], mu=[1, 0])
    scene = Scene.of(tree, Softmax(np.zeros((2, 2))))
    np.testing.assert_allclose(Return().gradient(scene), np.array([1, -1, 1, -1]) / 8, atol=1e-15)
    np.testing.assert_allclose(mean_of(GroupMean(), PerBatchToken(), 2, scene), [1 / 24, -1 / 24, 7 / 192, -7 / 192], atol=1e-15)
    np.testing.assert_allclose(mean_of(GroupMean(), PerSequence(), 2, scene), [3 / 64, -3 / 64, 1 / 32, -1 / 32], atol=1e-15)
    np.testing.assert_allclose(mean_of(GroupMean(), PerConstant(2), 2, scene), np.array([1, -1, 1, -1]) / 32, atol=1e-15)


@pytest.mark.parametrize("tokens", [0, -1, 2.5, True])
def test_a_constant_that_is_no_count_is_refused(tokens):
    with pytest.raises(InvalidArgument, match="tokens"):
        PerConstant(tokens)
