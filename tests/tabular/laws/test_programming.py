"""The choice of dynamic programming among the methods of `law`: when it is cheaper, when it is the only one, and without enumerating to find out."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from pgtheory.tabular.errors import InvalidArgument, TooLarge
from pgtheory.tabular.estimators.registry import builtin
from pgtheory.tabular.laws.enumeration import Enumeration
from pgtheory.tabular.laws.independent import IndependentParts
from pgtheory.tabular.laws.law import METHODS, law
from pgtheory.tabular.laws.programming import DynamicProgramming
from pgtheory.tabular.models.large import sparse_garnet
from pgtheory.tabular.models.mdp import MDP, Outcomes
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling import episodes
from pgtheory.tabular.sampling.episodes import OnPolicy
from pgtheory.tabular.scene import Scene

RNG = np.random.default_rng(0)
TINY = MDP(P=RNG.dirichlet(np.ones(2), size=(2, 2)), r=RNG.normal(size=(2, 2)), mu=[0.5, 0.5], gamma=0.9)
THETA = RNG.normal(size=(2, 2))


def scene(mdp=TINY):
    return Scene.of(mdp, Softmax(np.resize(THETA, (mdp.S, mdp.A))), critic=np.linspace(0, 1, mdp.S))


@pytest.mark.parametrize(("horizon", "method"), [(1, "enumeration"), (2, "enumeration"), (6, "dynamic-programming"), (1000, "dynamic-programming")])
def test_tiny_problems_are_enumerated_and_others_are_not(horizon, method):
    """32 data sets against 8192; the law is the same."""
    found = law(builtin("gae/0.95"), OnPolicy(horizon=horizon), scene())
    assert found.method == method
    assert (found.count > 0) == (method == "enumeration")
    if horizon <= 6:
        other = law(builtin("gae/0.95"), OnPolicy(horizon=horizon), scene(), method="enumeration")
        assert_allclose(found.covariance, other.covariance, atol=1e-13)


def test_nothing_is_enumerated_where_it_is_not_chosen(monkeypatch):
    """Trajectories are counted on the graph."""

    def refuse(*_, **__):
        raise AssertionError("enumerated")

    monkeypatch.setattr(episodes, "enumerate_paths", refuse)
    assert law(builtin("gae/0.95"), OnPolicy(3, horizon=50), scene()).method == "dynamic-programming"
    assert law(builtin("gae/0.95"), OnPolicy(), scene()).method == "dynamic-programming"
    with pytest.raises(TooLarge, match="no exact method"):
        law(builtin("n-step/2"), OnPolicy(horizon=50), scene())


def test_a_law_of_rewards_is_not_needed_but_for_its_two_moments():
    """r2 alone cannot be enumerated; the law is that of any outcomes with these moments."""
    noise = Outcomes(values=[-1.0, 0.5, 2.0], chance=RNG.dirichlet(np.ones(3), size=(2, 2)))
    known = MDP(P=TINY.P, mu=TINY.mu, outcomes=noise, gamma=0.9)
    moments = MDP(P=TINY.P, mu=TINY.mu, r=known.r, r2=known.r2, gamma=0.9)
    found = law(builtin("gae/0.95"), OnPolicy(horizon=2), scene(moments))
    assert found.method == "dynamic-programming"
    expected = law(builtin("gae/0.95"), OnPolicy(horizon=2), scene(known), method="enumeration")
    assert_allclose(found.covariance, expected.covariance, atol=1e-13)
    sure = law(builtin("gae/0.95"), OnPolicy(horizon=2), scene(replace(moments, r2=None)))
    assert found.variance > sure.variance + 0.1


def test_episodes_of_a_batch_divide_the_covariance():
    """A hundred rows cost what one costs."""
    one, many = (law(builtin("gae/0.95"), OnPolicy(rows, horizon=9), scene()) for rows in (1, 100))
    assert_allclose(many.covariance, one.covariance / 100, rtol=1e-13)
    assert_allclose(many.mean, one.mean, atol=1e-15)


def test_what_it_does_not_know_it_does_not_state():
    """No data set was formed; the probability that all weights are zero is not known."""
    found = law(builtin("gae/0"), OnPolicy(horizon=9), scene())
    assert (found.count, found.undefined, found.exact) == (0, 0.0, True)
    assert np.isnan(found.zero)


def test_costs_are_of_one_unit_and_infinite_where_a_method_cannot_apply():
    """Another estimator, a loop without a horizon, a reward of unknown law; a longer row costs more."""
    programming, listing, parts = DynamicProgramming(), Enumeration(), IndependentParts()
    gae, s = builtin("gae/0.95"), scene()
    assert programming.cost(builtin("n-step/2"), OnPolicy(), s) == np.inf
    assert programming.cost(gae, OnPolicy(horizon=20), s) > programming.cost(gae, OnPolicy(horizon=10), s)
    assert listing.cost(gae, OnPolicy(), s) == np.inf
    assert listing.cost(gae, OnPolicy(horizon=2), scene(replace(TINY, r2=TINY.r**2))) == np.inf
    assert parts.cost(gae, OnPolicy(), s) == np.inf
    assert listing.cost(gae, OnPolicy(horizon=9), s) > programming.cost(gae, OnPolicy(horizon=9), s)
    assert listing.cost(gae, OnPolicy(horizon=1), s) < programming.cost(gae, OnPolicy(horizon=1), s)


def test_it_is_named_and_says_what_it_needs():
    """By name; for an estimator without a form the text lists those that have one."""
    assert law(builtin("gae/0.95"), OnPolicy(horizon=1), scene(), method="dynamic-programming").method == "dynamic-programming"
    with pytest.raises(InvalidArgument, match="advantage of a PolicyGradient"):
        law(builtin("n-step/2"), OnPolicy(horizon=1), scene(), method="dynamic-programming")
    assert [m.name for m in METHODS] == ["enumeration", "independent-parts", "dynamic-programming", "monte-carlo"]


def test_a_covariance_that_fits_no_memory_is_refused_before_it_is_made():
    """With what there is instead."""
    large = sparse_garnet(S=6000)
    with pytest.raises(TooLarge, match="24000 parameters takes 5 GB.*variance along directions"):
        law(builtin("gae/0.95"), OnPolicy(horizon=2), Scene.of(large, Softmax(np.zeros((6000, 4)))))
