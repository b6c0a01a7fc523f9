"""The best average reward: against the best of all deterministic policies in fractions, between methods, and its bounds whatever made them."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from pgtheory.tabular.errors import InvalidArgument, Multichain, NotConverged
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.models.problems import problem
from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.solve import gain as module
from pgtheory.tabular.solve.continuing import Continuing
from pgtheory.tabular.solve.evaluation import evaluate
from pgtheory.tabular.solve.gain import METHODS, certified, optimal_gain, settled
from pgtheory.tabular.solve.optimal import optimal

RANDOM = settings(max_examples=25)


@st.composite
def models(draw):
    """Weakly communicating models with multichain policies: action 0 of the inner states goes round, the last action stays; the others lead inwards.

    Rewards are small integers, so that actions tie.
    """
    S, A = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    inner, rng = draw(st.integers(1, S)), np.random.default_rng(draw(st.integers(0, 2**16)))
    weights = rng.integers(0, 3, size=(S, A, S)) * rng.integers(0, 2, size=(S, A, 1)).astype(float)
    weights[:inner, :, inner:] = 0
    weights[range(inner), 0, [(s + 1) % inner for s in range(inner)]] += 1
    weights[range(inner), A - 1, range(inner)] += 1
    weights[range(inner, S), :, range(inner - 1, S - 1)] += 1
    weights[weights.sum(axis=-1) == 0, 0] = 1
    P = weights / weights.sum(axis=-1, keepdims=True)
    form = sp.csr_array(P.reshape(S * A, S)) if draw(st.booleans()) else P
    return MDP(P=form, r=rng.integers(-2, 3, size=(S, A)).astype(float), mu=np.eye(S)[0], gamma=0.5)


def deterministic(mdp: MDP):
    """Every deterministic policy as a table (S, A)."""
    return (np.eye(mdp.A)[list(choice)] for choice in product(range(mdp.A), repeat=mdp.S))


def best_gain(mdp: MDP, exact_average) -> Fraction:
    """The best of the policies with one closed class; in a weakly communicating model one of them is best of all (Puterman 1994, Theorem 8.3.2)."""
    return max(found.J for found in (exact_average(mdp, pi) for pi in deterministic(mdp)) if found is not None)


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=20)
@given(mdp=models())
def test_against_the_best_of_all_policies(method, mdp, exact_average, largest_error):
    best, tolerance = best_gain(mdp, exact_average), 1e-6

    found = optimal_gain(mdp, method=method, tolerance=tolerance)

    assert abs(Fraction(found.J) - best) <= found.bound <= found.gap <= (tolerance if method == "value-iteration" else 1e-12)
    if method == "policy-iteration":
        own = exact_average(mdp, found.as_policy().probabilities)
        assert best - own.J <= found.gap
        assert largest_error(found.V, own.h) <= 1e-11
    assert abs(found.Q.max(axis=1) - found.V).max() <= found.gap
    assert (found.Q[np.arange(mdp.S), found.policy] >= found.Q.max(axis=1) - found.gap).all()


@RANDOM
@given(mdp=models(), seed=st.integers(0, 2**16))
def test_bounds_are_true_for_any_values_and_any_policy(mdp, seed, exact_average):
    """h is noise and the policy drawn: gain, best gain and their difference are inside all the same."""
    rng = np.random.default_rng(seed)
    h, policy = rng.uniform(-5, 5, size=mdp.S), rng.integers(0, mdp.A, size=mdp.S)
    own, best = exact_average(mdp, np.eye(mdp.A)[policy]), best_gain(mdp, exact_average)

    found = certified(Continuing.of(mdp), h, policy, 0.25, steps=0, method="noise")

    assert abs(best - Fraction(0.25)) <= found.bound
    if own is not None:
        assert best - own.J <= found.gap


@pytest.mark.parametrize("sign", [1, -1])
def test_bounds_count_the_rounding_of_the_backup(sign):
    """At h = 2^54 float64 has even numbers only: rewards of 1/4 and 3/4 vanish in r + h - h, on both sides of zero. A value far away shows each bound alone."""
    mdp, far = MDP(P=np.ones((1, 2, 1)), r=sign * np.array([[0.25, 0.75]]), mu=[1.0]), 1000.0
    best = max(0.25 * sign, 0.75 * sign)

    found = certified(Continuing.of(mdp), np.array([2.0**54]), np.array([0 if sign > 0 else 1]), -sign * far, steps=0, method="noise")

    assert (found.Q - sign * far - 2.0**54).tolist() == [[0.0, 0.0]]
    assert abs(best + sign * far) <= found.bound <= 2 * far
    assert found.gap >= 0.5


def test_policies_that_come_back_end_the_loop(monkeypatch):
    """Planted bug: a repair that gives two policies by turns, each with a state to improve. The loop ends, and the bounds say what that is worth."""
    mdp, calls = MDP(P=np.full((2, 2, 2), 0.5), r=[[0.0, 1.0], [0.0, 1.0]], mu=[1.0, 0.0]), []

    def forgetful(model, policy, w):
        assert len(calls) < 20, "the loop goes on"
        calls.append(policy)
        return np.array([len(calls) % 2, 1 - len(calls) % 2])

    monkeypatch.setattr(module, "settled", forgetful)

    found = optimal_gain(mdp, method="policy-iteration")

    assert found.steps == 2
    assert abs(found.J - 1) <= found.bound
    assert found.gap >= 1 - 0.5


def test_discount_and_start_play_no_part():
    swim = problem("river-swim/6")
    found = [optimal_gain(MDP(P=swim.P, r=swim.r, mu=np.eye(6)[s], gamma=gamma)) for s, gamma in ((0, 0.1), (5, 1.0))]

    assert found[0].V.tolist() == found[1].V.tolist()


@pytest.mark.parametrize("S", [6, 20])
def test_river_swim_is_a_birth_and_death_chain(S):
    """Always upstream is best (Strehl and Littman 2008). Its law follows from detailed balance: d(s) up(s) = d(s + 1) down(s + 1); the gain is d(last) 1 P(stay)."""
    swim = problem(f"river-swim/{S}")
    found = optimal(swim, criterion="average")
    K = np.asarray(swim.P)[:, 1]
    up, down = np.diagonal(K, 1), np.diagonal(K, -1)
    law = np.cumprod(np.append(1, up / down))

    assert found.policy.tolist() == [1] * S
    assert abs(found.J - law[-1] / law.sum() * swim.mean_reward[-1, 1]) <= found.bound + 1e-14
    assert found.gap < 1e-11


def test_agrees_with_the_discounted_optimum_near_one():
    """(1 - gamma) V* tends to g*, at a distance of (1 - gamma) (span of the bias) at most."""
    swim = problem("river-swim/6")
    found = optimal(swim, criterion="average")
    for gamma in (1 - 1e-5, 1 - 1e-7):
        near = optimal(MDP(P=swim.P, r=swim.r, mu=swim.mu, gamma=gamma))
        assert abs((1 - gamma) * near.V - found.J).max() <= (1 - gamma) * (np.ptp(found.V) + near.bound) + found.bound


@pytest.mark.parametrize("method", METHODS)
def test_periodic_chains(method):
    """Round a cycle of three with rewards 1, 2, 6, or wait for 2.5: the best is to go round, gain 3. Plain value iteration would never settle."""
    P = np.zeros((3, 2, 3))
    P[range(3), 0, [1, 2, 0]], P[range(3), 1, range(3)] = 1, 1
    found = optimal(MDP(P=P, r=[[1.0, 2.5], [2.0, 2.5], [6.0, 2.5]], mu=[1.0, 0.0, 0.0]), criterion="average", method=method, tolerance=1e-10)

    assert found.policy.tolist() == [0, 0, 0]
    assert abs(found.J - 3) <= found.bound <= 1e-10


def test_policy_that_falls_apart_keeps_its_better_part():
    """To stay pays 1 in state 0 and 2 in state 2: greedy for one step is multichain. The best part is state 2, and all others go there the shortest way."""
    P = np.zeros((3, 2, 3))
    P[range(3), 0, [1, 2, 0]], P[range(3), 1, range(3)] = 1, 1
    model = Continuing.of(MDP(P=P, r=[[0.0, 1.0], [0.0, 0.0], [0.0, 2.0]], mu=[1.0, 0.0, 0.0]))

    assert settled(model, np.array([1, 1, 1]), np.array([1.0, 0.0, 2.0])).tolist() == [0, 0, 1]
    assert settled(model, np.array([1, 1, 1]), np.array([3.0, 0.0, 2.0])).tolist() == [1, 0, 0]
    assert settled(model, np.array([0, 0, 1]), np.zeros(3)).tolist() == [0, 0, 1]
    found = optimal_gain(model.mdp)
    assert (found.policy.tolist(), found.J) == ([0, 0, 1], 2.0)


@pytest.mark.parametrize("flip", [False, True])
def test_improvement_that_falls_apart_is_repaired(flip):
    """To stay in one state pays 1, to leave it 0; to stay in the other 1.2, to leave it 1.5. The first policy leaves the other state, at gain 1; there it is
    better to stay, which makes two closed classes, of gain 1 and 1.2."""
    P, r = np.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]]), np.array([[1.0, 0.0], [1.2, 1.5]])
    order = [1, 0] if flip else [0, 1]
    mdp = MDP(P=P[np.ix_(order, [0, 1], order)], r=r[order], mu=[1.0, 0.0])

    found = optimal_gain(mdp, method="policy-iteration")

    assert (found.policy[order].tolist(), found.J) == ([1, 0], 1.2)


def test_ties_go_to_the_lowest_action_and_do_not_cycle():
    mdp = MDP(P=np.full((3, 4, 3), 1 / 3), r=[[1.0, 1.0, 1.0, 0.0], [0.0, 2.0, 2.0, 2.0], [-1.0, -1.0, -2.0, -1.0]], mu=[1.0, 0.0, 0.0])

    found = optimal_gain(mdp, method="policy-iteration")

    assert found.policy.tolist() == [0, 1, 0]
    assert found.steps <= 3


def test_ties_that_rounding_breaks_are_ties():
    """0.1 + 0.2 is larger than 0.3 in float64, by less than the backup's own rounding."""
    found = optimal_gain(MDP(P=np.full((2, 2, 2), 0.5), r=[[0.3, 0.1 + 0.2], [0.1 + 0.2, 0.3]], mu=[1.0, 0.0]), method="policy-iteration")

    assert (found.policy.tolist(), found.steps) == ([0, 0], 1)


def test_tie_that_would_make_the_policy_multichain_is_left_alone():
    """Every action earns 1; action 0 stays, action 1 changes place. Two states that stay where they are have no common bias: one of them must move."""
    P = [[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]]
    found = optimal_gain(MDP(P=P, r=np.ones((2, 2)), mu=[1.0, 0.0]), method="policy-iteration")

    assert found.J == 1.0
    assert evaluate(MDP(P=P, r=np.ones((2, 2)), mu=[1.0, 0.0]), found.as_policy(), criterion="average").J == 1.0


# The choice, and large models


def test_large_sparse_models_go_by_value_iteration_and_fall_back(monkeypatch):
    monkeypatch.setattr(module, "DIRECT", 30)
    monkeypatch.setattr(module, "SWEEPS", 100)
    mixing, slow = problem("sparse-garnet/S=200"), problem("queue/S=60")

    assert optimal_gain(mixing, tolerance=1e-8).method == "value-iteration"
    assert optimal_gain(slow, tolerance=1e-8).method == "policy-iteration"
    assert abs(optimal_gain(slow, tolerance=1e-8).J - optimal_gain(slow, method="value-iteration", tolerance=1e-8).J) <= 1e-8
    dense = MDP(P=mixing.transition.toarray().reshape(200, 4, 200), r=mixing.r, mu=mixing.mu)
    assert optimal_gain(dense, tolerance=1e-8).method == "policy-iteration"


def test_methods_agree_within_their_bounds():
    mdp = problem("garnet/S=60,A=3,b=4,seed=2")
    one, two = (optimal_gain(mdp, method=method) for method in METHODS)

    assert abs(one.J - two.J) <= one.bound + two.bound
    assert abs((one.V - one.V[0]) - (two.V - two.V[0])).max() < 1e-8
    assert abs(two.V.max() + two.V.min()) < 1e-12


def test_ten_digits_of_the_largest_reward_unless_told():
    """Rewards of 1e-6 and of 1e6: the bound follows."""
    swim = problem("river-swim/6")
    for scale in (1e-6, 1e6):
        found = optimal_gain(MDP(P=swim.P, r=scale * swim.r, mu=swim.mu), method="value-iteration")
        assert found.gap <= 1e-10 * scale * (1 + 1e-12)
        assert abs(found.J / scale - 0.42862243379946) <= 1e-10


def test_value_iteration_that_is_too_slow_or_too_exact():
    with pytest.raises(NotConverged, match=r"forget their start too slowly, or use policy-iteration") as slow:
        module.value_iteration(Continuing.of(problem("queue/S=60")), 1e-12, 20)
    assert 0 < slow.value.bound < 1
    with pytest.raises(NotConverged, match="rounding in float64"):
        optimal_gain(problem("river-swim/6"), method="value-iteration", tolerance=1e-17)


def hardly_joined(e: float) -> MDP:
    """Two states that are left once in 1 / e steps, with rewards of 1000 and 1: the bias is of order 1000 / e, whose rounding blurs the gain."""
    P = [[[1 - e, e], [1 - 2 * e, 2 * e]], [[e, 1 - e], [2 * e, 1 - 2 * e]]]
    return MDP(P=P, r=[[1e3, 0.0], [0.0, 1.0]], mu=[0.5, 0.5], gamma=0.9)


@pytest.mark.parametrize("method", [None, "policy-iteration"])
def test_a_gain_that_is_not_proven_is_an_error_with_the_best_there_is(method):
    """Asked for 1e-8 means 1e-8, of policy iteration too; what it found is in the error, and without a tolerance it is the answer."""
    model = hardly_joined(1e-7)
    free = optimal(model, criterion="average", method=method)

    with pytest.raises(NotConverged, match=r"proves the best average reward to .*, not to 1e-08: rounding.*Give a larger tolerance") as caught:
        optimal(model, criterion="average", method=method, tolerance=1e-8)

    assert 1e-8 < caught.value.bound == free.bound < 1e-3
    np.testing.assert_array_equal(caught.value.best, free.V)
    assert optimal(model, criterion="average", method=method, tolerance=1e-3).bound <= 1e-3
    assert optimal(model, criterion="average", method=method, tolerance=(free.bound + free.gap) / 2).bound == free.bound < free.gap
    assert optimal(hardly_joined(0.1), criterion="average", method=method, tolerance=1e-8).bound <= 1e-8


def test_ten_digits_are_of_the_largest_reward_by_the_public_name_too():
    """Rewards of 1e6: ten digits of one would be out of reach of float64."""
    swim = problem("river-swim/6")

    found = optimal(MDP(P=swim.P, r=1e6 * swim.r, mu=swim.mu), criterion="average", method="value-iteration")

    assert 1e-10 < found.gap <= 1e-4 * (1 + 1e-12)


# What is refused


def test_model_whose_best_gain_depends_on_the_start():
    """State 0 stays or leaves for state 1, which is never left."""
    one_way = [[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [0.0, 1.0]]]
    with pytest.raises(Multichain, match=r"some policy never leaves state 0, another leaves for state 1, from where nothing leads back"):
        optimal(MDP(P=one_way, r=np.ones((2, 2)), mu=[1.0, 0.0]), criterion="average")
    with pytest.raises(Multichain, match=r"the model, whatever the policy, has 2 closed classes: it never leaves state 0, and never leaves state 1"):
        optimal(MDP(P=np.eye(2)[:, None], r=np.ones((2, 1)), mu=[1.0, 0.0]), criterion="average")


def test_model_that_ends_and_unknown_names():
    with pytest.raises(InvalidArgument, match="the episode may end there"):
        optimal(MDP(P=[[[0.5]]], r=[[1.0]], mu=[1.0]), criterion="average")
    with pytest.raises(InvalidArgument, match="'guess', expected one of policy-iteration, value-iteration"):
        optimal_gain(problem("two-state"), method="guess")
    with pytest.raises(InvalidArgument, match="criterion is 'mean'"):
        optimal(problem("two-state"), criterion="mean")
    with pytest.raises(InvalidArgument, match="tolerance is -1"):
        optimal(problem("two-state"), criterion="average", tolerance=-1)


def test_as_policy_earns_the_gain():
    found = optimal_gain(problem("two-state"), method="policy-iteration")

    assert isinstance(found.as_policy(), Direct)
    assert abs(evaluate(problem("two-state"), found.as_policy(), criterion="average").J - found.J) <= found.bound
