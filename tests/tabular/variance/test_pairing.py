"""E[Z . g], E[|Z|^2] and E[Z] . u against trajectories one by one: Z_{t, s} is the change of an estimate when V_t(s) grows by one."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgtheory.tabular.laws.forms import Differences, Rows
from pgtheory.tabular.laws.systems import Systems, reached_states
from pgtheory.tabular.laws.transitions import Rewards
from pgtheory.tabular.policies.policy import score
from pgtheory.tabular.variance.pairing import Pairing


def form_of(actions, *, T, values, final, gamma, lambda_, nu):
    rows = Rows(groups=1, size=1, start="row")
    return Differences(
        actions=actions, ratio=np.ones_like(actions), horizon=T, scale=1.0, rows=rows, values=values, final=final, gamma=gamma, lambda_=lambda_, nu=nu
    )


@given(data=st.data())
@settings(max_examples=25)
def test_pairings_are_sums_over_all_trajectories(data, by_hand):
    """Models with and without ends and noise, rewards of pairs and of moves, scores with and without mean, values of every step and after the last."""
    S, A, T = data.draw(st.sampled_from([(1, 2, 3), (2, 1, 3), (2, 2, 2), (3, 2, 1), (2, 2, 3)]))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    pick = lambda *choices: data.draw(st.sampled_from(choices))
    gamma, lambda_, nu = pick(0.0, 0.7, 1.0), pick(0.0, 0.6, 1.0), pick(0.0, 0.7, 1.0)
    mdp = by_hand.model(rng, S=S, A=A, ends=pick(True, False), reward=pick("pair", "move", "noise"), gamma=gamma, sparse=pick(True, False))
    policy = by_hand.policy(rng, pick("softmax", "direct", "log-linear"), S, A)
    actions, scores = rng.dirichlet(np.full(A, 2.0), size=S), score(policy)
    values, final = rng.normal(size=(T, S)), rng.normal(size=S)
    known = lambda values, final: by_hand.enumerate(mdp, actions, scores, T=T, lambda_=lambda_, nu=nu, values=values, final=final)
    base = known(values, final)
    Z = np.zeros((T + 1, S, *base.g.shape))
    for t in range(T + 1):
        for s in range(S):
            changed = np.vstack([values, final])
            changed[t, s] += 1
            Z[t, s] = known(changed[:T], changed[T]).g - base.g
    pairing = Pairing(rewards=Rewards(mdp), form=form_of(actions, T=T, values=values, final=final, gamma=gamma, lambda_=lambda_, nu=nu), systems=None)
    found, size = pairing.second(scores)
    u = rng.normal(size=scores.shape[2])
    close = lambda a, b: np.testing.assert_allclose(
        a, b, rtol=0, atol=1e-12 * max(1.0, base.probability @ (base.g**2).sum(axis=1), abs(Z).max() ** 2)
    )
    close(found, np.einsum("n,tsnd,nd->ts", base.probability, Z, base.g))
    close(size, np.einsum("n,tsnd->ts", base.probability, Z**2))
    close(pairing.first(scores @ u), np.einsum("n,tsnd,d->ts", base.probability, Z, u))
    close(np.einsum("sa,sad->d", pairing.weight(), scores), base.mean)


@pytest.mark.parametrize(
    ("gamma", "lambda_", "nu"), [(0.9, 1.0, 0.9), (0.9, 0.6, 0.9), (0.8, 0.0, 0.8), (1.0, 0.9, 1.0), (0.9, 0.5, 1.0), (0.0, 0.5, 1.0)]
)
@pytest.mark.parametrize("reward", ["pair", "move"])
def test_without_horizon_the_systems_are_the_limit_of_the_recursion(gamma, lambda_, nu, reward, by_hand):
    """Episodes end with 0.3 a step at least where nothing discounts: what lies behind 400 steps is below 0.9^400 = 5e-19."""
    rng = np.random.default_rng(4)
    mdp = by_hand.model(rng, S=3, A=2, ends=True, reward=reward, gamma=gamma, sparse=True)
    policy = by_hand.policy(rng, "direct", 3, 2)
    actions, scores, values = rng.dirichlet([2.0, 2.0], size=3), score(policy), rng.normal(size=3)
    numbers = SimpleNamespace(values=values, final=values, gamma=gamma, lambda_=lambda_, nu=nu)
    endless = Pairing(
        rewards=Rewards(mdp), form=form_of(actions, T=None, **vars(numbers)), systems=Systems(mdp, actions, reached_states(mdp, actions, nu))
    )
    long = Pairing(rewards=Rewards(mdp), form=form_of(actions, T=400, **vars(numbers)), systems=None)
    for a, b in zip(endless.second(scores), long.second(scores), strict=True):
        np.testing.assert_allclose(a[0], b.sum(axis=0), rtol=1e-11, atol=1e-11 * abs(a).max())
    y = scores @ rng.normal(size=6)
    np.testing.assert_allclose(endless.first(y)[0], long.first(y).sum(axis=0), rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(endless.weight(), long.weight(), rtol=1e-11, atol=1e-12)
