"""Any objective of any policy as an oracle, against the objective itself and against the oracle on a stack."""

import numpy as np
import pytest

from pgtheory.tabular.dynamics.oracles import SoftmaxOracle
from pgtheory.tabular.dynamics.scene_oracle import SceneOracle
from pgtheory.tabular.dynamics.stack import Stack
from pgtheory.tabular.errors import InvalidPolicy
from pgtheory.tabular.models.bandit import Bandit
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.objectives.regularisers import Entropy
from pgtheory.tabular.objectives.returns import Return
from pgtheory.tabular.objectives.success import PassAtK
from pgtheory.tabular.policies.log_linear import LogLinear
from pgtheory.tabular.policies.policy import fisher
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.scene import Scene
from pgtheory.tabular.solve.evaluation import evaluate


def scene(policy) -> Scene:
    model = MDP(P=[[[0.5, 0.25], [0.0, 0.75]], [[0.25, 0.0], [0.5, 0.25]]], r=[[1.0, -1.0], [0.5, 2.0]], mu=[0.5, 0.5], gamma=0.9)
    return Scene.of(model, policy)


@pytest.mark.parametrize("objective", [Return(), Return() + 0.3 * Entropy(level="state")])
def test_scene_oracle_shows_the_objective(objective):
    policy = LogLinear(np.array([0.2, -0.4, 1.0]), np.random.default_rng(0).normal(size=(2, 2, 3)))
    oracle = SceneOracle(scene(policy), objective)
    outlook = oracle(oracle.start(policy.theta))
    F = fisher(policy, evaluate(scene(policy).model, policy).occupancy)

    assert outlook.value == [objective.value(scene(policy))]
    assert (outlook.gradient[0] == objective.gradient(scene(policy))).all()
    assert abs(F @ outlook.natural[0] - outlook.gradient[0]).max() <= 1e-12  # F is regular here: three features, condition below 100
    assert (outlook.pi[0] == policy.probabilities).all()
    assert abs(outlook.entropy[0] + (policy.probabilities * policy.log_probabilities).sum(axis=1)).max() <= 1e-15


def test_scene_oracle_and_stack_oracle_agree_on_a_softmax_table():
    policy = Softmax(np.array([[0.3, -0.2], [1.0, 0.0]]))
    oracle = SceneOracle(scene(policy))
    one, other = oracle(oracle.start(policy.theta)), SoftmaxOracle(Stack.of([scene(policy).model]))(policy.theta[None])

    for name in ("value", "gradient", "gap", "occupancy", "V", "Q", "advantage"):
        assert abs(getattr(one, name) - getattr(other, name)).max() <= 1e-13
    assert abs(one.natural - other.natural).max() <= 1e-12


def test_scene_oracle_knows_the_best_value_of_the_return_only():
    tree = Bandit(r=[0.25, 0.75], bernoulli=True)
    policy = Softmax(np.zeros((1, 2)))

    assert SceneOracle(Scene.of(tree, policy)).best == [0.75]
    assert SceneOracle(Scene.of(tree, policy), PassAtK(2)).best is None
    assert SceneOracle(Scene.of(tree, policy), PassAtK(2), target=1.0).best == [1.0]


def test_several_points_are_the_points_one_by_one():
    policy = LogLinear(np.array([0.2, -0.4, 1.0]), np.random.default_rng(0).normal(size=(2, 2, 3)))
    oracle = SceneOracle(scene(policy))
    points = np.random.default_rng(1).normal(size=(3, 3))
    together = oracle(oracle.start(points))

    for n in range(3):
        alone = oracle(oracle.start(points[n]))
        for name in ("value", "gradient", "natural", "pi", "log_pi", "V", "Q", "advantage", "occupancy", "entropy", "gap"):
            assert (getattr(together, name)[n] == getattr(alone, name)[0]).all()


@pytest.mark.parametrize("theta", [np.zeros(3), np.zeros((1, 3)), np.zeros((3, 2))])
def test_point_of_another_shape_is_refused(theta):
    with pytest.raises(InvalidPolicy, match="the policy of the scene has"):
        SceneOracle(scene(Softmax(np.zeros((2, 2))))).start(theta)
