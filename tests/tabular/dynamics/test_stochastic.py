"""Sampled gradients: all paths against sums written out and against laws of the library, seeds against the exact expectation."""

import itertools

import numpy as np
import pytest

from pgtheory.tabular.dynamics.mirror import MirrorDescent, NegativeEntropy, PolicyMirrorDescent
from pgtheory.tabular.dynamics.momentum import Momentum, Optimistic
from pgtheory.tabular.dynamics.oracles import DirectOracle, FunctionOracle, SoftmaxOracle
from pgtheory.tabular.dynamics.running import run
from pgtheory.tabular.dynamics.scene_oracle import SceneOracle
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.dynamics.steps import Constant, Polyak, SignalToNoise
from pgtheory.tabular.dynamics.stochastic import AtExact, Drawn, NoisyOracle, OneSample, Outcomes, drawn_from, noise, paths
from pgtheory.tabular.dynamics.updates import Gradient, Natural, Normalised
from pgtheory.tabular.errors import InvalidArgument, TooLarge
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.estimators.reinforce import RewardToGo
from pgtheory.tabular.laws.enumeration import law_over
from pgtheory.tabular.models.bandit import Bandit
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.episodes import OnPolicy
from pgtheory.tabular.scene import Scene

MOVES = MDP(P=[[[0.5]]], r=[[1.0]], mu=[1.0])
THREE = Stack.of([Bandit(r=[1.0, 0.6, 0.1])])
START = np.log([[0.5, 0.3, 0.2]])
TWO_CONTEXTS = Stack.of([Bandit(r=[[1.0, 0.0], [0.2, 0.5]], mu=np.array([0.25, 0.75])), Bandit(r=[[0.0, 3.0], [1.0, 1.0]])])


def test_one_sample_has_the_mean_of_the_gradient_and_the_law_of_reinforce():
    theta = np.array([[0.3, -0.4], [0.0, 1.0]])
    outlook = SoftmaxOracle(TWO_CONTEXTS)(np.stack([theta, -theta]))
    chance, g = OneSample()(outlook)
    mean = np.einsum("nk,nk...->n...", chance, g)

    assert abs(mean - outlook.gradient).max() <= 1e-15
    for n, model in enumerate(TWO_CONTEXTS.models):
        scene = Scene.of(model, Softmax(outlook.theta[n]))
        law = law_over(PolicyGradient(advantage=RewardToGo()), OnPolicy(episodes=1).batches(scene), scene)
        flat = g[n].reshape(4, 4)
        assert abs(np.einsum("k,ki,kj->ij", chance[n], flat, flat) - np.outer(law.mean, law.mean) - law.covariance).max() <= 1e-14


def test_a_baseline_changes_the_second_moment_only():
    outlook = SoftmaxOracle(THREE)(START[None])
    plain, centred = OneSample()(outlook), OneSample(lambda o: o.V)(outlook)

    means = [np.einsum("nk,nksa->nsa", *law) for law in (plain, centred)]
    seconds = [np.einsum("nk,nksa->n", law.chance, law.gradient**2)[0] for law in (plain, centred)]
    assert abs(means[0] - means[1]).max() <= 1e-15
    assert seconds[1] < 0.5 * seconds[0]


@pytest.mark.parametrize("base", [Gradient(Constant(0.5)), Normalised(Constant(0.5)), Gradient(Polyak())])
def test_paths_are_all_products_of_outcomes(base):
    """Three steps of three arms, written out path by path."""
    oracle = SoftmaxOracle(THREE)
    found = list(paths(base, oracle, OneSample(), START, 3))
    r, expected_value, expected_theta, total = np.array([1.0, 0.6, 0.1]), 0.0, np.zeros(3), 0.0
    for arms in itertools.product(range(3), repeat=3):
        theta, weight = START[0].copy(), 1.0
        for a in arms:
            pi = np.exp(theta) / np.exp(theta).sum()
            g = r[a] * (np.eye(3)[a] - pi)
            size = 0.5 if isinstance(base.step_size, Constant) else (1 - pi @ r) / (g @ g)
            weight *= pi[a]
            theta = theta + size * (g / np.linalg.norm(g) if isinstance(base, Normalised) else g)
        pi = np.exp(theta) / np.exp(theta).sum()
        expected_value, expected_theta, total = expected_value + weight * pi @ r, expected_theta + weight * theta, total + weight

    assert [one.weight.shape for one in found] == [(1, 1), (1, 3), (1, 9), (1, 27)]
    assert abs(total - 1) <= 1e-15
    assert abs(found[-1].mean(found[-1].outlook.value) - expected_value) <= 1e-12
    assert abs(found[-1].mean(found[-1].outlook.theta)[0, 0] - expected_theta).max() <= 1e-11 * abs(expected_theta).max()


def test_polyak_with_one_sample_is_not_parallel_to_the_gradient():
    """P043: E[size g] = (-.205, -.167, .372), gradient (.15, -.03, -.12), cosine -.793."""
    oracle = SoftmaxOracle(THREE)
    first, after = paths(Gradient(Polyak()), oracle, OneSample(), START, 1)
    drift, gradient = after.mean(after.outlook.theta)[0, 0] - START[0], first.outlook.gradient[0, 0]

    np.testing.assert_allclose(drift, [-0.205, -0.167, 0.372], atol=5e-4)
    np.testing.assert_allclose(gradient, [0.15, -0.03, -0.12], atol=1e-15)
    assert abs(drift @ gradient / np.linalg.norm(drift) / np.linalg.norm(gradient) + 0.793) <= 5e-4


@pytest.mark.parametrize("wrap", [lambda base: Momentum(base, 0.5), Optimistic])
def test_memory_follows_its_path(wrap):
    """Averaged over the paths, a linear field with additive noise moves as without noise; each path carries its own memory."""
    oracle = FunctionOracle(lambda x: -(x**2).sum(axis=1) / 2, lambda x: -x)
    coin = lambda outlook: Outcomes(np.full((len(outlook.theta), 2), 0.5), outlook.gradient[:, None] + np.array([[1.0], [-1.0]]))
    update, start = wrap(Gradient(Constant(0.3))), np.array([[1.0], [5.0]])
    found = list(paths(update, oracle, coin, start, 6))
    plain = run(update, oracle, start, 6, watch={"theta": lambda o: o.theta}).watched["theta"]

    for one in found:
        assert abs(one.mean(one.outlook.theta) - plain[one.t]).max() <= 1e-13
    ends = found[-1].outlook.theta.reshape(2, 64)
    assert len(np.unique(ends[0].round(9))) == 64  # no two paths share a memory by mistake


def test_paths_that_meet_go_on_as_one():
    """One arm of three pays: after t steps theta depends on the number of hits alone. 40 steps have 41 ends and not 3^40; the chances by a recursion over hits."""
    stack = Stack.of([Bandit(r=[1.0, 0.0, 0.0])])
    found = list(paths(Gradient(Constant(0.3)), SoftmaxOracle(stack), OneSample(), START, 40))
    theta, points = START[0], []
    for _ in range(41):
        pi = np.exp(theta) / np.exp(theta).sum()
        points.append(pi[0])
        theta = theta + 0.3 * (np.eye(3)[0] - pi)
    chance = np.eye(41)[0]
    for _ in range(40):
        hit = chance * points
        chance = chance - hit + np.concatenate([[0.0], hit[:-1]])

    assert [one.weight.shape for one in found] == [(1, t + 1) for t in range(41)]
    assert abs(found[-1].mean(found[-1].outlook.value) - chance @ points)[0] <= 1e-13
    assert abs(np.sort(found[-1].outlook.value) - points).max() <= 1e-13


def test_paths_with_another_memory_or_in_another_problem_do_not_meet():
    """Two moves that undo each other: the point is the old one, the momentum is not. And two problems of which one stays where the other moves."""
    oracle = FunctionOracle(lambda x: x[:, 0], np.zeros_like)
    coin = lambda outlook: Outcomes(np.full((len(outlook.theta), 2), 0.5), np.broadcast_to([[1.0], [-1.0]], (len(outlook.theta), 2, 1)))
    ends = lambda update: list(paths(update, oracle, coin, np.zeros((1, 1)), 2))[-1]
    plain, heavy = ends(Gradient(Constant(1.0))), ends(Momentum(Gradient(Constant(1.0)), 0.5))
    assert plain.outlook.theta.ravel().tolist() == [2.0, 0.0, -2.0]
    assert plain.weight.tolist() == [[0.25, 0.5, 0.25]]
    assert heavy.outlook.theta.ravel().tolist() == [2.5, 0.5, -0.5, -2.5]

    stays = Momentum(Gradient(Constant(1.0)), 0.0)  # its memory is the last direction
    assert ends(stays).outlook.theta.ravel().tolist() == [2.0, 0.0, 0.0, -2.0]

    moves = lambda outlook: Outcomes(
        np.full((len(outlook.theta), 2), 0.5), np.stack([np.repeat([1.0, 0.0], len(outlook.theta) // 2)[:, None]] * 2, axis=1) * [[[1.0], [-1.0]]]
    )
    both = list(paths(Gradient(Constant(1.0)), oracle, moves, np.zeros((2, 1)), 1))[-1]
    assert both.outlook.theta.ravel().tolist() == [1.0, -1.0, 0.0, 0.0]


def test_paths_that_meet_keep_their_memories():
    """Heavy ball where two of three arms move nothing: 2^t paths, each with its own momentum, against all 3^4 written out."""
    found = list(paths(Momentum(Gradient(Constant(0.4)), 0.5), SoftmaxOracle(Stack.of([Bandit(r=[0.0, 1.0, 0.0])])), OneSample(), START, 4))
    expected = 0.0
    for arms in itertools.product(range(3), repeat=4):
        theta, m, weight = START[0], np.zeros(3), 1.0
        for a in arms:
            pi = np.exp(theta) / np.exp(theta).sum()
            weight *= pi[a]
            m = 0.5 * m + (a == 1) * (np.eye(3)[a] - pi)
            theta = theta + 0.4 * m
        expected += weight * np.exp(theta[1]) / np.exp(theta).sum()

    assert [one.weight.shape[1] for one in found] == [1, 2, 4, 8, 16]
    assert abs(found[-1].mean(found[-1].outlook.value)[0] - expected) <= 1e-14


def test_too_many_paths_are_refused_before_the_law_is_asked_again():
    asked = []

    def law(outlook):
        asked.append(len(outlook.theta))
        return Outcomes(np.full((len(outlook.theta), 1001), 1 / 1001), np.broadcast_to(np.arange(1001.0)[:, None], (len(outlook.theta), 1001, 1)))

    with pytest.raises(TooLarge, match="step 2 has 1002001 paths, more than 1000000"):
        list(paths(Gradient(Constant(1.0)), FunctionOracle(lambda x: x[:, 0], np.zeros_like), law, np.zeros((1, 1)), 2))
    assert asked == [1]


def test_paths_of_many_problems_are_those_of_each():
    together = list(paths(Gradient(Constant(0.7)), SoftmaxOracle(TWO_CONTEXTS), OneSample(), np.zeros((2, 2)), 3))[-1]
    for n, model in enumerate(TWO_CONTEXTS.models):
        alone = list(paths(Gradient(Constant(0.7)), SoftmaxOracle(Stack.of([model])), OneSample(), np.zeros((2, 2)), 3))[-1]
        assert abs(together.weight[n] - alone.weight[0]).max() <= 1e-15
        assert abs(together.mean(together.outlook.gap)[n] - alone.mean(alone.outlook.gap)[0]) <= 1e-14


def test_paths_run_on_regularised_oracles_scenes_and_simplices():
    ref = np.array([[0.2, 0.3, 0.5]])
    oracle = SoftmaxOracle(THREE, tau=0.1, kl=0.2, ref=ref)
    exact = lambda outlook: Outcomes(np.full((len(outlook.theta), 2), 0.5), np.repeat(outlook.gradient[:, None], 2, axis=1))
    scene = SceneOracle(Scene.of(THREE.models[0], Softmax(START)))
    for update, made, start in (
        (Gradient(Constant(0.3)), oracle, START),
        (Gradient(Constant(0.3)), scene, START),
        (MirrorDescent(Constant(0.3), NegativeEntropy()), DirectOracle(THREE), np.exp(START)),
    ):
        end = list(paths(update, made, exact, start, 3))[-1]
        plain = run(update, made, start, 3)
        assert abs(end.outlook.theta - plain.theta).max() <= 1e-13
        assert abs(end.mean(end.outlook.gap) - plain.gap[-1]).max() <= 1e-13


def test_seeds_agree_with_the_expectation_over_all_paths():
    """20000 seeds; five standard errors, a level of 6e-7."""
    seeds, stack = 20000, THREE.repeated(20000)
    oracle = NoisyOracle(SoftmaxOracle(stack), drawn_from(OneSample()), np.random.default_rng(0))
    found = run(Gradient(Constant(0.5)), oracle, START, 3).value[-1]
    exact = list(paths(Gradient(Constant(0.5)), SoftmaxOracle(THREE), OneSample(), START, 3))[-1]

    assert abs(found.mean() - exact.mean(exact.outlook.value)[0]) <= 5 * found.std() / np.sqrt(seeds)
    assert found.std() > 0.05


def test_noise_is_the_trace_of_the_covariance_of_reinforce():
    """Three arms: sum pi r^2 |e_a - pi|^2 - |grad|^2, and 0 with one arm."""
    pi, r = np.array([0.5, 0.3, 0.2]), np.array([1.0, 0.6, 0.1])
    gradient = pi * (r - pi @ r)
    expected = pi @ (r**2 * ((np.eye(3) - pi) ** 2).sum(axis=1)) - gradient @ gradient

    assert abs(noise(OneSample())(SoftmaxOracle(THREE)(START[None])) - expected).max() <= 1e-15
    assert noise(OneSample())(SoftmaxOracle(Stack.of([Bandit(r=[5.0])]))(np.zeros((1, 1, 1)))) == 0


def test_step_size_behind_a_sample_is_that_of_the_exact_gradient():
    """Signal to noise at the exact outlook moves each sample by one common step; from the sample itself each outcome has its own."""
    rule, oracle = SignalToNoise(0.5, variance=noise(OneSample())), SoftmaxOracle(THREE)
    exact = oracle(START[None])
    size = rule(0, exact, exact.gradient, lambda change: change)[0]
    _, g = OneSample()(exact)
    for step, same in ((AtExact(rule), True), (SignalToNoise(0.5, variance=lambda outlook: noise(OneSample())(outlook.exact)), False)):
        *_, end = paths(Gradient(step), oracle, OneSample(), START, 1)
        moved = end.outlook.theta - START
        assert np.allclose(moved, size * g[0], atol=1e-15) == same
    assert AtExact(rule)(0, exact, exact.gradient, lambda change: change) == size


def test_draws_do_not_depend_on_what_is_recorded():
    make = lambda: NoisyOracle(SoftmaxOracle(THREE), drawn_from(OneSample()), np.random.default_rng(1))
    one, other = (run(Gradient(Constant(0.5)), make(), START, 20, record=r) for r in ("all", []))

    assert (one.theta == other.theta).all()


def test_drawn_outlook_shows_the_exact_rest():
    oracle = NoisyOracle(SoftmaxOracle(THREE), drawn_from(OneSample()), np.random.default_rng(1))
    outlook = oracle(START[None])

    assert (outlook.value == outlook.exact.value).all() and (outlook.pi == outlook.exact.pi).all() and (outlook.gap == outlook.exact.gap).all()
    assert (outlook.gradient != outlook.exact.gradient).any()
    assert outlook.gradient_norm == np.linalg.norm(outlook.gradient)


@pytest.mark.parametrize("update", [Natural(Constant(1.0)), PolicyMirrorDescent(Constant(1.0))])
def test_updates_that_need_more_than_the_gradient_are_refused(update):
    """They would silently be exact."""
    oracle = NoisyOracle(SoftmaxOracle(THREE), drawn_from(OneSample()), np.random.default_rng(1))

    with pytest.raises(InvalidArgument, match="which NoisyOracle does not show"):
        update.init(oracle, START)


def wrong_chance(outlook) -> Outcomes:
    return Outcomes(np.full((len(outlook.theta), 2), 0.6), np.zeros((len(outlook.theta), 2, 1, 3)))


class Lists(Gradient):
    def remember(self, outlook):
        return [1]

    def step(self, state):
        return super().step(state)._replace(memory=[1])


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: list(paths(Gradient(Constant(1.0)), SoftmaxOracle(THREE), wrong_chance, START, 1)), InvalidArgument, "chance[0] sums to 1.2"),
        (lambda: list(paths(Lists(Constant(1.0)), SoftmaxOracle(THREE), OneSample(), START, 1)), InvalidArgument, "holds a list"),
        (lambda: OneSample()(SoftmaxOracle(Stack.of([MOVES]))(np.zeros((1, 1, 1)))), InvalidArgument, "may have a second step"),
        (lambda: list(paths(Gradient(Constant(1.0)), SoftmaxOracle(THREE), OneSample(), START, -1)), InvalidArgument, "steps is -1"),
    ],
)
def test_what_cannot_be_followed_is_refused(call, error, text):
    with pytest.raises(error) as problem:
        call()

    assert text in str(problem.value)


def test_drawn_is_an_outlook_of_its_oracle():
    exact = SoftmaxOracle(THREE)(START[None])

    assert Drawn(exact.oracle, exact, exact.gradient).oracle is exact.oracle
