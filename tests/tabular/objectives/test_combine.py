"""Sums and multiples of objectives."""

import numpy as np
import pytest

from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.models.bandit import Bandit
from pgtheory.tabular.objectives.combine import Combination
from pgtheory.tabular.objectives.maximum import MaxOfK
from pgtheory.tabular.objectives.regularisers import Entropy, ReverseKL
from pgtheory.tabular.objectives.returns import Return
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.scene import Scene

SCENE = Scene.of(Bandit(r=[1.0, 0.0, 0.5]), Softmax.of(np.array([[0.5, 0.3, 0.2]])), ref=Softmax.of(np.array([[0.2, 0.2, 0.6]])))


@pytest.mark.parametrize("part", ["value", "gradient", "hessian"])
def test_sums_are_linear(part):
    J, KL, H = (getattr(o, part)(SCENE) for o in (Return(), ReverseKL(), Entropy()))
    found = getattr(2 * (Return() - ReverseKL() * 0.25) + Entropy() - (-MaxOfK(1)), part)(SCENE)
    assert np.max(abs(found - (2 * J - 0.5 * KL + H + getattr(MaxOfK(1), part)(SCENE)))) <= 1e-14 * 8


def test_regularised_bandit_is_stationary_at_its_known_optimum(assert_derivatives):
    """J - beta KL(pi, ref) is maximal at pi proportional to ref exp(r / beta), where it is beta log sum ref exp(r / beta)."""
    beta, ref, r = 0.5, np.array([0.2, 0.2, 0.6]), np.array([1.0, 0.0, 0.5])
    weights = ref * np.exp(r / beta)
    best = SCENE.at(theta=np.log(weights)[None])
    objective = Return() - beta * ReverseKL()

    assert abs(objective.gradient(best)).max() <= 1e-15 * 8
    assert abs(objective.value(best) - beta * np.log(weights.sum())) <= 1e-15 * 8
    assert np.linalg.eigvalsh(objective.hessian(best)).max() <= 1e-15 * 8
    assert_derivatives(objective, SCENE)


def test_names():
    assert (Return() - 0.1 * ReverseKL()).name == "J - 0.1 reverse KL"
    assert (-Return() + 2 * Entropy("state")).name == "- J + 2 state entropy"
    assert (0.5 * (Return() + Entropy())).name == "0.5 J + 0.5 entropy"


def test_equal_sums_are_equal():
    assert Return() - 0.1 * ReverseKL() == Return() - 0.1 * ReverseKL()
    assert Return() - 0.1 * ReverseKL() != Return() - 0.2 * ReverseKL()


def test_bad_input():
    with pytest.raises(InvalidArgument, match="no terms"):
        Combination(())
    with pytest.raises(InvalidArgument, match="coefficient of J is nan"):
        float("nan") * Return()
    with pytest.raises(TypeError):
        Return() + 1  # type: ignore[operator]
