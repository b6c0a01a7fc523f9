"""The four sources of the variance: against conditional expectations over all trajectories, their sum against the law, sources that a model does not have."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.estimators.baselines import Constant
from pgtheory.tabular.estimators.gae import GAE
from pgtheory.tabular.estimators.lengths import PerConstant
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.estimators.reinforce import RewardToGo, WholeReturn
from pgtheory.tabular.laws.enumeration import Enumeration
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.episodes import OnPolicy
from pgtheory.tabular.sampling.groups import Groups
from pgtheory.tabular.scene import Scene
from pgtheory.tabular.variance.decomposition import sources_along, sources_of_total

NAMES = ("start", "actions", "transitions", "rewards")
TOGO = PolicyGradient(advantage=RewardToGo())


def stacked(sources):
    return np.array([getattr(sources, name) for name in NAMES])


def close(found, expected, size):
    """Rounding of a sum of squares of the size `size`, over some hundred trajectories by hand."""
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * max(1.0, size))


@given(data=st.data())
@settings(max_examples=40)
def test_sources_are_differences_of_conditional_expectations(data, small_cases):
    """Along directions and in total, over models, policies, critics, ends, cuts, noise, sampling policies and numbers of rows."""
    case = data.draw(small_cases)
    rows, known = case.sampling.episodes, case.known
    size = known.probability @ (known.g**2).sum(axis=1) * max(1.0, (case.X**2).sum(axis=1).max())
    close(stacked(sources_along(case.estimator, case.sampling, case.scene, case.X)), known.sources(case.X) / rows, size)
    total = sources_of_total(case.estimator, case.sampling, case.scene)
    close(stacked(total), known.sources(np.eye(case.X.shape[1])).sum(axis=1) / rows, size)
    close(total.total, np.trace(known.covariance) / rows, size)
    assert (stacked(total) >= -1e-12 * size).all()


def two_states(**parts):
    """Each action leads to one state; no noise; one first state. What the tests add is the only source of its kind."""
    given = {"P": [[[0, 1], [1, 0]], [[1, 0], [0, 1]]], "r": [[0.5, -1.0], [2.0, 0.25]], "mu": [1.0, 0.0], "gamma": 0.9, "horizon": 4}
    return MDP(**{**given, **parts})


CRITIC = PolicyGradient(advantage=GAE(lambda_=0.7))
SOFTMAX = Softmax(np.array([[0.3, -0.5], [0.8, 0.1]]))
SURE = Direct(np.array([[0.0, 1.0], [1.0, 0.0]]))
MIXED = [[[0.5, 0.5], [1, 0]], [[1, 0], [0, 0.75]]]


@pytest.mark.parametrize("estimator", [TOGO, CRITIC], ids=["to-go", "gae"])
@pytest.mark.parametrize(
    ("model", "policy", "sources"),
    [
        (two_states(), SURE, ()),
        (two_states(mu=[0.5, 0.5]), SURE, ("start",)),
        (two_states(), SOFTMAX, ("actions",)),
        (two_states(P=[[[0, 1], [0.5, 0.5]], [[0.25, 0.5], [0, 1]]]), SURE, ("transitions",)),
        (two_states(r2=[[0.25, 2.0], [5.0, 0.0625]]), SURE, ("rewards",)),
        (two_states(P=MIXED, mu=[0.5, 0.5], r2=[[1.25, 2.0], [5.0, 1.0]]), SOFTMAX, NAMES),
    ],
    ids=["nothing", "start", "actions", "transitions", "rewards", "everything"],
)
def test_a_source_that_a_model_does_not_have_adds_exactly_nothing(model, policy, sources, estimator):
    """Exact zeros: not small numbers left over by a cancellation."""
    scene = Scene.of(model, policy, critic=np.array([0.5, -1.0]))
    for found in (sources_of_total(estimator, OnPolicy(), scene), sources_along(estimator, OnPolicy(), scene, np.array([[1.0, 2.0, -0.5, 3.0]]))):
        values = dict(zip(NAMES, np.ravel(stacked(found)), strict=True))
        assert {name for name, value in values.items() if value != 0} == set(sources)
        assert all(value > 1e-3 for value in values.values() if value)


def test_an_end_that_is_uncertain_is_a_transition():
    """One state, one action, reward 1 a step, score 1, discount off: g = L (L + 1) / 2 for episodes of length L, which the end alone decides."""
    stay = 0.5
    scene = Scene.of(MDP(P=[[[stay]]], r=[[1.0]], mu=[1.0]), Direct(np.ones((1, 1))))
    found = sources_of_total(TOGO, OnPolicy(), scene)
    L = np.arange(1, 200)
    chance, g = stay ** (L - 1) * (1 - stay), L * (L + 1) / 2
    assert found.transitions == pytest.approx(chance @ g**2 - (chance @ g) ** 2, rel=1e-12)
    assert (found.start, found.actions, found.rewards) == (0, 0, 0)


def test_a_bandit_with_noise_in_closed_form():
    """g = score(a) r: the noise has E[|score|^2 Var r], the actions E[|score|^2 (E r)^2] - |E score r|^2."""
    r, sd, pi = np.array([1.0, -2.0, 0.5]), np.array([0.1, 0.2, 3.0]), np.array([0.5, 0.2, 0.3])
    scene = Scene.of(MDP(P=np.zeros((1, 3, 1)), r=[r], r2=[r**2 + sd**2], mu=[1.0]), Softmax.of(pi[None]))
    scores = np.eye(3) - pi
    size, mean = (scores**2).sum(axis=1), scores.T @ (pi * r)
    found = sources_of_total(PolicyGradient(advantage=RewardToGo(), length=PerConstant(2)), OnPolicy(5), scene)
    assert found.rewards == pytest.approx(pi @ (size * sd**2) / 20, rel=1e-13)
    assert found.actions == pytest.approx((pi @ (size * r**2) - mean @ mean) / 20, rel=1e-13)
    assert (found.start, found.transitions) == (0, 0)


@pytest.mark.parametrize(
    ("gamma", "lambda_", "step_discount"), [(0.9, 1.0, True), (0.9, 0.6, True), (0.8, 0.0, True), (1.0, 0.95, False), (0.9, 0.7, False)]
)
def test_without_horizon_the_systems_are_the_limit_of_the_recursion(gamma, lambda_, step_discount, by_hand):
    """At T = 400 what is left out is below 0.9^400 = 5e-19 where scores are discounted, 0.7^400 where episodes end with 0.3 a step at least."""
    rng = np.random.default_rng(3)
    P = 0.7 * rng.dirichlet(np.ones(3), size=(3, 2)) if not step_discount else rng.dirichlet(np.ones(3), size=(3, 2))
    model = MDP(P=P, r=rng.normal(size=(3, 2)), r2=4 + rng.random((3, 2)) * 9, mu=[0.25, 0.75, 0], gamma=gamma)
    scene = Scene.of(model, by_hand.policy(rng, "softmax", 3, 2))
    estimator = PolicyGradient(advantage=GAE(lambda_=lambda_, critic=by_hand.Table(rng.normal(size=3)), step_discount=step_discount))
    limit, long = (stacked(sources_of_total(estimator, OnPolicy(horizon=h), scene)) for h in (None, 400))
    np.testing.assert_allclose(limit, long, rtol=1e-12)
    assert (limit > 1e-4).all()


@pytest.mark.parametrize(("sampling", "draws"), [(Groups(2), "fixed"), (Groups(2, prompts=1), "group"), (OnPolicy(2), "row")])
def test_first_states_are_drawn_by_rows_by_groups_or_not_at_all(sampling, draws):
    """Two prompts of probability 1/2, two rows each: the mean over rows that share their first state keeps its whole variance."""
    model = MDP(P=MIXED, r=[[0.5, -1.0], [2.0, 0.25]], mu=[0.5, 0.5], horizon=2)
    scene = Scene.of(model, SOFTMAX)
    found, law = sources_of_total(TOGO, sampling, scene), Enumeration().run(TOGO, sampling, scene)
    assert found.total == pytest.approx(law.variance, rel=1e-12)
    one = sources_of_total(TOGO, OnPolicy(1), scene)
    assert found.start == pytest.approx({"fixed": 0.0, "group": one.start, "row": one.start / 2}[draws], rel=1e-12)
    assert found.actions == pytest.approx(one.actions / (4 if draws == "fixed" else 2), rel=1e-12)


def test_other_estimators_are_refused_with_what_applies():
    scene = Scene.of(two_states(), SOFTMAX)
    with pytest.raises(InvalidArgument, match=r"WholeReturn.*GAE family.*'enumeration'"):
        sources_of_total(PolicyGradient(advantage=WholeReturn(baseline=Constant(1.0))), OnPolicy(), scene)
    with pytest.raises(InvalidArgument, match="expected \\(k, D\\) with D = 4"):
        sources_along(TOGO, OnPolicy(), scene, np.zeros((2, 3)))
