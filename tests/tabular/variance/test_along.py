"""Noise along directions: against all trajectories and the full covariance, small variances of large values, memory, compiled code, workers, random probes."""

import tracemalloc
from functools import partial
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pgtheory.tabular.variance.blocks as blocks
import pgtheory.tabular.variance.conditional as conditional
from pgtheory.tabular.errors import InvalidArgument, InvalidPolicy, NonTerminating
from pgtheory.tabular.estimators.gae import GAE, NStep
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.estimators.reinforce import RewardToGo
from pgtheory.tabular.laws.enumeration import Enumeration
from pgtheory.tabular.models.large import sparse_garnet
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.episodes import OffPolicy, OnPolicy
from pgtheory.tabular.scene import Scene
from pgtheory.tabular.variance.accuracy import accuracy_of, tradeoff
from pgtheory.tabular.variance.along import parameter_variances, probed_variance, total_variance, variance_along
from pgtheory.tabular.variance.decomposition import sources_along, sources_of_total
from pgtheory.tabular.variance.optimal_baseline import least_variance, optimal_values

TOGO = PolicyGradient(advantage=RewardToGo())
LOOP = MDP(P=[[[0, 1], [0.5, 0]], [[1, 0], [0, 0.5]]], r=[[0.5, -1], [2, 0.25]], mu=[0.5, 0.5], gamma=0.9, horizon=3)
SCENE = Scene.of(LOOP, Softmax(np.array([[0.3, -0.5], [0.8, 0.1]])), critic=np.array([0.5, -1.0]))


def close(found, expected, size):
    """Rounding of sums of squares of the size `size`, over some hundred trajectories by hand."""
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * max(1.0, size))


@given(data=st.data())
@settings(max_examples=30)
def test_directions_and_parameters_have_the_variance_of_all_trajectories(data, small_cases):
    case = data.draw(small_cases)
    args, covariance = (case.estimator, case.sampling, case.scene), case.known.covariance / case.sampling.episodes
    size = case.known.probability @ (case.known.g**2).sum(axis=1) * max(1.0, (case.X**2).sum(axis=1).max())
    found = variance_along(*args, case.X)
    close(found.mean, case.X @ case.known.mean, size)
    close(found.variance, np.einsum("kd,de,ke->k", case.X, covariance, case.X), size)
    close(parameter_variances(*args), np.diag(covariance), size)
    close(total_variance(*args), np.trace(covariance), size)


def test_small_variances_of_large_values_do_not_cancel():
    """Reward 1000 + x with x = +-1e-6, equally likely, both states of value zero: the variance is 1e-12, seventeen digits below the square of the mean."""
    r = np.array([[[1000 + 1e-6, 1000 - 1e-6]]] * 2)
    model = MDP(P=np.full((2, 1, 2), 0.5), r=r, mu=[1.0, 0.0], horizon=1)
    found = variance_along(TOGO, OnPolicy(), Scene.of(model, Direct(np.ones((2, 1)))), np.eye(2)[:1])
    assert found.mean[0] == pytest.approx(1000, rel=1e-15)
    assert found.variance[0] == pytest.approx(((r[0, 0, 0] - r[0, 0, 1]) / 2) ** 2, rel=1e-9)


def test_large_models_without_horizon_are_the_limit_of_the_recursion():
    """S = 600 is solved by iteration, to ten digits; what lies behind 250 steps is below 0.9^250 = 4e-12."""
    model, rng = sparse_garnet(S=600, gamma=0.9), np.random.default_rng(2)
    scene = Scene.of(model, Softmax(rng.normal(size=(600, 4))), critic=rng.normal(size=600))
    X, estimator = rng.normal(size=(2, 2400)), PolicyGradient(advantage=GAE(lambda_=0.9))
    limit, long = (variance_along(estimator, OnPolicy(horizon=h), scene, X) for h in (None, 250))
    np.testing.assert_allclose(limit.variance, long.variance, rtol=1e-9)
    np.testing.assert_allclose(limit.mean, long.mean, rtol=0, atol=1e-9 * abs(scene.point["critic"]).max())


def test_memory_of_a_direction_does_not_grow_with_the_steps():
    """S = 5000: one table of D^2 numbers would be 3.2 GB, one state vector a step 16 MB at T = 400. Both runs stay within one another and below 60 tables (S, A)."""
    model = sparse_garnet(S=5000)
    scene = Scene.of(model, Softmax(np.zeros((5000, 4))), critic=np.zeros(5000))
    X = np.random.default_rng(0).normal(size=(1, 20000))
    estimator = PolicyGradient(advantage=GAE(lambda_=0.9))
    variance_along(estimator, OnPolicy(horizon=1), scene, X)

    def peak(T):
        tracemalloc.start()
        variance_along(estimator, OnPolicy(horizon=T), scene, X)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    short, long = peak(10), peak(30)
    assert long <= 1.05 * short
    assert long <= 60 * 8 * 20000


@pytest.mark.skipif(find_spec("numba") is None, reason="without the extra `fast` there is one road only")
@pytest.mark.parametrize("reward", ["pair", "move", "noise"])
@pytest.mark.parametrize(("threads", "name"), [(2, "compiled_steps"), (3, "compiled_steps"), (4, "compiled_step")])
@pytest.mark.parametrize(("by_step", "cut"), [(True, True), (False, True), (True, False)])
def test_compiled_steps_give_the_numbers_of_scipy(reward, threads, name, by_step, cut, by_hand, monkeypatch):
    """Three directions: on threads of their own, or each on four. Values of their own at each step or not; what is bootstrapped at the cut, and a horizon of the model."""
    rng = np.random.default_rng(5)
    model = by_hand.model(rng, S=20, A=3, ends=True, reward=reward, gamma=0.95, sparse=True, horizon=None if cut else 7)
    scene = Scene.of(model, by_hand.policy(rng, "softmax", 20, 3), sampler=by_hand.policy(rng, "softmax", 20, 3))
    critic = by_hand.Table(rng.normal(size=(8, 20) if by_step else 20))
    estimator = PolicyGradient(advantage=GAE(lambda_=0.8, critic=critic, step_discount=False))
    args = (estimator, OffPolicy(2, horizon=7 if cut else None), scene, rng.normal(size=(3, 60)))
    called = []
    ours = getattr(conditional, name)
    monkeypatch.setattr(conditional, name, lambda: called.append(1) or ours())
    monkeypatch.setattr(conditional.os, "cpu_count", lambda: threads)
    scipy = variance_along(*args)
    assert not called
    monkeypatch.setattr(conditional, "WORTHWHILE", 0)
    compiled = variance_along(*args)
    assert called
    np.testing.assert_allclose(compiled.mean, scipy.mean, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(compiled.variance, scipy.variance, rtol=1e-12)


def test_results_do_not_depend_on_the_number_of_workers(monkeypatch):
    """The same bits from one process and from two; other blocks, other bits at most in the last digits."""
    args = (PolicyGradient(advantage=GAE(lambda_=0.7)), OnPolicy(2), SCENE)
    whole = parameter_variances(*args)
    monkeypatch.setattr(blocks, "WIDEST", 3)
    one, two = parameter_variances(*args), parameter_variances(*args, workers=2)
    np.testing.assert_array_equal(one, two)
    np.testing.assert_allclose(one, whole, rtol=1e-13)


def test_all_probes_together_are_the_trace_and_each_has_the_stated_variance():
    """All 2^4 directions of signs, each as likely as the others."""
    law = Enumeration().run(TOGO, OnPolicy(), SCENE)
    signs = np.array(np.meshgrid(*[[-1.0, 1.0]] * 4)).reshape(4, -1).T
    found = variance_along(TOGO, OnPolicy(), SCENE, signs).variance
    C = law.covariance
    assert found.mean() == pytest.approx(law.variance, rel=1e-13)
    assert found.var() == pytest.approx(2 * ((C**2).sum() - (np.diag(C) ** 2).sum()), rel=1e-12)


def test_probes_are_the_average_and_its_standard_error():
    """The same draws from the same generator, through the full covariance."""
    C = Enumeration().run(TOGO, OnPolicy(), SCENE).covariance
    found = probed_variance(TOGO, OnPolicy(), SCENE, probes=30, rng=np.random.default_rng(1))
    z = np.random.default_rng(1).choice([-1.0, 1.0], size=(30, 4))
    values = np.einsum("kd,de,ke->k", z, C, z)
    assert found.variance == pytest.approx(values.mean(), rel=1e-12)
    assert found.error == pytest.approx(np.sqrt(((values - values.mean()) ** 2).sum() / 29 / 30), rel=1e-12)


@pytest.mark.parametrize("X", [np.zeros(4), np.zeros((1, 5)), np.zeros((0, 4)), np.zeros((1, 2, 2))])
def test_directions_of_another_shape_are_refused(X):
    with pytest.raises(InvalidArgument, match=r"X has shape .*expected \(k, D\) with D = 4.*x.reshape\(1, -1\)"):
        variance_along(TOGO, OnPolicy(), SCENE, X)


def test_bad_numbers_are_refused():
    with pytest.raises(InvalidArgument, match=r"X\[0, 1\] is nan"):
        variance_along(TOGO, OnPolicy(), SCENE, np.array([[0, np.nan, 0, 0]]))
    with pytest.raises(InvalidArgument, match="workers is 0"):
        parameter_variances(TOGO, OnPolicy(), SCENE, workers=0)
    with pytest.raises(InvalidArgument, match="probes is 1, expected a whole number of at least 2"):
        probed_variance(TOGO, OnPolicy(), SCENE, probes=1, rng=np.random.default_rng(0))
    for rng in (0, None, np.random):
        with pytest.raises(InvalidArgument, match=r"rng is .*, expected a numpy Generator. Give np.random.default_rng\(seed\)"):
            probed_variance(TOGO, OnPolicy(), SCENE, probes=2, rng=rng)


@pytest.mark.parametrize(
    "arguments, text",
    [
        (("reward-to-go", OnPolicy(), SCENE), "estimator is 'reward-to-go'"),
        ((TOGO, None, SCENE), "sampling is None"),
        ((TOGO, OnPolicy(), LOOP), "scene is of type MDP"),
    ],
)
def test_things_of_another_kind_are_refused(arguments, text):
    """By every function that takes the three."""
    probed = partial(probed_variance, probes=2, rng=np.random.default_rng(0))
    along, sources = partial(variance_along, X=np.eye(4)), partial(sources_along, X=np.eye(4))
    for function in (along, parameter_variances, total_variance, probed, sources, sources_of_total, accuracy_of):
        with pytest.raises(InvalidArgument, match=text):
            function(*arguments)
    if isinstance(arguments[0], PolicyGradient):
        gae = PolicyGradient(advantage=GAE(lambda_=0.5))
        for function in (tradeoff, least_variance, optimal_values):
            with pytest.raises(InvalidArgument, match=text):
                function(gae, *arguments[1:])


def test_other_estimators_are_refused_with_what_applies():
    with pytest.raises(InvalidArgument, match=r"NStep, EveryToken.*GAE family.*'enumeration'"):
        variance_along(PolicyGradient(advantage=NStep(n=2)), OnPolicy(), SCENE, np.eye(4))


def test_a_variance_that_is_not_finite_is_refused():
    """Undiscounted scores of an episode that never ends; discounted they are fine, and so is an episode that ends."""
    endless = MDP(P=[[[1.0]]], r=[[1.0]], mu=[1.0], gamma=0.9)
    scene = Scene.of(endless, Direct(np.ones((1, 1))), critic=np.ones(1))
    with pytest.raises(NonTerminating, match="state 0, which is reached from mu"):
        variance_along(PolicyGradient(advantage=RewardToGo(step_discount=False)), OnPolicy(), scene, np.ones((1, 1)))
    assert variance_along(TOGO, OnPolicy(), scene, np.ones((1, 1))).variance[0] == 0


def test_states_that_are_never_reached_may_run_for_ever():
    """State 1 is never reached: it changes nothing, though its own system has no solution."""
    alone = MDP(P=[[[0.5]]], r=[[1.0]], mu=[1.0])
    beside = MDP(P=[[[0.5, 0.0]], [[0.0, 1.0]]], r=[[1.0], [7.0]], mu=[1.0, 0.0])
    one = variance_along(TOGO, OnPolicy(), Scene.of(alone, Direct(np.ones((1, 1)))), np.ones((1, 1)))
    two = variance_along(TOGO, OnPolicy(), Scene.of(beside, Direct(np.ones((2, 1)))), np.ones((1, 2)))
    assert two.variance[0] == pytest.approx(one.variance[0], rel=1e-14)


def test_scores_that_are_not_finite_are_refused():
    """The data contain an action that the current policy never takes."""
    scene = Scene.of(LOOP, Direct(np.array([[1.0, 0.0], [0.5, 0.5]])), sampler=Softmax(np.zeros((2, 2))))
    with pytest.raises(InvalidPolicy, match="never takes action 1 in state 0"):
        variance_along(TOGO, OffPolicy(), scene, np.ones((1, 4)))
