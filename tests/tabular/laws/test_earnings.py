"""What a row earns before and after each step: against the sum over all trajectories; and whether the bounds of its rounding hold."""

from dataclasses import replace

import numpy as np
import pytest

from pgtheory.tabular.laws.earnings import Earnings, Past, UntilTheEnd, weight_error
from pgtheory.tabular.laws.transitions import Rewards
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.sampling.paths import enumerate_paths

T, GAMMA, X0, B = 4, 0.75, np.array([0.5, -1.0]), np.array([0.25, 2.0])
RNG = np.random.default_rng(7)
PI = RNG.dirichlet(np.ones(2), size=2)
MODEL = MDP(P=0.5 * RNG.dirichlet(np.ones(2), size=(2, 2)), r=RNG.normal(size=(2, 2, 2)), r_end=RNG.normal(size=(2, 2)), mu=[0.25, 0.75])
EARNINGS = Earnings(rewards=Rewards(MODEL), actions=PI, gamma=GAMMA)
START = MODEL.mu * np.array([np.ones(2), X0, X0**2 + 1.0])
"""X_0 has the mean X0(s_0) and the variance one."""


def by_hand(t, i, s, a=None):
    """(E[X_t^i; s_t = s], E[R_t^i | s_t = s, a_t = a]) over all trajectories of T steps."""
    paths = enumerate_paths(replace(MODEL, horizon=T), horizon=T)
    p, w = paths.probability(Direct(PI)), GAMMA ** np.arange(T)
    past = (paths.reward * w)[:, :t].sum(axis=1) + X0[paths.start]
    at = (paths.state[:, t] == s) & paths.mask[:, t]
    before = (p * at * (past**i + (i == 2))).sum()
    taken = at & (paths.action[:, t] == a)
    future = (paths.reward[:, t:] * w[: T - t]).sum(axis=1)
    return before, (p * taken * future**i).sum() / (p * taken).sum() if a is not None else None


@pytest.mark.parametrize("t", range(T))
@pytest.mark.parametrize("i", range(3))
def test_moments_before_and_after_a_step(t, i):
    F, R = EARNINGS.pasts(START, T)[t], [np.ones(2), np.zeros(2), np.zeros(2)]
    for _ in range(T - t):
        q = EARNINGS.returns(R)
        R = EARNINGS.averaged(q)
    for s in range(2):
        np.testing.assert_allclose(F[i][s], by_hand(t, i, s)[0], rtol=0, atol=1e-14)
        for a in range(2):
            np.testing.assert_allclose(q[i][s, a], by_hand(t, i, s, a)[1], rtol=0, atol=1e-13)


@pytest.mark.parametrize("gamma", [0.0, 0.75, 1.0])
def test_sums_without_a_horizon_are_those_of_many_steps(gamma):
    """Each step ends the episode with probability 1/2: after 60, nothing is left."""
    earnings = replace(EARNINGS, gamma=gamma)
    long = [Past.at(F, gamma**t) for t, F in enumerate(earnings.pasts(START, 60))]
    for found, expected in zip(UntilTheEnd(earnings).past(START), map(sum, zip(*long, strict=True)), strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)
    R = [np.ones(2), np.zeros(2), np.zeros(2)]
    for _ in range(60):
        R = earnings.averaged(earnings.returns(R))
    np.testing.assert_allclose(UntilTheEnd(earnings).returns, R, rtol=0, atol=1e-14)


def weight_of(past, q):
    return (past.F1 - B * past.F0)[:, None] + past.wF0[:, None] * q[1]


def test_bound_of_the_rounding_with_a_horizon():
    """Rewards in units of 1/3, summed in both directions in long double: the float64 result is off by less than the bound, and that by no more than it must be."""
    horizon = 300
    exact, rounded = (_weights_in(kind, horizon) for kind in (np.longdouble, np.float64))
    bound = weight_error(EARNINGS, START, horizon, B, 0.0)
    assert (abs(exact - rounded) <= bound).all()
    assert (abs(exact - rounded) > 0).any()
    assert (bound < 1e-10).all()


def _weights_in(kind, horizon):
    """sum_t E[R - b] in another arithmetic, by the recursion written out for two dense states."""
    P, r = (np.asarray(x, dtype=kind) for x in (MODEL.P, MODEL.r))
    pi, ends, r_end, gamma = (np.asarray(x, dtype=kind) for x in (PI, MODEL.ends, MODEL.r_end, GAMMA))
    F, before = START[:2].astype(kind), []
    for t in range(horizon):
        before.append((F, gamma**t))
        step = lambda x, table: np.array([sum(x[s] * pi[s, a] * table[s, a, u] for s in range(2) for a in range(2)) for u in range(2)])
        F = np.array([step(F[0], P), step(F[1], P) + gamma**t * step(F[0], P * r)])
    R, total = np.zeros(2, dtype=kind), np.zeros((2, 2), dtype=kind)
    for F, w in reversed(before):
        q = (P * r).sum(axis=2) + ends * r_end + gamma * (P * R).sum(axis=2)
        total += (F[1] - B * F[0])[:, None] + w * F[0][:, None] * q
        R = (pi * q).sum(axis=1)
    return total


@pytest.mark.parametrize("spoiled", ["past", "returns"])
def test_bound_without_a_horizon_sees_a_wrong_solve(monkeypatch, spoiled):
    """The bound rests on residuals: a solve that is off by 1e-6 is not believed."""
    ending = UntilTheEnd(EARNINGS)
    right = weight_of(ending.past(START), EARNINGS.returns([np.ones(2), ending.returns[1]]))
    assert ending.weight_error(START, B, 8.0).max() < 1e-12
    wrong = UntilTheEnd(EARNINGS)
    if spoiled == "past":
        past = wrong.past(START)
        monkeypatch.setattr(UntilTheEnd, "past", lambda self, start: past._replace(F1=past.F1 + 1e-6, wF0=past.wF0 - 1e-6))
    else:
        monkeypatch.setattr(UntilTheEnd, "returns", [np.ones(2), ending.returns[1] + 1e-6, ending.returns[2]])
    off = weight_of(wrong.past(START), EARNINGS.returns([np.ones(2), wrong.returns[1]]))
    assert (abs(off - right) <= wrong.weight_error(START, B, 8.0)).all()
    assert abs(off - right).max() > 1e-7
