"""with_time: what is kept and what is refused. That its values are those of the recursion is a test of `evaluate`."""

import numpy as np
import pytest

from pgtheory.tabular.errors import InvalidArgument
from pgtheory.tabular.models.augmentation import with_time
from pgtheory.tabular.models.mdp import MDP, Outcomes
from pgtheory.tabular.models.problems import problem
from pgtheory.tabular.policies.policy import score
from pgtheory.tabular.policies.softmax import Softmax


def test_states_are_pairs_of_step_and_state():
    base = problem("loop/T=3")
    model = with_time(base).model
    P = model.transition.toarray().reshape(3, 2, 2, 3, 2)

    assert (model.S, model.A, model.horizon, model.gamma) == (6, 2, None, base.gamma)
    assert model.mu.tolist() == [*base.mu, 0, 0, 0, 0]
    for t in range(2):
        assert (P[t, ..., t + 1, :] == base.P).all()
    assert P.sum() == 2 * np.sum(base.P)
    assert (model.ends.reshape(3, 2, 2)[2] == 1).all()


def test_lift_ties_the_parameters():
    policy = Softmax(np.array([[0.5, -1.0], [2.0, 0.0]]))
    lifted = with_time(problem("loop/T=3")).lift(policy)

    assert lifted.theta is policy.theta
    assert (lifted.probabilities == np.tile(policy.probabilities, (3, 1))).all()
    assert (score(lifted) == np.tile(score(policy), (3, 1, 1))).all()


def test_random_rewards_are_kept():
    outcomes = Outcomes(values=np.array([0.0, 1.0]), chance=np.full((1, 2, 2), 0.5))
    model = with_time(MDP(P=np.ones((1, 2, 1)), mu=[1.0], outcomes=outcomes, horizon=2)).model

    assert model.outcomes.chance.shape == (2, 2, 2)
    assert (model.r2 == 0.5).all()


def test_model_without_horizon_is_refused():
    with pytest.raises(InvalidArgument, match="with_time needs a model with a horizon"):
        with_time(problem("two-state"))


def test_rewards_of_transitions_are_refused():
    with pytest.raises(InvalidArgument, match=r"r\[s, a\] only"):
        with_time(MDP(P=np.ones((1, 1, 1)), r=np.ones((1, 1, 1)), mu=[1.0], horizon=2))
