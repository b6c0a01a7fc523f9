"""Adversarial costs against all paths and all deterministic policies; mirror descent against its closed form."""

from itertools import product

import numpy as np
import pytest
import scipy.sparse as sp

from pgtheory.tabular.dynamics.adversarial import AdversarialCosts, play
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.models.mdp import MDP


def game(seed: int = 0, K: int = 5, H: int = 3, S: int = 2, A: int = 2, *, ends: bool = False) -> AdversarialCosts:
    rng = np.random.default_rng(seed)
    P = rng.dirichlet(np.ones(S), size=(S, A)) * (0.7 if ends else 1.0)
    return AdversarialCosts(model=MDP(P=P, r=np.zeros((S, A)), mu=rng.dirichlet(np.ones(S))), costs=rng.random((K, H, S, A)))


def policies(here: AdversarialCosts, seed: int = 1) -> np.ndarray:
    _, H, S, A = here.costs.shape
    return np.random.default_rng(seed).dirichlet(np.ones(A), size=(H, S))


def by_paths(here: AdversarialCosts, cost: np.ndarray, pi: np.ndarray) -> float:
    """Sum over all paths of states and actions, ended ones included: what was paid before the end counts."""
    H, S, A = cost.shape
    mdp, total = here.model, 0.0
    for h in range(H):
        for states in product(range(S), repeat=h + 1):
            for actions in product(range(A), repeat=h + 1):
                p = mdp.mu[states[0]]
                for t in range(h):
                    p *= pi[t, states[t], actions[t]] * mdp.P[states[t], actions[t], states[t + 1]]
                total += p * pi[h, states[h], actions[h]] * cost[h, states[h], actions[h]]
    return total


@pytest.mark.parametrize("ends", [False, True])
def test_loss_values_and_visits_against_all_paths(ends):
    here = game(ends=ends)
    pi, cost = policies(here), here.costs[0]
    expected = by_paths(here, cost, pi)

    Q = here.action_values(cost, pi)

    assert abs(here.loss(cost, pi) - expected) <= 1e-14
    assert abs(here.model.mu @ (pi[0] * Q[0]).sum(axis=1) - expected) <= 1e-14
    assert abs(here.loss(here.costs, pi) - [by_paths(here, c, pi) for c in here.costs]).max() <= 1e-14
    one = np.zeros(cost.shape)
    one[2, 1, 0] = 1
    assert abs(here.visits(pi)[2, 1, 0] - by_paths(here, one, pi)) <= 1e-15


def test_best_policy_in_hindsight_is_the_best_of_all_deterministic_ones():
    """On 30 games; in some of them the best first action is not that of an average player's future."""
    for seed in range(30):
        here = game(seed, H=2, K=2)
        losses = []
        for actions in product(range(2), repeat=4):
            pi = np.eye(2)[np.reshape(actions, (2, 2))]
            losses.append(sum(by_paths(here, c, pi) for c in here.costs))
        assert abs(here.loss(here.costs, here.best).sum() - min(losses)) <= 1e-13


def test_policy_is_the_exponential_of_all_estimates_minus_bonuses():
    here, eta = game(K=6), 0.7
    rng = np.random.default_rng(3)
    tables, costs = rng.normal(size=(2, 6, 3, 2, 2))
    costs = abs(costs)
    found = play(here, eta, estimate=lambda e: tables[e.k], bonus=lambda e: costs[e.k])
    for k in range(6):
        total = sum(tables[j] - here.action_values(costs[j], found.pi[j]) for j in range(k)) + np.zeros((3, 2, 2))
        weights = np.exp(-eta * total)
        np.testing.assert_allclose(found.pi[k], weights / weights.sum(axis=2, keepdims=True), rtol=1e-12)
        assert abs(found.loss[k] - by_paths(here, here.costs[k], found.pi[k])) <= 1e-14
    np.testing.assert_array_equal(found.estimate, tables)
    np.testing.assert_array_equal(found.bonus_cost, costs)
    assert abs(found.regret[-1] - (found.loss.sum() - here.loss(here.costs, here.best).sum())) <= 1e-13


def test_what_an_episode_shows():
    """Exact action values, and the visits of all episodes before it."""
    here, seen = game(K=4), []
    found = play(here, 0.5, estimate=lambda e: seen.append(e) or e.Q)
    exact = play(here, 0.5)
    np.testing.assert_array_equal(found.pi, exact.pi)
    for k, episode in enumerate(seen):
        assert episode.k == k
        np.testing.assert_allclose(episode.Q, here.action_values(here.costs[k], found.pi[k]))
        np.testing.assert_allclose(episode.visits, sum((here.visits(found.pi[j]) for j in range(k)), np.zeros((3, 2, 2))), atol=1e-14)
        assert abs(episode.visits.sum() - 3 * k) <= 1e-13


def test_no_probability_is_lost_to_underflow():
    """One arm is bad for 2000 episodes, then the other: the first comes back."""
    one = MDP(P=np.zeros((1, 2, 1)), r=np.zeros((1, 2)), mu=[1.0])
    costs = np.zeros((5000, 1, 1, 2))
    costs[:2000, :, :, 0] = 1
    costs[2000:, :, :, 1] = 1
    found = play(AdversarialCosts(model=one, costs=costs), 1.0)
    assert found.pi[2000, 0, 0, 0] == 0 and found.pi[4500, 0, 0, 0] == 1


def test_sparse_moves_are_the_same():
    here = game()
    sparse = MDP(P=sp.csr_array(here.model.P.reshape(4, 2)), r=np.zeros((2, 2)), mu=here.model.mu)
    np.testing.assert_allclose(play(AdversarialCosts(model=sparse, costs=here.costs), 1.0).pi, play(here, 1.0).pi)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: AdversarialCosts(model=game().model, costs=np.full((1, 1, 2, 2), 1.5)), "costs[0, 0, 0, 0] is 1.5"),
        (lambda: AdversarialCosts(model=game().model, costs=np.full((1, 1, 2, 2), -0.1)), "outside [0, 1]"),
        (lambda: AdversarialCosts(model=game().model, costs=np.zeros((1, 2, 2))), "costs has shape (1, 2, 2)"),
        (lambda: AdversarialCosts(model=game().model, costs=np.zeros((0, 1, 2, 2))), "at least one episode"),
        (lambda: AdversarialCosts(model=game().model, costs=np.full((1, 1, 2, 2), np.nan)), "is nan"),
        (lambda: play(game(), 0.0), "eta is 0.0"),
        (lambda: play(game(), 1.0, estimate=lambda e: np.zeros(3)), "estimate has shape (3,)"),
        (lambda: play(game(), 1.0, bonus=lambda e: np.full(e.Q.shape, np.inf)), "bonus[0, 0, 0] is inf"),
    ],
)
def test_bad_games_are_refused(call, text):
    with pytest.raises(InvalidArgument) as error:
        call()

    assert text in str(error.value)
