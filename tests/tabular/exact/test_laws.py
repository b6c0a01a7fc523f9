"""Exact laws: batches, groups, forms of weights, and the check that no data set is missing."""

import sys
from fractions import Fraction

import pytest

from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.exact.estimators import grouped, leave_one_out, whole_return
from pgtheory.tabular.exact.laws import episodes, exact_law, groups
from pgtheory.tabular.exact.rational import RationalMDP, policy_gradient
from pgtheory.tabular.models.bandit import Bandit
from pgtheory.tabular.models.token_tree import TokenTree

F = Fraction
TREE = TokenTree(vocabulary=2, limit=2, reward=lambda prompt, tokens: float(sum(tokens) + prompt) / len(tokens), prompts=2)


@pytest.fixture
def tree():
    return RationalMDP.of(TREE)


@pytest.fixture
def pi(policy):
    return policy(61, 4, 2)


def test_a_batch_has_the_mean_of_one_episode_and_a_share_of_its_covariance(model, policy):
    mdp, pi = RationalMDP.of(model(53, kind="forward")), policy(54, 2, 2)
    one, three = (exact_law(whole_return(gamma=mdp.gamma), episodes(mdp, pi, count=n), pi) for n in (1, 3))

    assert three.mean == one.mean
    assert three.covariance == [[x / 3 for x in row] for row in one.covariance]
    assert three.count == one.count**3


def test_fixed_and_drawn_prompts(tree, pi):
    """Every prompt once: the law of one prompt's group, halved and added. Two drawn: each has the mean of J and half the covariance of one drawn."""
    estimator = grouped(leave_one_out, 2)
    fixed, one, two = (exact_law(estimator, groups(tree, pi, size=2, prompts=n), pi) for n in (None, 1, 2))

    assert fixed.mean == one.mean == two.mean
    assert two.covariance == [[x / 2 for x in row] for row in one.covariance]
    assert fixed.variance < two.variance  # stratification: no variance between prompts
    assert (fixed.count, one.count, two.count) == (3**4, 2 * 3**2, (2 * 3**2) ** 2)


def test_weights_of_all_actions(policy):
    """The all-action estimator on a bandit: weight pi(a) r(a) on every action gives the gradient on every data set: no variance."""
    bandit, pi = RationalMDP.of(Bandit(r=[0.5, 0.25, 1.0])), policy(66, 1, 3)
    table = lambda rows: [[[p * r for p, r in zip(pi[0], (F(1, 2), F(1, 4), F(1)), strict=True)]]]

    law = exact_law(table, episodes(bandit, pi), pi)

    assert law.mean == policy_gradient(bandit, pi)[0]
    assert law.variance == 0


def test_laws_do_not_depend_on_flint(tree, pi, monkeypatch):
    fast = exact_law(grouped(leave_one_out, 2), groups(tree, pi, size=2), pi)
    monkeypatch.setitem(sys.modules, "flint", None)
    slow = exact_law(grouped(leave_one_out, 2), groups(tree, pi, size=2), pi)

    assert (fast.mean, fast.second, fast.count) == (slow.mean, slow.second, slow.count)


def test_a_missing_data_set_is_noticed(tree, pi):
    some = list(episodes(tree, pi))[1:]

    with pytest.raises(InvalidArgument, match="not to one"):
        exact_law(whole_return(), some, pi)
