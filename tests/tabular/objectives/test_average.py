"""The average reward as an objective: against complex steps through the fundamental matrix, differences, and the limit of discounted gradients."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pgtheory
from pgtheory.tabular.errors import InvalidArgument, Multichain
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.objectives.average import AverageReward
from pgtheory.tabular.objectives.catalogue import catalogue, objective_named
from pgtheory.tabular.objectives.derivatives import probability_pullback
from pgtheory.tabular.objectives.returns import Return
from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.scene import Scene
from pgtheory.tabular.solve.evaluation import evaluate

SLOW = MDP(P=[[[0.75, 0.25], [0.5, 0.5]], [[0.25, 0.75], [0.125, 0.875]]], r=[[1.0, -0.5], [0.25, 2.0]], mu=[0.75, 0.25], gamma=0.9)
PI = Softmax.of(np.array([[0.25, 0.75], [0.6, 0.4]]))


def unending(scene: Scene) -> Scene:
    """The same scene when whatever ends begins anew, by mu; the last state, which mu never draws, may then be transient."""
    mdp = scene.mdp
    P = np.asarray(mdp.transition.todense() if hasattr(mdp.transition, "todense") else mdp.transition)
    P = (P + mdp.ends.reshape(-1, 1) * mdp.mu).reshape(mdp.S, mdp.A, mdp.S)
    return replace(scene, model=MDP(P=P / P.sum(axis=-1, keepdims=True), r=mdp.r, mu=mdp.mu, gamma=mdp.gamma))


def textbook_gain(mdp: MDP, pi: np.ndarray) -> complex:
    """The first row of (I - P + 1 u)^-1 with any u, here uniform, is the stationary law up to a factor: d = u (I - P + 1 u)^-1. Holomorphic in pi."""
    K = np.einsum("sa,sat->st", pi, mdp.P)
    u = np.full(mdp.S, 1 / mdp.S)
    d = u @ np.linalg.inv(np.eye(mdp.S) - K + np.outer(np.ones(mdp.S), u))
    return d @ (pi * mdp.mean_reward).sum(axis=1)


def close(actual, expected):
    """Condition below 1000 (ending, here restarting, has probability 1/10 at least), some 100 roundings."""
    assert abs(np.asarray(actual) - expected).max() <= 1e-11 * (1 + abs(np.asarray(expected)).max())


@settings(max_examples=30)
@given(data=st.data())
def test_value_and_gradient_against_complex_steps(data, scenes, complex_gradient, along):
    scene = unending(data.draw(scenes("stationary")))
    formula = lambda pi: textbook_gain(scene.mdp, pi)

    close(AverageReward().value(scene), formula(scene.policy().probabilities))
    close(along(scene, AverageReward().gradient(scene)), along(scene, complex_gradient(scene, formula)))


@settings(max_examples=15)
@given(data=st.data())
def test_derivatives_against_differences(data, scenes, assert_derivatives):
    assert_derivatives(AverageReward(), unending(data.draw(scenes("stationary"))))


@pytest.mark.parametrize("x", [2.0**-12, 2.0**-16])
def test_limit_of_discounted_gradients(x):
    """(1 - gamma) grad J_gamma = grad J + O(1 - gamma); the bias here is below 10, and halving 1 - gamma halves the distance."""
    at = lambda y: (1 - 1 / (1 + y)) * Return().gradient(Scene.of(replace(SLOW, gamma=1 / (1 + y)), PI))
    limit = AverageReward().gradient(Scene.of(SLOW, PI))

    assert 0 < abs(at(x) - limit).max() < 10 * x
    np.testing.assert_allclose((at(x) - limit) / (at(x / 2) - limit), 2, rtol=10 * x + 1e-13 / x**2)


def test_a_constant_in_the_action_values_changes_nothing_and_the_discounted_law_does():
    """P074.C5. For the direct parametrisation the constant moves the part that is not along the simplex only."""
    found = evaluate(SLOW, PI, criterion="average")
    with_law = lambda policy, d, c: probability_pullback(policy, d[:, None] * (found.Q + c))
    gradient = AverageReward().gradient(Scene.of(SLOW, PI))
    direct = Direct(PI.probabilities)

    close(with_law(PI, found.occupancy, 1e3), gradient)
    close(direct.tangent(with_law(direct, found.occupancy, 7.0)), direct.tangent(AverageReward().gradient(Scene.of(SLOW, direct))))
    discounted = (1 - SLOW.gamma) * evaluate(SLOW, PI).occupancy
    assert abs(with_law(PI, discounted, 0.0) - gradient).max() > 1e-3


def test_discounted_gradient_is_another_vector():
    assert abs(0.1 * Return().gradient(Scene.of(SLOW, PI)) - AverageReward().gradient(Scene.of(SLOW, PI))).max() > 1e-2


def test_one_state_is_a_bandit():
    """J = p, J' = p (1 - p), J'' = p (1 - p) (1 - 2 p) in the direction of the first logit."""
    p, sign = 0.3, np.array([1.0, -1.0])
    scene = Scene.of(MDP(P=np.ones((1, 2, 1)), r=[[1.0, 0.0]], mu=[1.0]), Softmax.of(np.array([[p, 1 - p]])))

    close(AverageReward().value(scene), p)
    close(AverageReward().gradient(scene), p * (1 - p) * sign)
    close(AverageReward().hessian(scene), p * (1 - p) * (1 - 2 * p) * np.outer(sign, sign))


def test_by_name_from_the_face():
    scene = Scene.of(SLOW, PI)

    assert objective_named("average reward", scene) == AverageReward()
    assert "average reward" in {o.name for o in catalogue(scene)}
    assert pgtheory.value(SLOW, PI, objective="average reward") == AverageReward().value(scene)
    assert pgtheory.gradient(SLOW, PI, objective="average reward").ravel().tolist() == AverageReward().gradient(scene).tolist()


def test_where_it_does_not_exist():
    ends = MDP(P=SLOW.P * 0.5, r=SLOW.r, mu=SLOW.mu)
    apart = MDP(P=np.repeat(np.eye(2)[:, None], 2, axis=1), r=SLOW.r, mu=SLOW.mu)

    with pytest.raises(InvalidArgument, match="the episode may end there"):
        AverageReward().gradient(Scene.of(ends, PI))
    assert "average reward" not in {o.name for o in catalogue(Scene.of(ends, PI))}
    with pytest.raises(Multichain, match="never leaves state 0, and never leaves state 1"):
        AverageReward().gradient(Scene.of(apart, PI))
