"""Multi-level estimates against all paths, against a recursion step by step, and in the limit of long paths."""

from itertools import product

import numpy as np
import pytest
import scipy.sparse as sp

from pgtheory.tabular.dynamics.multilevel import MultiLevel, actor_critic_terms, temporal_differences
from pgtheory.tabular.errors import InvalidArgument, Multichain
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.policies.policy import score
from pgtheory.tabular.policies.softmax import Softmax


def instance(seed: int, S: int = 2, A: int = 2, D: int = 2) -> tuple[MDP, Direct, np.ndarray]:
    rng = np.random.default_rng(seed)
    mdp = MDP(P=rng.dirichlet(np.ones(S), size=(S, A)), r=rng.normal(size=(S, A)), mu=rng.dirichlet(np.ones(S)))
    return mdp, Direct(rng.dirichlet(np.ones(A), size=S)), 1 + rng.normal(size=(S, A, S, D))


def all_paths(mdp: MDP, pi: np.ndarray, h: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Chance and h_0 .. h_{n-1} of every path of n steps, one after the other."""
    chance, values = [], []
    for s0 in range(mdp.S):
        for steps in product(product(range(mdp.A), range(mdp.S)), repeat=n):
            s, p, row = s0, mdp.mu[s0], []
            for a, t in steps:
                p *= pi[s, a] * mdp.P[s, a, t]
                row.append(h[s, a, t])
                s = t
            chance.append(p)
            values.append(row)
    return np.array(chance), np.array(values)


def estimate(h: np.ndarray, j: int) -> np.ndarray:
    """h^0 + 2^j (h^j - h^{j-1}) as it is defined, (paths, steps, D) -> (paths, D)."""
    if j == 0:
        return h[:, 0]
    return h[:, 0] + 2**j * (h[:, : 2**j].mean(axis=1) - h[:, : 2 ** (j - 1)].mean(axis=1))


@pytest.mark.parametrize("seed", range(3))
def test_every_level_against_all_paths(seed):
    mdp, policy, h = instance(seed)
    found = MultiLevel(4).moments(mdp, policy, h)
    for j in range(3):
        p, values = all_paths(mdp, policy.theta, h, 2**j)
        g, mean = estimate(values, j), values.mean(axis=1)
        np.testing.assert_allclose(found.mean[j], p @ g, rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(found.second[j], np.einsum("p,pd,pe->de", p, g, g), rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(found.average[j], p @ mean, rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(found.average_second[j], np.einsum("p,pd,pe->de", p, mean, mean), rtol=1e-12, atol=1e-13)


def backwards(mdp: MDP, pi: np.ndarray, h: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Moments of sum_t weights_t h_t, one step after the other from the last: O(T S^2)."""
    joint = pi[:, :, None] * mdp.P
    b, M = np.zeros((mdp.S, h.shape[3])), np.zeros((mdp.S, h.shape[3], h.shape[3]))
    for w in weights[::-1]:
        cross = w * np.einsum("sat,satd,te->sde", joint, h, b)
        M = w * w * np.einsum("sat,satd,sate->sde", joint, h, h) + cross + cross.swapaxes(1, 2) + np.einsum("sat,tde->sde", joint, M)
        b = w * np.einsum("sat,satd->sd", joint, h) + np.einsum("sat,td->sd", joint, b)
    return mdp.mu @ b, np.einsum("s,sde->de", mdp.mu, M)


@pytest.mark.parametrize("seed", range(3))
def test_long_levels_against_a_recursion_step_by_step(seed):
    """Weights +1, -1 and one more on the first step; rounding of sums of 256 squares of numbers around 1."""
    mdp, policy, h = instance(seed, S=4, A=3, D=3)
    found = MultiLevel(256).moments(mdp, policy, h)
    for j in (3, 6, 8):
        weights = np.repeat([-1.0, 1.0], 2 ** (j - 1))
        weights[0] += 1
        mean, second = backwards(mdp, policy.theta, h, weights)
        np.testing.assert_allclose(found.mean[j], mean, rtol=1e-11, atol=1e-11)
        np.testing.assert_allclose(found.second[j], second, rtol=1e-11, atol=1e-10)
        mean, second = backwards(mdp, policy.theta, h, np.full(2**j, 2.0**-j))
        np.testing.assert_allclose(found.average[j], mean, rtol=1e-12)
        np.testing.assert_allclose(found.average_second[j], second, rtol=1e-12)


@pytest.mark.parametrize("T_max", [1, 2, 3, 7, 8, 1000])
def test_levels_chances_and_samples(T_max):
    """One level after the other as the estimate is drawn: too long ones take a single step."""
    found, steps, chance = MultiLevel(T_max), 0.0, np.zeros(11)
    for j in range(1, 200):
        length = 2**j if 2**j <= T_max else 1
        steps += 0.5**j * length
        chance[int(np.log2(length))] += 0.5**j
    assert found.levels == np.floor(np.log2(T_max))
    assert abs(found.samples - steps) <= 1e-12
    np.testing.assert_allclose(found.chance, chance[: found.levels + 1], atol=1e-15)


@pytest.mark.parametrize("T_max", [1, 5, 64])
def test_mean_is_that_of_the_longest_average_and_covariance_is_centred(T_max):
    mdp, policy, h = instance(5, S=3)
    found = MultiLevel(T_max).moments(mdp, policy, h)
    np.testing.assert_allclose(found.expectation, found.average[-1], rtol=1e-13)
    np.testing.assert_allclose(found.covariance, found.second_moment - np.outer(found.expectation, found.expectation))
    assert np.linalg.eigvalsh(found.covariance)[0] > 0


def test_a_constant_is_estimated_without_noise():
    mdp, policy, _ = instance(6, S=3)
    found = MultiLevel(2**20).moments(mdp, policy, np.full((3, 2, 3, 1), 7.0))
    np.testing.assert_allclose(found.mean, 7.0)
    assert abs(found.covariance).max() <= 1e-10


def test_very_long_paths_reach_the_stationary_mean_and_the_asymptotic_variance():
    """2^40 steps. Var of a sum of n steps is n sigma^2 + O(1), sigma^2 from the dense fundamental matrix."""
    mdp, policy, h = instance(7, S=3, D=1)
    joint = policy.theta[:, :, None] * mdp.P
    K = joint.sum(axis=1)
    d = np.linalg.lstsq(np.vstack([(np.eye(3) - K).T, np.ones(3)]), [0, 0, 0, 1], rcond=None)[0]
    x = h[..., 0] - d @ (joint * h[..., 0]).sum(axis=(1, 2))
    bias = np.linalg.solve(np.eye(3) - K + np.outer(np.ones(3), d), (joint * x).sum(axis=(1, 2)))
    sigma2 = d @ (joint * (x * x + 2 * x * bias)).sum(axis=(1, 2))

    found = MultiLevel(2**40).moments(mdp, policy, h)

    assert abs(found.average[-1, 0] - d @ (joint * h[..., 0]).sum(axis=(1, 2))) <= 1e-11
    assert abs(found.second[-1, 0, 0] / 2**40 - sigma2) <= 1e-9 * sigma2


def test_periodic_chain_and_single_state():
    """A two-cycle: levels of two steps and more have no bias and no noise but that of the first step."""
    cycle = MDP(P=[[[0.0, 1.0]], [[1.0, 0.0]]], r=[[1.0], [0.0]], mu=[1.0, 0.0])
    h = np.broadcast_to([1.0, 0.0], (2, 1, 2)).swapaxes(0, 2)[..., None]
    found = MultiLevel(16).moments(cycle, Direct([[1.0], [1.0]]), h)
    np.testing.assert_allclose(found.average[:, 0], [1, 0.5, 0.5, 0.5, 0.5])
    np.testing.assert_allclose(found.mean[:, 0], [1, 0, 1, 1, 1], atol=1e-15)
    alone = MDP(P=[[[1.0], [1.0]]], r=[[1.0, 0.0]], mu=[1.0])
    coin = MultiLevel(4).moments(alone, Direct([[0.5, 0.5]]), np.array([1.0, 0.0]).reshape(1, 2, 1, 1))
    # Fair coins: g = h0 + halves; weights of level 1 are (0, 1), of level 2 (0, -1, 1, 1).
    np.testing.assert_allclose(coin.second[:, 0, 0], [0.5, 0.5, 1 / 4 + 3 / 4], atol=1e-15)


def test_sparse_model_and_rows_that_miss_one_by_rounding():
    mdp, policy, h = instance(8, S=3)
    sparse = MDP(P=sp.csr_array(mdp.P.reshape(6, 3) * (1 - 2e-13)), r=mdp.r, mu=mdp.mu)
    for name in ("mean", "second", "average_second"):
        one, other = (getattr(MultiLevel(2**12).moments(m, policy, h), name) for m in (mdp, sparse))
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("by_transition", "sparse"), [(False, False), (True, False), (True, True)])
def test_terms_of_the_actor_critic(by_transition, sparse):
    mdp, policy, _ = instance(9, S=3)
    rng = np.random.default_rng(1)
    r = rng.normal(size=(3, 2, 3)) if by_transition else mdp.r
    P, rewards = (sp.csr_array(mdp.P.reshape(6, 3)), sp.csr_array(r.reshape(6, 3))) if sparse else (mdp.P, r)
    mdp, policy = MDP(P=P, r=rewards, mu=mdp.mu), Softmax(rng.normal(size=(3, 2)))
    features, w, eta = rng.normal(size=(3, 2)), rng.normal(size=2), 0.3
    terms, table = actor_critic_terms(mdp, policy, features, eta, w), score(policy)
    assert terms.shape == (3, 2, 3, 1 + 2 + 6)
    for s, a, t in product(range(3), range(2), range(3)):
        reward = r[s, a, t] if by_transition else r[s, a]
        delta = reward - eta + features[t] @ w - features[s] @ w
        np.testing.assert_allclose(terms[s, a, t], np.concatenate([[reward - eta], delta * features[s], delta * table[s, a]]), atol=1e-14)


TWO_CLASSES = MDP(P=[[[1.0, 0.0]], [[0.0, 1.0]]], r=[[1.0], [0.0]], mu=[0.5, 0.5])
ENDS = MDP(P=[[[0.5]]], r=[[1.0]], mu=[1.0])


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: MultiLevel(0), InvalidArgument, "T_max is 0"),
        (lambda: MultiLevel(4).moments(TWO_CLASSES, Direct([[1.0], [1.0]]), np.ones((2, 1, 2, 1))), Multichain, "closed class"),
        (lambda: MultiLevel(4).moments(ENDS, Direct([[1.0]]), np.ones((1, 1, 1, 1))), InvalidArgument, "the episode may end there"),
        (lambda: MultiLevel(4).moments(instance(0)[0], instance(0)[1], np.ones((2, 2, 2))), InvalidArgument, "terms has shape (2, 2, 2)"),
        (lambda: MultiLevel(4).moments(instance(0)[0], instance(0)[1], np.full((2, 2, 2, 1), np.nan)), InvalidArgument, "terms[0, 0, 0, 0] is nan"),
        (lambda: temporal_differences(instance(0)[0], 0.0, np.ones(3)), InvalidArgument, "V has shape (3,)"),
    ],
)
def test_bad_input_is_refused(call, error, text):
    with pytest.raises(error) as raised:
        call()

    assert text in str(raised.value)
