"""Pseudo-returns and weighted differences: one data set by hand, means over all data sets, and what is refused."""

import numpy as np
import pytest

from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.estimators.gradient_difference import GradientDifference
from pgtheory.tabular.estimators.policy_gradient import PolicyGradient
from pgtheory.tabular.estimators.reinforce import RewardToGo
from pgtheory.tabular.estimators.utility import PseudoReturn
from pgtheory.tabular.laws.law import law
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.objectives.returns import Return
from pgtheory.tabular.objectives.utilities import OccupancyDistance
from pgtheory.tabular.policies.softmax import Softmax
from pgtheory.tabular.sampling.episodes import OnPolicy
from pgtheory.tabular.scene import Scene

RNG = np.random.default_rng(0)
MODEL = MDP(P=0.9 * RNG.dirichlet(np.ones(2), size=(2, 2)), r=RNG.normal(size=(2, 2)), mu=np.array([0.3, 0.7]), gamma=0.8, horizon=3)
SCENE = Scene.of(MODEL, Softmax(RNG.normal(size=(2, 2))))
PLAIN = PolicyGradient(advantage=RewardToGo())


def test_pseudo_returns_by_hand():
    """Each row's own visits and those of the other two, one step at a time."""
    data = OnPolicy(3).datasets(SCENE).data.take(slice(0, None, 997))
    for source in ("others", "own"):
        found = PseudoReturn(utility=OccupancyDistance(), visits=source)(data, SCENE)
        for n in range(len(data)):
            x = np.zeros((3, 2, 2))
            for b in range(3):
                for t in range(data.length[n, b]):
                    x[b, data.state[n, b, t], data.action[n, b, t]] += 0.8**t
            for b in range(3):
                use = x[b] if source == "own" else (x.sum(axis=0) - x[b]) / 2
                earned = [-(0.8**t) * use[data.state[n, b, t], data.action[n, b, t]] for t in range(data.length[n, b])]
                for t in range(data.length[n, b]):
                    assert found[n, b, t] == pytest.approx(sum(earned[t:]), rel=1e-13)


@pytest.mark.parametrize(("source", "unbiased"), [("others", True), ("own", False)])
def test_only_independent_visits_are_unbiased(source, unbiased):
    exact = OccupancyDistance().gradient(SCENE)
    found = law(PolicyGradient(advantage=PseudoReturn(utility=OccupancyDistance(), visits=source)), OnPolicy(2), SCENE).mean

    assert (abs(found - exact).max() <= 1e-13) == unbiased
    assert unbiased or abs(found - exact).max() > 1e-2


@pytest.mark.parametrize("rows", [1, 2])
@pytest.mark.parametrize("weighted", [True, False])
def test_weighted_difference_is_unbiased(rows, weighted):
    last = SCENE.point["theta"] + np.array([[0.5, 0.0], [-0.3, 0.2]])
    found = law(GradientDifference(gradient=PLAIN, last=last, weighted=weighted), OnPolicy(rows), SCENE).mean
    exact = Return().gradient(SCENE) - Return().gradient(SCENE.at(theta=last))

    assert (abs(found - exact).max() <= 1e-13) == weighted
    assert weighted or abs(found - exact).max() > 1e-2


def test_bad_estimators_are_refused():
    with pytest.raises(InvalidArgument, match="there is one row"):
        law(PolicyGradient(advantage=PseudoReturn(utility=OccupancyDistance())), OnPolicy(1), SCENE)
    with pytest.raises(InvalidArgument, match="visits is 'all'"):
        PseudoReturn(utility=OccupancyDistance(), visits="all")  # pyright: ignore[reportArgumentType]
    with pytest.raises(InvalidArgument, match="has form `whole`"):
        GradientDifference(gradient=GradientDifference(gradient=PLAIN, last=np.zeros((2, 2))), last=np.zeros((2, 2)))
