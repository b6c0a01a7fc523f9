"""Utilities by all trajectories against linear systems; N-VR-PG against its recursion written out, and against recursive momentum where the utility is linear."""

from dataclasses import dataclass

import numpy as np
import pytest

from pgtheory.tabular.dynamics.differences import Weighted
from pgtheory.tabular.dynamics.running import run
from pgtheory.tabular.dynamics.scene_oracle import SceneOracle
from pgtheory.tabular.dynamics.steps import Constant, Power
from pgtheory.tabular.dynamics.tracking import Averaged, Recursive
from pgtheory.tabular.dynamics.utility_tracking import RecursiveUtility, UtilityEpisodes
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.estimators.reinforce import RewardToGo
from pgtheory.tabular.estimators.utility import PseudoReturn
from pgtheory.tabular.laws.law import law
from pgtheory.tabular.laws.moments import gradients
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.objectives.utilities import OccupancyDistance, OccupancyEntropy, Utility
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.episodes import OnPolicy
from pgtheory.tabular.scene import Scene

RNG = np.random.default_rng(3)
P = 0.9 * RNG.dirichlet(np.ones(2), size=(2, 2))
MODEL = MDP(P=P, r=RNG.normal(size=(2, 2)), mu=np.array([0.3, 0.7]), gamma=0.8, horizon=3)
THETA = RNG.normal(size=(4, 2, 2))
SCENE = Scene.of(MODEL, Softmax(THETA[0]))
ETAS = lambda t: [1.0, 0.3, 0.7, 0.5][t]


@dataclass(frozen=True)
class Linear(Utility):
    """<r, lambda>: the return."""

    name = "linear"

    def F(self, visits):
        return (visits * MODEL.r).sum(axis=(-2, -1))

    def slope(self, visits):
        return np.broadcast_to(MODEL.r, visits.shape)

    def curvature(self, visits):
        return np.zeros_like(visits)


@pytest.mark.parametrize("utility", [OccupancyEntropy(), OccupancyDistance(), Linear()])
def test_oracle_over_all_trajectories_is_the_utility(utility):
    oracle = UtilityEpisodes(MODEL, utility).oracle
    value, gradient = oracle(THETA).value, oracle(THETA).gradient

    for n, theta in enumerate(THETA):
        assert abs(value[n] - utility.value(SCENE.at(theta=theta))) <= 1e-13
        assert abs(gradient[n].ravel() - utility.gradient(SCENE.at(theta=theta))).max() <= 1e-13


def test_plug_in_gradient_has_the_law_of_pseudo_rewards_at_own_visits():
    """All trajectories with their probabilities against the estimator of the library; and it is biased."""
    world = UtilityEpisodes(MODEL, OccupancyDistance())
    for theta in THETA:
        k = np.arange(len(world.paths))
        rows = np.repeat(theta[None], len(k), axis=0)
        each, p = world.estimate(k, rows, -world.visits).reshape(len(k), 4), world.probability(theta[None])[0]
        scene = SCENE.at(theta=theta)
        known = law(PolicyGradient(advantage=PseudoReturn(utility=OccupancyDistance(), visits="own")), OnPolicy(1), scene)

        assert abs(p.sum() - 1) <= 1e-14
        assert abs(p @ each - known.mean).max() <= 1e-13
        assert abs(np.einsum("k,ki,kj->ij", p, each, each) - np.outer(known.mean, known.mean) - known.covariance).max() <= 1e-13
        assert abs(p @ each - OccupancyDistance().gradient(scene)).max() > 1e-3


class Uniform:
    """A generator that returns given numbers, one array a call."""

    def __init__(self, *calls):
        self.calls = list(calls)

    def random(self, n):
        return np.broadcast_to(self.calls.pop(0), n)


def test_draws_have_the_probabilities():
    """20000 points of a regular grid: each trajectory as often as it is likely, up to one; and the sampler hands on what was drawn."""
    world, n = UtilityEpisodes(MODEL, OccupancyDistance()), 20_000
    k = world.draw(np.repeat(THETA[:1], n, axis=0), Uniform((np.arange(n) + 0.5) / n))
    assert abs(np.bincount(k, minlength=len(world.paths)) - n * world.probability(THETA[:1])[0]).max() <= 1

    u = np.array([0.2, 0.4, 0.6, 0.8])
    k = world.draw(THETA, Uniform(u))
    assert (world.gradient(THETA, Uniform(u)) == world.estimate(k, THETA, -world.visits[k])).all()


def test_for_a_linear_utility_it_is_recursive_momentum_on_the_return():
    """The same trajectories through the estimators of the library: weights of data sets, reward to go, importance ratio."""
    world = UtilityEpisodes(MODEL, Linear())
    sets = OnPolicy(1).datasets(SCENE)

    class Same:
        """Draws as the other sampler does."""

        def sample(self, scene, n, *, rng):
            return sets.take(world.draw(scene.point["theta"][None], rng)).data

    rules = [
        RecursiveUtility(Power(0.4), ETAS, world, np.random.default_rng(5)),
        Recursive(Power(0.4), ETAS, Weighted(PolicyGradient(advantage=RewardToGo()), Same(), SCENE), np.random.default_rng(5)),
    ]
    one, other = (run(rule, SceneOracle(SCENE), THETA[:1], 4, watch={"theta": lambda o: o.theta}).watched["theta"] for rule in rules)
    assert abs(one - other).max() <= 1e-13
    assert abs(one[-1] - one[0]).max() > 0.1


def by_hand(utility, normalised, *, behind=True, weighted=True):
    """Four steps from given uniform numbers, trajectory by trajectory, with gradients from the library's estimator on single data sets."""
    world, sets = UtilityEpisodes(MODEL, utility), OnPolicy(1).datasets(SCENE)
    theta = last = THETA[0]
    d = x = np.zeros((2, 2))
    reward = older = None
    numbers = [0.15, 0.55, 0.9, 0.35]

    def paid(theta, k, reward):
        model = MDP(P=MODEL.P, r=reward, mu=MODEL.mu, gamma=0.8, horizon=3)
        data = OnPolicy(1).datasets(Scene.of(model, Softmax(theta))).take([k]).data
        return gradients(PolicyGradient(advantage=RewardToGo()), data, Scene.of(model, Softmax(theta))).reshape(2, 2)

    for t, u in enumerate(numbers):
        scene = SCENE.at(theta=theta)
        k = int((sets.weights(scene).cumsum() <= u).sum())
        seen = np.zeros((2, 2))
        for step in range(sets.data.length[k, 0]):
            seen[sets.data.state[k, 0, step], sets.data.action[k, 0, step]] += 0.8**step
        w = sets.weights(SCENE.at(theta=last))[k] / sets.weights(scene)[k] if weighted else 1.0
        following = (1 - ETAS(t)) * (x + seen - w * seen) + ETAS(t) * seen
        if reward is None or not behind:
            older = utility.slope(seen) if reward is None else reward
            reward = utility.slope(seen) if reward is None else utility.slope(following)
        g = paid(theta, k, reward)
        d = (1 - ETAS(t)) * (d + g - w * paid(last, k, older)) + ETAS(t) * g
        x, older = following, reward
        reward = utility.slope(x) if behind else reward
        last, theta = theta, theta + 0.4 / (t + 1) * d / (np.sqrt((d * d).sum()) if normalised else 1.0)
    return world, numbers, theta


@pytest.mark.parametrize("normalised", [True, False])
def test_recursion_is_the_one_of_the_paper(normalised):
    """Four steps; with the reward of the step itself, or without the importance weight, they end elsewhere."""
    utility = OccupancyDistance(target=np.array([[0.5, 0.1], [1.0, 0.2]]))
    world, numbers, expected = by_hand(utility, normalised)
    update = RecursiveUtility(Power(0.4), ETAS, world, Uniform(*numbers), normalised)
    found = run(update, world.oracle, THETA[:1], 4).theta[0]

    assert abs(found - expected).max() <= 1e-13
    for slip in ({"behind": False}, {"weighted": False}):
        assert abs(found - by_hand(utility, normalised, **slip)[2]).max() > 1e-3


def test_it_climbs_where_the_plug_in_gradient_stalls():
    """The entropy of the visits of a corridor, 20 seeds: the experiment of the paper in miniature. REINFORCE at own visits ends lower."""
    S = 3
    moves, s = np.zeros((S, 2, S)), np.arange(S)
    moves[s, 0, np.maximum(s - 1, 0)] = moves[s, 1, np.minimum(s + 1, S - 1)] = 1
    world = UtilityEpisodes(MDP(P=moves, r=np.zeros((S, 2)), mu=np.eye(S)[0], horizon=5), Floored())
    share, size = lambda t: (2 / (t + 2)) ** (2 / 3), Power(0.3, p=2 / 3, t0=2.0)
    rules = (RecursiveUtility(size, share, world, np.random.default_rng(0)), Averaged(size, lambda t: 1.0, world, np.random.default_rng(0)))
    ours, plain = (run(rule, world.oracle, np.zeros((20, S, 2)), 150, record=[]).value for rule in rules)

    assert ours[-1].mean() > plain[-1].mean() + 0.05
    assert ours[-1].mean() > ours[0].mean() + 0.05


class Floored(OccupancyEntropy):
    """No slope where nothing was seen would be infinite."""

    def slope(self, visits):
        return super().slope(np.maximum(visits, 0.05))


def test_models_that_run_for_ever_are_refused():
    world = UtilityEpisodes(MDP(P=P, r=np.zeros((2, 2)), mu=[1.0, 0.0], gamma=0.9), OccupancyDistance())

    with pytest.raises(InvalidArgument, match="can run for more than any number of steps"):
        run(RecursiveUtility(Constant(1.0), ETAS, world, np.random.default_rng(0)), world.oracle, THETA[:1], 1)
