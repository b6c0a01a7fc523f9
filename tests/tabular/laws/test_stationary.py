"""Laws without a horizon: against the long recursion, against enumeration of episodes that end, against the exact gradient; and when there is no such law."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose

from pgtheory.tabular.errors import NonTerminating
from pgtheory.tabular.estimators.baselines import ExactValue
from pgtheory.tabular.estimators.gae import GAE
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.estimators.ratios import TokenRatio
from pgtheory.tabular.estimators.reinforce import RewardToGo
from pgtheory.tabular.laws.differences import differences_law
from pgtheory.tabular.laws.enumeration import Enumeration
from pgtheory.tabular.laws.forms import form_of
from pgtheory.tabular.laws.systems import Systems
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.models.stopping import with_stopping
from pgtheory.tabular.objectives.returns import Return
from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.policies.log_linear import tied
from pgtheory.tabular.policies.policy import score
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.episodes import OffPolicy, OnPolicy
from pgtheory.tabular.sampling.groups import Groups
from pgtheory.tabular.scene import Scene
from pgtheory.tabular.solve.evaluation import evaluate

LONG = 400
"""Steps after which 0.9^LONG = 5e-19 of a sum is left, or 0.8^LONG of the episodes."""

TOLERANCE = 1e-12
"""Systems of condition below 100 and 400 steps of the recursion, relative to numbers of order one to a hundred."""


@dataclass(frozen=True, eq=False)
class Given:
    """A table as values of states."""

    table: np.ndarray

    def __call__(self, scene):
        return self.table


def model(seed=0, *, S=3, A=2, gamma=0.9, ending=0.0, periodic=False, sparse=False):
    rng = np.random.default_rng(seed)
    P = np.roll(np.eye(S), 1, axis=1)[:, None].repeat(A, axis=1) if periodic else rng.dirichlet(np.ones(S), size=(S, A))
    P = P * (1 - ending)
    r, r_end = rng.normal(size=(S, A, S)), rng.normal(size=(S, A)) if ending else None
    mu = np.full(S, 1 / S)
    if sparse:
        P, r = sp.csr_array(P.reshape(S * A, S)), sp.csr_array(r.reshape(S * A, S))
    return MDP(P=P, r=r, r_end=r_end, mu=mu, gamma=gamma)


def laws(estimator, sampling, scene):
    """The law without a horizon, and the law after LONG steps."""
    endless, cut = (form_of(estimator, by, scene) for by in (sampling, replace(sampling, horizon=LONG)))
    return differences_law(endless, scene), differences_law(cut, scene)


def agree(found, expected):
    scale = max(1, abs(expected.covariance).max())
    assert_allclose(found.mean, expected.mean, rtol=0, atol=TOLERANCE * scale)
    assert_allclose(found.covariance, expected.covariance, rtol=0, atol=TOLERANCE * scale)
    assert (abs(found.mean - expected.mean) <= found.rounding + expected.rounding).all()


MODELS = {
    "discounted": {},
    "sparse": {"sparse": True},
    "periodic": {"periodic": True},
    "one state": {"S": 1},
    "one action": {"A": 1},
    "without a future": {"gamma": 0.0},
    "ends": {"ending": 0.2, "gamma": 1.0},
    "ends and discounts": {"ending": 0.3, "sparse": True},
}


@pytest.mark.parametrize("lambda_", [0, 0.7, 1])
@pytest.mark.parametrize("name", MODELS)
def test_five_systems_are_the_limit_of_the_recursion(name, lambda_):
    """On-policy, and off-policy with the ratio of the token; a critic that is wrong. What the last step bootstraps has vanished."""
    mdp, rng = model(**MODELS[name]), np.random.default_rng(1)
    policy, sampler = (Softmax(rng.normal(size=(mdp.S, mdp.A))) for _ in range(2))
    critic = Given(rng.normal(size=mdp.S))
    agree(*laws(PolicyGradient(advantage=GAE(lambda_=lambda_, critic=critic)), OnPolicy(2), Scene.of(mdp, policy)))
    ratio = PolicyGradient(advantage=GAE(lambda_=lambda_, critic=critic), ratio=TokenRatio())
    agree(*laws(ratio, OffPolicy(), Scene.of(mdp, policy, sampler=sampler)))


@pytest.mark.parametrize("policy", [Direct([[0.3, 0.7], [1.0, 0.0], [0.5, 0.5]]), tied(np.array([[0.4, -0.3]]), rows=[0, 0, 0])])
def test_other_parameters(policy):
    """Scores that do not have mean zero, an action that is never taken, and one parameter row for all states."""
    agree(*laws(PolicyGradient(advantage=RewardToGo(baseline=ExactValue())), OnPolicy(), Scene.of(model(), policy)))


@pytest.mark.parametrize("sampling", [OnPolicy(2), Groups(2), Groups(2, prompts=1)])
@pytest.mark.parametrize("step_discount", [True, False])
def test_episodes_that_end_are_enumerated(sampling, step_discount):
    """A tree of states, every trajectory of which is listed: no limit is taken on either side. Groups share their first state."""
    P = np.zeros((4, 2, 4))
    P[0, 0, 2], P[0, 1, 3], P[1, 0, 2], P[1, 1] = 1, 0.5, 0.5, [0, 0, 0.3, 0.7]
    rng = np.random.default_rng(2)
    mdp = MDP(P=P, r=rng.normal(size=(4, 2)), mu=[0.5, 0.5, 0, 0], gamma=0.9 if step_discount else 1.0)
    scene = Scene.of(mdp, Softmax(rng.normal(size=(4, 2))), critic=rng.normal(size=4))
    estimator = PolicyGradient(advantage=GAE(lambda_=0.6, step_discount=step_discount))
    form = form_of(estimator, sampling, scene)
    assert form.horizon is None
    agree(differences_law(form, scene), Enumeration().run(estimator, sampling, scene))


@pytest.mark.parametrize("ending", [0.0, 0.5])
def test_the_mean_of_a_reward_to_go_is_the_gradient_and_that_of_gae_is_off_by_its_formula(ending):
    """P015 C2: the bias is sum_s d(s) sum_a pi b score, b = gamma (1 - lambda) P M e; it vanishes for lambda = 1, the exact critic, and (where nothing ends) a shifted one."""
    stays = 1 - ending * np.array([[0.2, 0.9], [0.5, 0.1], [0.0, 1.0]])
    mdp = replace(model(), P=model().P * stays[..., None])
    policy = Softmax(np.random.default_rng(3).normal(size=(3, 2)))
    scene = Scene.of(mdp, policy)
    exact, gradient = evaluate(mdp, policy), Return().gradient(scene)
    mean = lambda lambda_, V: differences_law(form_of(PolicyGradient(advantage=GAE(lambda_=lambda_, critic=Given(V))), OnPolicy(), scene), scene).mean
    e = np.array([0.5, -1.0, 0.2])
    kernel = np.einsum("sa,sat->st", policy.probabilities, mdp.P)
    b = 0.9 * 0.4 * mdp.P @ np.linalg.solve(np.eye(3) - 0.9 * 0.6 * kernel, e)
    bias = np.einsum("s,sa,sa,sad->d", exact.occupancy, policy.probabilities, b, score(policy))
    assert_allclose(mean(0.6, exact.V + e), gradient + bias, atol=TOLERANCE)
    assert abs(bias).max() > 1e-2
    assert_allclose(mean(1, exact.V + e), gradient, atol=TOLERANCE)
    assert_allclose(mean(0.6, exact.V), gradient, atol=TOLERANCE)
    shifted = abs(mean(0.6, exact.V + 2) - gradient).max()
    assert (shifted < TOLERANCE) == (ending == 0)


def test_geometric_stopping_is_the_same_estimator_of_the_same_gradient_with_another_variance():
    """The stopped model is undiscounted: its systems have discount one and are the limit of its recursion; the mean is the gradient of the discounted return."""
    mdp, policy = replace(model(), r=np.random.default_rng(4).normal(size=(3, 2))), Softmax(np.random.default_rng(5).normal(size=(3, 2)))
    stopped = with_stopping(mdp)
    scene = Scene.of(stopped.model, stopped.lift(policy))
    found, expected = laws(PolicyGradient(advantage=RewardToGo()), OnPolicy(), scene)
    agree(found, expected)
    assert_allclose(found.mean, Return().gradient(Scene.of(mdp, policy)), atol=TOLERANCE)
    other = laws(PolicyGradient(advantage=RewardToGo()), OnPolicy(), Scene.of(mdp, policy))[0]
    assert abs(found.variance - other.variance) > 0.1


def test_states_that_are_never_reached_may_run_for_ever():
    """They are no part of the systems, which would be singular with them; their parameters have no law."""
    P = np.zeros((3, 2, 3))
    P[0, :, 0], P[1, :, 1], P[2, :, 2] = 0.5, 1, 1
    mdp = MDP(P=P, r=np.random.default_rng(0).normal(size=(3, 2)), mu=[1, 0, 0], gamma=1.0)
    scene = Scene.of(mdp, Softmax(np.random.default_rng(1).normal(size=(3, 2))), critic=np.ones(3))
    found, expected = laws(PolicyGradient(advantage=GAE(lambda_=0.5)), OnPolicy(), scene)
    agree(found, expected)
    assert (found.covariance[2:] == 0).all()
    assert (found.rounding[2:] == 0).all()


def test_sums_that_have_no_end_are_refused():
    """Undiscounted scores (gamma = 1, or left out) of episodes that may run for ever under the policy that samples; and only those."""
    endless, policy = model(), Softmax(np.zeros((3, 2)))
    plain = PolicyGradient(advantage=GAE(lambda_=0.5, critic=Given(np.ones(3))))
    undiscounted = PolicyGradient(advantage=GAE(lambda_=0.5, critic=Given(np.ones(3)), step_discount=False))
    of = lambda estimator, mdp, sampling=None: differences_law(
        form_of(estimator, sampling or OnPolicy(), Scene.of(mdp, policy)), Scene.of(mdp, policy)
    )
    for estimator, mdp in [(undiscounted, endless), (plain, replace(endless, gamma=1.0))]:
        with pytest.raises(NonTerminating, match="from state 0, which is reached from mu, the episode may never end"):
            of(estimator, mdp)
    assert np.isfinite(of(plain, endless).variance)
    assert np.isfinite(of(undiscounted, model(ending=0.1)).variance)
    assert np.isfinite(of(undiscounted, endless, OnPolicy(horizon=5)).variance)
    half = np.zeros((3, 2, 3))
    half[:, 0], half[:, 1, 0] = 0, 1  # action 1 never ends
    never = Direct([[0.0, 1.0]] * 3)
    scene = Scene.of(MDP(P=half, r=np.ones((3, 2)), mu=[1, 0, 0]), never)
    with pytest.raises(NonTerminating):
        differences_law(form_of(plain, OnPolicy(), scene), scene)


@pytest.mark.parametrize("spoiled", ["solve", "solve_transposed"])
def test_the_bound_of_the_mean_sees_a_wrong_solve(monkeypatch, spoiled):
    """It rests on residuals: a solve that is off by 1e-6 is not believed."""
    scene = Scene.of(model(), Softmax(np.random.default_rng(6).normal(size=(3, 2))), critic=np.array([0.5, -1.0, 0.2]))
    form = form_of(PolicyGradient(advantage=GAE(lambda_=0.5)), OnPolicy(), scene)
    right = differences_law(form, scene)
    solve = getattr(Systems, spoiled)
    monkeypatch.setattr(Systems, spoiled, lambda self, c, y: solve(self, c, y) + 1e-6 * np.arange(3).reshape(-1, *[1] * (y.ndim - 1)))
    wrong = differences_law(form, scene)
    assert right.rounding.max() < 1e-10
    assert abs(wrong.mean - right.mean).max() > 1e-8
    assert (abs(wrong.mean - right.mean) <= wrong.rounding).all()
