"""The odds of one action of three: on any process, constants recomputed by hand, and two of the three rates of the bound wrong by a factor (the third, on chains: test_theorems.py)."""

import numpy as np
import pytest

from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.models.slow_chain import slow_chain
from pgtheory.tabular.rates.slow_chain import ETA, SLOW_CHAIN, odds_bound
from pgtheory.tabular.rates.theorem import hold


@pytest.fixture(scope="module")
def found():
    """The theorem on 200 random processes of three actions: it speaks of any last state whose actions 0 and 2 keep their order."""
    rng = np.random.default_rng(1)
    P, r, mu = rng.dirichlet(np.ones(4), size=(200, 4, 3)), rng.random((200, 4, 3)), rng.dirichlet(3 * np.ones(4), size=200)
    models = [MDP(P=P[n], r=r[n], mu=mu[n], gamma=(0.3, 0.5, 0.8)[n % 3]) for n in range(200)]
    return hold(SLOW_CHAIN, Stack.of(models), 300)


def test_bound_holds_wherever_the_order_is_kept(found):
    assert 60 < found.applies.sum() < 140
    assert found.certificate.holds[found.applies].all()


def test_without_the_order_the_bound_fails_somewhere(found):
    """Of two that change places the likelier one falls, and lifts action 1 with it."""
    assert not found.certificate.holds[~found.applies].all()


@pytest.mark.parametrize(("name", "factor"), [("swap", 8), ("escape", 0.1)])
def test_each_rate_that_is_too_good_is_violated(found, name, factor):
    wrong = odds_bound(found.run, {**found.constants, name: factor * found.constants[name]})

    assert (found.quantity > wrong[1:])[:, found.applies].any()


def test_constants_are_those_of_the_docstring():
    """Step by step on one chain, with loops."""
    found = hold(SLOW_CHAIN, Stack.of([slow_chain(3, 4, 0.9)]), 120)
    pi, Q, d = (found.run.watched[name][:, 0] for name in ("pi", "Q", "d"))
    steps = range(121)
    T_1 = next(t for t in steps if Q[t, 2] > Q[t, 0]) - 1
    T_2 = next(t for t in steps if t > T_1 and pi[t, 2] >= pi[t, 0])
    T = next(t for t in steps if Q[t, 1] > pi[t] @ Q[t]) - 1
    theta_gap = [abs(np.log(pi[t, 2] / pi[t, 0])) for t in range(T_1 + 1)]
    a = ETA * min(d) * min(min(Q[t, 0], Q[t, 2]) - Q[t, 1] for t in range(T_1 + 1)) / (3 * np.cosh(max(theta_gap) / 2))
    b = ETA * min(d) * min(Q[t, 2] - Q[t, 0] for t in range(T_2, T + 1)) / 3
    c = 2 * ETA * max(d) * max(Q[t, 1] - Q[t, 0] for t in range(T, 121))
    grown = lambda t: (1 + a * min(t, T_1)) * max(2, np.sqrt(1 + b * max(min(t, T) - T_2, 0)))
    left = np.array([grown(t) - c * max(t - T, 0) for t in steps])

    assert 0 < T_1 < T_2 < T < 100
    assert (left < 0).any()
    np.testing.assert_allclose(found.bound[:, 0], np.where(left > 0, 1 / left, np.inf)[1:], rtol=1e-9)


def test_an_escape_that_begins_before_the_order_does_is_not_promised():
    """Action 1 is the best at once, action 2 leads to a state that is still to be learned: T < T_2, and until T_2 action 2, the worst, falls faster than B allows."""
    q_0, q_1, m = 0.575, 0.593, 0.045
    P, r = np.zeros((2, 3, 2)), np.array([[0, 1.0, 0], [q_0, q_1, 0]])
    P[1, 2, 0] = 1
    found = hold(SLOW_CHAIN, Stack.of([MDP(P=P, r=r, mu=np.array([1 - m, m]), gamma=0.99)]), 300)

    assert found.constants["T"] < found.constants["T_2"]
    assert not found.certificate.holds[0]
    assert [name for name, so in found.assumptions.items() if not so[0]] == ["0 and 2 keep their order from T_2 or T on"]
