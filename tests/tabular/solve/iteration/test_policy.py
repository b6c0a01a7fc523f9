"""Policy iteration: it ends on ties, its margins, its early end."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import scipy.sparse as sp

from pgtheory.tabular.errors import InvalidModel, NonTerminating, NotConverged
from pgtheory.tabular.models.classic import chain
from pgtheory.tabular.models.large import frozen_lake, queue, torus
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.solve.certificates import certify
from pgtheory.tabular.solve.iteration import policy as module
from pgtheory.tabular.solve.iteration.modified import gauss_seidel
from pgtheory.tabular.solve.iteration.policy import AHEAD, ahead, first_policy, further, policy_iteration, switching
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


@pytest.mark.parametrize("compiled", [False, True])
def test_looking_ahead_is_backward_induction_from_a_value(compiled):
    """V = 0 and the rewards of the last step are those of a horizon; a policy of it attains the best value of the first step."""
    mdp, steps = torus(15, gamma=0.9), 20
    play = Play.of(mdp)
    if not compiled:
        play.__dict__["compiled"] = None
    assert (play.compiled is not None) == compiled
    finite = optimal(replace(mdp, horizon=steps + 1))

    found = ahead(play, mdp.mean_reward.max(axis=1), steps)

    np.testing.assert_allclose(finite.Q[0][np.arange(mdp.S), found], finite.V[0], rtol=1e-12)


def test_sparse_models_look_further_ahead_before_each_evaluation(monkeypatch):
    """On a torus news of the reward travels a cell a policy, and here each leads into the wrong half to begin with."""
    play, start = Play.of(torus(31, gamma=0.999)), np.zeros(31 * 31, dtype=int)
    quick = policy_iteration(play, 1e-8, start=start)
    monkeypatch.setattr(module, "FURTHER", AHEAD)
    slow = policy_iteration(Play.of(play.mdp), 1e-8, start=start)
    monkeypatch.undo()
    monkeypatch.setattr(module, "LOOKS", 0)
    none = policy_iteration(Play.of(play.mdp), 1e-8, start=start)

    np.testing.assert_allclose(quick.V, slow.V, atol=1e-10)
    assert quick.steps <= 3 and slow.steps >= 10 and none.steps == slow.steps


def test_only_sparse_models_off_a_band_look_further():
    """A factorisation of a band costs no more than a backup, and one of a dense matrix not so many."""
    assert [further(Play.of(mdp)) for mdp in (queue(300), chain(50), torus(31))] == [AHEAD, AHEAD, module.FURTHER]


def test_without_a_discount_nothing_looks_ahead():
    """Stay, walk on or leave, all for nothing; who walks to the end earns 1. To stay is as good as any for a hundred steps, and never ends."""
    S, s = 210, np.random.default_rng(0).permutation(210)
    P = np.zeros((S, 3, S))
    P[s, 0, s], P[s[:-1], 1, s[1:]] = 1, 1
    r = np.zeros((S, 3))
    r[s[-1], 1] = 1
    play = Play.of(MDP(P=sp.csr_array(P.reshape(3 * S, S)), r=r, mu=np.full(S, 1 / S), gamma=1.0))
    assert play.structure.sparse and not play.bands

    found = policy_iteration(play)

    assert found.V.tolist() == [1.0] * S and found.policy.tolist() == [1] * S


@pytest.mark.parametrize("gamma", [0.999, 1.0])
def test_looking_ahead_never_loses_what_a_step_gains(monkeypatch, gamma):
    """V of the next policy is at least T V of the last one. Without a discount nothing looks ahead: what is best for many steps may never end."""
    mdp = replace(frozen_lake(17), gamma=gamma)
    values, honest = [], Play.chain
    monkeypatch.setattr(Play, "chain", lambda play, policy: values.append(np.array(policy)) or honest(play, policy))

    found = policy_iteration(Play.of(mdp), 1e-8 if gamma < 1 else None)

    evaluated = [Play.of(mdp).value(policy) for policy in dict.fromkeys(map(bytes, values)) for policy in [np.frombuffer(policy, dtype=int)]]
    assert len(evaluated) >= 3
    for V, after in pairwise(evaluated):
        assert (after >= Play.of(mdp).backup(V).max(axis=1) - 1e-10).all()
    np.testing.assert_allclose(found.V, evaluated[-1], atol=1e-10)


def test_first_policy_is_the_one_step_best_on_a_band_and_the_way_out_without_a_discount():
    """Backups would cost as much as the factorisation; and the best for some steps may never end: here to wait for -1 a step, when to leave costs 20."""
    crowded = replace(queue(250), r=queue(250).mean_reward - np.arange(250)[:, None])
    band = Play.of(crowded)
    leaving = Play.of(MDP(P=[[[1.0], [0.0]]], r=[[-1.0, -20.0]], mu=[1.0]))
    ahead = optimal(replace(crowded, horizon=AHEAD + 1)).policy[0]

    assert band.bands and (first_policy(band) == band.first).all() and (band.first != ahead).any()
    assert first_policy(leaving).tolist() == [1]
    assert policy_iteration(leaving).V.tolist() == [-20]


def test_margins_cover_the_error_of_the_value_and_no_more():
    """V errs by e in each state, up in one and down in another: two actions that are alike seem to differ by 2 (gamma e + rho), with a residual of (1 - gamma) e."""
    gamma, e, rho = 0.99, 1e-3, 1e-6
    residual, norm = (1 - gamma) * e, 1 / (1 - gamma)

    proven, feigned, small, done = switching(2 * (gamma * e + rho), residual, norm, rho, np.inf)

    assert 2 * (gamma * e + rho) < proven < 2.3 * (gamma * e + rho)
    assert feigned == pytest.approx(2 * (residual + rho), rel=1e-15)
    assert small and not done
    for gain, tried, expected in [
        (1.01 * proven, np.inf, (False, False)),
        (1.01 * proven, 0.0, (False, False)),
        (0.99 * proven, np.inf, (True, False)),
        (0.99 * proven, 1.11 * proven, (True, False)),
        (0.99 * proven, 1.09 * proven, (True, True)),
        (1.01 * feigned, np.inf, (True, False)),
        (0.99 * feigned, np.inf, (True, True)),
        (0.0, 1.0, (True, True)),
    ]:
        assert switching(gain, residual, norm, rho, tried)[2:] == expected
        together = switching(np.array([gain, 1.0]), np.full(2, residual), np.full(2, norm), np.full(2, rho), np.array([tried, np.inf]))
        assert (together[2][0], together[3][0], together[2][1], together[3][1]) == (*expected, False, False)


def loops(gains: list[float], p: float = 0.0) -> MDP:
    """A state for ever each, at 1 a step or 1 + gain; the last one may try for the first, with probability p and at a loss of a fifth of what that will gain."""
    n, gamma = len(gains), 1 - 1e-6
    P, r = np.stack([np.eye(n)] * 2, axis=1), np.stack([np.ones(n), 1 + np.array(gains)], axis=1)
    if p:
        P[-1, 1, -1], P[-1, 1, 0], r[-1, 1] = 1 - p, p, 1 - 0.2 * p * gains[0] * gamma / (1 - gamma)
    return MDP(P=P, r=r, mu=np.full(n, 1 / n), gamma=gamma)


def test_small_gains_wait_until_no_large_one_is_left():
    """The margins of the test above, 1e-2 and 1e-8: the gain of 1 first, then the two of 1e-5; with the last policy three evaluations."""
    found = policy_iteration(Play.of(loops([1.0, 1e-5, 1e-5])), start=np.zeros(3, dtype=int))

    assert found.policy.tolist() == [1, 1, 1] and found.steps == 3


def test_small_gains_that_do_not_fall_are_left():
    """After the gain of 1e-5 another of nearly that size appears: that may be rounding, which cycles. One of 0.8 of it is taken."""
    start = np.zeros(2, dtype=int)

    left, taken = (policy_iteration(Play.of(loops([1e-5, 0.0], p)), start=start) for p in (1.2e-6, 1e-6))

    assert left.steps == 2 and taken.steps == 3
    assert left.V[1] < taken.V[1]


def test_tolerance_without_a_discount_does_not_end_it_early():
    """To stop at once has an expected length of 1, by which a gain of 0.01 would be worth 0.01; the loop it belongs to runs for 1000 steps."""
    mdp = MDP(P=[[[0.0], [0.999]]], r=[[0.0, 0.01]], mu=[1.0])

    found = policy_iteration(Play.of(mdp), 0.1, start=np.array([0]))

    assert found.V[0] == pytest.approx(10, rel=1e-9)


def test_gains_without_a_discount_need_not_halve():
    """Each state leaves for -50, or goes on to the next for -1: the gain moves on state by state, hardly smaller."""
    S = 20
    P = np.zeros((S, 2, S))
    P[np.arange(1, S), 1, np.arange(S - 1)] = 1
    r = np.full((S, 2), [-50.0, -1.0])

    found = policy_iteration(Play.of(MDP(P=P, r=r, mu=np.full(S, 1 / S))), start=np.zeros(S, dtype=int))

    np.testing.assert_allclose(found.V, -1.0 - np.arange(S), rtol=1e-14)


def test_loop_that_pays_without_a_discount_is_an_infinite_return():
    with pytest.raises(NonTerminating, match="the best return is infinite"):
        policy_iteration(Play.of(MDP(P=[[[0.0], [1.0]]], r=[[0.0, 1.0]], mu=[1.0])))


def test_values_that_overflow_are_refused():
    with np.errstate(all="ignore"), pytest.raises(InvalidModel, match="overflow"):
        policy_iteration(Play.of(MDP(P=np.full((2, 2, 2), 0.5), r=[[1e307, 2e307], [0, 1e307]], mu=[0.5, 0.5], gamma=0.999)))


def test_small_gain_may_follow_a_large_one_that_is_hardly_larger():
    """Only among small gains must each halve the last: 1.3 times the proven margin, then 0.8 times."""
    start, like = np.zeros(2, dtype=int), Play.of(loops([0.0, 0.0]))
    V = like.value(start)
    margin, *_ = switching(0.0, abs(like.backup(V)[:, 0] - V).max(), 1e6, like.rounding(V), np.inf)

    found = policy_iteration(Play.of(loops([1.3 * margin, 0.8 * margin])), start=start)

    assert found.policy.tolist() == [1, 1] and found.steps == 3
