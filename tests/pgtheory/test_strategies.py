"""Strategies give valid problems with small fractions, and shrink to smaller ones."""

import sys
from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import find, given, settings
from hypothesis import strategies as st

from pgtheory import strategies as some
from pgtheory.tabular.errors import InvalidArgument, MissingExtra
from pgtheory.tabular.models.bandit import Bandit
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.models.token_tree import TokenTree
from pgtheory.tabular.solve.evaluation import evaluate

FEW = settings(max_examples=10, deadline=None)
SEARCH = settings(max_examples=2000, deadline=None, database=None, derandomize=True)
KINDS = ("discounted", "finite", "episodic")


def small(array, denominator: int) -> bool:
    """Whether all entries are fractions with a denominator of at most this."""
    return all(abs(float(Fraction(x).limit_denominator(denominator)) - x) < 1e-12 for x in np.ravel(array))


def dense(P) -> np.ndarray:
    return P.toarray() if sp.issparse(P) else P


# What they give


@FEW
@given(st.integers(1, 4).flatmap(some.distributions))
def test_distribution_is_positive_and_sums_to_one_exactly(p):
    assert sum(p) == 1
    assert all(isinstance(x, Fraction) and 0 < x <= 1 and x.denominator <= 7 * len(p) for x in p)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_decision_process_is_of_its_kind_and_can_be_evaluated(kind, sparse):
    @FEW
    @given(some.mdps(kind=kind, sparse=sparse).flatmap(lambda m: st.tuples(st.just(m), some.policies(m.S, m.A))))
    def holds(pair):
        mdp, policy = pair
        assert sp.issparse(mdp.P) == sparse
        assert mdp.S <= 3
        assert mdp.A <= 3
        assert small(dense(mdp.P), 28)
        assert small(mdp.r, 4)
        assert (mdp.horizon is not None) == (kind == "finite")
        assert kind != "discounted" or mdp.gamma < 1
        assert kind != "episodic" or (mdp.ends > 0).all()
        assert np.isfinite(evaluate(mdp, policy).J)

    holds()


@FEW
@given(some.bandits(bernoulli=True))
def test_bernoulli_bandit_has_means_between_zero_and_one(bandit):
    assert ((bandit.r > 0) & (bandit.r < 1)).all()
    assert bandit.mdp.outcomes is not None


@FEW
@given(some.token_trees(binary=True))
def test_binary_token_tree_has_a_reward_of_zero_or_one_for_each_completion(tree):
    assert {tree.outcome(prompt, tokens) for prompt in range(tree.prompts) for tokens in tree.completions} <= {0.0, 1.0}


@FEW
@given(some.scenes(off_policy=True, ref=True))
def test_scene_has_the_roles_it_was_asked_for(scene):
    assert not scene.moves("sampler")
    assert scene.policy("ref").probabilities.shape == (scene.mdp.S, scene.mdp.A)
    assert scene.policy("sampler") is not scene.policy("current")


def test_scenes_have_models_of_every_type():
    seen = set()

    @settings(max_examples=30, deadline=None, derandomize=True, database=None)
    @given(some.scenes())
    def collect(scene):
        seen.add(type(scene.model))

    collect()
    assert seen == {Bandit, MDP, TokenTree}


# What they shrink to


def test_distribution_shrinks_to_the_uniform_one_or_to_small_weights():
    assert find(some.distributions(3), lambda p: True, settings=SEARCH) == (Fraction(1, 3),) * 3
    assert find(some.distributions(2), lambda p: p[0] > Fraction(1, 2), settings=SEARCH) == (Fraction(2, 3), Fraction(1, 3))


def test_policy_shrinks_to_the_uniform_one_or_to_small_weights():
    np.testing.assert_array_equal(find(some.thetas(2, 2), lambda theta: True, settings=SEARCH), np.log(np.full((2, 2), 0.5)))
    found = find(some.policies(1, 2), lambda policy: policy.probabilities[0, 1] > 0.7, settings=SEARCH)
    np.testing.assert_allclose(found.probabilities, [[1 / 4, 3 / 4]], rtol=1e-14)


@pytest.mark.parametrize("kind", KINDS)
def test_decision_process_shrinks_to_one_state_that_ends(kind):
    found = find(some.mdps(max_states=2, max_actions=1, kind=kind), lambda mdp: True, settings=SEARCH)

    assert (found.S, found.A) == (1, 1)
    assert not found.P.any()
    assert not found.r.any()
    assert found.horizon == (1 if kind == "finite" else None)


def test_decision_process_shrinks_to_small_numbers():
    """Two states: one transition and one reward, both one."""
    found = find(
        some.mdps(max_states=2, max_actions=1, kind="finite"),
        lambda mdp: mdp.S == 2 and bool(mdp.P[0, :, 1].any() and mdp.r[1].any()),
        settings=SEARCH,
    )

    assert sorted(np.ravel(found.P)) == [0, 0, 0, 1]
    assert found.r is not None
    assert sorted(abs(np.ravel(found.r))) == [0, 1]
    np.testing.assert_array_equal(found.mu, [1 / 2, 1 / 2])
    assert found.horizon == 1


def test_models_shrink_to_their_least_sizes():
    bandit = find(some.bandits(max_arms=2), lambda bandit: bool(bandit.r.any()), settings=SEARCH)
    tree = find(some.token_trees(max_prompts=1), lambda tree: True, settings=SEARCH)

    assert bandit.r.shape == (1, 2)
    assert sorted(abs(np.ravel(bandit.r))) == [0, 1]
    assert (tree.vocabulary, tree.limit, tree.prompts) == (2, 1, 1)


# What they refuse


@pytest.mark.parametrize(
    "make, text",
    [
        (lambda: some.distributions(0), "n is 0"),
        (lambda: some.thetas(0, 2), "S is 0"),
        (lambda: some.policies(2, 0), "A is 0"),
        (lambda: some.mdps(kind="endless"), "kind is 'endless'. There are: discounted, finite, episodic"),
        (lambda: some.mdps(max_states=0), "max_states is 0"),
        (lambda: some.mdps(max_actions=0), "max_actions is 0"),
        (lambda: some.bandits(max_arms=1), "max_arms is 1"),
        (lambda: some.bandits(max_contexts=0), "max_contexts is 0"),
        (lambda: some.token_trees(max_vocabulary=1), "max_vocabulary is 1"),
        (lambda: some.token_trees(max_limit=0), "max_limit is 0"),
        (lambda: some.token_trees(max_prompts=0), "max_prompts is 0"),
    ],
)
def test_arguments_are_checked_at_once(make, text):
    with pytest.raises(InvalidArgument, match=text):
        make()


def test_missing_hypothesis_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    monkeypatch.setitem(sys.modules, "hypothesis.strategies", None)

    with pytest.raises(MissingExtra, match=r"pip install 'pgtheory\[dev\]'"):
        some.bandits()
