"""The average reward of a policy: against fractions, against limits of discounted values and of powers, and its bounds against true errors."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from pgtheory.tabular.errors import InvalidArgument, InvalidPolicy, Multichain
from pgtheory.tabular.models.mdp import MDP
from pgtheory.tabular.models.problems import problem
from pgtheory.tabular.policies.direct import Direct
from pgtheory.tabular.solve import average as module
from pgtheory.tabular.solve.average import gain_bounds, normalised, unichain
from pgtheory.tabular.solve.chain import Chain
from pgtheory.tabular.solve.continuing import Continuing
from pgtheory.tabular.solve.evaluation import evaluate

RANDOM = settings(max_examples=30)
ROUNDED = 1e-11
"""Chains below reach their state z within 1000 steps on average: 1000 units of roundoff, times some 100 roundings."""


def average(model, pi):
    return evaluate(model, Direct(pi), criterion="average")


@st.composite
def cases(draw, *, forms=(np.array, sp.csr_array)):
    """A model and a policy with one closed class: a cycle through some of the states, whose actions stay among them; from the others a move towards them.

    Some have transient states, some are periodic (nothing but the cycle), some policies leave actions out. States are in any order.
    """
    S, A = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    inner, bare, rng = draw(st.integers(1, S)), draw(st.booleans()), np.random.default_rng(draw(st.integers(0, 2**16)))
    weights = np.zeros((S, A, S)) if bare else rng.integers(0, 4, size=(S, A, S)).astype(float)
    weights[:inner, :, inner:] = 0
    weights[np.arange(S), :, [(s + 1) % inner if s < inner else s - 1 for s in range(S)]] += 1
    order = rng.permutation(S)
    P = (weights / weights.sum(axis=-1, keepdims=True))[np.ix_(order, range(A), order)]
    pi = rng.integers(0, 4, size=(S, A)).astype(float)
    pi[:, 0] += pi.sum(axis=1) == 0
    form = draw(st.sampled_from(forms))
    r, gamma = rng.integers(-3, 4, size=(S, A)).astype(float), draw(st.sampled_from([0.0, 0.5, 1.0]))
    P = P if form is np.array else form(P.reshape(S * A, S))
    return MDP(P=P, r=r, mu=np.full(S, 1 / S), gamma=gamma), pi / pi.sum(axis=1, keepdims=True)


@RANDOM
@given(case=cases())
def test_everything_against_fractions(case, exact_average, largest_error):
    mdp, pi = case
    true = exact_average(mdp, pi)

    found, chain = average(mdp, pi), unichain(mdp, Direct(pi))

    assert max(largest_error(found.V, true.h), largest_error(found.J, true.J)) <= found.bound <= ROUNDED * (1 + abs(found.V).max())
    assert largest_error(found.occupancy, true.d) <= ROUNDED
    assert largest_error(chain.deviation(np.eye(mdp.S)), true.D) <= ROUNDED
    N = chain.hitting_time(mdp.branching, mdp.A)
    assert max(sum(abs(x) for x in row) for row in true.D) <= 2 * N
    law_error = sum(abs(Fraction(float(x)) - y) for x, y in zip(found.occupancy, true.d, strict=True))
    assert law_error <= chain.law_error(N, mdp.branching, mdp.A) <= ROUNDED
    assert found.ends.all()


@RANDOM
@given(case=cases(forms=[np.array]))
def test_action_values_are_one_step_of_the_evaluation_equation(case):
    """Q = r - J + P V entry by entry, its mean is V, d is a law that the moves keep, and V has mean zero under it."""
    mdp, pi = case
    found = average(mdp, pi)
    d, scale = found.occupancy, ROUNDED * (1 + abs(found.V).max())

    assert abs(mdp.mean_reward - found.J + np.einsum("sat,t->sa", mdp.P, found.V) - found.Q).max() <= scale
    assert abs((pi * found.Q).sum(axis=1) - found.V).max() <= scale
    assert (found.advantage == found.Q - found.V[:, None]).all()
    assert abs(np.einsum("s,sa,sat->t", d, pi, mdp.P) - d).max() <= ROUNDED
    assert (d >= 0).all()
    assert max(abs(d.sum() - 1), abs(d @ found.V)) <= scale


@RANDOM
@given(case=cases(forms=[np.array]))
def test_stationary_law_is_the_limit_of_averages_over_time(case):
    """(1/N) sum_{t<N} mu P^t at N = 2^20, by doubling: A_2N = (A_N + P^N A_N) / 2. What is left is 2 max|D| / N, below 1000 / N here."""
    mdp, pi = case
    P = np.einsum("sa,sat->st", pi, mdp.P)
    mean, power = np.eye(mdp.S), P
    for _ in range(20):
        mean, power = (mean + power @ mean) / 2, power @ power

    assert abs(mdp.mu @ mean - average(mdp, pi).occupancy).max() <= 1000 / 2**20


@RANDOM
@given(case=cases(forms=[np.array]))
def test_discounted_values_approach_gain_and_bias_at_the_known_rate(case):
    """V_gamma = J / (1 - gamma) + h + x (h - D h) + O(x^2) with x = (1 - gamma) / gamma (Puterman 1994, Theorem 8.2.3), at gamma = 1 - 2^-16, 1 - 2^-17.

    The last term is at most x^2 (|D|^2 + |D|^3) |r|.
    """
    mdp, pi = case
    found = average(mdp, pi)
    D = unichain(mdp, Direct(pi)).deviation(np.eye(mdp.S))
    size = abs(D).sum(axis=1).max() + 1
    for x in (2.0**-16, 2.0**-17):
        gamma = 1 / (1 + x)
        discounted = evaluate(MDP(P=mdp.P, r=mdp.r, mu=mdp.mu, gamma=gamma), Direct(pi))
        rest = discounted.V - found.J / (1 - gamma) - found.V

        assert abs(rest - x * (found.V - D @ found.V)).max() <= 2 * x**2 * 3 * size**3 + discounted.bound + 4 * ROUNDED / x


def test_a_cycle_of_two_by_hand():
    """Reward 0, 1, 0, 1, ...: gain 1/2; a start where the 1 is next is worth 1/4 more than the mean of both starts. The chain is periodic."""
    found = average(MDP(P=[[[0.0, 1.0]], [[1.0, 0.0]]], r=[[0.0], [1.0]], mu=[1.0, 0.0]), np.ones((2, 1)))

    assert (found.J, found.occupancy.tolist(), found.V.tolist()) == (0.5, [0.5, 0.5], [-0.25, 0.25])


def test_one_state():
    """J is the mean reward of the policy, the bias is zero, and Q is what an action adds to one step."""
    found = average(MDP(P=np.ones((1, 2, 1)), r=[[1.0, 3.0]], mu=[1.0]), [[0.75, 0.25]])

    assert (found.J, found.V.tolist(), found.Q.tolist(), found.occupancy.tolist()) == (1.5, [0.0], [[-0.5, 1.5]], [1.0])


def test_transient_states_have_law_zero_exactly_and_a_bias():
    """State 0 stays with probability 3/4 and earns -1 a step, until it reaches state 1, which earns 2 for ever: 4 steps that are 3 short."""
    found = average(MDP(P=[[[0.75, 0.25]], [[0.0, 1.0]]], r=[[-1.0], [2.0]], mu=[1.0, 0.0]), np.ones((2, 1)))

    assert found.occupancy.tolist() == [0.0, 1.0]
    np.testing.assert_allclose([found.J, *found.V], [2.0, -12.0, 0.0], atol=found.bound)


def test_the_discount_plays_no_part_and_the_discounted_law_is_another():
    """Dropped assumption: (1 - gamma) times the discounted occupancy in the place of d is a law too, but off by more than 0.05 and gives two thirds of the gain."""
    mdp = problem("river-swim/6")
    pi = np.full((6, 2), 0.5)
    found = [average(MDP(P=mdp.P, r=mdp.r, mu=mdp.mu, gamma=gamma), pi) for gamma in (0.0, 0.9, 1.0)]
    discounted = evaluate(MDP(P=mdp.P, r=mdp.r, mu=mdp.mu, gamma=0.9), Direct(pi)).occupancy * (1 - 0.9)

    assert found[0].V.tolist() == found[1].V.tolist() == found[2].V.tolist()
    assert abs(discounted.sum() - 1) < 1e-12
    assert abs(discounted - found[0].occupancy).max() > 0.05
    assert discounted @ (pi * mdp.mean_reward).sum(axis=1) < 0.8 * found[0].J


@pytest.mark.parametrize("form", [np.array, lambda P: sp.csr_array(np.reshape(P, (2, 2)))])
def test_rows_that_miss_one_by_rounding_are_divided_by_their_sums(form, exact_average, largest_error):
    """Two states that are left once in 10^4 steps: h is near 2500, and rows that sum to 1 - 5e-13 would shift the gain by 1e-9 if they were taken as they are."""
    slow = np.array([[[0.9999, 0.0001]], [[0.0001, 0.9999]]]) * (1 - 5e-13)
    mdp, pi = MDP(P=form(slow), r=[[0.0], [1.0]], mu=[1.0, 0.0]), np.ones((2, 1))
    true = exact_average(mdp, pi)

    found = average(mdp, pi)
    low, high = gain_bounds(Continuing.of(mdp), found.V, pi)

    assert low <= true.J <= high
    assert high - low < 1e-10  # 2 * 44 u (1 + 2 h) twice
    assert largest_error(found.V, true.h) <= found.bound


# The bounds believe nobody


@RANDOM
@given(case=cases(), seed=st.integers(0, 2**16))
def test_gain_lies_between_the_bounds_whatever_h_is(case, seed, exact_average):
    mdp, pi = case
    true, h = exact_average(mdp, pi), np.random.default_rng(seed).uniform(-10, 10, size=mdp.S)

    low, high = gain_bounds(Continuing.of(mdp), h, normalised(pi))

    assert Fraction(low) <= true.J <= Fraction(high)


def test_bounds_hold_from_every_start_of_a_multichain_policy():
    """Two states that stay where they are and earn 1 and 5: both gains are inside, for any h, and the bounds cannot meet."""
    model = Continuing.of(MDP(P=np.eye(2)[:, None], r=[[1.0], [5.0]], mu=[1.0, 0.0]))

    for h in ([0.0, 0.0], [3.0, -7.0]):
        low, high = gain_bounds(model, np.array(h), np.ones((2, 1)))
        assert low <= 1 < 5 <= high


def disturbed(size: float, *, of_transposed: bool):
    """Chain.find with answers of one of the two systems off by `size` and more, up and down in turn; that of the norm, M x = 1, is left alone."""
    honest = Chain.find

    def find(self, b, *, transposed=False, aim=None):
        found = honest(self, b, transposed=transposed, aim=aim)
        if transposed != of_transposed or (b == 1).all():
            return found
        x = found.x + size * np.arange(1, len(b) + 1) * (-1.0) ** np.arange(len(b))
        return replace(found, x=abs(x) if transposed else x)

    return find


@settings(max_examples=40)
@given(case=cases(), size=st.sampled_from([1e-6, 1.0, 1e3]), transposed=st.booleans())
def test_bound_does_not_believe_the_solver(case, size, transposed, exact_average, largest_error):
    """Planted bug: the solver is wrong and says nothing of it."""
    mdp, pi = case
    true = exact_average(mdp, pi)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Chain, "find", disturbed(size, of_transposed=transposed))
        found = average(mdp, pi)

    assert max(largest_error(found.V, true.h), largest_error(found.J, true.J)) <= found.bound


def test_the_planted_bug_is_one():
    """The same disturbance moves the answer by its size: the test above tests something."""
    mdp, pi = problem("two-state"), np.full((2, 2), 0.5)
    true = average(mdp, pi)
    for transposed in (False, True):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Chain, "find", disturbed(1.0, of_transposed=transposed))
            assert abs(average(mdp, pi).V - true.V).max() > 0.1


@pytest.mark.parametrize("size", [1e-12, 1e-6, 1e-2])
def test_error_of_the_law_is_bounded_by_its_residual_times_the_time_to_mix(size):
    """Two states that are left once in 1024 steps: a law that is off by `size` in each leaves a residual 512 times smaller, and the bound finds it."""
    p = 2.0**-10
    mdp = MDP(P=[[[1 - p, p]], [[p, 1 - p]]], r=[[0.0], [1.0]], mu=[1.0, 0.0])
    chain = unichain(mdp, Direct(np.ones((2, 1))))
    N = chain.hitting_time(2, 1)

    wrong = replace(chain, d=np.array([0.5 + size, 0.5 - size]))

    assert 1024 <= N <= 1024 * (1 + 1e-9)
    assert 2 * size <= wrong.law_error(N, 2, 1) <= 20 * size + 1e-10
    assert abs(replace(chain, d=0.5 * chain.d).law_error(N, 2, 1) - 0.5) < 1e-9


def test_error_of_the_law_counts_the_rounding_of_its_residual():
    """Left once in 2^40 steps, a law that is off by 1e-6 has a residual of 2e-18, which float64 makes zero."""
    p = 2.0**-40
    chain = unichain(MDP(P=[[[1 - p, p]], [[p, 1 - p]]], r=[[0.0], [1.0]], mu=[1.0, 0.0]), Direct(np.ones((2, 1))))
    wrong = replace(chain, d=np.array([0.5 + 1e-6, 0.5 - 1e-6]))

    assert (wrong.d @ chain.K == wrong.d).all()
    assert 2e-6 <= wrong.law_error(chain.hitting_time(2, 1), 2, 1) < 0.1


def test_time_to_mix_that_roundings_of_the_moves_could_make_infinite_is_refused():
    """Left once in 2^43 steps: a chain that is the mean of two actions is still certain to mix; 1000 actions may sum to an error of more than 2^-44."""
    p = 2.0**-43
    chain = unichain(MDP(P=[[[1 - p, p]], [[p, 1 - p]]], r=[[0.0], [1.0]], mu=[1.0, 0.0]), Direct(np.ones((2, 1))))

    assert 2**43 <= chain.hitting_time(2, 2) <= 2**43 * 1.1
    with pytest.raises(Multichain, match="so rarely"):
        chain.hitting_time(2, 1000)


# The state that is taken away


@pytest.mark.parametrize("first", [0, 60, 499, 999])
def test_any_first_guess_leads_to_the_same_answer(monkeypatch, first):
    """A queue whose last state is visited once in 10^176 steps: taken away first, it leaves a system that float64 cannot solve; state 60 leaves a bad one."""
    queue = problem("queue/S=1000")
    pi = np.eye(3)[np.full(1000, 2)]
    monkeypatch.setattr(module, "soon", lambda K, closed: first)

    found = average(queue, pi)

    # Birth and death: d(s) proportional to (0.4 / 0.6)^s.
    law = (2 / 3) ** np.arange(1000)
    np.testing.assert_allclose(found.occupancy, law / law.sum(), rtol=1e-9)
    assert found.bound < 1e-9


def test_first_guess_is_where_the_chain_is_soon():
    """From states 1 and 2 the next is 2 with probability 3/4, so that d = (0, 1/4, 3/4), soon and late."""
    K = np.array([[0.0, 0.5, 0.5], [0.0, 0.25, 0.75], [0.0, 0.25, 0.75]])

    assert module.soon(K, np.array([False, True, True])) == 2
    assert module.late(K, np.array([False, True, True])) == 2


def test_where_the_chain_is_late_stands_in_for_where_it_is_soon(exact_average, largest_error):
    """Four states are left once in 2^20 steps, for two that are left once in 2^60: after 16 steps the chain is in state 0, without which the two are a closed
    class for float64. A law after 2^10 steps would have misled as well."""
    K = np.zeros((6, 6))
    K[:4, 0], K[4:, 4:] = 1, 0.5
    K[0, :5] = 1 - 2.0**-6 - 2.0**-20, *[2.0**-6 / 3] * 3, 2.0**-20
    K[4, 1] = 2.0**-60
    mdp, all_of_it = MDP(P=K[:, None], r=np.array([0.0, 0.0, 0.0, 0.0, -1.0, 1.0])[:, None], mu=np.eye(6)[0]), np.ones(6, dtype=bool)
    true = exact_average(mdp, np.ones((6, 1)))

    assert module.soon(K, all_of_it) == 0
    assert module.without(K, all_of_it, 0) is None
    assert module.late(K, all_of_it) in (4, 5)
    found = average(mdp, np.ones((6, 1)))
    assert max(largest_error(found.V, true.h), largest_error(found.J, true.J)) <= found.bound < 1e-6


def test_first_guess_is_never_a_transient_state():
    """States 2, 3 and 4 lead to 5, which keeps the process for 100 steps before it comes to 0 and 1 for good."""
    K = np.zeros((6, 6))
    K[[0, 1], [1, 0]], K[2:5, 5], K[5, [5, 0]] = 1, 1, [0.99, 0.01]

    assert module.soon(K, np.arange(6) < 2) in (0, 1)


def test_first_guess_is_not_misled_by_a_period():
    """A star: every other step is in the middle, state 3. From a uniform start, 16 whole steps would leave the law uniform."""
    K = np.zeros((4, 4))
    K[:3, 3], K[3, :3] = 1, 1 / 3

    assert module.soon(K, np.ones(4, dtype=bool)) == 3


# What is refused


APART = [[[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]], [[0.5, 0.5, 0.0], [0.5, 0.5, 0.0]], [[0.0, 0.0, 1.0], [0.0, 0.0, 1.0]]]
"""States 0 and 1 change places; action 1 leads from 0 to 2, which is never left."""


@pytest.mark.parametrize("form", [np.array, lambda P: sp.csr_array(np.reshape(P, (6, 3)))])
def test_multichain_policy_is_an_error_that_names_two_classes_and_the_cure(form):
    mdp = MDP(P=form(APART), r=np.eye(3)[:, :2], mu=[1.0, 0.0, 0.0])

    with pytest.raises(Multichain, match=r"the policy has 2 closed classes: it never leaves states 0, 1, and never leaves state 2\. .*gamma < 1"):
        average(mdp, [[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    assert average(mdp, [[0.5, 0.5], [1.0, 0.0], [1.0, 0.0]]).occupancy.tolist() == [0.0, 0.0, 1.0]


@pytest.mark.parametrize("form", [np.array, lambda P: sp.csr_array(np.reshape(P, (5, 5)))])
def test_without_the_question_to_the_graph_the_numbers_still_refuse(monkeypatch, form):
    """Dropped assumption: the first class is taken for the only one. Its gain and its law are not those of the other, and no bound is given."""
    one, two = np.array([[0.3, 0.7], [0.6, 0.4]]), np.array([[0.1, 0.2, 0.7], [0.3, 0.3, 0.4], [0.9, 0.05, 0.05]])
    P = np.block([[one, np.zeros((2, 3))], [np.zeros((3, 2)), two]])[:, None]
    monkeypatch.setattr(module, "the_closed_class", lambda edges, whose: np.arange(5) < 2)

    with pytest.raises(Multichain, match="so rarely"):
        average(MDP(P=form(P), r=[[1.0]] * 2 + [[5.0]] * 3, mu=[1.0, 0.0, 0.0, 0.0, 0.0]), np.ones((5, 1)))


def test_large_classes_are_cut_in_the_text():
    P = np.zeros((11, 1, 11))
    P[:10, 0, :10], P[10, 0, 10] = 0.1, 1

    with pytest.raises(Multichain, match=r"states 0, 1, 2, 3, 4 and 5 more, and never leaves state 10"):
        average(MDP(P=P, r=np.zeros((11, 1)), mu=np.eye(11)[0]), np.ones((11, 1)))


@pytest.mark.parametrize("form", [np.array, lambda P: sp.csr_array(np.reshape(P, (2, 2)))])
@pytest.mark.parametrize("link", [1e-17, 1e-300])
def test_classes_that_float64_cannot_tell_apart(form, link):
    with pytest.raises(Multichain, match="so rarely"):
        average(MDP(P=form([[[1.0, link]], [[link, 1.0]]]), r=np.zeros((2, 1)), mu=[1.0, 0.0]), np.ones((2, 1)))


def test_model_that_ends_is_an_error_that_names_the_pair_and_the_cure():
    mdp = MDP(P=[[[1.0, 0.0], [0.0, 1.0]], [[0.5, 0.5], [0.5, 0.25]]], r=np.zeros((2, 2)), mu=[1.0, 0.0])

    with pytest.raises(InvalidArgument, match=r"P\[1, 1\] sums to 0\.75: .*in proportion to mu.*criterion=\"return\""):
        average(mdp, [[0.5, 0.5], [0.5, 0.5]])


def test_horizon_is_an_error():
    with pytest.raises(InvalidArgument, match=r"the model has the horizon 3.*horizon=None"):
        average(MDP(P=[[[1.0]]], r=[[1.0]], mu=[1.0], horizon=3), [[1.0]])


def test_unknown_criterion():
    with pytest.raises(InvalidArgument, match="criterion is 'mean', expected 'return' or 'average'"):
        evaluate(problem("two-state"), Direct(np.full((2, 2), 0.5)), criterion="mean")


def test_policy_that_does_not_fit():
    with pytest.raises(InvalidPolicy, match=r"shape \(3, 2\)"):
        average(problem("two-state"), np.full((3, 2), 0.5))
