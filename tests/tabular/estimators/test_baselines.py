"""Baselines and critics: tables, the value after the end, and optimality of the variance-optimal ones."""

import numpy as np
import pytest

from pgtheory.tabular.data import Data
from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.estimators.baselines import Constant, Critic, ExactValue, Given, OptimalConstant, OptimalState, after_end, at_steps
from pgtheory.tabular.estimators.gae import GAE, NStep
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.estimators.reinforce import RewardToGo, WholeReturn
from pgtheory.tabular.laws.law import law
from pgtheory.tabular.models.bandit import Bandit
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.episodes import OnPolicy
from pgtheory.tabular.scene import Scene
from pgtheory.tabular.solve.evaluation import evaluate

LOOP = MDP(P=[[[0, 1], [0.5, 0]], [[1, 0], [0, 0.5]]], r=[[0.5, -1], [2, 0.25]], mu=[0.5, 0.5], gamma=0.9, horizon=3)


def scene_of(theta=((0.3, -0.5), (0.8, 0.1)), **point):
    return Scene.of(LOOP, Softmax(np.array(theta)), **point)


class Table:
    """Any table as a values object."""

    def __init__(self, table):
        self.table = np.asarray(table, dtype=float)

    def __call__(self, scene):
        return self.table


def variance(advantage, scene):
    return law(PolicyGradient(advantage=advantage), OnPolicy(), scene).variance


def vertex(f, at, h=0.5):
    """Where the parabola through f(at - h), f(at), f(at + h) is least."""
    low, middle, high = f(at - h), f(at), f(at + h)
    return at - h * (high - low) / (2 * (high - 2 * middle + low))


def test_optimal_constant_is_the_vertex_of_the_variance():
    """The variance is a parabola in the constant; the planted bug is the mean return, the usual choice."""
    scene = scene_of()
    least = vertex(lambda b: variance(WholeReturn(baseline=Constant(b)), scene), 0.0)
    assert OptimalConstant()(scene) == pytest.approx([least, least], abs=1e-12)
    assert abs(evaluate(LOOP, scene.policy()).J - least) > 1e-2


def test_optimal_constant_knows_the_cut_of_the_sampling():
    scene = scene_of()
    cut = lambda b: law(PolicyGradient(advantage=WholeReturn(baseline=Constant(b))), OnPolicy(horizon=2), scene).variance
    assert OptimalConstant(horizon=2)(scene)[0] == pytest.approx(vertex(cut, 0.0), abs=1e-12)
    assert abs(OptimalConstant()(scene)[0] - vertex(cut, 0.0)) > 1e-3


def test_optimal_state_is_the_vertex_in_every_context_of_a_bandit():
    scene = Scene.of(Bandit(r=[[1, 0, 0.5], [0.2, -1, 2]], mu=[0.25, 0.75]), Softmax(np.array([[0.3, -0.5, 1.0], [0.8, 0.1, 0.0]])))
    found = OptimalState()(scene)
    for s in range(2):
        one = lambda b, s=s: variance(RewardToGo(baseline=Table(np.where(np.arange(2) == s, b, 0.0))), scene)
        assert found[s] == pytest.approx(vertex(one, 0.0), abs=1e-12)
    assert abs(found - evaluate(scene.model, scene.policy()).V).max() > 1e-2


def test_optimal_state_follows_its_formula_at_each_step_of_a_horizon():
    scene = scene_of()
    Q, pi = evaluate(LOOP, scene.policy()).Q, scene.policy().probabilities
    found = OptimalState()(scene)
    for t in range(3):
        for s in range(2):
            sizes = [sum((float(a == b) - pi[s, b]) ** 2 for b in range(2)) for a in range(2)]
            above = sum(pi[s, a] * sizes[a] * Q[t, s, a] for a in range(2))
            assert found[t, s] == pytest.approx(above / sum(pi[s, a] * sizes[a] for a in range(2)), abs=1e-14)


def test_where_the_score_vanishes_the_optimal_state_baseline_is_zero():
    """A softmax with a single action has no score."""
    scene = Scene.of(Bandit(r=[[3.0]]), Softmax(np.zeros((1, 1))))
    assert OptimalState()(scene).tolist() == [0.0]
    assert OptimalConstant()(scene).tolist() == [0.0]


def test_exact_values_move_with_the_point():
    scene = scene_of()
    theta = np.array([[1.0, -2.0], [0.0, 0.5]])
    np.testing.assert_array_equal(ExactValue()(scene.at(theta=theta)), evaluate(LOOP, Softmax(theta)).V)
    assert abs(ExactValue()(scene) - ExactValue()(scene.at(theta=theta))).max() > 0.1


def test_a_scene_without_critic_gets_the_exact_values():
    np.testing.assert_array_equal(Critic()(scene_of()), ExactValue()(scene_of()))
    np.testing.assert_array_equal(Critic()(scene_of(critic=np.array([1.0, 2.0]))), [1.0, 2.0])


@pytest.mark.parametrize("table", [None, 3.0, "exact", [1.0, 2.0], np.array([1.0, 2.0])])
def test_bare_tables_are_refused_with_the_way_out(table):
    """By every advantage that takes values; wrapped, the same table is taken."""
    for make in (lambda v: GAE(lambda_=0.9, critic=v), lambda v: NStep(n=2, critic=v)):
        with pytest.raises(InvalidArgument, match=r"critic is of type \w+, expected values.*Given\(table\).*Constant\(number\)"):
            make(table)
        make(Given(np.array([1.0, 2.0])))
    for make in (RewardToGo, WholeReturn):
        with pytest.raises(InvalidArgument, match=r"baseline is of type \w+, expected values.*Given\(table\)"):
            make(baseline=table)
        make(baseline=Constant(3.0))


@pytest.mark.parametrize("critic", [[1.0], [1.0, np.nan], [[1.0, 2.0]]])
def test_a_critic_that_does_not_fit_is_refused(critic):
    with pytest.raises(InvalidArgument, match="critic"):
        Critic()(scene_of(critic=np.array(critic)))


def two_rows():
    """Row 0: two steps, cut in state 1. Row 1: one step, terminated."""
    return Data(
        state=np.array([[[0, 1], [1, 0]]]), action=np.zeros((1, 2, 2), int), reward=np.zeros((1, 2, 2)), mask=np.array([[[True, True], [True, False]]]),
        last=np.array([[1, -1]]), truncated=np.array([[True, False]]),
    )  # fmt: skip


def test_values_at_steps_and_after_the_end():
    """Stationary and per-step tables; a terminated row is worth nothing after its end (planted bug: state -1 is the last state)."""
    data = two_rows()
    assert at_steps(np.array([10.0, 20.0]), data).tolist() == [[[10.0, 20.0], [20.0, 10.0]]]
    assert after_end(np.array([10.0, 20.0]), data).tolist() == [[20.0, 0.0]]
    by_step = np.array([[10.0, 20.0], [11.0, 21.0], [12.0, 22.0]])
    assert at_steps(by_step, data).tolist() == [[[10.0, 21.0], [20.0, 11.0]]]
    assert after_end(by_step, data).tolist() == [[22.0, 0.0]]
    assert np.array([10.0, 20.0])[data.last].tolist() != after_end(np.array([10.0, 20.0]), data).tolist()


def test_on_the_simplex_a_baseline_moves_the_mean_along_the_normal_only():
    """Plain partial derivatives of probabilities have no mean zero: E[score] is one in every coordinate of a visited state."""
    policy = Direct([[0.25, 0.75]])
    scene = Scene.of(Bandit(r=[[1.0, 0.0]]), policy)
    found = law(PolicyGradient(advantage=WholeReturn(baseline=Constant(0.4))), OnPolicy(), scene).mean
    assert found == pytest.approx([0.6, -0.4], abs=1e-15)
    assert policy.tangent(found) == pytest.approx(policy.tangent(np.array([1.0, 0.0])), abs=1e-15)
