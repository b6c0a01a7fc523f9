"""Expectations over trajectories: against loops over trajectories in complex numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgtheory.tabular.errors import InvalidArgument, InvalidPolicy
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.models.token_tree import TokenTree
from pgtheory.tabular.objectives.functionals import InverseLength, PathFunctional, ReturnPerLength, paths_of
from pgtheory.tabular.objectives.returns import Return, ReturnAt
from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.paths import enumerate_paths
from pgtheory.tabular.scene import Scene

LAST = PathFunctional(lambda paths: (paths.action[np.arange(len(paths)), paths.length - 1] == 0).astype(float), "P(last action is 0)")


def close(actual, expected, *, factor=1e-12):
    """Sums of at most some hundred products."""
    assert abs(np.asarray(actual) - expected).max() <= factor * (1 + abs(np.asarray(expected)).max())


def trajectory_by_trajectory(scene, f):
    """sum_k p_k f(rewards, actions) in a loop, as a function of the table pi."""
    paths = enumerate_paths(scene.mdp)

    def formula(pi):
        total = 0
        for k in range(len(paths)):
            steps = [t for t in range(paths.mask.shape[1]) if paths.mask[k, t]]
            p = paths.chance[k] * np.prod([pi[paths.state[k, t], paths.action[k, t]] for t in steps])
            total += p * f([paths.reward[k, t] for t in steps], [paths.action[k, t] for t in steps])
        return total

    return formula


DEFINITIONS = {
    ReturnPerLength(): lambda rewards, actions: sum(rewards) / len(rewards),
    InverseLength(): lambda rewards, actions: 1 / len(rewards),
    LAST: lambda rewards, actions: float(actions[-1] == 0),
}


@settings(max_examples=30)
@given(data=st.data())
def test_against_a_loop_over_trajectories(data, scenes, complex_gradient, along):
    scene = data.draw(scenes("tree", "finite"))
    objective = data.draw(st.sampled_from(list(DEFINITIONS)))
    formula = trajectory_by_trajectory(scene, DEFINITIONS[objective])

    close(objective.value(scene), formula(scene.policy().probabilities))
    close(along(scene, objective.gradient(scene)), along(scene, complex_gradient(scene, formula)))


@settings(max_examples=30)
@given(data=st.data())
def test_derivatives_against_differences(data, scenes, assert_derivatives):
    assert_derivatives(data.draw(st.sampled_from(list(DEFINITIONS))), data.draw(scenes("tree", "finite")))


@settings(max_examples=20)
@given(data=st.data())
def test_the_enumerated_return_is_the_solved_one(data, scenes):
    """Value, gradient and Hessian by two unrelated roads: visits of trajectories, and d, Q and grad V."""
    scene = data.draw(scenes("tree", "finite", families=("softmax", "log-linear", "tied")))
    gamma = scene.mdp.gamma
    enumerated = PathFunctional(lambda paths: paths.total(gamma), "J")
    for part in ("value", "gradient", "hessian"):
        close(getattr(enumerated, part)(scene), getattr(Return(), part)(scene))


def test_return_per_length_in_closed_form():
    """End at once with probability q for the reward 1, else after two tokens for the reward 1: E[R/L] = q + (1-q)/2, E[1/L] the same, J = 1."""
    tree = TokenTree(vocabulary=2, limit=2, reward=lambda *_: 1.0)
    q = 0.3
    scene = Scene.of(tree, Softmax.of(np.array([[1 - q, q], [0.6, 0.4]])))
    for objective in (ReturnPerLength(), InverseLength()):
        close(objective.value(scene), (1 + q) / 2)
        close(objective.gradient(scene), q * (1 - q) / 2 * np.array([-1, 1, 0, 0]))
        close(objective.hessian(scene)[:2, :2], q * (1 - q) * (1 - 2 * q) / 2 * np.array([[1, -1], [-1, 1]]))


def test_a_length_counted_with_its_padding_is_seen(complex_gradient):
    tree = TokenTree(vocabulary=2, limit=2, reward=lambda _, tokens: float(tokens[0]))
    scene = Scene.of(tree, Softmax(np.zeros((2, 2))))
    padded = PathFunctional(lambda paths: paths.total() / paths.mask.shape[1], "R/T")
    exact = complex_gradient(scene, trajectory_by_trajectory(scene, DEFINITIONS[ReturnPerLength()]))
    close(ReturnPerLength().gradient(scene), exact)
    assert abs(padded.gradient(scene) - exact).max() > 1e-2


def test_trajectories_are_enumerated_once():
    scene = Scene.of(MDP(P=[[[0.5], [0.0]]], r=[[1.0, 0.0]], mu=[1.0], horizon=3), Softmax(np.zeros((1, 2))))
    assert paths_of(scene.mdp) is paths_of(scene.at(theta=np.ones((1, 2))).mdp)


def test_models_that_may_run_for_ever_and_the_boundary():
    loop = MDP(P=[[[0.5], [0.0]]], r=[[1.0, 0.0]], mu=[1.0])
    with pytest.raises(InvalidArgument, match="horizon"):
        ReturnPerLength().value(Scene.of(loop, Softmax(np.zeros((1, 2)))))
    assert np.isfinite(ReturnAt().value(Scene.of(loop, Softmax(np.zeros((1, 2))))))
    edge = Scene.of(TokenTree(vocabulary=2, limit=1, reward=lambda *_: 1.0), Direct(np.array([[1.0, 0.0]])))
    close(InverseLength().value(edge), 1)
    with pytest.raises(InvalidPolicy, match="action 1 in state 0"):
        InverseLength().gradient(edge)
