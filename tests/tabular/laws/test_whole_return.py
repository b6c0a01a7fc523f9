"""Law of the whole return: against the sum over all trajectories, closed forms of coin flips, and the long recursion for rows without a horizon."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from pgtheory import strategies as some
from pgtheory.tabular.errors import InvalidPolicy, NonTerminating
from pgtheory.tabular.estimators.baselines import ExactValue
from pgtheory.tabular.estimators.groups import Reward
from pgtheory.tabular.estimators.lengths import PerConstant
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.estimators.ratios import TokenRatio
from pgtheory.tabular.estimators.registry import builtin
from pgtheory.tabular.estimators.reinforce import WholeReturn
from pgtheory.tabular.laws.columns import Own
from pgtheory.tabular.laws.compiled import available, compiled_products_back, products_back
from pgtheory.tabular.laws.enumeration import Enumeration
from pgtheory.tabular.laws.forms import form_of
from pgtheory.tabular.laws.law import law
from pgtheory.tabular.laws.whole_return import whole_return_law
from pgtheory.tabular.models.large import sparse_garnet
from pgtheory.tabular.models.mdp import MDP, Outcomes
from pgtheory.tabular.models.problems import problem
from pgtheory.tabular.models.stopping import with_stopping
from pgtheory.tabular.models.token_tree import TokenTree
from pgtheory.tabular.objectives.returns import return_gradient
from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.policies.log_linear import LogLinear, tied
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.episodes import OffPolicy, OnPolicy
from pgtheory.tabular.sampling.groups import Groups
from pgtheory.tabular.scene import Scene

ROUNDING = 1e-12
"""Relative to the second moments: some hundred roundings of size 2^-53 on either side."""


@dataclass(frozen=True)
class Given:
    """A baseline that is given as a table."""

    table: np.ndarray

    def __call__(self, scene):
        return self.table


def whole(baseline=0.0, **parts):
    return PolicyGradient(advantage=WholeReturn(baseline=Given(np.asarray(baseline))), **parts)


def programmed(estimator, sampling, scene):
    return law(estimator, sampling, scene, method="dynamic-programming")


CANCELLED = 1e-14
"""Scores of log-linear policies are differences of features of size 3, whose own rounding no bound counts."""


def assert_same(found, expected, *, bound=1e-11):
    """Means and covariances agree up to rounding of the second moments, the means within what both claim of themselves; and `bound` holds what is claimed."""
    size = 1 + np.sqrt(abs(np.diag(expected.covariance)) + expected.mean**2)
    assert (abs(found.mean - expected.mean) <= found.rounding + expected.rounding + CANCELLED).all()
    assert (found.rounding <= bound * size).all()
    assert (abs(found.covariance - expected.covariance) <= ROUNDING * np.outer(size, size)).all()


# Against the sum over all trajectories

REWARDS = ["pair", "transition", "outcomes"]


@st.composite
def scenes(draw, horizon=None):
    """Models with ends of their own, rewards of every form, policies of every parametrisation, and data of another policy."""
    S, A = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    row = st.tuples(*[st.integers(0, 4)] * S, st.integers(1, 4))
    P = np.array([[w[:-1] / np.sum(w) for w in draw(st.tuples(*[row] * A))] for _ in range(S)])
    number = st.sampled_from([-2.0, -0.5, 0.0, 0.25, 1.0, 3.0])
    table = lambda *shape: np.reshape(draw(st.lists(number, min_size=int(np.prod(shape)), max_size=int(np.prod(shape)))), shape)
    sparse, kind = draw(st.booleans()), draw(st.sampled_from(REWARDS))
    wide = lambda x: sp.csr_array(x.reshape(S * A, S)) if sparse else x
    parts = {
        "pair": lambda: {"r": table(S, A)},
        "transition": lambda: {"r": wide(table(S, A, S)), "r_end": table(S, A)},
        "outcomes": lambda: {
            "outcomes": Outcomes(values=[-1.0, 2.0], chance=np.reshape([draw(some.distributions(2)) for _ in range(S * A)], (S, A, 2)).astype(float))
        },
    }[kind]()
    gamma = draw(st.sampled_from([1.0, 0.5, 0.0]))
    model = MDP(
        P=wide(P), mu=np.array(draw(some.distributions(S)), dtype=float), gamma=gamma, horizon=None if horizon is None else draw(horizon), **parts
    )
    probabilities = lambda: np.array([draw(some.distributions(A)) for _ in range(S)], dtype=float)
    policies = {
        "softmax": lambda: Softmax(np.log(probabilities())),
        "direct": lambda: Direct(probabilities()),
        "log-linear": lambda: LogLinear(table(2), table(S, A, 2)),
        "wide log-linear": lambda: LogLinear(table(S * A + 1), table(S, A, S * A + 1)),
    }
    policy = policies[draw(st.sampled_from(sorted(policies)))]()
    return Scene.of(model, policy, sampler=Direct(probabilities()) if draw(st.booleans()) else None)


def tables_of(draw, S, T):
    """No baseline, a constant one, one a state, one a state and step."""
    shape = draw(st.sampled_from([None, (), (S,), (T, S)]))
    values = np.linspace(-1, 2, T * S).reshape(T, S) ** 2
    return np.zeros(S) if shape is None else np.full(S, 0.7) if shape == () else values[0] if shape == (S,) else values


@settings(max_examples=60)
@given(scene=scenes(), T=st.integers(1, 3), episodes=st.integers(1, 2), off=st.booleans(), data=st.data())
def test_law_is_the_sum_over_all_trajectories(scene, T, episodes, off, data):
    estimator = whole(tables_of(data.draw, scene.mdp.S, T))
    one = (OffPolicy if off else OnPolicy)(1, horizon=T)
    found, expected = programmed(estimator, one, scene), Enumeration().run(estimator, one, scene)
    assert_same(found, expected)
    several = programmed(estimator, replace(one, episodes=episodes), scene)
    np.testing.assert_allclose(several.covariance * episodes, found.covariance, atol=1e-15)
    assert found.method == "dynamic-programming"


@settings(max_examples=25)
@given(scene=scenes(horizon=st.integers(1, 3)), data=st.data(), cut=st.sampled_from([None, 2, 5]))
def test_horizon_of_the_model_and_of_the_sampling(scene, data, cut):
    """The shorter one holds; whether it ends or cuts the row is the same to a return without bootstrapping."""
    estimator = whole(tables_of(data.draw, scene.mdp.S, scene.mdp.horizon))
    sampling = OffPolicy(1, horizon=cut)
    assert_same(programmed(estimator, sampling, scene), Enumeration().run(estimator, sampling, scene))


@pytest.mark.parametrize("ratio", [False, True])
@pytest.mark.parametrize("sampling", [OnPolicy(2), Groups(2), Groups(1, prompts=2), Groups(2, prompts=1)])
def test_rows_that_share_their_start_are_not_independent(sampling, ratio):
    """The undiscounted rewards of groups, in a discounted model; importance ratios; lengths that are constant."""
    tree = TokenTree(vocabulary=2, limit=2, prompts=2, reward=lambda x, tokens: 1.0 + x - 2.0 * tokens[0] * len(tokens))
    rng = np.random.default_rng(5)
    scene = Scene.of(replace(tree.mdp, gamma=0.5), Softmax(rng.normal(size=(4, 2))), sampler=Softmax(rng.normal(size=(4, 2))))
    for advantage in (Reward(), WholeReturn(), WholeReturn(baseline=Given(np.full(4, 0.3))), WholeReturn(baseline=Given(np.arange(4.0)))):
        estimator = PolicyGradient(advantage=advantage, ratio=TokenRatio() if ratio else None, length=PerConstant(3))
        assert_same(programmed(estimator, sampling, scene), Enumeration().run(estimator, sampling, scene))


@pytest.mark.parametrize("name", ["reinforce", "reinforce/constant-baseline", "reinforce/value-baseline"])
def test_built_in_estimators_are_programmed(name):
    scene = Scene.of(problem("loop/T=3"), Softmax(np.array([[0.5, -1.0], [2.0, 0.0]])))
    assert_same(programmed(builtin(name), OnPolicy(1), scene), Enumeration().run(builtin(name), OnPolicy(1), scene))


# Closed forms


def coin(T=None, end=0.0, gamma=1.0):
    """A fair coin that pays for heads, tossed T times or until it is lost; its two sides share no other state."""
    return Scene.of(MDP(P=np.full((1, 2, 1), 1 - end), r=[[0.0, 1.0]], mu=[1.0], gamma=gamma, horizon=T), Softmax(np.zeros((1, 2))))


@pytest.mark.parametrize("T", [1, 2, 7, 300])
def test_variance_of_a_fair_coin(T):
    """g = X (X + T/2) with X the number of heads less T/2: E X^2 = T/4, E X^3 = 0, E X^4 = (3 T^2 - 2 T)/16. The baseline T/2 leaves g = X^2."""
    found = programmed(whole(np.zeros(1)), OnPolicy(1), coin(T)).covariance
    np.testing.assert_allclose(found[1, 1], (T**3 + 2 * T**2 - 2 * T) / 16, rtol=ROUNDING)
    np.testing.assert_allclose(found, found[1, 1] * np.array([[1, -1], [-1, 1]]), rtol=ROUNDING)
    centred = programmed(whole(np.full(1, T / 2)), OnPolicy(1), coin(T)).covariance
    np.testing.assert_allclose(centred[1, 1], (T**2 - T) / 8, rtol=ROUNDING, atol=ROUNDING)


@pytest.mark.parametrize("end", [1.0, 0.5, 0.01])
def test_variance_of_a_coin_that_is_lost(end):
    """The same given the length L, and the moments of the geometric law: no horizon, linear systems of size one."""
    L, L2, L3 = 1 / end, (2 - end) / end**2, (end**2 - 6 * end + 6) / end**3
    law = programmed(whole(np.zeros(1)), OnPolicy(1), coin(end=end))
    np.testing.assert_allclose(law.mean, [-L / 4, L / 4], rtol=ROUNDING)
    np.testing.assert_allclose(law.covariance[0, 0], (L3 + 2 * L2 - 2 * L) / 16 + (L2 - L * L) / 16, rtol=ROUNDING)


# Rows without a horizon


@settings(max_examples=15)
@given(scene=scenes(), varies=st.booleans(), off=st.booleans())
def test_systems_are_the_limit_of_the_recursion(scene, varies, off):
    """Each step ends the episode with probability 1/2 at least, in addition to what it did before: 2^-60 times the square of the length is below rounding."""
    scene = replace(scene, model=replace(scene.mdp, P=0.5 * scene.mdp.P))
    b = np.linspace(-1, 2, scene.mdp.S) if varies else np.full(scene.mdp.S, 0.5)
    sampling = (OffPolicy if off else OnPolicy)(1)
    assert_same(programmed(whole(b), sampling, scene), programmed(whole(b), replace(sampling, horizon=60), scene), bound=1e-10)


@pytest.mark.parametrize("gamma", [0.0, 0.6, 1.0])
def test_token_trees_need_no_horizon(gamma):
    """Every episode ends within the limit: systems against the enumeration of all completions."""
    tree = TokenTree(
        vocabulary=2, limit=3, prompts=2, reward=lambda x, tokens: float(x + tokens[0]), token_reward=lambda x, tokens: 0.5 * len(tokens)
    )
    rng = np.random.default_rng(1)
    scene = Scene.of(replace(tree.mdp, gamma=gamma), Softmax(rng.normal(size=(tree.mdp.S, 2))))
    b = rng.normal(size=tree.mdp.S)
    assert_same(programmed(whole(b), OnPolicy(1), scene), Enumeration().run(whole(b), OnPolicy(1), scene))


def test_geometric_stopping_gives_the_discounted_gradient_at_a_finite_variance():
    """With rewards of transitions, whose stopped moves are paid: the mean is the gradient of the model that was given."""
    rng = np.random.default_rng(2)
    model = MDP(P=rng.dirichlet(np.ones(3), size=(3, 2)), r=rng.normal(size=(3, 2, 3)), mu=[0.2, 0.3, 0.5], gamma=0.8)
    stopped, policy = with_stopping(model), Softmax(rng.normal(size=(3, 2)))
    found = programmed(whole(np.zeros(3)), OnPolicy(1), Scene.of(stopped.model, stopped.lift(policy)))
    expected = return_gradient(model, policy)
    assert (abs(found.mean - expected) <= found.rounding + ROUNDING).all()
    assert np.linalg.eigvalsh(found.covariance).min() > -ROUNDING * np.trace(found.covariance)


def test_second_moment_of_a_stopped_step_by_hand():
    """One decision, then a move to the left (reward 0) or right (reward 2) that is stopped or ends at the horizon: R is 0 or 2, whatever stops. Its mean alone would give
    E R^2 = 1.5 where stopping has probability 1/2."""
    model = with_stopping(MDP(P=[[[0.5, 0.5]] * 2] * 2, r=[[[0.0, 2.0]] * 2] * 2, mu=[1.0, 0.0], gamma=0.5, horizon=1)).model
    found = programmed(whole(np.zeros(2)), OnPolicy(1), Scene.of(model, Softmax(np.zeros((2, 2)))))
    np.testing.assert_allclose(found.covariance[0, 0], 2.0 * 0.25, rtol=ROUNDING)


def test_a_chain_that_never_ends_has_no_finite_variance_whatever_gamma_is():
    scene = Scene.of(sparse_garnet(5, 2, 2, 0.9), Softmax(np.zeros((5, 2))))
    with pytest.raises(NonTerminating, match="no finite variance.*with_stopping"):
        programmed(whole(np.zeros(5)), OnPolicy(1), scene)
    small, large = (np.trace(programmed(whole(np.zeros(5)), OnPolicy(1, horizon=T), scene).covariance) for T in (100, 200))
    assert large > 1.5 * small
    stopped = with_stopping(scene.model)
    assert np.isfinite(programmed(whole(np.zeros(5)), OnPolicy(1), Scene.of(stopped.model, scene.policy())).covariance).all()


def test_states_that_are_never_reached_may_run_for_ever():
    """State 1 keeps itself; nothing leads there. The law is that of the model without it."""
    P = np.zeros((2, 2, 2))
    P[0, :, 0], P[1, :, 1] = [0.5, 0.25], 1
    scene = Scene.of(MDP(P=P, r=[[1.0, 2.0], [3.0, 4.0]], mu=[1.0, 0.0]), Softmax(np.array([[0.3, 0.0], [1.0, 0.0]])))
    alone = Scene.of(MDP(P=P[:1, :, :1], r=[[1.0, 2.0]], mu=[1.0]), Softmax(np.array([[0.3, 0.0]])))
    for b in (np.array([0.4, 0.0]), np.zeros(2)):
        found, expected = programmed(whole(b), OnPolicy(1), scene), programmed(whole(b[:1]), OnPolicy(1), alone)
        np.testing.assert_allclose(found.covariance[:2, :2], expected.covariance, rtol=ROUNDING)
        assert not found.covariance[2:].any()


# What is assumed


def test_scores_without_mean_zero_need_all_terms():
    """Data of another policy: the law with the terms of order zero left out, as for scores of mean zero, is another one."""
    model = MDP(P=np.full((1, 2, 1), 0.75), r=[[0.0, 1.0]], mu=[1.0])
    on, off = (Scene.of(model, Softmax(np.zeros((1, 2))), sampler=s) for s in (None, Softmax(np.array([[0.0, 1.0]]))))
    estimator, sampling = whole(np.zeros(1)), OffPolicy(1, horizon=3)
    assert_same(programmed(estimator, sampling, off), Enumeration().run(estimator, sampling, off))
    for scene, harmless in ((on, True), (off, False)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Own, "centred", True)
            wrong = programmed(estimator, sampling, scene).covariance
        assert (abs(wrong - programmed(estimator, sampling, scene).covariance).max() < 1e-12) == harmless


def test_a_mean_reward_in_place_of_its_law_has_another_variance():
    chance = np.array([[[0.5, 0.5], [0.2, 0.8]]])
    noisy = MDP(P=np.full((1, 2, 1), 0.5), outcomes=Outcomes(values=[0.0, 1.0], chance=chance), mu=[1.0], horizon=2)
    mean = MDP(P=noisy.P, r=noisy.r, mu=[1.0], horizon=2)
    known = MDP(P=noisy.P, r=noisy.r, r2=noisy.r2, mu=[1.0], horizon=2)
    a, b, c = (programmed(whole(np.zeros(1)), OnPolicy(1), Scene.of(m, Softmax(np.zeros((1, 2))))) for m in (noisy, mean, known))
    np.testing.assert_allclose(a.mean, b.mean, atol=ROUNDING)
    assert np.trace(a.covariance) > np.trace(b.covariance) + 0.1
    assert (a.covariance == c.covariance).all()


def test_shared_parameters_add_their_scores():
    scene = Scene.of(problem("loop/T=3"), tied(np.log([[0.25, 0.75]]), rows=[0, 0]))
    assert_same(programmed(whole(np.array([0.1, 0.6])), OnPolicy(1), scene), Enumeration().run(whole(np.array([0.1, 0.6])), OnPolicy(1), scene))


def test_blocks_of_columns_do_not_change_the_law(monkeypatch):
    scene = Scene.of(sparse_garnet(30, 3, 4, 0.9), Softmax(np.random.default_rng(0).normal(size=(30, 3))))
    estimator = PolicyGradient(advantage=WholeReturn(baseline=ExactValue()))
    form = form_of(estimator, OnPolicy(1, horizon=5), scene)
    together = whole_return_law(form, scene)
    monkeypatch.setattr("pgtheory.tabular.laws.whole_return.WIDTH", 7)
    np.testing.assert_allclose(whole_return_law(form, scene).covariance, together.covariance, rtol=0, atol=1e-14)


@pytest.mark.parametrize("machine", [False, True], ids=["as it stands", "compiled"])
@pytest.mark.parametrize("off", [False, True])
def test_compiled_loop_gives_the_law_of_scipy(machine, off, monkeypatch):
    """With and without scores of mean zero; rows of P have one to four entries, so that pairs and single ones occur."""
    if machine and not available():
        pytest.skip("numba is not installed")
    rng = np.random.default_rng(6)
    P = sp.random_array((14, 7), density=0.3, rng=rng).toarray() * 0.3
    assert set((P > 0).sum(axis=1)) >= {1, 2, 3}
    model = MDP(P=sp.csr_array(P), r=sp.csr_array(rng.normal(size=(14, 7))), mu=np.full(7, 1 / 7), gamma=0.9)
    scene = Scene.of(model, Softmax(rng.normal(size=(7, 2))), sampler=Softmax(rng.normal(size=(7, 2))) if off else None)
    calls = []
    for b in (np.zeros(7), rng.normal(size=7)):
        form = form_of(whole(b), OffPolicy(1, horizon=5), scene)
        monkeypatch.setattr("pgtheory.tabular.laws.whole_return.WORTH_COMPILING", np.inf)
        expected = whole_return_law(form, scene).covariance
        monkeypatch.setattr("pgtheory.tabular.laws.whole_return.WORTH_COMPILING", 0)
        monkeypatch.setattr("pgtheory.tabular.laws.whole_return.available", lambda: True)
        loop = compiled_products_back if machine else lambda: lambda *args: calls.append(products_back(*args))
        monkeypatch.setattr("pgtheory.tabular.laws.score_products.compiled_products_back", loop)
        np.testing.assert_allclose(whole_return_law(form, scene).covariance, expected, rtol=0, atol=1e-14)
        assert machine or calls
        calls.clear()


def test_actions_without_a_score_in_the_data_are_refused():
    scene = Scene.of(coin(2).model, Direct(np.array([[1.0, 0.0]])), sampler=Direct(np.array([[0.5, 0.5]])))
    with pytest.raises(InvalidPolicy, match="log 0 has no gradient"):
        programmed(whole(np.zeros(1)), OffPolicy(1), scene)
