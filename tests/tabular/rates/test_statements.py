"""Bounds are the formulas of their statements, written out once more for one problem: the first of them are so loose that a wrong constant violates nothing."""

from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest

from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.models.bandit import Bandit
from pgtheory.tabular.models.classic import lock
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.rates.registry import THEOREMS
from pgtheory.tabular.rates.theorem import hold


def by_hand():
    """Constants of one process, from the list of its deterministic policies and from iterations of the soft equation."""
    rng, tau = np.random.default_rng(4), 0.2
    P, r, mu, gamma = rng.dirichlet(np.ones(2), size=(2, 3)), rng.random((2, 3)), np.array([0.3, 0.7]), 0.5
    rows = np.arange(2)
    solved = {a: np.linalg.solve(np.eye(2) - gamma * P[rows, a], r[rows, a]) for a in product(range(3), repeat=2)}
    a = max(solved, key=lambda a: mu @ solved[a])
    worst = lambda K: ((1 - gamma) * np.linalg.solve(np.eye(2) - gamma * K.T, mu) / mu).max()
    soft = np.zeros(2)
    for _ in range(200):
        Q = r + gamma * P @ soft
        soft = tau * np.log(np.exp(Q / tau).sum(axis=1))
    pi = np.exp((Q - soft[:, None]) / tau)
    uniform = np.linalg.solve(np.eye(2) - gamma * P.mean(axis=1), r.mean(axis=1))
    same = np.linalg.solve(np.eye(2) - gamma * P.mean(axis=1), r.mean(axis=1) + tau * np.log(3))
    A = r + gamma * P @ uniform - uniform[:, None]
    return SimpleNamespace(
        model=MDP(P=P, r=r, mu=mu, gamma=gamma), mu=mu, worst=worst(P[rows, a]), V=abs(solved[a] - uniform).max(), gap=mu @ (solved[a] - uniform),
        soft_gap=mu @ (soft - same),
        soft_worst=worst(np.einsum("sa,sat->st", pi, P)), log_pi=abs(np.log(3 * pi)).max(), Q=gamma * abs(P @ (soft - same)).max(),
        log_Z=mu @ np.log(np.exp(A / (1 - gamma)).mean(axis=1)),
    )  # fmt: skip


ONE = by_hand()
LOG3, TAU = np.log(3), 0.2
RATE = 0.5**4 / (8 / TAU + 4 + 8 * LOG3) * 0.3 / ONE.soft_worst
TH = ONE.worst / 0.5
C_SOFT = ONE.Q + TAU * ONE.log_pi

FORMULAS = {
    "softmax-bandit": (Bandit(r=[0.9, 0.5, 0.2]), lambda t, least: 5 / (least["pi_best"] ** 2 * t)),
    "softmax": (ONE.model, lambda t, least: 16 * 2 * ONE.worst**2 / (least["pi_best"] ** 2 * 0.5**5 * t)),
    "softmax-entropy": (ONE.model, lambda t, least: ONE.soft_gap * np.exp(-RATE * least["pi_least"][-1] ** 2 * t)),
    "lock-plateau": (lock(8), lambda t, least: 1 / (256 - 16 * t)),
    "natural": (ONE.model, lambda t, least: (LOG3 + 4) / t),
    "mirror": (ONE.model, lambda t, least: (2 * LOG3 + 4) / (t + 1)),
    "mirror-euclidean": (ONE.model, lambda t, least: (2 / 3 + 4) / (t + 1)),
    "mirror-growing": (ONE.model, lambda t, least: (1 - 1 / TH) ** t * (ONE.gap + 2 * LOG3 / (TH - 1))),
    "natural-entropy": (ONE.model, lambda t, least: C_SOFT * 0.5 * 0.75 ** (t - 1)),
    "policy-iteration": (ONE.model, lambda t, least: 0.5**t * ONE.V),
    "projected": (ONE.model, lambda t, least: 8 * np.sqrt(0.5 * 6 / t) * ONE.worst / 0.125),
    "normalised": (ONE.model, lambda t, least: 2 * 64 * 100 / (t + 2)),
    "polyak-bandit": (Bandit(r=[0.9, 0.5]), lambda t, least: 0.4 * np.exp(-t)),
    "committal": (Bandit(r=[0.9, 0.5]), lambda t, least: np.full(len(t), np.exp(-1 / (1 - np.exp(-0.75))))),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_bound_is_the_formula_of_the_statement(name):
    model, formula = FORMULAS[name]
    found = hold(THEOREMS[name], Stack.of([model]), 8)

    use = np.isin(found.run.t, found.t)
    least = {what: np.minimum.accumulate(values[:, 0])[use] for what, values in found.run.watched.items()}
    np.testing.assert_allclose(found.bound[:, 0], formula(found.t.astype(float), least), rtol=1e-10)


def test_bounds_on_a_step_are_the_formulas_of_the_statements():
    """The first step of each, from the tables of the uniform policy and of the one after it."""
    found = hold(THEOREMS["trust-region"], Stack.of([ONE.model]), 1)
    (pi, then), (A, _), (d, _) = (found.run.watched[what][:, 0] for what in ("pi", "advantage", "d"))
    alpha = abs(then - pi).sum(axis=1).max() / 2
    assert found.bound[0, 0] == pytest.approx(d @ (then * A).sum(axis=1) - 4 * 0.5 * abs(A).max() * alpha**2 / 0.25, rel=1e-10)

    found = hold(THEOREMS["natural-improves"], Stack.of([ONE.model]), 1)
    assert found.bound[0, 0] == pytest.approx(0.5 * ONE.log_Z, rel=1e-10)


def test_lower_bound_starts_where_the_gap_is_small_enough():
    """t0 is the first step with gap <= Delta^2 / 18; before it nothing is said."""
    found = hold(THEOREMS["softmax-bandit-lower"], Stack.of([Bandit(r=[0.9, 0.4, 0.2])]), 400)
    gap, t = found.run.gap[:, 0], found.run.t
    t0 = int(np.flatnonzero(gap <= 0.25 / 18)[0])
    expected = np.where(t >= t0, 1 / (1 / gap[t0] + 6 * (t - t0) / 0.25), 0.0)[t >= 1]
    assert 1 < t0 < 400
    np.testing.assert_allclose(found.bound[:, 0], expected, rtol=1e-10)
