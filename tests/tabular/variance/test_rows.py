"""Whole returns and means of groups along directions: against the covariance over all data sets, and that of the law."""

import pickle

import numpy as np
import pytest

from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.estimators.baselines import Given
from pgtheory.tabular.estimators.gae import GAE
from pgtheory.tabular.estimators.groups import GroupMean, LeaveOneOut
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.estimators.reinforce import WholeReturn
from pgtheory.tabular.laws.enumeration import Enumeration
from pgtheory.tabular.laws.law import law
from pgtheory.tabular.models.large import sparse_garnet
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.objectives.returns import return_gradient
from pgtheory.tabular.policies.log_linear import LogLinear
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.episodes import OffPolicy, OnPolicy
from pgtheory.tabular.sampling.groups import Groups
from pgtheory.tabular.scene import Scene
from pgtheory.tabular.variance.accuracy import accuracy_of
from pgtheory.tabular.variance.along import parameter_variances, probed_variance, problem_of, total_variance, variance_along
from pgtheory.tabular.variance.decomposition import sources_of_total

RNG = np.random.default_rng(0)
MODEL = MDP(P=RNG.dirichlet(np.ones(3), size=(2, 2))[..., :2], r=RNG.normal(size=(2, 2, 2)), mu=[0.4, 0.6], gamma=0.8, horizon=2)
THETA = RNG.normal(size=(2, 2))
BANDITS = MDP(P=np.zeros((2, 3, 2)), r=RNG.normal(size=(2, 3)), mu=[0.3, 0.7], horizon=1)
CASES = {
    "whole return": (PolicyGradient(advantage=WholeReturn()), OnPolicy(2), Scene.of(MODEL, Softmax(THETA))),
    "baseline": (PolicyGradient(advantage=WholeReturn(baseline=Given(np.array([0.5, -1.0])))), OnPolicy(1), Scene.of(MODEL, Softmax(THETA))),
    "off-policy": (PolicyGradient(advantage=WholeReturn()), OffPolicy(1), Scene.of(MODEL, Softmax(THETA), sampler=Softmax(-THETA))),
    "leave one out": (PolicyGradient(advantage=LeaveOneOut()), Groups(3, prompts=1), Scene.of(BANDITS, Softmax(RNG.normal(size=(2, 3))))),
    "group mean": (PolicyGradient(advantage=GroupMean()), Groups(2, prompts=2), Scene.of(BANDITS, Softmax(RNG.normal(size=(2, 3))))),
}


@pytest.mark.parametrize("name", CASES)
def test_directions_and_parameters_have_the_variance_of_all_data_sets(name):
    estimator, sampling, scene = CASES[name]
    known, D = Enumeration().run(estimator, sampling, scene), scene.policy().theta.size
    X = np.random.default_rng(1).normal(size=(3, D))

    found = variance_along(estimator, sampling, scene, X)

    np.testing.assert_allclose(found.mean, X @ known.mean, atol=1e-12)
    np.testing.assert_allclose(found.variance, np.einsum("kd,de,ke->k", X, known.covariance, X), atol=1e-12)
    np.testing.assert_allclose(parameter_variances(estimator, sampling, scene), np.diag(known.covariance), atol=1e-12)
    assert total_variance(estimator, sampling, scene) == pytest.approx(known.variance, abs=1e-12)


def test_without_a_horizon_it_is_the_diagonal_of_the_law():
    model = sparse_garnet(S=12, A=2, b=3, gamma=0.9)
    model = MDP(P=0.9 * model.P, r=model.r, mu=model.mu, gamma=0.9)
    estimator, scene = PolicyGradient(advantage=WholeReturn()), Scene.of(model, Softmax(np.random.default_rng(0).normal(size=(12, 2))))

    found = parameter_variances(estimator, OnPolicy(), scene)

    covariance = law(estimator, OnPolicy(), scene).covariance
    np.testing.assert_allclose(found, np.diag(covariance), atol=1e-12 * covariance.max())


def test_accuracy_of_an_estimator_without_bias():
    """tr Cov = E|g - grad J|^2, and a baseline of each state's own keeps the mean."""
    estimator, sampling, scene = CASES["baseline"]

    found = accuracy_of(estimator, sampling, scene)

    np.testing.assert_allclose(found.gradient, return_gradient(MODEL, scene.policy()), atol=1e-14)
    np.testing.assert_allclose(found.bias, 0, atol=1e-13)
    assert found.variance == pytest.approx(Enumeration().run(estimator, sampling, scene).variance, abs=1e-12)


def test_probes_estimate_the_total():
    estimator, sampling, scene = CASES["whole return"]
    probed = probed_variance(estimator, sampling, scene, probes=200, rng=np.random.default_rng(0))

    assert 0 < probed.error < 0.2 * probed.variance
    assert abs(probed.variance - total_variance(estimator, sampling, scene)) < 4 * probed.error


def test_a_worker_process_can_receive_it():
    problem = problem_of(*CASES["whole return"])
    sent = pickle.loads(pickle.dumps(problem))
    assert sent.parts(np.eye(4)).rest.tolist() == problem.parts(np.eye(4)).rest.tolist()


def test_sources_are_told_apart_for_sums_of_differences_only():
    estimator, sampling, scene = CASES["whole return"]
    with pytest.raises(InvalidArgument, match="not of the GAE family"):
        sources_of_total(estimator, sampling, scene)
    assert sources_of_total(PolicyGradient(advantage=GAE(lambda_=1.0, critic=Given(np.zeros(2)))), sampling, scene).total > 0


def test_a_large_model_against_a_policy_of_three_parameters():
    """S = 3000: the covariance of the softmax would take 1.2 GB. At theta = 0 the parameters of a log-linear policy are directions of the softmax."""
    model, features = sparse_garnet(S=3000), np.random.default_rng(0).normal(size=(3000, 4, 3))
    estimator, sampling = PolicyGradient(advantage=WholeReturn()), OnPolicy(horizon=8)

    found = variance_along(estimator, sampling, Scene.of(model, Softmax(np.zeros((3000, 4)))), np.moveaxis(features, -1, 0).reshape(3, -1))

    known = law(estimator, sampling, Scene.of(model, LogLinear(np.zeros(3), features)))
    np.testing.assert_allclose(found.mean, known.mean, rtol=1e-11)
    np.testing.assert_allclose(found.variance, np.diag(known.covariance), rtol=1e-11)
