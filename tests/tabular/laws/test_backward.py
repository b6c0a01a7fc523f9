"""The recursion itself: compiled and scipy forms agree, and what it carries is what theory says of advantages (P015 C1, C3, C5)."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose

from pgtheory.tabular.estimators.gae import GAE
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.laws import differences
from pgtheory.tabular.laws.backward import steps_back
from pgtheory.tabular.laws.compiled import available, step_back
from pgtheory.tabular.laws.differences import differences_law
from pgtheory.tabular.laws.forms import form_of
from pgtheory.tabular.laws.transitions import Rewards
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.policies.log_linear import LogLinear
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.episodes import OnPolicy
from pgtheory.tabular.scene import Scene
from pgtheory.tabular.solve.evaluation import evaluate

S, A, LONG = 4, 3, 400
RNG = np.random.default_rng(8)


def scene(seed=0, gamma=0.8, by_transition=True, thin=False, policy=None, ending=1.0):
    rng = np.random.default_rng(seed)
    P = ending * rng.dirichlet(np.ones(S), size=(S, A))
    if thin:
        P *= rng.random(P.shape) < 0.5
    r = rng.normal(size=P.shape if by_transition else (S, A))
    if thin:
        P, r = sp.csr_array(P.reshape(S * A, S)), sp.csr_array(r.reshape(S * A, S)) if by_transition else r
    mdp = MDP(P=P, r=r, mu=rng.dirichlet(np.ones(S)), gamma=gamma)
    return Scene.of(mdp, policy or Softmax(rng.normal(size=(S, A))), critic=rng.normal(size=S))


def form(lambda_, at, horizon=LONG):
    return form_of(PolicyGradient(advantage=GAE(lambda_=lambda_)), OnPolicy(horizon=horizon), at)


def moments(lambda_, at):
    """(E[A_0|s,a], Var[A_0|s]) of a row of LONG steps, after which 0.8^LONG = 1e-39 is left."""
    f = form(lambda_, at)
    first = list(steps_back(f, Rewards(at.mdp)))[-1]
    pi = f.actions
    return first.Q1, (pi * first.Q2).sum(axis=1) - (pi * first.Q1).sum(axis=1) ** 2


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("lambda_", [0, 0.6, 1])
def test_the_error_of_a_critic_biases_the_advantage_by_its_formula_and_within_its_span(lambda_, seed):
    """P015 C1: E[A|s,a] - A_pi = -e(s) + gamma (1 - lambda) P M e with e = V - V_pi, M = (I - gamma lambda P_pi)^-1; C3: the second term varies over the actions by at most
    gamma (1 - lambda) / (1 - gamma lambda) span(e), and not by half of it: the bound is not idle."""
    at = scene(seed)
    mdp, exact = at.mdp, evaluate(at.mdp, at.policy())
    e = at.point["critic"] - exact.V
    kernel = np.einsum("sa,sat->st", at.policy().probabilities, mdp.P)
    b = 0.8 * (1 - lambda_) * mdp.P @ np.linalg.solve(np.eye(S) - 0.8 * lambda_ * kernel, e)
    assert_allclose(moments(lambda_, at)[0] - exact.advantage, b - e[:, None], atol=1e-13)
    spread = abs(b - (at.policy().probabilities * b).sum(axis=1, keepdims=True)).max()
    assert spread <= 0.8 * (1 - lambda_) / (1 - 0.8 * lambda_) * np.ptp(e) + 1e-14


def test_the_span_bound_is_reached():
    """One action leads where e is largest, the other, hardly ever taken, where it is smallest; both stay there."""
    P = np.zeros((2, 2, 2))
    P[0, 0, 0] = P[0, 1, 1] = P[1, :, 1] = 1
    mdp = MDP(P=P, r=np.zeros((2, 2)), mu=[1, 0], gamma=0.8)
    at = Scene.of(mdp, Softmax.of([[1 - 1e-9, 1e-9], [0.5, 0.5]]), critic=np.array([1.0, 0.0]))
    Q1 = moments(0.5, at)[0]
    assert Q1[0, 0] - Q1[0, 1] == pytest.approx(0.8 * 0.5 / (1 - 0.8 * 0.5), abs=1e-7)


@pytest.mark.parametrize("seed", range(3))
def test_with_the_exact_critic_variances_of_differences_add_and_grow_with_lambda(seed):
    """P015 C5: Var[A|s] = ((I - kappa^2 P_pi)^-1 E[delta^2])(s), for the differences are martingale increments."""
    at = scene(seed)
    V, pi, mdp = evaluate(at.mdp, at.policy()).V, at.policy().probabilities, at.mdp
    at = at.at(critic=V)
    delta = mdp.r + 0.8 * V - V[:, None, None]
    m2, kernel = np.einsum("sa,sat,sat->s", pi, mdp.P, delta**2), np.einsum("sa,sat->st", pi, mdp.P)
    before = np.zeros(S)
    for lambda_ in (0, 0.3, 0.7, 1):
        found = moments(lambda_, at)[1]
        assert_allclose(found, np.linalg.solve(np.eye(S) - (0.8 * lambda_) ** 2 * kernel, m2), rtol=1e-12)
        assert (found >= before).all()
        before = found


def test_with_a_wrong_critic_neither_holds():
    """Differences are correlated: a critic that is twice too small leaves V(s') to be cancelled by what follows, so that a larger lambda may have less variance."""
    P = np.zeros((3, 1, 3))
    P[0, 0, 1:], P[1, 0, 1], P[2, 0, 2] = 0.5, 1, 1
    at = Scene.of(MDP(P=P, r=np.zeros((3, 1)), mu=[1, 0, 0], gamma=0.8), Softmax(np.zeros((3, 1))), critic=np.array([0.0, 1.0, -1.0]))
    assert moments(0, at)[1][0] == pytest.approx(0.64)
    assert moments(1, at)[1][0] == pytest.approx(0, abs=1e-14)


POLICIES = {"softmax": None, "features": LogLinear(RNG.normal(size=2), RNG.normal(size=(S, A, 2)))}


@pytest.mark.skipif(not available(), reason="numba is not installed")
@pytest.mark.parametrize("timed", [False, True])
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("by_transition", [False, True])
def test_the_compiled_loop_gives_the_law_of_scipy(by_transition, policy, timed, monkeypatch):
    """Rewards of pairs and of transitions, own and shared parameters, critics of the step; rows of 0 to 4 entries."""
    at = scene(1, by_transition=by_transition, thin=True, policy=POLICIES[policy])
    f = form(0.9, at, horizon=7)
    if timed:
        f = replace(f, values=RNG.normal(size=(7, S)))
    plain = differences_law(f, at)
    monkeypatch.setattr(differences, "WORTH_COMPILING", 0)
    monkeypatch.setattr(differences, "CACHE", 8)
    fast = differences_law(f, at)
    assert_allclose(fast.covariance, plain.covariance, rtol=0, atol=1e-14 * max(1, abs(plain.covariance).max()))
    assert_allclose(fast.mean, plain.mean, rtol=0, atol=1e-14)


@pytest.mark.parametrize("by_transition", [False, True])
def test_the_loop_that_is_compiled_is_right_as_it_stands(by_transition):
    """Without numba: against dense matrices."""
    at = scene(2, by_transition=by_transition, thin=True)
    rewards, rng, k = Rewards(at.mdp), np.random.default_rng(0), 3
    table, into, out = rng.normal(size=(S, 2 * k)), np.ones((S * A, k)), np.full((S, 2 * k), np.nan)
    after, before, weight, average = rng.normal(size=S), rng.normal(size=S), rng.random((S, A)), rng.random((S, A))
    P = rewards.P
    step_back(P.indptr, P.indices, P.data, rewards.moments[0], after, before, 0.7, table, weight, average, into, out)
    x = rewards.transitions(after, before, 1.0)
    U = x.first.toarray() @ table[:, :k] + 0.7 * P.toarray() @ table[:, k:]
    assert_allclose(into, 1 + weight.reshape(-1, 1) * U, atol=1e-14)
    assert_allclose(out, np.einsum("sa,sac->sc", average, np.hstack([P.toarray() @ table[:, :k], U]).reshape(S, A, -1)), atol=1e-14)
