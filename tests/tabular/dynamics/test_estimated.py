"""Estimators as stochastic gradients: all paths against loops over episodes written out, seeds against their expectation, and what a frozen law would give."""

from itertools import product

import numpy as np
import pytest

from pgtheory.tabular.dynamics.estimated import Estimated, alike
from pgtheory.tabular.dynamics.momentum import Momentum
from pgtheory.tabular.dynamics.oracles import SoftmaxOracle
from pgtheory.tabular.dynamics.scene_oracle import SceneOracle
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.dynamics.steps import Constant
from pgtheory.tabular.dynamics.stochastic import NoisyOracle, OneSample, Outcomes, noise, paths
from pgtheory.tabular.dynamics.updates import Gradient
from pgtheory.tabular.errors import InvalidArgument, InvalidPolicy, TooLarge
from pgtheory.tabular.estimators.registry import builtin
from pgtheory.tabular.laws.law import law
from pgtheory.tabular.models.bandit import Bandit
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.models.token_tree import TokenTree
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.episodes import OffPolicy, OnPolicy
from pgtheory.tabular.sampling.groups import Groups
from pgtheory.tabular.scene import Scene

P = np.array([[[0.7, 0.3], [0.2, 0.8]], [[0.5, 0.5], [0.9, 0.1]]])
R = np.array([[1.0, -0.5], [0.25, 2.0]])
MU, GAMMA, SIZE = np.array([0.4, 0.6]), 0.9, 0.8
MODEL = MDP(P=P, r=R, mu=MU, gamma=GAMMA, horizon=2)
START = np.array([[0.3, -0.2], [0.0, 0.5]])
SCENE = Scene.of(MODEL, Softmax(START))
TREE = TokenTree(vocabulary=2, limit=2, reward=lambda prompt, tokens: float(tokens == (0, 1)))
"""Completions end, a end, a a: with the rewards 0, 1, 0."""


def softmax(theta):
    return np.exp(theta) / np.exp(theta).sum(axis=-1, keepdims=True)


def score(theta, s, a):
    table = np.zeros((2, 2))
    table[s] = np.eye(2)[a] - softmax(theta)[s]
    return table


def episodes(theta):
    """(probability, states, actions) of every episode of two steps."""
    pi = softmax(theta)
    for s, a, t, b in product(range(2), repeat=4):
        yield MU[s] * pi[s, a] * P[s, a, t] * pi[t, b], (s, t), (a, b)


def reward_to_go(theta):
    for p, (s, t), (a, b) in episodes(theta):
        yield p, (R[s, a] + GAMMA * R[t, b]) * score(theta, s, a) + GAMMA * R[t, b] * score(theta, t, b)


V = np.array([0.5, -1.0])
"""The critic, far from the truth."""


def generalised_advantage(theta):
    """delta_0 + 0.95 gamma delta_1 at the first step, delta_1 at the second; after it nothing comes."""
    for p, (s, t), (a, b) in episodes(theta):
        first, second = R[s, a] + GAMMA * V[t] - V[s], R[t, b] - V[t]
        yield p, (first + 0.95 * GAMMA * second) * score(theta, s, a) + GAMMA * second * score(theta, t, b)


def return_of(theta):
    pi = softmax(theta)
    last = (pi * R).sum(axis=-1)
    return ((pi * (R + GAMMA * np.einsum("sat,...t->...sa", P, last))).sum(axis=-1)) @ MU


def completions(theta):
    """(probability, score, reward): end; a, then end; a, then a. States are the empty prefix and a."""
    pi = softmax(theta)
    return [
        (pi[0, 1], score(theta, 0, 1), 0.0), (pi[0, 0] * pi[1, 1], score(theta, 0, 0) + score(theta, 1, 1), 1.0),
        (pi[0, 0] * pi[1, 0], score(theta, 0, 0) + score(theta, 1, 0), 0.0),
    ]  # fmt: skip


def normalised_pairs(theta):
    """GRPO with two completions: advantages +-(1/2) / (sqrt(1/2) + 1e-4), 0 where both have one reward."""
    for (p, x, r), (q, y, u) in product(completions(theta), repeat=2):
        weight = (r - u) / 2 / (np.sqrt(0.5) + 1e-4)
        yield p * q, weight * (x - y) / 2


def success(theta):
    pi = softmax(theta)
    return pi[..., 0, 0] * pi[..., 1, 1]


CASES = {
    "reward-to-go": (Estimated(builtin("reward-to-go"), OnPolicy(1), SCENE), reward_to_go, return_of, 16),
    "gae/0.95": (
        Estimated(builtin("gae/0.95"), OnPolicy(1), Scene.of(MODEL, Softmax(START), critic=V)), generalised_advantage, return_of, 16,
    ),
    "group-std": (Estimated(builtin("group-std"), Groups(2), Scene.of(TREE, Softmax(START))), normalised_pairs, success, 6),
}  # fmt: skip


def expected(outcomes, value, theta, steps, size=SIZE):
    """E[value(theta_t)], one loop inside the other."""
    if steps == 0:
        return value(theta)
    return sum(p * expected(outcomes, value, theta + size * g, steps - 1) for p, g in outcomes(theta))


class Frozen(Estimated):
    """The planted bug: data sets keep the probabilities of the first point."""

    def __call__(self, outlook):
        return (
            super().__call__(outlook)._replace(chance=np.repeat(super().__call__(SceneOracle(self.scene)(START[None])).chance, len(outlook.theta), 0))
        )


@pytest.mark.parametrize("name", CASES)
def test_all_paths_are_the_nested_loops_over_episodes(name):
    estimated, outcomes, value, K = CASES[name]
    oracle = SceneOracle(estimated.scene)
    found = list(paths(Gradient(Constant(SIZE)), oracle, estimated, START, 2))

    assert estimated(found[0].outlook).chance.shape == (1, K)
    for one in found:
        assert abs(one.mean(one.outlook.value) - expected(outcomes, value, START, one.t)).max() <= 1e-13
    # The same with the law of the first point: wrong as soon as the point has moved, which is after one step.
    frozen = list(paths(Gradient(Constant(SIZE)), oracle, Frozen(estimated.estimator, estimated.sampling, estimated.scene), START, 2))
    assert abs(frozen[1].mean(frozen[1].outlook.value) - expected(outcomes, value, START, 1)).max() <= 1e-13
    assert abs(frozen[2].mean(frozen[2].outlook.value) - expected(outcomes, value, START, 2)).max() > 1e-3


def test_groups_that_agree_do_not_move_and_go_on_as_one():
    """Of the six groups of two completions four have equal rewards and move nothing, two move theta: paths meet where they made the same moves, 1 + 2 + 4 + ... of them."""
    estimated, outcomes, value, _ = CASES["group-std"]
    found = list(paths(Gradient(Constant(SIZE)), SceneOracle(estimated.scene), estimated, START, 3))

    assert [one.weight.shape[1] for one in found] == [1, 3, 7, 15]
    assert abs(found[-1].weight.sum() - 1) <= 1e-14
    assert abs(found[-1].mean(found[-1].outlook.value) - expected(outcomes, value, START, 3)).max() <= 1e-13


@pytest.mark.parametrize("name", CASES)
def test_seeds_agree_with_the_expectation_over_all_paths(name):
    """20000 seeds; five standard errors, a level of 6e-7."""
    estimated, outcomes, value, _ = CASES[name]
    update = Gradient(Constant(SIZE))
    state = update.init(NoisyOracle(SceneOracle(estimated.scene), estimated.draw, np.random.default_rng(0)), np.repeat(START[None], 20000, axis=0))
    for _ in range(2):
        state = update.step(state)
    seen = value(state.theta)

    assert abs(seen.mean() - expected(outcomes, value, START, 2)) <= 5 * seen.std() / np.sqrt(20000)
    assert seen.std() > 0.05


class All:
    """A sampling law that hands out every data set once, and notes the policy that it was asked to draw with."""

    def __init__(self, datasets):
        self.datasets, self.asked = datasets, []

    def sample(self, scene, n, *, rng):
        assert n == len(self.datasets)
        self.asked.append(scene.policy().theta)
        return self.datasets.data


def test_draws_are_made_at_the_point_of_their_row():
    """Rows of two points in turn: each point draws with its own policy, and its rows get the gradients of the law there."""
    sampling = All(OnPolicy(1).datasets(SCENE))
    rows = np.tile([START, -START], (16, 1, 1))
    found = Estimated(builtin("reward-to-go"), sampling, SCENE).gradient(rows, np.random.default_rng(0))

    expected = CASES["reward-to-go"][0](SceneOracle(SCENE)(np.stack([START, -START]))).gradient
    assert (found[::2] == expected[0]).all() and (found[1::2] == expected[1]).all()
    assert (np.sort(sampling.asked, axis=0) == np.sort([START, -START], axis=0)).all()


def test_law_is_that_of_the_library_and_of_one_sample():
    """Covariance by `law`; on a bandit outcome by outcome the law that is written for it."""
    estimated = CASES["reward-to-go"][0]
    outlook = SceneOracle(SCENE)(np.stack([START, -START]))
    chance, g = estimated(outlook)
    for n, theta in enumerate(outlook.theta):
        known, flat = law(estimated.estimator, OnPolicy(1), SCENE.at(theta=theta)), g[n].reshape(-1, 4)
        assert abs(chance[n] @ flat - known.mean).max() <= 1e-14
        assert abs(np.einsum("k,ki,kj->ij", chance[n], flat, flat) - np.outer(known.mean, known.mean) - known.covariance).max() <= 1e-14
        assert abs(noise(estimated)(outlook)[n] - known.variance) <= 1e-14

    arms = Bandit(r=[[1.0, 0.3], [-1.0, 0.2]], mu=np.array([0.25, 0.75]))
    on_arms = Estimated(builtin("reward-to-go"), OnPolicy(1), Scene.of(arms, Softmax(START)))
    one = OneSample()(SoftmaxOracle(Stack.of([arms]))(START[None]))
    other = on_arms(SceneOracle(on_arms.scene)(START[None]))
    order = np.lexsort(one.gradient[0].reshape(4, 4).round(9).T), np.lexsort(other.gradient[0].reshape(4, 4).round(9).T)
    assert abs(one.chance[0][order[0]] - other.chance[0][order[1]]).max() <= 1e-15
    assert abs(one.gradient[0][order[0]] - other.gradient[0][order[1]]).max() <= 1e-15


def test_oracles_on_a_stack_and_memories_follow_the_same_paths():
    """A process that ends of itself after two steps, with heavy ball, on both kinds of oracles."""
    ends = np.zeros((2, 2, 2))
    ends[0, :, 1] = 0.5, 1.0
    model = MDP(P=ends, r=R, mu=np.array([1.0, 0.0]), gamma=GAMMA)
    scene = Scene.of(model, Softmax(START))
    estimated, update = Estimated(builtin("reinforce"), OnPolicy(1), scene), Momentum(Gradient(Constant(0.3)), 0.5)
    one, other = (list(paths(update, oracle, estimated, START, 2))[-1] for oracle in (SceneOracle(scene), SoftmaxOracle(Stack.of([model]))))

    assert one.weight.shape == (1, 25)
    assert abs(one.outlook.theta - other.outlook.theta).max() <= 1e-15
    assert abs(one.mean(one.outlook.value) - other.mean(other.outlook.value)).max() <= 1e-14


def test_roles_that_stay_keep_their_law():
    """Off-policy, from a fixed policy, probabilities do not move with theta; the estimate does."""
    scene = Scene.of(MODEL, Softmax(START), sampler=Softmax(np.zeros((2, 2))))
    chance, g = Estimated(builtin("reward-to-go"), OffPolicy(1), scene)(SceneOracle(scene)(np.stack([START, -START])))

    assert (chance[0] == chance[1]).all()
    assert (g[0] != g[1]).any()
    moving = CASES["reward-to-go"][0](SceneOracle(SCENE)(np.stack([START, -START]))).chance
    assert abs(moving[0] - moving[1]).max() > 0.01


def test_ordered_data_sets_are_all_tuples():
    pairs = Estimated(builtin("group-std"), Groups(2), CASES["group-std"][0].scene, ordered=True)
    outlook = SceneOracle(pairs.scene)(START[None])

    assert pairs(outlook).chance.shape == (1, 9)
    assert abs(np.einsum("nk,nk...->n...", *pairs(outlook)) - np.einsum("nk,nk...->n...", *CASES["group-std"][0](outlook))).max() <= 1e-15


def test_equal_rows_are_found():
    groups = [rows.tolist() for rows in alike(np.array([[2.0, 1.0], [0.0, 1.0], [2.0, 1.0], [2.0, 0.0]]))]

    assert sorted(groups) == [[0, 2], [1], [3]]


class Divides:
    """1 / 0 for episodes whose first action is the first."""

    form = "local"
    declared = None

    def __call__(self, data, scene):
        return np.where(data.action[..., :1] == 0, np.nan, 1.0) * data.mask


def test_what_cannot_be_followed_is_refused():
    plain, outlook = CASES["reward-to-go"][0], SceneOracle(SCENE)(np.zeros((1, 2, 2)))
    many = SceneOracle(SCENE)(np.zeros((62501, 2, 2)))
    with pytest.raises(TooLarge, match="16 data sets at 62501 points are 1000016 gradients, more than 1000000"):
        plain(many)
    with pytest.raises(InvalidPolicy, match=r"theta has shape \(1, 4\), the policy of the scene has \(2, 2\)"):
        plain(SoftmaxOracle(Stack.of([Bandit(r=[1.0, 2.0, 3.0, 4.0])]))(np.zeros((1, 1, 4))))
    with pytest.raises(InvalidArgument, match=r"data set 0, which has probability 0.05, is not finite at point 0"):
        Estimated(Divides(), OnPolicy(1), Scene.of(MDP(P=P, r=R, mu=[0.1, 0.9], gamma=GAMMA, horizon=1), Softmax(START)))(outlook)


def test_what_never_happens_may_be_broken():
    """A sampler that takes the second action only, in the sense of float64."""
    never = Softmax(np.array([[-800.0, 0.0], [-800.0, 0.0]]))
    scene = Scene.of(MODEL, Softmax(START), sampler=never)
    law = Outcomes(*Estimated(Divides(), OnPolicy(1), scene.at(theta=never.theta))(SceneOracle(scene)(never.theta[None])))

    assert np.isfinite(law.gradient).all() and abs(law.chance.sum() - 1) <= 1e-14
