"""Policy iteration: it ends on ties, its margins, its early end."""

from dataclasses import replace

import numpy as np
import pytest

from pgtheory.tabular.errors import NotConverged
from pgtheory.tabular.models.classic import chain
from pgtheory.tabular.models.large import frozen_lake, queue
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.solve.certificates import certify
from pgtheory.tabular.solve.iteration import policy as module
from pgtheory.tabular.solve.iteration.modified import gauss_seidel
from pgtheory.tabular.solve.iteration.policy import AHEAD, first_policy, policy_iteration
from pgtheory.tabular.solve.optimal import optimal
from pgtheory.tabular.solve.play import Play


def test_ties_on_a_grid_do_not_cycle():
    """100 cells of ice without holes: its diagonal is an axis of symmetry, and many actions tie up to rounding. Without margin this never ends (quantecon)."""
    mdp = frozen_lake(10, holes=0.0)
    play = Play.of(mdp)

    V, policy, steps, _ = policy_iteration(play)

    assert steps < 50
    proof = certify(play, V, policy)
    assert max(proof.bound, proof.gap) < 1e-11
    assert abs(V - gauss_seidel(play, 1e-10)[0]).max() <= 1e-10 + proof.bound


def test_gain_between_rounding_and_the_proven_margin_is_taken():
    """gamma = 1 - 1e-6: the error of V that can be proven, 1e-2, exceeds the gain 1e-5 of action 1, the rounding of Q, 1e-8, does not. It is worth 10."""
    mdp = MDP(P=np.ones((1, 2, 1)), r=[[1.0, 1.0 + 1e-5]], mu=[1.0], gamma=1 - 1e-6)

    V, policy, _, _ = policy_iteration(Play.of(mdp), start=np.array([0]))

    assert policy.tolist() == [1]
    assert V[0] == pytest.approx((1 + 1e-5) * 1e6, abs=0.1)


def test_tolerance_ends_it_early_and_holds():
    play = Play.of(frozen_lake(24))
    true, _, whole, _ = policy_iteration(play)

    V, policy, steps, _ = policy_iteration(play, 0.1)

    assert steps < whole
    assert 1e-11 < abs(V - true).max() <= certify(play, V, policy).bound <= 0.1


@pytest.mark.parametrize("steps", [1, 3])
def test_limit_of_evaluations_is_an_error_with_the_last_value_and_what_is_proven_of_it(monkeypatch, steps):
    play = Play.of(queue(500))
    true, _, needed, _ = policy_iteration(play)
    monkeypatch.setattr(module, "STEPS", needed)
    assert policy_iteration(play)[2] == needed > steps
    monkeypatch.setattr(module, "STEPS", steps)

    with pytest.raises(NotConverged, match=f"after {steps} evaluations, the limit.*Leave the method out") as caught:
        policy_iteration(play)

    assert 1e-6 < abs(caught.value.best - true).max() <= caught.value.bound < np.inf


def test_start_is_where_it_starts():
    play = Play.of(queue(500))
    _, best, steps, _ = policy_iteration(play)

    assert steps > 2
    assert policy_iteration(play, start=best)[2] == 1


@pytest.mark.parametrize("mdp", [frozen_lake(8), queue(60), chain(5)], ids=["lake", "queue", "chain"])
def test_first_policy_looks_ahead(mdp):
    """The best action when some steps are left, by backward induction; at most one step on a band."""
    found = first_policy(Play.of(mdp))

    finite = optimal(replace(mdp, horizon=AHEAD + 1))
    one_step = optimal(replace(mdp, horizon=1))
    assert (found == finite.policy[0]).all() or (Play.of(mdp).bands and (found == one_step.policy[0]).all())
    assert policy_iteration(Play.of(mdp)).steps <= policy_iteration(Play.of(mdp), start=mdp.mean_reward.argmax(axis=1)).steps
