"""Laws of the GAE family with a horizon: against enumeration of every data set, rational arithmetic, and what theory says of the mean and the variance."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from pgtheory.tabular.estimators.gae import GAE
from pgtheory.tabular.estimators.lengths import EveryToken, PerConstant
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.estimators.ratios import TokenRatio
from pgtheory.tabular.estimators.reinforce import RewardToGo
from pgtheory.tabular.laws.columns import columns_of
from pgtheory.tabular.laws.differences import differences_law, finite_moments
from pgtheory.tabular.laws.enumeration import Enumeration
from pgtheory.tabular.laws.forms import form_of
from pgtheory.tabular.laws.transitions import Rewards
from pgtheory.tabular.models.mdp import MDP, Outcomes
from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.policies.log_linear import LogLinear, tied
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.episodes import OffPolicy, OnPolicy
from pgtheory.tabular.sampling.groups import Groups
from pgtheory.tabular.scene import Scene

TERMINATED, CUT = "terminated", "cut"


@dataclass(frozen=True, eq=False)
class Given:
    """A table as values of states."""

    table: np.ndarray

    def __call__(self, scene):
        return self.table


@dataclass(frozen=True, eq=False)
class Instance:
    """An estimator, a sampling law and a scene whose data sets are few."""

    estimator: PolicyGradient
    sampling: object
    scene: Scene


def model(rng, *, S, A, gamma, horizon, reward, ending, thin, prompts=False):
    """A random model; each pair has at most two next states. reward: "pair", "transition" or "outcomes"."""
    P = np.zeros((S, A, S))
    for s in range(S):
        for a in range(A):
            following = rng.choice(S, size=min(2, S), replace=False)
            P[s, a, following] = rng.dirichlet(np.ones(len(following)))
            if ending and rng.random() < 0.5:
                P[s, a] *= rng.choice([0.0, 0.6])
    if thin and reward != "transition":
        P = sp.csr_array(P.reshape(S * A, S))
    mu = np.zeros(S)
    start = rng.choice(S, size=min(2, S), replace=False)
    mu[start] = 1 / len(start) if prompts else rng.dirichlet(np.ones(len(start)))
    fields = {"P": P, "mu": mu, "gamma": gamma, "horizon": horizon}
    if reward == "outcomes":
        return MDP(**fields, outcomes=Outcomes(values=rng.normal(size=2), chance=rng.dirichlet(np.ones(2), size=(S, A))))
    if reward == "pair":
        return MDP(**fields, r=rng.normal(size=(S, A)))
    r, r_end = rng.normal(size=(S, A, S)), rng.normal(size=(S, A))
    if thin:
        fields["P"], r = sp.csr_array(P.reshape(S * A, S)), sp.csr_array(r.reshape(S * A, S))
    return MDP(**fields, r=r, r_end=r_end)


def policy(rng, kind, S, A):
    """One of every parametrisation, more or fewer parameters than pairs."""
    if kind == "direct":
        return Direct(rng.dirichlet(np.ones(A), size=S))
    if kind == "tied":
        return tied(rng.normal(size=(1, A)), rows=[0] * S)
    if kind == "log-linear":
        D = int(rng.integers(1, 2 * S * A))
        return LogLinear(rng.normal(size=D), rng.normal(size=(S, A, D)))
    return Softmax(rng.normal(size=(S, A)))


@st.composite
def instances(draw, horizons=(TERMINATED, CUT)):
    """Every combination is drawn by name, the numbers from a seed."""
    pick = lambda *values: draw(st.sampled_from(values))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    S, A, T, rows = pick(2, 1, 3), pick(2, 1, 3), pick(2, 1, 3), pick(1, 2)
    groups, stop = pick(False, True), pick(*horizons)
    if rows > 1 or groups:
        S, A, T = min(S, 2), min(A, 2), min(T, 2)
    if groups:
        stop = TERMINATED
    reward = pick("pair", "transition", "outcomes")
    mdp = model(
        rng, S=S, A=A, gamma=pick(0.9, 0.5, 0.0, 1.0), horizon=T if stop == TERMINATED else pick(None, T + 1),
        reward=reward if T < 3 and not (groups and rows > 1) else "pair", ending=pick(False, True), thin=pick(False, True), prompts=True,
    )  # fmt: skip
    off = pick(False, True)
    current = policy(rng, pick("softmax", "direct", "tied", "log-linear"), S, A)
    sampler = Softmax(rng.normal(size=(S, A))) if off else None
    critic = Given(rng.normal(size=S) if pick(True, False) else rng.normal(size=(T + int(rng.integers(2)), S)))
    advantage = pick(
        GAE(lambda_=pick(0.7, 0.0, 1.0), critic=critic, step_discount=pick(True, False)), RewardToGo(baseline=critic, step_discount=pick(True, False))
    )
    estimator = PolicyGradient(
        advantage=advantage, ratio=TokenRatio() if off and pick(True, False) else None, length=pick(EveryToken(), PerConstant(3))
    )
    cut = T if stop == CUT else pick(None, T, T + 1)
    episodes = OffPolicy(rows, horizon=cut) if off else OnPolicy(rows, horizon=cut)
    sampling = Groups(rows, prompts=pick(None, 1)) if groups else episodes
    scene = Scene.of(mdp, current, sampler=sampler)
    assume(sampling.count(scene) <= 5000)
    return Instance(estimator, sampling, scene)


LAW_ROUNDING = 1e-12
"""Relative to the largest second moment: sums of a few hundred products of numbers of order one, at 1e-16 each."""


@settings(max_examples=200)
@given(instances())
def test_mean_and_covariance_are_those_of_all_data_sets(instance):
    """Whatever the estimator, critic, policy, sampler, reward and end of the episode; the bound of the mean holds."""
    expected = Enumeration().run(instance.estimator, instance.sampling, instance.scene)
    found = differences_law(form_of(instance.estimator, instance.sampling, instance.scene), instance.scene)
    scale = max(1, abs(expected.covariance).max(), (expected.mean**2).max())
    assert_allclose(found.mean, expected.mean, rtol=0, atol=LAW_ROUNDING * scale)
    assert_allclose(found.covariance, expected.covariance, rtol=0, atol=LAW_ROUNDING * scale)
    assert (abs(found.mean - expected.mean) <= found.rounding + expected.rounding).all()
    assert (found.count, found.undefined, found.exact, found.confidence) == (0, 0, True, 1)


@pytest.mark.parametrize("horizon", [3, None])
def test_sparse_and_dense_models_have_one_law_and_one_bound(horizon):
    """All states lead to one, whose column is as long as its row is short: a step forwards sums a column."""
    S, rng = 40, np.random.default_rng(0)
    P = np.zeros((S, 2, S))
    P[:, 0, 0], P[:, 1, 1] = 1, 1
    P[0] = P[1] = rng.dirichlet(np.ones(S))
    r, mu = rng.normal(size=(S, 2)), np.full(S, 1 / S)
    laws = []
    for kernel in (P, sp.csr_array(P.reshape(2 * S, S))):
        scene = Scene.of(MDP(P=kernel, r=r, mu=mu, gamma=0.9), Softmax(np.zeros((S, 2))), critic=np.ones(S))
        laws.append(differences_law(form_of(PolicyGradient(advantage=GAE(lambda_=0.7)), OnPolicy(horizon=horizon), scene), scene))
    dense, sparse = laws
    assert_allclose(sparse.covariance, dense.covariance, rtol=0, atol=LAW_ROUNDING)
    assert_allclose(sparse.rounding, dense.rounding, rtol=1e-6)


def test_bound_of_the_mean_is_reached_within_a_factor_of_two():
    """Every sum loses every term but its first: each adds half a unit in the last place of the sum so far, a tie that rounds down to the even neighbour.

    State k leads to k + 1 with probability 1/2, the last of them earns 1 and ends: the value of state k is 2^-(T-1-k), computed without error. It also leads to
    each of n states that earn `little`, with a probability that makes a share of 2^-53 of this value. So T - 1 steps back lose n u each, in the same direction.
    """
    T, n, little = 8, 200, 2.0**-20
    value = 2.0 ** -np.arange(T - 1, -1, -1)
    row, column = np.repeat(np.arange(T - 1), n), np.tile(np.arange(T, T + n), T - 1)
    P = sp.csr_array(
        (
            np.concatenate([np.full(T - 1, 0.5), value[row] * 2.0**-53 / little]),
            (np.concatenate([np.arange(T - 1), row]), np.concatenate([np.arange(1, T), column])),
        ),
        shape=(T + n, T + n),
    )
    r = np.concatenate([np.zeros(T - 1), [1.0], np.full(n, little)])[:, None]
    scene = Scene.of(MDP(P=P, r=r, mu=np.eye(T + n)[0], gamma=1.0, horizon=T), Softmax(np.zeros((T + n, 1))))
    form = form_of(PolicyGradient(advantage=RewardToGo()), OnPolicy(), scene)
    true = Fraction(1)
    for k in reversed(range(T - 1)):
        true = true / 2 + n * Fraction(float(value[k])) / 2**53

    found = finite_moments(form, Rewards(scene.mdp), columns_of(form, scene.policy()))

    error = abs(Fraction(float(found.weight[0, 0])) - true)
    assert found.error[0, 0] / 2 < error <= found.error[0, 0]
