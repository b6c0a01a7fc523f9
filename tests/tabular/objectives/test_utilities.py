"""Utilities of the occupancy: values by counting, derivatives by complex steps through occupancies that are written out here."""

import numpy as np
import pytest

from pgtheory.tabular.errors import InvalidArgument, InvalidModel, InvalidPolicy
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.objectives.returns import Return
from pgtheory.tabular.objectives.utilities import OccupancyDistance, OccupancyEntropy, occupancy, occupancy_jacobian
from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.scene import Scene

RNG = np.random.default_rng(0)
TARGET = RNG.random((2, 2))
LEAKS = np.array([[0.9, 0.5], [0.6, 0.8]])[:, :, None]
"""The chance to go on differs from pair to pair, so that the total number of visits depends on the policy."""

UTILITIES = {
    "entropy": (OccupancyEntropy(), lambda x: -(x * np.log(x)).sum()),
    "distance": (OccupancyDistance(TARGET), lambda x: -((x - TARGET) ** 2).sum() / 2),
    "norm": (OccupancyDistance(), lambda x: -(x * x).sum() / 2),
}
MODELS = {
    name: MDP(P=leak * RNG.dirichlet(np.ones(2), size=(2, 2)), r=RNG.random((2, 2)), mu=np.array([0.3, 0.7]), gamma=gamma, horizon=horizon)
    for name, (leak, gamma, horizon) in {"discounted": (1.0, 0.8, None), "episodic": (LEAKS, 1.0, None), "horizon": (1.0, 0.9, 3)}.items()
}
THETA = RNG.normal(size=(2, 2))


def visits(model: MDP, theta: np.ndarray) -> np.ndarray:
    """Sum over 2000 steps, or over the horizon; theta may be complex. What is cut off is below 0.8^2000."""
    pi = np.exp(theta) / np.exp(theta).sum(axis=1, keepdims=True)
    d, total = model.mu, np.zeros(2)
    for _ in range(model.horizon or 2000):
        total, d = total + d, model.gamma * np.einsum("s,sa,sat->t", d, pi, model.P)
    return total[:, None] * pi


def complex_steps(f) -> np.ndarray:
    """Derivatives of f at THETA, last axis."""
    return np.stack([np.imag(f(THETA + 1e-30j * e.reshape(2, 2))) / 1e-30 for e in np.eye(4)], axis=-1)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("utility", UTILITIES)
def test_value_and_gradient(model, utility):
    made, F = UTILITIES[utility]
    scene = Scene.of(model, Softmax(THETA))

    np.testing.assert_allclose(made.value(scene), F(visits(model, THETA)), rtol=1e-12)
    np.testing.assert_allclose(made.gradient(scene), complex_steps(lambda theta: F(visits(model, theta))), rtol=0, atol=1e-12)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_jacobian_of_the_occupancy(model):
    found = occupancy_jacobian(model, Softmax(THETA))

    np.testing.assert_allclose(occupancy(model, Softmax(THETA)), visits(model, THETA), rtol=1e-12)
    np.testing.assert_allclose(found, complex_steps(lambda theta: visits(model, theta)), rtol=0, atol=1e-12)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("utility", UTILITIES)
def test_hessian_is_the_difference_of_gradients(model, utility):
    """Central differences of 1e-5 of the gradient: the third derivative and rounding are below 1e-8."""
    made, _ = UTILITIES[utility]
    gradient = lambda theta: made.gradient(Scene.of(model, Softmax(theta)))
    expected = np.stack([(gradient(THETA + 1e-5 * e.reshape(2, 2)) - gradient(THETA - 1e-5 * e.reshape(2, 2))) / 2e-5 for e in np.eye(4)])

    np.testing.assert_allclose(made.hessian(Scene.of(model, Softmax(THETA))), expected, rtol=0, atol=1e-7)


def test_a_pair_that_no_policy_visits_counts_nothing():
    model = MDP(P=np.zeros((2, 2, 2)), r=np.zeros((2, 2)), mu=np.array([1.0, 0.0]))
    scene = Scene.of(model, Softmax(np.log([[0.25, 0.75], [0.5, 0.5]])))

    assert OccupancyEntropy().value(scene) == pytest.approx(-0.25 * np.log(0.25) - 0.75 * np.log(0.75), rel=1e-14)
    assert (OccupancyEntropy().gradient(scene)[2:] == 0).all()


def test_utilities_combine_with_other_objectives():
    scene = Scene.of(MODELS["horizon"], Softmax(THETA))

    assert (Return() + 0.5 * OccupancyEntropy()).value(scene) == pytest.approx(Return().value(scene) + 0.5 * OccupancyEntropy().value(scene))


def test_bad_utilities_are_refused():
    model = MODELS["discounted"]
    with pytest.raises(InvalidPolicy, match="never visits action 1 in state 0"):
        OccupancyEntropy().gradient(Scene.of(model, Direct(np.array([[1.0, 0.0], [0.5, 0.5]]))))
    with pytest.raises(InvalidModel, match="target has shape"):
        OccupancyDistance(np.ones((3, 2))).gradient(Scene.of(model, Softmax(THETA)))
    with pytest.raises(InvalidArgument, match="target"):
        OccupancyDistance(np.array([[np.nan]]))
