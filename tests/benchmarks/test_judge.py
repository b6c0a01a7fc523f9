"""The benchmark's own judge, the competitors and the textbook recursion: right answers pass, wrong ones do not, whoever gives them."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("numba")

from pgtheory.tabular.estimators.gae import GAE
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.laws.law import law
from pgtheory.tabular.models.large import sparse_garnet
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.episodes import OnPolicy
from pgtheory.tabular.scene import Scene
from tests.benchmarks.cells import Cell, softmax
from tests.benchmarks.competitors import GRADIENT, POLICY
from tests.benchmarks.judge import TOLERANCE, judge_gradient, judge_policy, reference
from tests.benchmarks.recursion import Recursion

CELLS = (Cell("garnet", 60), Cell("lake", 7), Cell("queue", 60), Cell("torus", 9), Cell("dense", 30))
fitting = lambda competitors: [(c, cell) for c in competitors if c.installed for cell in CELLS if c.fits(cell)]
name = lambda value: str(value) if isinstance(value, Cell) else value.name


@pytest.mark.parametrize(("competitor", "cell"), fitting(POLICY), ids=name)
def test_every_competitor_is_right_on_small_problems(competitor, cell):
    mdp = cell.build()

    answer, _ = competitor.call(competitor.prepare(mdp))

    assert judge_policy(mdp, answer).right


# BiCGSTAB breaks down on the torus, where it is judged in each cell.
@pytest.mark.parametrize(
    ("competitor", "cell"), [(c, cell) for c, cell in fitting(GRADIENT) if (c.name, cell.family) != ("BiCGSTAB", "torus")], ids=name
)
def test_every_gradient_is_right_on_small_problems(competitor, cell):
    mdp = cell.build()

    answer, _ = competitor.call(competitor.prepare(mdp))

    found = judge_gradient(reference(mdp, softmax(mdp)), answer)
    assert found.right, found


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_judge_refuses_a_value_that_is_off_and_a_policy_that_loses(cell):
    mdp = cell.build()
    (V, policy), _ = POLICY[0].call(POLICY[0].prepare(mdp))
    lifted, off = V + 2e-8, V.copy()
    off[3] -= 3e-8
    Q = mdp.mean_reward + mdp.gamma * (mdp.transition @ V).reshape(mdp.S, mdp.A)
    worst = int((Q.max(axis=1) - Q.min(axis=1)).argmax())
    bad = policy.copy()
    bad[worst] = Q[worst].argmin()

    assert judge_policy(mdp, (V, policy)).right
    assert not judge_policy(mdp, (off, policy)).right
    assert judge_policy(mdp, (lifted, policy)).bound >= 2e-8 * (1 - 1e-6), "the bound is never below the error"
    assert not judge_policy(mdp, (lifted, policy)).right
    found = judge_policy(mdp, (V, bad))
    assert found.bound <= 1e-8 and found.gap > 2e-8 and not found.right
    assert not judge_policy(mdp, (V * np.nan, policy)).right
    assert not judge_policy(mdp, (V[1:], policy)).right


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_reference_is_the_derivative_of_the_return(cell):
    """Central differences of mu . V along a random direction: error h^2 of a third derivative and rounding / h, both below 1e-6 of the slope here."""
    mdp = cell.build()
    policy = softmax(mdp)
    x, h = np.random.default_rng(5).normal(size=(mdp.S, mdp.A)), 1e-4

    def value(theta):
        pi = Softmax(theta).probabilities
        K = np.einsum("sa,sat->st", pi, np.asarray(mdp.transition.todense() if hasattr(mdp.transition, "todense") else mdp.transition).reshape(mdp.S, mdp.A, -1))  # fmt: skip
        return mdp.mu @ np.linalg.solve(np.eye(mdp.S) - mdp.gamma * K, (pi * mdp.mean_reward).sum(axis=1))

    slope = (value(policy.theta + h * x) - value(policy.theta - h * x)) / (2 * h)
    found = reference(mdp, policy)

    assert abs((found.gradient * x).sum() - slope) < 1e-6 * abs(slope)
    assert found.bound < 1e-9 * abs(found.gradient).max(), "a tenth of what is asked of an answer"


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_judge_refuses_a_gradient_that_is_off_by_more_than_eight_digits(cell):
    mdp = cell.build()
    known = reference(mdp, softmax(mdp))
    off = known.gradient.copy()
    off[0, 0] += 2e-8 * abs(off).max()

    assert judge_gradient(known, known.gradient).right
    assert not judge_gradient(known, off).right
    assert not judge_gradient(known, -known.gradient).right
    assert not judge_gradient(known, known.gradient * np.nan).right
    vague = replace(known, bound=5e-8 * abs(known.gradient).max())
    assert judge_gradient(vague, known.gradient).right and judge_gradient(vague, known.gradient).bound > TOLERANCE
    assert not judge_gradient(vague, off).right
    assert not judge_gradient(replace(known, bound=2e-7 * abs(known.gradient).max()), known.gradient).right


def recursion_of(scene, lambda_, nu):
    mdp = scene.mdp
    return Recursion(mdp.transition, mdp.mean_reward, mdp.mu, scene.policy().probabilities, mdp.gamma, lambda_, scene.point["critic"], nu)


@pytest.mark.parametrize("step_discount", [True, False])
@pytest.mark.parametrize("lambda_", [0.0, 0.7, 1.0])
def test_textbook_recursion_against_enumeration(lambda_, step_discount):
    rng = np.random.default_rng(6)
    scene = Scene.of(sparse_garnet(3, 2, 2, gamma=0.9), Softmax(rng.normal(size=(3, 2))), critic=rng.normal(size=3))
    estimator = PolicyGradient(advantage=GAE(lambda_=lambda_, step_discount=step_discount))

    exact = law(estimator, OnPolicy(1, horizon=4), scene, method="enumeration")
    mean, covariance = recursion_of(scene, lambda_, 0.9 if step_discount else 1.0).finite(4)

    np.testing.assert_allclose(mean, exact.mean, atol=1e-13)
    np.testing.assert_allclose(covariance, exact.covariance, atol=1e-13)


def test_textbook_recursion_without_end_is_its_limit():
    """0.9^400 is 5e-19: what is cut is below rounding."""
    rng = np.random.default_rng(7)
    mdp = sparse_garnet(6, 3, 2, gamma=0.9)
    recursion = recursion_of(
        Scene.of(MDP(P=mdp.P, r=mdp.r, mu=mdp.mu, gamma=0.9), Softmax(rng.normal(size=(6, 3))), critic=rng.normal(size=6)), 0.8, 0.9
    )

    for limit, found in zip(recursion.finite(400), recursion.stationary(), strict=True):
        np.testing.assert_allclose(found, limit, atol=1e-13)
