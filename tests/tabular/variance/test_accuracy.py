"""Bias, noise and batches: the moments of the enumerated law, the trade-off over lambda against single values of it, the claim that an intermediate lambda is best."""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from numpy.polynomial import Chebyshev

import pgtheory.tabular.variance.accuracy as accuracy
import pgtheory.tabular.variance.blocks as blocks
from pgtheory.tabular.errors import InvalidArgument, NotConverged
from pgtheory.tabular.estimators.baselines import ExactValue, Given
from pgtheory.tabular.estimators.gae import GAE
from pgtheory.tabular.estimators.lengths import PerConstant
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.estimators.ratios import TokenRatio
from pgtheory.tabular.estimators.reinforce import RewardToGo
from pgtheory.tabular.laws.enumeration import Enumeration
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.objectives.returns import Return
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.episodes import OffPolicy, OnPolicy
from pgtheory.tabular.scene import Scene
from pgtheory.tabular.solve.evaluation import evaluate
from pgtheory.tabular.variance.accuracy import Accuracy, Tradeoff, accuracy_of, tradeoff

LOOP = MDP(P=[[[0, 1], [0.5, 0]], [[1, 0], [0, 0.5]]], r=[[0.5, -1], [2, 0.25]], mu=[0.5, 0.5], gamma=0.9, horizon=4)
SCENE = Scene.of(LOOP, Softmax(np.array([[0.3, -0.5], [0.8, 0.1]])), critic=np.array([0.5, -1.0]))


def gae(lambda_=0.5, **rest):
    return PolicyGradient(advantage=GAE(lambda_=lambda_, **rest))


def chain(gamma):
    """Five states in a row, a reward of one at the right end; a move succeeds with probability 0.8 and goes the other way else."""
    P = np.zeros((5, 2, 5))
    for s in range(5):
        left, right = max(s - 1, 0), min(s + 1, 4)
        P[s, 0, left], P[s, 1, right] = 0.8, 0.8
        P[s, 0, right], P[s, 1, left] = P[s, 0, right] + 0.2, P[s, 1, left] + 0.2
    return MDP(P=P, r=[[0, 0]] * 4 + [[1, 1]], mu=[1, 0, 0, 0, 0], gamma=gamma)


def test_error_and_signal_to_noise_are_those_of_the_law():
    law, gradient = Enumeration().run(gae(), OnPolicy(), SCENE), Return().gradient(SCENE)
    found = accuracy_of(gae(), OnPolicy(), SCENE)
    bias = ((law.mean - gradient) ** 2).sum()
    assert bias > 1e-3
    np.testing.assert_allclose(found.bias, law.mean - gradient, rtol=0, atol=1e-14)
    for N in (1, 7):
        assert found.error(N) == pytest.approx(bias + law.variance / N, rel=1e-12)
        assert found.signal_to_noise(N) == pytest.approx((gradient**2).sum() * N / law.variance, rel=1e-12)
    two = accuracy_of(gae(), OnPolicy(2), SCENE)
    assert two.error(3) == pytest.approx(found.error(6), rel=1e-12)


def test_ratios_and_lengths_are_in_the_bias():
    """Off-policy data with the ratio of the token, and a constant in the place of the length: both are factors of the mean."""
    scene = Scene.of(LOOP, SCENE.policy(), sampler=Softmax(np.array([[-0.4, 0.2], [0.0, 0.7]])), critic=np.array([0.5, -1.0]))
    gradient = Return().gradient(scene)
    for estimator in (
        replace(gae(), ratio=TokenRatio()),
        replace(gae(), length=PerConstant(3)),
        replace(gae(), ratio=TokenRatio(), length=PerConstant(3)),
    ):
        law = Enumeration().run(estimator, OffPolicy(), scene)
        found = accuracy_of(estimator, OffPolicy(), scene)
        np.testing.assert_allclose(found.bias, law.mean - gradient, rtol=0, atol=1e-14)
        assert found.variance == pytest.approx(law.variance, rel=1e-12)


def test_a_batch_that_is_just_large_enough_is_enough():
    """|grad J|^2 = 4 and variance 8: half of that is allowed, nothing more is needed."""
    assert Accuracy(gradient=np.array([2.0, 0.0]), bias=np.zeros(2), variance=8.0).batch_size(1.0) == 2


@pytest.mark.parametrize(("variance", "best"), [([2.0, 1.0], 0.0), ([2.0, -1.0], 1.0)])
def test_the_best_lambda_may_be_an_end(variance, best):
    """Noise that grows with lambda, and noise that falls; no bias."""
    found = Tradeoff(squared_bias=Chebyshev([0.0], domain=[0, 1]), variance=Chebyshev(variance, domain=[0, 1]))
    assert found.best(3) == best


def test_the_batch_is_the_least_that_is_accurate_enough():
    found = accuracy_of(gae(), OnPolicy(), SCENE)
    size, bias = np.linalg.norm(found.gradient), np.linalg.norm(found.bias)
    for relative in (1.1 * bias / size, 2 * bias / size, 10.0):
        N = found.batch_size(relative)
        assert found.error(N) <= (relative * size) ** 2 * (1 + 1e-12)
        assert N == 1 or found.error(N - 1) > (relative * size) ** 2


@pytest.mark.parametrize(
    ("relative", "message"),
    [
        (0.0, "relative is 0.0, expected a positive number"),
        (1e-6, "no batch is large enough"),
        (float("nan"), "positive"),
        ("0.1", "relative is '0.1', expected a positive number"),
        (None, "relative is None"),
        (True, "relative is True"),
    ],
)
def test_accuracies_that_no_batch_has_are_refused(relative, message):
    with pytest.raises(InvalidArgument, match=message):
        accuracy_of(gae(), OnPolicy(), SCENE).batch_size(relative)


def test_a_number_of_data_sets_beyond_int64_is_a_number():
    """Python's whole numbers have no limit: with that many data sets the bias alone counts, and lambda = 1 has none."""
    curve, found = tradeoff(gae(), OnPolicy(horizon=2), SCENE), accuracy_of(gae(), OnPolicy(), SCENE)

    assert curve.best(10**30) == pytest.approx(1.0, abs=1e-6)
    assert found.error(10**30) == found.bias @ found.bias
    assert found.signal_to_noise(10**30) > 1e20


def test_an_estimate_without_noise():
    sure = Accuracy(gradient=np.array([3.0, 4.0]), bias=np.zeros(2), variance=0.0)
    assert (sure.error(1), sure.signal_to_noise(1), sure.batch_size(0.1)) == (0.0, np.inf, 1)
    with pytest.raises(InvalidArgument, match="N is 0"):
        sure.error(0)


@pytest.mark.parametrize("sampling", [OnPolicy(), OnPolicy(horizon=2)])
def test_with_a_horizon_the_series_is_the_polynomial(sampling):
    """Degree 2 (T - 1), from the law of each lambda by enumeration, ends included."""
    found = tradeoff(gae(), sampling, SCENE)
    T = sampling.horizon or 4
    assert len(found.variance.coef) == 2 * (T - 1) + 1
    gradient = Return().gradient(SCENE)
    for lambda_ in (0.0, 0.123, 0.5, 0.9, 1.0):
        law = Enumeration().run(gae(lambda_), sampling, SCENE)
        assert found.variance(lambda_) == pytest.approx(law.variance, rel=1e-11)
        assert found.squared_bias(lambda_) == pytest.approx(((law.mean - gradient) ** 2).sum(), rel=1e-11, abs=1e-13)
        assert found.error(lambda_, 7) == pytest.approx(found.squared_bias(lambda_) + law.variance / 7, rel=1e-11)


@pytest.mark.parametrize("N", [1, 3, 30, 1000])
def test_no_lambda_of_a_fine_grid_is_better_than_the_best(N):
    """10001 lambdas, each critic: the error at the minimiser is below all of them, and below those beside it."""
    for critic in (np.array([0.5, -1.0]), np.array([5.0, 3.0]), np.zeros(2)):
        found = tradeoff(gae(critic=Given(critic)), OnPolicy(), SCENE)
        best = found.best(N)
        assert 0 <= best <= 1
        assert found.error(best, N) <= found.error(np.linspace(0, 1, 10001), N).min() * (1 + 1e-12)


def test_an_intermediate_lambda_is_best_and_moves_to_one_as_the_batch_grows():
    """P015: five states, a wrong critic, N = 1, 10, 1000; every number from the law of its lambda, and both ends lose."""
    scene = Scene.of(chain(0.8), Softmax(np.zeros((5, 2))), critic=np.array([1.0, 0.0, 2.0, 1.0, 3.0]))
    found = tradeoff(gae(), OnPolicy(), scene)
    best = [found.best(N) for N in (1, 10, 1000)]
    assert 0.01 < best[0] < best[1] < best[2] < 1
    assert best[1] < 0.95 < best[2]
    for N, lambda_ in zip((1, 10, 1000), best, strict=True):
        error = lambda x: accuracy_of(gae(float(x)), OnPolicy(), scene).error(N)  # noqa: B023
        assert error(lambda_) == pytest.approx(found.error(lambda_, N), rel=1e-9)
        assert error(lambda_) < min(error(0), error(1), error(lambda_ - 0.01), error(min(lambda_ + 0.01, 1)))


def test_with_an_exact_critic_the_best_lambda_is_that_of_least_variance():
    """Nothing is biased, so that N does not matter. The variance of the advantage never falls with lambda (P015.C5), that of the gradient does: the best lambda is not 0."""
    scene = Scene.of(chain(0.8), Softmax(np.zeros((5, 2))))
    found = tradeoff(gae(critic=ExactValue()), OnPolicy(), scene)
    assert abs(found.squared_bias(np.linspace(0, 1, 21))).max() < 1e-25
    best = found.best(5)
    assert found.best(5000) == pytest.approx(best, abs=1e-6)
    assert 0.05 < best < 0.2
    assert found.variance(best) < found.variance(0.0) < found.variance(1.0)


def test_the_bias_is_its_closed_form():
    """P015.C2: sum_s d(s) sum_a pi b score with b = gamma (1 - lambda) P M e, M = (I - gamma lambda P_pi)^-1 and e the error of the critic."""
    model, lambda_, critic = chain(0.8), 0.4, np.array([1.0, 0.0, 2.0, 1.0, 3.0])
    scene = Scene.of(model, Softmax(np.random.default_rng(0).normal(size=(5, 2))), critic=critic)
    value, policy = evaluate(model, scene.policy()), scene.policy()
    M = np.linalg.inv(np.eye(5) - 0.8 * lambda_ * model.kernel(policy.probabilities))
    b = 0.8 * (1 - lambda_) * (model.transition @ (M @ (critic - value.V))).reshape(5, 2)
    expected = policy.pullback(value.occupancy[:, None] * policy.probabilities * b)
    np.testing.assert_allclose(accuracy_of(gae(lambda_), OnPolicy(), scene).bias, expected, rtol=0, atol=1e-13)


def test_workers_share_the_lambdas_and_start_once(monkeypatch):
    """A pool for each of the three lambdas of two steps would be three: starting it takes longer than the work. The bits are those of one process."""
    started = []

    class Counted(ProcessPoolExecutor):
        def __init__(self, *args, **rest):
            started.append(args[0])
            super().__init__(*args, **rest)

    monkeypatch.setattr(blocks, "ProcessPoolExecutor", Counted)
    monkeypatch.setattr(blocks, "WIDEST", 2)  # of four parameters: a total of one lambda has two blocks
    one, two = (tradeoff(gae(), OnPolicy(horizon=2), SCENE, workers=workers) for workers in (1, 2))

    assert started == [2]
    assert len(one.variance.coef) == 3
    assert np.array_equal(one.variance.coef, two.variance.coef)
    assert np.array_equal(one.squared_bias.coef, two.squared_bias.coef)


def test_a_series_that_is_too_short_is_an_error(monkeypatch):
    monkeypatch.setattr(accuracy, "DEGREES", (4,))
    scene = Scene.of(chain(0.8), Softmax(np.zeros((5, 2))), critic=np.ones(5))
    with pytest.raises(NotConverged, match="5 coefficients do not describe"):
        tradeoff(gae(), OnPolicy(), scene)


def test_other_advantages_have_no_lambda():
    with pytest.raises(InvalidArgument, match="the advantage is RewardToGo, which has no lambda"):
        tradeoff(PolicyGradient(advantage=RewardToGo()), OnPolicy(), SCENE)
