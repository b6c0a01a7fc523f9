"""Sampled differences: every data set once, or every data set and a quadrature over the segment, against exact gradients; N-VR-PG over all pairs of samples."""

from itertools import product

import numpy as np
import pytest

from pgtheory.tabular.dynamics.differences import HessianAided, Weighted
from pgtheory.tabular.dynamics.scene_oracle import SceneOracle
from pgtheory.tabular.dynamics.steps import Constant
from pgtheory.tabular.dynamics.tracking import Recursive
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.estimators.reinforce import RewardToGo
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.objectives.returns import Return
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.episodes import OnPolicy
from pgtheory.tabular.scene import Scene

P = np.array([[[0.7, 0.3], [0.2, 0.8]], [[0.5, 0.5], [0.9, 0.1]]])
R = np.array([[1.0, -0.5], [0.25, 2.0]])
MU, GAMMA = np.array([0.4, 0.6]), 0.9
MODEL = MDP(P=P, r=R, mu=MU, gamma=GAMMA, horizon=2)
THETA, LAST = np.array([[0.3, -0.2], [0.0, 0.5]]), np.array([[0.1, 0.4], [-0.6, 0.2]])
SCENE = Scene.of(MODEL, Softmax(THETA))
PLAIN = PolicyGradient(advantage=RewardToGo())
SETS = OnPolicy(1).datasets(SCENE)
K = len(SETS)


class Listed:
    """A sampling law that hands out data sets by their numbers, call by call; again from the first one if more are asked for."""

    def __init__(self, *calls):
        self.calls = [np.asarray(call) for call in calls]

    def sample(self, scene, n, *, rng):
        chosen = self.calls.pop(0)
        assert n % len(chosen) == 0
        return SETS.take(np.tile(chosen, n // len(chosen))).data


def copies(theta, n):
    return np.repeat(theta[None], n, axis=0)


def test_weighted_difference_and_gradient_come_from_one_data_set():
    """Every data set once: the means are exact, and g - difference is the older gradient of the same data times its importance weight."""
    g, difference = Weighted(PLAIN, Listed(range(K)), SCENE).with_difference(copies(THETA, K), copies(LAST, K), np.random.default_rng(0))
    p, older = SETS.weights(SCENE), SETS.weights(SCENE.at(theta=LAST))
    gradient = lambda theta: Return().gradient(SCENE.at(theta=theta)).reshape(2, 2)
    at_last = Weighted(PLAIN, Listed(range(K)), SCENE).gradient(copies(LAST, K), np.random.default_rng(0))

    assert abs(np.einsum("k,kij->ij", p, g) - gradient(THETA)).max() <= 1e-14
    assert abs(np.einsum("k,kij->ij", p, difference) - gradient(THETA) + gradient(LAST)).max() <= 1e-14
    assert abs(g - difference - (older / p)[:, None, None] * at_last).max() <= 1e-14
    still = Weighted(PLAIN, Listed(range(K)), SCENE).with_difference(copies(THETA, K), copies(THETA, K), np.random.default_rng(0))
    assert (still[1] == 0).all()


class Nodes:
    """A generator whose uniform numbers are given."""

    def __init__(self, q):
        self.q = q

    def random(self, n):
        return self.q


def test_hessian_between_the_points_is_the_difference_on_average():
    """Six Gauss nodes on the segment, every data set at each, then one more for the gradient: sum of weight p(tau; point) B(tau) u."""
    nodes, weight = np.polynomial.legendre.leggauss(6)
    q, row = np.repeat((nodes + 1) / 2, K), np.tile(np.arange(K), 6)
    sampler = HessianAided(PLAIN, Listed(*([k] for k in row), row), SCENE)
    g, difference = sampler.with_difference(copies(THETA, 6 * K), copies(LAST, 6 * K), Nodes(q))
    p = np.concatenate([SETS.weights(SCENE.at(theta=x * THETA + (1 - x) * LAST)) for x in (nodes + 1) / 2]) * np.repeat(weight / 2, K)
    gradient = lambda theta: Return().gradient(SCENE.at(theta=theta)).reshape(2, 2)

    # The integrand is analytic: six nodes leave 1e-11 of it.
    assert abs(np.einsum("k,kij->ij", p, difference) - gradient(THETA) + gradient(LAST)).max() <= 1e-9
    assert abs(np.einsum("k,kij->ij", SETS.weights(SCENE), g[:K]) - gradient(THETA)).max() <= 1e-14
    # Drawn at theta itself instead of on the segment, the difference is off.
    frozen = np.tile(SETS.weights(SCENE), 6) * np.repeat(weight / 2, K)
    assert abs(np.einsum("k,kij->ij", frozen, difference) - gradient(THETA) + gradient(LAST)).max() > 1e-3


def softmax(theta):
    return np.exp(theta) / np.exp(theta).sum(axis=1, keepdims=True)


def by_hand():
    """(probability, gradient) of every episode, as functions of theta."""

    def made(s, a, t, b):
        def score(theta, x, y):
            table = np.zeros((2, 2))
            table[x] = np.eye(2)[y] - softmax(theta)[x]
            return table

        chance = lambda theta: MU[s] * softmax(theta)[s, a] * P[s, a, t] * softmax(theta)[t, b]
        g = lambda theta: (R[s, a] + GAMMA * R[t, b]) * score(theta, s, a) + GAMMA * R[t, b] * score(theta, t, b)
        return chance, g

    return [made(*letters) for letters in product(range(2), repeat=4)]


def return_of(theta):
    pi = softmax(theta)
    return MU @ (pi * (R + GAMMA * P @ (pi * R).sum(axis=1))).sum(axis=1)


@pytest.mark.parametrize("normalised", [True, False])
@pytest.mark.parametrize("bug", [None, "weight"])
def test_two_steps_of_recursive_momentum_over_all_pairs_of_samples(normalised, bug):
    """E J(theta_2) of N-VR-PG: 256 runs at once, weighted, against two loops written out. Without the importance weight the loops give another number."""
    eta, size = lambda t: [1.0, 0.4][t], 0.6
    first, second = np.repeat(np.arange(K), K), np.arange(K)
    update = Recursive(Constant(size), eta, Weighted(PLAIN, Listed(first, *[second] * K), SCENE), np.random.default_rng(0), normalised)
    start = update.init(SceneOracle(SCENE), copies(THETA, K * K))
    middle = update.step(start)
    end = update.step(middle)
    # At the middle point rows of one first sample stand together, and every second sample comes to them in order.
    weight = np.repeat(SETS.weights(SCENE), K) * np.concatenate([SETS.weights(SCENE.at(theta=theta)) for theta in middle.theta[::K]])
    found = weight @ [return_of(theta) for theta in end.theta]

    total, sets = 0.0, by_hand()
    length = lambda d: np.sqrt((d * d).sum()) if normalised else 1.0
    for p, g in sets:
        d = g(THETA)
        theta = THETA + size * d / length(d)
        for q, h in sets:
            w = 1.0 if bug else q(THETA) / q(theta)
            e = 0.6 * (d + h(theta) - w * h(THETA)) + 0.4 * h(theta)
            total += p(THETA) * q(theta) * return_of(theta + size * e / length(e))
    assert abs(weight.sum() - 1) <= 1e-13
    assert (abs(found - total) <= 1e-13) == (bug is None)
    assert bug is None or abs(found - total) > 1e-3
